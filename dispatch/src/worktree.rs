//! A working tree of its own for every task that writes, on a branch of its own, so that the user's checkout is never touched.
//!
//! Trees are at `.specpipe/worktrees/<id>-<attempt>`, branches at `specpipe/<id>-<attempt>`. What came of the work is one commit
//! of exactly what changed in that tree. Two `git worktree add` at once fail now and then (they read each other's half-made
//! entries), so they are made one after the other under a lock that other processes see too. The repository's hooks, index,
//! stash and configuration are not used, and nothing is ever pruned that is not ours.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use shared::git::Repo;
use shared::process::{Command, How};
use shared::{Problem, interrupt, warden};

/// Settings for every git command that writes: no hooks, no signing, no housekeeping in the background, our name.
const SETTINGS: [&str; 16] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "commit.gpgSign=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "user.name=specpipe",
    "-c",
    "user.email=specpipe@localhost",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "advice.detachedHead=false",
];

/// No git command takes longer than this.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The key and the branch that a commit of ours was made with, with a space between.
const TRAILERS: &str = "--format=%(trailers:key=Specpipe-Key,valueonly,separator=) %(trailers:key=Specpipe-Branch,valueonly,separator=)";

/// How often a tree is tried again that could not be made, and after which time.
const TRIES: usize = 20;
const AGAIN: Duration = Duration::from_millis(50);

/// Makes working trees for the tasks of one repository.
#[derive(Debug)]
pub(crate) struct Worktrees {
    repo: Repo,
    /// The directory that all working trees of the repository share.
    common: PathBuf,
    directory: PathBuf,
    lock: PathBuf,
}

/// A working tree that a task is being done in.
#[derive(Debug)]
pub(crate) struct Worktree {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its branch.
    pub(crate) branch: String,
    /// The commit that the changes are told against.
    pub(crate) base: String,
    repo: Repo,
    lock: PathBuf,
    /// Held as long as somebody works in it.
    _claim: File,
}

/// What came of the work in a tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Work {
    /// The commit that holds it; absent if nothing changed.
    pub(crate) commit: Option<String>,
    /// The files that changed, relative to the repository.
    pub(crate) files_changed: Vec<String>,
}

impl Worktrees {
    /// Returns the working trees of a repository; none if it has no commit yet to start from.
    ///
    /// # Errors
    /// If git can not say. That is no reason to work in the user's checkout instead.
    pub(crate) fn of(root: &Path, state: &Path) -> Result<Option<Worktrees>, Problem> {
        let problem = || Problem::new(format!("cannot ask git about `{}`", root.display()));
        let repo = Repo::discover(root).ok_or_else(problem)?;
        let head = repo.ask(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        match head.how {
            How::Exited(0) => {}
            How::Exited(1) => return Ok(None),
            how => return Err(problem().because(how.to_string())),
        }
        let common = repo.run(["rev-parse", "--path-format=absolute", "--git-common-dir"])?;
        let common = PathBuf::from(common.strip_suffix('\n').unwrap_or(&common));
        let directory = state.join("worktrees");
        Ok(Some(Worktrees { repo, common, lock: directory.join("lock"), directory }))
    }

    /// Returns the root of the user's checkout.
    pub(crate) fn root(&self) -> &Path {
        self.repo.root()
    }

    /// Makes a tree for an attempt: from the commit `from`, or from where the user's checkout stands.
    ///
    /// A tree of the same name in which nobody works any more and of which nothing came is what a killed run has left:
    /// it is removed. One with work in it is kept and the new one has a number behind its name, unless the work is of the key
    /// that this one `replaces`: a run was killed after it made the commit and before it could tell anybody.
    pub(crate) fn add(
        &self,
        id: &str,
        attempt: u32,
        replaces: Option<&str>,
        from: Option<&str>,
        base: Option<&str>,
    ) -> Result<Worktree, Problem> {
        let problem = || Problem::new("cannot make a worktree");
        std::fs::create_dir_all(&self.directory).map_err(|error| problem().because(error))?;
        let _lock = lock(&self.lock).map_err(|error| problem().because(error))?;
        let head = self.commit_of("HEAD").map_err(|error| problem().because(error))?;
        let from =
            from.map(|from| self.commit_of(from)).transpose().map_err(|error| problem().because(error))?;
        let base =
            base.map(|base| self.commit_of(base)).transpose().map_err(|error| problem().because(error))?;
        let from = from.unwrap_or_else(|| head.clone());
        let base = base.unwrap_or_else(|| from.clone());
        let name = format!("{}-{attempt}", name_of(id));
        for number in 1..1000 {
            let name = if number == 1 { name.clone() } else { format!("{name}.{number}") };
            let Some(claim) =
                claim(&self.directory.join(format!("{name}.lock"))).map_err(|e| problem().because(e))?
            else {
                continue;
            };
            let path = self.directory.join(&name);
            let branch = format!("specpipe/{name}");
            if !self.is_free(&path, &branch, replaces) {
                continue;
            }
            let path_text = path.to_string_lossy().into_owned();
            let arguments = ["worktree", "add", "--quiet", "--no-track", "-b", &branch, &path_text, &from];
            let mut added = write(&self.repo, arguments);
            for _ in 0..TRIES {
                // A git of a killed run may still be at it; it is being ended, but may have got in between.
                if added.is_ok() || interrupt::requested() || !self.is_free(&path, &branch, replaces) {
                    break;
                }
                std::thread::sleep(AGAIN);
                added = write(&self.repo, arguments);
            }
            added.map_err(|error| problem().because(error))?;
            let (repo, lock) = (self.repo.clone(), self.lock.clone());
            return Ok(Worktree { path, branch, base, repo, lock, _claim: claim });
        }
        Err(problem()
            .because(format!("there are too many of the name `{name}`"))
            .hint(format!("remove old ones with `git worktree remove` from {}", self.directory.display())))
    }

    fn commit_of(&self, name: &str) -> Result<String, Problem> {
        let commit = self.repo.run(["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])?;
        Ok(commit.trim().to_owned())
    }

    /// Tells whether a name can be used, after removing what a killed run has left there.
    fn is_free(&self, path: &Path, branch: &str, replaces: Option<&str>) -> bool {
        let tip = self.commit_of(&format!("refs/heads/{branch}")).ok();
        if let Some(tip) = &tip {
            let trailers = self.repo.run(["log", "-1", TRAILERS, tip]).unwrap_or_default();
            let (key, made_on) = trailers.trim().split_once(' ').unwrap_or_default();
            // A branch on which nothing was committed points to a commit that others have too.
            let contains =
                ["for-each-ref", "--contains", tip, "--format=%(refname)", "refs/heads", "refs/remotes"];
            let others = self.repo.run(contains).unwrap_or_default();
            let is_in_others = others.lines().any(|name| name != format!("refs/heads/{branch}"));
            let is_in_head = ["merge-base", "--is-ancestor", tip.as_str(), "HEAD"];
            let is_in_head = || self.repo.ask(&is_in_head).is_ok_and(|ended| ended.success());
            let has_work = made_on == branch || (!is_in_others && !is_in_head());
            if has_work && Some(key) != replaces {
                return false;
            }
        }
        if path.exists() || tip.is_some() {
            remove(&self.repo, path, branch);
        }
        self.clear_half_made(path, branch);
        !path.exists()
    }
}

impl Worktrees {
    /// Removes what a git that was killed in the middle has left of a tree of ours: an entry that leads nowhere, a lock on
    /// its branch.
    fn clear_half_made(&self, path: &Path, branch: &str) {
        let _ = std::fs::remove_file(self.common.join(format!("refs/heads/{branch}.lock")));
        let (Some(name), false) = (path.file_name(), path.exists()) else { return };
        let Ok(entries) = std::fs::read_dir(self.common.join("worktrees")) else { return };
        for entry in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            // git adds digits where a name is taken.
            let is_named_so = entry.file_name().is_some_and(|entry| {
                let rest = entry.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
                rest.is_some_and(|rest| rest.iter().all(u8::is_ascii_digit))
            });
            let leads_to = std::fs::read_to_string(entry.join("gitdir")).unwrap_or_default();
            let is_ours = match leads_to.trim_end() {
                "" => entry.file_name() == Some(name),
                leads_to => Path::new(leads_to) == path.join(".git"),
            };
            if is_named_so && is_ours {
                let _ = std::fs::remove_dir_all(&entry);
            }
        }
    }
}

impl Worktree {
    /// Commits what changed in the tree and says what it was. A tree in which nothing changed is removed.
    pub(crate) fn finish(self, id: &str, attempt: u32, text: &str, key: &str) -> Result<Work, Problem> {
        let problem =
            || Problem::new("cannot keep the work").hint(format!("it is in {}", self.path.display()));
        let tree = Repo::discover(&self.path).ok_or_else(problem)?;
        if tree.root() != self.path.canonicalize().unwrap_or_else(|_| self.path.clone()) {
            return Err(problem().because("the executor has removed the worktree's link to its repository"));
        }
        write(&tree, ["add", "--all", "--", "."]).map_err(|error| problem().because(error))?;
        let is_clean = tree.ask(&["diff", "--cached", "--quiet", "HEAD"]).is_ok_and(|ended| ended.success());
        if !is_clean {
            let title: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
            let branch = &self.branch;
            let trailers =
                format!("Specpipe-Attempt: {attempt}\nSpecpipe-Key: {key}\nSpecpipe-Branch: {branch}\n");
            let message = format!("{id}: {title}\n\n{trailers}");
            write(&tree, ["commit", "--quiet", "--no-verify", "-m", &message])
                .map_err(|error| problem().because(error))?;
        }
        let head = tree.run(["rev-parse", "HEAD"]).map_err(|error| problem().because(error))?;
        let head = head.trim().to_owned();
        let names = ["diff", "--name-only", "--no-renames", "-z", &self.base, &head];
        let names = tree.bytes(names).map_err(|error| problem().because(error))?;
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let files_changed: Vec<String> =
            names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        if head == self.base || files_changed.is_empty() {
            self.remove();
            return Ok(Work { commit: None, files_changed: Vec::new() });
        }
        Ok(Work { commit: Some(head), files_changed })
    }

    /// Removes the tree and its branch.
    pub(crate) fn remove(&self) {
        if let Ok(_lock) = lock(&self.lock) {
            remove(&self.repo, &self.path, &self.branch);
        }
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        // The claim ends with the file; its name is only in the way.
        let _ = std::fs::remove_file(self.path.with_file_name(claim_name(&self.path)));
    }
}

fn claim_name(path: &Path) -> String {
    format!("{}.lock", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Removes a tree of ours and its branch, and nothing else.
fn remove(repo: &Repo, path: &Path, branch: &str) {
    let path_text = path.to_string_lossy().into_owned();
    let removed = write(repo, ["worktree", "remove", "--force", "--force", &path_text]);
    if removed.is_err() && path.exists() {
        // Half made, or git has forgotten it.
        let _ = std::fs::remove_dir_all(path);
        let _ = write(repo, ["worktree", "remove", "--force", "--force", &path_text]);
    }
    let _ = write(repo, ["update-ref", "-d", &format!("refs/heads/{branch}")]);
}

/// Runs a git command that writes.
///
/// It does not carry our mark, so that it comes to its end if we are killed: killed in the middle it would leave locks
/// behind that stop the user's own git. It takes milliseconds.
fn write<const N: usize>(repo: &Repo, arguments: [&str; N]) -> Result<String, Problem> {
    let argv = ["git"].into_iter().chain(SETTINGS).chain(arguments);
    let mut command = Command::new(argv)
        .current_dir(repo.root())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C.UTF-8")
        .env_remove(warden::MARK)
        .timeout(TIMEOUT);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command = command.env_remove(name);
    }
    let ended = command.run()?;
    if ended.success() {
        return Ok(ended.stdout.text());
    }
    let said = ended.stderr.text();
    let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
    let reason = if said.is_empty() { ended.how.to_string() } else { said.to_owned() };
    Err(Problem::new(format!("git {} in `{}`", arguments[0], repo.root().display())).because(reason))
}

fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Claims a name, or returns nothing if somebody works under it.
fn claim(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(file))
}

/// Returns an id as a name that is fine for a file and a branch.
pub(crate) fn name_of(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !id.is_empty() && id.len() <= 60 && id.chars().all(is_plain) && !id.starts_with('-') {
        return id.to_owned();
    }
    // Two ids that look alike after this must not meet.
    let plain: String = id.chars().filter(|c| is_plain(*c)).take(40).collect();
    format!("{}-{}", plain.trim_start_matches('-'), &blake3::hash(id.as_bytes()).to_hex()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(directory: &Path, arguments: &[&str]) -> String {
        let ended = Repo::discover(directory).unwrap().ask(arguments).unwrap();
        assert!(ended.success(), "git {arguments:?}: {}", ended.stderr.text());
        ended.stdout.text()
    }

    fn repository() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        let init = shared::process::Command::new(["git", "init", "-q", "-b", "main"])
            .current_dir(&root)
            .run()
            .unwrap();
        assert!(init.success());
        std::fs::write(root.join("a.txt"), "one\n").unwrap();
        std::fs::write(root.join(".gitignore"), ".specpipe/\nbuild/\n").unwrap();
        for hook in ["pre-commit", "post-checkout", "reference-transaction"] {
            let path = root.join(".git/hooks").join(hook);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "#!/bin/sh\necho ran >> \"$(git rev-parse --git-common-dir)/hook-ran\"\n")
                .unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let repo = Repo::discover(&root).unwrap();
        write(&repo, ["add", "--all"]).unwrap();
        write(&repo, ["commit", "-q", "--no-verify", "-m", "start"]).unwrap();
        (place, root)
    }

    fn worktrees(root: &Path) -> Worktrees {
        Worktrees::of(root, &root.join(".specpipe")).unwrap().unwrap()
    }

    #[test]
    fn work_becomes_a_commit_on_its_own_branch_and_the_checkout_is_untouched() {
        let (_place, root) = repository();
        std::fs::write(root.join("a.txt"), "edited by the user\n").unwrap();
        std::fs::write(root.join("untracked"), "mine\n").unwrap();
        let before = git(&root, &["status", "--porcelain"]);
        let head = git(&root, &["rev-parse", "HEAD"]);
        let tree = worktrees(&root).add("t 1", 2, Some("k"), None, None).unwrap();
        assert_eq!(
            std::fs::read_to_string(tree.path.join("a.txt")).unwrap(),
            "one\n",
            "HEAD, not the user's edits"
        );
        std::fs::write(tree.path.join("a.txt"), "two\n").unwrap();
        std::fs::create_dir_all(tree.path.join("build")).unwrap();
        std::fs::write(tree.path.join("build/out"), "ignored\n").unwrap();
        std::fs::write(tree.path.join("new file"), "new\n").unwrap();
        let (path, branch) = (tree.path.clone(), tree.branch.clone());
        let work = tree.finish("t 1", 2, "change it\nplease", "k").unwrap();
        assert_eq!(work.files_changed, ["a.txt", "new file"]);
        let commit = work.commit.unwrap();
        assert_eq!(git(&root, &["rev-parse", &branch]).trim(), commit);
        let author = git(&root, &["log", "-1", "--format=%an %s", &commit]);
        assert_eq!(author.trim(), "specpipe t 1: change it");
        assert!(path.exists());
        assert_eq!(git(&root, &["status", "--porcelain"]), before);
        assert_eq!(git(&root, &["rev-parse", "HEAD"]), head);
        assert!(!root.join(".git/hook-ran").exists(), "a hook of the user has run");
    }

    #[test]
    fn nothing_stays_of_work_that_changed_nothing() {
        let (_place, root) = repository();
        let tree = worktrees(&root).add("a", 1, Some("k"), None, None).unwrap();
        let (path, branch) = (tree.path.clone(), tree.branch.clone());
        let work = tree.finish("a", 1, "look", "k").unwrap();
        assert_eq!(work, Work { commit: None, files_changed: Vec::new() });
        assert!(!path.exists());
        assert!(!git(&root, &["branch", "--list", "--all"]).contains(&branch));
        assert_eq!(git(&root, &["worktree", "list"]).lines().count(), 1);
        let left: Vec<_> = std::fs::read_dir(root.join(".specpipe/worktrees")).unwrap().collect();
        assert_eq!(left.len(), 1, "only the lock: {left:?}");
    }

    #[test]
    fn what_a_killed_run_left_is_replaced_and_what_somebody_made_is_kept() {
        let (_place, root) = repository();
        let trees = worktrees(&root);
        let left = trees.add("a", 1, Some("k"), None, None).unwrap();
        std::fs::write(left.path.join("half"), "half done\n").unwrap();
        let busy = trees.add("a", 1, Some("k"), None, None).unwrap();
        assert!(busy.path.ends_with("a-1.2"), "the first is still worked in: {:?}", busy.path);
        drop((left, busy));
        let again = trees.add("a", 1, Some("k"), None, None).unwrap();
        assert!(again.path.ends_with("a-1") && !again.path.join("half").exists());
        std::fs::write(again.path.join("done"), "done\n").unwrap();
        again.finish("a", 1, "x", "k").unwrap();
        let other = trees.add("a", 1, Some("another"), None, None).unwrap();
        assert!(other.path.ends_with("a-1.2"), "there is work in the first: {:?}", other.path);
        drop(other);
        let same = trees.add("a", 1, Some("k"), None, None).unwrap();
        assert!(
            same.path.ends_with("a-1") && !same.path.join("done").exists(),
            "its work was never told to anybody"
        );
    }

    #[test]
    fn what_a_killed_git_left_half_made_is_cleared_away() {
        let (_place, root) = repository();
        let trees = worktrees(&root);
        let entries = root.join(".git/worktrees");
        for (name, gitdir) in [("a-1", None), ("a-12", Some(root.join(".specpipe/worktrees/a-1/.git")))] {
            std::fs::create_dir_all(entries.join(name)).unwrap();
            if let Some(gitdir) = gitdir {
                std::fs::write(entries.join(name).join("gitdir"), format!("{}\n", gitdir.display())).unwrap();
            }
        }
        let foreign = entries.join("a-1x");
        std::fs::create_dir_all(&foreign).unwrap();
        std::fs::create_dir_all(root.join(".git/refs/heads/specpipe")).unwrap();
        std::fs::write(root.join(".git/refs/heads/specpipe/a-1.lock"), "").unwrap();
        let tree = trees.add("a", 1, None, None, None).unwrap();
        assert!(tree.path.ends_with("a-1") && foreign.exists() && !entries.join("a-12").exists());
        std::fs::remove_dir(foreign).unwrap();
        assert_eq!(git(&root, &["worktree", "list"]).lines().count(), 2);
    }

    #[test]
    fn a_repository_without_a_commit_has_no_trees_and_a_broken_one_is_told() {
        let place = tempfile::tempdir().unwrap();
        let argv = ["git", "init", "-q"];
        shared::process::Command::new(argv).current_dir(place.path()).run().unwrap();
        assert!(Worktrees::of(place.path(), place.path()).unwrap().is_none());
        std::fs::write(place.path().join(".git/HEAD"), "nonsense").unwrap();
        assert!(Worktrees::of(place.path(), place.path()).is_err());
    }

    #[test]
    fn work_that_others_go_on_from_is_kept_and_a_tree_that_only_started_there_is_not() {
        let (_place, root) = repository();
        let trees = worktrees(&root);
        let first = trees.add("a", 1, None, None, None).unwrap();
        std::fs::write(first.path.join("b.txt"), "b\n").unwrap();
        let commit = first.finish("a", 1, "x", "k").unwrap().commit.unwrap();
        drop(trees.add("b", 1, None, Some(&commit), None).unwrap());
        let again = trees.add("b", 1, None, Some(&commit), None).unwrap();
        assert!(again.path.ends_with("b-1"));
        let anew = trees.add("a", 1, None, None, None).unwrap();
        assert!(anew.path.ends_with("a-1.2"), "{:?}", anew.path);
    }

    #[test]
    fn a_repair_starts_from_the_earlier_commit_and_tells_all_that_changed() {
        let (_place, root) = repository();
        let trees = worktrees(&root);
        let first = trees.add("a", 1, Some("k"), None, None).unwrap();
        std::fs::write(first.path.join("b.txt"), "b\n").unwrap();
        let base = first.base.clone();
        let commit = first.finish("a", 1, "x", "k").unwrap().commit.unwrap();
        let second = trees.add("a", 2, Some("k2"), Some(&commit), Some(&base)).unwrap();
        assert!(second.path.join("b.txt").exists());
        std::fs::write(second.path.join("c.txt"), "c\n").unwrap();
        assert_eq!(second.finish("a", 2, "x", "k2").unwrap().files_changed, ["b.txt", "c.txt"]);
    }

    #[test]
    fn many_trees_can_be_made_at_once() {
        let (_place, root) = repository();
        let trees = worktrees(&root);
        let made: Vec<Worktree> = std::thread::scope(|scope| {
            let add = |n: usize| {
                let trees = &trees;
                scope.spawn(move || trees.add(&format!("t{n}"), 1, Some("k"), None, None).unwrap())
            };
            let threads: Vec<_> = (0..12).map(add).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(git(&root, &["worktree", "list"]).lines().count(), 13);
        made.into_iter().for_each(|tree| drop(tree.finish("t", 1, "x", "k").unwrap()));
        assert_eq!(git(&root, &["worktree", "list"]).lines().count(), 1);
    }

    #[test]
    fn ids_become_names_that_do_not_meet() {
        assert_eq!(name_of("t1-a_b"), "t1-a_b");
        for odd in ["", "../../x", "a/b", "a b", "-x", "ü", "a..b", &"x".repeat(100)] {
            let name = name_of(odd);
            assert!(
                name.len() <= 60 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
                "{name}"
            );
        }
        assert_ne!(name_of("a/b"), name_of("a.b"));
    }
}
