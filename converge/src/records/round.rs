//! Which records take part in a round, what came back of them, and which are tried again. Nothing here reads or writes.
//!
//! A record is *open* until it is settled, goes in a circle or has errors. A round takes the open records and all that
//! they depend on, directly or not: stages let settled records pass, and a dependent can not be scheduled without them.

use std::collections::BTreeMap;

use shared::section::Decision;

use crate::cycle::{Past, State, Trail, Visit};

use super::facts::{Form, Need};
use super::index::{Found, Index, Key};

/// A record that was given so often and never came back is not given again.
pub(crate) const GIVEN_UP_AFTER: u8 = 3;

/// Where a record stands between two rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes part in the next round.
    Open,
    /// The verdict needs no further attempt.
    Decided(Decision),
    /// The pipeline changes nothing any more.
    Unchanged,
    /// It came back to where it had been.
    Cycle,
    /// It did not come back so often that it is not given again.
    GivenUp,
    /// It has errors, or is no record: every stage lets it by, and so do we.
    LetBy,
}

/// A record on its way, and where its last form is kept.
///
/// Numbers and no pointers, 52 bytes in all: there may be a million of them. What few records have is in [`Rare`].
#[derive(Debug)]
pub(crate) struct Entry<P> {
    /// Where its last form is kept.
    pub(crate) place: P,
    /// What it is matched by. A line that is no record is not in the index.
    key: Key,
    content: State,
    past: Past,
    attempt: u32,
    /// How many rounds it took part in.
    pub(crate) rounds: u32,
    changed_in: u32,
    /// Where it stands.
    pub(crate) standing: Standing,
    decision: Option<Decision>,
    /// In how many rounds up to now it did not come back.
    pub(crate) missed: u8,
    is_awaited: bool,
}

/// What is kept of those records only that are past the simplest case.
#[derive(Debug, Default)]
struct Rare {
    cost_usd: f64,
    needs: Vec<Need>,
    /// The round that it was last given in; kept if it needs others.
    given_in: u32,
}

impl<P> Entry<P> {
    /// Tells whether the user may have it.
    pub(crate) fn is_accepted(&self) -> bool {
        self.decision == Some(Decision::Accept)
    }
}

impl Rare {
    fn is_needless(&self) -> bool {
        self.cost_usd == 0.0 && self.needs.is_empty()
    }
}

/// What a line that came back is to the records that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// One of them.
    Known(usize),
    /// A record that the pipeline made.
    New(usize),
    /// An id that was not given, or has come back already.
    Duplicate,
}

/// How things stand after a round.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// How many records take part in the next round.
    pub(crate) open: usize,
    /// How many the user may have.
    pub(crate) accepted: usize,
    /// How many wait for another attempt.
    pub(crate) escalated: usize,
    /// What all attempts up to now have cost.
    pub(crate) cost_usd: f64,
}

/// All records, in the order of the input; what the pipeline made follows.
#[derive(Debug)]
pub(crate) struct Rounds<P> {
    entries: Vec<Entry<P>>,
    /// Where those begin that the pipeline has made.
    made_from: Option<usize>,
    index: Index,
    /// The contents before the last ones.
    trail: Trail,
    /// By the number of the record, and in that order: a sum of costs does not depend on chance.
    rare: BTreeMap<u32, Rare>,
    /// Whether any record ever needed another one.
    has_needs: bool,
    round: u32,
}

impl<P> Rounds<P> {
    /// Returns an empty list.
    pub(crate) fn new() -> Self {
        Rounds {
            entries: Vec::new(),
            made_from: None,
            index: Index::default(),
            trail: Trail::default(),
            rare: BTreeMap::new(),
            has_needs: false,
            round: 0,
        }
    }

    /// Adds a record of the input.
    pub(crate) fn add(&mut self, id: &str, form: Form, place: P) {
        self.index.push(self.entries.len());
        self.push(Key::of(id), form, place);
    }

    /// Adds a line that is no record, of the input or of what came back. It takes part in nothing.
    pub(crate) fn add_broken(&mut self, place: P) {
        self.entries.push(Entry {
            place,
            key: Key::default(),
            content: State::default(),
            past: None,
            attempt: 0,
            rounds: 0,
            changed_in: 0,
            standing: Standing::LetBy,
            decision: None,
            missed: 0,
            is_awaited: false,
        });
    }

    fn push(&mut self, key: Key, form: Form, place: P) {
        let standing = match form.final_decision() {
            _ if form.has_errors => Standing::LetBy,
            Some(decision) => Standing::Decided(decision),
            None => Standing::Open,
        };
        self.add_broken(place);
        if let Some(entry) = self.entries.last_mut() {
            (entry.key, entry.standing) = (key, standing);
        }
        self.keep(self.entries.len() - 1, form);
    }

    /// Keeps what is to be known of the form that a record has now.
    fn keep(&mut self, index: usize, form: Form) {
        let entry = &mut self.entries[index];
        entry.content = form.content;
        entry.attempt = form.attempt;
        entry.decision = form.decision;
        self.has_needs |= !form.needs.is_empty();
        let rare = Rare { cost_usd: form.cost_usd, needs: form.needs, given_in: self.round };
        if rare.is_needless() {
            self.rare.remove(&(index as u32));
        } else {
            self.rare.insert(index as u32, rare);
        }
    }

    /// Returns the records as they stand.
    pub(crate) fn entries(&self) -> &[Entry<P>] {
        &self.entries
    }

    /// Returns the records that take part in the round that has begun: those that the pipeline has made, then those of the
    /// input, each in order. So the parts of a compound task come before the whole, as they did when they were made.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Entry<P>> {
        let (read, made) = self.entries.split_at(self.made_from.unwrap_or(self.entries.len()));
        made.iter().chain(read).filter(|entry| entry.is_awaited)
    }

    /// Returns how many rounds have begun.
    pub(crate) fn round(&self) -> u32 {
        self.round
    }

    /// Returns after how many rounds a record that goes in a circle comes back.
    pub(crate) fn period(&self, index: usize) -> Option<u32> {
        let entry = &self.entries[index];
        let is_cycle = entry.standing == Standing::Cycle;
        is_cycle.then(|| self.trail.period(entry.past, entry.content)).flatten()
    }

    /// Opens settled records again whose dependencies have moved on since. To be called when the input is complete.
    pub(crate) fn wake(&mut self) {
        self.sort();
        for (index, rare) in &self.rare {
            if self.is_stale(*index as usize, rare) {
                self.entries[*index as usize].standing = Standing::Open;
            }
        }
    }

    fn sort(&mut self) {
        self.index.sort(|index| self.entries[index as usize].key);
    }

    /// Tells whether a settled record was made from something that is there in a newer form.
    fn is_stale(&self, index: usize, rare: &Rare) -> bool {
        let entry = &self.entries[index];
        if matches!(entry.standing, Standing::Open | Standing::LetBy | Standing::GivenUp) {
            return false;
        }
        rare.needs.iter().filter_map(|need| Some((need, self.needed(need)?))).any(|(need, dependency)| {
            let dependency = &self.entries[dependency];
            match need.used {
                // Given once more after that and still made from the older one: the pipeline does not want to.
                Some(used) => dependency.attempt > used && dependency.changed_in >= rare.given_in,
                None => dependency.changed_in > rare.given_in && !entry.is_accepted(),
            }
        })
    }

    fn needed(&self, need: &Need) -> Option<usize> {
        self.index.first(need.key, |index| self.entries[index as usize].key)
    }

    /// Begins a round and returns how many records take part.
    pub(crate) fn begin(&mut self) -> usize {
        self.round += 1;
        self.sort();
        for entry in &mut self.entries {
            entry.is_awaited = entry.standing == Standing::Open;
        }
        let mut queue: Vec<u32> =
            self.rare.keys().copied().filter(|index| self.entries[*index as usize].is_awaited).collect();
        while let Some(index) = queue.pop() {
            let Some(rare) = self.rare.get(&index) else { continue };
            let needed: Vec<usize> = rare.needs.iter().filter_map(|need| self.needed(need)).collect();
            for index in needed {
                if !std::mem::replace(&mut self.entries[index].is_awaited, true) {
                    queue.push(index as u32);
                }
            }
        }
        let mut given = 0;
        for entry in self.entries.iter_mut().filter(|entry| entry.is_awaited) {
            entry.rounds += 1;
            given += 1;
        }
        for (index, rare) in &mut self.rare {
            if self.entries[*index as usize].is_awaited {
                rare.given_in = self.round;
            }
        }
        given
    }

    /// Takes in a record that came back.
    pub(crate) fn came_back(&mut self, id: &str, form: Form, place: P) -> Arrival {
        let key = Key::of(id);
        let entries = &self.entries;
        let found = self.index.take(
            key,
            |index| entries[index as usize].key,
            |index| entries[index as usize].is_awaited,
        );
        match found {
            Found::Awaited(index) => {
                self.moved_to(index, form, place);
                Arrival::Known(index)
            }
            Found::Known => Arrival::Duplicate,
            Found::Unknown => {
                let index = self.entries.len();
                self.made_from.get_or_insert(index);
                self.index.push_known(index, key);
                self.push(key, form, place);
                let entry = &mut self.entries[index];
                (entry.rounds, entry.changed_in) = (1, self.round);
                Arrival::New(index)
            }
        }
    }

    /// A record that was awaited has this form now.
    fn moved_to(&mut self, index: usize, form: Form, place: P) {
        let entry = &mut self.entries[index];
        entry.is_awaited = false;
        entry.missed = 0;
        entry.place = place;
        if entry.content != form.content || entry.attempt != form.attempt {
            entry.changed_in = self.round;
        }
        let settled = match form.final_decision() {
            _ if form.has_errors => Some(Standing::LetBy),
            decision => decision.map(Standing::Decided),
        };
        entry.standing = match settled {
            // Nothing needs it, so it is not given again, and where it has been does not matter.
            Some(settled) if !self.has_needs => settled,
            settled => {
                let visit = self.trail.visit(&mut entry.past, entry.content, form.content);
                settled.unwrap_or(match visit {
                    Visit::New => Standing::Open,
                    Visit::Unchanged => Standing::Unchanged,
                    Visit::Again { .. } => Standing::Cycle,
                })
            }
        };
        self.keep(index, form);
    }

    /// Ends a round and returns the records that did not come back.
    ///
    /// A round that was cut short says nothing about those.
    pub(crate) fn end(&mut self, was_cut_short: bool) -> Vec<u32> {
        let mut lost = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if !std::mem::take(&mut entry.is_awaited) || was_cut_short {
                continue;
            }
            lost.push(index as u32);
            entry.missed = entry.missed.saturating_add(1);
            if entry.standing == Standing::Open && entry.missed >= GIVEN_UP_AFTER {
                entry.standing = Standing::GivenUp;
            }
        }
        self.wake();
        lost
    }

    /// Returns how things stand.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for entry in &self.entries {
            tally.open += usize::from(entry.standing == Standing::Open);
            tally.accepted += usize::from(entry.is_accepted() && entry.standing != Standing::LetBy);
            tally.escalated += usize::from(entry.decision.is_some_and(Decision::asks_for_more));
        }
        for rare in self.rare.values() {
            tally.cost_usd += rare.cost_usd;
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    /// `a:<content>:<attempt>:<verdict>`; a verdict is one letter of `-`, `a`ccept, `e`scalate, `b`locked.
    fn form(text: &str) -> Form {
        let mut parts = text.split(':');
        let content = parts.next().unwrap_or_default();
        let attempt = parts.next().and_then(|attempt| attempt.parse().ok()).unwrap_or(0);
        let decision = match parts.next() {
            Some("a") => Some(Decision::Accept),
            Some("e") => Some(Decision::Escalate),
            Some("b") => Some(Decision::Blocked),
            _ => None,
        };
        let has_errors = content == "!";
        let content = blake3::hash(content.as_bytes()).into();
        Form { content, attempt, decision, has_errors, cost_usd: 0.0, needs: Vec::new() }
    }

    fn needing(text: &str, id: &str, used: Option<u32>) -> Form {
        Form { needs: vec![Need { key: Key::of(id), used }], ..form(text) }
    }

    /// Begins a round and returns the numbers of the records that take part.
    fn given<P>(rounds: &mut Rounds<P>) -> Vec<u32> {
        let count = rounds.begin();
        let given: Vec<u32> = (0..)
            .zip(rounds.entries())
            .filter(|(_, entry)| entry.is_awaited)
            .map(|(index, _)| index)
            .collect();
        assert_eq!((given.len(), rounds.given().count()), (count, count));
        given
    }

    /// Runs one record through the forms and returns where it stands in the end, after how many rounds, and its period.
    fn run(forms: &[&str]) -> (Standing, u32, u32) {
        let mut rounds = Rounds::new();
        rounds.add("a", form(forms[0]), ());
        for text in &forms[1..] {
            if rounds.begin() == 0 {
                break;
            }
            if *text != "lost" {
                rounds.came_back("a", form(text), ());
            }
            rounds.end(false);
        }
        let entry = &rounds.entries()[0];
        (entry.standing, entry.rounds, rounds.period(0).unwrap_or(0))
    }

    #[test]
    fn a_record_stops_at_its_own_fixed_point() {
        use Standing::{Cycle, Decided, GivenUp, LetBy, Open, Unchanged};
        for (forms, expected) in [
            (&["x", "y:1:a", "never"][..], (Decided(Decision::Accept), 1, 0)),
            (&["x:1:a", "never"], (Decided(Decision::Accept), 0, 0)),
            (&["x", "x", "never"], (Unchanged, 1, 0)),
            (&["x", "y", "y", "never"], (Unchanged, 2, 0)),
            (&["x", "y:1:e", "z:2:e", "w:3:a"], (Decided(Decision::Accept), 3, 0)),
            (&["x", "y:1:e", "z:2:b"], (Decided(Decision::Blocked), 2, 0)),
            (&["x", "y:1:e", "y:2:e", "never"], (Unchanged, 2, 0)),
            (&["x", "y", "x", "never"], (Cycle, 2, 2)),
            (&["a", "b", "c", "d", "b", "never"], (Cycle, 4, 3)),
            (&["x", "lost", "y", "lost", "lost"], (Open, 4, 0)),
            (&["x", "lost", "lost", "lost", "never"], (GivenUp, 3, 0)),
            (&["x", "!", "never"], (LetBy, 1, 0)),
            (&["!", "never"], (LetBy, 0, 0)),
        ] {
            assert_eq!(run(forms), expected, "{forms:?}");
        }
    }

    #[test]
    fn a_round_takes_the_open_records_and_what_they_need() {
        let mut rounds = Rounds::new();
        rounds.add("root", form("r:1:a"), ());
        rounds.add("other", form("o:1:a"), ());
        rounds.add("middle", needing("m:1:a", "root", Some(1)), ());
        rounds.add_broken(());
        rounds.add("leaf", needing("l", "middle", None), ());
        rounds.wake();
        assert_eq!(given(&mut rounds), [0, 2, 4]);
    }

    #[test]
    fn a_round_takes_what_each_of_the_open_records_needs() {
        let mut rounds = Rounds::new();
        rounds.add("first", form("f:1:a"), ());
        rounds.add("second", form("s:1:a"), ());
        rounds.add("one", needing("o", "first", None), ());
        rounds.add("two", needing("t", "second", None), ());
        assert_eq!(given(&mut rounds), [0, 1, 2, 3]);
    }

    #[test]
    fn a_record_made_from_an_older_attempt_is_opened_again() {
        let mut rounds = Rounds::new();
        rounds.add("root", form("r:2:a"), ());
        rounds.add("leaf", needing("l:1:a", "root", Some(1)), ());
        rounds.wake();
        assert_eq!(given(&mut rounds), [0, 1]);
        rounds.came_back("root", form("r:2:a"), ());
        rounds.came_back("leaf", needing("l:2:a", "root", Some(2)), ());
        rounds.end(false);
        assert_eq!(rounds.tally().open, 0);
    }

    #[test]
    fn a_pipeline_that_does_not_want_to_is_asked_once() {
        let mut rounds = Rounds::new();
        rounds.add("root", form("r"), ());
        rounds.add("leaf", needing("l:1:a", "root", Some(1)), ());
        rounds.wake();
        assert_eq!(given(&mut rounds), [0]);
        rounds.came_back("root", form("r2:2:a"), ());
        rounds.end(false);
        assert_eq!(given(&mut rounds), [0, 1]);
        rounds.came_back("root", form("r2:2:a"), ());
        rounds.came_back("leaf", needing("l:1:a", "root", Some(1)), ());
        rounds.end(false);
        assert_eq!(given(&mut rounds), [] as [u32; 0]);
    }

    #[test]
    fn a_skipped_record_is_tried_again_when_its_dependency_got_well() {
        let mut rounds = Rounds::new();
        rounds.add("root", form("r"), ());
        rounds.add("leaf", needing("l", "root", None), ());
        assert_eq!(given(&mut rounds), [0, 1]);
        rounds.came_back("root", form("r1:1:e"), ());
        rounds.came_back("leaf", needing("skipped:1:b", "root", None), ());
        rounds.end(false);
        assert_eq!(given(&mut rounds), [0]);
        rounds.came_back("root", form("r2:2:a"), ());
        rounds.end(false);
        assert_eq!(given(&mut rounds), [0, 1]);
    }

    #[test]
    fn namesakes_are_told_apart_by_their_order() {
        let mut rounds = Rounds::new();
        rounds.add("a", form("1"), 1);
        rounds.add("a", form("2"), 2);
        rounds.begin();
        assert_eq!(rounds.came_back("a", form("one"), 10), Arrival::Known(0));
        assert_eq!(rounds.came_back("a", form("two"), 20), Arrival::Known(1));
        assert_eq!(rounds.came_back("a", form("three"), 30), Arrival::Duplicate);
        assert!(rounds.end(false).is_empty());
        assert_eq!(rounds.entries().iter().map(|entry| entry.place).collect::<Vec<_>>(), [10, 20]);
    }

    #[test]
    fn a_settled_record_that_comes_back_unasked_is_a_duplicate() {
        let mut rounds = Rounds::new();
        rounds.add("a", form("1:1:a"), ());
        rounds.add("b", form("1"), ());
        assert_eq!(given(&mut rounds), [1]);
        assert_eq!(rounds.came_back("a", form("2"), ()), Arrival::Duplicate);
    }

    #[test]
    fn a_round_that_was_cut_short_loses_nothing() {
        let mut rounds = Rounds::new();
        rounds.add("a", form("1"), ());
        rounds.begin();
        assert!(rounds.end(true).is_empty());
        assert_eq!(rounds.entries()[0].missed, 0);
    }

    #[test]
    fn a_record_takes_little_memory() {
        assert_eq!(size_of::<Entry<super::super::store::Place>>(), 52);
        let mut rounds = Rounds::new();
        rounds.add("a", form("1"), ());
        rounds.add("b", form("1"), ());
        rounds.begin();
        rounds.came_back("a", form("1"), ());
        rounds.came_back("b", form("2:1:a"), ());
        rounds.end(false);
        assert!(rounds.rare.is_empty());
    }

    proptest! {
        /// Whatever a pipeline does to the records, none is lost, none changes its place, and new ones come after.
        #[test]
        fn no_record_is_ever_lost(
            input in proptest::collection::vec("[a-e]", 0..8),
            rounds_back in proptest::collection::vec(
                proptest::collection::vec(("[a-g]", "[xyz!]", 0u32..3, "[aeb-]"), 0..12), 0..6),
        ) {
            let mut rounds = Rounds::new();
            for (index, id) in input.iter().enumerate() {
                rounds.add(id, needing("x", "a", None), index);
            }
            for lines in &rounds_back {
                let given = given(&mut rounds);
                prop_assert!(given.is_sorted());
                for (id, content, attempt, decision) in lines {
                    rounds.came_back(id, form(&format!("{content}:{attempt}:{decision}")), 0);
                }
                let lost = rounds.end(false);
                prop_assert!(lost.iter().all(|index| given.contains(index)));
            }
            let keys: Vec<Key> = rounds.entries().iter().map(|entry| entry.key).collect();
            prop_assert!(keys.len() >= input.len());
            prop_assert_eq!(&keys[..input.len()], &input.iter().map(|id| Key::of(id)).collect::<Vec<_>>()[..]);
        }
    }
}
