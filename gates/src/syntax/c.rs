//! When a parse error in C or C++ is certain, although the parser does not see what macros stand for.
//!
//! `MODULE_LICENSE("GPL")` without a semicolon, `list_for_each(a, b) { … }` and `EXPORT int f(void);` are all
//! correct and all fail to parse. So a fault counts only if no macro can explain it: brackets that do not
//! balance although no directive or macro could hide their partners, or a token that is missing where all
//! around it is plain code. Everything else is left to the compiler: `unverifiable`, which is never a pass.

use super::fault::{Fault, Kind};

/// Tells whether at least one of the faults has no macro as an excuse.
pub(super) fn certain(faults: &[Fault], content: &[u8]) -> bool {
    if unbalanced(content) {
        return true;
    }
    faults
        .iter()
        .any(|fault| fault.kind == Kind::Missing && fault.message.contains("`;`") && plain(fault, content))
}

/// Tells whether a semicolon is missing after something that can not be the use of a macro: a number, a name or
/// a string that ends an assignment or a `return`.
fn plain(fault: &Fault, content: &[u8]) -> bool {
    let statement_start = content[..fault.offset]
        .iter()
        .rposition(|byte| matches!(byte, b';' | b'{' | b'}' | b'\n'))
        .map_or(0, |at| at + 1);
    let statement = &content[statement_start..fault.offset];
    let after = content[fault.offset..].trim_ascii_start();
    let assigns =
        statement.windows(3).any(|w| w[1] == b'=' && !b"=!<>+-*/%&|^".contains(&w[0]) && w[2] != b'=');
    let returns = statement.trim_ascii_start().starts_with(b"return ");
    let ends_plainly =
        statement.last().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'"' || *byte == b'\'');
    let goes_on = after.first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'}');
    (assigns || returns)
        && ends_plainly
        && goes_on
        && !statement.iter().any(u8::is_ascii_uppercase)
        && !after.starts_with(b"#")
}

/// Tells whether the brackets of the file do not balance and no directive can be the reason.
fn unbalanced(content: &[u8]) -> bool {
    let Some((outside, conditional)) = code(content) else { return false };
    if conditional {
        // The branches of `#if` may each hold an opener for one closer.
        return false;
    }
    let mut open = Vec::new();
    for byte in outside {
        match byte {
            b'(' | b'[' | b'{' => open.push(byte),
            b')' if open.pop() != Some(b'(') => return true,
            b']' if open.pop() != Some(b'[') => return true,
            b'}' if open.pop() != Some(b'{') => return true,
            _ => {}
        }
    }
    !open.is_empty()
}

/// Returns the brackets outside of comments, literals and directives, and whether there are conditionals with
/// brackets inside. `None` if the text can not be taken apart so (a raw string, a macro that holds a bracket).
fn code(content: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut brackets = Vec::new();
    let mut conditional = false;
    let mut depth = 0usize;
    let mut at = 0;
    let mut line_start = true;
    while at < content.len() {
        let rest = &content[at..];
        match rest[0] {
            b'\n' => {
                line_start = true;
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'#' if line_start => {
                let length = directive(rest);
                let text = &rest[..length];
                let word = text[1..].trim_ascii_start();
                if word.starts_with(b"if") {
                    depth += 1;
                } else if word.starts_with(b"endif") {
                    depth = depth.saturating_sub(1);
                } else if word.starts_with(b"define") && !balanced(text) {
                    return None;
                }
                at += length;
                continue;
            }
            b'/' if rest.starts_with(b"//") => at += directive(rest),
            b'/' if rest.starts_with(b"/*") => at += rest.windows(2).skip(2).position(|w| w == b"*/")? + 4,
            b'R' if rest.starts_with(b"R\"") => return None,
            quote @ (b'"' | b'\'') => {
                // `1'000'000` is a number of C++.
                let digit = quote == b'\'' && at > 0 && content[at - 1].is_ascii_hexdigit();
                at += if digit { 1 } else { literal(rest, quote)? };
            }
            bracket @ (b'(' | b')' | b'[' | b']' | b'{' | b'}') => {
                brackets.push(bracket);
                conditional |= depth > 0 && matches!(bracket, b'{' | b'}' | b'(' | b')');
                at += 1;
            }
            _ => at += 1,
        }
        line_start = false;
    }
    // A guard around the whole header makes everything conditional; that alone hides nothing.
    Some((brackets, conditional && has_else(content)))
}

/// Tells whether some conditional has more than one branch or stands inside another.
fn has_else(content: &[u8]) -> bool {
    let directives =
        content.split(|byte| *byte == b'\n').filter_map(|line| line.trim_ascii_start().strip_prefix(b"#"));
    let mut conditionals = 0;
    for directive in directives {
        let word = directive.trim_ascii_start();
        if word.starts_with(b"el") {
            return true;
        }
        conditionals += usize::from(word.starts_with(b"if"));
    }
    conditionals > 1
}

/// Returns the length of a line that may be continued by a backslash, without its end.
fn directive(text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(end) = text[from..].iter().position(|byte| *byte == b'\n') {
        let end = from + end;
        let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
        if !line.ends_with(b"\\") {
            return end;
        }
        from = end + 1;
    }
    text.len()
}

fn literal(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'\n' => return None,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn balanced(text: &[u8]) -> bool {
    [(b'(', b')'), (b'[', b']'), (b'{', b'}')].iter().all(|(open, close)| {
        text.iter().filter(|byte| *byte == open).count() == text.iter().filter(|byte| *byte == close).count()
    })
}
