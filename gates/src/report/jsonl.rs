//! For programs: a line `{"kind":"finding",…}` for each finding, `{"kind":"gate",…}` for each gate, and a
//! `{"kind":"summary",…}` at the end, so that a cut-off stream is known as one.

use serde::Serialize;
use shared::section::{Finding, GateType, Outcome};

use super::Report;

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Finding {
        gate: &'a str,
        #[serde(flatten)]
        finding: Finding,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        existing: bool,
    },
    Gate {
        gate: &'a str,
        #[serde(rename = "type")]
        kind: GateType,
        outcome: Outcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        command: Option<&'a [String]>,
        files: usize,
        elapsed_ms: u64,
    },
    Summary {
        outcome: Outcome,
        files: usize,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        not_run: &'a [String],
    },
}

pub(super) fn write(report: &Report) -> String {
    let findings = report.findings(true).into_iter().map(|(gate, found)| Line::Finding {
        gate: &gate.name,
        finding: found.clone().told(),
        existing: found.existing,
    });
    let gates = report.gates.iter().map(|gate| Line::Gate {
        gate: &gate.name,
        kind: gate.kind,
        outcome: gate.outcome,
        reason: gate.reason.as_deref(),
        command: gate.command.as_deref(),
        files: gate.files,
        elapsed_ms: gate.elapsed_ms,
    });
    let summary = Line::Summary { outcome: report.outcome(), files: report.files, not_run: &report.not_run };
    let mut text = String::new();
    for line in findings.chain(gates).chain([summary]) {
        text.push_str(&serde_json::to_string(&line).unwrap_or_default());
        text.push('\n');
    }
    text
}
