//! Makes parts of steps: who does each, on which tier, after which others.
//!
//! What a change needs around it (find the place before, run the tests after) is added, as the worked examples of
//! seed 000 do.

use shared::section::{Part, Tier};

use super::steps::Step;
use crate::executor::Executor;
use crate::lexicon::same;
use crate::reading::Reading;
use crate::words::floor;

/// What follows a change.
const RUN_TESTS: &str = "Run the tests";
/// So much of a step is repeated where the place is looked for that it is about.
const SHOWN: usize = 400;

/// Consecutive steps that one executor does.
struct Group<'t> {
    text: &'t str,
    from: usize,
    tier: u8,
    executor: Executor,
}

/// Returns the parts.
pub(super) fn parts(reading: &Reading, steps: &[Step]) -> Vec<Part> {
    let groups = groups(reading, steps);
    let mut parts: Vec<Part> = Vec::new();
    let part = |text: String, tier: u8, executor: Executor, depends_on: Vec<usize>| Part {
        text,
        tier: Tier::try_from(tier).unwrap_or(Tier::THREE),
        executor: executor.name().to_owned(),
        depends_on,
    };
    let Some(first) = groups.first() else { return parts };
    let last_change = groups.iter().rposition(|group| group.executor == Executor::Implement);
    if matches!(first.executor, Executor::Implement | Executor::Review) {
        let shown = &first.text[..floor(first.text, first.text.len().min(SHOWN))];
        parts.push(part(
            format!("Find the code that this is about: {shown}"),
            1,
            Executor::Explore,
            Vec::new(),
        ));
    }
    // What the next step builds on: the last one that is more than a text about it.
    let mut base = parts.len().checked_sub(1);
    for (at, group) in groups.iter().enumerate() {
        parts.push(part(group.text.to_owned(), group.tier, group.executor, base.into_iter().collect()));
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

fn groups<'t>(reading: &Reading<'t>, steps: &[Step]) -> Vec<Group<'t>> {
    let mut groups: Vec<Group> = Vec::new();
    for step in steps {
        let (from, to) = (reading.tokens[step.from].at, reading.tokens[step.to - 1].end());
        let executor = step.kind.executor();
        // A step that is long has clauses of its own; the hardest says how hard it is.
        let leaves = reading
            .clauses
            .iter()
            .zip(&reading.leaves)
            .filter(|(clause, _)| (from..to).contains(&clause.from));
        let hardest = leaves.filter_map(|(_, leaf)| leaf.map(|leaf| leaf.tier)).max().unwrap_or(1);
        let home = executor.home().number();
        let tier = if executor.only_reads() || home == 3 {
            home
        } else {
            hardest.max(if home == 2 { 2 } else { 1 })
        };
        match groups.last_mut() {
            Some(last) if last.executor == executor => {
                last.text = trimmed(&reading.text[last.from..to]);
                last.tier = last.tier.max(tier);
            }
            _ => groups.push(Group { text: trimmed(&reading.text[from..to]), from, tier, executor }),
        }
    }
    groups
}

/// A pipeline for integration and delivery: looked at, designed, built, tried.
pub(super) fn pipeline(text: &str) -> Vec<Part> {
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
        let joins = ["and", "then", "finally", "also", "afterwards", "next", "&", "plus"];
        if first.is_empty() || first.len() == text.len() || !joins.iter().any(|word| same(first, word)) {
            return text;
        }
        text = text[first.len()..].trim_start_matches([',', ' ', '\t', '\n']);
    }
}
