//! The `scope` gate: are the changed files those that the task declared?
//!
//! Seed 002: one or two undeclared files pass with a warning, three or more mean that the work was cut up wrongly
//! (`decomposition_error`) and fail. What was not declared can not be checked, and that is no pass.

use shared::section::{GateType, Outcome, Scope, Severity};

use crate::args::ScopeMode;
use crate::found::{Found, finding};
use crate::gate::Gate;
use crate::{glob, secrets};

/// So many undeclared files fail.
const TOO_MANY: usize = 3;

/// Holds the changed files against the declared globs; what `None` declares is not known.
pub(crate) fn check(changed: &[String], declared: Option<&[String]>, mode: ScopeMode) -> (Gate, Scope) {
    let mut gate = Gate::new("scope", GateType::Fact);
    let undeclared = match undeclared(changed, declared, mode) {
        Ok(undeclared) => undeclared,
        Err((outcome, reason)) => {
            gate.outcome = outcome;
            gate.reason = Some(reason);
            return (
                gate,
                Scope { declared: declared.map(<[String]>::to_vec), undeclared: Vec::new(), outcome },
            );
        }
    };
    let count = undeclared.len();
    let fails = count >= TOO_MANY || (mode == ScopeMode::Strict && count > 0);
    let rule = if count >= TOO_MANY { "decomposition_error" } else { "undeclared_file" };
    gate.outcome = if fails { Outcome::Fail } else { Outcome::Pass };
    if count > 0 {
        let files = if count == 1 { "file that is" } else { "files that are" };
        gate.reason = Some(format!("{count} changed {files} not declared in `files_touched`"));
    }
    let severity = if fails { Severity::Error } else { Severity::Warning };
    gate.found = undeclared
        .iter()
        .map(|path| {
            let mut finding =
                finding(rule, severity, "this file was changed but is not declared in `files_touched`");
            finding.path = Some(path.clone());
            Found::new(finding)
        })
        .collect();
    gate.files = changed.len();
    let outcome = gate.outcome;
    let undeclared = undeclared.iter().map(|path| secrets::clean_name(path).into_owned()).collect();
    (gate, Scope { declared: declared.map(<[String]>::to_vec), undeclared, outcome })
}

/// Returns the changed files that no glob covers, or why that can not be said.
fn undeclared(
    changed: &[String],
    declared: Option<&[String]>,
    mode: ScopeMode,
) -> Result<Vec<String>, (Outcome, String)> {
    if mode == ScopeMode::Disabled {
        return Err((Outcome::Skip, "scope is disabled (SCOPE_STRICT, --scope or specpipe.toml)".to_owned()));
    }
    let Some(declared) = declared else {
        return Err((Outcome::Skip, "no files were declared (`task.files_touched`)".to_owned()));
    };
    let set = glob::set(declared).map_err(|problem| (Outcome::Unverifiable, problem.full_message()))?;
    let mut undeclared: Vec<String> =
        changed.iter().filter(|path| !glob::covers(&set, path)).cloned().collect();
    undeclared.sort();
    undeclared.dedup();
    Ok(undeclared)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(changed: &[&str], declared: Option<&[&str]>, mode: ScopeMode) -> (Outcome, Vec<String>) {
        let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let declared = declared.map(own);
        let (gate, scope) = check(&own(changed), declared.as_deref(), mode);
        assert_eq!(gate.outcome, scope.outcome);
        (scope.outcome, gate.found.into_iter().map(|found| found.finding.rule).collect())
    }

    #[test]
    fn two_pass_with_a_warning_and_three_fail() {
        use ScopeMode::{Disabled, Graduated, Strict};
        let rules = |rule: &str, count| vec![rule.to_owned(); count];
        let src: Option<&[&str]> = Some(&["src/**"]);
        assert_eq!(judge(&["src/a"], src, Graduated), (Outcome::Pass, vec![]));
        assert_eq!(judge(&["src/a", "b"], src, Graduated), (Outcome::Pass, rules("undeclared_file", 1)));
        assert_eq!(judge(&["a", "b"], src, Graduated), (Outcome::Pass, rules("undeclared_file", 2)));
        assert_eq!(judge(&["a", "b", "c"], src, Graduated), (Outcome::Fail, rules("decomposition_error", 3)));
        assert_eq!(judge(&["a"], src, Strict), (Outcome::Fail, rules("undeclared_file", 1)));
        assert_eq!(judge(&["a", "b", "c"], src, Disabled), (Outcome::Skip, vec![]));
        assert_eq!(judge(&["a", "b", "c"], None, Strict), (Outcome::Skip, vec![]));
        assert_eq!(judge(&["a"], Some(&[]), Graduated), (Outcome::Pass, rules("undeclared_file", 1)));
        assert_eq!(judge(&["a"], Some(&["{"]), Graduated), (Outcome::Unverifiable, vec![]));
    }

    proptest! {
        #[test]
        fn one_more_changed_file_never_makes_it_better(
            changed in prop::collection::vec("[ab]/[a-e]", 0..8),
            more in "[ab]/[a-e]",
            strict in any::<bool>(),
        ) {
            let mode = if strict { ScopeMode::Strict } else { ScopeMode::Graduated };
            let declared = ["a/**".to_owned()];
            let (before, _) = check(&changed, Some(&declared), mode);
            let mut changed = changed;
            changed.push(more);
            let (after, _) = check(&changed, Some(&declared), mode);
            prop_assert_eq!(before.outcome.and(after.outcome), after.outcome);
        }
    }
}
