//! A calibration as a table for people.

use std::fmt::Write;

use super::counts::{DELEGATION, Shift};
use super::file::{Cell, File, Quantiles};
use super::percent;

/// Writes what was learned, and what is different from before.
pub(super) fn render(file: &File, before: Option<&File>) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let share = |value: f64| format!("{:.1}", value * 100.0);
    let delegation = file.delegation;
    let _ = writeln!(
        text,
        "{} tasks with a verdict · delegated {} % [{}, {}], wanted {:.0} to {:.0} %",
        file.tasks,
        share(delegation.share),
        share(delegation.low),
        share(delegation.high),
        DELEGATION.0 * 100.0,
        DELEGATION.1 * 100.0,
    );
    let _ = writeln!(
        text,
        "\n{:<24}{:>7}{:>12}  {:<15}{:<15}{:<26}borderline",
        "tier", "n", "rejected %", "wilson 95 %", "exact 95 %", "zone"
    );
    for (number, tier) in &file.tiers {
        let _ = writeln!(text, "{}", row(&number.to_string(), &tier.cell, file.min_evidence));
        for (signature, cell) in &tier.signatures {
            let _ = writeln!(text, "{}", row(&format!("  {signature}"), cell, file.min_evidence));
        }
    }
    let _ = writeln!(text);
    for (number, tier) in &file.tiers {
        if let Some(model) = &tier.model {
            let _ = writeln!(
                text,
                "outcome model of tier {number}: {} drafts, {} rejected · AUROC {:.3} on tasks left out",
                model.n, model.rejected, model.auroc
            );
        } else if *number > 0 {
            let _ = writeln!(
                text,
                "outcome model of tier {number}: none; the verdicts are too few, or the texts do not tell"
            );
        }
        let effort = [
            ("turns", tier.effort.turns, 1.0),
            ("tokens", tier.effort.tokens, 1.0),
            ("$", tier.effort.cost_usd, 1.0),
            ("s", tier.effort.elapsed_ms, 0.001),
        ];
        let told: Vec<String> = effort
            .into_iter()
            .filter_map(|(unit, quantiles, scale)| Some(interval(quantiles?, unit, scale)))
            .collect();
        if !told.is_empty() {
            let _ = writeln!(text, "effort on tier {number} (median, middle 80 %): {}", told.join(" · "));
        }
    }
    if let Some(promise) = &file.promise {
        let _ = writeln!(text);
        match (promise.threshold, promise.bound) {
            (Some(threshold), Some(bound)) => {
                let _ = writeln!(
                    text,
                    "promise: with {} confidence, at most {} of all tasks are drafted on tier {} and rejected",
                    percent(promise.confidence),
                    percent(promise.max_bad_accept),
                    promise.tier
                );
                let _ = writeln!(
                    text,
                    "  tasks with an acceptance of {threshold} or more are delegated: {} % of {} · bound {} %",
                    share(promise.delegated),
                    promise.n,
                    share(bound)
                );
            }
            _ => {
                let _ = writeln!(text, "promise: refused; {}", refusal(file));
            }
        }
    }
    if let Some(before) = before {
        changes(file, before, &mut text);
    }
    text
}

fn row(name: &str, cell: &Cell, min: f64) -> String {
    let bounds = |of: [f64; 2]| format!("[{:.1}, {:.1}]", of[0] * 100.0, of[1] * 100.0);
    let borderline = match cell.shift {
        Shift::Up => "go up a tier",
        Shift::Down => "more are delegated",
        Shift::Stay if cell.counts.n() < min => "stay (too few verdicts)",
        Shift::Stay => "stay",
    };
    format!(
        "{name:<24}{:>7}{:>12.1}  {:<15}{:<15}{:<26}{borderline}",
        cell.n,
        cell.rejection.share * 100.0,
        bounds(cell.rejection.wilson),
        bounds(cell.rejection.exact),
        cell.zone.words(),
    )
}

fn interval(quantiles: Quantiles, unit: &str, scale: f64) -> String {
    let number = |value: f64| {
        let value = value * scale;
        if value == 0.0 || value.abs() >= 100.0 {
            format!("{value:.0}")
        } else if value.abs() >= 1.0 {
            format!("{value:.1}")
        } else {
            format!("{value:.4}")
        }
    };
    let [low, middle, high] = [quantiles.p10, quantiles.p50, quantiles.p90].map(number);
    if unit == "$" {
        format!("${middle} [{low}, {high}]")
    } else {
        format!("{middle} [{low}, {high}] {unit}")
    }
}

/// Says why nothing was promised, and what follows.
pub(super) fn refusal(file: &File) -> String {
    let Some(promise) = &file.promise else { return String::new() };
    let tier = promise.tier;
    match promise.missing {
        Some(missing) => format!(
            "{} records are too few, {missing} more are needed; until then no task is drafted on tier {tier}",
            promise.n
        ),
        None => format!(
            "no threshold keeps it with {} records, the best scores among them were rejected; no task is drafted on tier {tier}",
            promise.n
        ),
    }
}

fn changes(file: &File, before: &File, text: &mut String) {
    for (number, tier) in &file.tiers {
        let Some(known) = before.tiers.get(number) else { continue };
        let words = |shift| match shift {
            Shift::Up => "go up",
            Shift::Stay => "stay",
            Shift::Down => "are delegated",
        };
        if known.cell.shift != tier.cell.shift {
            let _ = writeln!(
                text,
                "changed: borderline tasks of tier {number} {} (before: they {})",
                words(tier.cell.shift),
                words(known.cell.shift)
            );
        }
    }
    let threshold = |file: &File| file.promise.as_ref().and_then(|promise| promise.threshold);
    if threshold(file) != threshold(before) {
        let told = |threshold: Option<f64>| threshold.map_or("none".to_owned(), |value| value.to_string());
        let _ = writeln!(
            text,
            "changed: threshold of the promise {} (before: {})",
            told(threshold(file)),
            told(threshold(before))
        );
    }
}
