//! Verdicts for people, on standard error, in the order in which the records leave.

use std::collections::BTreeMap;
use std::io::{self, Write};

use shared::section::{Outcome, Verify};
use shared::{Diagnostics, Record};

/// An output that tells people about the verdicts that pass through it.
pub(crate) struct Explained {
    output: Box<dyn Write + Send>,
    diagnostics: Diagnostics,
    line: Vec<u8>,
    decisions: BTreeMap<String, usize>,
}

impl Explained {
    pub(crate) fn new(output: Box<dyn Write + Send>, diagnostics: Diagnostics) -> Explained {
        Explained { output, diagnostics, line: Vec::new(), decisions: BTreeMap::new() }
    }

    fn explain(&mut self, line: &str) {
        let Ok(record) = Record::parse(line.to_owned()) else { return };
        let id = record.id().unwrap_or("?").to_owned();
        let key = match record.get::<Verify>() {
            Ok(Some(verify)) => {
                self.diagnostics.plain(table(&id, &verify));
                verify.decision.to_string()
            }
            _ if record.has_errors() => "not judged for an error".to_owned(),
            _ => "not judged".to_owned(),
        };
        *self.decisions.entry(key).or_default() += 1;
    }
}

impl Write for Explained {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        let mut rest = &bytes[..written];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&rest[..end]);
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            self.explain(&line);
            rest = &rest[end + 1..];
        }
        self.line.extend_from_slice(rest);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl Drop for Explained {
    fn drop(&mut self) {
        let parts: Vec<String> =
            self.decisions.iter().map(|(key, number)| format!("{number} {key}")).collect();
        if !parts.is_empty() {
            self.diagnostics.plain(format!("{}\n", parts.join(", ")));
        }
    }
}

fn table(id: &str, verify: &Verify) -> String {
    let to = verify.escalate_to.map(|tier| format!(" to tier {tier}")).unwrap_or_default();
    let mut text = format!("{id}: {}{to} ({:.2}): {}\n", verify.decision, verify.confidence, verify.reason);
    let shown = |check: &&shared::section::Check| check.outcome != Outcome::Skip;
    let width = verify.checks.iter().filter(shown).map(|check| check.name.len()).max().unwrap_or(0);
    for check in verify.checks.iter().filter(shown) {
        let line = format!(
            "  {:width$}  {:12}  {}",
            check.name,
            check.outcome,
            check.detail.as_deref().unwrap_or_default()
        );
        text += line.trim_end();
        text.push('\n');
    }
    if let Some(failure) = &verify.failure {
        let recovery = failure.recovery.as_deref().unwrap_or_default();
        text += &format!("  failure: {}; {recovery}\n", failure.subclass);
    }
    text
}
