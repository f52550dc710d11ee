//! Branches and tags.

use super::failed;
use crate::local::report::{self, answer, counted};
use crate::local::{Ground, Outcome};

pub(super) fn branch(ground: &Ground) -> Outcome {
    let name = ground.git_output(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
    Ok(match name {
        Ok(name) => answer(format!("on branch {}", name.trim())),
        Err(_) => match ground.git_output(&["rev-parse", "--short", "HEAD"]) {
            Ok(hash) => answer(format!("on no branch: HEAD is detached at {}", hash.trim())),
            Err(reason) => failed(reason),
        },
    })
}

pub(super) fn branches(ground: &Ground, remote: bool, count: bool) -> Outcome {
    let refs = if remote { "refs/remotes" } else { "refs/heads" };
    let format = "--format=%(if)%(HEAD)%(then)* %(else)  %(end)%(refname:short) %(objectname:short) %(contents:subject)";
    Ok(match ground.git_output(&["for-each-ref", "--sort=refname", format, refs]) {
        Ok(text) => {
            let lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
            let noun = if remote { "remote branch" } else { "local branch" };
            if lines.is_empty() {
                answer(format!("none found: there are no {noun}es"))
            } else {
                let colon = if count { ":" } else { "" };
                answer(report::list(&format!("{}{colon}", counted(lines.len(), noun)), lines.into_iter()))
            }
        }
        Err(reason) => failed(reason),
    })
}

pub(super) fn tags(ground: &Ground, latest: bool, count: bool) -> Outcome {
    let format = "--format=%(refname:short) %(creatordate:short)";
    let sort = if latest { "--sort=-creatordate" } else { "--sort=version:refname" };
    Ok(match ground.git_output(&["for-each-ref", sort, format, "refs/tags"]) {
        Ok(text) => {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            match lines.first() {
                None => answer("none found: there are no tags"),
                Some(first) if latest => answer(format!("the latest tag is {first}")),
                Some(_) => {
                    let colon = if count { ":" } else { "" };
                    answer(report::list(
                        &format!("{}{colon}", counted(lines.len(), "tag")),
                        lines.into_iter(),
                    ))
                }
            }
        }
        Err(reason) => failed(reason),
    })
}
