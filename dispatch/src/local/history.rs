//! Asks git. Only commands that look, with what could run another program or write an index switched off.
//!
//! Revisions are looked up before they are used, and stand after `--end-of-options`; paths stand after `--`. So
//! nothing in a task can be read as an option of git.

use std::time::Duration;

use shared::process::{Command, Ended, How};
use shared::section::Status;

use super::intent::{Changed, Diff, DiffShow, Git, Log, Place, Since};
use super::report::{self, answer, counted};
use super::{Ground, Outcome};
use crate::backend::Draft;

/// A git that takes longer than this waits for something that will not come.
const TIMEOUT: Duration = Duration::from_secs(60);
/// So many commits are shown if nobody said how many.
const COMMITS: u64 = 20;
/// How a commit is shown: hash, date, author, subject.
const LINE: &str = "--format=%h %cs %an: %s";

pub(super) fn ask(ground: &Ground, question: &Git) -> Outcome {
    if !ground.git_output(&["rev-parse", "--is-inside-work-tree"]).is_ok_and(|text| text.trim() == "true") {
        return Ok(Draft::because(Status::Failed, "the working directory is in no git repository"));
    }
    match question {
        Git::Status => status(ground),
        Git::Changed(what) => changed(ground, *what),
        Git::Clean => clean(ground),
        Git::Log(log) => commits(ground, log),
        Git::CountCommits(log) => count_commits(ground, log),
        Git::Diff { what, paths, show } => diff(ground, what, paths, *show),
        Git::Show { revision, show } => show_commit(ground, revision, *show),
        Git::Branch => branch(ground),
        Git::Head => commits(ground, &Log { count: Some(1), ..Log::default() }),
        Git::Branches { remote, count } => branches(ground, *remote, *count),
        Git::Tags { latest, count } => tags(ground, *latest, *count),
        Git::LastChange { file } => last_change(ground, file),
        Git::Blame { file, lines } => blame(ground, file, *lines),
        Git::Authors { paths, count } => authors(ground, paths, *count),
        Git::Tracked { file } => tracked(ground, file),
    }
}

impl Ground<'_> {
    fn git(&self, arguments: &[&str]) -> Result<Ended, String> {
        // `check-ignore` takes names, not patterns, and refuses to be told so.
        let literal = arguments.first() != Some(&"check-ignore");
        let fixed = ["git", "--no-pager", "--no-optional-locks"].into_iter();
        let fixed = fixed.chain(literal.then_some("--literal-pathspecs"));
        let settings = [
            "core.quotePath=false",
            "core.fsmonitor=false",
            "core.pager=cat",
            "color.ui=false",
            "log.showSignature=false",
            "submodule.recurse=false",
        ];
        let settings = settings.into_iter().flat_map(|setting| ["-c", setting]);
        let argv = fixed.chain(settings).chain(arguments.iter().copied());
        let timeout = self.timeout.map_or(TIMEOUT, |timeout| timeout.min(TIMEOUT));
        Command::new(argv)
            .current_dir(self.root)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("GIT_EXTERNAL_DIFF")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .timeout(timeout)
            .capture(4 << 20)
            .run()
            .map_err(|problem| problem.full_message())
    }

    /// Returns what git wrote.
    ///
    /// # Errors
    /// With the reason, in git's own words, if it did not end well.
    fn git_output(&self, arguments: &[&str]) -> Result<String, String> {
        let ended = self.git(arguments)?;
        if ended.success() {
            return Ok(ended.stdout.text());
        }
        let said = ended.stderr.text();
        let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned();
        Err(match ended.how {
            How::Exited(_) if !said.is_empty() => format!("git: {said}"),
            how => format!("git {}: {how}", arguments.first().unwrap_or(&"")),
        })
    }

    /// Returns the hash of a revision that exists.
    fn revision(&self, name: &str) -> Result<String, String> {
        let unknown = || format!("does not understand `{name}`: git knows no such revision");
        if !super::grammar::is_revision(name) {
            return Err(unknown());
        }
        let commit = format!("{name}^{{commit}}");
        let found = self.git_output(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
        let hash = found.map_err(|_| unknown())?.trim().to_owned();
        // Old versions of git print the separator too.
        hash.lines()
            .last()
            .filter(|hash| hash.bytes().all(|b| b.is_ascii_hexdigit()))
            .map(str::to_owned)
            .ok_or_else(unknown)
    }

    /// Returns paths as git takes them. What does not exist now may have existed.
    fn pathspecs(&self, places: &[Place]) -> Result<Vec<String>, String> {
        places
            .iter()
            .map(|place| match self.locate(place)? {
                Some(located) => Ok(located.shown().to_owned()),
                None => {
                    let path = place.path.trim_start_matches("./").to_owned();
                    let known = self.git_output(&["log", "-1", "--format=%h", "--", &path]);
                    match known {
                        Ok(text) if !text.trim().is_empty() => Ok(path),
                        _ => self.only_file_named(place),
                    }
                }
            })
            .collect()
    }

    /// `who last changed main.rs`: a name will do, if there is one such file.
    fn only_file_named(&self, place: &Place) -> Result<String, String> {
        let listed = self.git_output(&["ls-files", "-z"])?;
        let wanted = format!("/{}", place.path);
        let mut found = listed.split('\0').filter(|path| path.ends_with(&wanted));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only.to_owned()),
            (Some(_), Some(_)) => Err(format!("several files are called `{}`", place.path)),
            (None, _) => Err(format!("git knows no file `{}`", place.path)),
        }
    }
}

/// A git command that failed is an answer that there is none, with git's reason.
fn failed(reason: String) -> Draft {
    Draft::because(Status::Failed, reason)
}

fn status(ground: &Ground) -> Outcome {
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
fn states(ground: &Ground) -> Result<Vec<(String, String)>, String> {
    let text =
        ground.git_output(&["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"])?;
    Ok(text
        .split('\0')
        .filter(|entry| entry.len() > 3)
        .map(|entry| (entry[..2].to_owned(), entry[3..].to_owned()))
        .collect())
}

fn changed(ground: &Ground, what: Changed) -> Outcome {
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

fn clean(ground: &Ground) -> Outcome {
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

fn has_commits(ground: &Ground) -> bool {
    ground.git_output(&["rev-parse", "--verify", "--quiet", "HEAD"]).is_ok()
}

fn count_of(ground: &Ground, limits: &[String]) -> Result<usize, String> {
    let mut arguments = vec!["rev-list", "--count"];
    arguments.extend(limits.iter().map(String::as_str));
    let text = ground.git_output(&arguments)?;
    text.trim().parse().map_err(|_| "git counted no commits".to_owned())
}

fn commits(ground: &Ground, log: &Log) -> Outcome {
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

fn count_commits(ground: &Ground, log: &Log) -> Outcome {
    if !has_commits(ground) {
        return Ok(answer("0 commits: there are none yet"));
    }
    let limits = limits(ground, log)?;
    Ok(match count_of(ground, &limits) {
        Ok(total) => answer(format!("{}{}", counted(total, "commit"), described(log))),
        Err(reason) => failed(reason),
    })
}

/// Switches off what a repository's configuration could run for a diff.
const SAFE_DIFF: [&str; 4] = ["--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short"];

fn diff(ground: &Ground, what: &Diff, paths: &[Place], show: DiffShow) -> Outcome {
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

fn untracked(ground: &Ground) -> usize {
    states(ground).map_or(0, |states| states.iter().filter(|(letters, _)| letters == "??").count())
}

fn show_commit(ground: &Ground, revision: &str, show: DiffShow) -> Outcome {
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

fn branch(ground: &Ground) -> Outcome {
    let name = ground.git_output(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
    Ok(match name {
        Ok(name) => answer(format!("on branch {}", name.trim())),
        Err(_) => match ground.git_output(&["rev-parse", "--short", "HEAD"]) {
            Ok(hash) => answer(format!("on no branch: HEAD is detached at {}", hash.trim())),
            Err(reason) => failed(reason),
        },
    })
}

fn branches(ground: &Ground, remote: bool, count: bool) -> Outcome {
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

fn tags(ground: &Ground, latest: bool, count: bool) -> Outcome {
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

fn last_change(ground: &Ground, file: &Place) -> Outcome {
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
                let dirty = states(ground).is_ok_and(|states| {
                    states.iter().any(|(_, changed)| super::walk::is_within(changed, path))
                });
                if dirty {
                    text.push_str("\nnote: it has changes that are not committed");
                }
                answer(text)
            }
            Err(reason) => failed(reason),
        },
    )
}

fn blame(ground: &Ground, file: &Place, lines: Option<(u64, u64)>) -> Outcome {
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

fn authors(ground: &Ground, paths: &[Place], count: bool) -> Outcome {
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

fn tracked(ground: &Ground, file: &Place) -> Outcome {
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
