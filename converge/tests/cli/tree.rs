//! Over a working tree.

use super::*;

/// A git repository with one commit.
fn repository() -> Place {
    let place = Place::new();
    place.sh(
        "git init -q -b main; git config user.name t; git config user.email t@example.com; git config commit.gpgsign false
         echo 1 > a; git add a; git commit -qm first",
    );
    place
}

/// Returns the verdict of a run with `--json`.
#[track_caller]
fn verdict(place: &Place, arguments: &[&str], code: i32) -> serde_json::Value {
    let done = place.run(&[&["--tree", "--json"], arguments].concat(), "").expect(code);
    serde_json::from_str(done.stdout.lines().last().unwrap()).unwrap()
}

#[track_caller]
fn verdict_name(script: &str, arguments: &[&str], code: i32) -> (String, u64) {
    let verdict = verdict(&repository(), &[arguments, &["-c", script]].concat(), code);
    (verdict["verdict"].as_str().unwrap().to_owned(), verdict["iterations"].as_u64().unwrap())
}

#[test]
fn it_ends_where_the_checks_are_green_and_nothing_changes_any_more() {
    let place = repository();
    place.write("agent.sh", "[ $(wc -l < a) -ge 3 ] || echo more >> a\n");
    let verdict = verdict(&place, &["--verify-with", "test $(wc -l < a) -ge 3", "--", "sh", "agent.sh"], 0);
    assert_eq!((&verdict["verdict"], &verdict["iterations"]), (&"converged".into(), &3.into()));
}

#[test]
fn each_verdict_has_its_rule() {
    let grow = "echo $CONVERGE_ROUND >> a";
    for (script, arguments, code, expected) in [
        ("true", &[][..], 0, ("stable", 2)),
        ("true", &["--verify-with", "true"], 0, ("converged", 1)),
        ("true", &["--strict", "--verify-with", "true"], 0, ("converged", 2)),
        ("true", &["--verify-with", "false"], 1, ("spinning", 5)),
        (grow, &["-n", "3"], 1, ("iterations", 3)),
        (grow, &["-n", "7", "--verify-with", "echo always the same; exit 1"], 1, ("stalled", 5)),
        (grow, &["-n", "7", "--verify-with", "cat a; exit 1"], 1, ("iterations", 7)),
        ("if [ $(cat a) = 1 ]; then echo 2 > a; else echo 1 > a; fi", &[], 1, ("oscillation", 3)),
        ("echo $CONVERGE_ROUND >> b; echo $((CONVERGE_ROUND % 2)) > a", &[], 1, ("thrash", 4)),
        ("echo $CONVERGE_ROUND >> TODO.md", &[], 1, ("spinning", 5)),
        ("exit 1", &["--retry-delay", "10ms"], 1, ("dead_tool", 3)),
        ("sleep 60", &["-t", "100ms"], 1, ("timeouts", 2)),
        (grow, &["-n", "0", "--time", "500ms"], 1, ("time", 0)),
    ] {
        let (name, iterations) = verdict_name(script, arguments, code);
        assert_eq!(name, expected.0, "{script} {arguments:?}");
        assert!(
            expected.1 == 0 || iterations == expected.1,
            "{script} {arguments:?}: {iterations} iterations"
        );
    }
}

#[test]
fn a_circle_of_the_tree_has_its_period_and_its_files() {
    let place = repository();
    let verdict = verdict(&place, &["-c", "echo $((CONVERGE_ROUND % 3)) > a"], 1);
    assert_eq!((&verdict["verdict"], &verdict["period"]), (&"oscillation".into(), &3.into()));
    assert_eq!(verdict["hot_files"][0]["path"], "a");
}

#[test]
fn a_claim_never_ends_a_loop() {
    let script = "echo '<promise>COMPLETE</promise> LOOP_COMPLETE all done'; echo $CONVERGE_ROUND >> a";
    assert_eq!(verdict_name(script, &["-n", "4"], 1), ("iterations".to_owned(), 4));
}

#[test]
fn an_iteration_is_told_with_its_kinds_of_files_and_lines() {
    let place = repository();
    let script = "printf '2\\n3\\n' > a; echo x > new; echo note > TODO.md; echo lock > Cargo.lock";
    let done = place.run(&["-n", "1", "--tree", "-c", script], "").expect(1);
    assert!(done.stdout.contains("\nfiles: code 1, bookkeeping 0, generated 0\n"), "{}", done.stdout);
    assert!(done.stdout.contains("\n1/1  code 2 (+3 -1)  bookkeeping 1  generated 1  "), "{}", done.stdout);
    let last = done.stdout.lines().nth_back(1).unwrap();
    assert_eq!(last, "iterations after 1 iteration: the limit of 1 iteration is reached");
}

#[test]
fn a_commit_has_what_the_iteration_changed_and_nothing_else() {
    let place = repository();
    place.write("mine", "not yours\n").write("staged", "staged\n");
    place.sh("git add staged");
    place.write("agent.sh", "echo $CONVERGE_ROUND >> a; echo log > x.log; echo new > new\n");
    let done = place.run(&["-n", "2", "--commit=loop %n", "--", "sh", "agent.sh"], "").expect(1);
    assert!(done.stdout.contains("  commit "), "{}", done.stdout);
    assert_eq!(place.sh("git log --format=%s"), "loop 2\nloop 1\nfirst\n");
    assert_eq!(place.sh("git show --name-only --format= HEAD~1"), "a\nnew\nx.log\n");
    assert_eq!(place.sh("git status --porcelain"), "A  staged\n?? agent.sh\n?? mine\n");
}

#[test]
fn earlier_changes_in_a_committed_file_are_told() {
    let place = repository();
    place.write("a", "my own\n");
    let done = place.run(&["-n", "1", "--commit", "-c", "echo more >> a"], "").expect(1);
    assert!(done.stderr.contains("the commit has earlier changes too: a had some"), "{}", done.stderr);
}

#[test]
fn an_agent_that_commits_by_itself_is_seen_at_work() {
    let place = repository();
    let script = "echo $CONVERGE_ROUND >> a; git commit -qam own";
    let verdict = verdict(&place, &["-n", "4", "--commit", "-c", script], 1);
    assert_eq!(verdict["verdict"], "iterations");
    assert_eq!(place.sh("git log --format=%s | sort | uniq -c | tr -s ' '"), " 1 first\n 4 own\n");
}

#[test]
fn an_iteration_that_ran_out_of_time_keeps_its_work() {
    let place = repository();
    let done =
        place.run(&["-n", "1", "-t", "300ms", "--commit", "-c", "echo half >> a; sleep 60"], "").expect(1);
    assert!(done.stdout.contains("  timed out  "), "{}", done.stdout);
    assert_eq!(
        place.sh("git log -1 --format=%s; git show HEAD:a"),
        "converge: iteration 1 (timed out)\n1\nhalf\n"
    );
}

#[test]
fn what_the_command_says_stays_off_standard_output() {
    let done =
        repository().run(&["--tree", "--json", "-c", "echo to-stdout; echo to-stderr >&2"], "").expect(0);
    assert!(!done.stdout.contains("to-std") && done.stderr.contains("to-stdout\nto-stderr\n"));
}

#[test]
fn the_next_iteration_knows_what_the_check_said() {
    let place = repository();
    let script = "echo $CONVERGE_ROUND ${CONVERGE_CHECK:-none} $(tail -n 1 \"$CONVERGE_CHECK_LOG\") >> a";
    place.run(&["-n", "2", "--verify-with", "exit 7", "-c", script], "").expect(1);
    assert_eq!(place.read("a"), "1\n1 none\n2 red (exit code 7)\n");
    let verdict = verdict(&place, &["-n", "1", "--verify-with", "echo oops; false", "--", "true"], 1);
    let log = std::fs::read_to_string(verdict["check_log"].as_str().unwrap()).unwrap();
    assert_eq!(log, "$ echo oops; false\noops\n(exit code 1)\n");
}

#[test]
fn a_folder_without_git_is_a_tree_too() {
    let place = Place::new();
    assert_eq!(verdict(&place, &["-c", "[ -s x ] || echo done > x"], 0)["verdict"], "stable");
    let done = place.run(&["--commit", "--", "true"], "").expect(4);
    assert!(done.stderr.contains("is in no git repository"), "{}", done.stderr);
}

#[test]
fn a_part_of_the_tree_can_be_looked_at_alone() {
    let place = repository();
    place.sh("mkdir plans specs");
    let script = "echo $CONVERGE_ROUND >> specs/noise; [ -s plans/p ] || echo plan > plans/p";
    let done = place.run(&["--tree=plans", "--json", "-c", script], "").expect(0);
    assert!(
        done.stdout.ends_with("\"hot_files\":[]}\n") && done.stdout.contains("\"iterations\":3"),
        "{}",
        done.stdout
    );
}

#[test]
fn two_loops_do_not_share_a_tree_unless_they_are_told_to() {
    let place = repository();
    let mut first = place.start(&["--tree", "-c", "echo $$ > .specpipe/pid; sleep 600"], "");
    wait_until("the first loop", || !place.read(".specpipe/pid").is_empty());
    let done = place.run(&["--tree", "--", "true"], "").expect(4);
    let holder = format!("another loop works in this tree: process {} since ", first.id());
    assert!(done.stderr.contains(&holder) && done.stderr.contains("--shared"), "{}", done.stderr);
    place.run(&["--shared", "--", "true"], "").expect(0);
    // The lock of a loop that was killed does not stay, and neither does its command.
    first.kill().unwrap();
    first.wait().unwrap();
    wait_until("the end of the orphan", || !is_alive(&place.path(".specpipe/pid")));
    let done = place.run(&["--tree", "--", "true"], "").expect(0);
    assert!(done.stderr.contains("taking over from a loop that did not end well"), "{}", done.stderr);
    assert_eq!(place.run(&["--tree", "--", "true"], "").expect(0).stderr, "");
}

#[test]
fn loops_side_by_side_commit_their_own_parts() {
    let place = repository();
    place.sh("mkdir specs plans");
    let start = |part: &str| {
        let script = format!("echo $CONVERGE_ROUND >> {part}/text");
        place
            .start(&["-n", "6", &format!("--tree={part}"), &format!("--commit={part} %n"), "-c", &script], "")
    };
    for child in [start("specs"), start("plans")] {
        Done::from(child.wait_with_output().unwrap()).expect(1);
    }
    assert_eq!(
        place.sh("git log --format=%s | cut -d' ' -f1 | sort | uniq -c | tr -s ' '"),
        " 1 first\n 6 plans\n 6 specs\n"
    );
    assert_eq!(place.sh("git status --porcelain; git show --name-only --format= HEAD | wc -l"), "1\n");
}

#[test]
fn an_interrupt_ends_the_command_and_the_delay() {
    let place = repository();
    let child = place.start(&["--tree", "-c", "echo $$ > .specpipe/pid; echo half > a; sleep 600"], "");
    wait_until("the command", || place.read("a") == "half\n");
    signal(&child, "-INT");
    let done = Done::from(child.wait_with_output().unwrap()).expect(130);
    assert!(done.stdout.contains("code 1 (+1 -1)") && done.stdout.contains("interrupted after 1 iteration"));
    assert!(!is_alive(&place.path(".specpipe/pid")));

    let child = place.start(&["-d", "1h", "--json", "--", "true"], "");
    wait_until("the lock", || place.sh("cat .specpipe/converge/*.lock").contains("process"));
    signal(&child, "-TERM");
    Done::from(child.wait_with_output().unwrap()).expect(130);
}

#[test]
fn a_dry_run_tells_the_bound_and_runs_nothing() {
    let place = repository();
    let done =
        place.run(&["--dry-run", "-n", "5", "-t", "2h", "-d", "1h", "--", "touch", "ran"], "").expect(0);
    assert!(done.stdout.ends_with("\nat most 11h 0m\n"), "{}", done.stdout);
    assert!(!place.path("ran").exists());
}

#[test]
fn without_records_on_standard_input_a_command_is_for_the_tree() {
    let place = repository();
    assert!(place.run(&["--", "true"], "").expect(0).stdout.contains("stable after 2 iterations"));
    assert!(
        place
            .run(&["--", "cat"], "{\"id\":\"a\"}\n")
            .expect(0)
            .stdout
            .starts_with("{\"id\":\"a\",\"converge\"")
    );
}

#[test]
fn a_command_that_is_not_there_is_told_at_once() {
    let done = repository().run(&["--tree", "--", "no-such-program-here"], "").expect(4);
    assert!(done.stderr.contains("cannot start `no-such-program-here`"), "{}", done.stderr);
}

#[test]
fn its_own_report_in_the_tree_is_no_progress() {
    let place = repository();
    let tool = env!("CARGO_BIN_EXE_converge");
    let done =
        place.sh(&format!("{tool} --tree -c 'echo talk >&2' > report 2> talk; tail -n 2 report | head -n 1"));
    assert!(done.starts_with("stable after 2 iterations"), "{done}");
}

#[test]
fn a_check_that_edits_the_work_is_told() {
    let place = repository();
    let arguments = ["-n", "2", "--verify-with", "echo x >> a", "--", "true"];
    let done = place.run(&arguments, "");
    assert!(done.stderr.contains("a check changes the work itself"), "{}", done.stderr);
}
