//! Runs the git commands that write, so that nothing of the user's is used but the objects and the references: no hooks, no
//! signing, no housekeeping in the background, our name.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use shared::process::Command;
use shared::{Problem, warden};

const SETTINGS: [&str; 12] = [
    "core.hooksPath=/dev/null",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.fsmonitor=false",
    "advice.detachedHead=false",
    "advice.addEmbeddedRepo=false",
    // Checking a submodule out would write the user's configuration, and may need a network.
    "submodule.recurse=false",
    // To look into one would run what its own configuration names.
    "diff.ignoreSubmodules=dirty",
    // Somebody else may be writing references at the same time.
    "core.filesRefLockTimeout=10000",
    "core.packedRefsTimeout=10000",
    "core.quotePath=false",
];

const NAMES: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "specpipe"),
    ("GIT_AUTHOR_EMAIL", "specpipe@localhost"),
    ("GIT_COMMITTER_NAME", "specpipe"),
    ("GIT_COMMITTER_EMAIL", "specpipe@localhost"),
];

/// A hook of git that runs us has these set, and they would speak of its repository.
const OF_ANOTHER: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_DATE",
];

/// No command that may run a filter of the user takes longer than this.
const TIMEOUT: Duration = Duration::from_secs(1800);

/// Where git is to work.
#[derive(Clone, Debug)]
pub(super) struct Git {
    directory: PathBuf,
    /// The registration and the directory of a tree. They are told to git, instead of what the tree's `.git` says by now.
    tree: Option<(PathBuf, PathBuf)>,
}

impl Git {
    /// Returns git for the repository around a directory.
    pub(super) fn at(directory: &Path) -> Git {
        Git { directory: directory.to_owned(), tree: None }
    }

    /// Returns git for a tree of ours.
    pub(super) fn in_tree(registration: &Path, tree: &Path) -> Git {
        Git { directory: tree.to_owned(), tree: Some((registration.to_owned(), tree.to_owned())) }
    }

    /// Runs a command that takes milliseconds, and returns what it printed.
    ///
    /// It comes to its end also if we are asked to end or killed: stopped in the middle it would leave locks behind that the
    /// user's own git trips over.
    pub(super) fn plumb<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, Problem> {
        self.plumb_bytes(arguments).map(|printed| String::from_utf8_lossy(&printed).into_owned())
    }

    /// Runs a command as [`plumb`](Git::plumb) does, and returns the bytes that it printed.
    pub(super) fn plumb_bytes<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Vec<u8>, Problem> {
        let (name, ended) = self.ended(arguments)?;
        match ended.status.success() {
            true => Ok(ended.stdout),
            false => {
                Err(self.said_no(&name, &String::from_utf8_lossy(&ended.stderr), &ended.status.to_string()))
            }
        }
    }

    /// Runs a command as [`plumb`](Git::plumb) does, and returns its exit code and what it printed.
    pub(super) fn ask<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<(i32, Vec<u8>), Problem> {
        let (_, ended) = self.ended(arguments)?;
        Ok((ended.status.code().unwrap_or(-1), ended.stdout))
    }

    fn ended<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<(OsString, std::process::Output), Problem> {
        let arguments: Vec<OsString> = arguments.into_iter().map(|a| a.as_ref().to_owned()).collect();
        let name = arguments.first().cloned().unwrap_or_default();
        let mut command = std::process::Command::new("git");
        command.args(self.before()).args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        command.process_group(0).envs(NAMES).env("LC_ALL", "C.UTF-8").env("GIT_TERMINAL_PROMPT", "0");
        for name in OF_ANOTHER.into_iter().chain([warden::MARK, warden::CHILD_MARK]) {
            command.env_remove(name);
        }
        let ended = command.output().map_err(|error| self.problem(&name).because(error))?;
        Ok((name, ended))
    }

    /// Runs a command that may run filters of the user or write many files, and returns what it printed. It ends when we do.
    pub(super) fn work<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, Problem> {
        let arguments: Vec<OsString> = arguments.into_iter().map(|a| a.as_ref().to_owned()).collect();
        let name = arguments.first().cloned().unwrap_or_default();
        let mut argv: Vec<OsString> = vec!["git".into()];
        argv.extend(self.before());
        argv.extend(arguments);
        let mut command = Command::new(argv).current_dir(&self.directory).timeout(TIMEOUT);
        for (name, value) in NAMES.into_iter().chain([("LC_ALL", "C.UTF-8"), ("GIT_TERMINAL_PROMPT", "0")]) {
            command = command.env(name, value);
        }
        for name in OF_ANOTHER {
            command = command.env_remove(name);
        }
        let ended = command.run()?;
        match ended.success() {
            true => Ok(ended.stdout.text()),
            false => Err(self.said_no(&name, &ended.stderr.text(), &ended.how.to_string())),
        }
    }

    fn before(&self) -> Vec<OsString> {
        let mut before = Vec::with_capacity(2 * SETTINGS.len() + 4);
        if let Some((registration, tree)) = &self.tree {
            before.extend(["--git-dir".into(), registration.into(), "--work-tree".into(), tree.into()]);
        }
        before.extend(SETTINGS.iter().flat_map(|setting| ["-c".into(), setting.into()]));
        before
    }

    fn problem(&self, name: &OsStr) -> Problem {
        Problem::new(format!("git {} in `{}`", name.to_string_lossy(), self.directory.display()))
    }

    fn said_no(&self, name: &OsStr, said: &str, how: &str) -> Problem {
        let mut lines = said.lines().filter(|line| !line.trim().is_empty());
        let first = lines.find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
        let first = first.or_else(|| said.lines().next()).unwrap_or_default();
        let said = first.trim_start_matches("fatal: ").trim_start_matches("error: ");
        self.problem(name).because(if said.is_empty() { how.to_owned() } else { said.to_owned() })
    }
}
