//! Decides about a task: the user's rules first, then the flowchart and the model, then what lifts or caps the tier.
//!
//! In this order, each step named in the reasons: a rule of the user; a command that is given (`run`); the
//! flowchart and the model over the words; doubt (one tier up); the executor asked for; risk; `min_tier`; `max_tier`, which
//! is what the user is willing to pay and so has the last word.

mod bounds;
mod doubt;
mod evidence;
mod vote;

use shared::Problem;
use shared::section::{Classify, Part, Risk, Scores, Task, Tier};

use crate::ask::Advice;
use crate::clause::Mood;
use crate::compound;
use crate::effort;
use crate::executor::Executor;
use crate::features::{self, Features};
use crate::flowchart::{Leaf, Lean};
use crate::mode::Mode;
use crate::model::{Model, Opinion};
use crate::reading::{self, Reading};
use crate::risk::{self, Assessed};
use crate::rules::Rule;
use crate::words;
use vote::Vote;

/// A decision, and what may still be done to it.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) classify: Classify,
    pub(crate) leeway: Leeway,
    /// What the model thought on the way.
    pub(crate) opinion: Opinion,
}

/// What prices, budgets and shares may do to a decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leeway {
    /// The lowest tier that the user's words, the executor and the risk allow.
    pub(crate) floor: u8,
    /// The highest.
    pub(crate) ceiling: u8,
    /// How many turns one in two such tasks needs at most. Doubt and risk lift the tier, but make nothing longer.
    pub(crate) median_turns: f64,
}

/// What decisions are made by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Router<'r> {
    /// The user's.
    pub(crate) rules: &'r [Rule],
    pub(crate) model: &'r Model,
    pub(crate) mode: Mode,
}

#[cfg(test)]
impl Default for Router<'_> {
    fn default() -> Self {
        Router { rules: &[], model: Model::built_in(), mode: Mode::default() }
    }
}

/// Decides about a task.
///
/// # Errors
/// If the task asks for nothing, or for what cannot be.
pub(crate) fn decide(router: Router, task: &Task) -> Result<Decided, Problem> {
    decide_with(router, task, None)
}

/// Decides about a task of which somebody may have been asked, because there was doubt.
///
/// Advice counts in place of doubt and nowhere else. It is never laxer than what was decided before the doubt: the tier is
/// that one or the advised one, whichever is higher, and so is the risk.
///
/// # Errors
/// As [`decide`].
pub(crate) fn decide_with(router: Router, task: &Task, advice: Option<&Advice>) -> Result<Decided, Problem> {
    if let (Some(min), Some(max)) = (task.min_tier, task.max_tier)
        && min > max
    {
        return Err(Problem::new(format!("task: min_tier {min} is above max_tier {max}"))
            .hint("leave one of them out, or let them be the same"));
    }
    let (text, is_cut) = words::within_limits(&task.text);
    if text.trim().is_empty() && task.run.is_none() {
        return Err(
            Problem::new("task: the text is empty").hint("say what is to be done in `task` or `task.text`")
        );
    }
    let reading = reading::read(&text);
    let rule = router.rules.iter().find(|rule| rule.holds(task, &text));
    let features = features::of(&text, &reading);
    let opinion = router.model.opinion(&features);
    let mut draft = match &task.run {
        Some(argv) => Draft::of_command(argv, &reading),
        None => {
            let (draft, vote) = Draft::of_words(&reading, &features, &opinion, router);
            draft.settled(vote, advice)
        }
    };
    draft.heed(task, rule);
    if is_cut {
        let total = task.text.len();
        draft.reasons.push(format!("of {total} bytes, the first 16 KiB and the last 4 KiB were read"));
    }
    draft.bound(task);
    Ok(draft.finish(opinion))
}

/// A decision in the making.
struct Draft {
    /// The weight of each tier.
    weights: [f64; 3],
    tier: u8,
    executor: String,
    only_reads: bool,
    risk: Assessed,
    unsure: bool,
    /// The tier is said by the user; risk does not lift it.
    is_settled: bool,
    leeway: Leeway,
    parts: Vec<Part>,
    reasons: Vec<String>,
}

impl Draft {
    /// Takes in what the files and the user's rules say.
    fn heed(&mut self, task: &Task, rule: Option<&Rule>) {
        if let Some(files) = &task.files_touched
            && !self.only_reads
        {
            let by_paths = risk::of_paths(files);
            if by_paths.risk > self.risk.risk {
                self.risk = by_paths;
            }
        }
        if let Some(rule) = rule {
            self.obey(rule);
        }
    }

    /// A command that is given needs nobody who thinks: tier 1, whatever the words say.
    fn of_command(argv: &[String], reading: &Reading) -> Draft {
        let by_words = risk_of(reading);
        let by_command = risk::of_command(argv);
        Draft {
            weights: [1.0, 0.0, 0.0],
            tier: 1,
            executor: Executor::Validate.name().to_owned(),
            only_reads: false,
            risk: if by_words.risk > by_command.risk { by_words } else { by_command },
            unsure: false,
            is_settled: true,
            leeway: Leeway { floor: 1, ceiling: 1, median_turns: 1.0 },
            parts: Vec::new(),
            reasons: vec!["`run` says which command does it: it only runs a command (tier 1)".to_owned()],
        }
    }

    fn of_words(reading: &Reading, features: &Features, opinion: &Opinion, router: Router) -> (Draft, Vote) {
        let mut reasons = Vec::with_capacity(6);
        let main = reading.main();
        let flowchart = main.map(|(clause, leaf)| {
            let Leaf { tier, executor, because, path } = leaf;
            reasons.push(format!("\"{}\": {path} → {executor} ({tier})", shortened(clause.verb)));
            reasons.push(because.why.to_owned());
            (tier, executor, weights(tier, because.sure, because.lean))
        });
        if flowchart.is_none() {
            reasons.push("the rubric finds nothing here that says what is to be done".to_owned());
        }
        let vote = vote::count(flowchart.map(|(_, _, weights)| weights), opinion, router.mode.tolerated());
        reasons.push(evidence::told(features, opinion, router.model));
        if let Some((said, ..)) = flowchart
            && said != vote.pointed
        {
            reasons.push(format!("together they point at tier {}", vote.pointed));
        }
        let executor = match flowchart {
            Some((said, executor, _)) if said == vote.pointed => executor,
            _ => fitting(opinion, vote.pointed),
        };
        let only_reads = executor.only_reads()
            || main.is_some_and(|(clause, leaf)| match executor {
                Executor::Validate => clause.mood != Mood::Order,
                Executor::Orchestrate => leaf.executor.only_reads(),
                _ => false,
            });
        let mut draft = Draft {
            weights: vote.weights,
            tier: vote.pointed,
            executor: executor.name().to_owned(),
            only_reads,
            risk: risk::of_words(risk_of(reading), opinion, executor),
            unsure: false,
            is_settled: false,
            leeway: Leeway::free(),
            parts: Vec::new(),
            reasons,
        };
        draft.decompose(reading, opinion);
        draft.leeway.median_turns = match draft.parts.as_slice() {
            [] => opinion.usual_turns(),
            parts => effort::usual_turns(parts),
        };
        (draft, vote)
    }

    /// Takes the task apart, if it is compound; it is as hard as the hardest of its parts then.
    fn decompose(&mut self, reading: &Reading, opinion: &Opinion) {
        let Some(compound) = compound::of(reading, Some(opinion.compound)) else { return };
        self.parts = compound.parts;
        let Some(hardest) = self.parts.iter().max_by_key(|part| part.tier.number()) else { return };
        self.tier = hardest.tier.number();
        self.executor = hardest.executor.clone();
        let (steps, why) = (self.parts.len(), compound.because);
        self.reasons
            .push(format!("compound ({why}): {steps} steps, the hardest of them on tier {}", self.tier));
    }

    fn finish(mut self, opinion: Opinion) -> Decided {
        // What holds for the whole holds for its parts.
        let tier = tier_of(self.tier);
        for part in &mut self.parts {
            part.tier = part.tier.min(tier);
        }
        // Hundredths, and the last one makes up the sum.
        let round = |weight: f64| (weight * 100.0).round() / 100.0;
        let [one, two, _] = self.weights.map(round);
        let three = round(1.0 - one - two);
        let scores = Scores { one, two, three };
        let confidence = [one, two, three][usize::from(self.tier) - 1];
        // What was said last has the last word here too.
        let leeway = Leeway {
            floor: self.leeway.floor.min(self.tier),
            ceiling: self.leeway.ceiling.max(self.tier),
            ..self.leeway
        };
        let classify = Classify {
            tier: tier_of(self.tier),
            executor: self.executor,
            confidence,
            risk: self.risk.risk,
            reasons: self.reasons,
            scores,
            unsure: self.unsure,
            parts: self.parts,
            reflection: None,
            acceptance: None,
            promise: None,
            effort: None,
            economics: None,
            asked: None,
            cost_usd: None,
        };
        Decided { classify, leeway, opinion }
    }
}

impl Decided {
    /// Leaves what follows no way below what a calibration has decided.
    pub(crate) fn keep_promise(&mut self) {
        let tier = self.classify.tier.number();
        if let Some(promise) = self.classify.promise.as_ref().filter(|promise| !promise.delegated) {
            self.leeway.floor = self.leeway.floor.max(promise.tier.number() + 1);
        }
        self.leeway.floor = self.leeway.floor.min(tier);
        self.leeway.ceiling = self.leeway.ceiling.max(tier);
    }
}

impl Leeway {
    fn free() -> Leeway {
        Leeway { floor: 1, ceiling: 3, median_turns: 1.0 }
    }
}

/// Returns the executor that the model thinks of first among those that a tier has.
fn fitting(opinion: &Opinion, tier: u8) -> Executor {
    let fits = |executor: &Executor| match tier {
        1 => executor.home() == Tier::ONE || *executor == Executor::Implement,
        2 => executor.home() == Tier::TWO || *executor == Executor::Document,
        _ => *executor == Executor::Orchestrate,
    };
    let share = |executor: &Executor| opinion.of_executor(*executor);
    let by_share = |a: &Executor, b: &Executor| share(a).total_cmp(&share(b));
    Executor::ALL.into_iter().filter(fits).max_by(by_share).unwrap_or(Executor::Implement)
}

fn tier_of(number: u8) -> Tier {
    Tier::try_from(number).unwrap_or(Tier::THREE)
}

/// Spreads what is not sure over the other tiers.
fn weights(tier: u8, sure: f64, lean: Lean) -> [f64; 3] {
    let rest = 1.0 - sure;
    match (tier, lean) {
        (1, Lean::Up) => [sure, rest * 0.75, rest * 0.25],
        (1, _) => [sure, rest * 0.8, rest * 0.2],
        (2, Lean::Down) => [rest * 0.75, sure, rest * 0.25],
        (2, Lean::Even) => [rest * 0.5, sure, rest * 0.5],
        (2, Lean::Up) => [rest * 0.25, sure, rest * 0.75],
        (_, _) => [rest * 0.2, rest * 0.8, sure],
    }
}

/// The highest risk of what is asked; a complaint is at least as grave as what it is about.
pub(crate) fn risk_of(reading: &Reading) -> Assessed {
    let main_reads = reading.main().is_some_and(|(_, leaf)| leaf.executor.only_reads());
    let mut highest = Assessed { risk: Risk::Low, why: "what is done can be undone" };
    for (at, clause) in reading.clauses.iter().enumerate() {
        let only_reads = match &reading.leaves[at] {
            Some(leaf) => leaf.executor.only_reads(),
            None => main_reads,
        };
        let is_detail = reading.has_body && clause.sentence > 0;
        let assessed = risk::of_clause(clause, only_reads);
        if assessed.risk > highest.risk
            && !(is_detail && clause.mood != Mood::Order && assessed.risk == Risk::High)
        {
            highest = assessed;
        }
    }
    highest
}

/// A reason is for reading: no more of a verb than fits.
fn shortened(word: &str) -> &str {
    let end = word.char_indices().nth(40).map_or(word.len(), |(end, _)| end);
    &word[..end]
}
