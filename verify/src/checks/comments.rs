//! What is left of a program without its comments: if it is the same before and after, no logic changed.
//!
//! Knows how the common languages mark comments, strings and docstrings, and no more of them than that.

/// How a family of languages marks what does not run.
#[derive(Clone, Copy, Debug)]
struct Syntax {
    line: &'static [&'static str],
    block: Option<(&'static str, &'static str)>,
    strings: &'static [char],
    /// A string in three quotes that stands alone documents (Python).
    docstrings: bool,
    /// A `#` begins a comment only after a blank (the shell).
    spaced: bool,
}

fn syntax(extension: &str) -> Option<Syntax> {
    let syntax = |line, block, strings| Syntax { line, block, strings, docstrings: false, spaced: false };
    let slashes = Some(("/*", "*/"));
    Some(match extension {
        // An apostrophe begins a lifetime as often as a character.
        "rs" => syntax(&["//"], slashes, &['"']),
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "tsx" | "go" => {
            syntax(&["//"], slashes, &['"', '\'', '`'])
        }
        "java" | "kt" | "kts" | "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "cs" | "swift" | "scala" => {
            syntax(&["//"], slashes, &['"', '\''])
        }
        "php" => syntax(&["//", "#"], slashes, &['"', '\'']),
        "py" | "pyi" => Syntax { docstrings: true, ..syntax(&["#"], None, &['"', '\'']) },
        "sh" | "bash" | "zsh" | "fish" => Syntax { spaced: true, ..syntax(&["#"], None, &['"', '\'']) },
        "rb" => syntax(&["#"], Some(("=begin", "=end")), &['"', '\'']),
        "pl" | "pm" | "r" | "jl" | "ex" | "exs" => syntax(&["#"], None, &['"', '\'']),
        "lua" => syntax(&["--"], Some(("--[[", "]]")), &['"', '\'']),
        "sql" => syntax(&["--"], slashes, &['\'']),
        _ => return None,
    })
}

/// Returns the lines of a program without comments and blank lines, `None` if its language is not known.
pub(super) fn code(path: &str, text: &str) -> Option<Vec<String>> {
    let extension = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    let stripped = strip(text, syntax(&extension)?);
    let lines = stripped.lines().map(str::trim_end).filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("#[doc") && !line.starts_with("#![doc")
    });
    let indents = matches!(extension.as_str(), "py" | "pyi");
    Some(lines.map(|line| if indents { line } else { line.trim_start() }.to_owned()).collect())
}

fn strip(text: &str, syntax: Syntax) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let after_blank = kept.chars().next_back().is_none_or(char::is_whitespace);
        if let Some((open, close)) = syntax.block.filter(|(open, _)| rest.starts_with(open)) {
            at += rest[open.len()..].find(close).map_or(rest.len(), |end| open.len() + end + close.len());
        } else if syntax.line.iter().any(|mark| rest.starts_with(mark))
            && (!syntax.spaced || after_blank)
            // What a file is run with is no remark.
            && !(at == 0 && rest.starts_with("#!/"))
        {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(end) = syntax.docstrings.then(|| docstring(rest)).flatten() {
            // Behind the head of a block or at the beginning of the file it documents; elsewhere it is a value.
            let before = kept.trim_end();
            if !(before.is_empty() || before.ends_with(':')) {
                kept.push_str(&rest[..end]);
            }
            at += end;
        } else if syntax.strings.contains(&c) {
            let end = string_end(rest, c);
            kept.push_str(&rest[..end]);
            at += end;
        } else {
            kept.push(c);
            at += c.len_utf8();
        }
    }
    kept
}

/// Returns the length of the string in three quotes that begins here.
fn docstring(rest: &str) -> Option<usize> {
    let mark = ["\"\"\"", "'''"].into_iter().find(|mark| rest.starts_with(mark))?;
    Some(rest[3..].find(mark).map_or(rest.len(), |end| end + 6))
}

/// Returns the length of the string that begins here; a mark without a partner is a string by itself.
fn string_end(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    quote.len_utf8()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_do_not_count_and_all_else_does() {
        let same = |path: &str, old: &str, new: &str| code(path, old).unwrap() == code(path, new).unwrap();
        for (path, old, new) in [
            (
                "a.py",
                "def f():\n    return 1\n",
                "\"\"\"A.\"\"\"\ndef f():\n    '''One.'''\n    return 1  # one\n",
            ),
            ("a.sh", "f() {\n  echo $#\n}\n", "# Counts.\nf() {\n  echo $# # how many\n}\n"),
            ("a.rs", "fn f() {}\n", "/// Does.\n/* x\n y */\n#[doc = \"x\"]\nfn f() {} // it\n"),
            ("a.js", "f(\"//x\")\n", "/**\n Does.\n*/\nf(\"//x\") // y\n"),
            ("a.rb", "x = 1\n", "=begin\nabout\n=end\nx = 1 # y\n"),
            ("a.sql", "select 1;\n", "-- about\nselect 1; /* y */\n"),
        ] {
            assert!(same(path, old, new), "{path}: {new}");
        }
        for (path, old, new) in [
            ("a.py", "def f():\n    return 1\n", "def f():\n    \"\"\"One.\"\"\"\n    return 2\n"),
            ("a.py", "if x:\n    f()\ng()\n", "if x:\n    f()\n    g()\n"),
            ("a.sh", "echo a#b\n", "echo a#c\n"),
            ("a.sh", "add() { echo $(($1 - $2)); }\n", "add() { echo $(($1 + $2)); }\n"),
            ("a.js", "f('// a')\n", "f('// b')\n"),
            ("a.rs", "fn f() {}\n", "\n"),
        ] {
            assert!(!same(path, old, new), "{path}: {new}");
        }
    }
}
