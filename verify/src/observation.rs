//! What one check saw, and what that is worth.

use shared::section::{Check, Outcome};

/// What a check's finding is worth to the verdict, from the best to the worst.
///
/// The order is the heart of the verdict: it decides by the worst of these and by the best of these alone, so
/// that a finding further down the list can never make a decision laxer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// A fact that the work does what was asked: the user's own criteria, a test run, a program's own result.
    Conclusive,
    /// A fact that speaks for the work without proving it: cited lines exist, a runner's output is there.
    Supporting,
    /// Nothing wrong was found, which is no evidence that it is right.
    Clean,
    /// Does not apply.
    Skipped,
    /// Could not be checked; other evidence may stand in for it.
    Open,
    /// A weak sign that something is wrong; only a conclusive fact outweighs it.
    Doubt,
    /// Could not be checked, and nothing stands in for it.
    Missing,
    /// A small defect that can be named and repaired.
    Small,
    /// The work is wrong or not done.
    Hard,
}

impl Standing {
    #[cfg(test)]
    pub(crate) const ALL: [Standing; 9] = [
        Standing::Conclusive,
        Standing::Supporting,
        Standing::Clean,
        Standing::Skipped,
        Standing::Open,
        Standing::Doubt,
        Standing::Missing,
        Standing::Small,
        Standing::Hard,
    ];

    /// Returns what the record says about it.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Standing::Conclusive | Standing::Supporting | Standing::Clean => Outcome::Pass,
            Standing::Skipped => Outcome::Skip,
            Standing::Open | Standing::Missing | Standing::Doubt => Outcome::Unverifiable,
            Standing::Small | Standing::Hard => Outcome::Fail,
        }
    }
}

/// What one check saw.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub(crate) check: String,
    pub(crate) standing: Standing,
    pub(crate) detail: Option<String>,
}

impl Observation {
    pub(crate) fn new(check: &str, standing: Standing, detail: impl Into<String>) -> Observation {
        // What tools print may go over several lines; a detail is one.
        let detail = detail.into().split_whitespace().collect::<Vec<_>>().join(" ");
        Observation { check: check.to_owned(), standing, detail: (!detail.is_empty()).then_some(detail) }
    }

    pub(crate) fn section(&self) -> Check {
        Check { name: self.check.clone(), outcome: self.standing.outcome(), detail: self.detail.clone() }
    }
}

/// Returns the worst of what a check found, with the details of all that are as bad; `clean` if there is nothing.
pub(crate) fn worst(check: &str, found: Vec<(Standing, String)>, clean: (Standing, String)) -> Observation {
    let Some(worst) = found.iter().map(|(standing, _)| *standing).max() else {
        return Observation::new(check, clean.0, clean.1);
    };
    let details: Vec<&str> = found.iter().filter(|(s, _)| *s == worst).map(|(_, d)| d.as_str()).collect();
    let shown = details.iter().take(5).copied().collect::<Vec<_>>().join("; ");
    let more = details.len().saturating_sub(5);
    Observation::new(check, worst, if more > 0 { format!("{shown}; and {more} more") } else { shown })
}
