//! What a program says: the string literals of its source, so that an error text can be traced to where it comes from.
//!
//! An error as it is seen is not the literal as it is written: names and numbers were filled in. So three words in a row
//! are what is compared, as a hash of 32 bits; where something is filled in, a row ends.

use super::language::Language;
use crate::fnv::fnv;

/// So many rows of one file are kept.
const ROWS: usize = 512;
/// A literal that is longer is data.
const LONGEST: usize = 400;

/// Returns the hashes of all rows of three words in the string literals of a text, sorted.
pub(crate) fn of_literals(language: Language, text: &str) -> Vec<u32> {
    let quotes: &[u8] = match language {
        Language::Rust
        | Language::C
        | Language::Cpp
        | Language::Java
        | Language::CSharp
        | Language::Go
        | Language::Swift => b"\"",
        _ => b"\"'`",
    };
    let bytes = text.as_bytes();
    let mut rows = Vec::new();
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(|byte| quotes.contains(byte)) {
        let begin = at + offset + 1;
        let quote = bytes[begin - 1];
        let mut end = begin;
        while end < bytes.len() && end - begin < LONGEST && bytes[end] != quote && bytes[end] != b'\n' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if bytes.get(end) == Some(&quote) {
            // Both ends are quotes, which are no part of a longer character.
            rows.extend(of_text(text.get(begin..end).unwrap_or_default()));
            if rows.len() >= ROWS {
                break;
            }
            at = end + 1;
        } else {
            // An apostrophe, or a literal over several lines.
            at = begin;
        }
    }
    rows.sort_unstable();
    rows.dedup();
    rows.truncate(ROWS);
    rows
}

/// Returns the hashes of all rows of three words in a text, in their order.
pub(crate) fn of_text(text: &str) -> Vec<u32> {
    let mut rows = Vec::new();
    let (mut first, mut second): (Option<u64>, Option<u64>) = (None, None);
    let mut rest = text;
    while let Some(begin) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[begin..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let piece = &rest[..end];
        rest = &rest[end..];
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if piece.contains(['{', '}', '%', '$', '\\', '<']) || word.is_empty() {
            // Something is filled in here.
            (first, second) = (None, None);
            continue;
        }
        let third = hash(word);
        if let (Some(first), Some(second)) = (first, second) {
            let mixed = first.rotate_left(17) ^ second.rotate_left(7) ^ third;
            rows.push((mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32);
        }
        (first, second) = (second, Some(third));
    }
    rows
}

/// Returns the hash of a word, whatever its case.
fn hash(word: &str) -> u64 {
    fnv(word.bytes().map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_as_it_is_seen_meets_the_literal_it_comes_from() {
        let literals = of_literals(
            Language::Rust,
            r#"return Err(format!("cannot open the file `{}`: {error}", path));"#,
        );
        let seen = of_text("Cannot open the file `/tmp/x.csv`: permission denied");
        assert!(seen.iter().any(|row| literals.contains(row)));
        assert!(of_text("permission was denied").iter().all(|row| !literals.contains(row)));
    }

    #[test]
    fn an_apostrophe_opens_nothing_and_short_texts_have_no_rows() {
        let literals =
            of_literals(Language::Python, "# it's fine\nraise ValueError('no such column here')\n");
        assert_eq!(literals.len(), 2);
        assert!(of_text("two words").is_empty());
        assert!(of_literals(Language::Python, "x = 'é' + \"ünï\"").is_empty());
    }
}
