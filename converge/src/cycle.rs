//! Finds out when something comes back to where it has been.
//!
//! Every state that was ever seen is kept, as a hash, so any period is found, exactly and at the first
//! return. Tools that compare with the state before the last one see A→B→A and miss A→B→C→A.

use blake3::Hash;

/// A state: the first 64 bits of a hash. It is only ever compared with the other states of the same thing, a few dozen at
/// most, so two that are taken for one are less likely than a broken machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State(u64);

impl From<Hash> for State {
    fn from(hash: Hash) -> Self {
        let mut first = [0; size_of::<u64>()];
        first.copy_from_slice(&hash.as_bytes()[..size_of::<u64>()]);
        State(u64::from_le_bytes(first))
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

/// The states before the last one, in the order they were seen. It is empty, and takes no memory, until there is a change.
#[derive(Debug, Default)]
pub(crate) struct Earlier(Vec<State>);

impl Earlier {
    /// Goes on from the last state to the next one and tells what that is to those before it.
    pub(crate) fn visit(&mut self, last: State, next: State) -> Visit {
        // As long as all were the same, how many there were makes no difference to any period.
        if last != next || !self.0.is_empty() {
            self.0.push(last);
        }
        if last == next {
            return Visit::Unchanged;
        }
        self.period(next).map_or(Visit::New, |period| Visit::Again { period })
    }

    /// Returns how many states ago the last one was seen before.
    pub(crate) fn period(&self, last: State) -> Option<u32> {
        let at = self.0.iter().rposition(|state| *state == last)?;
        Some((self.0.len() - at) as u32)
    }

    /// Tells whether there has been no change yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// All states of one thing.
#[derive(Debug, Default)]
pub(crate) struct History {
    earlier: Earlier,
    last: Option<State>,
}

impl History {
    /// Adds a state and tells what it is to those before it.
    pub(crate) fn visit(&mut self, state: Hash) -> Visit {
        let state = State::from(state);
        self.last.replace(state).map_or(Visit::New, |last| self.earlier.visit(last, state))
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
