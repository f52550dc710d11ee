//! SARIF 2.1.0 (OASIS): one run, the rules that were broken with what they mean, one result for each finding.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::section::{Outcome, Severity};

use super::Report;
use crate::found::Found;
use crate::gate::Gate;
use crate::secrets;

pub(super) fn write(report: &Report) -> String {
    let findings = report.findings(true);
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    for (gate, found) in &findings {
        rules.entry(rule_id(gate, found)).or_insert_with(|| rule(gate, found));
    }
    let order: Vec<String> = rules.keys().cloned().collect();
    let results: Vec<Value> = findings.iter().map(|(gate, found)| result(gate, found, &order)).collect();
    // A gate without evidence is a fact about the run, not about a line.
    let notifications: Vec<Value> = report
        .gates
        .iter()
        .filter(|gate| gate.outcome == Outcome::Unverifiable)
        .map(|gate| {
            let reason = gate.reason.as_deref().unwrap_or("no evidence");
            json!({"level": "warning", "message": {"text": format!("{} is unverifiable: {reason}", gate.name)}})
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "gates",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"SRCROOT": {"description": {"text": "where gates was run, or the root of the repository"}}},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule_id(gate: &Gate, found: &Found) -> String {
    format!("{}/{}", gate.name, found.finding.rule)
}

fn rule(gate: &Gate, found: &Found) -> Value {
    let finding = &found.finding;
    let what = secrets::rules()
        .find(|(id, _)| *id == finding.rule)
        .map(|(_, what)| format!("The file holds {what}."));
    let text = what.unwrap_or_else(|| match (gate.name.as_str(), finding.rule.as_str()) {
        ("syntax", "syntax-error") => "The file does not parse.".to_owned(),
        ("syntax", "syntax-doubt") => "The file does not parse, which macros may explain.".to_owned(),
        (_, "not-checked") => "The file could not be checked.".to_owned(),
        ("scope", _) => "A file was changed that was not declared.".to_owned(),
        (name, rule) => format!("`{rule}`, as the gate {name} reports it."),
    });
    let mut tags: Vec<String> = Vec::new();
    if gate.kind == shared::section::GateType::Security {
        tags.push("security".to_owned());
    }
    tags.extend(finding.cwe.iter().map(|cwe| format!("external/cwe/{}", cwe.to_ascii_lowercase())));
    tags.extend(finding.owasp.iter().map(|owasp| format!("owasp-{owasp}")));
    let mut rule = json!({
        "id": rule_id(gate, found),
        "shortDescription": {"text": text},
        "defaultConfiguration": {"level": level(finding.severity)},
    });
    if !tags.is_empty() {
        rule["properties"] = json!({"tags": tags});
        if finding.cwe.as_deref() == Some("CWE-798") {
            // GitHub ranks by this; 9 and more is critical.
            rule["properties"]["security-severity"] = json!("9.0");
        }
    }
    rule
}

fn result(gate: &Gate, found: &Found, order: &[String]) -> Value {
    let finding = found.clone().told();
    let id = rule_id(gate, found);
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": order.binary_search(&id).unwrap_or_default(),
        "level": level(finding.severity),
        "message": {"text": finding.message},
    });
    if found.existing {
        result["baselineState"] = json!("unchanged");
    }
    if let Some(path) = &finding.path {
        let mut location = json!({"artifactLocation": {"uri": uri(path), "uriBaseId": "SRCROOT"}});
        if path.starts_with('/') {
            location = json!({"artifactLocation": {"uri": format!("file://{}", uri(path))}});
        }
        if let Some(line) = finding.line.filter(|line| *line > 0) {
            location["region"] = json!({"startLine": line});
            if let Some(column) = finding.column.filter(|column| *column > 0) {
                location["region"]["startColumn"] = json!(column);
            }
        }
        result["locations"] = json!([{"physicalLocation": location}]);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Returns a path as a URI reference (RFC 3986): what is no unreserved character is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(byte as char);
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
