//! Costs that were worked out by hand.

use crate::section::Usage;
use proptest::prelude::*;

use super::*;

fn usage(input: u64, read: u64, write: u64, write_1h: u64, output: u64) -> Usage {
    Usage {
        input_tokens: input,
        cache_read_tokens: read,
        cache_write_tokens: write,
        cache_write_1h_tokens: write_1h,
        output_tokens: output,
        ..Usage::default()
    }
}

#[test]
fn costs_are_exact() {
    let table = Table::built_in();
    for (model, usage, expected) in [
        // 234 × 0.25 + 1000 × 0.025 + 17 × 2 = 58.5 + 25 + 34 = 117.5 millionths
        ("gpt-5-mini", usage(234, 1000, 0, 0, 17), 0.0001175),
        // 1000 × 1 + 2000 × 0.1 + 4000 × 1.25 + 500 × 2 + 100 × 5 = 7700
        ("claude-haiku-4-5", usage(1000, 2000, 4000, 500, 100), 0.0077),
        // 3 × 4 + 10 × 20 = 212
        ("claude-opus-5-5", usage(3, 0, 0, 0, 10), 0.000212),
        // 100,000 in all is not above 100,000: 100000 × 0.10 + 1000 × 0.50 = 10500
        ("claude-haiku-5-5", usage(100_000, 0, 0, 0, 1000), 0.0105),
        // One more is, and the whole request costs more: 100001 × 0.50 + 1000 × 2.50 = 52500.5
        ("claude-haiku-5-5", usage(100_001, 0, 0, 0, 1000), 0.0525005),
        // The cache is part of the prompt: 1 × 0.50 + 90000 × 0.05 + 10000 × 0.625 + 10 × 1 = 10760.5
        ("claude-haiku-5-5", usage(1, 90_000, 10_000, 10, 0), 0.0107605),
        // 300000 × 20 + 100 × 75 = 6007500
        ("gpt-6-astra", usage(300_000, 0, 0, 0, 100), 6.0075),
        ("gpt-5-nano", usage(0, 1, 0, 0, 0), 0.000000005),
        ("gpt-5-nano", usage(0, 0, 0, 0, 0), 0.0),
    ] {
        assert_eq!(table.cost(model, &usage), Some(expected), "{model} {usage:?}");
    }
}

#[test]
fn a_model_that_is_not_known_has_no_price() {
    let table = Table::built_in();
    for model in
        ["", "gpt", "my-finetune", "gpt-5-mini-turbo", "azure/gpt-5-mini", "claude-haiku-4-5-preview"]
    {
        assert_eq!(table.cost(model, &usage(1, 0, 0, 0, 1)), None, "{model}");
    }
}

#[test]
fn a_model_is_known_by_every_name_it_has() {
    let table = Table::built_in();
    for (name, same) in [
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("anthropic/claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-haiku-4-5-latest", "claude-haiku-4-5"),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("openai/gpt-5-mini", "gpt-5-mini"),
        ("claude-opus-4-6-20260205", "claude-opus-5"),
        ("gpt-5.6", "gpt-5.6-sol"),
    ] {
        let cost = |name| table.cost(name, &usage(7, 11, 13, 17, 19));
        assert!(cost(name).is_some(), "{name}");
        assert_eq!(cost(name), cost(same), "{name}");
    }
}

#[test]
fn every_request_has_the_price_of_its_own_length() {
    let table = Table::built_in();
    let half = usage(60_000, 0, 0, 0, 0);
    assert_eq!(table.cost_of_requests("claude-haiku-5-5", &[half, half]), Some(0.012));
    assert_eq!(table.cost("claude-haiku-5-5", &usage(120_000, 0, 0, 0, 0)), Some(0.06));
    assert_eq!(table.cost_of_requests("claude-haiku-5-5", &[]), Some(0.0));
}

#[test]
fn a_model_that_is_gone_is_warned_of() {
    let table = Table::built_in();
    assert_eq!(table.retires("claude-sonnet-4-5-20250929"), Some("2026-11-30"));
    assert_eq!(table.warning("claude-sonnet-4-5", "2026-11-29"), None);
    assert!(table.warning("claude-sonnet-4-5", "2026-11-30").unwrap().contains("2026-11-30"));
    assert_eq!(table.warning("claude-opus-5-5", "2099-01-01"), None);
}

/// Cached input is cheaper than plain input, writing it is not, and an hour costs twice the input where it has a
/// price: what a slip of the pen in the table would break.
#[test]
fn the_built_in_table_is_plausible() {
    let table = Table::built_in();
    assert_eq!(table.date().len(), 10);
    assert!(table.models.len() > 40, "{}", table.models.len());
    for (name, model) in &table.models {
        assert!(model.levels.is_sorted_by_key(|level| level.above), "{name}");
        for Level { rates, .. } in &model.levels {
            assert!(rates.cache_read < rates.input && rates.input < rates.output, "{name}");
            assert!(rates.cache_write >= rates.input && rates.cache_write <= rates.input * 5 / 4, "{name}");
            assert!([rates.cache_write, 2 * rates.input].contains(&rates.cache_write_1h), "{name}");
        }
        for pair in model.levels.windows(2) {
            assert!(pair[0].rates.input < pair[1].rates.input, "{name}");
        }
    }
}

const LITELLM: &str = r#"{
    "sample_spec": {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0, "mode": "one of: chat, …",
        "max_input_tokens": "max input tokens, if the provider specifies it"},
    "tiered": {"input_cost_per_token": 1e-07, "output_cost_per_token": 5e-07, "mode": "chat",
        "cache_read_input_token_cost": 1e-08, "cache_creation_input_token_cost": 1.25e-07,
        "cache_creation_input_token_cost_above_1hr": 2e-07,
        "input_cost_per_token_above_100k_tokens": 5e-07, "output_cost_per_token_above_100k_tokens": 2.5e-06,
        "cache_read_input_token_cost_above_100k_tokens": 5e-08,
        "cache_creation_input_token_cost_above_100k_tokens": 6.25e-07,
        "cache_creation_input_token_cost_above_1hr_above_100k_tokens": 1e-06,
        "input_cost_per_token_above_100k_tokens_batches": 9e-01, "input_cost_per_token_batches": 5e-08,
        "deprecation_date": "2027-01-01", "supports_vision": true},
    "plain": {"input_cost_per_token": 2.5e-07, "output_cost_per_token": "2e-06", "mode": "responses",
        "cache_read_input_token_cost": 2.5e-08,
        "input_cost_per_token_above_200k_tokens": 5e-07, "cache_read_input_token_cost_above_200k_tokens": 5e-08},
    "free": {"input_cost_per_token": 0, "output_cost_per_token": 0},
    "picture": {"mode": "image_generation", "input_cost_per_token": 5e-06, "output_cost_per_token": 5e-06},
    "half": {"mode": "chat", "input_cost_per_token": 5e-06}
}"#;

#[test]
fn the_file_of_litellm_is_taken_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prices.json");
    std::fs::write(&path, LITELLM).unwrap();
    let table = Table::load(&path).unwrap();
    assert_eq!(table.date().len(), 10);
    for (model, usage, expected) in [
        ("plain", usage(234, 1000, 0, 0, 17), Some(0.0001175)),
        ("tiered", usage(100_000, 0, 0, 0, 1000), Some(0.0105)),
        ("tiered", usage(1, 90_000, 10_000, 10, 0), Some(0.0107605)),
        // No price for writing a cache: that of the input, here 1 × 0.5 + 200000 × 0.05 + 100 × 0.5 + 1 × 2 = 10052.5
        ("plain", usage(1, 200_000, 100, 0, 1), Some(0.0100525)),
        ("free", usage(1000, 0, 0, 0, 1000), Some(0.0)),
        ("picture", usage(1, 0, 0, 0, 1), None),
        ("half", usage(1, 0, 0, 0, 1), None),
        ("sample_spec", usage(1, 0, 0, 0, 1), None),
    ] {
        assert_eq!(table.cost(model, &usage), expected, "{model} {usage:?}");
    }
    assert_eq!(table.retires("tiered"), Some("2027-01-01"));
}

#[test]
fn a_table_that_makes_no_sense_is_refused_by_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prices");
    for (text, says) in [
        ("", "date"),
        ("date = \"d\"\n[[model]]\nname = \"m\"\ninput = 1\noutput = 2\ncached = 1\n", "cached"),
        ("date = \"d\"\n[[model]]\nname = \"m\"\ninput = -1\noutput = 2\n", "in `m`"),
        (
            "date = \"d\"\n[[model]]\nname = \"m\"\naliases = [\"m\"]\ninput = 1\noutput = 2\n",
            "two prices for `m`",
        ),
        ("{\"m\": {\"input_cost_per_token\": 3, \"output_cost_per_token\": 15}}", "in `m`"),
        ("{}", "no model"),
        ("{\"m\":", "no JSON"),
    ] {
        std::fs::write(&path, text).unwrap();
        let problem = Table::load(&path).unwrap_err();
        assert!(problem.full_message().contains(says), "{text}: {}", problem.full_message());
        assert!(problem.full_message().contains("prices`"), "{}", problem.full_message());
    }
    assert!(Table::load(&directory.path().join("none")).is_err());
}

proptest! {
    #[test]
    fn more_tokens_never_cost_less(
        counts in proptest::array::uniform5(0u64..400_000),
        more in proptest::array::uniform5(0u64..400_000),
    ) {
        let table = Table::built_in();
        let [a, b, c, d, e] = counts;
        let [f, g, h, i, j] = more;
        for model in ["claude-haiku-5-5", "gpt-6-astra", "claude-opus-5"] {
            let less = table.cost(model, &usage(a, b, c, d, e)).unwrap();
            let more = table.cost(model, &usage(a + f, b + g, c + h, d + i, e + j)).unwrap();
            prop_assert!(less <= more);
        }
    }
}
