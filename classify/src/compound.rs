//! Takes a compound task apart into steps with their own tiers and executors (seed 000, "decompose compound tasks").
//!
//! A change that hangs together stays one step: a function and its callers, a field and its validation, a bug
//! and what is found on the way. Only different kinds of work are parted: looking, deciding, changing, checking,
//! writing about it. What a change needs around it (find the place before, run the tests after) is added, as the
//! worked examples of the seed do.

use shared::section::{Part, Tier};

use crate::clause::{Clause, Mood};
use crate::executor::Executor;
use crate::lexicon::{About, Act, same};
use crate::reading::Reading;

/// A text of more tokens than this in several sentences describes one piece of work in detail.
const DETAILED: usize = 60;
/// More steps than this are no plan but a specification.
const MOST_STEPS: usize = 8;

/// What follows a change.
const RUN_TESTS: &str = "Run the tests";

/// Consecutive clauses that one executor does.
struct Step {
    from: usize,
    to: usize,
    tier: u8,
    executor: Executor,
}

/// Returns the steps of a text; none if it is one piece of work.
pub(crate) fn parts(reading: &Reading) -> Vec<Part> {
    if let Some((clause, leaf)) = reading.main()
        && leaf.tier == 3
        && clause.act == Some(Act::Setup)
        && clause.about.any(About::CI)
    {
        return pipeline(reading.text.trim());
    }
    if reading.has_body || reading.is_foreign {
        return Vec::new();
    }
    let steps: Vec<usize> = (0..reading.clauses.len())
        .filter(|&at| {
            reading.leaves[at].is_some() && is_step(&reading.clauses[at]) && !shares_object(reading, at)
        })
        .collect();
    let in_order = steps.iter().any(|&at| reading.clauses[at].is_next);
    let in_one_sentence =
        steps.windows(2).all(|pair| reading.clauses[pair[0]].sentence == reading.clauses[pair[1]].sentence);
    if steps.len() < 2
        || steps.len() > MOST_STEPS
        || !in_one_sentence && !in_order && reading.length > DETAILED
    {
        return Vec::new();
    }
    let groups = group(reading, &steps);
    let writes_tests = in_one_sentence
        && groups.iter().any(|group| group.executor == Executor::Implement)
        && steps.iter().skip(1).any(|&at| {
            reading.clauses[at].act == Some(Act::Add) && reading.clauses[at].object.any(About::TESTS)
        });
    if groups.len() < 2 && !writes_tests || hangs_together(reading, &steps, &groups) {
        return Vec::new();
    }
    arrange(reading.text, &groups)
}

/// Tells whether the clause is something to do, and not a detail of how.
fn is_step(clause: &Clause) -> bool {
    let is_asked = !matches!(clause.mood, Mood::Report | Mood::Title | Mood::Forbid | Mood::Wish);
    let is_detail = clause.act == Some(Act::Change)
        && ["make sure", "ensure", "use", "keep", "avoid", "do"].iter().any(|word| same(clause.verb, word));
    is_asked && !is_detail
}

/// "find and fix the bug": the first verb has no object of its own.
fn shares_object(reading: &Reading, at: usize) -> bool {
    let clause = &reading.clauses[at];
    clause.length == 1
        && reading.clauses.get(at + 1).is_some_and(|next| next.sentence == clause.sentence && next.length > 1)
}

fn group(reading: &Reading, steps: &[usize]) -> Vec<Step> {
    let mut groups: Vec<Step> = Vec::new();
    for &at in steps {
        let (clause, Some(leaf)) = (&reading.clauses[at], reading.leaves[at]) else { continue };
        match groups.last_mut() {
            Some(last) if last.executor == leaf.executor => {
                last.to = clause.to;
                last.tier = last.tier.max(leaf.tier);
            }
            _ => groups.push(Step {
                from: clause.from,
                to: clause.to,
                tier: leaf.tier,
                executor: leaf.executor,
            }),
        }
    }
    groups
}

/// "find all uses and rename them": the second clause is what the first is done for.
fn hangs_together(reading: &Reading, steps: &[usize], groups: &[Step]) -> bool {
    let (Some(&first), Some(&second)) = (steps.first(), steps.get(1)) else { return true };
    let for_the_second = matches!(
        reading.clauses[first].act,
        Some(Act::Find | Act::Check | Act::Debug | Act::Explain | Act::Shell | Act::Vcs)
    );
    let same_thing = reading.clauses[second].refers_back && for_the_second;
    let reads = |executor| matches!(executor, Executor::Explore | Executor::Review);
    // Looking comes before deciding; the other way round, it is one question asked twice.
    let one_question = groups.iter().skip(1).all(|group| reads(group.executor))
        && (reads(groups[0].executor) || groups[0].executor == Executor::Orchestrate);
    groups.len() == 2 && steps.len() == 2 && same_thing || one_question
}

fn arrange(text: &str, groups: &[Step]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let said = |group: &Step| trimmed(&text[group.from..group.to]).to_owned();
    let part = |text: String, tier: u8, executor: Executor, depends_on: Vec<usize>| Part {
        text,
        tier: Tier::try_from(tier).unwrap_or(Tier::THREE),
        executor: executor.name().to_owned(),
        depends_on,
    };
    let last_change = groups.iter().rposition(|group| group.executor == Executor::Implement);
    if matches!(groups[0].executor, Executor::Implement | Executor::Review) {
        let place = format!("Find the code that this is about: {}", said(&groups[0]));
        parts.push(part(place, 1, Executor::Explore, Vec::new()));
    }
    // What the next step builds on: the last one that is more than a check or a text about it.
    let mut base = parts.len().checked_sub(1);
    for (at, group) in groups.iter().enumerate() {
        parts.push(part(said(group), group.tier, group.executor, base.into_iter().collect()));
        let own = parts.len() - 1;
        let checked_later = groups[at + 1..].iter().any(|later| later.executor == Executor::Validate);
        if group.executor != Executor::Document {
            base = Some(own);
        }
        if Some(at) == last_change && !checked_later {
            parts.push(part(RUN_TESTS.to_owned(), 1, Executor::Validate, vec![own]));
        }
    }
    parts
}

/// Tells whether the part does something that can go wrong for good: neither looks nor writes about it nor tests.
pub(crate) fn acts(part: &Part) -> bool {
    let executors = [Executor::Implement, Executor::Validate, Executor::Orchestrate];
    part.text != RUN_TESTS && executors.iter().any(|executor| executor.name() == part.executor)
}

/// A pipeline for integration and delivery: looked at, designed, built, tried.
fn pipeline(text: &str) -> Vec<Part> {
    let part = |text: String, executor: Executor, depends_on: &[usize]| Part {
        text,
        tier: executor.home(),
        executor: executor.name().to_owned(),
        depends_on: depends_on.to_vec(),
    };
    vec![
        part(
            format!("Find how the project is built, tested and deployed today, for: {text}"),
            Executor::Explore,
            &[],
        ),
        part(format!("Design what is needed for: {text}"), Executor::Orchestrate, &[0]),
        part(format!("Build what was designed for: {text}"), Executor::Implement, &[1]),
        part(format!("Check that it works: {text}"), Executor::Validate, &[2]),
    ]
}

/// Takes off what joins a step to the one before.
fn trimmed(text: &str) -> &str {
    let mut text = text.trim().trim_end_matches([',', ';']);
    loop {
        let first = text.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default();
        if !["and", "then", "finally", "also", "afterwards", "next", "&", "plus"]
            .iter()
            .any(|word| same(first, word))
        {
            return text;
        }
        text = text[first.len()..].trim_start_matches([',', ' ', '\t', '\n']);
    }
}
