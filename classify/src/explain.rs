//! A decision in words, for the person who asks why.

use std::fmt::Write;

use shared::diagnostic::printable;
use shared::section::{Classify, Expected, Interval, Plan, Risk, Task};

use crate::effort::significant;

use crate::reflection;

/// The longest beginning of a text that is shown.
const SHOWN: usize = 90;

/// Writes why a task is where it is.
pub(crate) fn explanation(id: Option<&str>, task: &Task, decision: &Classify) -> String {
    let mut text = String::new();
    let doubt = if decision.unsure { ", uncertain" } else { "" };
    let risk = match decision.risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    };
    let id = id.map_or_else(String::new, |id| format!("{}: ", printable(id)));
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{id}{}", shown(&task.text));
    let _ = writeln!(
        text,
        "  tier {} · {} · confidence {:.2}{doubt} · risk {risk}",
        decision.tier,
        printable(&decision.executor.to_string()),
        decision.confidence
    );
    let scores = decision.scores;
    let _ = writeln!(text, "  scores: 1 {:.2} · 2 {:.2} · 3 {:.2}", scores.one, scores.two, scores.three);
    if let Some(acceptance) = &decision.acceptance {
        let of = |expected: Option<Expected>| expected.map_or(0.0, |expected| expected.probability);
        let [one, two, three] = [acceptance.one, acceptance.two, acceptance.three].map(of);
        let _ = writeln!(text, "  acceptance: 1 {one:.2} · 2 {two:.2} · 3 {three:.2}");
    }
    for reason in &decision.reasons {
        let _ = writeln!(text, "  - {}", printable(reason));
    }
    for line in arithmetic(decision) {
        let _ = writeln!(text, "  {}", printable(&line));
    }
    if let Some(reflection) = &decision.reflection {
        text += &reflection::explained(reflection);
    }
    for (at, part) in decision.parts.iter().enumerate() {
        let after = match part.depends_on.as_slice() {
            [] => String::new(),
            needs => {
                let needs: Vec<String> = needs.iter().map(|need| (need + 1).to_string()).collect();
                format!(", after {}", needs.join(" and "))
            }
        };
        let executor = part.executor.to_string();
        let _ = writeln!(
            text,
            "  {}. {} ({}{after}): {}",
            at + 1,
            printable(&executor),
            part.tier,
            shown(&part.text)
        );
    }
    text
}

/// Writes what it will take and what that costs, in up to three lines.
fn arithmetic(decision: &Classify) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(effort) = &decision.effort {
        let mut line = format!(
            "effort: {} turns, {} tokens",
            told(effort.turns, |turns| turns.to_string()),
            told(effort.tokens, thousands)
        );
        if let (Some(cost), Some(model)) = (effort.cost_usd, &effort.model) {
            line.push_str(&format!(", {} on {model}", told(cost, |dollars| format!("${dollars}"))));
        }
        lines.push(line);
    }
    let Some(economics) = &decision.economics else { return lines };
    let strong = economics.direct_strong_usd;
    if let (Some(draft), Some(checked)) = (&economics.draft, economics.cheap_then_verify_usd) {
        let known = match draft.measured_on {
            0 => "expected, not measured".to_owned(),
            count => format!("measured on {count}"),
        };
        lines.push(format!(
            "price: draft ${} + check ${} + {} rejected × ${strong} = ${checked}; acceptance {} {known}, break-even {}",
            draft.cost_usd,
            draft.check_usd,
            significant(1.0 - draft.acceptance, 3),
            draft.acceptance,
            draft.break_even
        ));
    }
    let plan = match economics.plan {
        Plan::DirectStrong => "the strong tier at once",
        Plan::CheapThenVerify => "a cheap draft, then a check",
        Plan::DirectCheap => "a cheap draft; a check would cost more than it saves",
    };
    let mut ways = format!("plan: {plan}; at once on {} ${strong}", economics.strong_model);
    if let Some(checked) = economics.cheap_then_verify_usd {
        ways.push_str(&format!(", checked draft ${checked}"));
    }
    if let Some(unchecked) = economics.direct_cheap_usd {
        ways.push_str(&format!(", unchecked ${unchecked}"));
    }
    ways.push_str(&format!(" (prices of {})", economics.price_table));
    lines.push(ways);
    lines
}

/// Writes an expectation and, in brackets, its bounds.
fn told<T: Copy + PartialEq>(interval: Interval<T>, show: impl Fn(T) -> String) -> String {
    let Interval { low, expected, high } = interval;
    if low == high { show(expected) } else { format!("{} ({} to {})", show(expected), show(low), show(high)) }
}

/// Writes a number that is rounded to two digits anyway.
fn thousands(tokens: u64) -> String {
    if tokens >= 10_000 { format!("{}k", tokens / 1000) } else { tokens.to_string() }
}

fn shown(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let end = line.char_indices().nth(SHOWN).map_or(line.len(), |(end, _)| end);
    let more = if end < text.trim().len() { " …" } else { "" };
    format!("{}{more}", printable(&line[..end]))
}
