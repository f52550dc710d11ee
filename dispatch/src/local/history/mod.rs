//! Asks git. Only commands that look, with what could run another program or write an index switched off.
//!
//! Revisions are looked up before they are used, and stand after `--end-of-options`; paths stand after `--`. So
//! nothing in a task can be read as an option of git.

mod commits;
mod diff;
mod people;
mod refs;
mod status;

use std::time::Duration;

use shared::process::{Command, Ended, How};
use shared::section::Status;

use super::intent::{Git, Log, Place};
use super::{Ground, Outcome};
use crate::backend::Draft;
use commits::{commits, count_commits};
use diff::{diff, show_commit};
use people::{authors, blame, last_change};
use refs::{branch, branches, tags};
use status::{changed, clean, status, tracked};

/// A git that takes longer than this waits for something that will not come.
const TIMEOUT: Duration = Duration::from_secs(60);

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
            "diff.ignoreSubmodules=dirty",
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

fn has_commits(ground: &Ground) -> bool {
    ground.git_output(&["rev-parse", "--verify", "--quiet", "HEAD"]).is_ok()
}
