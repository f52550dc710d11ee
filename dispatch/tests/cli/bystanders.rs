//! Worktrees while others use the same repository, and what of the user's must stay as it was.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::harness::{Place, Ran, files_below, finish};

fn task(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"task\":{{\"text\":\"do it\",\"executor\":\"implement\"}}}}\n")
}

/// Runs git commands over and over until it is told to stop; returns how many there were and what failed.
fn bystander(place: &Place, arguments: &[&str], stop: &AtomicBool, runs: &AtomicU64) -> Vec<String> {
    let mut failures = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let ended = Command::new("git")
            .args(arguments)
            .current_dir(place.path())
            .env("HOME", place.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        runs.fetch_add(1, Ordering::SeqCst);
        if !ended.status.success() {
            failures.push(format!("git {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr)));
        }
    }
    failures
}

#[test]
fn thirty_two_trees_of_four_processes_come_and_go_while_others_look() {
    let place = Place::repository();
    let stop = AtomicBool::new(false);
    let runs = AtomicU64::new(0);
    let failures = std::thread::scope(|scope| {
        let (place, stop, runs) = (&place, &stop, &runs);
        let looking = [&["worktree", "list"][..], &["branch", "--all"], &["fetch", "-q", ".", "main"]];
        let looking = looking.map(|arguments| scope.spawn(move || bystander(place, arguments, stop, runs)));
        for round in 0..3 {
            let gate = place.path().parent().unwrap().join(format!("gate-{round}"));
            std::fs::create_dir(&gate).unwrap();
            // Each waits until all of them have a tree. Every other one leaves no work.
            let script = format!(
                "touch {0}/$SPECPIPE_ID; n=0; while [ $(ls {0} | wc -l) -lt 32 ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done; \
                 ls {0} | wc -l; case $SPECPIPE_ID in *[02468]) echo $SPECPIPE_ID > a.txt;; esac",
                gate.display()
            );
            let run = |process: usize| {
                let script = script.clone();
                scope.spawn(move || {
                    let mut command = place.command("-j 8 --no-journal");
                    command.args(["--", "sh", "-c", &script]);
                    let input: String = (0..8).map(|n| task(&format!("r{round}p{process}n{n}"))).collect();
                    finish(command, &input)
                })
            };
            let ran: Vec<Ran> =
                (0..4).map(run).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect();
            for (process, ran) in ran.into_iter().enumerate() {
                let ran = ran.exits(0);
                for n in 0..8 {
                    let id = format!("r{round}p{process}n{n}");
                    let dispatch = &ran.record(&id)["dispatch"];
                    assert_eq!(dispatch["status"], "ok", "{dispatch}");
                    assert_eq!(dispatch["output"].as_str().unwrap().trim(), "32", "not all at once");
                    assert_eq!(dispatch["commit"].is_string(), n % 2 == 0, "{dispatch}");
                }
            }
        }
        stop.store(true, Ordering::SeqCst);
        looking.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let runs = runs.load(Ordering::SeqCst);
    assert!(failures.is_empty(), "{} of {runs}: {}", failures.len(), failures.concat());
    assert!(runs > 10, "nobody has looked");
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 1 + 3 * 16);
    assert_eq!(place.git(&["branch", "--list", "specpipe/*"]).lines().count(), 3 * 16);
    for left in ["making", "removed"] {
        let left = place.path().join(".git/specpipe").join(left);
        let left: Vec<PathBuf> = files_below(&left).into_keys().collect();
        assert!(left.is_empty(), "{left:?}");
    }
    place.git(&["fsck", "--no-progress"]);
}

/// What is the user's: the files of the checkout, and in `.git` all but objects, our branches, and registrations.
fn of_the_user(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = place.path();
    let ours = ["objects", "worktrees", "specpipe", "refs/heads/specpipe", "logs/refs/heads/specpipe"];
    let ours = ours.map(|path| root.join(".git").join(path));
    let mut files = files_below(&root);
    files.retain(|path, _| !ours.iter().any(|ours| path.starts_with(ours)));
    files
}

#[test]
fn checkout_index_stash_hooks_and_configuration_stay_byte_for_byte() {
    let place = Place::repository();
    place.write("stashed.txt", "s\n");
    place.git(&["add", "stashed.txt"]);
    place.git(&["-c", "user.name=t", "-c", "user.email=t@localhost", "stash", "-q"]);
    place.write("staged.txt", "staged\n");
    place.git(&["add", "staged.txt"]);
    place.write("a.txt", "edited\n");
    place.write("mine", "untracked\n");
    place.git(&["config", "commit.gpgSign", "true"]);
    place.git(&["config", "user.signingKey", "nobody"]);
    let hooks = [
        "pre-commit",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "post-index-change",
        "reference-transaction",
    ];
    for hook in hooks {
        let path = place.path().join(".git/hooks").join(hook);
        std::fs::write(
            &path,
            format!("#!/bin/sh\necho {hook} >> '{}'/hook-ran\nexit 1\n", place.path().display()),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let before = of_the_user(&place);
    let main = place.path().display().to_string();
    for (id, script, has_work) in [
        ("works", "echo two > a.txt; rm -rf stashed.txt; mkdir d; echo x > d/x", true),
        ("nothing", "true", false),
        ("fails", "echo half > a.txt; exit 3", true),
        (
            "commits",
            "echo own > own.txt; export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null; git add own.txt; git -c commit.gpgSign=false -c user.name=a -c user.email=a@b commit -q -m own; echo later > later.txt",
            true,
        ),
        (
            "elsewhere",
            "git -c core.hooksPath=/dev/null checkout -q -b specpipe/of-my-own 2>&1; echo x > x",
            true,
        ),
        (
            "orphan",
            "git -c core.hooksPath=/dev/null checkout -q --orphan specpipe/nothing-before; echo x > x",
            true,
        ),
        ("misleads", &format!("printf 'gitdir: %s\\n' '{main}/.git' > .git; echo misled > a.txt"), true),
        ("begins", "rm .git; git init -q; echo begun > begun.txt", true),
        ("locks", "touch \"$(git rev-parse --git-dir)/index.lock\"; echo x > x", true),
    ] {
        let ran = place.run_script("", script, &task(id)).exits(0);
        let dispatch = &ran.record(id)["dispatch"];
        assert_eq!(dispatch["commit"].is_string(), has_work, "{id}: {dispatch}");
        if has_work {
            let branch = dispatch["branch"].as_str().unwrap();
            assert_eq!(branch, format!("specpipe/{id}-1"));
            assert_eq!(
                place.git(&["rev-parse", branch]).trim(),
                dispatch["commit"].as_str().unwrap(),
                "{id}"
            );
            let base = dispatch["base"].as_str().unwrap();
            let told = place.git(&["diff", "--name-only", base, branch]);
            let files: Vec<&str> =
                dispatch["files_changed"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
            assert_eq!(told.lines().collect::<Vec<_>>(), files, "{id}");
        }
        let after = of_the_user(&place);
        for (path, bytes) in &before {
            assert!(after.get(path) == Some(bytes), "{id}: {} has changed", path.display());
        }
        let more: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
        assert!(more.is_empty(), "{id}: {more:?}");
    }
}

#[test]
fn a_checkout_with_changes_is_told_once() {
    let place = Place::repository();
    let input: String = (0..3).map(|n| task(&format!("t{n}"))).collect();
    let ran = place.run_script("", "echo x > x", &input).exits(0);
    assert!(!ran.stderr.contains("uncommitted"), "{}", ran.stderr);
    place.write("a.txt", "edited\n");
    let input: String = (3..6).map(|n| task(&format!("t{n}"))).collect();
    let ran = place.run_script("", "echo x > x", &input).exits(0);
    assert_eq!(ran.stderr.matches("uncommitted changes").count(), 1, "{}", ran.stderr);
}

#[test]
fn an_interrupted_run_leaves_no_tree() {
    let place = Place::repository();
    let mark = place.path().parent().unwrap().join("mark");
    let mut command = place.command("");
    command.args(["--", "sh", "-c", &format!("echo half > half; touch {}; exec sleep 600", mark.display())]);
    command.stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), task("t").as_bytes()).unwrap();
    crate::harness::wait_until("the task works", || mark.exists());
    crate::harness::signal(&child, rustix::process::Signal::INT);
    let ran = Ran::of(child.wait_with_output().unwrap()).exits(130);
    assert_eq!(ran.record("t")["dispatch"]["status"], "cancelled");
    let listed = place.git(&["worktree", "list"]);
    assert_eq!(listed.lines().count(), 1, "{listed}{}{}", ran.stdout, ran.stderr);
    assert_eq!(place.git(&["branch", "--all"]).trim(), "* main");
}
