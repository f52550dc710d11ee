//! Reads files, whole or in part, and counts their lines.

use super::find::{none_found, with_notes};
use super::intent::{Filter, Part, Place, Scope};
use super::report::{self, answer, counted};
use super::walk::{Want, is_binary, line_count};
use super::{Ground, Outcome};

/// So much of a file is read out; more is asked for by lines.
const LONGEST: usize = 1 << 20;

pub(super) fn read(ground: &Ground, file: &Place, part: Part) -> Outcome {
    let located = match ground.locate(file)? {
        Some(located) => located,
        None => match by_name(ground, file)? {
            Ok(only) => ground.locate(&only)?.ok_or_else(|| format!("`{}` is gone", only.path))?,
            Err(text) => return Ok(answer(text)),
        },
    };
    if located.is_dir {
        return match part {
            Part::Whole => super::find::list(ground, file),
            _ => Err(format!("`{}` is a directory and has no lines", file.path)),
        };
    }
    let path = located.shown();
    let bytes = std::fs::read(&located.absolute).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    if is_binary(&bytes) {
        return Ok(answer(format!("{path} is a binary file of {} bytes", bytes.len())));
    }
    let total = line_count(&bytes);
    let text = String::from_utf8_lossy(&bytes);
    let lines = || text.split_inclusive('\n');
    let (first, last) = match part {
        Part::Whole => (1, total),
        Part::Lines(first, last) => (first, last.min(total)),
        Part::First(count) => (1, count.min(total)),
        Part::Last(count) => (total.saturating_sub(count) + 1, total),
    };
    if total == 0 {
        return Ok(answer(format!("{path} is empty")));
    }
    if first > total {
        return Ok(answer(format!("none found: {path} has only {}", counted(total as usize, "line"))));
    }
    let wanted = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    let start = usize::try_from(first - 1).unwrap_or(usize::MAX);
    let mut body: String = lines().skip(start).take(wanted).collect();
    let headline = match part {
        Part::Whole => format!("{path} ({})", counted(total as usize, "line")),
        _ if first == last => format!("{path}:{first} (of {})", counted(total as usize, "line")),
        _ => format!("{path}:{first}-{last} (of {})", counted(total as usize, "line")),
    };
    let mut note = String::new();
    if body.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
        note = format!("\n… and {} bytes more; ask for lines", body.len() - end);
        body.truncate(end);
    }
    Ok(answer(format!("{headline}\n{}{note}", body.trim_end_matches('\n'))))
}

/// Finds the only file of a name, or says which there are.
fn by_name(ground: &Ground, file: &Place) -> Result<Result<Place, String>, String> {
    let scope = Scope { filters: vec![Filter::Name(file.path.clone())], ..Scope::default() };
    let walked = ground.walk(&scope, Want::Files)?;
    // `README` is the one at the top before it is one of many.
    let top = walked.entries.iter().find(|entry| !entry.path.contains('/'));
    Ok(match (top, walked.entries.as_slice()) {
        (Some(entry), _) | (None, [entry]) => Ok(Place { path: entry.path.clone(), sure: true }),
        (None, []) => Err(none_found(&format!("there is no file `{}`", file.path), walked.searched)),
        (None, many) => {
            let headline = format!("{} are called `{}`; say which:", counted(many.len(), "file"), file.path);
            Err(report::list(&headline, many.iter().map(|entry| entry.path.clone())))
        }
    })
}

pub(super) fn count_lines(ground: &Ground, scope: &Scope) -> Outcome {
    let mut scope = scope.clone();
    // `how long is main.rs`: a name will do where there is no such path.
    for place in &mut scope.under {
        if ground.locate(place)?.is_none()
            && let Ok(only) = by_name(ground, place)?
        {
            *place = only;
        }
    }
    let walked = ground.walk(&scope, Want::Files)?;
    let counts = ground.read_each(&walked.entries, |_, text| line_count(text));
    let mut counted_files: Vec<(u64, &str)> = counts
        .into_iter()
        .zip(&walked.entries)
        .filter_map(|(lines, entry)| Some((lines?, entry.path.as_str())))
        .collect();
    let total: u64 = counted_files.iter().map(|(lines, _)| lines).sum();
    let text = match counted_files.as_slice() {
        [] => none_found(&format!("there are no {} with text", report::files_of(&scope, 0)), walked.searched),
        [(lines, path)] => {
            let bytes =
                walked.entries.iter().find(|entry| entry.path == *path).map_or(0, |entry| entry.bytes);
            format!(
                "{path}: {}, {bytes} bytes",
                counted(usize::try_from(*lines).unwrap_or(usize::MAX), "line")
            )
        }
        many => {
            let headline =
                format!("{total} lines in {} {}:", many.len(), report::files_of(&scope, many.len()));
            counted_files.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            let mut text =
                report::list(&headline, counted_files.iter().map(|(lines, path)| format!("{lines} {path}")));
            text.push_str("\nnote: blank lines and comments are counted, binary and ignored files are not");
            text
        }
    };
    Ok(answer(with_notes(&scope, &walked, text)))
}
