//! Workflow commands of GitHub Actions: `::error file=…,line=…,col=…,title=…::message`.

use shared::section::Severity;

use super::Report;

pub(super) fn write(report: &Report) -> String {
    let mut text = String::new();
    for (gate, found) in report.findings(false) {
        let finding = &found.finding;
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(path) = &finding.path {
            properties.push(format!("file={}", property(path)));
        }
        properties.extend(finding.line.map(|line| format!("line={line}")));
        properties.extend(finding.column.map(|column| format!("col={column}")));
        properties.push(format!("title={}", property(&format!("{}/{}", gate.name, finding.rule))));
        text.push_str(&format!("::{command} {}::{}\n", properties.join(","), data(&finding.message)));
    }
    for gate in &report.gates {
        // A gate that fails or has no evidence is to be seen even if no line is to blame.
        let reason = gate.reason.as_deref().unwrap_or_default();
        let command = match gate.outcome {
            shared::section::Outcome::Fail if !gate.found.iter().any(crate::found::Found::counts) => "error",
            shared::section::Outcome::Unverifiable => "warning",
            _ => continue,
        };
        let title = property(&format!("{} {}", gate.name, gate.outcome));
        text.push_str(&format!("::{command} title={title}::{}\n", data(reason)));
    }
    text
}

/// Escapes a message as the runner unescapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, in which `:` and `,` mean something as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
