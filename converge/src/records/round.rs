//! Which records take part in a round, what came back of them, and which are tried again. Nothing here reads or writes.
//!
//! A record is *open* until it is settled, goes in a circle or has errors. A round takes the open records and all that
//! they depend on, directly or not: stages let settled records pass, and a dependent can not be scheduled without them.

use std::collections::HashMap;
use std::rc::Rc;

use shared::section::Decision;

use crate::cycle::{History, Visit};

use super::facts::{Facts, Form};

/// A record that was given so often and never came back is not given again.
pub(crate) const GIVEN_UP_AFTER: u32 = 3;

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
    Cycle {
        /// After so many rounds.
        period: u32,
    },
    /// It did not come back so often that it is not given again.
    GivenUp,
    /// It has errors, or is no record: every stage lets it by, and so do we.
    LetBy,
}

/// A record on its way, and where its last form is kept.
#[derive(Debug)]
pub(crate) struct Entry<P> {
    /// What it is matched by. A line that is no record has none.
    pub(crate) id: Option<Rc<str>>,
    /// What is known of its last form.
    pub(crate) facts: Option<Facts>,
    /// Where its last form is kept.
    pub(crate) place: P,
    /// Where it stands.
    pub(crate) standing: Standing,
    /// How many rounds it took part in.
    pub(crate) rounds: u32,
    /// In how many rounds up to now it did not come back.
    pub(crate) missed: u32,
    history: History,
    is_awaited: bool,
    given_in: u32,
    changed_in: u32,
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
    by_id: HashMap<Rc<str>, Namesakes>,
    round: u32,
}

/// The records with one id. There should be one, but a list with the same id twice must not lose its second half:
/// namesakes are told apart by their order, which every stage keeps.
#[derive(Debug, Default)]
struct Namesakes {
    indexes: Indexes,
    /// Those before this one have come back.
    next: u32,
}

/// Places in the list, nearly always one.
#[derive(Debug, Default)]
enum Indexes {
    #[default]
    None,
    One(u32),
    // Boxed, so that the usual case is small.
    #[allow(clippy::box_collection)]
    Many(Box<Vec<u32>>),
}

impl Indexes {
    fn push(&mut self, index: u32) {
        match self {
            Indexes::None => *self = Indexes::One(index),
            Indexes::One(first) => *self = Indexes::Many(Box::new(vec![*first, index])),
            Indexes::Many(all) => all.push(index),
        }
    }

    fn as_slice(&self) -> &[u32] {
        match self {
            Indexes::None => &[],
            Indexes::One(index) => std::slice::from_ref(index),
            Indexes::Many(all) => all,
        }
    }

    fn first(&self) -> Option<usize> {
        self.as_slice().first().map(|index| *index as usize)
    }
}

impl<P> Rounds<P> {
    /// Returns an empty list.
    pub(crate) fn new() -> Self {
        Rounds { entries: Vec::new(), by_id: HashMap::new(), round: 0 }
    }

    /// Adds a record of the input.
    pub(crate) fn add(&mut self, id: &str, form: Form, place: P) {
        self.push(Some(id), Some(form), place);
    }

    /// Adds a line that is no record. It takes part in nothing.
    pub(crate) fn add_broken(&mut self, place: P) {
        self.push(None, None, place);
    }

    fn push(&mut self, id: Option<&str>, form: Option<Form>, place: P) -> usize {
        let index = self.entries.len();
        let id: Option<Rc<str>> = id.map(|id| {
            let known = self.by_id.get_key_value(id).map(|(id, _)| Rc::clone(id));
            let id = known.unwrap_or_else(|| id.into());
            self.by_id.entry(Rc::clone(&id)).or_default().indexes.push(index as u32);
            id
        });
        let (history, facts) = match form {
            Some(Form { content, facts }) => (History::starting_with(content), Some(facts)),
            None => (History::default(), None),
        };
        let standing = match &facts {
            None => Standing::LetBy,
            Some(facts) if facts.has_errors => Standing::LetBy,
            Some(facts) => facts.final_decision().map_or(Standing::Open, Standing::Decided),
        };
        self.entries.push(Entry {
            id,
            history,
            facts,
            place,
            standing,
            rounds: 0,
            missed: 0,
            is_awaited: false,
            given_in: 0,
            changed_in: 0,
        });
        index
    }

    /// Returns the records as they stand.
    pub(crate) fn entries(&self) -> &[Entry<P>] {
        &self.entries
    }

    /// Returns how many rounds have begun.
    pub(crate) fn round(&self) -> u32 {
        self.round
    }

    /// Opens settled records again whose dependencies have moved on since. To be called when the input is complete.
    pub(crate) fn wake(&mut self) {
        let stale: Vec<usize> =
            (0..self.entries.len()).filter(|index| self.is_stale(&self.entries[*index])).collect();
        for index in stale {
            self.entries[index].standing = Standing::Open;
        }
    }

    /// Tells whether a settled record was made from something that is there in a newer form.
    fn is_stale(&self, entry: &Entry<P>) -> bool {
        let Some(facts) = &entry.facts else { return false };
        if matches!(entry.standing, Standing::Open | Standing::LetBy | Standing::GivenUp) {
            return false;
        }
        facts.depends_on().iter().filter_map(|id| Some((id, self.dependency(id)?))).any(|(id, dependency)| {
            let attempt = dependency.facts.as_ref().map_or(0, |facts| facts.attempt);
            match facts.input(id) {
                // Given once more after that and still made from the older one: the pipeline does not want to.
                Some(used) => attempt > used && dependency.changed_in >= entry.given_in,
                None => dependency.changed_in > entry.given_in && !facts.is_accepted(),
            }
        })
    }

    fn dependency(&self, id: &str) -> Option<&Entry<P>> {
        Some(&self.entries[self.by_id.get(id)?.indexes.first()?])
    }

    /// Begins a round and returns the records that take part, in order.
    pub(crate) fn begin(&mut self) -> Vec<usize> {
        self.round += 1;
        let mut takes_part = vec![false; self.entries.len()];
        let mut queue: Vec<usize> = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.standing == Standing::Open {
                takes_part[index] = true;
                queue.push(index);
            }
        }
        while let Some(index) = queue.pop() {
            let Some(facts) = &self.entries[index].facts else { continue };
            for first in facts.depends_on().iter().filter_map(|id| self.by_id.get(&**id)?.indexes.first()) {
                if !std::mem::replace(&mut takes_part[first], true) {
                    queue.push(first);
                }
            }
        }
        for namesakes in self.by_id.values_mut() {
            namesakes.next = 0;
        }
        let given: Vec<usize> = (0..self.entries.len()).filter(|index| takes_part[*index]).collect();
        for index in &given {
            let entry = &mut self.entries[*index];
            entry.is_awaited = true;
            entry.rounds += 1;
            entry.given_in = self.round;
        }
        given
    }

    /// Takes in a record that came back.
    pub(crate) fn came_back(&mut self, id: &str, form: Form, place: P) -> Arrival {
        let Some(namesakes) = self.by_id.get_mut(id) else {
            let index = self.push(Some(id), Some(form), place);
            let (round, entry) = (self.round, &mut self.entries[index]);
            (entry.rounds, entry.given_in, entry.changed_in) = (1, round, round);
            return Arrival::New(index);
        };
        let all = namesakes.indexes.as_slice();
        let mut left = all[namesakes.next as usize..].iter().map(|index| *index as usize);
        let Some(ahead) = left.position(|index| self.entries[index].is_awaited) else {
            namesakes.next = all.len() as u32;
            return Arrival::Duplicate;
        };
        let index = all[namesakes.next as usize + ahead] as usize;
        namesakes.next += ahead as u32 + 1;
        let Form { content, facts } = form;
        let entry = &mut self.entries[index];
        entry.is_awaited = false;
        entry.missed = 0;
        let visit = entry.history.visit(content);
        let has_moved = entry.facts.as_ref().is_none_or(|before| before.attempt != facts.attempt);
        if visit != Visit::Unchanged || has_moved {
            entry.changed_in = self.round;
        }
        entry.standing = match (facts.final_decision(), visit) {
            _ if facts.has_errors => Standing::LetBy,
            (Some(decision), _) => Standing::Decided(decision),
            (None, Visit::New) => Standing::Open,
            (None, Visit::Unchanged) => Standing::Unchanged,
            (None, Visit::Again { period }) => Standing::Cycle { period },
        };
        entry.facts = Some(facts);
        entry.place = place;
        Arrival::Known(index)
    }

    /// Takes in a line that came back and is no record. It stays among the records.
    pub(crate) fn came_back_broken(&mut self, place: P) {
        self.push(None, None, place);
    }

    /// Ends a round and returns the records that did not come back.
    ///
    /// A round that was cut short says nothing about those.
    pub(crate) fn end(&mut self, was_cut_short: bool) -> Vec<usize> {
        let mut lost = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if !std::mem::take(&mut entry.is_awaited) || was_cut_short {
                continue;
            }
            lost.push(index);
            entry.missed += 1;
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
            if let Some(facts) = &entry.facts {
                tally.accepted += usize::from(facts.is_accepted() && !facts.has_errors);
                tally.escalated += usize::from(facts.decision.is_some_and(Decision::asks_for_more));
                tally.cost_usd += facts.cost_usd;
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    use super::super::facts::Links;

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
        let facts = Facts { attempt, decision, has_errors, cost_usd: 0.0, links: None };
        Form { content: blake3::hash(content.as_bytes()), facts }
    }

    fn needing(text: &str, id: &str, used: Option<u32>) -> Form {
        let inputs = used.map(|used| (id.to_owned(), used)).into_iter().collect();
        let Form { content, mut facts } = form(text);
        facts.links = Some(Box::new(Links { depends_on: vec![id.to_owned()], inputs }));
        Form { content, facts }
    }

    /// Runs one record through the forms and returns where it stands in the end and after how many rounds.
    fn run(forms: &[&str]) -> (Standing, u32) {
        let mut rounds = Rounds::new();
        rounds.add("a", form(forms[0]), ());
        for text in &forms[1..] {
            if rounds.begin().is_empty() {
                break;
            }
            if *text != "lost" {
                rounds.came_back("a", form(text), ());
            }
            rounds.end(false);
        }
        (rounds.entries()[0].standing, rounds.entries()[0].rounds)
    }

    #[test]
    fn a_record_stops_at_its_own_fixed_point() {
        use Standing::{Cycle, Decided, GivenUp, LetBy, Open, Unchanged};
        for (forms, expected) in [
            (&["x", "y:1:a", "never"][..], (Decided(Decision::Accept), 1)),
            (&["x:1:a", "never"], (Decided(Decision::Accept), 0)),
            (&["x", "x", "never"], (Unchanged, 1)),
            (&["x", "y", "y", "never"], (Unchanged, 2)),
            (&["x", "y:1:e", "z:2:e", "w:3:a"], (Decided(Decision::Accept), 3)),
            (&["x", "y:1:e", "z:2:b"], (Decided(Decision::Blocked), 2)),
            (&["x", "y:1:e", "y:2:e", "never"], (Unchanged, 2)),
            (&["x", "y", "x", "never"], (Cycle { period: 2 }, 2)),
            (&["a", "b", "c", "d", "b", "never"], (Cycle { period: 3 }, 4)),
            (&["x", "lost", "y", "lost", "lost"], (Open, 4)),
            (&["x", "lost", "lost", "lost", "never"], (GivenUp, 3)),
            (&["x", "!", "never"], (LetBy, 1)),
            (&["!", "never"], (LetBy, 0)),
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
        assert_eq!(rounds.begin(), [0, 2, 4]);
    }

    #[test]
    fn a_record_made_from_an_older_attempt_is_opened_again() {
        let mut rounds = Rounds::new();
        rounds.add("root", form("r:2:a"), ());
        rounds.add("leaf", needing("l:1:a", "root", Some(1)), ());
        rounds.wake();
        assert_eq!(rounds.begin(), [0, 1]);
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
        assert_eq!(rounds.begin(), [0]);
        rounds.came_back("root", form("r2:2:a"), ());
        rounds.end(false);
        assert_eq!(rounds.begin(), [0, 1]);
        rounds.came_back("root", form("r2:2:a"), ());
        rounds.came_back("leaf", needing("l:1:a", "root", Some(1)), ());
        rounds.end(false);
        assert_eq!(rounds.begin(), Vec::<usize>::new());
    }

    #[test]
    fn a_skipped_record_is_tried_again_when_its_dependency_got_well() {
        let mut rounds = Rounds::new();
        rounds.add("root", form("r"), ());
        rounds.add("leaf", needing("l", "root", None), ());
        assert_eq!(rounds.begin(), [0, 1]);
        rounds.came_back("root", form("r1:1:e"), ());
        rounds.came_back("leaf", needing("skipped:1:b", "root", None), ());
        rounds.end(false);
        assert_eq!(rounds.begin(), [0]);
        rounds.came_back("root", form("r2:2:a"), ());
        rounds.end(false);
        assert_eq!(rounds.begin(), [0, 1]);
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
        assert_eq!(rounds.begin(), [1]);
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
                let given = rounds.begin();
                prop_assert!(given.is_sorted());
                for (id, content, attempt, decision) in lines {
                    rounds.came_back(id, form(&format!("{content}:{attempt}:{decision}")), 0);
                }
                let lost = rounds.end(false);
                prop_assert!(lost.iter().all(|index| given.contains(index)));
            }
            let ids: Vec<&str> = rounds.entries().iter().map(|entry| entry.id.as_deref().unwrap()).collect();
            prop_assert!(ids.len() >= input.len());
            prop_assert_eq!(&ids[..input.len()], &input.iter().map(String::as_str).collect::<Vec<_>>()[..]);
        }
    }
}
