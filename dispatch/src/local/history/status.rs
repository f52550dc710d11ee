//! What is in the working tree and not in a commit.

use super::failed;
use crate::local::intent::{Changed, Place};
use crate::local::report::{self, answer, counted};
use crate::local::{Ground, Outcome};

pub(super) fn status(ground: &Ground) -> Outcome {
    let text = match ground.git_output(&["status", "--porcelain=v1", "--branch", "--untracked-files=normal"])
    {
        Ok(text) => text,
        Err(reason) => return Ok(failed(reason)),
    };
    let mut lines = text.lines();
    let branch = lines.next().unwrap_or_default().trim_start_matches("## ");
    let branch = match branch.strip_prefix("No commits yet on ") {
        Some(name) => format!("{name}, which has no commits yet"),
        None => branch.to_owned(),
    };
    let rest: Vec<String> = lines.map(str::to_owned).collect();
    let headline = if rest.is_empty() {
        format!("on {branch}: the working tree is clean")
    } else {
        format!("on {branch}: {} with changes", counted(rest.len(), "path"))
    };
    Ok(answer(report::list(&headline, rest.into_iter())))
}

/// Returns the two status letters and the path of all that is not as committed.
pub(super) fn states(ground: &Ground) -> Result<Vec<(String, String)>, String> {
    let text =
        ground.git_output(&["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"])?;
    Ok(text
        .split('\0')
        .filter(|entry| entry.len() > 3)
        .map(|entry| (entry[..2].to_owned(), entry[3..].to_owned()))
        .collect())
}

pub(super) fn changed(ground: &Ground, what: Changed) -> Outcome {
    let states = match states(ground) {
        Ok(states) => states,
        Err(reason) => return Ok(failed(reason)),
    };
    let wanted = |letters: &str| match what {
        Changed::Any => true,
        Changed::Modified => letters.contains('M'),
        Changed::Staged => !letters.starts_with([' ', '?', 'U']),
        Changed::Untracked => letters == "??",
        Changed::Deleted => letters.contains('D'),
        Changed::Conflicted => letters.contains('U') || letters == "AA" || letters == "DD",
    };
    let noun = match what {
        Changed::Any => "changed",
        Changed::Modified => "modified",
        Changed::Staged => "staged",
        Changed::Untracked => "untracked",
        Changed::Deleted => "deleted",
        Changed::Conflicted => "conflicted",
    };
    let paths: Vec<String> = states
        .into_iter()
        .filter(|(letters, _)| wanted(letters))
        .map(|(letters, path)| format!("{letters} {path}"))
        .collect();
    if paths.is_empty() {
        return Ok(answer(format!("none found: no file is {noun} in the working tree")));
    }
    let headline = format!("{} {noun} in the working tree", counted(paths.len(), "file"));
    Ok(answer(report::list(&headline, paths.into_iter())))
}

pub(super) fn clean(ground: &Ground) -> Outcome {
    match states(ground) {
        Err(reason) => Ok(failed(reason)),
        Ok(states) if states.is_empty() => {
            Ok(answer("yes, the working tree is clean: nothing is uncommitted"))
        }
        Ok(states) => {
            let headline =
                format!("no, the working tree is not clean: {} uncommitted", counted(states.len(), "change"));
            Ok(answer(report::list(
                &headline,
                states.into_iter().map(|(letters, path)| format!("{letters} {path}")),
            )))
        }
    }
}

pub(super) fn tracked(ground: &Ground, file: &Place) -> Outcome {
    let Some(located) = ground.locate(file)? else {
        return Ok(answer(format!("none found: there is no `{}`", file.path)));
    };
    let path = located.shown();
    if ground.git(&["ls-files", "--error-unmatch", "--", path])?.success() {
        return Ok(answer(format!("{path} is tracked by git")));
    }
    let ignored = ground.git(&["check-ignore", "--quiet", "--", path])?.success();
    let how = if ignored { "ignored" } else { "not tracked" };
    Ok(answer(format!("{path} is {how} by git")))
}
