//! What a person who watches is told between two rounds.

use std::time::Duration;

use shared::Diagnostics;
use shared::units::format_duration;

use super::limit::Stop;
use super::round::{Rounds, Standing, Tally};
use crate::config::{count, dollars};

/// Tells how things stand after a round, if somebody watches.
pub(crate) fn tell(diagnostics: &Diagnostics, round: u32, given: usize, tally: &Tally, elapsed: Duration) {
    if diagnostics.stderr_is_terminal() || diagnostics.is_verbose() {
        diagnostics.plain(format!(
            "converge: round {round}: {given} given, {} unsettled, {} accepted, {} to escalate, {}, {}\n",
            tally.open,
            tally.accepted,
            tally.escalated,
            dollars(tally.cost_usd),
            format_duration(elapsed),
        ));
    }
}

/// Tells how it ended, if somebody watches.
pub(crate) fn tell_end<P>(diagnostics: &Diagnostics, records: &Rounds<P>, stop: &Stop, elapsed: Duration) {
    if !(diagnostics.stderr_is_terminal() || diagnostics.is_verbose()) {
        return;
    }
    let tally = records.tally();
    let all = count(Some(records.entries().len() as u32), "record");
    let cycles = records.entries().iter().filter(|entry| entry.standing == Standing::Cycle).count();
    let cycles = if cycles > 0 { format!(", {cycles} in a circle") } else { String::new() };
    diagnostics.plain(format!(
        "converge: {}: {all}, {} accepted, {} unsettled{cycles}, {}, {}\n",
        stop.reason(),
        tally.accepted,
        tally.open,
        dollars(tally.cost_usd),
        format_duration(elapsed),
    ));
}
