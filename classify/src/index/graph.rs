//! What follows from who imports whom: dependents, tests, coverage, and how far a mistake would reach.

use std::collections::{HashMap, HashSet};

use super::language::{self, Language};
use super::resolve::Resolver;
use super::scan::Scanned;

/// A file of the project, as far as its own content goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Entry {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// In bytes.
    pub(crate) size: u64,
    /// When it was written, in nanoseconds since 1970.
    pub(crate) modified: i64,
    /// The first 128 bits of the BLAKE3 of its content.
    pub(crate) hash: [u8; 16],
    pub(crate) scanned: Scanned,
}

/// Whether tests reach a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// It is no code, or a test itself.
    #[default]
    NotMeant,
    /// No test is known to reach it.
    Untested,
    /// Tests reach it through another file alone.
    Partial,
    /// A test imports it, is named for it, or stands in it.
    Covered,
}

impl Coverage {
    pub(crate) fn from_code(code: u8) -> Coverage {
        [Coverage::NotMeant, Coverage::Untested, Coverage::Partial, Coverage::Covered]
            .get(usize::from(code))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Coverage::NotMeant => "not meant to be tested",
            Coverage::Untested => "untested",
            Coverage::Partial => "partial",
            Coverage::Covered => "covered",
        }
    }
}

/// How far a mistake in a file would reach: by the number of files, tests aside, that import it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    Low,
    Medium,
    High,
    Critical,
}

impl Reach {
    /// 7 and more are critical, 4 to 6 high, 2 and 3 medium.
    pub(crate) fn of(dependents: usize) -> Reach {
        match dependents {
            0..=1 => Reach::Low,
            2..=3 => Reach::Medium,
            4..=6 => Reach::High,
            _ => Reach::Critical,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Reach::Low => "low",
            Reach::Medium => "medium",
            Reach::High => "high",
            Reach::Critical => "critical",
        }
    }
}

/// How a file stands among the others. The numbers are places in the list of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) is_test: bool,
    pub(crate) imports: Vec<u32>,
    /// The files that import it, tests included.
    pub(crate) imported_by: Vec<u32>,
    /// The tests that import it or are named for it.
    pub(crate) tests: Vec<u32>,
    pub(crate) coverage: Coverage,
}

/// Works out how the files, sorted by path, stand to each other.
pub(crate) fn nodes(entries: &[Entry]) -> Vec<Node> {
    let resolver = Resolver::new(entries);
    let mut nodes: Vec<Node> =
        resolver.imports().into_iter().map(|imports| Node { imports, ..Node::default() }).collect();
    for (entry, node) in entries.iter().zip(&mut nodes) {
        node.is_test = language::is_test(&entry.path, entry.scanned.language);
    }
    for module in resolver.test_modules() {
        nodes[module as usize].is_test = true;
    }
    for at in 0..nodes.len() {
        for import in std::mem::take(&mut nodes[at].imports) {
            let from = place(at);
            nodes[import as usize].imported_by.push(from);
            if nodes[at].is_test && !nodes[import as usize].is_test {
                nodes[import as usize].tests.push(from);
            }
            nodes[at].imports.push(import);
        }
    }
    name_tests(entries, &mut nodes);
    cover(entries, &mut nodes);
    nodes
}

/// Returns a place as it is stored. There are never so many files that it would not fit.
pub(crate) fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A test that is called so is not named for a file that is called so.
const COMMON: [&str; 8] = ["main", "mod", "lib", "index", "__init__", "common", "util", "utils"];

/// `foo_test.go` is a test of `foo.go`: of the file of that name whose path is most like its own.
fn name_tests(entries: &[Entry], nodes: &mut [Node]) {
    let mut named: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if entry.scanned.language.is_code() && !nodes[at].is_test {
            named.entry(language::stem_of(&entry.path).to_lowercase()).or_default().push(at);
        }
    }
    for at in 0..entries.len() {
        let path = &entries[at].path;
        if !nodes[at].is_test {
            continue;
        }
        let plain = Some(language::stem_of(path)).filter(|stem| !COMMON.contains(stem));
        let Some(subject) = language::subject_of(path).or(plain) else { continue };
        let Some(candidates) = named.get(&subject.to_lowercase()) else { continue };
        let own = family(entries[at].scanned.language);
        let alike =
            candidates.iter().filter(|candidate| family(entries[**candidate].scanned.language) == own);
        let best = alike.take(64).max_by_key(|candidate| {
            (likeness(path, &entries[**candidate].path), std::cmp::Reverse(**candidate))
        });
        if let Some(&best) = best {
            let test = place(at);
            if !nodes[best].tests.contains(&test) {
                nodes[best].tests.push(test);
            }
        }
    }
}

/// Languages that test each other.
fn family(language: Language) -> Language {
    match language {
        Language::TypeScript => Language::JavaScript,
        Language::Cpp => Language::C,
        Language::Kotlin | Language::Scala => Language::Java,
        other => other,
    }
}

/// Returns how many directories two paths have in common, `tests` and `src` aside.
fn likeness(a: &str, b: &str) -> usize {
    let parts = |path| -> HashSet<&str> { language::directory_of(path).split('/').collect() };
    let same_place = usize::from(language::directory_of(a) == language::directory_of(b));
    parts(a).intersection(&parts(b)).count() * 2 + same_place
}

fn cover(entries: &[Entry], nodes: &mut [Node]) {
    let is_direct = |at: usize, node: &Node| !node.tests.is_empty() || entries[at].scanned.tests_itself;
    let direct: Vec<bool> = nodes.iter().enumerate().map(|(at, node)| is_direct(at, node)).collect();
    // The tests of Go belong to a package, which is a directory.
    let packages: HashSet<&str> = entries
        .iter()
        .filter(|entry| entry.scanned.language == Language::Go && entry.path.ends_with("_test.go"))
        .map(|entry| language::directory_of(&entry.path))
        .collect();
    for at in 0..nodes.len() {
        let entry = &entries[at];
        nodes[at].coverage = if nodes[at].is_test || !entry.scanned.language.is_code() {
            Coverage::NotMeant
        } else if direct[at] {
            Coverage::Covered
        } else if nodes[at].imported_by.iter().any(|by| direct[*by as usize] || nodes[*by as usize].is_test)
            || entry.scanned.language == Language::Go
                && packages.contains(language::directory_of(&entry.path))
        {
            Coverage::Partial
        } else {
            Coverage::Untested
        };
    }
}
