//! What a tree says is wrong, in words. File content is never quoted beyond punctuation and the words of the
//! grammar: a broken line may hold a secret.

use tree_sitter::{Node, Tree};

/// One place where the text is not what the grammar wants.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
    /// The node's kind of fault.
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A token had to be made up.
    Missing,
    /// A bracket has no partner up to the end of the file.
    Unbalanced,
    /// Text had to be left out.
    Unexpected,
}

/// Returns the faults in the order in which they stand. Those inside another one are echoes and left out.
pub(super) fn faults(tree: &Tree, content: &[u8]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !tree.root_node().has_error() {
        return faults;
    }
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let mut descend = node.has_error();
        if node.is_error() {
            faults.push(of_error(node, content));
            descend = false;
        } else if node.is_missing() {
            faults.push(of_missing(node, content));
        }
        if descend && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return faults;
            }
        }
    }
}

fn of_missing(node: Node, content: &[u8]) -> Fault {
    let what = describe(node.kind());
    // A token is missing after what stands before it, not at the beginning of what comes next.
    let before = content[..node.start_byte()].trim_ascii_end().len();
    let closes = matches!(node.kind(), ")" | "]" | "}" | "end" | "fi" | "done" | "esac");
    let opener = closes.then(|| opener(node)).flatten();
    let message = match opener {
        Some(opener) => format!(
            "{what} is missing for the `{}` of line {}",
            opener.kind(),
            opener.start_position().row + 1
        ),
        None => format!("{what} is missing"),
    };
    let kind = if closes { Kind::Unbalanced } else { Kind::Missing };
    Fault { offset: before, message, kind }
}

/// Returns the bracket or word that the missing token would close.
fn opener(missing: Node) -> Option<Node> {
    let first = missing.parent()?.child(0)?;
    let fits = matches!(
        first.kind(),
        "(" | "["
            | "{"
            | "$("
            | "${"
            | "if"
            | "do"
            | "case"
            | "def"
            | "class"
            | "begin"
            | "while"
            | "until"
            | "for"
    );
    fits.then_some(first)
}

fn of_error(node: Node, content: &[u8]) -> Fault {
    let to_the_end = content[node.end_byte()..].trim_ascii().is_empty();
    let mut open: Vec<Node> = Vec::new();
    let mut inner: Option<Node> = None;
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        match child.kind() {
            "(" | "[" | "{" | "${" | "$(" | "#{" => open.push(child),
            ")" | "]" | "}"
                if open.last().is_some_and(|opener| opener.kind().ends_with(partner(child.kind()))) =>
            {
                open.pop();
            }
            closer @ (")" | "]" | "}") if !child.is_missing() => {
                let (offset, message) = match open.last() {
                    Some(opener) => (
                        opener.start_byte(),
                        format!(
                            "this `{}` is closed by `{closer}` in line {}",
                            opener.kind(),
                            child.start_position().row + 1
                        ),
                    ),
                    None => (child.start_byte(), format!("`{closer}` closes nothing")),
                };
                return Fault { offset, message, kind: Kind::Unexpected };
            }
            _ if child.is_error() && inner.is_none() => inner = Some(child),
            _ => {}
        }
    }
    if let Some(opener) = open.last() {
        let message = format!("this `{}` is never closed", opener.kind());
        let kind = if to_the_end { Kind::Unbalanced } else { Kind::Unexpected };
        return Fault { offset: opener.start_byte(), message, kind };
    }
    let place = inner.unwrap_or(node);
    let offset = place.start_byte();
    if to_the_end && matches!(content.get(offset), Some(b'"' | b'\'' | b'`')) {
        let message = format!("this {} is never closed", content[offset] as char);
        return Fault { offset, message, kind: Kind::Unbalanced };
    }
    Fault { offset, message: unexpected(place, content), kind: Kind::Unexpected }
}

fn partner(closer: &str) -> char {
    match closer {
        ")" => '(',
        "]" => '[',
        _ => '{',
    }
}

fn unexpected(node: Node, content: &[u8]) -> String {
    let text = &content[node.byte_range()];
    let mut leaf = node;
    while let Some(child) = leaf.child(0) {
        leaf = child;
    }
    if text.is_empty() {
        return "something is missing".to_owned();
    }
    match text.first() {
        Some(quote @ (b'"' | b'\'' | b'`')) => {
            return format!(
                "the text that this {} begins does not end, or does not belong here",
                *quote as char
            );
        }
        Some(mark) if mark.is_ascii_punctuation() => {
            let marks: String = text
                .iter()
                .take(3)
                .take_while(|b| b.is_ascii_punctuation() && !b"\"'`_".contains(b))
                .map(|b| *b as char)
                .collect();
            return format!("`{marks}` is not expected here");
        }
        _ => {}
    }
    let lines = node.end_position().row - node.start_position().row;
    let extent =
        if lines > 0 { format!(" (up to line {})", node.end_position().row + 1) } else { String::new() };
    if leaf.is_named() || leaf.is_error() {
        format!("this does not parse{extent}")
    } else {
        format!("what begins with {} here does not parse{extent}", describe(leaf.kind()))
    }
}

/// Returns a kind of node in words: tokens are quoted, names get spaces.
fn describe(kind: &str) -> String {
    let a_name = ["identifier", "string", "number", "literal", "expression", "statement", "type"];
    if a_name.iter().any(|name| kind.contains(name)) {
        format!("{} {}", article(kind), kind.trim_matches('_').replace('_', " "))
    } else {
        format!("`{kind}`")
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
