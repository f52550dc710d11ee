//! Files that a grammar's scanner can not take: it keeps its state in 1024 bytes, and what does not fit ends the
//! whole process (YAML 0.7, Python 0.25, Ruby 0.23). No file that a person wrote comes near these bounds; one
//! that was made to must not take the other records with it.

use super::language::Language;

/// So many levels always fit; YAML needs 4 bytes for each, Python 2.
const LEVELS: usize = 200;
/// So many levels of braces, with 5 bytes each, leave room for …
const BRACES: usize = 140;
/// … the words of the here-documents that are open at once.
const WORDS: usize = 200;

/// Tells whether the scanner of the language can follow the text.
pub(super) fn fits(language: Language, content: &[u8]) -> bool {
    match language {
        Language::Yaml => levels(content, true) <= LEVELS,
        Language::Python => levels(content, false) <= LEVELS,
        Language::Ruby => braces(content) <= BRACES && here_words(content) <= WORDS,
        _ => true,
    }
}

/// Returns how deep indentation gets, and with it (in YAML) `- - ? - x` in one line.
fn levels(content: &[u8], dashes: bool) -> usize {
    let mut open: Vec<usize> = Vec::new();
    let mut deepest = 0;
    for line in content.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let mut at = 0;
        loop {
            at += line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if at == line.len() {
                break;
            }
            while open.last().is_some_and(|column| *column >= at) {
                open.pop();
            }
            open.push(at);
            deepest = deepest.max(open.len());
            // After a dash, a question mark, a key or a tag a deeper level may begin in the same line.
            let next =
                line[at..].windows(2).position(|pair| matches!(pair, [b'-' | b'?' | b':', b' ' | b'\t']));
            match next {
                Some(offset) if dashes => at += offset + 1,
                _ => break,
            }
        }
    }
    deepest
}

fn braces(content: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    for byte in content {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Returns how many bytes the words of here-documents take that are open at the same time; `list <<item` counts as one.
fn here_words(content: &[u8]) -> usize {
    // The word, and whether white space may stand before it where it ends the text.
    let mut open: Vec<(Vec<u8>, bool)> = Vec::new();
    let mut most = 0;
    for line in content.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let ends =
            open.iter().position(|(word, indented)| line == word || (*indented && line.trim_ascii() == word));
        if let Some(at) = ends {
            open.remove(at);
        }
        let mut rest = line;
        while let Some(at) = rest.windows(2).position(|pair| pair == b"<<") {
            rest = &rest[at + 2..];
            let after = rest.strip_prefix(b"~").or(rest.strip_prefix(b"-")).unwrap_or(rest);
            let word = match after.first() {
                Some(quote @ (b'"' | b'\'' | b'`')) => {
                    after[1..].split(|byte| byte == quote).next().unwrap_or_default()
                }
                Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' || *byte >= 0x80 => {
                    let length = after
                        .iter()
                        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80)
                        .count();
                    &after[..length]
                }
                _ => continue,
            };
            open.push((word.to_vec(), after.len() < rest.len()));
            most = most.max(open.iter().map(|(word, _)| word.len() + 4).sum());
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_as_the_scanners_do_or_higher() {
        assert_eq!(levels(b"a:\n  b:\n    c: 1\n  d: 2\n", false), 3);
        assert_eq!(levels(b"- - - x\n", true), 4);
        assert!(levels("- ".repeat(300).as_bytes(), true) >= 300);
        assert_eq!(braces(b"{ { } { } }"), 2);
        assert_eq!(here_words(b"a = <<~SQL\n  x\nSQL\nb = <<~SQL\nSQL\n"), 7);
        assert_eq!(here_words(b"list << x\nclass << self\n"), 0);
        assert!(here_words("<<EOF\n".repeat(100).as_bytes()) > WORDS);
        assert!(here_words(format!("<<{}", "A".repeat(300)).as_bytes()) > 300);
    }
}
