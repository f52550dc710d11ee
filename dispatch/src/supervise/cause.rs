//! What several tasks of a run have failed of alike: one cause, to be repaired once.
//!
//! Two tasks that miss the same module miss a foundation that nobody has laid; two that miss the same table, a migration;
//! two that miss the same file, scaffolding; two whose backend failed, the backend. What a gate found is believed, and so is what a program
//! wrote on standard error before it failed. What a model said is not.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::Regex;
use shared::section::{Action, ActionKind, Dispatch, Gates, Outcome, RootCause, RootCauseKind, Status};

/// How many tasks are named.
const NAMED: usize = 20;

/// How much of a text is searched: its end, where errors are.
const SEARCHED: usize = 16 << 10;

/// What an attempt has failed of, as far as others may have failed of the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Signature {
    kind: RootCauseKind,
    subject: String,
}

/// Whether two tasks or more have failed alike.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    seen: HashMap<Signature, BTreeSet<String>>,
}

impl Causes {
    /// Notes what a task has failed of.
    pub(crate) fn note(&mut self, id: &str, signatures: &[Signature]) {
        for signature in signatures {
            let tasks = self.seen.entry(signature.clone()).or_default();
            if !tasks.contains(id) {
                tasks.insert(id.to_owned());
            }
        }
    }

    /// Adds to what is to be done about a task what others have failed of alike: it is repaired once.
    pub(crate) fn add_to(&self, action: &mut Action, signatures: &[Signature]) {
        action.root_cause = self.common(signatures);
        // What passes by itself is waited for by each.
        if action.root_cause.is_some() && action.kind != ActionKind::Retry {
            action.kind = ActionKind::FixRootCause;
        }
    }

    /// Returns the cause that most tasks share, if another task shares one of these.
    fn common(&self, signatures: &[Signature]) -> Option<RootCause> {
        let shared = signatures.iter().filter_map(|signature| Some((signature, self.seen.get(signature)?)));
        let (signature, tasks) = shared
            .filter(|(_, tasks)| tasks.len() > 1)
            .max_by(|(a, these), (b, those)| these.len().cmp(&those.len()).then(b.cmp(a)))?;
        Some(RootCause {
            kind: signature.kind,
            subject: signature.subject.clone(),
            tasks: tasks.iter().take(NAMED).cloned().collect(),
            count: tasks.len() as u64,
            remedy: remedy(signature),
        })
    }
}

fn remedy(signature: &Signature) -> String {
    let subject = &signature.subject;
    match signature.kind {
        RootCauseKind::MissingFoundation => {
            format!("add a task that makes the module `{subject}`, and let these depend on it")
        }
        RootCauseKind::WrongMigration => {
            format!("correct the migration of `{subject}` once, before these are tried again")
        }
        RootCauseKind::MissingScaffolding => {
            format!("add a task that makes `{subject}`, and let these depend on it")
        }
        RootCauseKind::Backend => format!("repair the backend `{subject}`, then run again"),
    }
}

/// Returns what an attempt has failed of.
pub(crate) fn signatures(dispatch: &Dispatch, gates: Option<&Gates>) -> Vec<Signature> {
    let mut found = BTreeSet::new();
    if matches!(dispatch.status, Status::Transport | Status::Auth | Status::Quota)
        && let Some(name) = &dispatch.backend
    {
        found.insert(Signature { kind: RootCauseKind::Backend, subject: name.clone() });
    }
    for gate in
        gates.into_iter().flat_map(|gates| &gates.results).filter(|gate| gate.outcome == Outcome::Fail)
    {
        gate.reason.iter().for_each(|reason| search(reason, &mut found));
        gate.findings.iter().for_each(|finding| search(&finding.message, &mut found));
    }
    // The standard error of a program that went well, or that a model's answer came with, is no failure.
    if dispatch.status == Status::Failed && dispatch.model.is_none() {
        dispatch.stderr.iter().chain(&dispatch.reason).for_each(|text| search(text, &mut found));
    }
    found.into_iter().collect()
}

fn search(text: &str, found: &mut BTreeSet<Signature>) {
    static MODULE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)(?:no module named|cannot find module|can't resolve|could not resolve|unresolved import|failed to resolve import|no required module provides package|cannot find package|unable to resolve path to module)[:\s]+['"`]?([\w@./:\-]+)"#,
        )
        .expect("it is tested")
    });
    static TABLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)(?:no such (?:table|column)|unknown (?:column|table)|(?:relation|column|table))[:\s]+['"`]?([\w.]+)['"`]?(?: (?:of relation \S+ )?(?:does not|doesn't) exist)?"#)
            .expect("it is tested")
    });
    static FILE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)(?:no such file or directory[,:]?\s*(?:open )?['"`]([^'"`\n]+)['"`]|(?:cannot|can't|could not) (?:open|access|stat|find)(?: file)?\s+['"`]?([\w./\-]+\.\w+|[\w\-]+/[\w./\-]+)['"`]?|['"`]?([\w\-]*[./][\w./\-]*): no such file or directory)"#)
            .expect("it is tested")
    });
    let mut at = text.len().saturating_sub(SEARCHED);
    while !text.is_char_boundary(at) {
        at += 1;
    }
    for line in text[at..].lines() {
        let mut add = |kind, subject: &str| {
            let subject = subject.trim_end_matches(['.', ':', ',']);
            if !subject.is_empty() {
                found.insert(Signature { kind, subject: subject.to_owned() });
            }
        };
        if let Some(module) = MODULE.captures(line).and_then(|captures| captures.get(1)) {
            add(RootCauseKind::MissingFoundation, module.as_str());
        } else if let Some(captures) = TABLE.captures(line)
            && is_about_a_table(line)
        {
            add(RootCauseKind::WrongMigration, captures.get(1).map_or("", |table| table.as_str()));
        } else if let Some(captures) = FILE.captures(line) {
            let file = captures.iter().skip(1).flatten().next();
            add(RootCauseKind::MissingScaffolding, file.map_or("", |file| file.as_str()));
        }
    }
}

/// Tells whether a line says that something is missing in a database, and does not only speak of one.
fn is_about_a_table(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["no such table", "no such column", "unknown column", "unknown table"]
        .iter()
        .any(|words| line.contains(words))
        || (["relation", "column", "table"].iter().any(|word| line.contains(word))
            && ["does not exist", "doesn't exist"].iter().any(|words| line.contains(words)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<(RootCauseKind, String)> {
        let mut all = BTreeSet::new();
        search(text, &mut all);
        all.into_iter().map(|signature| (signature.kind, signature.subject)).collect()
    }

    #[test]
    fn what_is_missing_is_read_from_what_tools_say() {
        use RootCauseKind::*;
        for (text, kind, subject) in [
            ("ModuleNotFoundError: No module named 'billing.core'", MissingFoundation, "billing.core"),
            (
                "src/a.ts(3,8): error TS2307: Cannot find module './billing' or its type declarations",
                MissingFoundation,
                "./billing",
            ),
            ("error[E0432]: unresolved import `crate::billing`", MissingFoundation, "crate::billing"),
            ("Module not found: Error: Can't resolve '@/lib/db' in '/app'", MissingFoundation, "@/lib/db"),
            ("sqlite3.OperationalError: no such table: invoices", WrongMigration, "invoices"),
            ("ERROR: relation \"invoices\" does not exist at character 15", WrongMigration, "invoices"),
            ("ERROR 1054 (42S22): Unknown column 'paid_at' in 'field list'", WrongMigration, "paid_at"),
            (
                "FileNotFoundError: [Errno 2] No such file or directory: 'conf/app.toml'",
                MissingScaffolding,
                "conf/app.toml",
            ),
            (
                "Error: ENOENT: no such file or directory, open 'conf/app.json'",
                MissingScaffolding,
                "conf/app.json",
            ),
            ("cat: conf/app.toml: No such file or directory", MissingScaffolding, "conf/app.toml"),
        ] {
            assert_eq!(found(text), [(kind, subject.to_owned())], "{text}");
        }
        for text in [
            "",
            "the table is long",
            "column 3: unexpected token",
            "it cannot open the door",
            "3 tests failed",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn two_tasks_make_a_cause_and_one_does_not() {
        let signature =
            |subject: &str| Signature { kind: RootCauseKind::MissingFoundation, subject: subject.to_owned() };
        let mut causes = Causes::default();
        causes.note("b", &[signature("billing")]);
        causes.note("b", &[signature("billing")]);
        assert_eq!(causes.common(&[signature("billing")]), None, "twice the same task");
        causes.note("a", &[signature("billing"), signature("users")]);
        let cause = causes.common(&[signature("users"), signature("billing")]).unwrap();
        assert_eq!((cause.subject.as_str(), cause.count), ("billing", 2));
        assert_eq!(cause.tasks, ["a", "b"]);
        assert!(cause.remedy.contains("`billing`"));
        assert_eq!(causes.common(&[signature("users")]), None, "another module");
        (0..100).for_each(|n| causes.note(&format!("n{n}"), &[signature("users")]));
        let cause = causes.common(&[signature("users")]).unwrap();
        assert_eq!((cause.tasks.len(), cause.count), (NAMED, 101));
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched(text in "\\PC*", padding in 0usize..20_000) {
            found(&(text.clone() + &"é".repeat(padding) + &text));
        }
    }
}
