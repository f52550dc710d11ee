//! How the observations add up: accept, unverifiable, fix, escalate or blocked.
//!
//! Strictness has an order: accept, then unverifiable (the user gets it with a warning), then fix, then escalate, then
//! blocked. A worse observation never moves the decision down this order and never raises the confidence; a
//! property test holds the two functions at the bottom to that. Which tiers are left is a fact about the
//! task, not an observation, and turns fix and escalate into blocked alike.

use shared::section::{Decision, Risk, Status, Tier, Verify};

use crate::attempt::{Attempt, Kind};
use crate::failure;
use crate::observation::{Observation, Standing};

/// Returns the verdict on an attempt.
pub(crate) fn of(attempt: &Attempt<'_>, observations: &[Observation]) -> Verify {
    let standings: Vec<Standing> = observations.iter().map(|observation| observation.standing).collect();
    let needed = needed(attempt);
    let (decision, escalate_to, reason) = match by_status(attempt) {
        Some(decided) => decided,
        None => match decide(&standings, needed) {
            decision @ (Decision::Fix | Decision::Escalate) => next(attempt, decision, because(observations)),
            Decision::Accept => (Decision::Accept, None, evidence(observations)),
            decision => (decision, None, lacking(attempt, observations)),
        },
    };
    let failure = match decision {
        Decision::Accept | Decision::Unverifiable => None,
        _ => failure::classify(attempt, observations),
    };
    let confidence = if attempt.dispatch.status == Status::Ok || attempt.has_result() {
        confidence(&standings)
    } else {
        0.0
    };
    Verify {
        attempt: attempt.dispatch.attempt,
        decision,
        confidence,
        checks: observations.iter().map(Observation::section).collect(),
        reason,
        escalate_to,
        failure,
        cost_usd: 0.0,
    }
}

type Decided = (Decision, Option<Tier>, String);

/// Decides where the way the attempt ended leaves nothing to weigh: it is not the work that is wrong.
fn by_status(attempt: &Attempt<'_>) -> Option<Decided> {
    let dispatch = attempt.dispatch;
    let why = |what: &str| match &dispatch.reason {
        Some(reason) => format!("{what}: {reason}"),
        None => what.to_owned(),
    };
    let blocked = |reason: String| Some((Decision::Blocked, None, reason));
    match dispatch.status {
        Status::Ok | Status::Failed | Status::Refused | Status::Truncated => None,
        Status::Auth => {
            blocked(why("the credentials were not accepted; correct them, then `dispatch --rerun auth`"))
        }
        Status::Quota => blocked(why(
            "the account's limit is reached; raise it or use another backend, then `dispatch --rerun quota`",
        )),
        Status::Budget => blocked(why("the budget is spent; raise it, then `dispatch --rerun budget`")),
        Status::Unavailable => blocked(why(
            "no backend can run it; configure one for its tier, then `dispatch --rerun unavailable`",
        )),
        Status::Skipped => blocked(why("it was not run because a task it depends on did not end well")),
        Status::Cancelled => blocked(why("the run was interrupted; `dispatch` runs it again")),
        Status::Timeout => {
            let before = dispatch.earlier.iter().any(|earlier| earlier.status == Status::Timeout);
            if before {
                return blocked(why(
                    "two attempts ran out of time; split the task, or raise `timeout` and `dispatch --rerun timeout`",
                ));
            }
            Some(next(attempt, Decision::Escalate, why("it ran out of time")))
        }
        // The network is not the task's fault, so a dearer tier is no remedy; `dispatch` has waited and retried.
        Status::Transport => blocked(why(
            "the server could not be reached, which is not the task's fault; `dispatch --rerun transport` tries again",
        )),
    }
}

/// Turns a decision for another attempt into blocked if no other attempt would help or may be paid.
fn next(attempt: &Attempt<'_>, decision: Decision, reason: String) -> Decided {
    let task = attempt.task;
    let blocked = |what: String| (Decision::Blocked, None, format!("{what}: {reason}"));
    if task.run.is_some() && attempt.is_factual() {
        return blocked("the task names its own command, which would only be run again".to_owned());
    }
    if let Some(spent) = over_budget(attempt) {
        return blocked(spent);
    }
    let Some(tier) = attempt.dispatch.tier.up() else {
        return blocked("the top tier was not good enough; a person has to look".to_owned());
    };
    let mut tier = tier.max(task.min_tier.unwrap_or(tier));
    if let Some(above) = attempt.above_parts {
        tier = tier.max(above);
    }
    if task.max_tier.is_some_and(|max| tier > max) {
        return blocked(format!("tier {tier} is above the task's `max_tier`; raise it or look yourself"));
    }
    (decision, Some(tier), reason)
}

fn over_budget(attempt: &Attempt<'_>) -> Option<String> {
    let budget = attempt.task.budget_usd?;
    let spent: f64 = attempt.dispatch.paid().filter_map(|paid| paid.cost_usd).sum();
    (spent >= budget).then(|| format!("the task's budget of ${budget} is spent (${spent:.4})"))
}

/// Returns the least evidence that an answer needs to be accepted (depth by risk, seed 000; the auto-accept matrix).
///
/// Raw findings, reports and documents need a fact that speaks for them. Code, and whatever has no contract, needs
/// one that shows it works. Where a mistake is dear, everything does.
fn needed(attempt: &Attempt<'_>) -> Standing {
    match (attempt.risk, attempt.kind) {
        (Risk::High, _) | (_, Kind::Implement | Kind::Developer | Kind::Architect | Kind::Other) => {
            Standing::Conclusive
        }
        _ => Standing::Supporting,
    }
}

fn details(observations: &[Observation], wanted: impl Fn(Standing) -> bool) -> String {
    let wanted = observations.iter().filter(|observation| wanted(observation.standing));
    let all: Vec<String> = wanted
        .map(|observation| match &observation.detail {
            Some(detail) => detail.clone(),
            None => format!("{} passes", observation.check),
        })
        .collect();
    all.join("; ")
}

fn because(observations: &[Observation]) -> String {
    let worst = observations.iter().map(|observation| observation.standing).max();
    details(observations, |standing| Some(standing) == worst)
}

fn evidence(observations: &[Observation]) -> String {
    let conclusive = details(observations, |standing| standing == Standing::Conclusive);
    if conclusive.is_empty() {
        details(observations, |standing| standing == Standing::Supporting)
    } else {
        conclusive
    }
}

/// Says what is lacking, and how it could be had.
fn lacking(attempt: &Attempt<'_>, observations: &[Observation]) -> String {
    let missing = details(observations, |standing| standing == Standing::Missing);
    if !missing.is_empty() {
        return missing;
    }
    let doubts = details(observations, |standing| standing == Standing::Doubt);
    if !doubts.is_empty() {
        return doubts;
    }
    let remedy = match attempt.kind.writes() {
        true => "run `gates` with tests on it, or give the task an `accept` list",
        false => "give the task an `accept` list, or look yourself",
    };
    let what = match needed(attempt) {
        Standing::Conclusive => "nothing shows that it is right",
        _ => "nothing speaks for it",
    };
    let open = details(observations, |standing| standing == Standing::Open);
    if open.is_empty() { format!("{what}; {remedy}") } else { format!("{what} ({open}); {remedy}") }
}

/// Decides by the worst and the best that was observed.
pub(crate) fn decide(standings: &[Standing], needed: Standing) -> Decision {
    let worst = standings.iter().max();
    let best = standings.iter().min();
    match worst {
        Some(Standing::Hard) => Decision::Escalate,
        Some(Standing::Small) => Decision::Fix,
        Some(Standing::Missing) => Decision::Unverifiable,
        Some(Standing::Doubt) if best > Some(&Standing::Conclusive) => Decision::Unverifiable,
        _ if best.is_some_and(|best| *best <= needed) => Decision::Accept,
        _ => Decision::Unverifiable,
    }
}

/// Returns how well the observations speak for the attempt, 0 to 1.
///
/// It starts at an even chance. The best evidence counts most and a second piece a little; more count nothing,
/// since they are seldom independent. Every defect takes its share away. The weights are set, not measured: what
/// may be relied on is their order.
pub(crate) fn confidence(standings: &[Standing]) -> f64 {
    let count = |from: Standing| standings.iter().filter(|standing| **standing <= from).count();
    let doubt: f64 = match (count(Standing::Conclusive), count(Standing::Supporting)) {
        (0, 0) => 0.5,
        (0, 1) => 0.15,
        (0, _) => 0.1,
        (_, 1) => 0.05,
        _ => 0.02,
    };
    let intact: f64 = standings
        .iter()
        .map(|standing| match standing {
            Standing::Conclusive | Standing::Supporting | Standing::Clean | Standing::Skipped => 1.0,
            Standing::Open => 0.95,
            Standing::Doubt => 0.6,
            Standing::Missing => 0.5,
            Standing::Small => 0.3,
            Standing::Hard => 0.05,
        })
        .product();
    ((1.0 - doubt) * intact * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strictness(decision: Decision) -> u8 {
        match decision {
            Decision::Accept => 0,
            Decision::Unverifiable => 1,
            Decision::Fix => 2,
            Decision::Escalate => 3,
            Decision::Blocked => 4,
        }
    }

    fn any_standings() -> impl Strategy<Value = Vec<Standing>> {
        prop::collection::vec(prop::sample::select(&Standing::ALL[..]), 1..14)
    }

    proptest! {
        #[test]
        fn a_worse_observation_never_gives_a_laxer_verdict(
            standings in any_standings(),
            at in any::<prop::sample::Index>(),
            by in 1usize..9,
            needed in prop::sample::select(&[Standing::Conclusive, Standing::Supporting][..]),
        ) {
            let at = at.index(standings.len());
            let from = Standing::ALL.iter().position(|s| *s == standings[at]).unwrap();
            let mut worse = standings.clone();
            worse[at] = Standing::ALL[(from + by).min(Standing::ALL.len() - 1)];
            prop_assert!(strictness(decide(&worse, needed)) >= strictness(decide(&standings, needed)));
            prop_assert!(confidence(&worse) <= confidence(&standings));
        }

        #[test]
        fn more_evidence_needed_is_never_laxer(standings in any_standings()) {
            let strict = strictness(decide(&standings, Standing::Conclusive));
            prop_assert!(strict >= strictness(decide(&standings, Standing::Supporting)));
        }

        #[test]
        fn nothing_is_accepted_without_evidence(standings in any_standings()) {
            if standings.iter().all(|standing| *standing > Standing::Supporting) {
                prop_assert_ne!(decide(&standings, Standing::Supporting), Decision::Accept);
            }
        }

        #[test]
        fn a_defect_found_besides_is_never_laxer(standings in any_standings(), extra in prop::sample::select(&Standing::ALL[3..])) {
            let mut more = standings.clone();
            more.push(extra);
            prop_assert!(strictness(decide(&more, Standing::Supporting)) >= strictness(decide(&standings, Standing::Supporting)));
            prop_assert!(confidence(&more) <= confidence(&standings));
        }
    }

    #[test]
    fn no_observation_at_all_is_no_evidence() {
        assert_eq!(decide(&[], Standing::Supporting), Decision::Unverifiable);
    }
}
