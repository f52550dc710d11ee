//! What holds for every task and every price.

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;
use shared::price::Table;
use shared::section::Task;

use super::*;
use crate::decide::{self, Router};
use crate::effort::usual_turn;
use crate::reckon::{CachedTokens, Reckoner};

/// Returns a table with a price for each tier, in dollars per million tokens of input; output costs five times as much.
fn models(prices: [f64; 3]) -> Models {
    let mut text = "date = \"2026-11-20\"\n".to_owned();
    for (at, price) in prices.iter().enumerate() {
        let tier = at + 1;
        writeln!(text, "[[model]]\nname = \"m{tier}\"\ninput = {price}\noutput = {}\n", price * 5.0).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prices.toml");
    std::fs::write(&path, text).unwrap();
    let names = [1, 2, 3].map(|tier| Some(format!("m{tier}")));
    let (models, unpriced) = Models::priced(names, &Table::load(&path).unwrap());
    assert_eq!(unpriced, []);
    models
}

fn economy(prices: [f64; 3], mode: Mode) -> Economy {
    Economy { models: models(prices), mode, check_share: CHECK_SHARE, min_evidence: 20.0 }
}

fn reckoner(prices: [f64; 3], mode: Mode, cached: Option<CachedTokens>) -> Reckoner {
    Reckoner { economy: Some(economy(prices, mode)), cached, tokens_per_turn: [None; 3], spend: None }
}

fn decide(text: &str, reckoner: &Reckoner, mode: Mode, max_tier: Option<u8>) -> Classify {
    let max_tier = max_tier.map(|tier| tier.try_into().unwrap());
    let task = Task { text: text.to_owned(), max_tier, ..Task::default() };
    let decided = decide::decide(Router { mode, ..Router::default() }, &task).unwrap();
    reckoner.settle(&task, Some("a"), decided)
}

const MODES: [Mode; 3] = [Mode::Conservative, Mode::Balanced, Mode::Aggressive];

#[test]
fn a_draft_past_break_even_is_not_made_and_the_reason_has_the_arithmetic() {
    // Tier 2 at nine tenths of the price: 0.9 + 0.1 + 0.075 is more than 1.
    let decision = decide(
        "add pagination to the list of users",
        &reckoner([1.0, 9.0, 10.0], Mode::Balanced, None),
        Mode::Balanced,
        None,
    );
    assert_eq!(decision.tier, Tier::THREE, "{decision:#?}");
    let reason = decision.reasons.last().unwrap();
    assert!(reason.starts_with("draft $") && reason.contains(" + check $"), "{reason}");
    assert!(reason.contains(" + 0.075 × $") && reason.contains("is dearer than $"), "{reason}");
    assert!(reason.ends_with("(acceptance 0.925 expected, break-even 1) → tier 3"), "{reason}");
    let economics = decision.economics.unwrap();
    assert_eq!(economics.plan, Plan::DirectStrong);
    assert!(economics.direct_strong_usd < economics.cheap_then_verify_usd.unwrap());
    assert_eq!(economics.draft.as_ref().map(|draft| (draft.tier, draft.break_even)), Some((Tier::TWO, 1.0)));
    assert_eq!(decision.confidence, decision.scores.three);
    assert_eq!(decision.effort.unwrap().model.as_deref(), Some("m3"));
}

#[test]
fn seed_000_s_prices_leave_its_drafts_where_they_are() {
    // 1 : 5 : 30, and the corrected 1 : 3 : 5.
    for prices in [[1.0, 5.0, 30.0], [1.0, 3.0, 5.0]] {
        for mode in MODES {
            let reckoner = reckoner(prices, mode, None);
            let decision = decide("add pagination to the list of users", &reckoner, mode, None);
            assert_eq!((decision.tier, decision.economics.unwrap().plan), (Tier::TWO, Plan::CheapThenVerify));
            let decision = decide("run the tests", &reckoner, mode, None);
            assert_eq!(decision.tier, Tier::ONE);
        }
    }
    let economics =
        decide("add pagination", &reckoner([1.0, 3.0, 5.0], Mode::Balanced, None), Mode::Balanced, None)
            .economics;
    assert_eq!(economics.unwrap().draft.unwrap().break_even, 0.7);
}

#[test]
fn what_the_task_allows_is_not_overruled_by_prices() {
    let reckoner = reckoner([9.9, 9.9, 10.0], Mode::Balanced, None);
    let decision = decide("run the tests", &reckoner, Mode::Balanced, Some(2));
    assert_eq!(decision.tier, Tier::ONE);
    assert_ne!(decision.economics.unwrap().plan, Plan::DirectStrong);
}

#[test]
fn a_prefix_in_the_cache_of_the_strong_tier_speaks_against_a_switch() {
    let at = |cached| {
        decide("run the tests", &reckoner([1.0, 3.0, 5.0], Mode::Balanced, cached), Mode::Balanced, None)
    };
    let cheap =
        |decision: &Classify| decision.economics.as_ref().unwrap().draft.as_ref().map(|draft| draft.cost_usd);
    let (without, elsewhere) = (at(None), at(Some(CachedTokens { tokens: 100_000, tier: 3 })));
    assert!(cheap(&without) < cheap(&elsewhere), "{without:#?} {elsewhere:#?}");
}

#[test]
fn a_command_that_is_given_costs_nothing() {
    let task = Task { text: "build".to_owned(), run: Some(vec!["make".to_owned()]), ..Task::default() };
    let decided = decide::decide(Router::default(), &task).unwrap();
    let decision = reckoner([1.0, 3.0, 5.0], Mode::Balanced, None).settle(&task, Some("a"), decided);
    assert_eq!(decision.economics, None);
    let effort = decision.effort.unwrap();
    assert_eq!((effort.tokens.high, effort.cost_usd.unwrap().high), (0, 0.0));
}

/// Texts of all tiers, some in doubt and some that are risky or have parts.
fn text() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "run the tests",
        "find all files importing serde_json",
        "fix the typo in the title",
        "frobnicate the quux",
        "add pagination to the list of users",
        "is it good?",
        "bump serde to 1.0.200",
        "Refactor the payment module and update the docs",
        "fix the race condition in checkout",
        "delete the users table on production",
        "переписать модуль оплаты",
        "design the architecture of a multi-tenant store",
        "look into the thing",
    ])
    .prop_map(str::to_owned)
}

/// Prices from the cheapest to the dearest tier; sometimes a tier costs nearly as much as the next.
fn prices() -> impl Strategy<Value = [f64; 3]> {
    (0.01f64..1.0, 0.01f64..1.0, 0.1f64..100.0).prop_map(|(a, b, strong)| {
        let middle = strong * b;
        [middle * a, middle, strong]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_chosen_plan_is_the_cheapest_of_the_three(text in text(), prices in prices(), mode in 0usize..3) {
        let economics = decide(&text, &reckoner(prices, MODES[mode], None), MODES[mode], None).economics.unwrap();
        let ways = BTreeMap::from([
            (Plan::DirectStrong, Some(economics.direct_strong_usd)),
            (Plan::DirectCheap, economics.direct_cheap_usd),
            (Plan::CheapThenVerify, economics.cheap_then_verify_usd),
        ]);
        let chosen = ways[&economics.plan].unwrap();
        // What is written is rounded to three digits.
        prop_assert!(ways.values().flatten().all(|other| chosen <= other * 1.01), "{:?}", economics);
    }

    #[test]
    fn a_more_careful_mode_never_gives_a_lower_tier(
        text in text(), prices in prices(), cached in proptest::option::of((0u64..200_000, 1u8..=3)),
    ) {
        let cached = cached.map(|(tokens, tier)| CachedTokens { tokens, tier });
        let [careful, usual, bold] = MODES.map(|mode| decide(&text, &reckoner(prices, mode, cached), mode, None));
        prop_assert!(careful.tier >= usual.tier && usual.tier >= bold.tier, "{:?} {:?} {:?}", careful, usual, bold);
        let parts = |more: &Classify, less: &Classify| {
            more.parts.iter().zip(&less.parts).all(|(more, less)| more.tier >= less.tier)
        };
        prop_assert!(parts(&careful, &usual) && parts(&usual, &bold), "{:?} {:?} {:?}", careful, usual, bold);
    }

    #[test]
    fn a_dearer_draft_is_never_made_where_a_cheaper_one_was_not(
        prices in prices(), dearer in 1.0f64..3.0, tier in 1u8..3, mode in 0usize..3, miss in 0.0f64..10.0,
    ) {
        let work = Work::new(7.5, usual_turn("implement"), 100);
        let mut more = prices;
        more[usize::from(tier) - 1] *= dearer;
        let ways = |prices| {
            let economy = economy(prices, MODES[mode]);
            let drafts = Draft { acceptance: [1, 2, 3].map(Acceptance::usual), miss };
            economy.ways(&economy.costs(&work), tier, &drafts).unwrap()
        };
        let (cheap, dear) = (ways(prices), ways(more));
        prop_assert!(cheap.cheap_then_verify <= dear.cheap_then_verify && cheap.direct_cheap <= dear.direct_cheap);
        prop_assert!(cheap.cheapest() != Plan::DirectStrong || dear.cheapest() == Plan::DirectStrong);
    }

    #[test]
    fn no_cascade_is_made_past_break_even(text in text(), prices in prices(), mode in 0usize..3) {
        let decision = decide(&text, &reckoner(prices, MODES[mode], None), MODES[mode], None);
        let economics = decision.economics.unwrap();
        if economics.plan == Plan::CheapThenVerify {
            let draft = economics.draft.unwrap();
            prop_assert!(draft.acceptance >= draft.break_even * 0.99, "{:?}", draft);
        }
    }
}
