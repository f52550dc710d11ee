//! The report for people.

use std::time::Duration;

use shared::units::format_duration;

use super::tally::Report;

/// Returns the table, a line for each number that is not nothing.
pub(super) fn render(report: &Report) -> String {
    let mut rows: Vec<(&str, String, String)> = Vec::new();
    rows.push(("tasks", grouped(report.tasks), String::new()));
    let mut state = |name: &'static str, number: u64, remark: String| {
        if number > 0 || name == "  accepted" {
            rows.push((name, grouped(number), remark));
        }
    };
    state("  accepted", report.accepted, by_tier(report));
    state("  unverifiable", report.unverifiable, "no evidence either way".to_owned());
    state("  to fix", report.fix, "waiting for another attempt".to_owned());
    state("  to escalate", report.escalate, "waiting for another attempt".to_owned());
    state("  blocked", report.blocked, "a person has to act".to_owned());
    state("  not judged", report.not_judged, String::new());
    state("  with errors", report.errors, "could not be processed".to_owned());
    rows.push((
        "escalated",
        grouped(report.escalated),
        match report.escalated {
            0 => String::new(),
            _ => format!("{} of them accepted on a higher tier", grouped(report.escalated_and_accepted)),
        },
    ));
    let mut rejected = format!("{} rejected", grouped(report.rejected_attempts));
    if report.rivals > 0 {
        rejected.push_str(&format!("; besides, {} drafts lost a race", grouped(report.rivals)));
    }
    rows.push(("attempts", grouped(report.attempts), rejected));
    let tokens = report.tokens;
    let all = tokens.input_tokens.saturating_add(tokens.cached_tokens).saturating_add(tokens.output_tokens);
    rows.push((
        "tokens",
        grouped(all),
        match all {
            0 => "none were counted".to_owned(),
            _ => format!(
                "{} in, {} cached, {} out",
                grouped(tokens.input_tokens),
                grouped(tokens.cached_tokens),
                grouped(tokens.output_tokens)
            ),
        },
    ));
    rows.push(("cost", dollars(report.cost_usd), cost_remark(report)));
    let elapsed = format_duration(Duration::from_millis(report.elapsed_ms));
    rows.push(("time", elapsed, "of work, all attempts together".to_owned()));

    let name = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    let number = rows.iter().map(|row| row.1.chars().count()).max().unwrap_or(0);
    let line = |(label, value, remark): (&str, String, String)| {
        format!("{label:name$}  {value:>number$}  {remark}").trim_end().to_owned()
    };
    rows.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn by_tier(report: &Report) -> String {
    let tiers = report.accepted_by_tier.iter().map(|(tier, number)| match tier {
        0 => format!("{} without a model", grouped(*number)),
        tier => format!("{} on tier {tier}", grouped(*number)),
    });
    tiers.collect::<Vec<_>>().join(", ")
}

fn cost_remark(report: &Report) -> String {
    let mut parts = Vec::new();
    if report.rejected_cost_usd > 0.0 {
        parts.push(format!("{} of it for rejected drafts", dollars(report.rejected_cost_usd)));
    }
    if report.rivals_cost_usd > 0.0 {
        parts.push(format!("{} of it for drafts that lost", dollars(report.rivals_cost_usd)));
    }
    if report.verify_cost_usd > 0.0 {
        parts.push(format!("{} of it for judging", dollars(report.verify_cost_usd)));
    }
    if report.classify_cost_usd > 0.0 {
        parts.push(format!("{} of it for classifying", dollars(report.classify_cost_usd)));
    }
    if report.unpriced_attempts > 0 {
        parts.push(format!("the price of {} attempts is not known", grouped(report.unpriced_attempts)));
    }
    parts.join("; ")
}

fn dollars(amount: f64) -> String {
    if amount == 0.0 || amount >= 100.0 { format!("${amount:.2}") } else { format!("${amount:.4}") }
}

/// Returns a number with a comma before each group of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
