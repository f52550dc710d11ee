//! Task runners: justfile and Makefile, for what no ecosystem's own tool serves.

use super::Commands;
use super::Purpose::{self, Build, Format, Lint, Test, Types};

/// The names under which projects keep a target, best first. `check` runs the tests by GNU's convention
/// (GNU Coding Standards, "Standard Targets").
const TARGETS: [(Purpose, &[&str]); 5] = [
    (Test, &["test", "tests", "check"]),
    (Lint, &["lint", "linter"]),
    (Types, &["typecheck", "type-check", "types", "mypy"]),
    (Build, &["build", "all"]),
    (Format, &["format-check", "fmt-check", "check-format", "check-fmt"]),
];

pub(super) fn justfile(commands: &mut Commands) {
    let Some(file) = commands.files.first(&["justfile", ".justfile", "Justfile"]) else { return };
    let text = commands.files.text(file).unwrap_or_default();
    add(commands, "just", file, &recipes(&text));
}

pub(super) fn makefile(commands: &mut Commands) {
    // The order in which make itself looks.
    let Some(file) = commands.files.first(&["GNUmakefile", "makefile", "Makefile"]) else { return };
    let text = commands.files.text(file).unwrap_or_default();
    add(commands, "make", file, &targets(&text));
}

fn add(commands: &mut Commands, tool: &str, file: &str, known: &[&str]) {
    for (purpose, names) in TARGETS {
        if let (false, Some(name)) =
            (commands.serves(purpose), names.iter().find(|name| known.contains(*name)))
        {
            commands.add(purpose, tool, file, &[tool, name]);
        }
    }
}

/// Returns the explicit targets of a Makefile. Recipes, assignments and pattern rules are none.
fn targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with(['\t', ' ', '#', '.']) {
            continue;
        }
        let Some((left, right)) = line.split_once(':') else { continue };
        if left.contains(['=', '%', '$']) || right.starts_with('=') || right.starts_with(":=") {
            continue;
        }
        found.extend(left.split_whitespace());
    }
    found
}

/// Returns the recipes of a justfile that can be run without arguments.
fn recipes(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t', '#', '[']) {
            continue;
        }
        let Some((left, right)) = line.split_once(':') else { continue };
        if right.starts_with('=') {
            continue;
        }
        let mut words = left.trim_start_matches('@').split_whitespace();
        let (Some(name), parameters) = (words.next(), words) else { continue };
        if parameters.into_iter().all(|word| word.contains('=') || word.starts_with('*')) {
            found.push(name);
        }
    }
    found
}
