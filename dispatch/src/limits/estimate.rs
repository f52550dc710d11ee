//! What an attempt will take, before it has started: by the best evidence that there is.
//!
//! In this order: what the user has said that an attempt costs (`attempt_usd`), what `classify` expects of the work, what such
//! attempts have taken in this run, and for a single question to a model the length of its prompt and the longest answer that
//! it may have. An agent program of which nothing is known may take anything: it gets all that is left, and others wait,
//! until [`ENOUGH`] attempts have shown what they take.
//!
//! Where nobody can say what an attempt costs, before or after it, a budget of money can not hold it. That is not the
//! price zero: missing evidence is never a pass, so under such a budget it is not started at all.

use std::collections::HashMap;

use shared::price::Table;
use shared::section::{Effort, Interval, Tier, Usage};

use super::amount::{Amount, nanos, tokens};
use super::purse::Need;
use crate::incoming::is_amount;

/// How many attempts make a mean that is worth more than a guess.
const ENOUGH: u64 = 3;

/// About so many bytes of English or code make a token.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;

/// What an answer is taken to have at least, if nobody knows.
const USUAL_ANSWER: u64 = 1000;

/// What an answer may have if no limit is configured: what is asked for where an API requires one.
pub(crate) const LONGEST_ANSWER: u64 = 16_384;

/// How a backend charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charge {
    /// Nothing: no model is asked.
    Free,
    /// What its answers were recorded with.
    Recorded,
    /// For a question that is asked over the wire, by its tokens.
    Question,
    /// For as many questions as an agent program asks; `tells` if it says itself what that cost.
    Agent { tells: bool },
    /// In ways that are known to its owner only.
    Unknown,
}

/// An attempt that is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) charge: Charge,
    /// What the user has said that an attempt costs, in US dollars.
    pub(crate) attempt_usd: Option<f64>,
    pub(crate) lane: usize,
    pub(crate) tier: Tier,
    pub(crate) executor: &'a str,
    pub(crate) model: Option<&'a str>,
    pub(crate) effort: Option<&'a Effort>,
    /// The length of all that is sent first, in bytes.
    pub(crate) prompt: u64,
    pub(crate) max_output_tokens: Option<u32>,
}

/// What an attempt is expected to take. What nobody can say, before or after, is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) nanos: Option<Range>,
    pub(crate) tokens: Option<Range>,
}

/// What it takes at least to be worth a start, what is expected, and what is not expected to be exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) least: u64,
    pub(crate) expected: u64,
    pub(crate) most: u64,
}

impl Range {
    fn exactly(amount: u64) -> Range {
        Range { least: amount, expected: amount, most: amount }
    }

    /// It is in the recording, and may be something.
    const SOMETHING: Range = Range { least: 0, expected: 0, most: 1 };

    /// It may be anything, and is not nothing.
    const ANYTHING: Range = Range { least: 1, expected: 0, most: u64::MAX };

    /// Tells whether it says something.
    pub(crate) fn is_known(self) -> bool {
        self != Range::ANYTHING
    }
}

impl Estimate {
    /// Returns what is to be set aside.
    pub(crate) fn need(&self) -> Need {
        let (nanos, tokens) = (self.nanos.unwrap_or_default(), self.tokens.unwrap_or_default());
        Need {
            least: Amount { nanos: nanos.least, tokens: tokens.least },
            most: Amount { nanos: nanos.most, tokens: tokens.most },
        }
    }
}

/// What the attempts of a run have taken, by who made them.
#[derive(Debug, Default)]
pub(crate) struct Experience {
    seen: HashMap<(usize, Tier), HashMap<String, Seen>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    nanos: Series,
    tokens: Series,
}

#[derive(Clone, Copy, Debug, Default)]
struct Series {
    count: u64,
    sum: u128,
    most: u64,
}

impl Series {
    fn add(&mut self, amount: u64) {
        self.count += 1;
        self.sum += u128::from(amount);
        self.most = self.most.max(amount);
    }

    fn range(&self) -> Option<Range> {
        if self.count < ENOUGH {
            return None;
        }
        let mean = u64::try_from(self.sum / u128::from(self.count)).unwrap_or(u64::MAX);
        Some(Range { least: mean, expected: mean, most: self.most })
    }
}

impl Experience {
    /// Notes what an attempt took, as far as that is known.
    pub(crate) fn note(
        &mut self,
        (lane, tier, executor): (usize, Tier, &str),
        nanos: Option<u64>,
        tokens: Option<u64>,
    ) {
        let seen = self.seen.entry((lane, tier)).or_default();
        if !seen.contains_key(executor) {
            seen.insert(executor.to_owned(), Seen::default());
        }
        let Some(seen) = seen.get_mut(executor) else { return };
        if let Some(nanos) = nanos {
            seen.nanos.add(nanos);
        }
        if let Some(tokens) = tokens {
            seen.tokens.add(tokens);
        }
    }

    /// Returns what an attempt is expected to take.
    pub(crate) fn estimate(&self, case: &Case, prices: &Table) -> Estimate {
        if case.charge == Charge::Free {
            let nothing = Some(Range::default());
            return Estimate { nanos: nothing, tokens: nothing };
        }
        let seen = self.seen.get(&(case.lane, case.tier)).and_then(|seen| seen.get(case.executor));
        let price = case.model.and_then(|model| prices.model(model));
        let size = Size::of(case);
        let nanos = match (case.charge, case.attempt_usd) {
            (_, Some(usd)) => Some(Range::exactly(nanos(usd))),
            _ => expected_cost(case).or_else(|| seen?.nanos.range()).or_else(|| match case.charge {
                Charge::Free | Charge::Recorded => Some(Range::SOMETHING),
                Charge::Question => price.as_ref().map(|price| size.range(|usage| nanos(price.cost(&usage)))),
                Charge::Agent { tells } => (tells || price.is_some()).then_some(Range::ANYTHING),
                Charge::Unknown => None,
            }),
        };
        let tokens = expected_tokens(case).or_else(|| seen?.tokens.range()).or_else(|| match case.charge {
            Charge::Free | Charge::Recorded => Some(Range::SOMETHING),
            Charge::Question => Some(size.range(|usage| tokens(&usage))),
            Charge::Agent { .. } => Some(Range::ANYTHING),
            Charge::Unknown => None,
        });
        Estimate { nanos, tokens }
    }
}

/// Returns the cost that `classify` expects, if that is about the same model.
fn expected_cost(case: &Case) -> Option<Range> {
    let effort =
        case.effort.filter(|effort| case.model.is_some() && effort.model.as_deref() == case.model)?;
    let Interval { low, expected, high } = effort.cost_usd?;
    let is_sound = [low, expected, high].into_iter().all(is_amount);
    is_sound.then(|| range(nanos(expected), nanos(high)))
}

fn expected_tokens(case: &Case) -> Option<Range> {
    let tokens = case.effort?.tokens;
    Some(range(tokens.expected, tokens.high))
}

fn range(expected: u64, high: u64) -> Range {
    Range { least: expected, expected, most: high.max(expected) }
}

/// The tokens of a single question, as far as they can be known before.
struct Size {
    input: u64,
    usual: u64,
    longest: u64,
}

impl Size {
    fn of(case: &Case) -> Size {
        let longest = case.max_output_tokens.map_or(LONGEST_ANSWER, u64::from);
        Size { input: case.prompt / BYTES_PER_TOKEN, usual: USUAL_ANSWER.min(longest), longest }
    }

    fn range(&self, measure: impl Fn(Usage) -> u64) -> Range {
        let usage = |output_tokens| Usage {
            input_tokens: self.input,
            output_tokens,
            requests: 1,
            ..Usage::default()
        };
        range(measure(usage(self.usual)), measure(usage(self.longest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case<'static> {
        Case {
            charge: Charge::Question,
            attempt_usd: None,
            lane: 0,
            tier: Tier::ONE,
            executor: "explore",
            model: Some("claude-haiku-5-5"),
            effort: None,
            prompt: 4000,
            max_output_tokens: Some(2000),
        }
    }

    fn effort(model: &str, cost: Interval<f64>) -> Effort {
        Effort {
            turns: Interval { low: 1, expected: 2, high: 3 },
            tokens: Interval { low: 10, expected: 20, high: 90 },
            cost_usd: Some(cost),
            model: Some(model.to_owned()),
        }
    }

    fn priced(case: &Case) -> Estimate {
        Experience::default().estimate(case, &Table::built_in())
    }

    #[test]
    fn a_question_is_bounded_by_its_prompt_and_its_longest_answer() {
        let estimate = priced(&case());
        let tokens = estimate.tokens.unwrap();
        assert_eq!((tokens.least, tokens.most), (2000, 3000));
        let cost = |output_tokens| {
            let usage = Usage { input_tokens: 1000, output_tokens, ..Usage::default() };
            nanos(Table::built_in().cost("claude-haiku-5-5", &usage).unwrap())
        };
        assert_eq!(estimate.nanos, Some(range(cost(1000), cost(2000))));
        let unlimited = priced(&Case { max_output_tokens: None, ..case() });
        assert_eq!(unlimited.tokens.unwrap().most, 1000 + LONGEST_ANSWER);
        let short = priced(&Case { max_output_tokens: Some(10), ..case() });
        assert_eq!((short.tokens.unwrap().least, short.tokens.unwrap().most), (1010, 1010));
    }

    #[test]
    fn what_classify_expects_is_believed_of_the_same_model_only() {
        let cost = Interval { low: 0.01, expected: 0.02, high: 0.05 };
        let same = effort("claude-haiku-5-5", cost);
        let estimate = priced(&Case { effort: Some(&same), ..case() });
        assert_eq!(estimate.nanos, Some(range(20_000_000, 50_000_000)));
        assert_eq!(estimate.tokens, Some(range(20, 90)));
        let other = effort("claude-opus-5-5", cost);
        assert_eq!(priced(&Case { effort: Some(&other), ..case() }).nanos, priced(&case()).nanos);
        let absurd = effort("claude-haiku-5-5", Interval { low: 0.0, expected: f64::NAN, high: -1.0 });
        assert_eq!(priced(&Case { effort: Some(&absurd), ..case() }).nanos, priced(&case()).nanos);
    }

    #[test]
    fn what_such_attempts_took_counts_once_there_are_enough() {
        let mut experience = Experience::default();
        let agent = Case { charge: Charge::Agent { tells: true }, model: None, ..case() };
        let prices = Table::default();
        for taken in [100, 200, 600] {
            assert_eq!(experience.estimate(&agent, &prices).nanos, Some(Range::ANYTHING));
            experience.note((0, Tier::ONE, "explore"), Some(taken), Some(taken / 10));
        }
        experience.note((0, Tier::ONE, "explore"), None, None);
        let estimate = experience.estimate(&agent, &prices);
        assert_eq!((estimate.nanos, estimate.tokens), (Some(range(300, 600)), Some(range(30, 60))));
        for other in [
            Case { lane: 1, ..agent },
            Case { tier: Tier::TWO, ..agent },
            Case { executor: "review", ..agent },
        ] {
            assert_eq!(experience.estimate(&other, &prices).nanos, Some(Range::ANYTHING));
        }
    }

    #[test]
    fn what_nobody_can_price_has_no_estimate() {
        for (charge, model, priceable) in [
            (Charge::Question, Some("claude-haiku-5-5"), true),
            (Charge::Question, Some("nobody-knows"), false),
            (Charge::Question, None, false),
            (Charge::Agent { tells: false }, Some("claude-haiku-5-5"), true),
            (Charge::Agent { tells: false }, None, false),
            (Charge::Agent { tells: true }, None, true),
            (Charge::Unknown, Some("claude-haiku-5-5"), false),
            (Charge::Recorded, None, true),
            (Charge::Free, None, true),
        ] {
            let case = Case { charge, model, ..case() };
            assert_eq!(priced(&case).nanos.is_some(), priceable, "{charge:?} {model:?}");
            let told = priced(&Case { attempt_usd: Some(0.5), ..case });
            let expected = if charge == Charge::Free { 0 } else { 500_000_000 };
            assert_eq!(told.nanos, Some(Range::exactly(expected)), "{charge:?} {model:?}");
        }
    }
}
