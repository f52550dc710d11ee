//! A decision in words, for the person who asks why.

use std::fmt::Write;

use shared::section::{Classify, Risk, Task};

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
    let id = id.map_or_else(String::new, |id| format!("{id}: "));
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{id}{}", shown(&task.text));
    let _ = writeln!(
        text,
        "  tier {} · {} · confidence {:.2}{doubt} · risk {risk}",
        decision.tier, decision.executor, decision.confidence
    );
    let scores = decision.scores;
    let _ = writeln!(text, "  scores: 1 {:.2} · 2 {:.2} · 3 {:.2}", scores.one, scores.two, scores.three);
    for reason in &decision.reasons {
        let _ = writeln!(text, "  - {reason}");
    }
    for (at, part) in decision.parts.iter().enumerate() {
        let after = match part.depends_on.as_slice() {
            [] => String::new(),
            needs => {
                let needs: Vec<String> = needs.iter().map(|need| (need + 1).to_string()).collect();
                format!(", after {}", needs.join(" and "))
            }
        };
        let _ =
            writeln!(text, "  {}. {} ({}{after}): {}", at + 1, part.executor, part.tier, shown(&part.text));
    }
    text
}

fn shown(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let end = line.char_indices().nth(SHOWN).map_or(line.len(), |(end, _)| end);
    let more = if end < text.trim().len() { " …" } else { "" };
    format!("{}{more}", &line[..end])
}
