//! The tasks of a log that a tier has drafted, with what each draft came to and cost.

use shared::lines::Lines;
use shared::section::Task;
use shared::{Diagnostics, Exit, Problem, price};

use crate::calibration::{Attempt, Calibration, Collection, Evidence, Example};
use crate::decide::Router;
use crate::mode::Mode;
use crate::{calibration, decide};

/// What was asked for.
pub(super) struct Asked<'a> {
    pub(super) tier: Option<u8>,
    pub(super) prices: Option<&'a price::Table>,
    pub(super) models: &'a [(u8, String)],
    pub(super) modes: &'a [Mode],
    pub(super) router: Router<'a>,
}

/// A log.
pub(super) struct Log {
    /// The tier that tasks are delegated to.
    pub(super) tier: u8,
    /// All tasks of the log.
    pub(super) tasks: usize,
    pub(super) cases: Vec<Case>,
    /// How many of these tasks the calibration has learned from.
    pub(super) known: usize,
}

/// A task that the tier has drafted.
pub(super) struct Case {
    pub(super) rejected: bool,
    /// Whether the strong tier's result was accepted; absent if it was not asked, or not judged.
    pub(super) strong: Option<bool>,
    pub(super) cost: Option<f64>,
    pub(super) strong_cost: Option<f64>,
    /// By the calibration.
    pub(super) acceptance: Option<f64>,
    /// By a model learned from the rest of this log.
    pub(super) left_out: Option<f64>,
    /// The tier that the words point at, by weight: 1 to 3.
    pub(super) words: f64,
    /// For each mode that was asked about, whether the task stays on the tier, or below.
    pub(super) stays: Vec<bool>,
    /// In characters.
    pub(super) length: f64,
}

/// Reads a log.
pub(super) fn read(
    input: Box<dyn std::io::Read + Send>,
    max_line: u64,
    asked: &Asked,
    calibration: Option<&Calibration>,
    diagnostics: &Diagnostics,
) -> Result<(Exit, Log), Problem> {
    let mut collection = Collection::default();
    let (exit, _) = calibration::read(Lines::new(input, max_line), &mut collection, diagnostics)?;
    let all = collection.into_sorted();
    let lowest = (1..=2).find(|tier| all.iter().any(|one| one.at_tier(*tier).is_some())).unwrap_or(1);
    let tier = asked.tier.unwrap_or(lowest);
    let drafted: Vec<(&Evidence, &Attempt)> =
        all.iter().filter_map(|one| Some((one, one.at_tier(tier)?))).collect();
    let examples: Vec<Example> =
        drafted.iter().map(|(one, attempt)| Example::of(&one.text, attempt.rejected == Some(true))).collect();
    let left_out = calibration::left_out(&examples);
    let mut cases = Vec::with_capacity(drafted.len());
    for (at, (one, attempt)) in drafted.iter().enumerate() {
        let strong = one.attempts.iter().rev().find(|other| other.tier > tier && other.rejected.is_some());
        let task = Task { text: one.text.clone(), ..Task::default() };
        // A text that asks for nothing has been let through before; here it counts as the middle.
        let words = decide::decide(asked.router, &task).map_or(2.0, |decided| {
            let scores = decided.classify.scores;
            scores.one + 2.0 * scores.two + 3.0 * scores.three
        });
        cases.push(Case {
            rejected: attempt.rejected == Some(true),
            strong: strong.and_then(|strong| strong.rejected).map(|rejected| !rejected),
            cost: asked.cost(attempt),
            strong_cost: strong.and_then(|strong| asked.cost(strong)),
            acceptance: calibration
                .and_then(|known| known.expected(&one.text, &one.signature, tier))
                .map(|expected| expected.probability),
            left_out: left_out.as_ref().map(|scores| scores[at]),
            words,
            stays: asked.modes.iter().map(|mode| asked.stays(*mode, &task, tier, calibration)).collect(),
            length: one.text.chars().count() as f64,
        });
    }
    let known = calibration
        .map_or(0, |calibration| calibration.has_learned_from(drafted.iter().map(|(one, _)| *one)));
    Ok((exit, Log { tier, tasks: all.len(), cases, known }))
}

impl Asked<'_> {
    /// Tells whether a task would be drafted by the tier in a mode. One that can not be decided about would not.
    fn stays(&self, mode: Mode, task: &Task, tier: u8, calibration: Option<&Calibration>) -> bool {
        let Ok(decided) = decide::decide(Router { mode, ..self.router }, task) else { return false };
        let mut decision = decided.classify;
        if let Some(calibration) = calibration {
            let rule = self.router.rules.iter().find(|rule| rule.holds(task, &task.text));
            calibration.apply(&mut decision, task, rule.is_some_and(|rule| rule.tier.is_some()));
        }
        decision.tier.number() <= tier
    }

    /// Returns what an attempt cost: as it was, or by other prices.
    fn cost(&self, attempt: &Attempt) -> Option<f64> {
        let Some(prices) = self.prices else { return attempt.cost_usd };
        let other = self.models.iter().rev().find(|(tier, _)| *tier == attempt.tier).map(|(_, model)| model);
        let model = other.or(attempt.model.as_ref())?;
        prices.cost(model, &attempt.usage?)
    }
}
