//! Makes one commit of what changed in a tree: of the task's own changes, and of nothing else.
//!
//! The commit is made of its parts, without the user's hooks, templates and signing key, and the branch moves last: whenever
//! a run is killed, the branch has the work or has it not.

use std::ffi::OsString;
use std::path::Path;

use shared::{Problem, interrupt};

use super::Worktree;
use super::git::Git;

/// What came of the work in a tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Work {
    /// The commit that holds it; absent if nothing changed.
    pub(crate) commit: Option<String>,
    /// The files that changed, relative to the repository.
    pub(crate) files_changed: Vec<String>,
}

impl Worktree {
    /// Commits what changed in the tree and says what it was. A tree in which nothing changed is removed.
    ///
    /// # Errors
    /// If git or the disk says no; the work is then in the tree, which is kept.
    pub(crate) fn finish(mut self, id: &str, attempt: u32, text: &str, key: &str) -> Result<Work, Problem> {
        let made = self.commit(id, attempt, text, key);
        match made {
            Ok(work) if work.commit.is_none() => {
                self.remove();
                Ok(work)
            }
            Ok(work) => {
                self.entry.commit.clone_from(&work.commit);
                // Without the note it is found by what the commit says.
                let _ = self.claim.write(&self.entry);
                Ok(work)
            }
            Err(problem) if interrupt::requested() => {
                self.remove();
                Err(problem)
            }
            Err(problem) => {
                self.entry.is_uncommitted = true;
                let _ = self.claim.write(&self.entry);
                Err(Problem::new("cannot keep the work")
                    .because(problem)
                    .hint(format!("it is in {}", self.path.display())))
            }
        }
    }

    fn commit(&self, id: &str, attempt: u32, text: &str, key: &str) -> Result<Work, Problem> {
        let git = Git::in_tree(&self.registration, &self.path);
        // Whoever looks at the tree after us follows its link.
        let _ = super::register::lead(&self.path, &self.registration);
        // All that could hold it has been ended.
        let _ = std::fs::remove_file(self.registration.join("index.lock"));
        let (head, on) = self.head(&git)?;
        git.work(["add", "--all", "--", "."])?;
        if !self.placed.is_empty() {
            // They are in the index if the executor has added them, or no longer ignores them, or if they are links, which a
            // pattern for directories does not match. (To exclude them from `add` is an error where they are ignored and empty.)
            let mut drop: Vec<OsString> =
                ["rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--"].map(OsString::from).to_vec();
            drop.extend(self.placed.iter().map(|path| pathspec(path)));
            git.plumb(drop)?;
        }
        let tree = git.plumb(["write-tree"])?;
        let before = git.plumb(["rev-parse", &format!("{head}^{{tree}}")])?;
        let commit = match tree == before {
            true => head.clone(),
            false => {
                let title: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
                let branch = &self.branch;
                let message = format!(
                    "{id}: {title}\n\nSpecpipe-Attempt: {attempt}\nSpecpipe-Key: {key}\nSpecpipe-Branch: {branch}\n"
                );
                let made = git.plumb(["commit-tree", tree.trim(), "-p", &head, "-m", &message])?;
                made.trim().to_owned()
            }
        };
        let names = git.plumb_bytes(["diff", "--name-only", "--no-renames", "-z", &self.base, &commit])?;
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let files_changed: Vec<String> =
            names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        if commit == self.base || files_changed.is_empty() {
            return Ok(Work { commit: None, files_changed: Vec::new() });
        }
        let reference = format!("refs/heads/{}", self.branch);
        git.plumb(["update-ref", "-m", "specpipe: commit", &reference, &commit])?;
        if on.as_deref() != Some(reference.as_str()) {
            git.plumb(["symbolic-ref", "HEAD", &reference])?;
        }
        Ok(Work { commit: Some(commit), files_changed })
    }

    /// Returns the commit that an executor has left the tree at, and the branch; the branch is ours unless he went elsewhere.
    fn head(&self, git: &Git) -> Result<(String, Option<String>), Problem> {
        if !self.registration.join("HEAD").exists() {
            return Err(Problem::new("the executor has removed the worktree's link to its repository"));
        }
        let (code, on) = git.ask(["symbolic-ref", "--quiet", "HEAD"])?;
        let on = (code == 0).then(|| String::from_utf8_lossy(&on).trim().to_owned());
        let (code, head) = git.ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        let head = String::from_utf8_lossy(&head).trim().to_owned();
        Ok((if code == 0 { head } else { self.start.clone() }, on))
    }
}

/// Returns a path relative to the tree as git takes it to the letter.
fn pathspec(path: &Path) -> OsString {
    let mut pathspec = OsString::from(":(top,literal)");
    pathspec.push(path);
    pathspec
}
