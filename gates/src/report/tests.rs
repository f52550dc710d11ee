use serde_json::Value;
use shared::section::{GateType, Outcome, Severity};

use super::*;
use crate::found::{Checked, finding};

fn found(severity: Severity, line: u64, message: &str) -> Found {
    let mut finding = finding("rule", severity, message);
    finding.line = Some(line);
    finding.column = Some(7);
    Found::new(finding)
}

fn report() -> Report {
    let odd = "a dir/ü,:%\n.py".to_owned();
    let mut old = found(Severity::Error, 9, "old");
    old.existing = true;
    let syntax = Gate::of_files(
        "syntax",
        GateType::Fact,
        vec![
            (odd, Checked::Yes(vec![found(Severity::Error, 3, "50% wrong:\nsecond line"), old])),
            ("b.py".to_owned(), Checked::Unverifiable("too large".to_owned())),
        ],
    );
    let mut secret = found(Severity::Error, 1, "an AWS access key id");
    secret.finding.cwe = Some("CWE-798".to_owned());
    secret.finding.owasp = Some("A07".to_owned());
    let secrets =
        Gate::of_files("secrets", GateType::Security, vec![("c.sh".to_owned(), Checked::Yes(vec![secret]))]);
    let lint = Gate::silent("lint", GateType::Quality, Outcome::Unverifiable, "ruff is not installed");
    Report {
        gates: vec![syntax, secrets, lint],
        files: 3,
        not_run: vec!["tests: cargo test".to_owned()],
        strict: false,
    }
}

#[test]
fn people_get_a_line_for_each_finding_and_a_sum() {
    assert_eq!(
        write(&report(), Format::Human, false, Detail::Normal),
        "a dir/ü,:%\\n.py:3:7: error[syntax/rule]: 50% wrong:\\nsecond line\n\
         b.py: warning[syntax/not-checked]: not checked: too large\n\
         c.sh:1:7: error[secrets/rule]: an AWS access key id (CWE-798, A07)\n\
         syntax fail: 1 finding was there before the change\n\
         lint unverifiable: ruff is not installed\n\
         fail: 2 errors, 1 warning, 1 that was there before in 3 files (syntax fail, secrets fail, lint unverifiable)\n\
         not run: tests: cargo test (--full runs them)\n"
    );
    let quiet = write(&report(), Format::Human, false, Detail::Errors);
    assert_eq!(quiet.lines().count(), 2, "{quiet}");
    let verbose = write(&report(), Format::Human, true, Detail::All);
    assert!(verbose.contains("old (was there before the change)") && verbose.contains("\u{1b}["));
}

#[test]
fn github_gets_commands_with_everything_escaped() {
    assert_eq!(
        write(&report(), Format::Github, false, Detail::Normal),
        "::error file=a dir/ü%2C%3A%25%0A.py,line=3,col=7,title=syntax/rule::50%25 wrong:%0Asecond line\n\
         ::warning file=b.py,title=syntax/not-checked::not checked: too large\n\
         ::error file=c.sh,line=1,col=7,title=secrets/rule::an AWS access key id\n\
         ::warning title=lint unverifiable::ruff is not installed\n"
    );
}

#[test]
fn programs_get_findings_gates_and_a_summary() {
    let text = write(&report(), Format::Jsonl, false, Detail::Normal);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["finding", "finding", "finding", "finding", "gate", "gate", "gate", "summary"]);
    assert_eq!(lines[1]["existing"], true);
    assert_eq!(lines[1]["severity"], "note");
    assert_eq!(lines[3]["cwe"], "CWE-798");
    assert_eq!(lines[6]["reason"], "ruff is not installed");
    assert_eq!(lines[7]["outcome"], "fail");
}

/// What the SARIF 2.1.0 schema and GitHub's upload demand of the members that are used here.
#[test]
fn sarif_is_what_its_readers_demand() {
    let log: Value = serde_json::from_str(&write(&report(), Format::Sarif, false, Detail::Normal)).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let location = &result["locations"][0]["physicalLocation"];
        let uri = location["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri}");
        if let Some(region) = location.get("region") {
            assert!(
                region["startLine"].as_u64().unwrap() >= 1 && region["startColumn"].as_u64().unwrap() >= 1
            );
        }
    }
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "a%20dir/%C3%BC%2C%3A%25%0A.py"
    );
    assert_eq!(results[1]["baselineState"], "unchanged");
    assert!(rules.iter().all(|rule| !rule["shortDescription"]["text"].as_str().unwrap().is_empty()));
    let secret = rules.iter().find(|rule| rule["id"] == "secrets/rule").unwrap();
    assert_eq!(secret["properties"]["tags"][0], "security");
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 1);
}
