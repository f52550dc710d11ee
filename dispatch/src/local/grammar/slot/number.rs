//! Numbers, ranges of lines, and dates.

use crate::local::cursor::Cursor;

/// Eats a number from 1 on.
pub(in crate::local) fn number(cursor: &mut Cursor) -> Option<u64> {
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    cursor.eat_map(|token| {
        let word = token.lower()?;
        let named = WORDS.iter().zip(1..).find(|(name, _)| **name == word).map(|(_, number)| number);
        named.or_else(|| digits(word))
    })
}

pub(super) fn digits(word: &str) -> Option<u64> {
    let plain = word.bytes().all(|b| b.is_ascii_digit());
    (plain && word.len() <= 9).then(|| word.parse().ok()).flatten().filter(|number| *number > 0)
}

/// Eats a range of lines: `10-20`, `10 to 20`, `between 10 and 20`, or a single number.
pub(in crate::local) fn lines(cursor: &mut Cursor) -> Option<(u64, u64)> {
    let one = cursor.eat_map(|token| range(token.lower()?));
    let range = one.or_else(|| {
        cursor.attempt(|cursor| {
            cursor.eat("between|from");
            let first = number(cursor)?;
            let last =
                if cursor.eat_any(&["to|through|until|and", "up to"]) { number(cursor)? } else { first };
            Some((first, last))
        })
    })?;
    (range.0 <= range.1).then_some(range)
}

/// Reads `10-20`, `10–20`, `10..20`, `L10-L20`.
pub(in crate::local) fn range(word: &str) -> Option<(u64, u64)> {
    let number = |text: &str| digits(text.strip_prefix('l').unwrap_or(text));
    for separator in ["..", "-", "–", "—"] {
        if let Some((first, last)) = word.split_once(separator) {
            return Some((number(first)?, number(last)?));
        }
    }
    None
}

/// Eats a date that git reads the same way on every machine.
pub(in crate::local) fn date(cursor: &mut Cursor) -> Option<String> {
    cursor.attempt(|cursor| {
        if cursor.eat("today") {
            return Some("midnight".to_owned());
        }
        if cursor.eat("yesterday") {
            return Some("yesterday.midnight".to_owned());
        }
        if let Some(date) =
            cursor.eat_map(|token| token.lower().filter(|word| is_date(word)).map(str::to_owned))
        {
            return Some(date);
        }
        let last = cursor.eat("last|past");
        let count = number(cursor).or(last.then_some(1))?;
        let unit = cursor.eat_map(|token| {
            let word = token.lower()?;
            let unit = word.strip_suffix('s').unwrap_or(word);
            ["hour", "day", "week", "month", "year"].into_iter().find(|it| *it == unit)
        })?;
        let plural = if count == 1 { "" } else { "s" };
        (last || cursor.eat("ago")).then(|| format!("{count} {unit}{plural} ago"))
    })
}

/// Returns whether a word is `2026-01-31`.
pub(in crate::local) fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let within = |text: &str, length: usize, limit: u64| {
        text.len() == length && digits(text).is_some_and(|number| number <= limit)
    };
    within(year, 4, 9999) && within(month, 2, 12) && within(day, 2, 31)
}
