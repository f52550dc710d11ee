//! What one gate says: its findings and the outcome they add up to.

use shared::section::{Finding, GateResult, GateType, Outcome, Severity};

use crate::found::{Checked, Found, finding};
use crate::secrets;

/// A record carries so many findings of a gate; errors come first.
const MAX_FINDINGS: usize = 100;

/// What one gate says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gate {
    pub(crate) name: String,
    pub(crate) kind: GateType,
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<String>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) found: Vec<Found>,
    /// How many files were looked at.
    pub(crate) files: usize,
    pub(crate) elapsed_ms: u64,
}

impl Gate {
    pub(crate) fn new(name: &str, kind: GateType) -> Gate {
        Gate {
            name: name.to_owned(),
            kind,
            outcome: Outcome::Skip,
            reason: None,
            command: None,
            found: Vec::new(),
            files: 0,
            elapsed_ms: 0,
        }
    }

    /// Returns a gate that says nothing but why it says nothing.
    pub(crate) fn silent(name: &str, kind: GateType, outcome: Outcome, reason: impl Into<String>) -> Gate {
        Gate { outcome, reason: Some(reason.into()), ..Gate::new(name, kind) }
    }

    /// Adds up what was found file by file.
    pub(crate) fn of_files(name: &str, kind: GateType, files: Vec<(String, Checked)>) -> Gate {
        let mut gate = Gate::new(name, kind);
        let mut unchecked = Vec::new();
        for (path, checked) in files {
            if let Checked::Doubtful(_, reason) | Checked::Unverifiable(reason) = &checked {
                unchecked.push(reason.clone());
            }
            let (outcome, mut found) = match checked {
                Checked::NotApplicable => continue,
                Checked::Unverifiable(reason) => {
                    let message = format!("not checked: {reason}");
                    (
                        Outcome::Unverifiable,
                        vec![Found::new(finding("not-checked", Severity::Warning, message))],
                    )
                }
                // What was there before and still is there says nothing about the change.
                Checked::Doubtful(found, _) if found.iter().all(|found| found.existing) => {
                    (Outcome::Pass, found)
                }
                Checked::Doubtful(found, _) => (Outcome::Unverifiable, found),
                Checked::Yes(found) if found.iter().any(Found::counts) => (Outcome::Fail, found),
                Checked::Yes(found) => (Outcome::Pass, found),
            };
            gate.files += 1;
            gate.outcome = gate.outcome.and(outcome);
            for found in &mut found {
                found.finding.path = Some(path.clone());
            }
            gate.found.append(&mut found);
        }
        gate.explain(&unchecked);
        gate
    }

    fn explain(&mut self, unchecked: &[String]) {
        let existing =
            self.found.iter().filter(|found| found.existing && found.finding.severity == Severity::Error);
        let existing = existing.count();
        let mut reasons = Vec::new();
        if self.outcome == Outcome::Unverifiable
            && let Some(first) = unchecked.first()
        {
            reasons.push(format!("{} could not be checked: {first}", plural(unchecked.len(), "file")));
        }
        if existing > 0 {
            reasons.push(format!("{} there before the change", are(existing, "finding")));
        }
        if !reasons.is_empty() {
            self.reason = Some(reasons.join("; "));
        }
    }

    /// Takes credentials out of the names of files and out of the reason; nothing is written before this.
    #[must_use]
    pub(crate) fn clean(mut self) -> Gate {
        for path in self.found.iter_mut().filter_map(|found| found.finding.path.as_mut()) {
            if let std::borrow::Cow::Owned(clean) = secrets::clean_name(path) {
                *path = clean;
            }
        }
        self.reason = self.reason.map(|reason| secrets::redact(&reason).into_owned());
        self
    }

    /// Returns the gate as a record carries it.
    pub(crate) fn into_result(self) -> GateResult {
        let mut found = self.found;
        found.sort_by_key(|found| std::cmp::Reverse((!found.existing, found.finding.severity)));
        let rest = found.len().saturating_sub(MAX_FINDINGS);
        found.truncate(MAX_FINDINGS);
        let mut findings: Vec<Finding> = found.into_iter().map(Found::told).collect();
        if rest > 0 {
            findings.push(finding("more", Severity::Note, format!("{} more", plural(rest, "finding"))));
        }
        GateResult {
            gate: self.name,
            kind: self.kind,
            outcome: self.outcome,
            reason: self.reason,
            command: self.command,
            findings,
            elapsed_ms: self.elapsed_ms,
        }
    }
}

/// Returns a number with its noun.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn are(count: usize, noun: &str) -> String {
    format!("{} {}", plural(count, noun), if count == 1 { "was" } else { "were" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_found() -> impl Strategy<Value = Found> {
        (prop_oneof![Just(Severity::Note), Just(Severity::Warning), Just(Severity::Error)], any::<bool>())
            .prop_map(|(severity, existing)| {
                let mut found = Found::new(finding("rule", severity, "m"));
                found.existing = existing;
                found
            })
    }

    fn any_checked() -> impl Strategy<Value = Checked> {
        prop_oneof![
            Just(Checked::NotApplicable),
            Just(Checked::Unverifiable("too large".to_owned())),
            prop::collection::vec(any_found(), 1..3)
                .prop_map(|found| Checked::Doubtful(found, "macros".to_owned())),
            prop::collection::vec(any_found(), 0..4).prop_map(Checked::Yes),
        ]
    }

    proptest! {
        #[test]
        fn one_more_finding_never_makes_it_better(
            files in prop::collection::vec(any_checked(), 0..6),
            more in any_found(),
            place in any::<prop::sample::Index>(),
        ) {
            let judge = |files: &[Checked]| {
                Gate::of_files("g", GateType::Fact, files.iter().map(|file| ("f".to_owned(), file.clone())).collect()).outcome
            };
            let before = judge(&files);
            let mut worse = files.clone();
            if worse.is_empty() {
                worse.push(Checked::Yes(Vec::new()));
            }
            let at = place.index(worse.len());
            match &mut worse[at] {
                Checked::Yes(found) | Checked::Doubtful(found, _) => found.push(more),
                other => *other = Checked::Yes(vec![more.clone(), Found::new(finding("r", Severity::Error, "m"))]),
            }
            let after = judge(&worse);
            prop_assert_eq!(before.and(after), after);
        }

        #[test]
        fn a_file_that_could_not_be_checked_never_makes_it_better(files in prop::collection::vec(any_checked(), 0..6)) {
            let judge = |files: Vec<Checked>| {
                Gate::of_files("g", GateType::Fact, files.into_iter().map(|file| ("f".to_owned(), file)).collect()).outcome
            };
            let before = judge(files.clone());
            let mut worse = files;
            worse.push(Checked::Unverifiable("gone".to_owned()));
            let after = judge(worse);
            prop_assert_eq!(before.and(after), after);
        }
    }
}
