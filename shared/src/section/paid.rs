//! What was paid for a task: every attempt, those that were replaced, and every draft that lost against another one.
//!
//! Whoever adds up money or tokens over records does it with [`Dispatch::paid`], so that all totals are of the same things.
//! [`Costs`] is the same for readers that let sections of another shape be.

use serde::Deserialize;

use super::{Dispatch, Rival, Status, Tier, Usage};

/// No attempt costs so many US dollars; who says so has miscounted.
const ABSURD: f64 = 1e6;

/// Tells whether a number can be what an attempt has cost in US dollars. What cannot is no cost, and not the cost zero.
pub fn is_amount(dollars: f64) -> bool {
    (0.0..ABSURD).contains(&dollars)
}

/// Work that was paid for, whether its result was used or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paid<'a> {
    /// What its result is worth now.
    pub role: Role,
    /// The attempt it was made for.
    pub attempt: u32,
    /// The tier it ran on.
    pub tier: Tier,
    /// The backend that ran it.
    pub backend: Option<&'a str>,
    /// The model, where one was asked.
    pub model: Option<&'a str>,
    /// How it ended.
    pub status: Status,
    /// The tokens it used.
    pub usage: Option<Usage>,
    /// What it cost in US dollars.
    pub cost_usd: Option<f64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// What the result of paid work is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is the result.
    Current,
    /// A later attempt has replaced it.
    Earlier,
    /// It lost against another draft of the same attempt.
    Rival,
}

impl Dispatch {
    /// Returns all work that was paid for this task up to now, oldest attempt first, each before the drafts that lost
    /// against it.
    ///
    /// What a compound task joins is in the records of its parts and not here.
    pub fn paid(&self) -> impl Iterator<Item = Paid<'_>> {
        let earlier = self.earlier.iter().flat_map(|earlier| {
            let own = Paid {
                role: Role::Earlier,
                attempt: earlier.attempt,
                tier: earlier.tier,
                backend: earlier.backend.as_deref(),
                model: earlier.model.as_deref(),
                status: earlier.status,
                usage: earlier.usage,
                cost_usd: earlier.cost_usd,
                elapsed_ms: earlier.elapsed_ms,
            };
            std::iter::once(own).chain(earlier.rivals.iter().map(move |rival| lost(rival, earlier.attempt)))
        });
        let current = Paid {
            role: Role::Current,
            attempt: self.attempt,
            tier: self.tier,
            backend: self.backend.as_deref(),
            model: self.model.as_deref(),
            status: self.status,
            usage: self.usage,
            cost_usd: self.cost_usd,
            elapsed_ms: self.elapsed_ms,
        };
        let rivals = self.rivals.iter().map(|rival| lost(rival, self.attempt));
        earlier.chain(std::iter::once(current)).chain(rivals)
    }

    /// Returns what all of it has cost in US dollars, as far as that is known.
    pub fn spent_usd(&self) -> f64 {
        // Where nothing was paid the sum is 0, and not the -0 that an empty sum of floats is.
        self.paid()
            .filter_map(|paid| paid.cost_usd)
            .filter(|cost| is_amount(*cost))
            .fold(0.0, |sum, cost| sum + cost)
    }

    /// Returns what this attempt alone has cost with the drafts that lost: tokens and US dollars, each absent if of none
    /// of them anything is known.
    pub fn paid_now(&self) -> (Option<Usage>, Option<f64>) {
        let now = || self.paid().filter(|paid| paid.role != Role::Earlier && paid.attempt == self.attempt);
        let usage = now().filter_map(|paid| paid.usage).reduce(Usage::plus);
        (usage, now().filter_map(|paid| paid.cost_usd).reduce(|sum, cost| sum + cost))
    }
}

fn lost(rival: &Rival, attempt: u32) -> Paid<'_> {
    Paid {
        role: Role::Rival,
        attempt,
        tier: rival.tier,
        backend: rival.backend.as_deref(),
        model: rival.model.as_deref(),
        status: rival.status,
        usage: rival.usage,
        cost_usd: rival.cost_usd,
        elapsed_ms: rival.elapsed_ms,
    }
}

impl Usage {
    /// Returns both together. A total stops at the largest number.
    #[must_use]
    pub fn plus(self, other: Usage) -> Usage {
        Usage {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cache_read_tokens: self.cache_read_tokens.saturating_add(other.cache_read_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_add(other.cache_write_tokens),
            cache_write_1h_tokens: self.cache_write_1h_tokens.saturating_add(other.cache_write_1h_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
            requests: self.requests.saturating_add(other.requests),
            untold_requests: self.untold_requests.saturating_add(other.untold_requests),
        }
    }
}

/// The money in a `dispatch` section, whatever else is in it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Costs {
    cost_usd: Option<f64>,
    earlier: Vec<Costs>,
    rivals: Vec<Costs>,
}

impl Costs {
    /// Returns what all attempts have cost in US dollars, with all drafts that lost.
    pub fn total(&self) -> f64 {
        let others = self.earlier.iter().chain(&self.rivals).map(Costs::total);
        others.chain(self.cost_usd).fold(0.0, |sum, cost| sum + cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RACED: &str = r#"{"attempt":2,"status":"ok","executor":"explore","tier":2,"cost_usd":1,
        "usage":{"input_tokens":5,"output_tokens":1,"requests":1},
        "rivals":[{"tier":2,"status":"cancelled","cost_usd":2,"elapsed_ms":1,"usage":{"input_tokens":7,"output_tokens":0}},
                  {"tier":3,"status":"failed","elapsed_ms":1}],
        "earlier":[{"attempt":1,"tier":1,"status":"ok","cost_usd":4,"elapsed_ms":3,
                    "rivals":[{"tier":1,"status":"ok","cost_usd":8,"elapsed_ms":2}]}]}"#;

    #[test]
    fn every_draft_of_every_attempt_is_paid() {
        let dispatch: Dispatch = serde_json::from_str(RACED).unwrap();
        let paid: Vec<_> = dispatch.paid().map(|paid| (paid.attempt, paid.role, paid.cost_usd)).collect();
        let expected = [
            (1, Role::Earlier, Some(4.0)),
            (1, Role::Rival, Some(8.0)),
            (2, Role::Current, Some(1.0)),
            (2, Role::Rival, Some(2.0)),
            (2, Role::Rival, None),
        ];
        assert_eq!(paid, expected);
        assert_eq!(dispatch.spent_usd(), 15.0);
        let costs: Costs = serde_json::from_str(RACED).unwrap();
        assert_eq!(costs.total(), dispatch.spent_usd());
        let (usage, cost) = dispatch.paid_now();
        assert_eq!((usage.unwrap().input_tokens, cost), (12, Some(3.0)));
    }

    #[test]
    fn what_is_no_amount_is_not_counted() {
        let dispatch =
            RACED.replace("\"cost_usd\":8", "\"cost_usd\":-8").replace("\"cost_usd\":2", "\"cost_usd\":1e9");
        assert_eq!(serde_json::from_str::<Dispatch>(&dispatch).unwrap().spent_usd(), 5.0);
    }
}
