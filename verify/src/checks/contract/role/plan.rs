//! A plan, and a plan held against its specification.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Faults, Judged, is_asked_for, is_blank, object, path_fault};
use crate::attempt::Attempt;
use crate::observation::Standing;

/// A concern of fewer tasks than this is one of theirs (seed 002).
const CROSS_CUTTING: usize = 3;

#[derive(Deserialize)]
struct Plan {
    tasks: Vec<Task>,
    #[serde(default)]
    contract: Vec<Shared>,
    #[serde(default)]
    cross_cutting: Vec<Concern>,
}

#[derive(Deserialize)]
struct Task {
    id: String,
    title: String,
    description: String,
    acceptance_criteria: Vec<Criterion>,
    depends_on: Vec<String>,
    files_touched: Vec<String>,
}

#[derive(Deserialize)]
struct Criterion {
    criterion: String,
    verify_by: String,
}

#[derive(Deserialize)]
struct Shared {
    name: String,
    definition: String,
    provided_by: String,
    used_by: Vec<String>,
}

#[derive(Deserialize)]
struct Concern {
    concern: String,
    tasks: BTreeSet<String>,
}

/// An architect's plan can be carried out: its tasks are complete, known to each other, and in no circle.
pub(super) fn architect(attempt: &Attempt<'_>) -> Result<Judged, String> {
    let plan: Plan = object(attempt.answer.text)?;
    let mut faults = Faults::new();
    let mut small = |message: String| faults.push((Standing::Small, message));
    if plan.tasks.is_empty() {
        small("the plan has no tasks".to_owned());
    }
    let mut needs: BTreeMap<&str, &[String]> = BTreeMap::new();
    for task in &plan.tasks {
        if needs.insert(&task.id, &task.depends_on).is_some() {
            small(format!("two tasks have the id `{}`", task.id));
        }
    }
    for Task { id, title, description, acceptance_criteria, depends_on, files_touched } in &plan.tasks {
        if is_blank(id) || is_blank(title) || is_blank(description) {
            small(format!("the task `{id}` lacks an id, a title or a description"));
        }
        if acceptance_criteria.is_empty() {
            small(format!("nothing says when the task `{id}` is done"));
        }
        if acceptance_criteria.iter().any(|c| is_blank(&c.criterion) || is_blank(&c.verify_by)) {
            small(format!("a criterion of the task `{id}` lacks what has to hold or how to verify it"));
        }
        if files_touched.is_empty() {
            small(format!("the task `{id}` touches no file"));
        }
        files_touched.iter().filter_map(|path| path_fault(path)).for_each(&mut small);
        for needed in depends_on.iter().filter(|needed| !needs.contains_key(needed.as_str())) {
            small(format!("the task `{id}` depends on `{needed}`, which is no task of the plan"));
        }
        if reaches(&needs, id, id) {
            small(format!("the task `{id}` depends on itself"));
        }
    }
    for Shared { name, definition, provided_by, used_by } in &plan.contract {
        if is_blank(name) || is_blank(definition) {
            small("a part of the contract lacks its name or its definition".to_owned());
        }
        for task in used_by.iter().chain([provided_by]).filter(|task| !needs.contains_key(task.as_str())) {
            small(format!("`{name}` of the contract names `{task}`, which is no task of the plan"));
        }
        for user in used_by.iter().filter(|user| *user != provided_by && needs.contains_key(user.as_str())) {
            if !reaches(&needs, user, provided_by) {
                small(format!(
                    "the task `{user}` uses `{name}` and does not depend on `{provided_by}`, which provides it"
                ));
            }
        }
    }
    for Concern { concern, tasks } in &plan.cross_cutting {
        if tasks.len() < CROSS_CUTTING {
            small(format!(
                "“{concern}” concerns fewer than {CROSS_CUTTING} tasks, which is not cross-cutting"
            ));
        }
        for task in tasks.iter().filter(|task| !needs.contains_key(task.as_str())) {
            small(format!("“{concern}” names `{task}`, which is no task of the plan"));
        }
    }
    let detail = format!("a plan of {} tasks that can be carried out", plan.tasks.len());
    Ok(Judged { faults, standing: Standing::Clean, detail })
}

/// Tells whether a task needs another, directly or through others.
fn reaches(needs: &BTreeMap<&str, &[String]>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(task) = open.pop() {
        for needed in needs.get(task).copied().unwrap_or_default() {
            if needed == to {
                return true;
            }
            if seen.insert(needed.as_str()) {
                open.push(needed);
            }
        }
    }
    false
}

#[derive(Deserialize)]
struct Verification {
    status: Status,
    requirements: Vec<Requirement>,
    #[serde(default)]
    semantic_drift: Vec<Drift>,
    #[serde(default)]
    contract_issues: Vec<serde_json::Value>,
    critical_failures: Vec<serde_json::Value>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pass,
    Fail,
}

#[derive(Deserialize)]
struct Requirement {
    requirement: String,
    status: Coverage,
    #[serde(default)]
    tasks: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Coverage {
    Covered,
    Missing,
    Partial,
    Drifted,
}

#[derive(Deserialize)]
struct Drift {
    spec_term: String,
    plan_term: String,
}

/// A plan verifier goes through the specification word for word, and passes a plan exactly if nothing in it is critical.
pub(super) fn verifier(attempt: &Attempt<'_>) -> Result<Judged, String> {
    let found: Verification = object(attempt.answer.text)?;
    let mut faults = Faults::new();
    if found.requirements.is_empty() {
        faults.push((Standing::Small, "it goes through no requirement".to_owned()));
    }
    let has_critical = !found.critical_failures.is_empty();
    match found.status {
        Status::Pass if has_critical => {
            faults.push((Standing::Hard, "it passes a plan in which it finds critical failures".to_owned()));
        }
        Status::Fail if !has_critical => {
            faults.push((Standing::Small, "it fails a plan and names no critical failure".to_owned()));
        }
        _ => {}
    }
    let mut asked = 0;
    for Requirement { requirement, status, tasks } in &found.requirements {
        let shown = crate::checks::shown(requirement);
        if is_blank(requirement) {
            faults.push((Standing::Small, "a requirement has no words".to_owned()));
        }
        asked += usize::from(is_asked_for(attempt, requirement));
        match status {
            Coverage::Covered | Coverage::Partial if tasks.iter().all(|task| is_blank(task)) => {
                faults.push((Standing::Small, format!("“{shown}” is fulfilled by no task that it names")));
            }
            Coverage::Missing if found.status == Status::Pass => {
                faults.push((Standing::Hard, format!("it passes a plan that misses “{shown}”")));
            }
            Coverage::Drifted if found.semantic_drift.is_empty() => {
                faults.push((Standing::Small, format!("“{shown}” has drifted, and nothing says how")));
            }
            _ => {}
        }
    }
    if found.semantic_drift.iter().any(|drift| is_blank(&drift.spec_term) || is_blank(&drift.plan_term)) {
        faults.push((Standing::Small, "a drift lacks one of its two terms".to_owned()));
    }
    let all = found.requirements.len();
    let (standing, detail) = match asked {
        // The specification may stand in a file or in the result of another task.
        0 => (Standing::Open, "none of its requirements stands in the task".to_owned()),
        asked if asked == all => {
            (Standing::Supporting, format!("all of {all} requirements stand in the task"))
        }
        asked => (Standing::Clean, format!("{asked} of {all} requirements stand in the task")),
    };
    let issues = found.contract_issues.len();
    let detail = if issues > 0 { format!("{detail}; {issues} issues of the contract") } else { detail };
    Ok(Judged { faults, standing, detail })
}
