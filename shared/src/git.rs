//! Asks the `git` program, as the user's own would answer, without touching anything it does not have to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Problem;
use crate::process::{Command, Ended};

/// No question to git takes longer than this.
const TIMEOUT: Duration = Duration::from_secs(300);

/// What every git of ours is told that looks at a tree in which somebody else has worked: a repository within it has a
/// configuration of its own, and git would run the programs that this names.
pub const LOOKING: [&str; 3] =
    ["core.fsmonitor=false", "submodule.recurse=false", "diff.ignoreSubmodules=dirty"];

/// A working tree of git.
#[derive(Clone, Debug)]
pub struct Repo {
    root: PathBuf,
}

impl Repo {
    /// Finds the working tree that a directory belongs to.
    pub fn discover(directory: &Path) -> Option<Repo> {
        let asked = Repo { root: directory.to_owned() };
        let root = asked.run(["rev-parse", "--show-toplevel"]).ok()?;
        let root = root.strip_suffix('\n').unwrap_or(&root);
        (!root.is_empty()).then(|| Repo { root: PathBuf::from(root) })
    }

    /// Returns the root of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs git with these arguments in the working tree and returns what it printed.
    ///
    /// # Errors
    /// If git can not be started or says no; the message has its first words on standard error.
    pub fn run<A: Into<OsString>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<String, Problem> {
        Ok(String::from_utf8_lossy(&self.bytes(arguments)?).into_owned())
    }

    /// Runs git as [`run`](Repo::run) does and returns the bytes that it printed, for paths that are no UTF-8.
    ///
    /// # Errors
    /// As [`run`](Repo::run).
    pub fn bytes<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Vec<u8>, Problem> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let ended = self.ask(&arguments)?;
        if ended.success() {
            return Ok(ended.stdout.bytes());
        }
        let said = ended.stderr.text();
        let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
        let reason = if said.is_empty() { ended.how.to_string() } else { said.to_owned() };
        let command = arguments.first().map(|argument| argument.to_string_lossy()).unwrap_or_default();
        Err(Problem::new(format!("git {command} in `{}`", self.root.display())).because(reason))
    }

    /// Runs git with these arguments and returns how it ended.
    ///
    /// # Errors
    /// If git can not be started.
    pub fn ask<A: Into<OsString> + Clone>(&self, arguments: &[A]) -> Result<Ended, Problem> {
        let mut argv: Vec<OsString> = vec!["git".into()];
        argv.extend(LOOKING.iter().flat_map(|setting| ["-c".into(), OsString::from(setting)]));
        argv.extend(arguments.iter().cloned().map(Into::into));
        Command::new(argv)
            .current_dir(&self.root)
            // Looking must not refresh the user's index, ask for a password, or page.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_PAGER", "cat")
            .env("LC_ALL", "C.UTF-8")
            // A hook of git that runs us has these set, and they would speak of its repository.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .capture(256 << 20)
            .timeout(TIMEOUT)
            .run()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(directory: &Path, script: &str) {
        let ended =
            Command::new(["sh", "-ec", script]).current_dir(directory).capture(1 << 20).run().unwrap();
        assert!(ended.success(), "{}", ended.stderr.text());
    }

    /// A repository that a model has made in its worktree names a program that git runs when it looks into it.
    #[test]
    fn what_a_repository_within_a_tree_names_is_not_run() {
        let place = tempfile::tempdir().unwrap();
        git(
            place.path(),
            "export HOME=$PWD GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
             git init -q . && git init -q nest && cd nest && echo hi > f && git add f && git commit -qm x
             git config filter.evil.clean 'touch ../ran; cat' && echo '* filter=evil' > .git/info/attributes
             cd .. && git -c advice.addEmbeddedRepo=false add nest && git commit -qm y
             echo ho > nest/f",
        );
        let repo = Repo::discover(place.path()).unwrap();
        repo.run(["status", "--porcelain"]).unwrap();
        repo.run(["diff", "HEAD"]).unwrap();
        assert!(!place.path().join("ran").exists());
        git(place.path(), "git status --porcelain && test -e ran");
    }
}
