//! Calibration and replay as processes: one test for each promise of the README.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// A project of its own for each test.
struct Project(tempfile::TempDir);

/// What a run came to.
struct Ran {
    status: Option<i32>,
    output: String,
    errors: String,
}

impl Ran {
    fn lines(&self) -> Vec<Value> {
        self.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|_| panic!("{} {}", self.output, self.errors))
    }
}

impl Project {
    fn new() -> Project {
        Project(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str], input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_classify"))
            .args(args)
            .current_dir(self.path())
            .env("XDG_CONFIG_HOME", self.path())
            .env_remove("SPECPIPE_CONFIG")
            .env_remove("SPECPIPE_CLASSIFY_CALIBRATION")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { status: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
    }

    /// Calibrates, and returns what was learned.
    fn calibrate(&self, records: &[Value], args: &[&str]) -> Value {
        let mut all = vec!["calibrate", "--json"];
        all.extend(args);
        let ran = self.run(&all, &lines(records));
        assert_eq!(ran.status, Some(0), "{}", ran.errors);
        ran.json()
    }

    fn classify(&self, task: &str) -> Value {
        let ran = self.run(&["--text", task], "");
        assert_eq!(ran.status, Some(0), "{}", ran.errors);
        ran.lines()[0]["classify"].clone()
    }

    fn names(&self) -> Vec<String> {
        let state = std::fs::read_dir(self.path().join(".specpipe"));
        let mut names: Vec<String> = state
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| record.to_string() + "\n").collect()
}

fn verdict(attempt: u32, decision: &str) -> Value {
    json!({"attempt": attempt, "decision": decision, "confidence": 1, "checks": [], "reason": ""})
}

fn drafted(id: usize, task: &str, tier: u8, decision: &str) -> Value {
    json!({
        "id": format!("t{id}"), "task": task,
        "dispatch": {"attempt": 1, "status": "ok", "executor": "implement", "tier": tier, "turns": id % 7 + 1,
                     "usage": {"input_tokens": 100 + id, "output_tokens": 50}, "model": "claude-haiku-4-5"},
        "verify": verdict(1, decision),
    })
}

/// Tasks of which those about parsers fail.
fn mixed(n: usize) -> Vec<Value> {
    (0..n)
        .map(|i| match i % 4 {
            0 => drafted(i, &format!("fix the parser of format {i}"), 1, "escalate"),
            _ => drafted(i, &format!("rename the variable {i} in the module"), 1, "accept"),
        })
        .collect()
}

fn same_but_for_time(mut calibration: Value) -> Value {
    calibration["made_at"].take();
    if calibration["promise"].is_object() {
        calibration["promise"]["made_at"].take();
    }
    calibration
}

#[test]
fn what_was_learned_is_used_from_then_on_and_can_be_left_out() {
    let project = Project::new();
    let before = project.classify("rename the variable 7 in the module");
    assert!(before.get("acceptance").is_none());
    project.calibrate(&mixed(120), &[]);
    assert_eq!(project.names(), [".gitignore", "calibration.evidence.jsonl", "calibration.json"]);
    let probability = |task: &str| {
        let acceptance = project.classify(task)["acceptance"]["1"].clone();
        assert_eq!((&acceptance["basis"], &acceptance["n"]), (&json!("model"), &json!(120)));
        acceptance["probability"].as_f64().unwrap()
    };
    assert!(probability("rename the variable 7 in the module") > 0.8);
    assert!(probability("fix the parser of format 9") < 0.2);
    let off = project.run(&["--calibration", "off", "--text", "rename the variable 7 in the module"], "");
    assert_eq!(off.lines()[0]["classify"], before);
    std::fs::write(project.path().join("specpipe.toml"), "[classify]\ncalibration = \"off\"\n").unwrap();
    assert_eq!(project.classify("rename the variable 7 in the module"), before);
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let project = Project::new();
    let dry = project.calibrate(&mixed(120), &["--dry-run"]);
    assert!(project.names().is_empty());
    let wet = project.calibrate(&mixed(120), &[]);
    assert_eq!(same_but_for_time(dry), same_but_for_time(wet));
    let told = project.run(&["calibrate", "--dry-run"], &lines(&mixed(120)));
    assert!(told.errors.contains("nothing was written"), "{}", told.errors);
    assert!(told.output.contains("outcome model of tier 1: 120 drafts, 30 rejected"), "{}", told.output);
}

#[test]
fn neither_order_nor_repetition_nor_the_way_it_came_in_changes_what_is_learned() {
    let records = mixed(100);
    let learn =
        |records: &[Value]| same_but_for_time(Project::new().calibrate(records, &["--max-bad-accept", "5%"]));
    let once = learn(&records);
    let mut reversed = records.clone();
    reversed.reverse();
    assert_eq!(learn(&reversed), once);
    assert_eq!(learn(&[records.clone(), records.clone()].concat()), once);
    let project = Project::new();
    project.calibrate(&records[..40], &[]);
    project.calibrate(&records[30..], &["--merge", "--max-bad-accept", "5%"]);
    let again = project.calibrate(&records, &["--merge", "--max-bad-accept", "5%"]);
    assert_eq!(same_but_for_time(again), once);
    // Without --merge the old evidence is gone.
    assert_eq!(project.calibrate(&records[..40], &[])["tasks"], 40);
}

#[test]
fn of_those_who_merge_at_the_same_time_nobody_loses_evidence() {
    let project = Project::new();
    let records = mixed(120);
    for output in [&[][..], &["--output", "own.json"]] {
        std::thread::scope(|scope| {
            for share in records.chunks(20) {
                let project = &project;
                scope.spawn(move || project.calibrate(share, &[&["--merge"], output].concat()));
            }
        });
        let all = project.calibrate(&records[..1], &[&["--merge"], output].concat());
        assert_eq!(all["tasks"], 120);
    }
}

#[test]
fn all_attempts_of_a_task_are_evidence_and_the_tiers_are_counted_apart() {
    let records: Vec<Value> = (0..30)
        .map(|i| {
            let mut record =
                drafted(i, "add a retry to the client", 2, if i % 10 == 0 { "fix" } else { "accept" });
            record["dispatch"]["attempt"] = json!(2);
            record["verify"]["attempt"] = json!(2);
            record["dispatch"]["earlier"] =
                json!([{"attempt": 1, "tier": 1, "status": "ok", "elapsed_ms": i, "decision": "escalate"}]);
            record
        })
        .collect();
    let learned = Project::new().calibrate(&records, &[]);
    let tier = |number: &str| &learned["tiers"][number];
    assert_eq!((&tier("1")["accepted"], &tier("1")["rejected"]), (&json!(0.0), &json!(30.0)));
    assert_eq!((&tier("2")["accepted"], &tier("2")["rejected"]), (&json!(27.0), &json!(3.0)));
    assert_eq!(tier("1")["shift"], "up");
    assert_eq!(tier("2")["signatures"]["implement/add"]["n"], 30);
    // (27 + 10 · 0.925) / 40
    assert_eq!(tier("2")["acceptance"], 0.90625);
    assert_eq!(tier("2")["effort"]["turns"], json!({"p10": 1.0, "p50": 4.0, "p90": 7.0, "n": 30}));
    assert_eq!(tier("2")["effort"]["output_tokens"]["p50"], 50.0);
}

#[test]
fn old_evidence_weighs_less() {
    let mut records = vec![drafted(0, "fix it", 1, "escalate"), drafted(1, "fix that", 1, "accept")];
    records[0]["dispatch"]["started_at"] = json!("2026-08-01T00:00:00Z");
    records[1]["dispatch"]["started_at"] = json!("2026-08-31T00:00:00Z");
    let learned = Project::new().calibrate(&records, &["--half-life", "30d"]);
    assert_eq!(
        (&learned["tiers"]["1"]["accepted"], &learned["tiers"]["1"]["rejected"]),
        (&json!(1.0), &json!(0.5))
    );
}

#[test]
fn borderline_tasks_move_only_if_the_evidence_is_clear() {
    // Uncertain words: tier 2 with a confidence below 0.75.
    let task = "polish the settings dialog";
    let tier_after = |n: usize, rejected: usize| {
        let project = Project::new();
        let before = project.classify(task);
        assert_eq!(before["tier"], 2, "{before}");
        assert!(before["confidence"].as_f64().unwrap() < 0.75, "{before}");
        let records: Vec<Value> = (0..n)
            .map(|i| drafted(i, "the same", 2, if i < rejected { "escalate" } else { "accept" }))
            .collect();
        project.calibrate(&records, &[]);
        project.classify(task)
    };
    assert_eq!(tier_after(20, 6)["tier"], 2, "30 % of 20 may still be 20 %");
    let lifted = tier_after(100, 30);
    assert_eq!(lifted["tier"], 3);
    let reasons = lifted["reasons"].to_string();
    assert!(reasons.contains("borderline, and 30 % of 100 drafts of tier 2 were rejected"), "{reasons}");
    assert_eq!(tier_after(10, 10)["tier"], 2, "ten verdicts are no evidence");
    assert_eq!(tier_after(100, 10)["tier"], 2);
}

#[test]
fn what_you_have_said_about_a_tier_is_not_moved() {
    let project = Project::new();
    let records: Vec<Value> = (0..100).map(|i| drafted(i, "the same", 1, "escalate")).collect();
    project.calibrate(&records, &["--max-bad-accept", "5%"]);
    let of = |task: Value| {
        let input = json!({"id": "a", "task": task}).to_string() + "\n";
        project.run(&[], &input).lines()[0]["classify"].clone()
    };
    assert_eq!(of(json!("find the callers of load"))["tier"], 2);
    assert_eq!(of(json!({"text": "run the tests", "run": ["make", "test"]}))["tier"], 1);
    let capped = of(json!({"text": "find the callers of load", "max_tier": 1}));
    assert_eq!(capped["tier"], 1);
    assert!(capped["reasons"].to_string().contains("outside of the promise"), "{capped}");
    let rule = "[[classify.rules]]\nwords = [\"callers\"]\ntier = 1\n";
    std::fs::write(project.path().join("specpipe.toml"), rule).unwrap();
    assert_eq!(of(json!("find the callers of load"))["tier"], 1);
}

#[test]
fn a_promise_is_kept_by_sending_up_what_scores_too_low_and_is_told_in_each_record() {
    let project = Project::new();
    let learned = project.calibrate(&mixed(200), &["--max-bad-accept", "5%", "--confidence", "90%"]);
    let promise = &learned["promise"];
    let threshold = promise["threshold"].as_f64().unwrap();
    assert!(promise["bound"].as_f64().unwrap() <= 0.05, "{promise}");
    assert_eq!((&promise["tier"], &promise["n"]), (&json!(1), &json!(200)));
    for (task, delegated) in
        [("rename the variable 7 in the module", true), ("fix the parser of format 9", false)]
    {
        let classify = project.classify(task);
        assert_eq!(classify["promise"]["delegated"], delegated, "{classify}");
        assert_eq!(classify["promise"]["threshold"], threshold);
        assert_eq!(classify["promise"]["max_bad_accept"], 0.05);
        assert_eq!(classify["acceptance"]["1"]["probability"].as_f64().unwrap() >= threshold, delegated);
    }
}

#[test]
fn too_few_records_promise_nothing_and_delegate_nothing() {
    let project = Project::new();
    let ran =
        project.run(&["calibrate", "--exit-status", "--max-bad-accept", "5%"], &lines(&mixed(200)[..40]));
    assert_eq!(ran.status, Some(1));
    assert!(ran.errors.contains("40 records are too few, 20 more are needed"), "{}", ran.errors);
    let classify = project.classify("find the callers of load");
    assert_eq!((&classify["tier"], &classify["promise"]["delegated"]), (&json!(2), &json!(false)));
    assert_eq!(classify["promise"]["missing"], 20);
    assert!(classify["reasons"].to_string().contains("before 20 more records are verified"), "{classify}");
}

#[test]
fn what_can_not_be_used_is_told_with_what_to_do() {
    let project = Project::new();
    let none = project.run(&["calibrate"], "{\"id\":\"a\",\"task\":\"fix it\"}\n");
    assert_eq!(none.status, Some(4));
    assert!(none.errors.contains("none of 1 records has a verdict"), "{}", none.errors);
    assert!(none.errors.contains("classify | dispatch | gates | verify"), "{}", none.errors);
    assert!(project.names().is_empty());
    let broken = lines(&mixed(50)) + "nonsense\n";
    let ran = project.run(&["calibrate"], &broken);
    assert_eq!(ran.status, Some(3));
    assert!(ran.errors.contains("line 51"), "{}", ran.errors);
    for (arguments, message) in [
        (["--max-bad-accept", "5"].as_slice(), "did you mean 5%?"),
        (&["--confidence", "90%"], "--max-bad-accept"),
        (&["--half-life", "0"], "teaches nothing"),
        (&["--tier", "3", "--max-bad-accept", "5%"], "1..=2"),
    ] {
        let ran = project.run(&[&["calibrate"], arguments].concat(), "");
        assert!(ran.status == Some(2) && ran.errors.contains(message), "{arguments:?}: {}", ran.errors);
    }
    for text in ["", "{}", "{\"version\":99}", "[1,2]"] {
        std::fs::write(project.path().join(".specpipe/calibration.json"), text).unwrap();
        let ran = project.run(&["--text", "fix it"], "");
        assert_eq!(ran.status, Some(2), "{text}");
        assert!(ran.errors.contains("--calibration off"), "{}", ran.errors);
    }
    let missing = project.run(&["--calibration", "nowhere.json", "--text", "fix it"], "");
    assert!(missing.status == Some(2) && missing.errors.contains("nowhere.json"), "{}", missing.errors);
}

#[test]
fn a_log_is_replayed_beside_the_baselines() {
    let project = Project::new();
    let mut records = mixed(120);
    for (i, record) in records.iter_mut().enumerate().filter(|(i, _)| i % 4 == 0) {
        record["dispatch"]["attempt"] = json!(2);
        record["dispatch"]["tier"] = json!(2);
        record["dispatch"]["model"] = json!("claude-sonnet-4-5");
        record["dispatch"]["earlier"] = json!([{"attempt": 1, "tier": 1, "status": "ok", "elapsed_ms": i,
            "decision": "escalate", "model": "claude-haiku-4-5",
            "usage": {"input_tokens": 100, "output_tokens": 50}}]);
        record["verify"] = verdict(2, "accept");
    }
    let replay = |args: &[&str]| {
        let ran = project.run(&[&["replay", "--json"], args].concat(), &lines(&records));
        assert_eq!(ran.status, Some(0), "{}", ran.errors);
        ran.json()
    };
    let replayed = replay(&[]);
    assert_eq!(
        (&replayed["drafted"], &replayed["rejected"], &replayed["strong_known"], &replayed["priced"]),
        (&json!(120), &json!(30), &json!(30), &json!(false))
    );
    let of = |replayed: &Value, name: &str| {
        replayed["rankings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|ranking| ranking["score"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of(&replayed, "learned here")["auroc"], 1.0);
    assert_eq!(of(&replayed, "oracle")["apgr"], 0.875);
    assert_eq!(of(&replayed, "random")["auroc"], 0.5);
    assert!(of(&replayed, "length")["auroc"].is_number());
    let priced = replay(&["--model", "1=claude-haiku-4-5", "--threshold", "0.5", "--curve", "5"]);
    let routing = &priced["routings"][0];
    assert_eq!((&routing["delegated"], &routing["bad"]), (&json!(0.75), &json!(0.0)));
    assert!(routing["saved"].as_f64().unwrap() > 0.3, "{routing}");
    assert!(of(&priced, "oracle")["curve"].as_array().unwrap().len() >= 2);
    let modes = replay(&["--mode", "conservative,aggressive"]);
    let share = |at: usize| modes["routings"][at]["delegated"].as_f64().unwrap();
    assert_eq!(modes["routings"][1]["score"], "aggressive");
    assert!(share(0) <= share(1), "{}", modes["routings"]);
    // The calibration of these very tasks is told to flatter.
    project.calibrate(&records, &[]);
    assert_eq!(replay(&[])["learned_from"], 120);
    let table = project.run(&["replay"], &lines(&records)).output;
    assert!(table.contains("so its row flatters") && table.contains("ranked by"), "{table}");
    let unknown = project.run(&["replay", "--model", "1=nobody"], "");
    assert!(unknown.status == Some(2) && unknown.errors.contains("`nobody`"), "{}", unknown.errors);
    let nothing = project.run(&["replay", "--calibration", "off"], "{\"id\":\"a\",\"task\":\"fix it\"}\n");
    assert!(nothing.status == Some(4) && nothing.errors.contains("verdict"), "{}", nothing.errors);
}
