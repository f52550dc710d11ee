//! Every console block of every document does what it says.

use std::path::{Path, PathBuf};

use tests::{Shell, console, tools};

/// The documents with console blocks: of the project, of each tool, of the protocol, and the recipes.
fn documents() -> Vec<PathBuf> {
    let root = tools::workspace();
    let mut found = Vec::new();
    let places = ["", "shared", "tests/pipelines", "demo"].into_iter().chain(tools::TOOLS);
    for directory in places.map(|place| root.join(place)) {
        let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
        found.extend(
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "md")),
        );
    }
    found.sort();
    found
}

/// Runs the blocks of a document, each in an empty directory of its own.
fn differences(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.strip_prefix(tools::workspace()).unwrap_or(path).display();
    let mut wrong = Vec::new();
    for block in console::blocks(&text) {
        let found = block.run(&Shell::new());
        wrong.extend(found.into_iter().map(|difference| format!("{name}:{}: {difference}", block.line)));
    }
    wrong
}
