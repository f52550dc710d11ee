//! A developer's report: done, with exactly the files that changed, or blocked, with the question that would help.

use serde::Deserialize;

use super::{Faults, Judged, is_blank, object, path_fault};
use crate::attempt::Attempt;
use crate::observation::Standing;

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Report {
    Done {
        files_created: Vec<String>,
        files_modified: Vec<String>,
        #[serde(rename = "decisions")]
        _decisions: Vec<String>,
        tests_added: Vec<String>,
        #[serde(rename = "concerns")]
        _concerns: Vec<String>,
    },
    Blocked {
        blocked_reason: Reason,
        uncertain_about: String,
        options: Vec<String>,
        attempted: Vec<String>,
        files_completed: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    AmbiguousSpec,
    MissingDependency,
    ContradictoryRequirements,
    ImpossibleAsSpecified,
}

impl Reason {
    fn words(&self) -> &'static str {
        match self {
            Reason::AmbiguousSpec => "the specification is ambiguous",
            Reason::MissingDependency => "a dependency is missing",
            Reason::ContradictoryRequirements => "the requirements contradict each other",
            Reason::ImpossibleAsSpecified => "it is impossible as specified",
        }
    }
}

pub(super) fn developer(attempt: &Attempt<'_>) -> Result<Judged, String> {
    let mut faults = Faults::new();
    match object::<Report>(attempt.answer.text)? {
        Report::Done { files_created, files_modified, tests_added, .. } => {
            let named: Vec<&String> = files_created.iter().chain(&files_modified).collect();
            faults.extend(
                named.iter().filter_map(|path| path_fault(path)).map(|fault| (Standing::Small, fault)),
            );
            faults.extend(against_the_facts(attempt, &named, &tests_added));
            let detail = format!("{} files, as it says", named.len());
            Ok(Judged { faults, standing: Standing::Clean, detail })
        }
        Report::Blocked { blocked_reason, uncertain_about, options, attempted, files_completed } => {
            if is_blank(&uncertain_about) {
                faults.push((
                    Standing::Small,
                    "it is blocked, and does not say what it would have to know".to_owned(),
                ));
            }
            if options.is_empty() && attempted.is_empty() {
                faults.push((
                    Standing::Small,
                    "it is blocked, and names neither options nor what it tried".to_owned(),
                ));
            }
            faults.extend(
                files_completed.iter().filter_map(|path| path_fault(path)).map(|f| (Standing::Small, f)),
            );
            // Well said or not, the task is not done.
            let about = crate::checks::shown(&uncertain_about);
            faults.push((
                Standing::Hard,
                format!("it is blocked, because {}: {about}", blocked_reason.words()),
            ));
            Ok(Judged { faults, standing: Standing::Hard, detail: String::new() })
        }
    }
}

/// Compares what a report says with the files that changed.
fn against_the_facts(attempt: &Attempt<'_>, named: &[&String], tests: &[String]) -> Faults {
    let mut faults = Faults::new();
    if named.is_empty() {
        faults.push((Standing::Small, "it is done, and names no file".to_owned()));
    }
    let Some(changed) = &attempt.dispatch.files_changed else {
        faults.push((Standing::Open, "which files changed is not known".to_owned()));
        return faults;
    };
    let is_changed = |path: &str| changed.iter().any(|file| file == path.trim_start_matches("./"));
    for path in named.iter().filter(|path| !is_changed(path)) {
        faults.push((Standing::Hard, format!("it says that it changed `{path}`, which did not change")));
    }
    let is_named = |file: &String| named.iter().any(|path| path.trim_start_matches("./") == file);
    for file in changed.iter().filter(|file| !is_named(file)) {
        faults.push((Standing::Small, format!("it does not name `{file}`, which changed")));
    }
    for test in tests {
        let path = test.split("::").next().unwrap_or(test).split(':').next().unwrap_or(test).trim();
        if !is_changed(path) {
            let shown = crate::checks::shown(test);
            faults.push((
                Standing::Hard,
                format!("it says that it added the test `{shown}`, whose file did not change"),
            ));
        }
    }
    faults
}
