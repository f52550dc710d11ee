//! Finds, lists and counts files and directories.

use super::intent::{Place, Scope, Show, Size};
use super::report::{self, answer, counted};
use super::walk::{Entry, Walked, Want, line_count, walker};
use super::{Ground, Outcome};

pub(super) fn files(ground: &Ground, scope: &Scope, show: Show) -> Outcome {
    let walked = ground.walk(scope, Want::Files)?;
    Ok(answer(with_notes(scope, &walked, listing(scope, &walked, show))))
}

fn listing(scope: &Scope, walked: &Walked, show: Show) -> String {
    let count = walked.entries.len();
    let what = report::files_of(scope, count);
    if count == 0 {
        return none_found(&format!("there are no {}", report::files_of(scope, 0)), walked.searched);
    }
    let headline = format!("{count} {what}");
    // The number alone is no evidence; the files that were counted are.
    let lines = walked.entries.iter().map(|entry| entry.path.clone());
    if show == Show::Count {
        report::list(&format!("{headline}:"), lines)
    } else {
        report::list(&headline, lines)
    }
}

/// Returns the statement that nothing was found, and what was looked at.
pub(super) fn none_found(what: &str, searched: usize) -> String {
    format!("none found: {what} ({} searched, ignored files left out)", counted(searched, "file"))
}

/// Appends what a reader has to know to take the result right.
pub(super) fn with_notes(scope: &Scope, walked: &Walked, mut text: String) -> String {
    for missing in &walked.missing {
        text.push_str(&format!("\nnote: there is no `{missing}`"));
    }
    if let Some(explained) = report::kinds_explained(scope) {
        text.push_str(&format!("\nnote: {explained}"));
    }
    text
}

pub(super) fn directories(ground: &Ground, scope: &Scope, deep: bool, show: Show) -> Outcome {
    let walked = ground.walk(scope, Want::Directories { deep })?;
    let count = walked.entries.len();
    let place = report::located(scope);
    if count == 0 {
        let text = format!("none found: there are no directories{place} (ignored ones left out)");
        return Ok(answer(with_notes(&Scope::default(), &walked, text)));
    }
    let noun = if count == 1 { "directory" } else { "directories" };
    let end = if show == Show::Count { ":" } else { "" };
    let headline = format!("{count} {noun}{place}{end}");
    let text = report::list(&headline, walked.entries.iter().map(|entry| format!("{}/", entry.path)));
    Ok(answer(with_notes(&Scope::default(), &walked, text)))
}

pub(super) fn exists(ground: &Ground, place: &Place) -> Outcome {
    if let Some(located) = ground.locate(place)? {
        let what = if located.is_dir { "directory" } else { "file" };
        return Ok(answer(format!("yes, there is a {what} {}", located.shown())));
    }
    let scope = Scope { filters: vec![super::intent::Filter::Name(place.path.clone())], ..Scope::default() };
    let walked = ground.walk(&scope, Want::Files)?;
    if walked.entries.is_empty() {
        let text = format!("there is no `{}`, and no file of that name elsewhere", place.path);
        return Ok(answer(none_found(&text, walked.searched)));
    }
    let headline = format!("there is no `{}` at that path; of that name there are:", place.path);
    Ok(answer(report::list(&headline, walked.entries.iter().map(|entry| entry.path.clone()))))
}

pub(super) fn list(ground: &Ground, place: &Place) -> Outcome {
    let Some(located) = ground.locate(place)? else {
        return Ok(answer(format!("none found: there is no `{}`", place.path)));
    };
    if !located.is_dir {
        return super::read::read(ground, place, super::intent::Part::Whole);
    }
    let entries = children(ground, &located.absolute);
    if entries.is_empty() {
        return Ok(answer(format!("{} is empty (ignored files left out)", located.shown())));
    }
    let directories = entries.iter().filter(|entry| entry.is_dir).count();
    let headline = format!(
        "{}: {} and {}",
        located.shown(),
        counted(directories, "directory"),
        counted(entries.len() - directories, "file")
    );
    Ok(answer(report::list(&headline, entries.iter().map(|entry| format!("{}{}", entry.path, slash(entry))))))
}

fn slash(entry: &Entry) -> &'static str {
    if entry.is_dir { "/" } else { "" }
}

/// Returns what is directly in a directory, directories first.
fn children(ground: &Ground, directory: &std::path::Path) -> Vec<Entry> {
    let mut walk = walker(directory);
    walk.max_depth(Some(1));
    let mut entries: Vec<Entry> = walk
        .build()
        .flatten()
        .filter(|entry| entry.depth() == 1)
        .filter_map(|entry| {
            let kind = entry.file_type()?;
            let path = entry.path().strip_prefix(ground.root).ok()?.to_str()?.to_owned();
            Some(Entry { path, bytes: 0, is_dir: kind.is_dir(), is_file: kind.is_file() })
        })
        .collect();
    entries.sort_by(|a, b| b.is_dir.cmp(&a.is_dir).then_with(|| a.path.cmp(&b.path)));
    entries
}

/// Draws the directories and files below a directory, each with how many files it holds.
pub(super) fn tree(ground: &Ground, place: &Place, depth: Option<usize>) -> Outcome {
    let Some(located) = ground.locate(place)? else {
        return Ok(answer(format!("none found: there is no `{}`", place.path)));
    };
    if !located.is_dir {
        return Err(format!("`{}` is a file and has no structure", place.path));
    }
    let scope =
        Scope { under: vec![Place { path: located.relative.clone(), sure: true }], ..Scope::default() };
    let walked = ground.walk(&scope, Want::Files)?;
    let prefix = if located.relative.is_empty() { String::new() } else { format!("{}/", located.relative) };
    let paths: Vec<&str> =
        walked.entries.iter().filter_map(|entry| entry.path.strip_prefix(prefix.as_str())).collect();
    // Without a wish, as deep as it fits.
    let depth = depth.unwrap_or_else(|| {
        (1..=6).rev().find(|depth| tree_lines(&paths, *depth).len() <= report::SHOWN).unwrap_or(1)
    });
    let lines = tree_lines(&paths, depth);
    let headline = format!("{}/ ({})", located.shown(), counted(paths.len(), "file"));
    Ok(answer(report::list(&headline, lines.into_iter())))
}

fn tree_lines(paths: &[&str], depth: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for path in paths {
        let names: Vec<&str> = path.split('/').collect();
        let directories = &names[..names.len() - 1];
        let common = open.iter().zip(directories).take_while(|(a, b)| a == b).count();
        open.truncate(common);
        for (level, name) in directories.iter().enumerate().skip(common) {
            open.push(name);
            if level < depth {
                let below = format!("{}/", directories[..=level].join("/"));
                // Sorted, so what is below a directory stands together.
                let start = paths.partition_point(|path| *path < below.as_str());
                let count = paths[start..].partition_point(|path| path.starts_with(&below));
                lines.push(format!("{}{name}/ ({})", "  ".repeat(level + 1), counted(count, "file")));
            }
        }
        if directories.len() < depth {
            lines.push(format!("{}{}", "  ".repeat(names.len()), names[names.len() - 1]));
        }
    }
    lines
}

pub(super) fn largest(ground: &Ground, scope: &Scope, by: Size, count: usize) -> Outcome {
    let walked = ground.walk(scope, Want::Files)?;
    let mut sized: Vec<(u64, &Entry)> = match by {
        Size::Bytes => walked.entries.iter().map(|entry| (entry.bytes, entry)).collect(),
        Size::Lines => {
            let lines = ground.read_each(&walked.entries, |_, text| line_count(text));
            lines
                .into_iter()
                .zip(&walked.entries)
                .filter_map(|(lines, entry)| Some((lines?, entry)))
                .collect()
        }
    };
    sized.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.path.cmp(&b.1.path)));
    if sized.is_empty() {
        let text = none_found(&format!("there are no {}", report::files_of(scope, 0)), walked.searched);
        return Ok(answer(with_notes(scope, &walked, text)));
    }
    let unit = if by == Size::Bytes { "bytes" } else { "lines" };
    let total = sized.len();
    sized.truncate(count);
    let what = report::files_of(scope, total);
    let most = if by == Size::Bytes { "largest" } else { "longest" };
    let headline = format!("the {} {most} of {total} {what}", sized.len());
    let text =
        report::list(&headline, sized.iter().map(|(size, entry)| format!("{} ({size} {unit})", entry.path)));
    Ok(answer(with_notes(scope, &walked, text)))
}
