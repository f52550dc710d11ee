//! Commits what an iteration changed, and nothing else.
//!
//! Through the plumbing of git, with an index of its own that starts from `HEAD`: what the user has staged stays staged,
//! and files that were lying around before stay untracked (`git add -A` would sweep them in). The branch moves only if it
//! is still where it was. In the user's index, only the entries of the committed files follow.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::Problem;
use shared::process::Command;

/// A repository to commit to, and the directory in it that is looked at.
#[derive(Debug)]
pub(crate) struct Committer {
    root: PathBuf,
    /// Where the directory that is looked at is in the repository.
    prefix: PathBuf,
}

/// Tries again for a few seconds while another git holds what is needed: loops that work side by side commit side by side.
fn patiently<T>(mut work: impl FnMut() -> Result<T, Problem>) -> Result<T, Problem> {
    let mut pause = Duration::from_millis(10);
    loop {
        match work() {
            Err(problem) if is_contended(&problem.full_message()) && pause < Duration::from_secs(3) => {
                std::thread::sleep(pause);
                pause *= 2;
            }
            done => return done,
        }
    }
}

fn is_contended(message: &str) -> bool {
    message.contains("index.lock") || message.contains("cannot lock ref")
}

/// Takes paths as they are in the working tree into an index, gone ones and those that were a folder before included.
const UPDATE: [&str; 6] = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];

impl Committer {
    /// Commits to the repository with this root, for files below this directory.
    pub(crate) fn new(root: &Path, directory: &Path) -> Committer {
        let prefix = directory.strip_prefix(root).unwrap_or(Path::new("")).to_owned();
        Committer { root: root.to_owned(), prefix }
    }

    /// Commits these paths as they are in the working tree and returns the commit, or `None` if they are all in `HEAD` so.
    ///
    /// # Errors
    /// If a merge or the like is under way, if git does not know who commits, or if the branch moves meanwhile.
    pub(crate) fn commit<'a>(
        &self,
        paths: impl Iterator<Item = &'a Path>,
        message: &str,
    ) -> Result<Option<String>, Problem> {
        for (state, what) in [
            ("MERGE_HEAD", "merge"),
            ("rebase-merge", "rebase"),
            ("rebase-apply", "rebase"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
        ] {
            if self.path_of(state)?.exists() {
                return Err(Problem::new(format!("cannot commit: a {what} is under way"))
                    .hint(format!("finish it with git {what} --continue, or --abort")));
            }
        }
        let mut list = Vec::new();
        for path in paths {
            list.extend_from_slice(self.prefix.join(path).as_os_str().as_bytes());
            list.push(0);
        }
        let commit = patiently(|| self.move_branch(&list, message))?;
        if commit.is_some() {
            // Without this the user's index would show the commit as undone.
            patiently(|| self.git(UPDATE, None, &list))?;
        }
        Ok(commit)
    }

    /// Makes the commit and moves the branch to it, if it is still where it was.
    fn move_branch(&self, list: &[u8], message: &str) -> Result<Option<String>, Problem> {
        let head = self.git(["rev-parse", "--verify", "--quiet", "HEAD"], None, &[]).ok();
        let directory = tempfile::tempdir().map_err(|error| Problem::new("cannot commit").because(error))?;
        let tree = self.tree(head.as_deref(), list, &directory.path().join("index"))?;
        if let Some(head) = &head
            && self.git(["rev-parse", &format!("{head}^{{tree}}")], None, &[])? == tree
        {
            return Ok(None);
        }
        let parent: Vec<&str> = head.as_deref().map_or_else(Vec::new, |head| vec!["-p", head]);
        let commit = self.git([&["commit-tree", &tree], &parent[..]].concat(), None, message.as_bytes())?;
        let before = head.unwrap_or_else(|| "0".repeat(commit.len()));
        let reflog = format!("commit: {}", message.lines().next().unwrap_or_default());
        self.git(["update-ref", "-m", &reflog, "HEAD", &commit, &before], None, &[])?;
        Ok(Some(commit))
    }

    /// Returns the files that differ from `HEAD` or that git does not know.
    pub(crate) fn dirty(&self) -> HashSet<PathBuf> {
        let changed = self.git(["diff", "--name-only", "-z", "HEAD"], None, &[]);
        let unknown = self.git(["ls-files", "-z", "--others", "--exclude-standard"], None, &[]);
        let names = [changed, unknown].map(Result::unwrap_or_default).join("\0");
        names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect()
    }

    /// Returns where a file below the directory is in the repository.
    pub(crate) fn in_repository(&self, path: &Path) -> PathBuf {
        self.prefix.join(path)
    }

    /// Writes the tree of `HEAD` with these paths as they are now.
    fn tree(&self, head: Option<&str>, list: &[u8], index: &Path) -> Result<String, Problem> {
        match head {
            Some(head) => self.git(["read-tree", head], Some(index), &[])?,
            None => self.git(["read-tree", "--empty"], Some(index), &[])?,
        };
        self.git(UPDATE, Some(index), list)?;
        self.git(["write-tree"], Some(index), &[])
    }

    fn path_of(&self, name: &str) -> Result<PathBuf, Problem> {
        Ok(self.root.join(self.git(["rev-parse", "--git-path", name], None, &[])?))
    }

    fn git<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        index: Option<&Path>,
        input: &[u8],
    ) -> Result<String, Problem> {
        let mut argv: Vec<OsString> = vec!["git".into()];
        argv.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        let what = argv[1].to_string_lossy().into_owned();
        let mut command = Command::new(argv)
            .current_dir(&self.root)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .capture(64 << 20)
            .stdin(input);
        command = match index {
            Some(index) => command.env("GIT_INDEX_FILE", index),
            None => command.env_remove("GIT_INDEX_FILE"),
        };
        let ended = command.run()?;
        if ended.success() {
            return Ok(ended.stdout.text().trim_end_matches('\n').to_owned());
        }
        let said = ended.stderr.text();
        let problem = Problem::new(format!("git {what} failed")).because(said.trim().to_owned());
        Err(if said.contains("identity") || said.contains("Please tell me who you are") {
            problem.hint("tell git who commits: git config user.name NAME; git config user.email EMAIL")
        } else {
            problem
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(directory: &Path, script: &str) -> String {
        let output =
            std::process::Command::new("sh").args(["-ec", script]).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn repository(script: &str) -> (tempfile::TempDir, Committer) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        sh(&root, "git init -q -b main; git config user.name t; git config user.email t@example.com");
        sh(&root, script);
        let committer = Committer::new(&root, &root);
        (directory, committer)
    }

    const FIRST: &str = "mkdir d; echo 1 > a; echo 1 > b; echo 1 > d/c; git add .; git commit -qm first";

    fn commit(committer: &Committer, paths: &[&str]) -> Option<String> {
        committer.commit(paths.iter().map(Path::new), "loop: 1").unwrap()
    }

    #[test]
    fn only_the_named_files_are_in_the_commit() {
        let (directory, committer) = repository(FIRST);
        let root = directory.path();
        // The user's: a staged change, a change that is not staged, a file that git does not know.
        sh(root, "echo staged > b; git add b; echo mine > mine; echo 2 > a; echo new > d/new; rm d/c");
        let made = commit(&committer, &["a", "d/new", "d/c"]).unwrap();
        assert_eq!(sh(root, "git rev-parse HEAD").trim(), made);
        assert_eq!(
            sh(root, "git show --name-status --format=%s HEAD"),
            "loop: 1\n\nM\ta\nD\td/c\nA\td/new\n"
        );
        assert_eq!(sh(root, "git status --porcelain"), "M  b\n?? mine\n");
        assert_eq!(sh(root, "git symbolic-ref HEAD").trim(), "refs/heads/main");
    }

    #[test]
    fn what_the_command_has_committed_itself_is_not_committed_again() {
        let (directory, committer) = repository(FIRST);
        sh(directory.path(), "echo 2 > a; git commit -qam own");
        assert_eq!(commit(&committer, &["a"]), None);
    }

    #[test]
    fn the_first_commit_and_a_detached_head_work_too() {
        let (directory, committer) = repository("echo 1 > a");
        assert!(commit(&committer, &["a"]).is_some());
        assert_eq!(sh(directory.path(), "git log --oneline | wc -l").trim(), "1");
        sh(directory.path(), "git checkout -q --detach; echo 2 > a");
        let made = commit(&committer, &["a"]).unwrap();
        assert_eq!(sh(directory.path(), "git rev-parse HEAD; git status --porcelain"), format!("{made}\n"));
        assert_ne!(sh(directory.path(), "git rev-parse main").trim(), made);
    }

    #[test]
    fn a_file_may_become_a_folder_and_names_may_be_odd() {
        let (directory, committer) = repository(FIRST);
        sh(directory.path(), "rm a; mkdir a; echo x > a/x; echo y > ' -odd\nname'");
        assert!(commit(&committer, &["a", "a/x", " -odd\nname"]).is_some());
        assert_eq!(sh(directory.path(), "git status --porcelain"), "");
    }

    #[test]
    fn a_merge_under_way_is_not_disturbed() {
        let (directory, committer) = repository(FIRST);
        sh(
            directory.path(),
            "git checkout -qb other; echo o > a; git commit -qam o; git checkout -q main; echo m > a; git commit -qam m; \
             git merge other > /dev/null || true",
        );
        let problem = committer.commit([Path::new("a")].into_iter(), "x").unwrap_err();
        assert!(problem.full_message().contains("a merge is under way"), "{problem}");
    }

    #[test]
    fn what_was_dirty_before_is_known() {
        let (directory, committer) = repository(FIRST);
        sh(directory.path(), "echo 2 > a; echo new > new");
        assert_eq!(committer.dirty(), HashSet::from([PathBuf::from("a"), PathBuf::from("new")]));
    }
}
