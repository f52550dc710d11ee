//! Trees as one process makes them.

use std::path::{Path, PathBuf};

use shared::git::Repo;

use super::commit::Work;
use super::dependencies::Wish;
use super::git::Git;
use super::{Worktree, Worktrees, entry};

fn git(directory: &Path, arguments: &[&str]) -> String {
    let ended = Repo::discover(directory).unwrap().ask(arguments).unwrap();
    assert!(ended.success(), "git {arguments:?}: {}", ended.stderr.text());
    ended.stdout.text()
}

fn repository() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().canonicalize().unwrap();
    let init =
        shared::process::Command::new(["git", "init", "-q", "-b", "main"]).current_dir(&root).run().unwrap();
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
    Git::at(repo.root()).plumb(["add", "--all"]).unwrap();
    Git::at(repo.root()).plumb(["commit", "-q", "--no-verify", "-m", "start"]).unwrap();
    (place, root)
}

fn worktrees(root: &Path) -> Worktrees {
    Worktrees::of(root, &root.join(".specpipe"), None, Wish::default()).unwrap()
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
    assert!(left.is_empty() && entry::names(&root.join(".git/specpipe")).is_empty(), "{left:?}");
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
    assert!(tree.path.ends_with("a-1") && foreign.exists());
    assert!(!entries.join("a-12/gitdir").exists(), "two registrations lead to one tree");
    std::fs::remove_dir(foreign).unwrap();
    assert_eq!(git(&root, &["worktree", "list"]).lines().count(), 2);
    // What nobody reads any more goes some time later, at the latest with the run.
    drop((tree, trees));
    assert!(!entries.join("a-12").exists());
}

#[test]
fn a_repository_without_a_commit_and_a_broken_one_are_told() {
    let place = tempfile::tempdir().unwrap();
    let argv = ["git", "init", "-q"];
    shared::process::Command::new(argv).current_dir(place.path()).run().unwrap();
    let told = Worktrees::of(place.path(), place.path(), None, Wish::default()).unwrap_err().full_message();
    assert!(told.contains("no commit yet"), "{told}");
    std::fs::write(place.path().join(".git/HEAD"), "nonsense").unwrap();
    assert!(Worktrees::of(place.path(), place.path(), None, Wish::default()).is_err());
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
