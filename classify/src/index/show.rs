//! What the index knows, for people and for programs.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use shared::diagnostic::printable;

use super::build::Changes;
use super::format::{File, Index};
use super::graph::{Coverage, Reach};
use super::scan::Kind;

/// So many names are shown in a list.
const SHOWN: usize = 12;
/// The reaches, the widest first.
const REACHES: [Reach; 4] = [Reach::Critical, Reach::High, Reach::Medium, Reach::Low];
const COVERAGES: [Coverage; 3] = [Coverage::Covered, Coverage::Partial, Coverage::Untested];

/// The numbers of a project.
pub(super) struct Summary<'i> {
    files: usize,
    code: usize,
    tests: usize,
    lines: u64,
    symbols: usize,
    imports: usize,
    languages: Vec<(&'static str, usize)>,
    coverage: [usize; 3],
    reach: [usize; 4],
    /// The files that most others depend on, with how many.
    widest: Vec<(&'i str, usize)>,
}

impl<'i> Summary<'i> {
    pub(super) fn of(index: &'i Index) -> Summary<'i> {
        let mut summary = Summary {
            files: index.len(),
            code: 0,
            tests: 0,
            lines: 0,
            symbols: index.symbols(),
            imports: 0,
            languages: Vec::new(),
            coverage: [0; 3],
            reach: [0; 4],
            widest: Vec::new(),
        };
        let mut languages: BTreeMap<&'static str, usize> = BTreeMap::new();
        for file in index.files() {
            summary.imports += file.imports().count();
            if !file.language().is_code() {
                continue;
            }
            summary.code += 1;
            summary.lines += u64::from(file.lines());
            summary.tests += usize::from(file.is_test());
            *languages.entry(file.language().name()).or_default() += 1;
            if let Some(at) = COVERAGES.iter().position(|coverage| *coverage == file.coverage()) {
                summary.coverage[at] += 1;
            }
            if !file.is_test() {
                let dependents = file.dependents().count();
                let reach = Reach::of(dependents);
                summary.reach[REACHES.iter().position(|known| *known == reach).unwrap_or(3)] += 1;
                if reach == Reach::Critical {
                    summary.widest.push((file.path(), dependents));
                }
            }
        }
        summary.widest.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        summary.widest.truncate(5);
        summary.languages = languages.into_iter().collect();
        summary.languages.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        summary
    }

    pub(super) fn to_json(&self) -> Value {
        let [critical, high, medium, low] = self.reach;
        let [covered, partial, untested] = self.coverage;
        json!({
            "files": self.files, "code": self.code, "tests": self.tests, "lines": self.lines,
            "symbols": self.symbols, "imports": self.imports,
            "languages": self.languages.iter().copied().collect::<BTreeMap<_, _>>(),
            "coverage": {"covered": covered, "partial": partial, "untested": untested},
            "risk": {"critical": critical, "high": high, "medium": medium, "low": low},
        })
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let languages: Vec<String> =
            self.languages.iter().take(6).map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(
            f,
            "  files       {}, of code {}: {}",
            self.files,
            self.code,
            if languages.is_empty() { "none".to_owned() } else { languages.join(", ") }
        )?;
        writeln!(
            f,
            "  code        {} lines, {} symbols, {} imports of files",
            self.lines, self.symbols, self.imports
        )?;
        let [covered, partial, untested] = self.coverage;
        writeln!(
            f,
            "  tests       {} files; covered {covered}, partial {partial}, untested {untested}",
            self.tests
        )?;
        let [critical, high, medium, low] = self.reach;
        writeln!(f, "  risk        critical {critical}, high {high}, medium {medium}, low {low}")?;
        for (path, dependents) in &self.widest {
            writeln!(f, "    {dependents:>4} depend on {}", printable(path))?;
        }
        Ok(())
    }
}

/// Says whether an index of an age in seconds is what is there.
pub(super) fn status(root: &Path, index: &Index, changes: &Changes, age: i64, is_fresh: bool) -> String {
    let state = if is_fresh { "fresh" } else { "stale" };
    let mut text = format!("index of {}: {state}\n", root.display());
    // Writing into a string cannot fail.
    let _ = writeln!(text, "  {} files, built {} ago, {} bytes", index.len(), since(age), index.size());
    for (sign, paths) in [("new", &changes.added), ("changed", &changes.changed), ("gone", &changes.removed)]
    {
        for path in paths.iter().take(SHOWN) {
            let _ = writeln!(text, "  {sign:<8} {}", printable(path));
        }
        if paths.len() > SHOWN {
            let _ = writeln!(text, "  {sign:<8} and {} more", paths.len() - SHOWN);
        }
    }
    text
}

/// An age in the unit that fits.
pub(crate) fn since(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The files that depend on those that depend on a file, tests aside.
fn second_degree<'i>(index: &'i Index, file: File<'i>) -> Vec<&'i str> {
    let first: HashSet<u32> = file.dependents().collect();
    let second = first.iter().flat_map(|by| index.file(*by).dependents().collect::<Vec<_>>());
    let mut paths: Vec<&str> = second
        .filter(|by| !first.contains(by))
        .map(|by| index.file(by).path())
        .filter(|path| *path != file.path())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn paths(index: &Index, places: impl Iterator<Item = u32>) -> Vec<&str> {
    places.map(|place| index.file(place).path()).collect()
}

/// Shows what is known of a file. `changed` tells whether its content is another one by now.
pub(super) fn file(index: &Index, file: File, changed: bool) -> String {
    let mut text = String::new();
    let dependents = paths(index, file.dependents());
    let second = second_degree(index, file);
    let test = if file.is_test() { ", a test" } else { "" };
    let stale = if changed { ", changed since the index was built" } else { "" };
    // Writing into a string cannot fail.
    let path = printable(file.path());
    let _ = writeln!(text, "{path}: {}, {} lines{test}{stale}", file.language(), file.lines());
    let _ = writeln!(
        text,
        "  risk        {}: {} depend on it, {} more through those",
        file.reach().name(),
        dependents.len(),
        second.len()
    );
    let mut list = |title: &str, names: &[&str]| {
        if !names.is_empty() {
            let more = if names.len() > SHOWN {
                format!(" and {} more", names.len() - SHOWN)
            } else {
                String::new()
            };
            let names = names[..names.len().min(SHOWN)].join(" ");
            let _ = writeln!(text, "  {title:<11} {}{more}", printable(&names));
        }
    };
    list("imports", &paths(index, file.imports()));
    list("dependents", &dependents);
    list("  of those", &second);
    list("tests", &paths(index, file.tests()));
    let own = if file.tests_itself() { ", by tests of its own" } else { "" };
    let _ = writeln!(text, "  coverage    {}{own}", file.coverage().name());
    let symbols: Vec<String> = file
        .symbols()
        .filter(|symbol| symbol.kind != Kind::Value)
        .map(|symbol| format!("{}:{}", symbol.name, symbol.line))
        .collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    if !symbols.is_empty() {
        let more =
            if symbols.len() > 24 { format!(" and {} more", symbols.len() - 24) } else { String::new() };
        let _ = writeln!(text, "  symbols     {}{more}", symbols[..symbols.len().min(24)].join(" "));
    }
    text
}

/// All that is known of a file, for a program.
pub(super) fn file_json(index: &Index, file: File) -> Value {
    let hash: String = file.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let symbols: Vec<Value> = file
        .symbols()
        .map(|symbol| json!({"name": symbol.name, "kind": symbol.kind.name(), "line": symbol.line}))
        .collect();
    let mut all = json!({
        "path": file.path(),
        "language": file.language().name(),
        "lines": file.lines(),
        "bytes": file.size(),
        "blake3_128": hash,
        "test": file.is_test(),
        "risk": file.reach().name(),
        "imports": paths(index, file.imports()),
        "dependents": paths(index, file.dependents()),
        "dependents_of_dependents": second_degree(index, file),
        "tests": paths(index, file.tests()),
        "symbols": symbols,
    });
    if file.coverage() != Coverage::NotMeant {
        all["coverage"] = json!(file.coverage().name());
    }
    all
}
