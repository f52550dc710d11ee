//! Calibration: what verified outcomes teach about the tiers.
//!
//! `classify calibrate` reads records that went through the pipe (`evidence`), counts them (`counts`), learns a model of
//! what is rejected (`text`, `regression`, `outcome`), finds the threshold of a promise (`promise`), and writes all that
//! into one file (`file`). This module is the other end: it loads that file and applies it to decisions. Without a file
//! nothing here runs. The statistics stand in `interval`.

mod command;
mod counts;
mod evidence;
mod file;
mod interval;
mod learn;
mod outcome;
mod promise;
mod regression;
mod report;
mod signature;
mod text;

use std::path::{Path, PathBuf};

use shared::Problem;
use shared::section::{self, Acceptance, Basis, Classify, Expected, Risk, Task};

use crate::{reading, words};
pub use command::Calibrate;
pub(crate) use command::{read, run};
use counts::Shift;
pub(crate) use evidence::{Attempt, Collection, Evidence};
use file::File;
pub(crate) use interval::{Z80, wilson};
use outcome::Model;
pub(crate) use outcome::{Example, left_out};

/// Below this confidence a decision is borderline: a calibration may move it by a tier.
const BORDERLINE: f64 = 0.75;
/// A tier with less weight than this is no candidate for a borderline task.
const CANDIDATE: f64 = 0.2;

/// A calibration, ready to be applied.
#[derive(Debug)]
pub(crate) struct Calibration {
    path: PathBuf,
    file: File,
    models: Vec<(u8, u64, Model)>,
}

/// Where a calibration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Off,
    /// This file, which has to be there.
    Path(PathBuf),
    /// That of the project, if it has one.
    Project,
}

impl Source {
    /// Understands what was said: `off`, or the path of a file.
    pub(crate) fn new(said: Option<&str>) -> Source {
        match said {
            None => Source::Project,
            Some("off") => Source::Off,
            Some(path) => Source::Path(PathBuf::from(path)),
        }
    }
}

/// Returns where the calibration of the project stands that a directory belongs to.
pub(crate) fn project_file(directory: &Path) -> PathBuf {
    shared::state::Root::find(directory).path.join(shared::state::DIRECTORY).join(file::NAME)
}

impl Calibration {
    /// Loads the calibration, if there is one.
    ///
    /// # Errors
    /// If it can not be read or understood.
    pub(crate) fn load(source: &Source, directory: &Path) -> Result<Option<Calibration>, Problem> {
        let path = match source {
            Source::Off => return Ok(None),
            Source::Path(path) => path.clone(),
            Source::Project => {
                let path = project_file(directory);
                if !path.is_file() {
                    return Ok(None);
                }
                path
            }
        };
        Calibration::new(File::read(&path)?, path).map(Some)
    }

    fn new(file: File, path: PathBuf) -> Result<Calibration, Problem> {
        let mut models = Vec::new();
        for (tier, known) in &file.tiers {
            if let Some(stored) = &known.model {
                models.push((*tier, stored.n, stored.model()?));
            }
        }
        Ok(Calibration { path, file, models })
    }

    /// Applies what was learned to a decision: moves a borderline one, says what to expect, keeps the promise.
    ///
    /// `is_settled` tells that the user has said the tier, which nothing here moves.
    pub(crate) fn apply(&self, decision: &mut Classify, task: &Task, is_settled: bool) {
        let (text, _) = words::within_limits(&task.text);
        let reading = reading::read(&text);
        let signature = signature::of(&decision.executor, &reading);
        let is_settled = is_settled || task.run.is_some();
        if !is_settled {
            self.shift(decision, task, &signature);
        }
        let acceptance = self.acceptance(&text, &signature);
        if let Some(promise) = &self.file.promise {
            decision.promise = Some(self.keep(promise, decision, task, &acceptance, is_settled));
        }
        decision.acceptance = Some(acceptance);
    }

    /// Moves a borderline decision if the rejections of its tier, or of the one below, are out of bounds.
    fn shift(&self, decision: &mut Classify, task: &Task, signature: &str) {
        let tier = decision.tier.number();
        if decision.confidence >= BORDERLINE {
            return;
        }
        let told = |tier: u8| {
            let known = &self.file.tiers[&tier];
            let cell = known.signatures.get(signature).unwrap_or(&known.cell);
            let cell = if cell.shift == known.cell.shift { &known.cell } else { cell };
            format!("{:.0} % of {} drafts of tier {tier} were rejected", cell.rejection.share * 100.0, cell.n)
        };
        if tier < 3 && self.shift_of(tier, signature) == Shift::Up {
            if task.max_tier.is_some_and(|max| max.number() <= tier) {
                return;
            }
            decision.reasons.push(format!("borderline, and {} → one tier up ({})", told(tier), tier + 1));
            lift(decision, tier + 1);
        } else if tier > 1
            && self.shift_of(tier - 1, signature) == Shift::Down
            && may_come_down(decision, task)
            && weight(decision, tier - 1) >= CANDIDATE
            // The promise counts on the tasks that its tier was given so far.
            && self.file.promise.as_ref().is_none_or(|promise| promise.tier != tier - 1)
        {
            decision.reasons.push(format!(
                "borderline, and only {} → one tier down ({})",
                told(tier - 1),
                tier - 1
            ));
            lower(decision, tier - 1);
        }
    }

    fn shift_of(&self, tier: u8, signature: &str) -> Shift {
        let Some(known) = self.file.tiers.get(&tier) else { return Shift::Stay };
        known.signatures.get(signature).map_or(known.cell.shift, |cell| cell.shift)
    }

    /// Returns what is expected of a draft of a tier.
    pub(crate) fn expected(&self, text: &str, signature: &str, tier: u8) -> Option<Expected> {
        self.acceptance(text, signature).of(section::Tier::try_from(tier).ok()?)
    }

    /// Returns how many verdicts it takes to move anything.
    pub(crate) fn min_evidence(&self) -> f64 {
        self.file.min_evidence
    }

    /// Returns how many tokens a turn on a tier has: the medians of the two, if enough attempts have told them.
    pub(crate) fn tokens_per_turn(&self, tier: u8) -> Option<f64> {
        let effort = &self.file.tiers.get(&tier)?.effort;
        let (tokens, turns) = (effort.tokens?, effort.turns?);
        let is_enough = tokens.n.min(turns.n) as f64 >= self.file.min_evidence;
        let tokens_per_turn = tokens.p50 / turns.p50.max(1.0);
        (is_enough && (1.0..=1e7).contains(&tokens_per_turn)).then_some(tokens_per_turn)
    }

    /// Returns how many of these tasks it was learned from, as far as the evidence beside it tells.
    pub(crate) fn has_learned_from<'e>(&self, evidence: impl Iterator<Item = &'e Evidence>) -> usize {
        let mut known = Collection::default();
        if command::read_store(&command::store(&self.path), &mut known).is_err() {
            return 0;
        }
        let keys = known.keys();
        evidence.filter(|one| keys.contains(one.key.as_str())).count()
    }

    fn acceptance(&self, text: &str, signature: &str) -> Acceptance {
        let seen = (!self.models.is_empty()).then(|| text::see(text));
        let of = |tier: u8| {
            if let Some(seen) = &seen
                && let Some((_, n, model)) = self.models.iter().find(|(of, _, _)| *of == tier)
            {
                return Expected { probability: model.acceptance(seen), n: *n, basis: Basis::Model };
            }
            let known = self.file.tiers.get(&tier);
            let (probability, n, basis) = match known {
                None => (counts::expected(tier), 0, Basis::Prior),
                Some(known) => match known.signatures.get(signature) {
                    Some(cell) => (cell.acceptance, cell.n, Basis::Signature),
                    None => (known.cell.acceptance, known.cell.n, Basis::Tier),
                },
            };
            Expected { probability, n, basis }
        };
        Acceptance { one: Some(of(1)), two: Some(of(2)), three: Some(of(3)) }
    }

    /// Says what is promised, and lifts a task that scores too low for it.
    fn keep(
        &self,
        promise: &file::Promise,
        decision: &mut Classify,
        task: &Task,
        acceptance: &Acceptance,
        is_settled: bool,
    ) -> section::Promise {
        let tier = section::Tier::try_from(promise.tier).unwrap_or(section::Tier::ONE);
        let probability = acceptance.of(tier).map_or(0.0, |expected| expected.probability);
        let is_good = promise.threshold.is_some_and(|threshold| probability >= threshold);
        if decision.tier == tier && !is_good && tier.number() < 3 {
            let (alpha, confidence) = (percent(promise.max_bad_accept), percent(promise.confidence));
            let why = match (promise.threshold, promise.missing) {
                (Some(threshold), _) => format!(
                    "acceptance {probability:.2} is below {threshold:.2}, which keeps bad drafts at {alpha} of all tasks with {confidence} confidence"
                ),
                (None, Some(missing)) => {
                    format!("nothing can be promised before {missing} more records are verified")
                }
                (None, None) => "no threshold keeps the promise".to_owned(),
            };
            if is_settled {
                decision.reasons.push(format!("{why}; the tier is as you said, outside of the promise"));
            } else if task.max_tier.is_some_and(|max| max <= tier) {
                decision.reasons.push(format!("{why}; `max_tier` allows no more, outside of the promise"));
            } else {
                decision.reasons.push(format!("{why} → one tier up ({})", tier.number() + 1));
                lift(decision, tier.number() + 1);
            }
        }
        section::Promise {
            tier,
            max_bad_accept: promise.max_bad_accept,
            confidence: promise.confidence,
            threshold: promise.threshold,
            bound: promise.bound,
            n: promise.n,
            missing: promise.missing,
            made_at: promise.made_at.clone(),
            delegated: is_good,
        }
    }
}

/// Writes a share as people say it: 5 %, 0.5 %.
fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0).round() / 100.0;
    format!("{hundredths} %")
}

/// Tells whether nothing but weight speaks against a lower tier.
fn may_come_down(decision: &Classify, task: &Task) -> bool {
    !decision.unsure
        && decision.risk != Risk::High
        && decision.parts.is_empty()
        && task.executor.is_none()
        && task.min_tier.is_none_or(|min| min < decision.tier)
}

fn weight(decision: &Classify, tier: u8) -> f64 {
    match tier {
        1 => decision.scores.one,
        2 => decision.scores.two,
        _ => decision.scores.three,
    }
}

/// Lifts a decision: the weight of all below goes to the new tier, and so do the parts on the old one.
fn lift(decision: &mut Classify, tier: u8) {
    let Ok(to) = section::Tier::try_from(tier) else { return };
    for part in &mut decision.parts {
        if part.tier == decision.tier {
            part.tier = to;
        }
    }
    let scores = &mut decision.scores;
    if tier == 2 {
        scores.two = hundredths(scores.one + scores.two);
        scores.one = 0.0;
    } else {
        scores.three = hundredths(scores.one + scores.two + scores.three);
        (scores.one, scores.two) = (0.0, 0.0);
    }
    decision.tier = to;
    decision.confidence = weight(decision, tier);
}

/// Lowers a decision: the weight of all above goes to the new tier.
fn lower(decision: &mut Classify, tier: u8) {
    let Ok(to) = section::Tier::try_from(tier) else { return };
    let scores = &mut decision.scores;
    if tier == 2 {
        scores.two = hundredths(scores.two + scores.three);
    } else {
        scores.one = hundredths(scores.one + scores.two + scores.three);
        scores.two = 0.0;
    }
    scores.three = 0.0;
    decision.tier = to;
    decision.confidence = weight(decision, tier);
}

fn hundredths(weight: f64) -> f64 {
    (weight * 100.0).round() / 100.0
}
