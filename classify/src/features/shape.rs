//! The shape of the text: how long, which parts, in what form.

use super::hashing::Bag;
use crate::clause::Mood;
use crate::reading::Reading;
use crate::words::Cut;

/// Adds what can be seen without reading.
pub(super) fn gather(text: &str, reading: &Reading, bag: &mut Bag) {
    // What stands at the end of a sentence says nothing about the work.
    let text = text.trim().trim_end_matches(['.', '!', '?', '…', '。', '！', '？', ' ']);
    let title = text.lines().next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    let count = |space: &str, n: usize, bag: &mut Bag| {
        bag.add(space, &[size(n)]);
    };
    count("length", reading.length, bag);
    count("lines", lines, bag);
    count("clauses", reading.clauses.len(), bag);
    count("title", title.split_whitespace().count(), bag);
    let orders = reading.clauses.iter().filter(|clause| clause.mood == Mood::Order).count();
    count("orders", orders, bag);
    let items = reading.clauses.iter().filter(|clause| clause.cut >= Cut::Item).count();
    count("items", items, bag);
    for (is_so, name) in [
        (text.contains("```"), "block"),
        (title.contains('`'), "code in the title"),
        (text.contains('`'), "code"),
        (text.contains("](") || text.contains("://"), "link"),
        (title.contains('#'), "number of an issue"),
        (text.contains("\n#") || text.contains("**"), "headings"),
        (reading.has_body, "body"),
        (title.starts_with('['), "in brackets"),
        (title.contains("()"), "call"),
        (title.contains("--"), "flag"),
        (title.contains('_'), "name with underscore"),
        (title.contains('/'), "slash"),
        (title.contains('"') || title.contains('\''), "quote"),
        (title.chars().any(|c| c.is_ascii_digit()), "digit"),
        (!text.is_ascii(), "not ascii"),
    ] {
        if is_so {
            bag.add("has", &[name]);
        }
    }
    if let Some((kind, scoped)) = conventional(title) {
        bag.add("label", &[&kind.to_ascii_lowercase()]);
        if scoped {
            bag.add("label", &["(scope)"]);
        }
    }
}

/// `fix(parser): …`: what stands before the colon, and whether it has a scope.
fn conventional(title: &str) -> Option<(&str, bool)> {
    let (head, _) = title.split_once(": ")?;
    let head = head.trim_end_matches('!');
    let (kind, scoped) = head.split_once('(').map_or((head, false), |(kind, _)| (kind, true));
    (kind.len() <= 24 && !kind.contains(' ')).then_some((kind, scoped))
}

/// How much a number is, in steps that double.
fn size(n: usize) -> &'static str {
    match n {
        0 => "0",
        1 => "1",
        2 => "2",
        3 => "3",
        4..=5 => "4",
        6..=7 => "6",
        8..=11 => "8",
        12..=15 => "12",
        16..=31 => "16",
        32..=63 => "32",
        64..=127 => "64",
        128..=255 => "128",
        _ => "256",
    }
}
