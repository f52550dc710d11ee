//! What reviewers, debuggers and coherence checkers find: each finding with its place and its repair, and a verdict that
//! follows from them.

use serde::Deserialize;

use super::{Faults, Judged, contains, evidence_fault, is_asked_for, is_blank, object, place_fault};
use crate::attempt::Attempt;
use crate::observation::Standing;
use crate::place::Found;

#[derive(Deserialize)]
struct Review {
    verdict: Verdict,
    requirements: Vec<Demand>,
    missing: Vec<String>,
    #[serde(rename = "out_of_scope")]
    _out_of_scope: Vec<String>,
    issues: Vec<Issue>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Approve,
    RequestChanges,
}

#[derive(Deserialize)]
struct Demand {
    quote: String,
    source: Option<String>,
    status: Fulfilled,
    evidence: String,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fulfilled {
    Met,
    Partial,
    Missing,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Critical,
    Major,
    Minor,
    Nit,
}

#[derive(Deserialize)]
struct Issue {
    severity: Severity,
    file: String,
    line: u64,
    problem: String,
    fix: String,
}

/// A reviewer goes through the specification word for word, and approves exactly what lacks nothing.
pub(super) fn reviewer(attempt: &Attempt<'_>) -> Result<Judged, String> {
    let review: Review = object(attempt.answer.text)?;
    let mut faults = Faults::new();
    if review.requirements.is_empty() {
        faults.push((Standing::Small, "it quotes nothing that was asked for".to_owned()));
    }
    for Demand { quote, source, status, evidence } in &review.requirements {
        faults.extend(quote_fault(attempt, quote, source.as_deref()));
        match status {
            Fulfilled::Met => faults.extend(evidence_fault(attempt, evidence)),
            Fulfilled::Partial | Fulfilled::Missing if is_blank(evidence) => {
                faults.push((
                    Standing::Small,
                    format!("what “{}” lacks is not said", crate::checks::shown(quote)),
                ));
            }
            Fulfilled::Partial | Fulfilled::Missing => {}
        }
    }
    for Issue { file, line, problem, fix, .. } in &review.issues {
        if is_blank(problem) || is_blank(fix) {
            faults.push((Standing::Small, format!("an issue in `{file}` lacks the problem or its fix")));
        }
        faults.extend(place_fault(attempt, file, Some(*line)));
    }
    let unmet = review.requirements.iter().any(|demand| demand.status != Fulfilled::Met);
    let grave = review.issues.iter().any(|i| matches!(i.severity, Severity::Critical | Severity::Major));
    let lacks = unmet || grave || !review.missing.is_empty();
    match review.verdict {
        Verdict::Approve if lacks => {
            faults.push((Standing::Hard, "it approves what it says is not complete or not right".to_owned()));
        }
        Verdict::RequestChanges if !lacks && review.issues.is_empty() => {
            faults.push((Standing::Small, "it asks for changes, and names none".to_owned()));
        }
        _ => {}
    }
    let detail = format!("{} demands quoted, {} issues", review.requirements.len(), review.issues.len());
    Ok(Judged { faults, standing: Standing::Supporting, detail })
}

/// Tells what is wrong with a quote: it has to stand in the task, or in the file that it names.
fn quote_fault(attempt: &Attempt<'_>, quote: &str, source: Option<&str>) -> Option<(Standing, String)> {
    let shown = crate::checks::shown(quote);
    if quote.split_whitespace().count() < 2 {
        return Some((Standing::Small, format!("“{shown}” is too short to be a demand")));
    }
    let Some(source) = source else {
        let message = format!("“{shown}” stands nowhere in the task, and no file is named that it stands in");
        return (!is_asked_for(attempt, quote)).then_some((Standing::Small, message));
    };
    if let Some(fault) = place_fault(attempt, source, None) {
        return Some(fault);
    }
    let Found::Files(files) = attempt.place.find(source) else { return None };
    let has = files.iter().filter_map(|file| attempt.place.read(file)).any(|text| contains(&text, quote));
    (!has).then(|| (Standing::Hard, format!("“{shown}” does not stand in `{source}`")))
}

#[derive(Deserialize)]
struct Diagnosis {
    classification: Class,
    root_cause: String,
    location: Option<Location>,
    change: String,
    #[serde(rename = "out_of_scope")]
    _out_of_scope: Vec<String>,
    upstream_dependency: Option<String>,
    confidence: Confidence,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Class {
    SyntaxError,
    ImportError,
    TypeError,
    TestFailure,
    LintFailure,
    SchemaMismatch,
    MissingDependency,
    TaskSpecError,
}

#[derive(Deserialize)]
struct Location {
    file: String,
    line: u64,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Confidence {
    High,
    Medium,
    Low,
}

/// A debugger names one cause, its place and the exact change.
pub(super) fn debugger(attempt: &Attempt<'_>) -> Result<Judged, String> {
    let found: Diagnosis = object(attempt.answer.text)?;
    let mut faults = Faults::new();
    if is_blank(&found.root_cause) {
        faults.push((Standing::Small, "it names no root cause".to_owned()));
    }
    if is_blank(&found.change) {
        faults.push((Standing::Small, "it does not say what to change".to_owned()));
    }
    if found.upstream_dependency.as_deref().is_some_and(is_blank) {
        faults.push((Standing::Small, "the task upstream that is at fault has no id".to_owned()));
    }
    let placeless = matches!(found.classification, Class::MissingDependency | Class::TaskSpecError);
    let standing = match &found.location {
        Some(Location { file, line }) => {
            faults.extend(place_fault(attempt, file, Some(*line)));
            Standing::Supporting
        }
        None if placeless => Standing::Open,
        None => {
            faults.push((Standing::Small, "the cause has no place".to_owned()));
            Standing::Open
        }
    };
    if found.confidence == Confidence::Low {
        faults.push((Standing::Doubt, "it is not sure of the cause".to_owned()));
    }
    Ok(Judged { faults, standing, detail: "a cause with its place and a change".to_owned() })
}

#[derive(Deserialize)]
struct Coherence {
    status: Status,
    examined: Vec<String>,
    interface: Vec<Misfit>,
    schema: Vec<Misfit>,
    naming: Vec<Misfit>,
    duplicates: Vec<Misfit>,
    missing_connections: Vec<Misfit>,
    contract_gaps: Vec<Misfit>,
    #[serde(rename = "delta")]
    _delta: Option<Delta>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pass,
    Fail,
}

#[derive(Deserialize)]
struct Misfit {
    severity: Severity,
    files: Vec<String>,
    problem: String,
    fix: String,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(rename = "fixed")]
    _fixed: Vec<serde_json::Value>,
    #[serde(rename = "remaining")]
    _remaining: Vec<serde_json::Value>,
    #[serde(rename = "new")]
    _new: Vec<serde_json::Value>,
}

/// A coherence checker looks at all changes that it was given, and passes them exactly if no finding is critical.
pub(super) fn coherence(attempt: &Attempt<'_>) -> Result<Judged, String> {
    let found: Coherence = object(attempt.answer.text)?;
    let mut faults = Faults::new();
    let given = &attempt.dispatch.inputs;
    for id in given.keys().filter(|id| !found.examined.contains(id)) {
        faults.push((Standing::Small, format!("it did not look at `{id}`, which it was given")));
    }
    if !given.is_empty() {
        for id in found.examined.iter().filter(|id| !given.contains_key(*id)) {
            faults
                .push((Standing::Hard, format!("it says that it looked at `{id}`, which it was not given")));
        }
    } else if found.examined.iter().filter(|id| !is_blank(id)).count() < 2 {
        faults.push((Standing::Small, "it does not name the tasks that it compared".to_owned()));
    }
    let kinds = [
        found.interface,
        found.schema,
        found.naming,
        found.duplicates,
        found.missing_connections,
        found.contract_gaps,
    ];
    let misfits: Vec<Misfit> = kinds.into_iter().flatten().collect();
    for Misfit { files, problem, fix, .. } in &misfits {
        let shown = crate::checks::shown(problem);
        if is_blank(problem) || is_blank(fix) {
            faults.push((Standing::Small, format!("the finding “{shown}” lacks the problem or its fix")));
        }
        if files.is_empty() {
            faults.push((Standing::Small, format!("the finding “{shown}” names no file")));
        }
        faults.extend(files.iter().filter_map(|file| place_fault(attempt, file, None)));
    }
    let has_critical = misfits.iter().any(|misfit| misfit.severity == Severity::Critical);
    match found.status {
        Status::Pass if has_critical => {
            faults
                .push((Standing::Hard, "it passes changes in which it finds something critical".to_owned()));
        }
        Status::Fail if !has_critical => {
            faults.push((
                Standing::Small,
                "it fails the changes, and nothing that it finds is critical".to_owned(),
            ));
        }
        _ => {}
    }
    let (standing, detail) = match misfits.len() {
        0 => (Standing::Open, "it finds nothing, and nothing shows that it looked".to_owned()),
        some => (Standing::Supporting, format!("{some} findings, each with its files and a fix")),
    };
    Ok(Judged { faults, standing, detail })
}
