//! Why the rounds end.

use std::time::Duration;

use shared::units::format_duration;

use super::round::Tally;
use crate::config::{RecordsPlan, count, dollars};

/// Why the rounds end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stop {
    /// No record is open any more.
    Settled,
    /// So many rounds were allowed.
    Rounds(u32),
    /// So much time was allowed.
    Time(Duration),
    /// So much money was allowed, and so much was spent.
    Budget { allowed: f64, spent: f64 },
    /// The user or the system asked for it.
    Interrupted,
    /// The command can not be run.
    Failed,
}

impl Stop {
    /// Tells whether every record has come to its own end.
    pub(crate) fn is_settled(&self) -> bool {
        *self == Stop::Settled
    }

    /// Returns the reason for a person.
    pub(crate) fn reason(&self) -> String {
        match self {
            Stop::Settled => "settled".to_owned(),
            Stop::Rounds(rounds) => format!("the limit of {} is reached", count(Some(*rounds), "round")),
            Stop::Time(time) => format!("the time of {} is over", format_duration(*time)),
            Stop::Budget { allowed, spent } => {
                format!("the budget of {} is spent ({})", dollars(*allowed), dollars(*spent))
            }
            Stop::Interrupted => "interrupted".to_owned(),
            Stop::Failed => "the command can not be run".to_owned(),
        }
    }
}

/// Returns why no further round begins. Success is looked at first: a limit must not hide it.
pub(crate) fn reached(plan: &RecordsPlan, round: u32, tally: &Tally, elapsed: Duration) -> Option<Stop> {
    if tally.open == 0 {
        return Some(Stop::Settled);
    }
    if let Some(rounds) = plan.rounds.filter(|rounds| round >= *rounds) {
        return Some(Stop::Rounds(rounds));
    }
    if let Some(time) = plan.time.filter(|time| elapsed >= *time) {
        return Some(Stop::Time(time));
    }
    let spent = tally.cost_usd;
    let is_spent = |allowed: &f64| spent > 0.0 && spent >= *allowed;
    plan.budget_usd.filter(is_spent).map(|allowed| Stop::Budget { allowed, spent })
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::Parser;

    use crate::config::Plan;

    #[test]
    fn success_comes_before_every_limit() {
        let arguments = ["converge", "-n", "3", "--time", "60s", "--budget", "1", "-c", "cat"];
        let args = crate::Args::try_parse_from(arguments).unwrap();
        let Ok(Plan::Records(plan)) = Plan::new(args, || false) else { panic!() };
        let tally = |open, cost_usd| Tally { open, cost_usd, ..Tally::default() };
        let seconds = Duration::from_secs;
        for (round, open, cost_usd, elapsed, expected) in [
            (0, 1, 0.0, 0, None),
            (3, 0, 9.0, 99, Some(Stop::Settled)),
            (3, 1, 9.0, 99, Some(Stop::Rounds(3))),
            (2, 1, 9.0, 60, Some(Stop::Time(seconds(60)))),
            (2, 1, 1.0, 59, Some(Stop::Budget { allowed: 1.0, spent: 1.0 })),
            (2, 1, 0.99, 59, None),
        ] {
            assert_eq!(reached(&plan, round, &tally(open, cost_usd), seconds(elapsed)), expected);
        }
    }

    #[test]
    fn a_reason_names_the_limit() {
        assert_eq!(Stop::Rounds(1).reason(), "the limit of 1 round is reached");
        assert_eq!(
            Stop::Budget { allowed: 2.0, spent: 2.125 }.reason(),
            "the budget of $2.00 is spent ($2.12)"
        );
    }
}
