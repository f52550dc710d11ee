//! Over records.

use super::*;

/// A stage whose first draft is rejected and whose second is accepted.
const BETTER: &str = r#"
sed -e 's/^{"id":"\([a-z0-9]*\)"}$/{"id":"\1","dispatch":{"attempt":1,"tier":1},"verify":{"attempt":1,"decision":"escalate"}}/;t' \
    -e 's/"attempt":1,"tier":1}/"attempt":2,"tier":2}/' \
    -e 's/"verify":{"attempt":1,"decision":"escalate"}/"verify":{"attempt":2,"decision":"accept"}/'
"#;

#[test]
fn a_stage_that_gets_better_is_run_until_its_verdict() {
    let place = Place::new();
    place.write("stage.sh", BETTER);
    let done = place.run(&["-e", "-c", "sh stage.sh"], "{\"id\":\"a\"}\n{\"id\":\"b\"}\n").expect(0);
    assert_eq!((done.converge("a"), done.converge("b")), ("settled/2".into(), "settled/2".into()));
    assert_eq!(done.member("a", "converge")["reason"], "accept after 2 rounds");
    assert_eq!(done.stderr, "");
    // Its output is a fixed point: nothing is run and nothing changes.
    let again = place.run(&["-e", "-c", "exit 9"], &done.stdout).expect(0);
    assert_eq!(again.stdout, done.stdout);
}

#[test]
fn rounds_are_told_when_asked_for() {
    let place = Place::new();
    place.write("stage.sh", BETTER);
    let done = place.run(&["-v", "-c", "sh stage.sh"], "{\"id\":\"a\"}\n").expect(0);
    assert!(
        done.stderr.contains("converge: round 1: 1 given, 1 unsettled, 0 accepted, 1 to escalate, $0.00, ")
    );
    assert!(
        done.stderr.contains("converge: round 2: 1 given, 0 unsettled, 1 accepted, 0 to escalate, $0.00, ")
    );
    assert!(
        done.stderr.contains("converge: settled: 1 record, 1 accepted, 0 unsettled, $0.00, "),
        "{}",
        done.stderr
    );
}

#[test]
fn everything_else_leaves_as_it_came() {
    let odd = concat!(
        r#"{"id":"a","n":1.10,"big":123456789012345678901234567890,"inf":1e999,"twice":{"k":1,"k":2},"lone":"\ud800","e":"\u0041\/"}"#,
        "\n",
        r#" { "id" : 7 , "x" : [ 1 , 2 ] } "#,
        "\n",
    );
    let deep = format!("{{\"id\":\"deep\",\"x\":{}{}}}\n", "[".repeat(200), "]".repeat(200));
    let input = format!("{odd}{deep}");
    let done = Place::new().run(&["-c", "cat"], &input).expect(0);
    let member =
        r#","converge":{"rounds":1,"state":"settled","reason":"the pipeline changes nothing any more"}"#;
    assert_eq!(done.stdout.replace(member, ""), input);
    assert_eq!(done.stdout.matches(member).count(), 3);
}

#[test]
fn a_circle_is_found_and_its_period_named() {
    let place = Place::new();
    place.write("two.sh", r#"sed -e 's/"A"/"C"/' -e 's/"B"/"A"/' -e 's/"C"/"B"/'"#);
    place.write("three.sh", r#"sed -e 's/"A"/"D"/' -e 's/"C"/"A"/' -e 's/"B"/"C"/' -e 's/"D"/"B"/'"#);
    let input = "{\"id\":\"a\",\"v\":\"A\"}\n";
    for (script, period, state) in [("two.sh", 2, "cycle/2"), ("three.sh", 3, "cycle/3")] {
        let done = place.run(&["-c", &format!("sh {script}")], input).expect(0);
        assert_eq!(done.converge("a"), state);
        assert_eq!(done.member("a", "converge")["period"], period);
        let reason = format!("comes back to the same content every {period} rounds");
        assert_eq!(done.member("a", "converge")["reason"], reason);
    }
    place.run(&["-e", "-c", "sh two.sh"], input).expect(1);
}

#[test]
fn members_that_change_by_themselves_are_no_progress() {
    let place = Place::new();
    let stage = r#"sed "s/\"at\":\"[0-9]*\"/\"at\":\"$CONVERGE_ROUND\"/""#;
    let input = "{\"id\":\"a\",\"mine\":{\"at\":\"0\"}}\n";
    assert_eq!(place.run(&["-n", "4", "-c", stage], input).expect(0).converge("a"), "exhausted/4");
    let done = place.run(&["-n", "4", "--ignore", "mine.at", "-c", stage], input).expect(0);
    assert_eq!(done.converge("a"), "settled/1");
    assert_eq!(done.member("a", "mine")["at"], "1");
}

#[test]
fn a_lost_record_is_named_kept_and_tried_again() {
    let place = Place::new();
    let input = "{\"id\":\"a\"}\n{\"id\":\"b\",\"x\":1.10}\n{\"id\":\"c\"}\n";
    let done =
        place.run(&["-c", "if [ $CONVERGE_ROUND = 1 ]; then grep -v '\"b\"'; else cat; fi"], input).expect(0);
    assert_eq!(done.converge("b"), "settled/2");
    assert!(done.stderr.contains("round 1: 1 record did not come back: b\n"), "{}", done.stderr);

    let done = place.run(&["-c", "grep -v '\"b\"'"], input).expect(3);
    assert_eq!((done.converge("a"), done.converge("b")), ("settled/1".into(), "lost/3".into()));
    assert_eq!(done.member("b", "converge")["reason"], "did not come back 3 times in a row");
    assert_eq!(done.stdout.lines().count(), 3);
    assert!(done.stdout.lines().nth(1).unwrap().starts_with(r#"{"id":"b","x":1.10,"converge":"#));
}

#[test]
fn a_record_that_comes_back_twice_is_told_and_kept_once() {
    let place = Place::new();
    let done = place
        .run(&["-c", "while read -r l; do echo \"$l\"; echo \"$l\"; done"], "{\"id\":\"a\"}\n")
        .expect(3);
    assert_eq!(done.stdout.lines().count(), 1);
    assert!(done.stderr.contains("id a: came back once more in round 1"), "{}", done.stderr);
}

#[test]
fn the_same_id_twice_in_the_input_loses_nothing() {
    let input = "{\"id\":\"a\",\"v\":1}\n{\"id\":\"a\",\"v\":2}\n";
    let done = Place::new().run(&["-c", "cat"], input).expect(0);
    assert_eq!(done.stdout.lines().map(|line| line.contains("\"v\":2")).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn new_records_are_taken_in_and_take_part() {
    let place = Place::new();
    place.write("stage.sh", "cat; [ $CONVERGE_ROUND != 1 ] || echo '{\"id\":\"part\",\"v\":1}'\n");
    let done = place.run(&["-c", "sh stage.sh"], "{\"id\":\"a\"}\n").expect(0);
    assert_eq!((done.converge("a"), done.converge("part")), ("settled/1".into(), "settled/2".into()));
}

#[test]
fn a_command_that_dies_in_the_middle_is_told_and_run_again() {
    let place = Place::new();
    place.write(
        "stage.sh",
        "[ $CONVERGE_ROUND != 1 ] || { head -1; printf '{\"id\":\"b\"'; kill -9 $$; }; cat\n",
    );
    let input = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
    let done = place.run(&["--records", "--", "sh", "stage.sh"], input).expect(0);
    assert_eq!((done.converge("a"), done.converge("b")), ("settled/1".into(), "settled/2".into()));
    assert!(done.stderr.contains("round 1: the command failed: ended by signal 9"), "{}", done.stderr);
    assert!(done.stderr.contains("did not come back: b"), "{}", done.stderr);
}

#[test]
fn a_command_that_can_not_be_run_ends_it_at_once_and_all_records_leave() {
    let place = Place::new();
    for arguments in [&["-c", "no-such-program-here"][..], &["--records", "--", "no-such-program-here"]] {
        let done = place.run(arguments, "{\"id\":\"a\",\"n\":1.10}\n").expect(4);
        assert!(done.stdout.starts_with(r#"{"id":"a","n":1.10,"converge":{"rounds":1,"#), "{}", done.stdout);
        assert!(done.stderr.contains("no-such-program-here"), "{}", done.stderr);
    }
}

#[test]
fn a_broken_line_leaves_as_a_record_of_its_error() {
    let done = Place::new().run(&["-c", "cat"], "{\"id\":\"a\"}\nbroken\n{\"id\":\"b\"}\n").expect(3);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[1].starts_with(r#"{"errors":[{"stage":"converge","line":2,"#), "{}", lines[1]);
    assert!(lines[1].contains(r#""raw":"broken""#) && lines.len() == 3);
}

#[test]
fn a_broken_line_that_comes_back_is_kept_once() {
    let done = Place::new()
        .run(&["-n", "4", "-c", "echo hello; sed 's/\"v\":\"/\"v\":\"x/'"], "{\"id\":\"a\",\"v\":\"\"}\n");
    let done = done.expect(3);
    assert_eq!(done.stdout.matches("hello").count(), 1, "{}", done.stdout);
    assert!(done.stderr.contains("what came back in round 1 is not a record"), "{}", done.stderr);
}

#[test]
fn records_with_errors_are_let_by_untouched() {
    let input = "{\"id\":\"a\",\"errors\":[{\"stage\":\"x\",\"message\":\"bad\"}]}\n{\"errors\":[1]}\n";
    let done = Place::new().run(&["-c", "exit 9"], input).expect(0);
    assert_eq!(done.stdout, input);
}

#[test]
fn errors_that_a_stage_finds_become_the_exit_status() {
    let stage = r#"sed 's/}$/,"errors":[{"stage":"dispatch","message":"bad"}]}/'"#;
    let done = Place::new().run(&["-c", stage], "{\"id\":\"a\"}\n").expect(3);
    assert_eq!(done.stdout, "{\"id\":\"a\",\"errors\":[{\"stage\":\"dispatch\",\"message\":\"bad\"}]}\n");
    Place::new().run(&["-c", "cat; exit 3"], "{\"id\":\"a\"}\n").expect(3);
}

const ACCEPTED: &str = r#""dispatch":{"attempt":1},"verify":{"attempt":1,"decision":"accept"}"#;

#[test]
fn settled_records_stay_out_unless_an_open_one_needs_them() {
    let place = Place::new();
    let input = format!(
        "{{\"id\":\"root\",{ACCEPTED}}}\n{{\"id\":\"other\",{ACCEPTED}}}\n\
         {{\"id\":\"middle\",\"task\":{{\"text\":\"m\",\"depends_on\":[\"root\"]}},{ACCEPTED}}}\n\
         {{\"id\":\"leaf\",\"task\":{{\"text\":\"l\",\"depends_on\":[\"middle\"]}}}}\n"
    );
    let done = place.run(&["-c", "tee given | cat"], &input).expect(0);
    let ids = place.sh("sed 's/{\"id\":\"\\([a-z]*\\).*/\\1/' given");
    assert_eq!(ids, "root\nmiddle\nleaf\n");
    assert_eq!(done.converge("other"), "settled/0");
    assert_eq!(done.member("other", "converge")["reason"], "accept, before the first round");
}

#[test]
fn a_record_that_was_made_from_an_older_attempt_is_opened_again() {
    let place = Place::new();
    let input = "{\"id\":\"root\",\"dispatch\":{\"attempt\":2},\"verify\":{\"attempt\":2,\"decision\":\"accept\"}}\n\
         {\"id\":\"leaf\",\"task\":{\"text\":\"l\",\"depends_on\":[\"root\"]},\"dispatch\":{\"attempt\":1,\"inputs\":{\"root\":1}},\
         \"verify\":{\"attempt\":1,\"decision\":\"accept\"}}\n";
    let stage = r#"sed -e 's/"attempt":1,"inputs":{"root":1}/"attempt":2,"inputs":{"root":2}/' -e 's/"verify":{"attempt":1/"verify":{"attempt":2/'"#;
    let done = place.run(&["-c", stage], input).expect(0);
    assert_eq!(done.converge("leaf"), "settled/1");
    assert_eq!(done.member("leaf", "dispatch")["inputs"]["root"], 2);
}

#[test]
fn the_limits_are_kept_and_named() {
    let place = Place::new();
    place.write("count.sh", COUNTING);
    let input = "{\"id\":\"a\",\"v\":\"\"}\n";
    let reason = |arguments: &[&str]| {
        let done = place.run(&[arguments, &["-c", "sh count.sh"]].concat(), input).expect(0);
        (done.converge("a"), done.member("a", "converge")["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(reason(&[]), ("exhausted/10".into(), "the limit of 10 rounds is reached".into()));
    assert_eq!(reason(&["-n1"]), ("exhausted/1".into(), "the limit of 1 round is reached".into()));
    let (state, why) = reason(&["-n", "0", "--time", "1s"]);
    assert!(state.starts_with("exhausted/") && why == "the time of 1.0s is over", "{state} {why}");
    place.run(&["-n1", "-e", "-c", "sh count.sh"], input).expect(1);
}

#[test]
fn the_budget_counts_rejected_attempts_too() {
    let place = Place::new();
    let form = r#"{"id":"a","dispatch":{"tier":%s,"cost_usd":0.25,"earlier":[{"cost_usd":0.5}]}}\n"#;
    let stage = &format!("printf '{form}' $CONVERGE_ROUND");
    let input = "{\"id\":\"a\",\"dispatch\":{\"tier\":0}}\n";
    let done = place.run(&["-n3", "--budget", "0.7", "-c", stage], input).expect(0);
    assert_eq!(done.converge("a"), "exhausted/1");
    assert_eq!(done.member("a", "converge")["reason"], "the budget of $0.7000 is spent ($0.7500)");
    assert_eq!(
        place.run(&["-n2", "--budget", "0.8", "-c", stage], input).expect(0).converge("a"),
        "exhausted/2"
    );
}

#[test]
fn a_round_knows_how_much_may_still_be_spent() {
    let place = Place::new();
    let input = "{\"id\":\"a\",\"dispatch\":{\"attempt\":1,\"cost_usd\":0.25}}\n";
    place.run(&["--budget", "1", "-c", "echo ${CONVERGE_BUDGET_LEFT:-none} >> left; cat"], input).expect(0);
    place.run(&["-c", "echo ${CONVERGE_BUDGET_LEFT:-none} >> left; cat"], input).expect(0);
    assert_eq!(place.read("left"), "0.750000\nnone\n");
}

#[test]
fn a_round_that_takes_too_long_is_ended_and_what_came_back_counts() {
    let place = Place::new();
    let stage = "if [ $CONVERGE_ROUND = 1 ]; then head -1; sleep 60; else cat; fi";
    let done =
        place.run(&["--round-time", "500ms", "-c", stage], "{\"id\":\"a\"}\n{\"id\":\"b\"}\n").expect(0);
    assert_eq!((done.converge("a"), done.converge("b")), ("settled/1".into(), "settled/2".into()));
    assert!(done.stderr.contains("round 1: ended after its time; 1 record"), "{}", done.stderr);
    let done = place.run(&["--time", "500ms", "-c", "sleep 60"], "{\"id\":\"a\"}\n").expect(0);
    assert_eq!(done.converge("a"), "exhausted/1");
}

#[test]
fn much_data_does_not_block_whoever_writes_first() {
    let place = Place::new();
    let text = "x".repeat(1_000_000);
    let input: String = (0..100).map(|id| format!("{{\"id\":{id},\"x\":\"{text}\"}}\n")).collect();
    // It writes 100 MB before it has read much, and as much on standard error.
    let done = place.run(&["-c", "head -c 100000000 /dev/zero > /dev/null; tee /dev/null"], &input).expect(0);
    assert_eq!(done.stdout.lines().count(), 100);
    assert!(done.stdout.len() > 100_000_000);
}

#[test]
fn a_killed_run_goes_on_after_the_last_finished_round() {
    let place = Place::new();
    let stage = "echo $CONVERGE_ROUND >> rounds; if [ $CONVERGE_ROUND = 2 ] && [ ! -e go ]; then echo $$ > pid; sleep 600; fi\n";
    place.write("stage.sh", &format!("{stage}{COUNTING}"));
    let input = "{\"id\":\"a\",\"v\":\"\"}\n{\"id\":\"b\",\"v\":\"1.10\"}\n";
    let arguments = ["-n", "3", "--resume", "-c", "sh stage.sh"];
    let mut child = place.start(&arguments, input);
    wait_until("the second round", || !place.read("pid").is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the end of the orphan", || !is_alive(&place.path("pid")));

    place.write("go", "");
    let resumed = place.run(&arguments, input).expect(0);
    assert!(resumed.stderr.contains("resuming after 1 finished round"), "{}", resumed.stderr);
    assert_eq!(place.read("rounds"), "1\n2\n2\n3\n");
    let whole = place.run(&["-n", "3", "-c", "sh stage.sh"], input).expect(0);
    assert_eq!(resumed.stdout, whole.stdout);
    // A run that came to a limit runs nothing when it is resumed, unless the limit is raised.
    place.write("rounds", "");
    assert_eq!(place.run(&arguments, input).expect(0).stdout, whole.stdout);
    assert_eq!(place.read("rounds"), "");
    place.run(&["-n", "4", "--resume", "-c", "sh stage.sh"], input).expect(0);
    assert_eq!(place.read("rounds"), "4\n");
}

#[test]
fn a_run_leaves_on_disk_what_can_be_resumed_and_no_more() {
    let place = Place::new();
    place.write("count.sh", COUNTING);
    let tool = env!("CARGO_BIN_EXE_converge");
    let input = "{\"id\":\"a\",\"v\":\"\"}\n";
    place.write("in", input);
    let left = || place.sh("cd .specpipe/converge; ls *; rm -rf *");
    place.run(&["-c", "cat"], input).expect(0);
    assert_eq!(place.sh("ls -A .specpipe/converge"), "");
    place.run(&["-n", "2", "-c", "sh count.sh"], input).expect(0);
    assert_eq!(left(), "journal.jsonl\nlock\nrecords.jsonl\n");
    // The results were paid for, and nobody has them.
    place.sh(&format!("{tool} -q -c cat < in > /dev/full || true"));
    assert_eq!(left(), "journal.jsonl\nlock\nrecords.jsonl\n");
    place.run(&["-c", "exit 127"], input).expect(4);
    assert_eq!(left(), "journal.jsonl\nlock\nrecords.jsonl\n");
}

#[test]
fn another_input_is_another_run() {
    let place = Place::new();
    place.run(&["-c", "cat"], "{\"id\":\"a\"}\n").expect(0);
    let done = place.run(&["--resume", "-c", "cat"], "{\"id\":\"b\"}\n").expect(0);
    assert!(done.stderr.contains("no unfinished run with this input"), "{}", done.stderr);
}

#[test]
fn an_interrupt_ends_the_command_and_all_records_leave() {
    let place = Place::new();
    let stage = "if [ $CONVERGE_ROUND = 1 ]; then sed 's/0/1/'; else head -1 | sed 's/1/2/'; echo $$ > pid; sleep 600; fi";
    let child = place.start(&["-c", stage], "{\"id\":\"a\",\"v\":0}\n{\"id\":\"b\",\"v\":0}\n");
    wait_until("the second round", || !place.read("pid").is_empty());
    signal(&child, "-INT");
    let done = Done::from(child.wait_with_output().unwrap()).expect(130);
    assert_eq!((done.member("a", "v"), done.member("b", "v")), (2.into(), 1.into()), "{}", done.stdout);
    assert_eq!(done.converge("b"), "exhausted/2");
    assert_eq!(done.member("b", "converge")["reason"], "interrupted");
    assert!(!is_alive(&place.path("pid")));
}

#[test]
fn a_closed_output_is_no_error_and_a_full_one_is() {
    let place = Place::new();
    let tool = env!("CARGO_BIN_EXE_converge");
    let input: String = (0..5000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    place.write("in", &input);
    let script = format!("{{ {tool} -c cat < in; echo status $? >&2; }} 2> err | head -1; cat err; rm err");
    assert!(place.sh(&script).ends_with("\"}}\nstatus 0\n"));
    let done = place.sh(&format!("{tool} -c cat < in > /dev/full 2> err || echo status $?; cat err"));
    assert!(done.starts_with("status 4\n") && done.contains("No space left"), "{done}");
}

#[test]
fn without_a_place_for_the_journal_it_works_all_the_same() {
    let place = Place::new();
    place.write(".specpipe", "a file in the way");
    let done = place.run(&["-c", "cat"], "{\"id\":\"a\"}\n").expect(0);
    assert_eq!(done.converge("a"), "settled/1");
    assert!(done.stderr.contains("no journal is kept"), "{}", done.stderr);
}

#[test]
fn files_are_read_in_place_of_standard_input() {
    let place = Place::new();
    place.write("one", "{\"id\":\"a\"}").write("two", "{\"id\":\"b\"}\n");
    assert_eq!(place.run(&["-c", "cat", "one", "two"], "").expect(0).stdout.lines().count(), 2);
    let done = place.run(&["-c", "cat", "three"], "").expect(2);
    assert!(done.stderr.contains("cannot read `three`"), "{}", done.stderr);
}

#[test]
fn no_records_are_no_work() {
    assert_eq!(Place::new().run(&["-e", "-c", "exit 9"], "").expect(0).stdout, "");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]

    /// Whatever is dropped, repeated or made on the way, the records of the input leave, in order, with their ids.
    #[test]
    fn as_many_leave_as_came_and_with_their_ids(
        ids in proptest::collection::vec("[a-f]{1,2}", 0..12),
        script in proptest::sample::select(vec![
            "cat", "sed 1d", "sed p", "tac", "sed '$d' | sed p", "grep -v a", "sed 's/0/1/'", "head -c 20", "cat; echo '{}'",
            "sed 's/\"id\":\"a/\"id\":\"x/'",
        ]),
    ) {
        let input: String = ids.iter().map(|id| format!("{{\"id\":\"{id}\",\"v\":0}}\n")).collect();
        let done = Place::new().run(&["-q", "-n", "4", "-c", script], &input);
        let out: Vec<serde_json::Value> =
            done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        proptest::prop_assert!(out.len() >= ids.len());
        for (record, id) in out.iter().zip(&ids) {
            proptest::prop_assert_eq!(record["id"].as_str(), Some(id.as_str()));
        }
    }
}
