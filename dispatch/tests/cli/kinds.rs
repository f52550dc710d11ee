//! Worktrees of all kinds of repositories, and from all kinds of places in them.

use std::path::Path;
use std::process::Command;

use crate::harness::{Place, Ran, finish};

fn task(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"task\":{{\"text\":\"do it\",\"executor\":\"implement\"}}}}\n")
}

/// Runs one writing task in a directory of the place.
fn run_in(place: &Place, directory: &Path, arguments: &str, script: &str, id: &str) -> Ran {
    let mut command = place.command(arguments);
    command.current_dir(directory).args(["--", "sh", "-c", script]);
    finish(command, &task(id))
}

/// Expects work in a tree below this directory, and returns its branch.
#[track_caller]
fn works(ran: Ran, id: &str, below: &Path) -> String {
    let dispatch = &ran.exits(0).record(id)["dispatch"];
    assert_eq!(dispatch["status"], "ok", "{dispatch}");
    let tree = dispatch["worktree"].as_str().unwrap_or_else(|| panic!("no worktree: {dispatch}"));
    let below = below.canonicalize().unwrap();
    assert!(Path::new(tree).starts_with(&below), "{tree} is not below {}", below.display());
    dispatch["branch"].as_str().unwrap().to_owned()
}

fn commit(place: &Place, directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(directory)
        .env("HOME", place.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_base_can_be_chosen_and_is_told() {
    let place = Place::repository();
    let first = place.git(&["rev-parse", "HEAD"]).trim().to_owned();
    place.git(&["tag", "first"]);
    place.write("a.txt", "second\n");
    commit(&place, &place.path(), &["commit", "-q", "-a", "-m", "second"]);
    let ran = run_in(&place, &place.path(), "--base first", "cat a.txt; echo x > x", "t").exits(0);
    let dispatch = &ran.record("t")["dispatch"];
    assert_eq!(
        (dispatch["output"].as_str(), dispatch["base"].as_str()),
        (Some("one\n"), Some(first.as_str()))
    );
    place.write("specpipe.toml", "[dispatch.worktree]\nbase = \"first\"\n");
    let ran = run_in(&place, &place.path(), "", "cat a.txt; echo x > x", "u").exits(0);
    assert_eq!(ran.record("u")["dispatch"]["output"], "one\n");
    let ran = run_in(&place, &place.path(), "--base HEAD", "cat a.txt; echo x > x", "v").exits(0);
    assert_eq!(ran.record("v")["dispatch"]["output"], "second\n");
    for nonsense in ["nowhere", "--output=x", "HEAD:a.txt"] {
        let mut command = place.command("");
        command.arg(format!("--base={nonsense}")).args(["--", "true"]);
        let ran = finish(command, &task("w")).exits(2);
        assert!(ran.stderr.contains("no commit"), "{}", ran.stderr);
    }
}

#[test]
fn a_subdirectory_is_the_same_directory_of_the_tree() {
    let place = Place::repository();
    place.write("deep/er/b.txt", "b\n");
    commit(&place, &place.path(), &["add", "deep"]);
    commit(&place, &place.path(), &["commit", "-q", "-m", "deep"]);
    let ran = run_in(&place, &place.path().join("deep/er"), "", "echo more >> b.txt; pwd", "t");
    let output = ran.record("t")["dispatch"]["output"].as_str().unwrap().to_owned();
    let branch = works(ran, "t", &place.path().join(".specpipe/worktrees"));
    assert!(output.trim().ends_with("/t-1/deep/er"), "{output}");
    assert_eq!(place.git(&["show", &format!("{branch}:deep/er/b.txt")]), "b\nmore\n");
}

#[test]
fn a_detached_head_is_a_place_to_start_from() {
    let place = Place::repository();
    place.git(&["checkout", "-q", "--detach"]);
    let ran = run_in(&place, &place.path(), "", "echo x > x", "t");
    works(ran, "t", &place.path());
    assert!(place.git(&["status", "--branch", "--porcelain"]).starts_with("## HEAD (no branch)"));
}

#[test]
fn without_a_commit_there_is_nothing_to_start_from_and_the_checkout_is_not_used_instead() {
    let place = Place::new();
    place.git(&["init", "-q"]);
    let ran = run_in(&place, &place.path(), "", "echo x > made", "t").exits(0);
    let dispatch = &ran.record("t")["dispatch"];
    assert_eq!(dispatch["status"], "failed");
    assert!(dispatch["reason"].as_str().unwrap().contains("no commit yet"), "{dispatch}");
    assert!(!place.path().join("made").exists());
    let ran = run_in(&place, &place.path(), "--worktrees never", "echo x > made", "t").exits(0);
    assert_eq!(
        (ran.record("t")["dispatch"]["status"].as_str(), place.read("made").as_str()),
        (Some("ok"), "x\n")
    );
}

#[test]
fn a_bare_repository_says_what_to_do_and_a_worktree_of_it_is_a_checkout() {
    let place = Place::repository();
    let root = place.path();
    place.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = root.parent().unwrap().join("bare.git");
    let ran = run_in(&place, &bare, "--no-journal", "echo x > made", "t").exits(0);
    let dispatch = &ran.record("t")["dispatch"];
    assert_eq!(dispatch["status"], "failed");
    assert!(dispatch["reason"].as_str().unwrap().contains("is a bare repository"), "{dispatch}");
    assert!(!bare.join("made").exists());
    commit(&place, &bare, &["worktree", "add", "-q", "../linked", "main"]);
    let linked = root.parent().unwrap().join("linked");
    let ran = run_in(&place, &linked, "", "echo x > x", "t");
    let branch = works(ran, "t", &linked.join(".specpipe/worktrees"));
    assert_eq!(commit(&place, &bare, &["show", &format!("{branch}:x")]), "x\n");
    assert_eq!(commit(&place, &linked, &["status", "--porcelain"]), "");
}

#[test]
fn two_checkouts_of_one_repository_do_not_take_each_others_trees() {
    let place = Place::repository();
    place.git(&["worktree", "add", "-q", "--detach", "../linked"]);
    let linked = place.path().parent().unwrap().join("linked");
    let mark = place.path().parent().unwrap().join("mark");
    let script = format!("echo first > x; touch {0}; while [ -e {0} ]; do sleep 0.05; done", mark.display());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| run_in(&place, &place.path(), "", &script, "t"));
        crate::harness::wait_until("the first works", || mark.exists());
        let second = works(run_in(&place, &linked, "", "echo second > x", "t"), "t", &linked);
        assert_eq!(second, "specpipe/t-1.2", "the branches are shared");
        std::fs::remove_file(&mark).unwrap();
        let first = works(first.join().unwrap(), "t", &place.path());
        assert_eq!(first, "specpipe/t-1");
    });
    // Work of the one is no leftover of the other.
    let third = works(run_in(&place, &linked, "", "echo third > x", "t"), "t", &linked);
    assert_eq!(third, "specpipe/t-1.3");
    assert_eq!(place.git(&["show", "specpipe/t-1:x"]), "first\n");
}

#[test]
fn a_sparse_checkout_is_sparse_in_its_trees_too() {
    let place = Place::repository();
    place.write("in/b.txt", "b\n");
    place.write("out/c.txt", "c\n");
    commit(&place, &place.path(), &["add", "-A"]);
    commit(&place, &place.path(), &["commit", "-q", "-m", "more"]);
    place.git(&["sparse-checkout", "set", "in"]);
    let before = place.git(&["config", "--list", "--local"]);
    let ran = run_in(&place, &place.path(), "", "ls; echo x >> in/b.txt", "t");
    let output = ran.record("t")["dispatch"]["output"].as_str().unwrap().to_owned();
    let branch = works(ran, "t", &place.path());
    assert!(output.contains("in\n") && !output.contains("out"), "{output}");
    assert_eq!(place.git(&["show", &format!("{branch}:out/c.txt")]), "c\n", "what is not checked out stays");
    assert_eq!(place.git(&["config", "--list", "--local"]), before);
    place.git(&["worktree", "remove", "--force", "--force", ".specpipe/worktrees/t-1"]);
}

#[test]
fn another_format_of_references_is_left_to_git() {
    let place = Place::new();
    let init =
        Command::new("git").args(["init", "-q", "--ref-format=reftable"]).current_dir(place.path()).output();
    if !init.unwrap().status.success() {
        eprintln!("this git knows no reftable, so worktrees were not made with one");
        return;
    }
    place.write("a.txt", "one\n");
    commit(&place, &place.path(), &["add", "-A"]);
    commit(&place, &place.path(), &["commit", "-q", "-m", "start"]);
    let ran = run_in(&place, &place.path(), "", "echo x > x", "t");
    let branch = works(ran, "t", &place.path());
    assert_eq!(place.git(&["show", &format!("{branch}:x")]), "x\n");
    let ran = run_in(&place, &place.path(), "", "true", "nothing").exits(0);
    assert!(ran.record("nothing")["dispatch"]["worktree"].is_null());
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 2);
    place.git(&["fsck", "--no-progress"]);
}

#[test]
fn filters_of_the_user_are_run_both_ways() {
    let place = Place::repository();
    place.write(".gitattributes", "*.secret filter=rot\n");
    place.git(&["config", "filter.rot.clean", "tr a-z A-Z"]);
    place.git(&["config", "filter.rot.smudge", "tr A-Z a-z"]);
    place.write("x.secret", "hello\n");
    commit(&place, &place.path(), &["add", "-A"]);
    commit(&place, &place.path(), &["commit", "-q", "-m", "filtered"]);
    assert_eq!(place.git(&["show", "HEAD:x.secret"]), "HELLO\n");
    let ran = run_in(&place, &place.path(), "", "cat x.secret; echo bye > y.secret", "t");
    assert_eq!(ran.record("t")["dispatch"]["output"], "hello\n");
    assert_eq!(ran.record("t")["dispatch"]["files_changed"], serde_json::json!(["y.secret"]));
    let branch = works(ran, "t", &place.path());
    assert_eq!(place.git(&["show", &format!("{branch}:y.secret")]), "BYE\n");
}

#[test]
fn a_submodule_is_left_empty_and_told_and_its_configuration_is_not_touched() {
    let place = Place::repository();
    place.git(&["clone", "-q", ".", "../module"]);
    commit(&place, &place.path(), &["submodule", "--quiet", "add", "../module", "lib"]);
    commit(&place, &place.path(), &["commit", "-q", "-m", "with a submodule"]);
    place.git(&["config", "submodule.recurse", "true"]);
    let before = place.git(&["config", "--list", "--local"]);
    let ran = run_in(&place, &place.path(), "", "ls lib; echo x > x", "t");
    assert_eq!(ran.record("t")["dispatch"]["files_changed"], serde_json::json!(["x"]));
    assert!(ran.stderr.contains("submodules are empty"), "{}", ran.stderr);
    works(ran, "t", &place.path());
    assert_eq!(place.git(&["config", "--list", "--local"]), before);
    assert_eq!(place.git(&["status", "--porcelain"]), "");
}
