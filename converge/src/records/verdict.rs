//! How the rounds of a record ended, as its `converge` member says it.

use shared::section::{Converge, State};

use super::limit::Stop;
use super::round::{Entry, Standing};
use crate::config::count;

/// Returns the member, or `None` for a record that is let by untouched.
pub(crate) fn section<P>(entry: &Entry<P>, period: Option<u32>, stop: &Stop) -> Option<Converge> {
    let rounds = count(Some(entry.rounds), "round");
    let (state, period, reason) = match entry.standing {
        Standing::LetBy => return None,
        Standing::Decided(decision) if entry.rounds == 0 => {
            (State::Settled, None, format!("{decision}, before the first round"))
        }
        Standing::Decided(decision) => (State::Settled, None, format!("{decision} after {rounds}")),
        Standing::Unchanged => (State::Settled, None, "the pipeline changes nothing any more".to_owned()),
        Standing::Cycle => {
            let rounds = count(period, "round");
            (State::Cycle, period, format!("comes back to the same content every {rounds}"))
        }
        Standing::GivenUp => {
            (State::Lost, None, format!("did not come back {} times in a row", entry.missed))
        }
        Standing::Open if entry.missed > 0 => {
            (State::Lost, None, format!("did not come back from the last round; {}", stop.reason()))
        }
        Standing::Open => (State::Exhausted, None, stop.reason()),
    };
    Some(Converge { rounds: entry.rounds, state, period, reason: Some(reason) })
}
