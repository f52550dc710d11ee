//! What differs, between revisions, the index and the working tree.

use super::status::states;
use super::{failed, has_commits};
use crate::local::intent::{Diff, DiffShow, Place};
use crate::local::report::{answer, counted};
use crate::local::{Ground, Outcome};

/// Switches off what a repository's configuration could run for a diff.
const SAFE_DIFF: [&str; 4] = ["--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short"];

pub(super) fn diff(ground: &Ground, what: &Diff, paths: &[Place], show: DiffShow) -> Outcome {
    let paths = ground.pathspecs(paths)?;
    let (mut revisions, name): (Vec<String>, String) = match what {
        Diff::Unstaged => (Vec::new(), "between the index and the working tree".to_owned()),
        Diff::Staged => (Vec::new(), "between the last commit and the index".to_owned()),
        Diff::Uncommitted => {
            (vec!["HEAD".to_owned()], "between the last commit and the working tree".to_owned())
        }
        Diff::Since(from) => (vec![ground.revision(from)?], format!("between `{from}` and the working tree")),
        Diff::Between(from, to) => {
            (vec![ground.revision(from)?, ground.revision(to)?], format!("between `{from}` and `{to}`"))
        }
    };
    if *what == Diff::Uncommitted && !has_commits(ground) {
        revisions.clear();
    }
    let mut base = vec!["diff"];
    base.extend(SAFE_DIFF);
    if *what == Diff::Staged {
        base.push("--cached");
    }
    let with = |mode: &[&'static str]| {
        let mut arguments = base.clone();
        arguments.extend(mode);
        arguments.push("--end-of-options");
        arguments.extend(revisions.iter().map(String::as_str));
        arguments.push("--");
        arguments.extend(paths.iter().map(String::as_str));
        ground.git_output(&arguments)
    };
    let stat = match with(&["--stat=100"]) {
        Ok(text) => text,
        Err(reason) => return Ok(failed(reason)),
    };
    let untracked = if matches!(what, Diff::Between(..) | Diff::Staged) { 0 } else { untracked(ground) };
    let note = if untracked > 0 {
        format!("\nnote: {} not in this diff", counted(untracked, "untracked file"))
    } else {
        String::new()
    };
    if stat.trim().is_empty() {
        return Ok(answer(format!("none found: no differences {name}{note}")));
    }
    let summary = stat.lines().last().unwrap_or_default().trim().to_owned();
    let headline = format!("differences {name}: {summary}");
    let body = match show {
        DiffShow::Stat => {
            stat.lines().map(str::trim_end).collect::<Vec<_>>()[..stat.lines().count() - 1].join("\n")
        }
        DiffShow::Names => with(&["--name-status"]).unwrap_or_default(),
        DiffShow::Patch => with(&["--patch"]).unwrap_or_default(),
    };
    Ok(answer(format!("{headline}\n{}{note}", body.trim_end())))
}

pub(super) fn untracked(ground: &Ground) -> usize {
    states(ground).map_or(0, |states| states.iter().filter(|(letters, _)| letters == "??").count())
}

pub(super) fn show_commit(ground: &Ground, revision: &str, show: DiffShow) -> Outcome {
    if !has_commits(ground) {
        return Ok(answer("none found: there are no commits yet"));
    }
    let hash = ground.revision(revision)?;
    let mode = match show {
        DiffShow::Patch => "--patch",
        DiffShow::Stat => "--stat=100",
        DiffShow::Names => "--name-status",
    };
    let mut arguments = vec!["show"];
    arguments.extend(SAFE_DIFF);
    arguments.extend([
        "--format=commit %H%nauthor %an%ndate %cs%n%n%B",
        mode,
        "--end-of-options",
        &hash,
        "--",
    ]);
    Ok(match ground.git_output(&arguments) {
        Ok(text) => answer(text.trim_end().to_owned()),
        Err(reason) => failed(reason),
    })
}
