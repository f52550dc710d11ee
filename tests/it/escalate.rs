//! The loop that all of this is for: a wrong draft is caught by facts, goes one tier up, and the next one is accepted.

use std::process::Command;

use serde_json::{Value, json};
use tests::{Output, Shell};

/// A small project whose test fails: `double` adds one.
fn broken_project() -> Shell {
    let shell = Shell::new();
    shell.write("double.sh", "#!/bin/sh\n# Prints twice its argument.\necho $(( $1 + 1 ))\n");
    shell.write(
        "test.sh",
        "#!/bin/sh\n[ \"$(sh double.sh 4)\" = 8 ] || { echo 'double 4 is not 8' >&2; exit 1; }\necho '1 test passed'\n",
    );
    shell.write("Makefile", "test:\n\tsh test.sh\n");
    shell.run("git init -q . && git add . && git commit -qm begin").succeeds();
    shell.run("make test > /dev/null 2>&1").exits(2);
    shell
}

/// Returns the patch from what is committed to this content of `double.sh`.
fn patch(shell: &Shell, line: &str) -> String {
    let now = shell.read("double.sh");
    shell.write("double.sh", now.replace("echo $(( $1 + 1 ))", line));
    let patch = shell.run("git diff; git checkout -q .").succeeds().stdout;
    assert!(patch.contains("double.sh"));
    patch
}

fn task(text: &str) -> String {
    json!({"id": "fix", "task": {"text": text, "executor": "implement", "files_touched": ["double.sh"]}})
        .to_string()
        + "\n"
}

/// Runs the whole loop with these recorded answers.
fn run(shell: &Shell, input: &str, answers: &[Value]) -> (Output, Value) {
    let answers: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let place = shell.home().join("answers.jsonl");
    std::fs::write(&place, answers).expect("answers");
    let before = state(shell);
    let output = shell
        .run_on(
            input,
            &format!("classify | converge -n 5 -c 'dispatch --replay {} | gates | verify'", place.display()),
        )
        .succeeds();
    assert_eq!(state(shell), before, "the user's checkout was touched\n{output}");
    let record = output.records().remove(0);
    (output, record)
}

/// What belongs to the user: the branch, the commit, the files, the index.
fn state(shell: &Shell) -> String {
    shell.run("git status --porcelain=v2 --branch; git stash list; cat double.sh").succeeds().stdout
}

#[test]
fn a_patch_that_fails_the_test_is_escalated_and_the_next_one_accepted() {
    let shell = broken_project();
    let wrong = patch(&shell, "echo $(( $1 * 3 ))");
    let right = patch(&shell, "echo $(( $1 * 2 ))");
    let (output, record) = run(
        &shell,
        &task("fix double.sh so that the test passes"),
        &[
            json!({"id": "fix", "attempt": 1, "output": "double.sh multiplies now.", "patch": wrong,
                   "usage": {"input_tokens": 1000, "output_tokens": 100}, "cost_usd": 0.001}),
            json!({"id": "fix", "attempt": 2, "output": "double.sh multiplies by two now.", "patch": right,
                   "usage": {"input_tokens": 2000, "output_tokens": 100}, "cost_usd": 0.01}),
        ],
    );
    let (dispatch, verify) = (&record["dispatch"], &record["verify"]);
    assert_eq!((&dispatch["attempt"], &verify["attempt"]), (&2.into(), &2.into()), "{output}");
    assert_eq!(verify["decision"], "accept", "{output}");
    let first = &dispatch["earlier"][0];
    assert!(first["decision"] == "escalate" || first["decision"] == "fix", "{output}");
    assert!(dispatch["tier"].as_u64() > first["tier"].as_u64(), "never the same or a lower tier\n{output}");
    assert_eq!(record["gates"]["outcome"], "pass", "{output}");
    let tests =
        record["gates"]["results"].as_array().and_then(|all| all.iter().find(|one| one["gate"] == "tests"));
    assert_eq!(tests.map(|tests| &tests["outcome"]), Some(&"pass".into()), "{output}");
    assert_eq!(record["converge"]["state"], "settled", "{output}");
    assert_eq!(dispatch["files_changed"], json!(["double.sh"]), "{output}");
    // The work is a commit that can be taken over.
    let commit = dispatch["commit"].as_str().expect("a commit");
    let content = shell.run(&format!("git show {commit}:double.sh")).succeeds().stdout;
    assert!(content.contains("$1 * 2"), "{content}");
    // Every attempt is paid work.
    let report = shell.run_on(&output.stdout, "verify report --format json").succeeds();
    let report: Value = serde_json::from_str(&report.stdout).expect("one document");
    assert!(report.to_string().contains("0.011"), "{report}");
}

#[test]
fn an_answer_that_cites_what_is_not_there_is_not_accepted() {
    let shell = broken_project();
    let input = json!({"id": "where", "task": {"text": "where is the doubling done? cite file and line", "executor": "explore"}});
    let (output, record) = run(
        &shell,
        &format!("{input}\n"),
        &[
            json!({"id": "where", "attempt": 1, "output": "The doubling is done in src/double.c:12."}),
            json!({"id": "where", "attempt": 2, "output": "The doubling is done in double.sh:3."}),
        ],
    );
    let earlier = &record["dispatch"]["earlier"][0];
    assert!(earlier["decision"] == "escalate" || earlier["decision"] == "fix", "{output}");
    assert!(earlier["reason"].as_str().is_some_and(|reason| reason.contains("src/double.c")), "{output}");
    assert_eq!(record["verify"]["decision"], "accept", "{output}");
    assert_eq!(record["dispatch"]["attempt"], 2, "{output}");
}

#[test]
fn what_stays_wrong_ends_blocked_at_the_top() {
    let shell = broken_project();
    let wrong = patch(&shell, "echo $(( $1 * 3 ))");
    let (output, record) = run(
        &shell,
        &task("fix double.sh so that the test passes"),
        &[json!({"id": "fix", "output": "double.sh multiplies now.", "patch": wrong})],
    );
    assert_eq!(record["verify"]["decision"], "blocked", "{output}");
    assert_eq!(record["dispatch"]["tier"], 3, "{output}");
    let tiers: Vec<u64> = record["dispatch"]["earlier"]
        .as_array()
        .expect("earlier attempts")
        .iter()
        .filter_map(|attempt| attempt["tier"].as_u64())
        .collect();
    assert!(tiers.windows(2).all(|two| two[0] < two[1]), "{tiers:?}");
}

#[test]
fn a_pipeline_can_be_unrolled_by_hand() {
    let shell = broken_project();
    let wrong = patch(&shell, "echo $(( $1 * 3 ))");
    let right = patch(&shell, "echo $(( $1 * 2 ))");
    let answers = [
        json!({"id": "fix", "attempt": 1, "output": "double.sh multiplies now.", "patch": wrong}),
        json!({"id": "fix", "attempt": 2, "output": "double.sh multiplies by two now.", "patch": right}),
    ];
    let place = shell.home().join("answers.jsonl");
    std::fs::write(&place, format!("{}\n{}\n", answers[0], answers[1])).expect("answers");
    let dispatch = format!("dispatch --replay {}", place.display());
    let piped = shell.pipe(
        task("fix double.sh so that the test passes"),
        &["classify", &dispatch, "gates", "verify", &dispatch, "gates", "verify -e"],
    );
    assert_eq!(piped.statuses, [0; 7], "{}", piped.output);
    assert_eq!(piped.output.records()[0]["dispatch"]["attempt"], 2, "{}", piped.output);
}

/// A record that needs nothing is not touched, whatever happens to the one beside it.
#[test]
fn accepted_records_are_left_alone_while_others_go_round() {
    let shell = broken_project();
    let input = json!({"id": "where", "task": {"text": "where is the doubling done? cite file and line", "executor": "explore"}});
    let simple = json!({"id": "count", "task": {"text": "say hello", "run": ["fake-executor", "--note", "../home/ran", "once", "--stdout", "hello"]}});
    let (output, _) = run(
        &shell,
        &format!("{simple}\n{input}\n"),
        &[
            json!({"id": "where", "attempt": 1, "output": "In src/double.c:12."}),
            json!({"id": "where", "attempt": 2, "output": "The doubling is done in double.sh:3."}),
        ],
    );
    assert_eq!(output.records()[0]["dispatch"]["attempt"], 1, "{output}");
    let ran = std::fs::read_to_string(shell.home().join("ran")).expect("it ran");
    assert_eq!(ran, "once\n", "it ran again");
}

/// The demo does the same with more words; its script has to be sound also where it is not run.
#[test]
fn the_demo_is_a_sound_script() {
    let script = tests::tools::workspace().join("demo/run.sh");
    let status = Command::new("sh").arg("-n").arg(&script).status().expect("sh");
    assert!(status.success());
}
