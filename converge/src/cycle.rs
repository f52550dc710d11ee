//! Finds out when something comes back to where it has been.
//!
//! Every state that was ever seen is kept, as a hash, so any period is found, exactly and at the first
//! return. Tools that compare with the state before the last one see A→B→A and miss A→B→C→A.

use std::num::NonZeroU32;

use blake3::Hash;

/// A state: the first 64 bits of a hash. It is only ever compared with the other states of the same thing, a few dozen at
/// most, so two that are taken for one are less likely than a broken machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State([u32; 2]);

impl From<Hash> for State {
    fn from(hash: Hash) -> Self {
        let (words, _) = hash.as_bytes().as_chunks();
        State([0, 1].map(|at| u32::from_le_bytes(words[at])))
    }
}

/// What a state is to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// It was never seen before.
    New,
    /// It is the same as the one before.
    Unchanged,
    /// It was last seen so many states ago, at least two.
    Again {
        /// How many steps the way round took.
        period: u32,
    },
}

/// The states that many things had before their last ones, in one list: 12 bytes for a state.
#[derive(Debug, Default)]
pub(crate) struct Trail(Vec<Step>);

/// The way of one thing, as far as it is behind it: its latest step in the [`Trail`], counted from 1. None until there is
/// a change.
pub(crate) type Past = Option<NonZeroU32>;

#[derive(Debug)]
struct Step {
    state: State,
    before: Past,
}

impl Trail {
    /// Goes on from the last state to the next one and tells what that is to those before it.
    pub(crate) fn visit(&mut self, past: &mut Past, last: State, next: State) -> Visit {
        // As long as all were the same, how many there were makes no difference to any period.
        if last != next || past.is_some() {
            self.0.push(Step { state: last, before: *past });
            *past = NonZeroU32::new(self.0.len() as u32);
        }
        if last == next {
            return Visit::Unchanged;
        }
        self.period(*past, next).map_or(Visit::New, |period| Visit::Again { period })
    }

    /// Returns how many states ago the last one was seen before.
    pub(crate) fn period(&self, past: Past, last: State) -> Option<u32> {
        let before = |past: Past| self.0.get(past?.get() as usize - 1);
        let mut steps = std::iter::successors(before(past), |step| before(step.before));
        Some(steps.position(|step| step.state == last)? as u32 + 1)
    }
}

/// All states of one thing.
#[derive(Debug, Default)]
pub(crate) struct History {
    trail: Trail,
    past: Past,
    last: Option<State>,
}

impl History {
    /// Adds a state and tells what it is to those before it.
    pub(crate) fn visit(&mut self, state: Hash) -> Visit {
        let state = State::from(state);
        let last = self.last.replace(state);
        last.map_or(Visit::New, |last| self.trail.visit(&mut self.past, last, state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(states: &str) -> Vec<Visit> {
        let mut history = History::default();
        states.chars().map(|state| history.visit(blake3::hash(&[state as u8]))).collect()
    }

    #[test]
    fn any_period_is_found_at_the_first_return() {
        use Visit::{Again, New, Unchanged};
        for (states, last) in [
            ("a", New),
            ("aa", Unchanged),
            ("ab", New),
            ("aba", Again { period: 2 }),
            ("abca", Again { period: 3 }),
            ("abcdefga", Again { period: 7 }),
            ("abb", Unchanged),
            ("abba", Again { period: 3 }),
            ("ababab", Again { period: 2 }),
            ("xyzabcdabcd", Again { period: 4 }),
        ] {
            assert_eq!(visits(states).last(), Some(&last), "{states}");
        }
    }

    #[test]
    fn long_histories_answer_like_short_ones() {
        let states: String = (b'A'..=b'z').map(char::from).collect();
        let visits = visits(&(states.clone() + &states));
        assert!(visits[..58].iter().all(|visit| *visit == Visit::New));
        assert!(visits[58..].iter().all(|visit| *visit == Visit::Again { period: 58 }));
    }
}
