//! A reflection in words: what it rests on, what is in the way, and what to ask.
//!
//! A question is one that somebody who knows the project can answer without knowing how this program works.

use std::fmt::Write;

use shared::Problem;
use shared::diagnostic::printable;
use shared::failures::Failure;
use shared::section::{Readiness, Reflection, Task};

use super::clarity::Clarity;
use super::context::Context;
use super::mistakes::Found;
use super::{PROCEED, WEIGHTS};

/// The stages by their names, in their order.
const STAGES: [&str; 3] = ["clarity", "mistakes", "context"];
/// The longest piece of somebody else's text that is shown.
const SHOWN: usize = 80;

/// Says what the numbers rest on, each with its stage before it.
pub(super) fn evidence(task: &Task, clarity: &Clarity, past: &Found, context: &Context) -> Vec<String> {
    let mut all = Vec::new();
    if task.run.is_some() {
        all.push("clarity: `run` says which command does it".to_owned());
    } else {
        let said = [
            ("says what to do", &clarity.verb),
            ("says of what kind it is", &clarity.specific),
            ("names", &clarity.target),
            ("leaves the goal open", &clarity.vague),
        ];
        for (what, word) in said {
            if let Some(word) = word {
                all.push(format!("clarity: {what}: \"{}\"", shortened(word)));
            }
        }
        if clarity.is_brief {
            all.push("clarity: fewer than five words".to_owned());
        }
        match clarity.judged {
            Some(true) => all.push("clarity: reads like tasks that are clear".to_owned()),
            Some(false) => all.push("clarity: reads like tasks that are vague".to_owned()),
            None => {}
        }
    }
    all.push(match (past.total, past.similar.len()) {
        (0, _) => "mistakes: no failure is remembered".to_owned(),
        (total, 0) => format!("mistakes: none of {} is similar", failures(total)),
        (total, similar) => format!("mistakes: {similar} of {} similar", failures(total)),
    });
    all.extend(past.concern.map(|concern| format!("mistakes: {concern}")));
    all.extend(context.evidence.iter().map(|said| format!("context: {said}")));
    if !context.lookup.found.is_empty() {
        all.push(format!("context: found {}", context.lookup.found.join(", ")));
    }
    all.extend(context.concerns.iter().map(|said| format!("context: {said}")));
    all
}

fn failures(count: usize) -> String {
    if count == 1 { "1 remembered failure".to_owned() } else { format!("{count} remembered failures") }
}

/// What speaks against beginning, and what to do about it.
#[derive(Debug, Default)]
pub(super) struct Concerns {
    /// What is in the way, stage by stage.
    pub(super) blockers: [Vec<String>; 3],
    /// What to ask if it is not begun, stage by stage.
    pub(super) questions: [Vec<String>; 3],
    /// What is worth knowing in any case.
    pub(super) advice: Vec<String>,
}

impl Concerns {
    pub(super) fn of(task: &Task, clarity: &Clarity, past: &Found, context: &Context) -> Concerns {
        let mut concerns = Concerns::default();
        if task.run.is_none() {
            concerns.about_clarity(clarity);
        }
        concerns.about_the_past(past);
        concerns.about_context(context);
        concerns
    }

    fn add(&mut self, stage: usize, blocker: impl Into<String>, question: impl Into<String>) {
        self.blockers[stage].push(blocker.into());
        self.questions[stage].push(question.into());
    }

    fn about_clarity(&mut self, clarity: &Clarity) {
        if let Some(word) = &clarity.vague {
            let word = shortened(word);
            self.add(
                0,
                format!("\"{word}\" leaves the goal open"),
                format!("\"{word}\": which behaviour or number is to be different afterwards, and how would one see it?"),
            );
        }
        if clarity.target.is_none() && clarity.specific.is_none() {
            self.add(
                0,
                "it names no file, function or other place",
                "Where: which file, function, command or page is this about?",
            );
        }
        if clarity.verb.is_none() {
            self.add(
                0,
                "no verb says what kind of change it is",
                "What is to be done: create, add, fix, update, delete, refactor or implement something, or only find out?",
            );
        }
        if clarity.is_brief {
            self.add(
                0,
                "it has fewer than five words",
                "What exactly is wrong or wanted, and what would be a good result?",
            );
        }
        if clarity.judged == Some(false) {
            self.add(
                0,
                "it reads like tasks that are vague",
                "How would somebody else tell that it is done?",
            );
        }
    }

    fn about_the_past(&mut self, past: &Found) {
        if let Some(concern) = past.concern {
            self.add(1, concern, "Who can repair the memory of failures? What it has may be about this task");
        }
        for failure in &past.similar {
            self.add(
                1,
                format!("something similar failed: {}", summary(failure)),
                format!("Has the cause of this been removed: {}?", summary(failure)),
            );
            if let Some(cause) = &failure.cause
                && !cause.prevention.is_empty()
            {
                self.advice.push(shortened(&cause.prevention));
            }
        }
        for failure in &past.fixed {
            if let Some(fix) = &failure.fix {
                self.advice.push(format!("What helped with something similar before: {}", shortened(fix)));
            }
        }
    }

    fn about_context(&mut self, context: &Context) {
        self.blockers[2].extend(context.concerns.iter().cloned());
        for path in &context.lookup.elsewhere {
            self.advice.push(format!(
                "`{path}` is not where that says: is it to be created, or which file is meant? (`classify index` lets it be searched for)"
            ));
        }
        self.advice.extend(context.lookup.questions.iter().cloned());
    }
}

/// Says in a line what failed, how often, and when last.
fn summary(failure: &Failure) -> String {
    let mut text = String::new();
    if let Some(task) = failure.tasks.first() {
        let _ = write!(text, "\"{}\"", shortened(task));
    }
    for said in [&failure.kind, &failure.message] {
        if !said.is_empty() {
            let _ = write!(text, "{}{}", if text.is_empty() { "" } else { ": " }, shortened(said));
        }
    }
    let often = if failure.recurrence > 0 {
        format!("{} times, last ", failure.recurrence + 1)
    } else {
        String::new()
    };
    let _ = write!(text, " ({often}on {})", failure.day());
    text
}

/// The first line of a text, or as much of it as fits.
fn shortened(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

/// The error of a task that nobody is to begin.
pub(super) fn problem(reflection: &Reflection) -> Problem {
    let reasons = reflection.blockers.join("; ");
    let problem = Problem::new(format!("{}: {reasons}", verdict(reflection)));
    if reflection.recommendations.is_empty() {
        problem
    } else {
        problem.hint(reflection.recommendations.join(" · "))
    }
}

/// The line with which somebody is warned.
pub(super) fn warning(id: Option<&str>, reflection: &Reflection) -> String {
    let id = id.map_or_else(String::new, |id| format!("id {id}: "));
    format!("{id}{}: {}", verdict(reflection), reflection.blockers.join("; "))
}

/// The questions, a line each.
pub(super) fn questions(reflection: &Reflection) -> String {
    reflection.recommendations.iter().map(|question| format!("  ? {}\n", printable(question))).collect()
}

fn verdict(reflection: &Reflection) -> String {
    if reflection.confidence >= PROCEED {
        "not ready to be worked on".to_owned()
    } else {
        format!(
            "not ready to be worked on: confidence {} is below {PROCEED:.2}",
            number(reflection.confidence)
        )
    }
}

/// At least two digits, and as many as it has.
fn number(number: f64) -> String {
    let text = format!("{number:.4}");
    let kept = text.trim_end_matches('0');
    let digits = kept.len() - kept.find('.').map_or(0, |dot| dot + 1);
    if digits < 2 { format!("{number:.2}") } else { kept.to_owned() }
}

/// Lays a reflection out for `--explain`.
pub(crate) fn explained(reflection: &Reflection) -> String {
    let mut text = String::new();
    let decision = match reflection.decision {
        Readiness::Proceed => "proceed",
        Readiness::Ask => "ask first",
    };
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "  reflection: {decision} · confidence {} (proceeds from {PROCEED:.2})",
        number(reflection.confidence)
    );
    let scores = [reflection.clarity, reflection.mistakes, reflection.context];
    for ((stage, score), weight) in STAGES.iter().zip(scores).zip(WEIGHTS) {
        let own: Vec<&str> = reflection
            .evidence
            .iter()
            .filter_map(|said| said.strip_prefix(stage)?.strip_prefix(": "))
            .collect();
        let own = if own.is_empty() {
            "nothing speaks for or against it".to_owned()
        } else {
            printable(&own.join("; ")).into_owned()
        };
        let _ = writeln!(text, "    {stage:<8} {:<6} × {weight}  {own}", number(score));
    }
    for blocker in &reflection.blockers {
        let _ = writeln!(text, "    ! {}", printable(blocker));
    }
    for question in &reflection.recommendations {
        let _ = writeln!(text, "    ? {}", printable(question));
    }
    text
}
