//! The frozen table of answers, good and bad, with the decision that each has to get (`cases.jsonl`).
//!
//! No bad answer may ever be accepted. A case that changes its decision is a change of behaviour: say so in the changelog.

use std::path::Path;
use std::process::Command;

use clap::Parser;
use serde_json::{Value, json};
use shared::{Exit, Io};

const LIB: &str = "//! Durations as people write them.
use std::time::Duration;

/// Reads a duration such as `90s`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    match unit {
        \"s\" => Some(Duration::from_secs(number)),
        \"m\" => Some(Duration::from_secs(number * 60)),
        _ => None,
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..end].parse().ok()?, &text[end..]))
}
";

const MAIN: &str = "//! Prints durations.

fn main() {
    let all: Vec<String> = std::env::args().skip(1).collect();
    let mut seconds = 0;
    for text in &all {
        if let Some(duration) = durations::parse_duration(text) {
            seconds += duration.as_secs();
        }
    }
    let minutes = seconds / 60;
    let hours = minutes / 60;
    let days = hours / 24;
    print(days, hours, minutes, seconds);
    // The rest is for many at once.
    let total = all.len();
    run_all(total);
}

fn print(days: u64, hours: u64, minutes: u64, seconds: u64) {
    println!(\"{days} {hours} {minutes} {seconds}\");
}

fn run_all(total: usize) {
    println!(\"{total}\");
}
";

const TESTS: &str = "use durations::parse_duration;

#[test]
fn minutes() {
    assert_eq!(parse_duration(\"2m\").unwrap().as_secs(), 120);
}
";

const HOURS_TEST: &str = "
#[test]
fn hours() {
    assert_eq!(parse_duration(\"1h\").unwrap().as_secs(), 3600);
}
";

const CARGO: &str =
    "[package]\nname = \"durations\"\nversion = \"0.1.0\"\n\n[dependencies]\nserde = \"1.0.200\"\n";
const USAGE: &str =
    "# Usage\n\nRun `durations 90s 2m`.\n\nThe bot says: I'm sorry, but I can't help with that.\n";

/// A repository with one commit for each change that the cases speak of.
struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    fn new() -> Repository {
        let repository = Repository { directory: tempfile::tempdir().unwrap() };
        repository.git(&["init", "-q", "-b", "main"]);
        for (path, text) in [
            ("src/lib.rs", LIB),
            ("src/main.rs", MAIN),
            ("tests/durations.rs", TESTS),
            ("Cargo.toml", CARGO),
            ("docs/usage.md", USAGE),
            ("README.md", "# durations\n"),
        ] {
            repository.write(path, text);
        }
        repository.commit("base");
        let hours = LIB.replace(
            "        _ =>",
            "        \"h\" => Some(Duration::from_secs(number * 3600)),\n        _ =>",
        );
        repository.branch(
            "GOOD",
            &[("src/lib.rs", &hours), ("tests/durations.rs", &format!("{TESTS}{HOURS_TEST}"))],
        );
        repository.branch(
            "WEAKER",
            &[("src/lib.rs", &hours), ("tests/durations.rs", &TESTS.replace("2m", "120s"))],
        );
        let ends = TESTS.replace("    assert_eq!", "    return;\n    assert_eq!");
        repository.branch("ENDS_EARLY", &[("src/lib.rs", &hours), ("tests/durations.rs", &ends)]);
        let untested = format!("{CARGO}\n[[test]]\nname = \"durations\"\ntest = false\n");
        repository.branch("UNTESTED", &[("src/lib.rs", &hours), ("Cargo.toml", &untested)]);
        let stub = LIB.replace("        _ =>", "        \"h\" => todo!(),\n        _ =>");
        repository.branch("ONLY_README", &[("README.md", "# durations\n\nNow with hours.\n")]);
        repository.branch("ONLY_TESTS", &[("tests/durations.rs", &TESTS.replace("120", "120 + 0"))]);
        repository.branch("NO_TEST", &[("src/lib.rs", &hours), ("tests/durations.rs", "")]);
        let ignored = TESTS.replace("#[test]", "#[test]\n#[ignore]");
        repository.branch("IGNORED", &[("src/lib.rs", &hours), ("tests/durations.rs", &ignored)]);
        repository.branch("STUB", &[("src/lib.rs", &stub)]);
        let documented = LIB.replace("fn split", "/// Splits the number from its unit.\nfn split");
        repository.branch("DOC", &[("src/lib.rs", &documented)]);
        let logic = documented.replace("number * 60", "number * 61");
        repository.branch("DOC_LOGIC", &[("src/lib.rs", &logic)]);
        repository
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        let output =
            Command::new("git").current_dir(self.path()).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn branch(&self, name: &str, files: &[(&str, &str)]) {
        self.git(&["checkout", "-q", "-b", name, "main"]);
        files.iter().for_each(|(path, text)| self.write(path, text));
        self.commit(name);
        self.git(&["checkout", "-q", "main"]);
    }

    /// Returns the record of a case. Every commit is checked out into the place in its turn.
    fn record(&self, case: &Value) -> Value {
        let mut dispatch = json!({
            "attempt": 1, "status": "ok", "executor": case["executor"], "backend": "replay", "model": "m", "tier": 1,
            "output": case["output"], "elapsed_ms": 1, "worktree": self.path(),
        });
        if let Some(branch) = case["diff"].as_str() {
            self.git(&["checkout", "-q", branch]);
            let changed = self.git(&["diff", "--name-only", "main", branch]);
            dispatch["files_changed"] = changed.lines().collect();
            dispatch["base"] = self.git(&["rev-parse", "main"]).into();
            dispatch["commit"] = self.git(&["rev-parse", branch]).into();
        } else {
            self.git(&["checkout", "-q", "main"]);
        }
        for (key, value) in case["dispatch"].as_object().into_iter().flatten() {
            dispatch[key] = value.clone();
        }
        let mut record = json!({
            "id": "t", "task": case["task"], "dispatch": dispatch,
            "classify": { "tier": 1, "executor": case["executor"], "confidence": 0.9, "reasons": [],
                "risk": case["risk"].as_str().unwrap_or("low"), "scores": { "1": 1.0, "2": 0.0, "3": 0.0 } },
        });
        if let Some(gates) = case["gates"].as_object() {
            let results: Vec<Value> = gates
                .iter()
                .map(|(gate, outcome)| {
                    let kind = if gate == "secrets" { "security" } else { "fact" };
                    json!({ "gate": gate, "type": kind, "outcome": outcome, "findings": [], "elapsed_ms": 1 })
                })
                .collect();
            let worst = ["fail", "unverifiable", "pass"]
                .into_iter()
                .find(|o| gates.values().any(|v| v == o))
                .unwrap();
            let attempt = case["gates_attempt"].as_u64().unwrap_or(1);
            record["gates"] = json!({ "attempt": attempt, "outcome": worst, "results": results });
        }
        record
    }
}

fn judge(record: &Value) -> Value {
    let (io, memory) = Io::in_memory(record.to_string().as_bytes());
    let exit = verify::run(verify::Args::parse_from(["verify"]), io);
    assert_eq!(exit, Exit::Ok, "{}", memory.errors());
    serde_json::from_str::<Value>(&memory.output()).unwrap()["verify"].clone()
}

#[test]
fn every_case_gets_its_decision_and_no_bad_answer_is_accepted() {
    let repository = Repository::new();
    let mut wrong = Vec::new();
    let (mut good, mut bad) = (0, 0);
    for line in include_str!("cases.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let verdict = judge(&repository.record(&case));
        let is_bad = case["bad"] == true;
        *(if is_bad { &mut bad } else { &mut good }) += 1;
        if is_bad && verdict["decision"] == "accept" {
            wrong.push(format!("FALSE ACCEPT {}: {}", case["name"], verdict["reason"]));
        } else if verdict["decision"] != case["expect"] {
            let (expected, got) = (&case["expect"], &verdict["decision"]);
            wrong.push(format!("{}: expected {expected}, got {got}: {verdict}", case["name"]));
        }
        let rejected = matches!(verdict["decision"].as_str(), Some("fix" | "escalate"));
        assert_eq!(rejected, verdict["escalate_to"].is_number(), "{}: {verdict}", case["name"]);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(good >= 20 && bad >= 40, "{good} good, {bad} bad");
}

fn strictness(verdict: &Value) -> usize {
    let order = ["accept", "unverifiable", "fix", "escalate", "blocked"];
    order.iter().position(|decision| verdict["decision"] == *decision).unwrap()
}

/// Returns the record with one piece of evidence made worse, in every way there is.
fn worsened(record: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut push = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut worse = record.clone();
        change(&mut worse);
        all.push((what.to_owned(), worse));
    };
    for status in ["failed", "refused", "truncated", "auth", "quota", "unavailable", "skipped", "transport"] {
        push(status, &|record| {
            if record["dispatch"]["status"] == "ok" {
                record["dispatch"]["status"] = status.into();
            }
        });
    }
    for risk in ["medium", "high"] {
        push(risk, &|record| {
            if record["classify"]["risk"] != "high" {
                record["classify"]["risk"] = risk.into();
            }
        });
    }
    for stop in ["max_tokens", "refusal", "tool_use"] {
        push(stop, &|record| record["dispatch"]["stop_reason"] = stop.into());
    }
    push("top tier", &|record| record["dispatch"]["tier"] = 3.into());
    push("no gates", &|record| {
        if record["gates"]["outcome"] == "pass" {
            record.as_object_mut().unwrap().remove("gates");
        }
    });
    push("stale gates", &|record| {
        if record["gates"]["outcome"] == "pass" {
            record["gates"]["attempt"] = 0.into();
        }
    });
    for condition in [json!({"kind": "contains", "text": "\u{0}"}), json!({"kind": "of a later version"})] {
        push("a condition more", &|record| {
            let text = record["task"]["text"].as_str().or(record["task"].as_str()).unwrap().to_owned();
            let mut task = record["task"].as_object().cloned().unwrap_or_default();
            task.insert("text".to_owned(), text.into());
            task.entry("accept").or_insert_with(|| json!([])).as_array_mut().unwrap().push(condition.clone());
            record["task"] = task.into();
        });
    }
    for outcome in ["unverifiable", "fail"] {
        for index in 0..record["gates"]["results"].as_array().map_or(0, Vec::len) {
            if record["gates"]["results"][index]["outcome"] != "fail" {
                push(&format!("gate {index} {outcome}"), &|record| {
                    record["gates"]["results"][index]["outcome"] = outcome.into();
                    if record["gates"]["outcome"] != "fail" {
                        record["gates"]["outcome"] = outcome.into();
                    }
                });
            }
        }
    }
    all
}

#[test]
fn worse_evidence_never_gives_a_laxer_verdict_on_any_case() {
    let repository = Repository::new();
    let mut wrong = Vec::new();
    for line in include_str!("cases.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let record = repository.record(&case);
        let before = judge(&record);
        for (what, worse) in worsened(&record) {
            let after = judge(&worse);
            let confidence = |verdict: &Value| verdict["confidence"].as_f64().unwrap();
            if strictness(&after) < strictness(&before) || confidence(&after) > confidence(&before) {
                let (name, before, after) = (&case["name"], &before["decision"], &after);
                wrong.push(format!("{name}, {what}: {before} became {after}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
