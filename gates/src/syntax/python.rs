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
            "try_statement" if !has_handler(node) => fault(node, "`try` without `except` or `finally`"),
            // `print >>file, x` is an expression as well, and only its meaning has changed.
            "print_statement" | "exec_statement" if !python2 && !has_child(node, "chevron") => {
                fault(node, "a statement of Python 2; call it as a function");
            }
            _ => {}
        }
        // Expressions hold no statements, lambdas included.
        let descend = !matches!(node.kind(), "expression_statement" | "parameters" | "argument_list");
        if descend && cursor.goto_first_child() {
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
        .filter(|node| node.kind() != "comment")
}

fn has_child(node: Node, kind: &str) -> bool {
    statements(node).any(|child| child.kind() == kind)
}

fn has_handler(node: Node) -> bool {
    statements(node)
        .any(|child| matches!(child.kind(), "except_clause" | "except_group_clause" | "finally_clause"))
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
