//! How much work a task will be: turns, tokens and money, each with an interval.
//!
//! Turns are taken to be log-normal: what agents need for one task differs by factors, not by sums. Tokens are turns times
//! the tokens of a turn, by executor. Both are priors until something was measured here; they say what they are in the README.

use shared::price::Model;
use shared::section::{Effort, Interval, Part, Usage};

/// The spread σ of the logarithm of the turns around its median: two tasks that read alike often differ by a factor of two.
#[cfg(test)]
const SPREAD: f64 = 0.8;

/// How far the tenth, the mean and the ninetieth percentile are from the median, as factors: exp(∓1.2816 σ), and exp(σ²/2),
/// because the mean of a log-normal distribution is above its median.
const FACTORS: Interval<f64> =
    Interval { low: 0.358_709_915_3, expected: 1.377_127_764_3, high: 2.787_767_935_2 };

/// About so many bytes of English or code make a token.
const BYTES_PER_TOKEN: usize = 4;

/// No task is taken to need more turns than this, whatever a prediction says.
const MOST_TURNS: f64 = 1000.0;

/// What one turn of an executor is made of, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// New in the prompt: what tools and people have said since the last turn.
    pub(crate) input: u64,
    /// The prompt so far, which a cache gives.
    pub(crate) cached: u64,
    /// The answer.
    pub(crate) output: u64,
}

impl Turn {
    /// Returns a turn of the same make with so many tokens in all.
    fn of_tokens(self, tokens: f64) -> Turn {
        let factor = tokens / (self.input + self.cached + self.output).max(1) as f64;
        let [input, cached, output] =
            [self.input, self.cached, self.output].map(|tokens| (tokens as f64 * factor).round() as u64);
        Turn { input, cached, output }
    }
}

/// Returns the median of the turns of a task's steps together, each by the geometric mean of the labels in the example corpus.
pub(crate) fn usual_turns(parts: &[Part]) -> f64 {
    let one = |tier: u8, executor: &str| match (tier, executor) {
        (..=1, "validate" | "review") => 1.0,
        (..=1, "explore") => 1.2,
        (..=1, _) => 1.6,
        (2, "review") => 4.0,
        (2, _) => 7.5,
        (_, "review") => 8.5,
        (_, "implement") => 20.0,
        (_, _) => 15.5,
    };
    parts.iter().map(|part| one(part.tier.number(), &part.executor)).sum()
}

/// Returns what a turn is made of, as far as nobody has measured it here.
///
/// Orders of magnitude of agent programs with a cached prompt: reading and running bring much in and say little.
pub(crate) fn usual_turn(executor: &str) -> Turn {
    match executor {
        "validate" => Turn { input: 1_000, cached: 5_000, output: 200 },
        "explore" => Turn { input: 1_500, cached: 6_000, output: 250 },
        "document" => Turn { input: 1_500, cached: 6_000, output: 500 },
        "review" => Turn { input: 2_500, cached: 10_000, output: 400 },
        "orchestrate" => Turn { input: 2_500, cached: 16_000, output: 700 },
        _ => Turn { input: 2_000, cached: 12_000, output: 500 },
    }
}

/// Fills in what was not measured on a tier by what was on the nearest, first the one above: tiers are compared with each other, and a
/// measurement compares badly with an expectation.
pub(crate) fn by_nearest(measured: [Option<f64>; 3]) -> [Option<f64>; 3] {
    let [one, two, three] = measured;
    [one.or(two).or(three), two.or(three).or(one), three.or(two).or(one)]
}

/// The work that a task is expected to be, on whatever tier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Work {
    turns: Interval<f64>,
    turn: Turn,
    /// The tokens of the task's own text.
    text: u64,
    /// The tokens of a prefix that is in a cache, on the tier that has it.
    prefix: Option<(u64, u8)>,
    /// The tokens of a turn on each tier, where they were measured.
    measured: [Option<f64>; 3],
}

impl Work {
    /// Expects work from the median of its turns.
    pub(crate) fn new(median_turns: f64, turn: Turn, text_bytes: usize) -> Work {
        let at = |factor: f64| (median_turns * factor).clamp(1.0, MOST_TURNS);
        Work {
            turns: Interval { low: at(FACTORS.low), expected: at(FACTORS.expected), high: at(FACTORS.high) },
            turn,
            text: text_bytes.div_ceil(BYTES_PER_TOKEN) as u64,
            prefix: None,
            measured: [None; 3],
        }
    }

    /// Says how many tokens a turn on each tier was measured to have, where it was.
    pub(crate) fn with_measured(self, tokens_per_turn: [Option<f64>; 3]) -> Work {
        Work { measured: tokens_per_turn, ..self }
    }

    /// Says that so many tokens of the prompt are in the cache of a tier's model. On any other tier they are read anew once.
    pub(crate) fn with_prefix(self, tokens: u64, tier: u8) -> Work {
        Work { prefix: Some((tokens, tier)), ..self }
    }

    /// Returns the usage of the first turn on a tier, and of every turn after it.
    fn usages(&self, tier: u8) -> (Usage, Usage) {
        let (prefix, is_warm) = match self.prefix {
            Some((tokens, warm)) => (tokens, warm == tier),
            None => (0, true),
        };
        let measured = self.measured[usize::from(tier.clamp(1, 3)) - 1];
        let Turn { input, cached, output } = measured.map_or(self.turn, |tokens| self.turn.of_tokens(tokens));
        let first = Usage {
            input_tokens: input.saturating_add(self.text),
            cache_read_tokens: if is_warm { cached.saturating_add(prefix) } else { cached },
            cache_write_tokens: if is_warm { 0 } else { prefix },
            output_tokens: output,
            ..Usage::default()
        };
        let later = Usage {
            input_tokens: input,
            cache_read_tokens: cached.saturating_add(self.text).saturating_add(prefix),
            output_tokens: output,
            ..Usage::default()
        };
        (first, later)
    }

    /// Returns what the work costs on a model of this tier, in US dollars.
    pub(crate) fn costs(&self, tier: u8, model: &Model) -> Interval<f64> {
        let (first, later) = self.usages(tier);
        let (first, later) = (model.cost(&first), model.cost(&later));
        self.over_turns(first, later)
    }

    fn over_turns(&self, first: f64, later: f64) -> Interval<f64> {
        let all = |turns: f64| first + (turns - 1.0) * later;
        let Interval { low, expected, high } = self.turns;
        Interval { low: all(low), expected: all(expected), high: all(high) }
    }

    /// Returns the work as it stands in a record, with the name and the price of a model if they are known.
    pub(crate) fn told(&self, tier: u8, priced: Option<(&str, Interval<f64>)>) -> Effort {
        let all = |usage: &Usage| {
            (usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens)
                as f64
        };
        let (first, later) = self.usages(tier);
        let tokens = self.over_turns(all(&first), all(&later));
        let rounded = |tokens: f64| significant(tokens, 2) as u64;
        let Interval { low, expected, high } = self.turns;
        Effort {
            turns: Interval {
                low: low.floor() as u32,
                expected: expected.round() as u32,
                high: high.ceil() as u32,
            },
            tokens: Interval {
                low: rounded(tokens.low),
                expected: rounded(tokens.expected),
                high: rounded(tokens.high),
            },
            cost_usd: priced.map(|(_, cost)| Interval {
                low: significant(cost.low, 3),
                expected: significant(cost.expected, 3),
                high: significant(cost.high, 3),
            }),
            model: priced.map(|(name, _)| name.to_owned()),
        }
    }
}

/// What a command that the user has given costs: no model is asked.
pub(crate) fn of_a_command() -> Effort {
    Effort {
        turns: Interval { low: 1, expected: 1, high: 1 },
        tokens: Interval::default(),
        cost_usd: Some(Interval::default()),
        model: None,
    }
}

/// Rounds to so many significant digits: nobody knows these numbers better, and a record is for reading.
pub(crate) fn significant(number: f64, digits: i32) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    // The decimal exponent from the binary one, which is at most one too low.
    let binary = (number.abs().to_bits() >> 52) as i32 - 1023;
    let mut exponent = (f64::from(binary) * std::f64::consts::LOG10_2).floor() as i32;
    if number.abs() >= power(exponent + 1) {
        exponent += 1;
    }
    let places = digits - 1 - exponent;
    // Powers of ten up to 10^22 are exact, so that the quotient is the nearest number to what is written.
    let factor = power(places.abs().min(22));
    if places >= 0 { (number * factor).round() / factor } else { (number / factor).round() * factor }
}

fn power(exponent: i32) -> f64 {
    10f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::price::Table;

    use super::*;

    const TURN: Turn = Turn { input: 1000, cached: 0, output: 100 };

    #[test]
    fn an_interval_of_eighty_percent_has_its_quantiles() {
        // The 90th percentile of the standard normal distribution.
        const NINETIETH: f64 = 1.281_551_565_544_6;
        let factors = [-NINETIETH * SPREAD, SPREAD * SPREAD / 2.0, NINETIETH * SPREAD].map(f64::exp);
        for (factor, expected) in factors.into_iter().zip([FACTORS.low, FACTORS.expected, FACTORS.high]) {
            assert!((factor - expected).abs() < 1e-9, "{factor}");
        }
        let work = Work::new(10.0, TURN, 0);
        assert!((work.turns.low - 3.587).abs() < 1e-3, "{work:?}");
        assert!((work.turns.expected - 13.771).abs() < 1e-3, "{work:?}");
        assert!((work.turns.high - 27.878).abs() < 1e-3, "{work:?}");
        let effort = work.told(1, None);
        assert_eq!(effort.turns, Interval { low: 3, expected: 14, high: 28 });
        assert_eq!(effort.tokens, Interval { low: 3900, expected: 15_000, high: 31_000 });
        assert_eq!((effort.cost_usd, effort.model), (None, None));
    }

    #[test]
    fn tokens_are_paid_where_they_are_new_and_where_they_are_read_again() {
        let table = Table::built_in();
        let model = table.model("claude-opus-5-5").unwrap();
        let fixed = |work: Work| Work { turns: Interval { low: 1.0, expected: 3.0, high: 3.0 }, ..work };
        // 3 × (1000 × 4 + 100 × 20) = 18000 millionths, and 500 tokens of text: 500 × 4 + 2 × 500 × 0.2 = 2200
        let work = fixed(Work::new(1.0, TURN, 2000));
        assert!(
            (work.costs(3, &model).expected - 0.0202).abs() < 1e-12,
            "{}",
            work.costs(3, &model).expected
        );
        // 10000 tokens that are in its cache: 3 × 10000 × 0.2 = 6000 more
        let warm = work.with_prefix(10_000, 3);
        assert!(
            (warm.costs(3, &model).expected - 0.0262).abs() < 1e-12,
            "{}",
            warm.costs(3, &model).expected
        );
        // … and in the cache of another: written once, 10000 × 5, and read twice
        let cold = work.with_prefix(10_000, 1);
        assert!(
            (cold.costs(3, &model).expected - 0.0742).abs() < 1e-12,
            "{}",
            cold.costs(3, &model).expected
        );
    }

    #[test]
    fn a_turn_that_was_measured_has_the_tokens_it_had() {
        let work = Work::new(10.0, TURN, 0).with_measured([None, Some(2200.0), None]);
        let tokens = |tier| work.told(tier, None).tokens.expected;
        assert_eq!((tokens(1), tokens(2), tokens(3)), (15_000, 30_000, 15_000));
        assert_eq!(by_nearest([None, Some(2.0), None]), [Some(2.0); 3]);
        assert_eq!(by_nearest([Some(1.0), None, Some(3.0)]), [Some(1.0), Some(3.0), Some(3.0)]);
        assert_eq!(by_nearest([None; 3]), [None; 3]);
        assert_eq!(TURN.of_tokens(2200.0), Turn { input: 2000, cached: 0, output: 200 });
    }

    #[test]
    fn numbers_are_rounded_to_what_is_worth_reading() {
        for (number, digits, expected) in [
            (0.0, 3, 0.0),
            (0.0123456, 3, 0.0123),
            (123_456.0, 2, 120_000.0),
            (99_950.0, 2, 100_000.0),
            (1.0, 2, 1.0),
            (1e-30, 2, 0.0),
        ] {
            assert_eq!(significant(number, digits), expected, "{number}");
        }
        assert_eq!(format!("{}", significant(0.1 + 0.2, 3)), "0.3");
    }

    proptest! {
        #[test]
        fn bounds_are_in_order_and_longer_work_is_no_cheaper(
            median in 0.1f64..3000.0, more in 1.0f64..3.0, text in 0usize..3_000_000, prefix in 0u64..300_000,
        ) {
            let table = Table::built_in();
            let model = table.model("claude-haiku-5-5").unwrap();
            let work = |median: f64| Work::new(median, usual_turn("implement"), text).with_prefix(prefix, 3);
            let effort = work(median).told(1, Some(("claude-haiku-5-5", work(median).costs(1, &model))));
            let cost = effort.cost_usd.unwrap();
            prop_assert!(1 <= effort.turns.low && effort.turns.low <= effort.turns.expected);
            prop_assert!(effort.turns.expected <= effort.turns.high);
            prop_assert!(effort.tokens.low <= effort.tokens.expected && effort.tokens.expected <= effort.tokens.high);
            prop_assert!(0.0 < cost.low && cost.low <= cost.expected && cost.expected <= cost.high);
            prop_assert!(work(median).costs(1, &model).expected <= work(median * more).costs(1, &model).expected);
        }
    }
}
