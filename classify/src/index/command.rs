//! `classify index`: builds the index of the project, and tells what it knows.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::json;
use shared::state::Root;
use shared::writer::{Stopped, Writer};
use shared::{Exit, Io, Problem, interrupt};

use super::build::{self, Changes};
use super::format::Index;
use super::show;

const EXAMPLES: &str = "\
Examples:
  # build it, or bring it up to date
  classify index

  # who depends on a file, and which tests reach it?
  classify index src/config.rs

  # is it what is there? (status 1 if not)
  classify index --status --exit-status

  # the files that most others depend on, and that no test reaches
  classify index --json $(git ls-files) | jq -r 'select(.risk == \"critical\" and .coverage == \"untested\") | .path'

Exit status: 0 fine, 1 not what is there (with --status -e), 2 usage, 3 some files are not in the index,
4 could not go on, 130 interrupted.";

/// An index older than this is stale, whatever the files say: seven days, in seconds (seed 003).
pub(crate) const OLD: i64 = 7 * 86_400;

/// Build the index of the project, or show what it knows of some files
///
/// The index is what `--reflect` looks things up in: for each file its language, what it imports and who imports it, the
/// symbols it defines, which tests reach it and how far a mistake in it would. It is kept below `.specpipe/` at the root
/// of the repository. Only what has changed is read again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct IndexArgs {
    /// Show what is known of these files instead of building
    #[arg(value_name = "FILE", conflicts_with_all = ["status", "dry_run", "full"])]
    pub files: Vec<PathBuf>,

    /// Say whether the index is what is there, and change nothing
    #[arg(long, conflicts_with_all = ["dry_run", "full"])]
    pub status: bool,

    /// With --status: end with 1 if the index is missing or stale
    #[arg(short, long, requires = "status")]
    pub exit_status: bool,

    /// Build it, but do not write it
    #[arg(long)]
    pub dry_run: bool,

    /// Read every file again
    #[arg(long)]
    pub full: bool,

    /// Print JSON: an object for the project, or one a line for each file
    #[arg(long)]
    pub json: bool,
}

/// Runs `classify index` about the project of a directory.
pub(crate) fn run(args: &IndexArgs, directory: &Path, io: Io) -> Exit {
    let Io { output, diagnostics, .. } = io;
    let root = Root::find(directory);
    if let Err(problem) = is_project(&root) {
        return diagnostics.usage(&problem);
    }
    let mut exit = Exit::Ok;
    let said = if !args.files.is_empty() {
        files(args, &root, directory, &mut |problem| {
            exit = Exit::Records;
            diagnostics.error(&problem);
        })
    } else if args.status {
        status(args, &root).map(|(said, is_fresh)| {
            if args.exit_status && !is_fresh {
                exit = Exit::No;
            }
            said
        })
    } else {
        bring_up_to_date(args, &root, &mut |told| diagnostics.warning(told))
    };
    let said = match said {
        Ok(said) => said,
        Err(problem) => return diagnostics.fatal(&problem),
    };
    if said.is_empty() {
        return exit;
    }
    let mut writer = Writer::new(output);
    match writer.write_line(said.trim_end()).and_then(|()| writer.flush()) {
        Ok(()) => exit,
        Err(Stopped::Closed) => Exit::Ok,
        Err(Stopped::Failed(problem)) => diagnostics.fatal(&problem),
    }
}

/// Whoever is in his home directory, or at the top, does not mean all that is below.
fn is_project(root: &Root) -> Result<(), Problem> {
    let is_home = std::env::var_os("HOME").is_some_and(|home| Path::new(&home) == root.path);
    let is_meant = root.git || root.path.join(shared::config::FILE).exists();
    if is_meant || !(is_home || root.path.parent().is_none()) {
        return Ok(());
    }
    let hint = format!("go to a project, or put a {} here if this is one", shared::config::FILE);
    Err(Problem::new(format!("`{}` is no project", root.path.display())).hint(hint))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn bring_up_to_date(args: &IndexArgs, root: &Root, warn: &mut dyn FnMut(String)) -> Result<String, Problem> {
    let start = Instant::now();
    let earlier = if args.full {
        None
    } else {
        // One that can not be read is no reason not to build another.
        Index::read(&root.path).unwrap_or_else(|problem| {
            warn(format!("{}; all files are read again", problem.full_message()));
            None
        })
    };
    let is_first = earlier.is_none();
    let built = build::build(&root.path, earlier, now())?;
    if interrupt::requested() {
        return Ok(String::new());
    }
    for (at, why) in built.unreadable.iter().enumerate() {
        if at < 10 {
            warn(format!("cannot read {why}"));
        } else {
            warn(format!("{} more files can not be read", built.unreadable.len() - at));
            break;
        }
    }
    if !args.dry_run {
        build::write(root, &built.index)?;
    }
    let index = &built.index;
    let summary = show::Summary::of(index);
    let elapsed = start.elapsed();
    let changes = &built.changes;
    Ok(if args.json {
        let mut summary = summary.to_json();
        summary["root"] = json!(root.path);
        summary["added"] = json!(changes.added.len());
        summary["changed"] = json!(changes.changed.len());
        summary["removed"] = json!(changes.removed.len());
        summary["same"] = json!(changes.same);
        summary["index_bytes"] = json!(index.size());
        summary["elapsed_ms"] = json!(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        summary.to_string()
    } else {
        let what = match (args.dry_run, is_first) {
            (true, _) => "would be written",
            (_, true) => "built",
            (_, false) if changes.none() => "up to date",
            _ => "brought up to date",
        };
        format!(
            "index of {}: {what}\n  {} new, {} changed, {} gone, {} as they were\n{summary}",
            root.path.display(),
            changes.added.len(),
            changes.changed.len(),
            changes.removed.len(),
            changes.same
        )
    })
}

/// Returns what is to be said, and whether the index is fresh.
fn status(args: &IndexArgs, root: &Root) -> Result<(String, bool), Problem> {
    let Some(index) = Index::read(&root.path)? else {
        let said = if args.json {
            json!({"root": root.path, "state": "missing"}).to_string()
        } else {
            format!("index of {}: there is none; `classify index` builds it", root.path.display())
        };
        return Ok((said, false));
    };
    let changes = build::compare(&root.path, &index);
    let age = now().saturating_sub(index.built).max(0);
    let is_fresh = is_fresh(&changes, age);
    let said = if args.json {
        json!({
            "root": root.path,
            "state": if is_fresh { "fresh" } else { "stale" },
            "files": index.len(),
            "age_s": age,
            "added": changes.added,
            "changed": changes.changed,
            "removed": changes.removed,
            "index_bytes": index.size(),
        })
        .to_string()
    } else {
        show::status(&root.path, &index, &changes, age, is_fresh)
    };
    Ok((said, is_fresh))
}

/// Tells whether an index of an age in seconds, with these changes since, is what is there.
pub(crate) fn is_fresh(changes: &Changes, age: i64) -> bool {
    changes.none() && age < OLD
}

fn files(
    args: &IndexArgs,
    root: &Root,
    directory: &Path,
    tell: &mut dyn FnMut(Problem),
) -> Result<String, Problem> {
    let index = Index::read(&root.path)?.ok_or_else(|| {
        Problem::new(format!("there is no index of `{}`", root.path.display()))
            .hint("`classify index` builds it")
    })?;
    let mut said = String::new();
    for file in &args.files {
        let name = file.to_string_lossy();
        let place = from_root(root, directory, file)
            .and_then(|path| index.find(&path))
            // A path as the index itself prints it.
            .or_else(|| index.find(&name));
        match place {
            None => tell(Problem::new(format!("`{name}` is not in the index")).hint(
                "paths are from the working directory or from the root; `classify index` takes in new files",
            )),
            Some(place) => {
                let file = index.file(place);
                if args.json {
                    said += &show::file_json(&index, file).to_string();
                    said.push('\n');
                } else {
                    let content = build::is_changed(&root.path, file);
                    said += &show::file(&index, file, content);
                }
            }
        }
    }
    Ok(said)
}

/// Returns the path of a file from the root, with `/`.
fn from_root(root: &Root, directory: &Path, file: &Path) -> Option<String> {
    let path = directory.join(file);
    let parent = path.parent()?.canonicalize().ok()?;
    let path = parent.join(path.file_name()?);
    let path = path.strip_prefix(&root.path).ok()?.to_str()?;
    Some(if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() })
}
