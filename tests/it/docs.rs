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

#[test]
fn every_console_block_does_what_it_says() {
    let documents = documents();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            documents.iter().map(|document| scope.spawn(move || differences(document))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a document")).collect()
    });
    assert!(wrong.is_empty(), "{} answers are not as documented:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_tool_shows_how_it_is_used() {
    let readme = std::fs::read_to_string(tools::workspace().join("README.md")).expect("README.md");
    assert!(!console::blocks(&readme).is_empty(), "README.md shows nothing that runs");
    for tool in tools::TOOLS {
        let path = tools::workspace().join(tool).join("README.md");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!console::blocks(&text).is_empty(), "{tool}/README.md shows nothing that runs");
        let headings: Vec<String> =
            text.lines().filter_map(|line| Some(line.strip_prefix("## ")?.to_lowercase())).collect();
        for wanted in ["synopsis", "reads", "writes", "options", "exit status", "examples"] {
            assert!(
                headings.iter().any(|heading| heading.contains(wanted)),
                "{tool}/README.md has no `{wanted}`"
            );
        }
    }
}

/// Documents name files and targets of make; what they name has to be there.
#[test]
fn links_between_documents_lead_somewhere() {
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("a document");
        let directory = document.parent().expect("a directory");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()) {
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            assert!(directory.join(target).exists(), "{} links to {target}", document.display());
        }
    }
}
