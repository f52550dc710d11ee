//! Commits: lists and numbers of them, limited by who, when, where and what they say.

use super::{failed, has_commits};
use crate::local::intent::{Log, Since};
use crate::local::report::{self, answer, counted};
use crate::local::{Ground, Outcome};

/// So many commits are shown if nobody said how many.
const COMMITS: u64 = 20;

/// How a commit is shown: hash, date, author, subject.
const LINE: &str = "--format=%h %cs %an: %s";

pub(super) fn commits(ground: &Ground, log: &Log) -> Outcome {
    if !has_commits(ground) {
        return Ok(answer("none found: there are no commits yet"));
    }
    let limits = limits(ground, log)?;
    let total = match count_of(ground, &limits) {
        Ok(total) => total,
        Err(reason) => return Ok(failed(reason)),
    };
    if total == 0 {
        return Ok(answer(format!("none found: there are no commits{}", described(log))));
    }
    let count = log.count.unwrap_or(COMMITS);
    let limit = format!("--max-count={count}");
    let mut arguments = vec!["log", "--no-color", LINE, &limit];
    arguments.extend(limits.iter().map(String::as_str));
    let text = match ground.git_output(&arguments) {
        Ok(text) => text,
        Err(reason) => return Ok(failed(reason)),
    };
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let headline = if lines.len() == total {
        format!("{}{}", counted(total, "commit"), described(log))
    } else {
        format!("the newest {} of {total} commits{}", lines.len(), described(log))
    };
    Ok(answer(report::list(&headline, lines.into_iter())))
}

pub(super) fn count_commits(ground: &Ground, log: &Log) -> Outcome {
    if !has_commits(ground) {
        return Ok(answer("0 commits: there are none yet"));
    }
    let limits = limits(ground, log)?;
    Ok(match count_of(ground, &limits) {
        Ok(total) => answer(format!("{}{}", counted(total, "commit"), described(log))),
        Err(reason) => failed(reason),
    })
}

/// Returns the arguments that limit commits, and the paths.
fn limits(ground: &Ground, log: &Log) -> Result<Vec<String>, String> {
    let mut arguments = Vec::new();
    if let Some(author) = &log.author {
        arguments.extend(["--regexp-ignore-case", "--fixed-strings"].map(str::to_owned));
        arguments.push(format!("--author={author}"));
    }
    if let Some(message) = &log.message {
        arguments.extend(["--regexp-ignore-case", "--fixed-strings"].map(str::to_owned));
        arguments.push(format!("--grep={message}"));
    }
    let mut revision = match &log.revision {
        Some(name) => ground.revision(name)?,
        None => "HEAD".to_owned(),
    };
    match &log.since {
        Some(Since::Date(date)) => arguments.push(format!("--since={date}")),
        Some(Since::Revision(name)) => revision = format!("{}..{revision}", ground.revision(name)?),
        None => {}
    }
    arguments.push("--end-of-options".to_owned());
    arguments.push(revision);
    arguments.push("--".to_owned());
    arguments.extend(ground.pathspecs(&log.paths)?);
    Ok(arguments)
}

fn count_of(ground: &Ground, limits: &[String]) -> Result<usize, String> {
    let mut arguments = vec!["rev-list", "--count"];
    arguments.extend(limits.iter().map(String::as_str));
    let text = ground.git_output(&arguments)?;
    text.trim().parse().map_err(|_| "git counted no commits".to_owned())
}

fn described(log: &Log) -> String {
    let mut text = String::new();
    if let Some(author) = &log.author {
        text.push_str(&format!(" by `{author}`"));
    }
    match &log.since {
        Some(Since::Date(date)) => {
            text.push_str(&format!(" since {}", date.replace("yesterday.midnight", "yesterday")))
        }
        Some(Since::Revision(name)) => text.push_str(&format!(" since `{name}`")),
        None => {}
    }
    if let Some(revision) = &log.revision {
        text.push_str(&format!(" on `{revision}`"));
    }
    if let Some(message) = &log.message {
        text.push_str(&format!(" that mention `{message}`"));
    }
    if !log.paths.is_empty() {
        let paths: Vec<String> = log.paths.iter().map(|place| format!("`{}`", place.path)).collect();
        text.push_str(&format!(" of {}", paths.join(", ")));
    }
    text
}
