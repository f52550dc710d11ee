//! Which files of the project an import means. What comes from elsewhere means none.
//!
//! Each language has its own way from a name to a file; all of them try the longest name first, because the last part may
//! be a thing in a file and no file. Where more than one file would fit, it is the one that is nearest.

use std::collections::HashMap;

use rayon::prelude::*;

use super::graph::{Entry, place};
use super::language::{Language, directory_of, is_test, name_of, stem_of};
use super::scan::TEST;

/// An import of a whole package means no more files than this.
const PACKAGE: usize = 200;
/// So many files of the same name are compared.
const CANDIDATES: usize = 64;

/// The files of a project, by all that they can be called.
pub(crate) struct Resolver<'e> {
    entries: &'e [Entry],
    paths: HashMap<&'e str, u32>,
    /// Files by their last two components; those at the top by their name.
    tails: HashMap<&'e str, Vec<u32>>,
    /// Files of code by their directory.
    directories: HashMap<&'e str, Vec<u32>>,
    /// The same directories by their last component.
    named_directories: HashMap<&'e str, Vec<&'e str>>,
    /// Directories by the name of the package that their manifest has.
    packages: HashMap<&'e str, &'e str>,
    /// Directories with a `Cargo.toml`.
    crates: HashMap<&'e str, ()>,
    /// Files by the namespace that they declare.
    namespaces: HashMap<&'e str, Vec<u32>>,
}

/// The last two components of a path.
fn tail_of(path: &str) -> &str {
    let Some(last) = path.rfind('/') else { return path };
    path[..last].rfind('/').map_or(path, |before| &path[before + 1..])
}

impl<'e> Resolver<'e> {
    pub(crate) fn new(entries: &'e [Entry]) -> Self {
        let mut resolver = Resolver {
            entries,
            paths: HashMap::with_capacity(entries.len()),
            tails: HashMap::new(),
            directories: HashMap::new(),
            named_directories: HashMap::new(),
            packages: HashMap::new(),
            crates: HashMap::new(),
            namespaces: HashMap::new(),
        };
        for (at, entry) in entries.iter().enumerate() {
            let at = place(at);
            resolver.paths.insert(&entry.path, at);
            let language = entry.scanned.language;
            let directory = directory_of(&entry.path);
            if language.is_code() {
                resolver.tails.entry(tail_of(&entry.path)).or_default().push(at);
                resolver.directories.entry(directory).or_default().push(at);
            }
            if language == Language::Manifest {
                if name_of(&entry.path) == "Cargo.toml" {
                    resolver.crates.insert(directory, ());
                }
                if !entry.scanned.package.is_empty() {
                    resolver.packages.entry(&entry.scanned.package).or_insert(directory);
                }
            } else if language == Language::CSharp && !entry.scanned.package.is_empty() {
                resolver.namespaces.entry(&entry.scanned.package).or_default().push(at);
            }
        }
        for directory in resolver.directories.keys() {
            resolver.named_directories.entry(name_of(directory)).or_default().push(directory);
        }
        resolver
    }

    /// Returns for each file the files that it imports, sorted.
    pub(crate) fn imports(&self) -> Vec<Vec<u32>> {
        self.entries
            .par_iter()
            .enumerate()
            .map(|(at, entry)| {
                let mut found = Vec::new();
                for import in &entry.scanned.imports {
                    self.resolve(entry, import, &mut found);
                }
                found.retain(|import| *import != place(at));
                found.sort_unstable();
                found.dedup();
                found
            })
            .collect()
    }

    /// Returns the files that are modules for tests alone.
    pub(crate) fn test_modules(&self) -> Vec<u32> {
        let modules = |entry: &'e Entry| {
            let named = entry.scanned.imports.iter().filter_map(|import| import.strip_prefix(TEST));
            named.filter_map(|import| self.rust(entry, import)).collect::<Vec<_>>()
        };
        let rust = self.entries.iter().filter(|entry| entry.scanned.language == Language::Rust);
        rust.flat_map(modules).collect()
    }

    fn resolve(&self, from: &Entry, import: &str, found: &mut Vec<u32>) {
        let here = directory_of(&from.path);
        match from.scanned.language {
            Language::Rust => found.extend(self.rust(from, import)),
            Language::Python => found.extend(self.python(here, import)),
            Language::JavaScript | Language::TypeScript => found.extend(self.script(here, import)),
            Language::Go => self.go(import, found),
            Language::Java | Language::Kotlin | Language::Scala => self.java(&from.path, import, found),
            Language::CSharp => {
                let same = self.namespaces.get(import).map_or(&[][..], Vec::as_slice);
                found.extend(same.iter().take(PACKAGE));
            }
            Language::C | Language::Cpp => {
                found.extend(self.beside(here, import).or_else(|| self.by_tail(&from.path, import)));
            }
            Language::Ruby => {
                let import = import.strip_suffix(".rb").unwrap_or(import);
                let path = format!("{import}.rb");
                let relative = import.starts_with("./");
                let near = if relative { self.at(&join(here, &path)) } else { None };
                found.extend(
                    near.or_else(|| self.at(&format!("lib/{path}")))
                        .or_else(|| self.by_tail(&from.path, &path)),
                );
            }
            Language::Php => {
                let path = import.replace('\\', "/");
                let file = if path.ends_with(".php") { path } else { format!("{path}.php") };
                let file = file.trim_start_matches('/');
                // A namespace stands for a directory that may be called otherwise: the end of the name is what counts.
                let ends = file.match_indices('/').map(|(at, _)| &file[at + 1..]);
                let by_name =
                    || std::iter::once(file).chain(ends).find_map(|end| self.by_tail(&from.path, end));
                found.extend(self.beside(here, file).or_else(by_name));
            }
            Language::Shell => {
                found.extend(self.beside(here, import).or_else(|| self.by_tail(&from.path, import)))
            }
            Language::Swift | Language::Other | Language::Manifest => {}
        }
    }

    fn at(&self, path: &str) -> Option<u32> {
        self.paths.get(path).copied()
    }

    /// A path beside the file, in a directory above it, or in one of the usual places at the top.
    fn beside(&self, here: &str, path: &str) -> Option<u32> {
        let near = self.at(&join(here, path));
        near.or_else(|| self.at(path))
            .or_else(|| ["include", "src", "lib"].iter().find_map(|top| self.at(&format!("{top}/{path}"))))
    }

    /// The file whose path ends like this and is most like that of the file which imports it. One component is too little.
    fn by_tail(&self, from: &str, path: &str) -> Option<u32> {
        let path = path.trim_start_matches("./").trim_start_matches("../");
        if !path.contains('/') {
            return None;
        }
        let candidates = self.tails.get(tail_of(path))?;
        let fits = |at: &&u32| {
            let known = self.entries[**at as usize].path.as_str();
            known == path || known.strip_suffix(path).is_some_and(|rest| rest.ends_with('/'))
        };
        let nearness = |at: &&u32| {
            let known = &self.entries[**at as usize].path;
            let common = known.bytes().zip(from.bytes()).take_while(|(a, b)| a == b).count();
            (common, std::cmp::Reverse(known.len()), std::cmp::Reverse(**at))
        };
        candidates.iter().take(CANDIDATES).filter(fits).max_by_key(nearness).copied()
    }

    fn rust(&self, from: &Entry, import: &str) -> Option<u32> {
        let here = directory_of(&from.path);
        let stem = stem_of(&from.path);
        let own = if matches!(stem, "mod" | "lib" | "main") { here.to_owned() } else { join(here, stem) };
        if let Some(name) = import.strip_prefix("mod ") {
            // A file of tests or a binary is the root of a crate, whose modules are beside it.
            return self.module(&own, &[name]).or_else(|| self.module(here, &[name]));
        }
        let parts: Vec<&str> =
            import.split("::").filter(|part| !part.is_empty() && *part != "self").collect();
        match *parts.first()? {
            "crate" => {
                let root = self.crate_root(here);
                self.longest(&root, &parts[1..]).or_else(|| self.crate_file(&root))
            }
            "super" => {
                let ups = parts.iter().take_while(|part| **part == "super").count();
                let mut base = own.as_str();
                for _ in 0..ups {
                    base = directory_of(base);
                }
                let itself = || {
                    let above = [
                        format!("{base}.rs"),
                        join(base, "mod.rs"),
                        join(base, "lib.rs"),
                        join(base, "main.rs"),
                    ];
                    above.iter().find_map(|path| self.at(path))
                };
                self.longest(base, &parts[ups..]).or_else(itself)
            }
            name => match self.packages.get(name) {
                Some(directory) if self.crates.contains_key(directory) => {
                    let root = join(directory, "src");
                    self.longest(&root, &parts[1..]).or_else(|| self.crate_file(&root))
                }
                // A module of the same file's, named without `self`.
                _ => self.longest(&own, &parts),
            },
        }
    }

    /// The directory of the crate's first file, upward from here.
    fn crate_root(&self, here: &str) -> String {
        let mut directory = here;
        loop {
            if self.crate_file(directory).is_some() {
                return directory.to_owned();
            }
            if directory.is_empty() || self.crates.contains_key(directory) {
                return join(directory, "src");
            }
            directory = directory_of(directory);
        }
    }

    fn crate_file(&self, root: &str) -> Option<u32> {
        self.at(&join(root, "lib.rs")).or_else(|| self.at(&join(root, "main.rs")))
    }

    fn longest(&self, base: &str, parts: &[&str]) -> Option<u32> {
        (1..=parts.len()).rev().find_map(|length| self.module(base, &parts[..length]))
    }

    fn module(&self, base: &str, parts: &[&str]) -> Option<u32> {
        let path = join(base, &parts.join("/"));
        self.at(&format!("{path}.rs")).or_else(|| self.at(&format!("{path}/mod.rs")))
    }

    fn python(&self, here: &str, import: &str) -> Option<u32> {
        let dots = import.bytes().take_while(|byte| *byte == b'.').count();
        let parts: Vec<&str> = import[dots..].split('.').filter(|part| !part.is_empty()).collect();
        let file = |path: &str| {
            ["py", "pyi"].iter().find_map(|ending| {
                self.at(&format!("{path}.{ending}")).or_else(|| self.at(&format!("{path}/__init__.{ending}")))
            })
        };
        if dots > 0 {
            let mut base = here;
            for _ in 1..dots {
                base = directory_of(base);
            }
            return (0..=parts.len()).rev().find_map(|length| {
                let path = join(base, &parts[..length].join("/"));
                if length == 0 { self.at(&format!("{path}/__init__.py")) } else { file(&path) }
            });
        }
        (1..=parts.len()).rev().find_map(|length| {
            let path = parts[..length].join("/");
            let near =
                file(&join(here, &path)).or_else(|| file(&path)).or_else(|| file(&format!("src/{path}")));
            near.or_else(|| {
                let from = format!("{here}/");
                self.by_tail(&from, &format!("{path}.py")).filter(|_| length > 1).or_else(|| {
                    if length > 1 { self.by_tail(&from, &format!("{path}/__init__.py")) } else { None }
                })
            })
        })
    }

    fn script(&self, here: &str, import: &str) -> Option<u32> {
        let import = import.split(['?', '#']).next().filter(|path| !path.is_empty()).unwrap_or(import);
        if import.starts_with('.') {
            return self.script_file(&join(here, import));
        }
        if let Some(rest) = import.strip_prefix("@/").or_else(|| import.strip_prefix("~/")) {
            let mut directory = here;
            loop {
                for base in [join(directory, "src"), directory.to_owned()] {
                    if let Some(found) = self.script_file(&join(&base, rest)) {
                        return Some(found);
                    }
                }
                if directory.is_empty() {
                    return None;
                }
                directory = directory_of(directory);
            }
        }
        let scoped = usize::from(import.starts_with('@')) + 1;
        let end = import.match_indices('/').nth(scoped - 1).map_or(import.len(), |(at, _)| at);
        let directory = self.packages.get(&import[..end])?;
        let rest = import[end..].trim_start_matches('/');
        if rest.is_empty() {
            ["src/index", "index", "src/main", "lib/index"]
                .iter()
                .find_map(|path| self.script_file(&join(directory, path)))
        } else {
            [join(directory, rest), join(directory, &format!("src/{rest}"))]
                .iter()
                .find_map(|path| self.script_file(path))
        }
    }

    fn script_file(&self, path: &str) -> Option<u32> {
        const ENDINGS: [&str; 11] =
            ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts", "d.ts", "vue", "svelte"];
        let with = |path: &str| ENDINGS.iter().find_map(|ending| self.at(&format!("{path}.{ending}")));
        // `./a.js` is what TypeScript calls `a.ts`.
        let written = || [".js", ".jsx", ".mjs", ".cjs"].iter().find_map(|end| with(path.strip_suffix(end)?));
        self.at(path).or_else(|| with(path)).or_else(written).or_else(|| with(&format!("{path}/index")))
    }

    fn go(&self, import: &str, found: &mut Vec<u32>) {
        let mut module = import;
        let directory = loop {
            if let Some(directory) = self.packages.get(module) {
                break join(directory, import[module.len()..].trim_start_matches('/'));
            }
            let Some((shorter, _)) = module.rsplit_once('/') else { return };
            module = shorter;
        };
        let files = self.directories.get(directory.as_str()).map_or(&[][..], Vec::as_slice);
        let is_meant = |at: &&u32| {
            let path = &self.entries[**at as usize].path;
            path.ends_with(".go") && !is_test(path, Language::Go)
        };
        found.extend(files.iter().filter(is_meant).take(PACKAGE));
    }

    fn java(&self, from: &str, import: &str, found: &mut Vec<u32>) {
        let is_all = import.ends_with(".*") || import.ends_with("._");
        let path = import.trim_end_matches(".*").trim_end_matches("._").replace('.', "/");
        let file = |path: &str| {
            ["java", "kt", "scala"].iter().find_map(|ending| self.by_tail(from, &format!("{path}.{ending}")))
        };
        // `a.b.C.method` is in C.
        if let Some(at) = file(&path).or_else(|| file(directory_of(&path))) {
            found.push(at);
        } else if is_all {
            let ends = |directory: &str| {
                directory == path || directory.strip_suffix(&path).is_some_and(|rest| rest.ends_with('/'))
            };
            let named = self.named_directories.get(name_of(&path)).map_or(&[][..], Vec::as_slice);
            let mut all: Vec<u32> = named
                .iter()
                .filter(|directory| ends(directory))
                .filter_map(|directory| self.directories.get(directory))
                .flatten()
                .copied()
                .filter(|at| !is_test(&self.entries[*at as usize].path, Language::Java))
                .collect();
            all.sort_unstable();
            found.extend(all.into_iter().take(PACKAGE));
        }
    }
}

/// Joins two paths, `.` and `..` taken out.
fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
