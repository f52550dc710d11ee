//! Reflection: is a task ready to be worked on, before anything is spent on it (seed 003)?
//!
//! Three stages: does it say what is to be done (`clarity`, half of the confidence), has something like it gone wrong
//! before (`mistakes`, 0.3), and is what it speaks of there to be looked at (`context`, 0.2). From 0.70 on it proceeds;
//! below, somebody is asked, with questions that can be answered. What a text names is found by `named`; what is said
//! to people is worded in `told`.
//!
//! Nothing is read before the first record needs it, and nothing at all unless `--reflect` asks for it.

mod clarity;
mod context;
mod lookup;
mod mistakes;
mod named;
mod told;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use serde::Deserialize;
use shared::section::{Classify, Readiness, Reflection, Risk, Task};
use shared::{Diagnostics, Problem, failures, state};

use crate::executor::Executor;
use crate::index::Reach;
use crate::words;
use clarity::Clarity;
use context::{Context, Project};
use mistakes::{Found, Past};
use named::{Named, What};

pub(crate) use told::explained;

/// From this confidence on a task proceeds. Exactly this is enough.
const PROCEED: f64 = 0.70;
/// How much each stage counts.
const WEIGHTS: [f64; 3] = [0.5, 0.3, 0.2];
/// A stage below this is in the way; one exactly there is not.
const WEAK: f64 = 0.70;
/// So many unclear tasks are told one by one with `warn`, unless `--verbose`.
const TOLD: u64 = 20;

/// What is done about a task that is not ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Do not look (quick)
    #[default]
    #[value(alias = "quick")]
    #[serde(alias = "quick")]
    Off,
    /// Say on standard error what should be asked, and go on
    Warn,
    /// Let nobody work on it: the record leaves with an error that asks (safe)
    #[value(alias = "safe")]
    #[serde(alias = "safe")]
    Block,
}

/// Reflects on tasks, with what it has looked up once.
pub(crate) struct Reflector {
    mode: Mode,
    /// `--explain` shows the questions anyway.
    is_explained: bool,
    directory: PathBuf,
    known: OnceLock<Known>,
    asked: AtomicU64,
}

/// What is looked up once: the project, and its past.
struct Known {
    project: Project,
    past: Past,
}

impl Reflector {
    /// Returns what reflects on tasks about the project of a directory; nothing if that is not wanted.
    pub(crate) fn new(mode: Mode, is_explained: bool, directory: PathBuf) -> Option<Reflector> {
        (mode != Mode::Off).then(|| Reflector {
            mode,
            is_explained,
            directory,
            known: OnceLock::new(),
            asked: AtomicU64::new(0),
        })
    }

    fn known(&self) -> &Known {
        self.known.get_or_init(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let now = i64::try_from(now).unwrap_or(i64::MAX);
            let project = Project::look(&self.directory, now);
            let memory = failures::path(&project.root().path.join(state::DIRECTORY));
            Known { project, past: Past::read(&memory, now) }
        })
    }

    /// Reflects on a task. `clear` is the probability that its text is clear, where something trained has judged it.
    pub(crate) fn reflect(&self, task: &Task, clear: Option<f64>) -> Reflection {
        let known = self.known();
        let (text, _) = words::within_limits(&task.text);
        let tokens = words::tokens(&text);
        let named = named::in_text(&text, &tokens);
        let mut clarity = clarity::of(&text, &tokens, &named, clear);
        if task.run.is_some() {
            // The command is known: nothing is left to be understood.
            clarity.score = 1.0;
        }
        let mut looked_up = named;
        // What it may touch is named as well, and may be there or not.
        let touched = task.files_touched.iter().flatten().filter(|path| !path.contains(['*', '?', '[', '{']));
        looked_up.extend(touched.map(|path| Named {
            what: What::File { line: None },
            text: path,
            may_be_absent: true,
        }));
        conclude(task, &clarity, &known.past.about(&text), &known.project.context(&looked_up))
    }

    /// Raises the risk where a change would reach far: a file that it may touch has many that depend on it.
    pub(crate) fn weigh(&self, task: &Task, decision: &mut Classify) {
        let reads = Executor::named(&decision.executor).is_some_and(Executor::only_reads);
        let Some(index) = self.known().project.index().filter(|_| decision.risk == Risk::Low && !reads)
        else {
            return;
        };
        let files = task.files_touched.iter().flatten();
        let widest = files.map(|path| (index.dependents(path).len(), path)).max_by_key(|(count, _)| *count);
        if let Some((count, path)) = widest
            && Reach::of(count) == Reach::Critical
        {
            decision.risk = Risk::Medium;
            decision.reasons.push(format!("risk medium: {count} files depend on `{path}`"));
        }
    }

    /// Does what the mode asks for about a task that has been reflected on.
    ///
    /// # Errors
    /// With `block`, if somebody has to be asked first.
    pub(crate) fn act(
        &self,
        id: Option<&str>,
        reflection: &Reflection,
        diagnostics: &Diagnostics,
    ) -> Result<(), Problem> {
        if reflection.decision == Readiness::Proceed {
            return Ok(());
        }
        if self.mode == Mode::Block {
            return Err(told::problem(reflection));
        }
        let told = self.asked.fetch_add(1, Ordering::Relaxed);
        if told < TOLD || diagnostics.is_verbose() {
            diagnostics.warning(told::warning(id, reflection));
            if !self.is_explained {
                diagnostics.plain(told::questions(reflection));
            }
        }
        Ok(())
    }

    /// Tells how many tasks were not told one by one. Called once, at the end.
    pub(crate) fn finish(&self, diagnostics: &Diagnostics) {
        let untold = self.asked.load(Ordering::Relaxed).saturating_sub(TOLD);
        if untold > 0 && !diagnostics.is_verbose() {
            diagnostics.note(format!("{untold} more tasks are not ready; each has its `reflection`"));
        }
    }
}

/// Puts the stages together.
fn conclude(task: &Task, clarity: &Clarity, past: &Found, context: &Context) -> Reflection {
    let scores = [clarity.score, past.score, context.score];
    let confidence = confidence(scores);
    let missing = &context.lookup.missing;
    let decision =
        if confidence >= PROCEED && missing.is_empty() { Readiness::Proceed } else { Readiness::Ask };
    let mut reflection = Reflection {
        decision,
        confidence,
        clarity: scores[0],
        mistakes: scores[1],
        context: scores[2],
        blockers: Vec::new(),
        recommendations: Vec::new(),
        evidence: told::evidence(task, clarity, past, context),
    };
    let told = told::Concerns::of(task, clarity, past, context);
    if decision == Readiness::Ask {
        reflection.blockers.extend(context.lookup.missing.iter().cloned());
        let stages = told.blockers.into_iter().zip(told.questions);
        for (_, (blockers, questions)) in scores.into_iter().zip(stages).filter(|(score, _)| *score < WEAK) {
            reflection.blockers.extend(blockers);
            reflection.recommendations.extend(questions);
        }
    }
    reflection.recommendations.extend(told.advice);
    reflection
}

/// Weighs the stages: clarity, mistakes, context.
fn confidence(scores: [f64; 3]) -> f64 {
    rounded(scores.iter().zip(WEIGHTS).map(|(score, weight)| score * weight).sum())
}

/// To ten thousandths: what is exactly 0.7 by hand is so here, too.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_source_s_examples_come_out_as_its_formula_says() {
        for (clarity, none, full) in [
            (0.70, 0.71, 0.85),
            (0.55, 0.635, 0.775),
            (0.35, 0.535, 0.675),
            (0.65, 0.685, 0.825),
            (0.15, 0.435, 0.575),
            (0.85, 0.785, 0.925),
        ] {
            assert_eq!(confidence([clarity, 1.0, 0.3]), none);
            assert_eq!(confidence([clarity, 1.0, 1.0]), full);
        }
        // The two pictures of the source, by its formula.
        assert_eq!(confidence([0.85, 1.0, 0.8]), 0.885);
        assert_eq!(confidence([0.40, 0.7, 0.3]), 0.47);
    }

    #[test]
    fn exactly_seven_tenths_is_enough() {
        assert!(confidence([0.7, 0.7, 0.7]) >= PROCEED);
        assert!(confidence([0.8, 1.0, 0.0]) >= PROCEED);
        assert!(confidence([0.68, 1.0, 0.3]) >= PROCEED);
        assert!(confidence([0.6798, 1.0, 0.3]) < PROCEED);
    }

    #[test]
    fn who_is_asked_is_told_why_and_who_proceeds_is_not() {
        let place = tempfile::tempdir().unwrap();
        let reflector = Reflector::new(Mode::Warn, false, place.path().to_owned()).unwrap();
        let words = [
            "fix",
            "it",
            "improve",
            "the",
            "function",
            "src/a.rs",
            "load()",
            "better",
            "list",
            "all",
            "somewhere",
        ];
        for at in 0..words.len().pow(3) {
            let text =
                [at, at / words.len(), at / words.len().pow(2)].map(|at| words[at % words.len()]).join(" ");
            for clear in [None, Some(0.0), Some(1.0)] {
                let reflection = reflector.reflect(&Task { text: text.clone(), ..Task::default() }, clear);
                let asks = reflection.decision == Readiness::Ask;
                assert_eq!(asks, !reflection.blockers.is_empty(), "{text}: {reflection:?}");
                assert_eq!(asks, reflection.confidence < PROCEED, "{text}: {reflection:?}");
                assert!(!asks || !reflection.recommendations.is_empty(), "{text}: {reflection:?}");
            }
        }
    }

    #[test]
    fn no_task_steers_the_terminal() {
        let place = tempfile::tempdir().unwrap();
        let reflector = Reflector::new(Mode::Warn, false, place.path().to_owned()).unwrap();
        let task = Task { text: "improve\u{1b}[2J `x\u{7}.rs` \u{1b}]0;a.rs".to_owned(), ..Task::default() };
        let reflection = reflector.reflect(&task, None);
        let shown = explained(&reflection) + &told::questions(&reflection);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }

    proptest! {
        #[test]
        fn more_of_anything_never_lowers_the_confidence(low in proptest::array::uniform3(0.0..=1.0), more in proptest::array::uniform3(0.0..=1.0)) {
            let high = [0, 1, 2].map(|at| f64::min(low[at] + more[at], 1.0));
            prop_assert!(confidence(low) <= confidence(high));
            prop_assert!((0.0..=1.0).contains(&confidence(low)));
        }
    }
}
