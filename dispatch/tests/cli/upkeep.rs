//! `dispatch worktrees`: list, prune, repair.

use serde_json::Value;

use crate::harness::{Place, Ran, finish};

fn task(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"task\":{{\"text\":\"do it\",\"executor\":\"implement\"}}}}\n")
}

const OWN_FILE: &str = "echo $SPECPIPE_ID > $SPECPIPE_ID.txt";

fn upkeep(place: &Place, arguments: &str) -> Ran {
    finish(place.command(&format!("worktrees {arguments}")), "").exits(0)
}

fn states(place: &Place) -> Vec<(String, String)> {
    let listed = upkeep(place, "list --json").records();
    let text = |tree: &Value, name: &str| tree[name].as_str().unwrap_or_default().to_owned();
    listed.iter().map(|tree| (text(tree, "name"), text(tree, "state"))).collect()
}

fn is(states: &[(String, String)], expected: &[(&str, &str)]) -> bool {
    states.iter().map(|(name, state)| (name.as_str(), state.as_str())).eq(expected.iter().copied())
}

/// Starts a task and waits until it works; it works until it is killed.
fn working(place: &Place, id: &str) -> std::process::Child {
    let mark = place.path().parent().unwrap().join(format!("mark-{id}"));
    let mut command = place.command("--no-journal");
    command.args(["--", "sh", "-c", &format!("echo half > half; touch {}; exec sleep 600", mark.display())]);
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), task(id).as_bytes()).unwrap();
    crate::harness::wait_until("the task works", || mark.exists());
    child
}

fn kill(mut child: std::process::Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn trees_are_listed_with_what_became_of_them() {
    let place = Place::repository();
    assert_eq!(upkeep(&place, "list").stdout, "");
    place.run_script("", OWN_FILE, &(task("merged") + &task("finished") + &task("edited"))).exits(0);
    place.git(&["branch", "kept", "specpipe/merged-1"]);
    std::fs::write(place.path().join(".specpipe/worktrees/edited-1/by-hand"), "x").unwrap();
    let active = working(&place, "active");
    let expected =
        [("active-1", "active"), ("edited-1", "dirty"), ("finished-1", "finished"), ("merged-1", "merged")];
    assert!(is(&states(&place), &expected), "{:?}", states(&place));
    kill(active);
    let listed = upkeep(&place, "list").stdout;
    assert!(listed.starts_with("NAME"), "{listed}");
    let row = listed.lines().find(|line| line.starts_with("finished-1")).unwrap();
    for cell in [" finished ", " 1 ", "specpipe/finished-1"] {
        assert!(row.contains(cell), "{row}");
    }
    let tree = upkeep(&place, "list --json")
        .records()
        .into_iter()
        .find(|tree| tree["name"] == "finished-1")
        .unwrap();
    assert_eq!((tree["id"].as_str(), tree["attempt"].as_u64()), (Some("finished"), Some(1)));
    assert!(
        tree["bytes"].as_u64().unwrap() > 0 && tree["made_at"].is_string() && tree["commit"].is_string(),
        "{tree}"
    );
}

#[test]
fn pruning_removes_what_is_of_no_use_and_never_what_is_nowhere_else() {
    let place = Place::repository();
    place.run_script("", OWN_FILE, &(task("merged") + &task("finished") + &task("edited"))).exits(0);
    place.git(&["branch", "kept", "specpipe/merged-1"]);
    std::fs::write(place.path().join(".specpipe/worktrees/edited-1/by-hand"), "x").unwrap();
    kill(working(&place, "killed"));
    std::fs::remove_file(place.path().join(".specpipe/worktrees/killed-1/half")).unwrap();
    let active = working(&place, "active");
    // The run of the active one has collected the killed one; make another that nobody collects.
    let before = states(&place);
    upkeep(&place, "prune --older-than 1h");
    assert_eq!(states(&place), before, "nothing is so old");
    let dry = upkeep(&place, "prune --dry-run").stdout;
    assert!(dry.contains("would remove merged-1") && !dry.contains("finished-1"), "{dry}");
    assert_eq!(states(&place), before);
    upkeep(&place, "prune");
    let expected = [("active-1", "active"), ("edited-1", "dirty"), ("finished-1", "finished")];
    assert!(is(&states(&place), &expected), "{:?}", states(&place));
    upkeep(&place, "prune --all");
    assert!(!place.path().join(".specpipe/worktrees/finished-1").exists());
    assert_eq!(place.git(&["show", "specpipe/finished-1:finished.txt"]), "finished\n", "its branch stays");
    assert!(place.path().join(".specpipe/worktrees/edited-1/by-hand").exists());
    assert!(is(&states(&place), &expected), "{:?}", states(&place));
    finish(place.command("worktrees prune --force"), "").exits(2);
    upkeep(&place, "prune --all --force");
    assert!(is(&states(&place), &[("active-1", "active")]), "{:?}", states(&place));
    let branches = place.git(&["branch", "--format=%(refname:short)"]);
    assert_eq!(branches.lines().collect::<Vec<_>>(), ["kept", "main", "specpipe/active-1"]);
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 2);
    kill(active);
}

#[test]
fn trees_of_a_repository_that_was_moved_are_repaired() {
    let place = Place::repository();
    place.run_script("", OWN_FILE, &(task("moved") + &task("forgotten"))).exits(0);
    // git forgets the one; then all is moved.
    let registrations = place.path().join(".git/worktrees");
    std::fs::remove_dir_all(registrations.join("forgotten-1")).unwrap();
    let moved = place.path().parent().unwrap().join("elsewhere");
    std::fs::rename(place.path(), &moved).unwrap();
    let mut command = place.command("worktrees repair");
    command.current_dir(&moved);
    let ran = finish(command, "").exits(0);
    assert!(ran.stdout.contains("moved-1: ") && ran.stdout.contains("forgotten-1: "), "{}", ran.stdout);
    std::fs::rename(&moved, place.path()).unwrap();
    upkeep(&place, "repair");
    for name in ["moved", "forgotten"] {
        let tree = place.path().join(format!(".specpipe/worktrees/{name}-1"));
        let git = |arguments: &[&str]| {
            let output =
                std::process::Command::new("git").args(arguments).current_dir(&tree).output().unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(git(&["status", "--porcelain"]), "", "{name}");
        assert_eq!(git(&["branch", "--show-current"]).trim(), format!("specpipe/{name}-1"));
    }
    assert_eq!(upkeep(&place, "repair").stdout, "", "there is nothing left to do");
}

#[test]
fn a_run_that_was_killed_at_any_moment_is_cleaned_up_by_the_next() {
    let place = Place::repository();
    place.run_script("", OWN_FILE, &task("kept")).exits(0);
    let kept = place.git(&["rev-parse", "specpipe/kept-1"]);
    for round in 0..24u64 {
        let mut command = place.command("-j 4 --merge=finished --merge-into all");
        command.args(["--", "sh", "-c", "[ $SPECPIPE_ID = none ] || echo $SPECPIPE_ID > $SPECPIPE_ID.txt"]);
        let mut child = command.spawn().unwrap();
        let input: String = (0..4).map(|n| task(&format!("r{round}n{n}"))).collect();
        let _ =
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), (input + &task("none")).as_bytes());
        // Not a wait for something: the moment of the kill is what is varied, from the first step to the last.
        std::thread::sleep(std::time::Duration::from_millis(round * 12));
        kill(child);
        place.git(&["worktree", "list"]);
    }
    crate::harness::wait_until("what the killed runs have started has ended", || {
        let ran = place.run_script("--no-journal", "true", &task("sweeper")).exits(0);
        assert_eq!(ran.record("sweeper")["dispatch"]["status"], "ok", "{}", ran.stdout);
        let listed = states(&place);
        listed.iter().all(|(_, state)| matches!(state.as_str(), "finished" | "merged"))
    });
    let listed = states(&place);
    assert_eq!(place.git(&["rev-parse", "specpipe/kept-1"]), kept);
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 1 + listed.len(), "{listed:?}");
    let branches = place.git(&["branch", "--list", "specpipe/*", "--format=%(refname:short)"]);
    let locks = crate::harness::files_below(&place.path().join(".git")).into_keys();
    let locks: Vec<_> = locks.filter(|path| path.extension().is_some_and(|end| end == "lock")).collect();
    assert_eq!(branches.lines().count(), listed.len(), "{branches} {locks:?}");
    let directories = std::fs::read_dir(place.path().join(".specpipe/worktrees")).unwrap().count();
    assert_eq!(directories, listed.len());
    for left in ["making", "removed"] {
        let left = place.path().join(".git/specpipe").join(left);
        assert!(crate::harness::files_below(&left).is_empty());
    }
    place.git(&["fsck", "--no-progress"]);
    assert_eq!(place.git(&["status", "--porcelain", "--untracked-files=no"]), "");
}
