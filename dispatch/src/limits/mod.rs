//! Budgets, pace, and when to stop: what keeps a run within what somebody is willing to pay and a server to take.
//!
//! Each rule is a file of its own that knows neither the engine nor a clock: it is told what happens and when, and says what
//! may be done. [`Limits`] is where the engine asks. What the rules are *for* is in `README.md`, under Limits.

mod allowance;
pub(crate) mod amount;
mod breaker;
mod estimate;
pub(crate) mod halt;
mod pace;
mod purse;
mod settings;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use shared::price::Table;
use shared::section::{Effort, Status, Tier, Usage, is_amount};

pub use allowance::Allowance;
use amount::Amount;
pub(crate) use amount::tokens;
use breaker::{Admission, Breaker, Sign};
pub(crate) use estimate::{BYTES_PER_TOKEN, LONGEST_ANSWER};
use estimate::{Case, Charge, Estimate, Experience};
pub(crate) use pace::Pace;
use purse::{Grant, Limit, Purses, Reservation};
pub(crate) use settings::{Rules, Terms, charge};

use crate::schedule::IdHash;

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Account {
    Run,
    Tier(Tier),
    /// The position of its lane.
    Backend(usize),
    /// The task, or that which it is a part of.
    Task(IdHash),
}

/// An attempt that wants to start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) lane: usize,
    pub(crate) tier: Tier,
    pub(crate) executor: &'a str,
    pub(crate) model: Option<&'a str>,
    pub(crate) effort: Option<&'a Effort>,
    /// The length of all that is sent first, in bytes.
    pub(crate) prompt: u64,
    pub(crate) max_output_tokens: Option<u32>,
    pub(crate) task: Option<TaskBudget>,
}

/// The budget of a task, which its parts share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskBudget {
    pub(crate) id: IdHash,
    pub(crate) usd: f64,
    /// What was spent of it, in this run and before.
    pub(crate) spent_usd: f64,
}

/// Whether an attempt may start.
#[derive(Debug)]
pub(crate) enum Leave {
    /// It may; the ticket is given back with what it took.
    Granted(Box<Ticket>),
    /// Not before others have ended, or before a server may be asked again.
    Later,
    /// Not any more; how it ends and why.
    Refused(Status, String),
}

/// What was set aside for an attempt under way. It is settled when that has ended.
#[derive(Debug)]
#[must_use = "what is set aside stays so until it is settled"]
pub(crate) struct Ticket {
    lane: usize,
    tier: Tier,
    executor: String,
    task: Option<IdHash>,
    reservation: Option<Reservation<Account>>,
    estimate: Estimate,
    /// What it may spend.
    pub(crate) allowance: Allowance,
}

/// What an attempt took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken<'a> {
    pub(crate) status: Status,
    pub(crate) reason: Option<&'a str>,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) usage: Option<&'a Usage>,
    pub(crate) model: Option<&'a str>,
}

/// What comes of an attempt's end for the others.
#[derive(Debug, Default)]
pub(crate) struct Consequences {
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
    /// The run halts.
    pub(crate) halted: Option<halt::Halted>,
    /// The lane has just been left alone, for this reason.
    pub(crate) opened: Option<String>,
}

/// All limits of a run, and how it stands with them.
#[derive(Debug)]
pub(crate) struct Limits {
    rules: Rules,
    purses: Purses<Account>,
    experience: Experience,
    watch: halt::Watch,
    lanes: Vec<LaneState>,
    /// The budgets that attempts wait for until something is settled.
    exhausted: HashSet<Account>,
}

/// How it stands with one backend.
#[derive(Debug)]
struct LaneState {
    name: String,
    terms: Terms,
    requests: Option<Pace>,
    tokens: Option<Pace>,
    breaker: Breaker,
    /// It has not said what an attempt cost that it should have told.
    is_silent: bool,
}

impl Limits {
    /// Returns the limits of a run, with the name and the terms of each lane.
    pub(crate) fn new<'a>(rules: Rules, lanes: impl IntoIterator<Item = (&'a str, &'a Terms)>) -> Limits {
        let mut purses = Purses::new();
        let mut add = |account, owner: &str, limit: Limit| {
            if !limit.is_none() {
                purses.set(account, owner, limit, Amount::default());
            }
        };
        add(Account::Run, "the run's", rules.run);
        for (tier, limit) in [Tier::ONE, Tier::TWO, Tier::THREE].into_iter().zip(rules.tiers) {
            add(Account::Tier(tier), &format!("tier {tier}'s"), limit);
        }
        let mut states = Vec::new();
        for (lane, (name, terms)) in lanes.into_iter().enumerate() {
            add(Account::Backend(lane), &format!("the backend `{name}`'s"), terms.budget);
            // Requests over a wire are paced one by one, where they are sent.
            let paced = |limit: Option<u64>| limit.filter(|_| !terms.is_remote).map(Pace::per_minute);
            states.push(LaneState {
                name: name.to_owned(),
                requests: paced(terms.requests_per_minute),
                tokens: paced(terms.tokens_per_minute),
                breaker: Breaker::new(terms.habit),
                terms: terms.clone(),
                is_silent: false,
            });
        }
        Limits {
            watch: halt::Watch::new(rules.halt, rules.halt_min),
            rules,
            purses,
            experience: Experience::default(),
            lanes: states,
            exhausted: HashSet::new(),
        }
    }

    /// Counts what earlier runs of the same work have taken against the budgets of the run and of the tier.
    pub(crate) fn taken_before(&mut self, tier: Tier, cost_usd: Option<f64>, usage: Option<&Usage>) {
        let nanos = cost_usd.filter(|cost| is_amount(*cost)).map(amount::nanos).unwrap_or_default();
        let taken = Amount { nanos, tokens: usage.map(amount::tokens).unwrap_or_default() };
        self.purses.spend(&Account::Run, taken);
        self.purses.spend(&Account::Tier(tier), taken);
    }

    /// Tells whether a task waits for what others of the same budget have set aside.
    pub(crate) fn is_exhausted(&self, task: IdHash) -> bool {
        self.exhausted.contains(&Account::Task(task))
    }

    /// Says how many tasks have not ended, once no more come in.
    pub(crate) fn left(&mut self, tasks: u64) {
        self.watch.left(tasks);
    }

    /// Tells whether something may start in a lane on a tier, as far as that does not depend on the task.
    pub(crate) fn is_open(&self, lane: usize, tier: Tier, now: Instant) -> bool {
        let Some(state) = self.lanes.get(lane) else { return true };
        if state.terms.charge == Charge::Free {
            return true;
        }
        let is_exhausted = [Account::Run, Account::Tier(tier), Account::Backend(lane)]
            .iter()
            .any(|account| self.exhausted.contains(account));
        let is_early = |pace: &Option<Pace>| pace.is_some_and(|pace| !pace.wait(now, 1).is_zero());
        !is_exhausted
            && !is_early(&state.requests)
            && !is_early(&state.tokens)
            && !matches!(state.breaker.admits(now), Admission::Later(_))
    }

    /// Returns how long it takes until something may start that may not now; nothing if that is not a matter of time.
    pub(crate) fn next(&self, now: Instant) -> Option<Duration> {
        let waits = self.lanes.iter().flat_map(|state| {
            let pace = |pace: &Option<Pace>| pace.map(|pace| pace.wait(now, 1));
            let breaker = match state.breaker.admits(now) {
                Admission::Later(wait) => Some(wait),
                _ => None,
            };
            [pace(&state.requests), pace(&state.tokens), breaker]
        });
        waits.flatten().filter(|wait| !wait.is_zero()).min()
    }

    /// Asks for an attempt to start.
    pub(crate) fn ask(&mut self, asking: &Asking, prices: &Table, now: Instant) -> Leave {
        let Some(state) = self.lanes.get(asking.lane) else {
            return Leave::Refused(Status::Unavailable, "there is no such backend".to_owned());
        };
        match state.breaker.admits(now) {
            Admission::Yes | Admission::Probe => {}
            Admission::Later(_) => return Leave::Later,
            Admission::Never(status, reason) => {
                let reason = match status {
                    Status::Transport => reason,
                    _ => format!("not sent, because the backend `{}` refuses: {reason}", state.name),
                };
                return Leave::Refused(status, reason);
            }
        }
        let case = Case {
            charge: state.terms.charge,
            attempt_usd: state.terms.attempt_usd,
            lane: asking.lane,
            tier: asking.tier,
            executor: asking.executor,
            model: asking.model,
            effort: asking.effort,
            prompt: asking.prompt,
            max_output_tokens: asking.max_output_tokens,
        };
        let estimate = self.experience.estimate(&case, prices);
        let mut ticket = Ticket {
            lane: asking.lane,
            tier: asking.tier,
            executor: asking.executor.to_owned(),
            task: asking.task.map(|task| task.id),
            reservation: None,
            estimate,
            allowance: Allowance::default(),
        };
        if state.terms.charge != Charge::Free {
            let mut accounts = vec![Account::Run, Account::Tier(asking.tier), Account::Backend(asking.lane)];
            if let Some(task) = &asking.task {
                let limit = Limit { nanos: Some(amount::nanos(task.usd)), tokens: None };
                let spent = Amount { nanos: amount::nanos(task.spent_usd), tokens: 0 };
                self.purses.set(Account::Task(task.id), "the task's", limit, spent);
                accounts.push(Account::Task(task.id));
            }
            if let Some(reason) = self.unpriced(&accounts, &estimate, state, asking.model) {
                return Leave::Refused(Status::Budget, reason);
            }
            match self.purses.reserve(&accounts, estimate.need()) {
                Grant::Refused(reason) => return Leave::Refused(Status::Budget, reason),
                Grant::Wait(account) => {
                    self.exhausted.insert(account);
                    return Leave::Later;
                }
                Grant::Reserved(reservation) => {
                    let cap = reservation.cap;
                    ticket.allowance = Allowance {
                        usd: cap.nanos.map(amount::dollars),
                        tokens: cap.tokens,
                        price: asking.model.and_then(|model| prices.model(model)),
                    };
                    ticket.reservation = Some(reservation);
                }
            }
        }
        if let Some(state) = self.lanes.get_mut(asking.lane) {
            state.breaker.sent(now);
            if let Some(pace) = &mut state.requests {
                pace.take(now, 1);
            }
            if let Some(pace) = &mut state.tokens {
                pace.take(now, expected_tokens(&estimate));
            }
        }
        Leave::Granted(Box::new(ticket))
    }

    /// Says why a budget could not hold an attempt, if nobody can say what it takes.
    fn unpriced(
        &self,
        accounts: &[Account],
        estimate: &Estimate,
        state: &LaneState,
        model: Option<&str>,
    ) -> Option<String> {
        let name = &state.name;
        let is_blind = estimate.nanos.is_none_or(|range| state.is_silent && !range.is_known());
        if is_blind && self.purses.limits_money(accounts) {
            let what = match model {
                Some(model) => format!("what `{model}` costs at the backend `{name}`"),
                None => format!("what an attempt at the backend `{name}` costs"),
            };
            return Some(format!(
                "there is a budget, and {what} is not known, so the budget could not hold it: add the price to a table \
                 for --prices, or say `attempt_usd` in [dispatch.backends.{name}] of specpipe.toml (0 if it costs nothing)"
            ));
        }
        let is_blind = estimate.tokens.is_none() && state.terms.attempt_usd.is_none();
        (is_blind && self.purses.limits_tokens(accounts)).then(|| {
            format!(
                "there is a budget of tokens, and the backend `{name}` does not say how many it uses: say \
                 `attempt_usd` in [dispatch.backends.{name}] of specpipe.toml if it asks no model, or leave the budget out"
            )
        })
    }

    /// Gives back what was set aside for an attempt that was not made after all.
    pub(crate) fn give_back(&mut self, ticket: Ticket) {
        if let Some(reservation) = ticket.reservation {
            self.purses.settle(reservation, Amount::default());
        }
        self.exhausted.clear();
    }

    /// Counts what an attempt took.
    pub(crate) fn settle(&mut self, ticket: Ticket, taken: &Taken, now: Instant) -> Consequences {
        let mut consequences = Consequences::default();
        let nanos = taken.cost_usd.map(amount::nanos);
        let tokens = taken.usage.map(amount::tokens);
        let expected = |range: Option<estimate::Range>| range.map_or(0, |range| range.expected);
        if let Some(reservation) = ticket.reservation {
            // What nobody told is taken to be what was expected.
            let amount = Amount {
                nanos: nanos.unwrap_or_else(|| match taken.usage.is_some() || taken.status == Status::Ok {
                    true => expected(ticket.estimate.nanos),
                    false => 0,
                }),
                tokens: tokens.unwrap_or_default(),
            };
            let is_limited = reservation.cap.nanos.is_some();
            consequences.warnings = self.purses.settle(reservation, amount);
            if let Some(state) = self.lanes.get_mut(ticket.lane)
                && is_limited
                && nanos.is_none()
                && (taken.usage.is_some() || taken.status == Status::Ok)
                && state.terms.charge != Charge::Recorded
                && !std::mem::replace(&mut state.is_silent, true)
            {
                let model =
                    taken.model.map_or_else(String::new, |model| format!(" with the model `{model}`"));
                consequences.warnings.push(format!(
                    "the backend `{}`{model} did not say what an attempt cost, and there is no price for it: the budget counts \
                     what was expected",
                    state.name
                ));
            }
        }
        if let Some(task) = ticket.task {
            // What was spent of it is in its records.
            self.purses.forget(&Account::Task(task));
        }
        self.exhausted.clear();
        self.experience.note((ticket.lane, ticket.tier, &ticket.executor), nanos, tokens);
        if let Some(state) = self.lanes.get_mut(ticket.lane) {
            if let (Some(pace), Some(tokens)) = (&mut state.tokens, tokens) {
                pace.correct(now, expected_tokens(&ticket.estimate), tokens);
            }
            if state.terms.charge != Charge::Free
                && let Some(sign) = Sign::of(taken.status, taken.reason)
            {
                consequences.opened = state.breaker.came_back(now, sign);
            }
        }
        consequences.halted = self.ended(taken.status);
        consequences
    }

    /// Counts an attempt that has ended without having been made; tells if the run halts by that.
    pub(crate) fn ended(&mut self, status: Status) -> Option<halt::Halted> {
        self.watch.ended(status).cloned()
    }

    /// Tells whether a lane is left alone now, so that who has another one goes there.
    pub(crate) fn is_down(&self, lane: usize, now: Instant) -> Option<String> {
        let state = self.lanes.get(lane)?;
        match state.breaker.admits(now) {
            Admission::Yes | Admission::Probe => None,
            Admission::Later(_) => Some(format!("the backend `{}` does not answer", state.name)),
            Admission::Never(_, reason) => Some(reason),
        }
    }

    /// Returns how many tasks of each tier may run at once, from tier 0 on.
    pub(crate) fn jobs_of_tiers(&self) -> [Option<usize>; 4] {
        let [one, two, three] = self.rules.tier_jobs;
        [None, one, two, three]
    }
}

fn expected_tokens(estimate: &Estimate) -> u64 {
    estimate.tokens.map_or(0, |range| range.expected)
}
