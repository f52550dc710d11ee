//! The arithmetic of drafts (seed 000 §1.5): what each way to do a task is expected to cost, in whatever unit comes in.
//!
//! Costs are net: a rejected draft and its check are paid as well as what replaces them.

/// Returns the expected cost of a draft that is checked, and done by the strong tier if it is rejected.
///
/// draft + check + (1 − acceptance) · strong
pub(crate) fn cheap_then_verify(draft: f64, check: f64, acceptance: f64, strong: f64) -> f64 {
    draft + check + (1.0 - acceptance) * strong
}

/// Returns the expected cost of a draft that nobody checks.
///
/// What is wrong with it is found later: the strong tier does it again, and until then it has done harm, here `miss`
/// times the price of doing it again. draft + (1 − acceptance) · (1 + miss) · strong
pub(crate) fn direct_cheap(draft: f64, acceptance: f64, strong: f64, miss: f64) -> f64 {
    draft + (1.0 - acceptance) * (1.0 + miss) * strong
}

/// Returns the acceptance below which a checked draft costs more than the strong tier at once.
///
/// (draft + check) / strong
pub(crate) fn break_even(draft: f64, check: f64, strong: f64) -> f64 {
    (draft + check) / strong
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The share of tasks of each tier, and the share of the drafts of the lower two that are rejected.
    const MIX: [f64; 3] = [0.5, 0.3, 0.2];
    const REJECTED: [f64; 2] = [0.125, 0.075];

    /// Returns the cost of the mix, where prices are relative to the strong tier's.
    fn blended(prices: [f64; 3], rejected: [f64; 2]) -> f64 {
        let drafted = |tier: usize| cheap_then_verify(prices[tier], 0.0, 1.0 - rejected[tier], prices[2]);
        MIX[0] * drafted(0) + MIX[1] * drafted(1) + MIX[2] * prices[2]
    }

    fn near(value: f64, expected: f64, digits: i32) {
        assert!((value - expected).abs() <= 0.5 * 10f64.powi(-digits), "{value} is not {expected}");
    }

    #[test]
    fn the_mix_of_seed_000_costs_what_its_arithmetic_says() {
        for (prices, cost, saving, with_reruns, saving_with_reruns) in [
            ([1.0 / 30.0, 5.0 / 30.0, 1.0], 0.2667, 0.733, 0.3517, 0.648),
            ([0.2, 0.6, 1.0], 0.48, 0.52, 0.565, 0.435),
            ([1.0 / 15.0, 0.2, 1.0], 0.2933, 0.707, 0.3783, 0.622),
        ] {
            near(blended(prices, [0.0, 0.0]), cost, 4);
            near(1.0 - blended(prices, [0.0, 0.0]), saving, 3);
            near(blended(prices, REJECTED), with_reruns, 4);
            near(1.0 - blended(prices, REJECTED), saving_with_reruns, 3);
        }
    }

    #[test]
    fn time_adds_up_as_money_does() {
        // Relative speeds 10, 3 and 1.
        let times = [0.1, 1.0 / 3.0, 1.0];
        near(1.0 / blended(times, [0.0, 0.0]), 2.857, 3);
        near(1.0 / blended(times, REJECTED), 2.30, 2);
    }

    #[test]
    fn drafts_break_even_where_seed_000_says() {
        // The check is a tenth of the target.
        for (draft, expected) in [(1.0 / 30.0, 0.133), (0.2, 0.30), (5.0 / 30.0, 0.267), (0.6, 0.70)] {
            near(break_even(draft, 0.1, 1.0), expected, 3);
        }
    }

    /// Tokens for each call of the target model when `ahead` are drafted, each accepted with this probability: the
    /// theory of speculative decoding that the loop over tasks takes its name from.
    fn tokens_per_call(acceptance: f64, ahead: i32) -> f64 {
        (1.0 - acceptance.powi(ahead + 1)) / (1.0 - acceptance)
    }

    #[test]
    fn tokens_are_accepted_as_theory_says() {
        for (acceptance, expected) in [(0.7, 2.7731), (0.8, 3.3616), (0.9, 4.0951)] {
            near(tokens_per_call(acceptance, 4), expected, 4);
        }
    }

    proptest! {
        #[test]
        fn a_higher_acceptance_never_costs_more(
            draft in 0.0f64..10.0, check in 0.0f64..1.0, strong in 0.01f64..10.0, miss in 0.0f64..20.0,
            acceptance in 0.0f64..=1.0, more in 0.0f64..=1.0,
        ) {
            let better = acceptance + (1.0 - acceptance) * more;
            prop_assert!(cheap_then_verify(draft, check, better, strong) <= cheap_then_verify(draft, check, acceptance, strong));
            prop_assert!(direct_cheap(draft, better, strong, miss) <= direct_cheap(draft, acceptance, strong, miss));
        }

        #[test]
        fn a_dearer_draft_is_never_more_attractive(
            draft in 0.0f64..10.0, dearer in 0.0f64..10.0, check in 0.0f64..1.0, strong in 0.01f64..10.0,
            acceptance in 0.0f64..=1.0,
        ) {
            let cost = |draft: f64| cheap_then_verify(draft, check, acceptance, strong);
            prop_assert!(cost(draft) <= cost(draft + dearer));
            prop_assert!(break_even(draft, check, strong) <= break_even(draft + dearer, check, strong));
        }

        #[test]
        fn a_draft_pays_just_if_its_acceptance_is_above_break_even(
            draft in 0.0f64..2.0, check in 0.0f64..1.0, strong in 0.01f64..2.0, acceptance in 0.0f64..=1.0,
        ) {
            let margin = acceptance - break_even(draft, check, strong);
            prop_assume!(margin.abs() > 1e-9);
            prop_assert_eq!(cheap_then_verify(draft, check, acceptance, strong) < strong, margin > 0.0);
        }
    }
}
