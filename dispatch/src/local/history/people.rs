//! Who changed what, and when.

use super::status::states;
use super::{failed, has_commits};
use crate::local::intent::Place;
use crate::local::report::{self, answer, counted};
use crate::local::walk;
use crate::local::{Ground, Outcome};

pub(super) fn last_change(ground: &Ground, file: &Place) -> Outcome {
    let paths = match ground.pathspecs(std::slice::from_ref(file)) {
        Ok(paths) => paths,
        Err(reason) if reason.starts_with("git knows no") => {
            return Ok(answer(format!("none found: {reason}")));
        }
        Err(reason) => return Err(reason),
    };
    if !has_commits(ground) {
        return Ok(answer("none found: there are no commits yet"));
    }
    let path = &paths[0];
    let format = "--format=%an <%ae>%n%cI%n%h %s";
    Ok(
        match ground.git_output(&["log", "-1", "--no-color", format, "--end-of-options", "HEAD", "--", path])
        {
            Ok(text) if text.trim().is_empty() => answer(format!("none found: no commit has touched {path}")),
            Ok(text) => {
                let mut lines = text.lines();
                let mut next = || lines.next().unwrap_or_default().to_owned();
                let (author, date, commit) = (next(), next(), next());
                let mut text = format!("{path} was last changed by {author} on {date}, in commit {commit}");
                let dirty = states(ground)
                    .is_ok_and(|states| states.iter().any(|(_, changed)| walk::is_within(changed, path)));
                if dirty {
                    text.push_str("\nnote: it has changes that are not committed");
                }
                answer(text)
            }
            Err(reason) => failed(reason),
        },
    )
}

pub(super) fn blame(ground: &Ground, file: &Place, lines: Option<(u64, u64)>) -> Outcome {
    let paths = ground.pathspecs(std::slice::from_ref(file))?;
    let range = lines.map(|(first, last)| format!("-L{first},{last}"));
    let mut arguments = vec!["blame", "--date=short", "--no-progress"];
    arguments.extend(range.as_deref());
    arguments.extend(["--", paths[0].as_str()]);
    Ok(match ground.git_output(&arguments) {
        Ok(text) => {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            answer(report::list(
                &format!("{}: {}", paths[0], counted(lines.len(), "line")),
                lines.into_iter(),
            ))
        }
        Err(reason) => failed(reason),
    })
}

pub(super) fn authors(ground: &Ground, paths: &[Place], count: bool) -> Outcome {
    if !has_commits(ground) {
        return Ok(answer("none found: there are no commits yet"));
    }
    let paths = ground.pathspecs(paths)?;
    let mut arguments = vec!["shortlog", "--summary", "--numbered", "--end-of-options", "HEAD", "--"];
    arguments.extend(paths.iter().map(String::as_str));
    Ok(match ground.git_output(&arguments) {
        Ok(text) => {
            let lines: Vec<String> = text
                .lines()
                .filter_map(|line| line.trim().split_once('\t'))
                .map(|(commits, name)| format!("{commits} {name}"))
                .collect();
            let colon = if count { ":" } else { ", with their number of commits" };
            answer(report::list(&format!("{}{colon}", counted(lines.len(), "author")), lines.into_iter()))
        }
        Err(reason) => failed(reason),
    })
}
