//! How many lines of a text were added and removed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// The lines of a text, as hashes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(Vec<u32>);

/// Beyond so many changed lines the exact number is not worth its time: the cost is their square.
const EXACT: usize = 4_000;

impl Lines {
    /// Returns the lines of a text, or `None` if it is none.
    pub(crate) fn of(content: &[u8]) -> Option<Lines> {
        if content.iter().take(8_000).any(|byte| *byte == 0) {
            return None;
        }
        let body = content.strip_suffix(b"\n").unwrap_or(content);
        if content.is_empty() {
            return Some(Lines::default());
        }
        Some(Lines(
            body.split(|byte| *byte == b'\n')
                .map(|line| {
                    let mut hasher = DefaultHasher::new();
                    hasher.write(line);
                    hasher.finish() as u32
                })
                .collect(),
        ))
    }

    /// Returns how many lines were added and removed, as a shortest diff has them (Myers 1986).
    pub(crate) fn diff(&self, after: &Lines) -> (u64, u64) {
        let (mut a, mut b) = (&self.0[..], &after.0[..]);
        let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        (a, b) = (&a[same..], &b[same..]);
        let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
        (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
        if a.is_empty() || b.is_empty() {
            return (b.len() as u64, a.len() as u64);
        }
        match edits(a, b) {
            // added + removed = edits and added - removed = the change in length.
            Some(edits) => {
                let added = (edits + b.len() - a.len()) / 2;
                (added as u64, (edits - added) as u64)
            }
            None => by_counting(a, b),
        }
    }
}

/// Returns the length of the shortest edit script, if it is not too long.
fn edits(a: &[u32], b: &[u32]) -> Option<usize> {
    let most = (a.len() + b.len()).min(EXACT);
    let offset = most + 1;
    // How far along `a` each diagonal has come.
    let mut reach = vec![0usize; 2 * most + 3];
    for edits in 0..=most {
        let mut diagonal = -(edits as isize);
        while diagonal <= edits as isize {
            let index = (offset as isize + diagonal) as usize;
            let from_above = diagonal == -(edits as isize)
                || (diagonal != edits as isize && reach[index - 1] < reach[index + 1]);
            let mut x = if from_above { reach[index + 1] } else { reach[index - 1] + 1 };
            let y = x as isize - diagonal;
            if y >= 0 {
                let mut y = y as usize;
                while x < a.len() && y < b.len() && a[x] == b[y] {
                    (x, y) = (x + 1, y + 1);
                }
                if x >= a.len() && y >= b.len() {
                    return Some(edits);
                }
            }
            reach[index] = x;
            diagonal += 2;
        }
    }
    None
}

/// Returns how many lines there are more and fewer of: a diff that does not see moved lines.
fn by_counting(a: &[u32], b: &[u32]) -> (u64, u64) {
    let mut balance: HashMap<u32, i64> = HashMap::new();
    for line in b {
        *balance.entry(*line).or_default() += 1;
    }
    for line in a {
        *balance.entry(*line).or_default() -= 1;
    }
    let added = balance.values().filter(|count| **count > 0).sum::<i64>();
    let removed = -balance.values().filter(|count| **count < 0).sum::<i64>();
    (added as u64, removed as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn diff(a: &str, b: &str) -> (u64, u64) {
        Lines::of(a.as_bytes()).unwrap().diff(&Lines::of(b.as_bytes()).unwrap())
    }

    #[test]
    fn added_and_removed_lines_are_counted_apart() {
        for (a, b, expected) in [
            ("", "", (0, 0)),
            ("", "a\nb\n", (2, 0)),
            ("a\nb\n", "", (0, 2)),
            ("a\nb\nc\n", "a\nx\nc\n", (1, 1)),
            ("a\nb\nc\n", "b\nc\nd\n", (1, 1)),
            ("a\n", "a", (0, 0)),
            ("a\nb\n", "b\na\n", (1, 1)),
            ("1\n2\n3\n4\n", "1\n9\n2\n4\n5\n", (2, 1)),
        ] {
            assert_eq!(diff(a, b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_text_that_is_replaced_whole_is_counted_without_the_square() {
        let text = |from: u32| (from..from + 50_000).map(|line| format!("{line}\n")).collect::<String>();
        assert_eq!(diff(&text(0), &text(100_000)), (50_000, 50_000));
    }

    #[test]
    fn binary_files_have_no_lines() {
        assert!(Lines::of(b"a\0b").is_none());
    }

    fn longest_common(a: &[u32], b: &[u32]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut diagonal = 0;
            for (j, y) in b.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
                diagonal = above;
            }
        }
        row[b.len()]
    }

    proptest! {
        #[test]
        fn the_diff_is_a_shortest_one(
            a in proptest::collection::vec(0u32..4, 0..30),
            b in proptest::collection::vec(0u32..4, 0..30),
        ) {
            let common = longest_common(&a, &b);
            let expected = ((b.len() - common) as u64, (a.len() - common) as u64);
            prop_assert_eq!(Lines(a).diff(&Lines(b)), expected);
        }
    }
}
