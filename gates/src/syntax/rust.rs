//! A second opinion on Rust. The grammar rejects a few forms that the compiler takes (attributes on arguments,
//! `str![[…]]`, names such as `raw`): 37 of 8,049 files of published crates, and nearly every file of bindings with
//! `pub type X;`. A file is broken only if `syn`, the parser of the macro authors, rejects it as well.

/// Larger files are not worth a second opinion.
const MAX_BYTES: usize = 1 << 20;
/// `syn` is recursive: it gets a stack of its own, and nothing that would need more than that.
const STACK: usize = 256 << 20;
const MAX_DEPTH: usize = 128;
/// Bytes without a separator; each could be one more level (`!!!!`).
const MAX_RUN: usize = 8192;
/// Each `else if` is a level inside the one before it.
const MAX_ELSE: usize = 2000;

/// Tells whether `syn` takes the text for Rust.
pub(super) fn parses(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    if !is_tame(content) {
        return false;
    }
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || syn::parse_file(text).is_ok());
        parser.ok().and_then(|parser| parser.join().ok()).unwrap_or(false)
    })
}

/// Tells whether the text is no deeper than the stack.
fn is_tame(content: &[u8]) -> bool {
    if content.len() > MAX_BYTES {
        return false;
    }
    let (mut depth, mut run) = (0usize, 0usize);
    for byte in content {
        run += 1;
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if matches!(byte, b';' | b',' | b'{' | b'}') {
            run = 0;
        }
        if depth > MAX_DEPTH || run > MAX_RUN {
            return false;
        }
    }
    content.windows(4).filter(|word| word == b"else").count() <= MAX_ELSE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_need_a_deep_stack_is_not_asked() {
        assert!(parses(b"fn f() { a + b }"));
        assert!(!parses(b"fn f() { a + }"));
        for deep in
            ["(".repeat(5000), "!".repeat(100_000), format!("fn f() {{ {} }}", "if a {} else ".repeat(5000))]
        {
            assert!(!is_tame(deep.as_bytes()));
        }
        let chain = format!("fn f() {{ if a {{}} {} }}", "else if a {} ".repeat(MAX_ELSE - 1));
        assert!(parses(chain.as_bytes()));
        let prefix = format!("fn f() {{ {}a }}", "!".repeat(MAX_RUN - 20));
        assert!(parses(prefix.as_bytes()));
    }
}
