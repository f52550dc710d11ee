//! Finds out when something comes back to where it has been.
//!
//! Every state that was ever seen is kept, as a hash, so any period is found, exactly and at the first
//! return. Tools that compare with the state before the last one see A→B→A and miss A→B→C→A.

use std::collections::HashMap;

use blake3::Hash;

/// The states of one thing, in the order they were seen. Small, because there is one for each of a million records.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// The first few states, or else the last one alone.
    few: Vec<State>,
    /// When each state was last seen, once there are many. Boxed, because most have none.
    #[allow(clippy::box_collection)]
    many: Option<Box<HashMap<State, u32>>>,
    seen: u32,
}

/// Half of a hash: 128 bits still make a false cycle less likely than a broken machine.
type State = [u8; 16];

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

const FEW: usize = 16;

impl History {
    /// Returns a history that begins with this state.
    pub(crate) fn starting_with(state: Hash) -> Self {
        let mut history = History::default();
        history.visit(state);
        history
    }

    /// Adds a state and tells what it is to those before it.
    pub(crate) fn visit(&mut self, state: Hash) -> Visit {
        let mut half = State::default();
        half.copy_from_slice(&state.as_bytes()[..size_of::<State>()]);
        let step = self.seen;
        self.seen += 1;
        let is_unchanged = self.few.last() == Some(&half);
        let earlier = match &mut self.many {
            Some(many) => {
                self.few[0] = half;
                many.insert(half, step)
            }
            None => {
                let earlier = self.few.iter().rposition(|seen| *seen == half).map(|at| at as u32);
                self.few.reserve_exact(1);
                self.few.push(half);
                if self.few.len() > FEW {
                    self.many = Some(Box::new(self.few.drain(..).zip(0..).collect()));
                    self.few.push(half);
                }
                earlier
            }
        };
        match earlier {
            _ if is_unchanged => Visit::Unchanged,
            Some(earlier) => Visit::Again { period: step - earlier },
            None => Visit::New,
        }
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
