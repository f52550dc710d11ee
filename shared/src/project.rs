//! Which commands a repository's own tooling has: how its tests, linters, type checkers, builds and format
//! checks are run.
//!
//! Nothing is assumed: every command rests on a file that is there and is named in [`Detected::because`].
//! Whether the program is installed, what it prints and whether it passes is left to who runs it.
//!
//! Precedence, most telling first:
//!
//! 1. The manifest of an ecosystem (`Cargo.toml`, `package.json`, `pyproject.toml`, …). All ecosystems found
//!    count: a repository with Rust and JavaScript has two commands that test it. Inside an ecosystem a
//!    script that the project wrote (`"lint": "eslint src"`) is preferred to what its configuration files
//!    suggest (`eslint.config.js`).
//! 2. A task runner (justfile, then Makefile), only for purposes that no ecosystem serves: its targets mostly
//!    wrap the same tools, and would run them twice.
//! 3. The immediate subdirectories, only if the root itself has no manifest at all.
//!
//! Commands only look: what fixes or formats in place (`eslint --fix`, `prettier --write`) and what never
//! ends (`--watch`) is left out.

mod files;
mod jvm;
mod native;
mod node;
mod others;
mod php;
mod python;
mod ruby;
mod runner;

use std::path::{Path, PathBuf};

use files::Files;

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Runs the tests.
    Test,
    /// Looks for mistakes and bad style.
    Lint,
    /// Checks types without building.
    Types,
    /// Builds.
    Build,
    /// Checks the formatting, changing nothing.
    Format,
}

impl Purpose {
    /// All purposes, in the order in which [`detect`] lists them.
    pub const ALL: [Purpose; 5] =
        [Purpose::Test, Purpose::Lint, Purpose::Types, Purpose::Build, Purpose::Format];

    /// Returns the purpose as one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Test => "test",
            Purpose::Lint => "lint",
            Purpose::Types => "types",
            Purpose::Build => "build",
            Purpose::Format => "format",
        }
    }
}

/// A command that the repository has, and the evidence for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// What the command is for.
    pub purpose: Purpose,
    /// Program and arguments; no shell.
    pub argv: Vec<String>,
    /// Where to run it.
    pub dir: PathBuf,
    /// The file that says so, relative to the root.
    pub because: String,
    /// The tool that does the work, such as `cargo`, `clippy`, `pytest`, `npm`, `make`.
    pub tool: String,
}

/// Returns the commands of the repository at `root`, by purpose and then by precedence.
///
/// Files that cannot be read or parsed are no evidence; the rest still counts.
pub fn detect(root: &Path) -> Vec<Detected> {
    let mut found = detect_in(root, "");
    if found.is_empty() {
        for name in subdirectories(root) {
            found.extend(detect_in(&root.join(&name), &name));
        }
    }
    found.sort_by_key(|detected| detected.purpose);
    found
}

/// One directory: its ecosystems, then its task runners for what is still missing.
fn detect_in(dir: &Path, prefix: &str) -> Vec<Detected> {
    let mut commands = Commands { files: Files::new(dir), prefix, found: Vec::new() };
    for ecosystem in [
        native::rust,
        node::package_json,
        python::python,
        native::go,
        jvm::jvm,
        ruby::ruby,
        php::php,
        native::cmake,
        others::others,
    ] {
        ecosystem(&mut commands);
    }
    runner::justfile(&mut commands);
    runner::makefile(&mut commands);
    commands.found
}

/// Returns the names of the subdirectories that may hold a project of their own, sorted.
fn subdirectories(root: &Path) -> Vec<String> {
    /// Directories of code that is not the project's own, or is not what the project is about.
    const NOT_OURS: [&str; 9] = [
        "build",
        "dist",
        "examples",
        "fixtures",
        "node_modules",
        "target",
        "testdata",
        "third_party",
        "vendor",
    ];
    let mut names: Vec<String> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && !NOT_OURS.contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

/// What was found in one directory so far.
struct Commands<'a> {
    files: Files<'a>,
    prefix: &'a str,
    found: Vec<Detected>,
}

impl Commands<'_> {
    fn add(&mut self, purpose: Purpose, tool: &str, because: &str, argv: &[&str]) {
        let because =
            if self.prefix.is_empty() { because.to_owned() } else { format!("{}/{because}", self.prefix) };
        self.found.push(Detected {
            purpose,
            argv: argv.iter().map(|&argument| argument.to_owned()).collect(),
            dir: self.files.dir().to_owned(),
            because,
            tool: tool.to_owned(),
        });
    }

    fn serves(&self, purpose: Purpose) -> bool {
        self.found.iter().any(|detected| detected.purpose == purpose)
    }
}

#[cfg(test)]
mod tests;
