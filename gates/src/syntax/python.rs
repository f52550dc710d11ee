//! Python's rules about indentation and blocks, which its grammar takes more lightly than the interpreter.

use tree_sitter::{Node, Tree};

use super::fault::{Fault, Kind};
use crate::text::Lines;

/// Adds empty blocks, statements that are indented by themselves, `try` with nothing to catch, and Python 2.
pub(super) fn indentation(tree: &Tree, lines: &Lines, faults: &mut Vec<Fault>) {
    if tree.root_node().has_error() {
        // After a fault the tree's blocks are guesses.
        return;
    }
    let python2 = lines.line(0).starts_with(b"#!") && lines.line(0).windows(7).any(|word| word == b"python2");
    let mut fault = |node: Node, message: &str| {
        faults.push(Fault { offset: node.start_byte(), message: message.to_owned(), kind: Kind::Unexpected });
    };
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        match node.kind() {
            "block" if statements(node).next().is_none() => {
                fault(node.parent().unwrap_or(node), "an indented block is missing after this");
            }
            "module" | "block" => {
                if let Some(statement) = misplaced(node, lines) {
                    fault(statement, "this is indented unlike the lines before it");
                }
            }
            "elif_clause" | "else_clause" | "except_clause" | "except_group_clause" | "finally_clause"
                if !is_below_its_statement(node, lines) =>
            {
                fault(node, "this is indented unlike the statement it belongs to");
            }
            "decorated_definition" => {
                if let Some(part) = misplaced(node, lines) {
                    fault(part, "this is indented unlike its decorator");
                }
            }
            "argument_list" => {
                if let Some(argument) = late_positional(node) {
                    fault(argument, "a positional argument after one with a name");
                }
            }
            "try_statement" if !has_handler(node) => fault(node, "`try` without `except` or `finally`"),
            // `print >>file, x` is an expression as well, and only its meaning has changed.
            "print_statement" | "exec_statement" if !python2 && !has_child(node, "chevron") => {
                fault(node, "a statement of Python 2; call it as a function");
            }
            _ => {}
        }
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn statements(block: Node) -> impl Iterator<Item = Node> {
    (0..block.named_child_count())
        .filter_map(move |at| block.named_child(at as u32))
        .filter(|node| !node.is_extra())
}

fn has_child(node: Node, kind: &str) -> bool {
    statements(node).any(|child| child.kind() == kind)
}

fn has_handler(node: Node) -> bool {
    statements(node)
        .any(|child| matches!(child.kind(), "except_clause" | "except_group_clause" | "finally_clause"))
}

/// Tells whether a clause stands below the beginning of its statement, where it has a line of its own.
fn is_below_its_statement(clause: Node, lines: &Lines) -> bool {
    let (Some(own), Some(statement)) =
        (indent(clause, lines), clause.parent().and_then(|node| indent(node, lines)))
    else {
        return true;
    };
    own == statement
}

/// Returns the first argument without a name that follows one with a name; `*args` may stand anywhere.
fn late_positional(arguments: Node) -> Option<Node> {
    let mut named = false;
    statements(arguments).find(|argument| match argument.kind() {
        "keyword_argument" | "dictionary_splat" => {
            named = true;
            false
        }
        "list_splat" | "parenthesized_list_splat" => false,
        _ => named,
    })
}

/// Returns the first statement whose indentation is not that of its block.
fn misplaced<'tree>(block: Node<'tree>, lines: &Lines) -> Option<Node<'tree>> {
    let mut width = (block.kind() == "module").then_some(0);
    statements(block).find(|statement| {
        let Some(indent) = indent(*statement, lines) else { return false };
        *width.get_or_insert(indent) != indent
    })
}

/// Returns the width of the white space before a statement, `None` if something else stands there.
fn indent(statement: Node, lines: &Lines) -> Option<usize> {
    let line = lines.line(statement.start_position().row);
    let before = line.get(..statement.start_position().column)?;
    before.iter().try_fold(0, |width, byte| match byte {
        b' ' => Some(width + 1),
        b'\t' => Some(width / 8 * 8 + 8),
        b'\x0c' => Some(0),
        _ => None,
    })
}
