//! For people: `path:line:column: error[gate/rule]: message`, which editors follow, then one line that adds up.
//!
//! The text of the line itself is not shown: it may hold a secret.

use anstyle::{AnsiColor, Style};
use shared::section::{Outcome, Severity};

use super::{Detail, Report};
use crate::found::Found;
use crate::gate::{Gate, plural};

pub(super) fn write(report: &Report, color: bool, detail: Detail) -> String {
    let verbose = detail == Detail::All;
    let paint =
        |style: Style, text: &str| if color { format!("{style}{text}{style:#}") } else { text.to_owned() };
    let bold = Style::new().bold();
    let mut text = String::new();
    for (gate, found) in report.findings(verbose) {
        let finding = found.clone().told();
        let least = match detail {
            Detail::Errors => Severity::Error,
            Detail::Normal => Severity::Warning,
            Detail::All => Severity::Note,
        };
        // Whoever wants to hear only of failures wants to hear nothing of a gate that does not fail.
        let passes = detail == Detail::Errors && gate.outcome != Outcome::Fail;
        if finding.severity < least || passes {
            continue;
        }
        let place = place(found);
        let (word, hue) = match finding.severity {
            Severity::Error => ("error", AnsiColor::Red),
            Severity::Warning => ("warning", AnsiColor::Yellow),
            Severity::Note => ("note", AnsiColor::Cyan),
        };
        let head = paint(bold.fg_color(Some(hue.into())), &format!("{word}[{}/{}]", gate.name, finding.rule));
        let classes: Vec<&str> = finding.cwe.as_deref().into_iter().chain(finding.owasp.as_deref()).collect();
        let classes = if classes.is_empty() { String::new() } else { format!(" ({})", classes.join(", ")) };
        let place = if place.is_empty() { String::new() } else { format!("{}: ", paint(bold, &place)) };
        text.push_str(&format!("{place}{head}: {}{classes}\n", one_line(&finding.message)));
    }
    let quiet = detail == Detail::Errors;
    for gate in &report.gates {
        if quiet && !(gate.outcome == Outcome::Unverifiable && report.strict) {
            continue;
        }
        let told = verbose
            || gate.outcome == Outcome::Unverifiable
            || (gate.outcome == Outcome::Fail && gate.reason.is_some());
        if told {
            let reason =
                gate.reason.as_deref().map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
            text.push_str(&format!(
                "{} {}{reason}\n",
                paint(bold, &gate.name),
                paint(style(gate.outcome), &gate.outcome.to_string())
            ));
        }
    }
    if !quiet {
        text.push_str(&summary(report, &paint));
    }
    text
}

fn summary(report: &Report, paint: &dyn Fn(Style, &str) -> String) -> String {
    let count = |severity| {
        report
            .gates
            .iter()
            .flat_map(|gate| &gate.found)
            .filter(|found| !found.existing && found.finding.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(plural(errors, "error"));
    }
    if warnings > 0 {
        parts.push(plural(warnings, "warning"));
    }
    let existing = report.gates.iter().flat_map(|gate| &gate.found).filter(|found| found.existing).count();
    if existing > 0 {
        let were = if existing == 1 { "was" } else { "were" };
        parts.push(format!("{existing} that {were} there before"));
    }
    let outcome = report.outcome();
    let findings = if parts.is_empty() { String::new() } else { format!("{} in ", parts.join(", ")) };
    let gates: Vec<String> =
        report.gates.iter().map(|gate: &Gate| format!("{} {}", gate.name, gate.outcome)).collect();
    let gates = if gates.is_empty() { "no gate was asked".to_owned() } else { gates.join(", ") };
    let mut text = format!(
        "{}: {findings}{} ({gates})\n",
        paint(style(outcome), &outcome.to_string()),
        plural(report.files, "file")
    );
    if !report.not_run.is_empty() {
        text.push_str(&format!("not run: {} (--full runs them)\n", report.not_run.join(", ")));
    }
    text
}

fn style(outcome: Outcome) -> Style {
    let hue = match outcome {
        Outcome::Pass => AnsiColor::Green,
        Outcome::Fail => AnsiColor::Red,
        Outcome::Unverifiable => AnsiColor::Yellow,
        Outcome::Skip => AnsiColor::BrightBlack,
    };
    Style::new().bold().fg_color(Some(hue.into()))
}

fn place(found: &Found) -> String {
    let finding = &found.finding;
    let Some(path) = &finding.path else { return String::new() };
    let mut place = one_line(path);
    for number in [finding.line, finding.column].into_iter().map_while(|number| number) {
        place.push_str(&format!(":{number}"));
    }
    place
}

/// A name may hold line ends and control sequences; a terminal is not to obey them.
fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}
