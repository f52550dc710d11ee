//! A replayed log as tables for people.

use std::fmt::Write;

use super::outcome::{Ranking, Replayed};

/// Writes the tables.
pub(super) fn render(replayed: &Replayed) -> String {
    let mut text = String::new();
    let share = |value: f64| format!("{:.1}", value * 100.0);
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "{} of {} tasks have a verdict on a draft of tier {} · {} % of these drafts were rejected · strong accepted {} %",
        replayed.drafted,
        replayed.tasks,
        replayed.tier,
        share(replayed.rejected as f64 / replayed.drafted as f64),
        share(replayed.strong_accepted)
    );
    let assumed = replayed.drafted - replayed.strong_known;
    if assumed > 0 {
        let _ = writeln!(
            text,
            "of {assumed} the log has no verdict on a stronger tier; it is taken for accepted there"
        );
    }
    if replayed.learned_from > 0 {
        let _ = writeln!(
            text,
            "the calibration has learned from {} of these tasks, so its row flatters; `learned here` has left each out",
            replayed.learned_from
        );
    }
    let _ = writeln!(text, "\n{:<14}{:>8}{:>8}{:>8}{:>8}", "ranked by", "AUROC", "APGR", "CPT50", "CPT80");
    for Ranking { score, auroc, apgr, cpt50, cpt80, .. } in &replayed.rankings {
        let number = |value: Option<f64>, places: usize| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.places$}"))
        };
        let _ = writeln!(
            text,
            "{score:<14}{:>8}{:>8}{:>8}{:>8}",
            number(*auroc, 3),
            number(*apgr, 3),
            number(*cpt50, 0),
            number(*cpt80, 0)
        );
    }
    let money = if replayed.priced { format!("{:>12}{:>9}", "cost $", "saved %") } else { String::new() };
    let _ = writeln!(
        text,
        "\n{:<14}{:>10}{:>12}{:>12}{:>13}{money}",
        "routed by", "threshold", "delegated %", "rejected %", "bad of all %"
    );
    let mut before = None;
    for routing in &replayed.routings {
        if before.is_some_and(|before| before != routing.delegated) {
            let _ = writeln!(text);
        }
        before = Some(routing.delegated);
        let threshold = routing.threshold.map_or_else(String::new, |threshold| format!("{threshold:.3}"));
        let money = match (routing.cost_usd, routing.saved) {
            (Some(cost), Some(saved)) => format!("{cost:>12.4}{:>9}", share(saved)),
            (Some(cost), None) => format!("{cost:>12.4}{:>9}", "–"),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "{:<14}{threshold:>10}{:>12}{:>12}{:>13}{money}",
            routing.score,
            share(routing.delegated),
            share(routing.rejected),
            share(routing.bad)
        );
    }
    if !replayed.priced {
        let _ = writeln!(
            text,
            "\nno costs: the log has none for both tiers; --model and --prices price its tokens"
        );
    }
    for ranking in &replayed.rankings {
        let Some(curve) = &ranking.curve else { continue };
        let points: Vec<String> =
            curve.iter().map(|(calls, gap)| format!("{:.0}:{:.0}", calls * 100.0, gap * 100.0)).collect();
        let _ = writeln!(
            text,
            "\ncurve of {} (strong calls % : gap recovered %): {}",
            ranking.score,
            points.join(" ")
        );
    }
    text
}
