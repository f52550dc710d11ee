//! One thing found in a file, with what is needed to recognise it in an earlier version of the file.

use std::collections::HashMap;

use shared::section::{Finding, Severity};

/// What a gate says of one file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Checked {
    /// It is nothing that this gate looks at.
    NotApplicable,
    /// It was looked at, with this result.
    Yes(Vec<Found>),
    /// It was looked at, and nobody can tell whether what was found is wrong.
    Doubtful(Vec<Found>, String),
    /// It should have been looked at and could not be.
    Unverifiable(String),
}

/// A finding and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) finding: Finding,
    /// The text of the line, to compare versions by. Never printed: it may hold a secret.
    line_text: Vec<u8>,
    /// It was there before the change.
    pub(crate) existing: bool,
}

impl Found {
    pub(crate) fn new(finding: Finding) -> Found {
        Found { finding, line_text: Vec::new(), existing: false }
    }

    /// Sets the text of the line that the finding is about.
    pub(crate) fn on(mut self, line: &[u8]) -> Found {
        self.line_text = line.trim_ascii().to_vec();
        self
    }

    /// Tells whether it speaks against the change: an error that was not there before.
    pub(crate) fn counts(&self) -> bool {
        !self.existing && self.finding.severity == Severity::Error
    }

    /// Returns the finding as it is told: what was there before is only worth knowing.
    pub(crate) fn told(self) -> Finding {
        let mut finding = self.finding;
        if self.existing && finding.severity == Severity::Error {
            finding.severity = Severity::Note;
            finding.message.push_str(" (was there before the change)");
        }
        finding
    }

    /// What stays the same when lines move: the rule, the message without numbers, the text of the line.
    fn key(&self) -> (&str, String, &[u8]) {
        (&self.finding.rule, normal(&self.finding.message), &self.line_text)
    }
}

/// Returns a message without what changes from run to run: numbers, and white space around them.
fn normal(message: &str) -> String {
    let mut normal = String::with_capacity(message.len());
    for character in message.chars() {
        match character {
            '0'..='9' if normal.ends_with('#') => {}
            '0'..='9' => normal.push('#'),
            _ if character.is_whitespace() => {
                if !normal.ends_with(' ') {
                    normal.push(' ');
                }
            }
            _ => normal.push(character),
        }
    }
    normal
}

/// Marks those of `found` that are in `before` too, as often as they are there.
pub(crate) fn mark_existing(found: &mut [Found], before: &[Found]) {
    let mut left: HashMap<_, usize> = HashMap::new();
    for earlier in before {
        *left.entry(earlier.key()).or_default() += 1;
    }
    let known: Vec<bool> = found
        .iter()
        .map(|now| match left.get_mut(&now.key()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        })
        .collect();
    for (now, known) in found.iter_mut().zip(known) {
        now.existing |= known;
    }
}

/// Returns an empty finding of a rule, to be filled in.
pub(crate) fn finding(rule: impl Into<String>, severity: Severity, message: impl Into<String>) -> Finding {
    Finding {
        path: None,
        line: None,
        column: None,
        rule: rule.into(),
        severity,
        message: message.into(),
        cwe: None,
        owasp: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_line(message: &str, line: &str) -> Found {
        Found::new(finding("rule", Severity::Error, message)).on(line.as_bytes())
    }

    #[test]
    fn moved_and_indented_lines_are_known_again() {
        let before = [on_line("unclosed since line 12", "foo(")];
        let mut now =
            [on_line("unclosed since line 240", "    foo("), on_line("unclosed since line 12", "bar(")];
        mark_existing(&mut now, &before);
        assert_eq!(now.map(|found| found.existing), [true, false]);
    }

    #[test]
    fn a_second_one_like_it_is_new() {
        let before = [on_line("m", "foo(")];
        let mut now = [on_line("m", "foo("), on_line("m", "foo(")];
        mark_existing(&mut now, &before);
        assert_eq!(now.map(|found| found.existing), [true, false]);
    }
}
