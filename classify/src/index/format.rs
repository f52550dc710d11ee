//! The file of the index: tables of fixed width one after the other, and one heap of text they point into.
//!
//! Reading it is reading bytes: no table is decoded, a file or a symbol is found by binary search. Numbers are little
//! endian. A file that has been cut or damaged does not pass its check sum, and every access is within bounds anyway.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use shared::Problem;

use super::graph::{Coverage, Entry, Node, Reach};
use super::language::{Language, name_of, stem_of};
use super::scan::{Kind, Scanned, Symbol};
use super::texts;
use crate::words::floor;

/// So many names are compared with one that is not there.
const ALIKE: usize = 500;

/// Where the index is, below the state directory.
pub(crate) const FILE: &str = "index/project.bin";

const MAGIC: &[u8; 8] = b"specpidx";
/// Another number for another form, or for another way to scan: what an older program wrote is built again.
const VERSION: u32 = 1;
/// Magic, version, a gap, the time, the check sum, and where each table begins and how many rows it has.
const HEADER: usize = 8 + 4 + 4 + 8 + 16 + TABLES * 8;
/// Where the part begins that the check sum is of.
const CHECKED: usize = 40;

const TABLES: usize = 8;
const FILES: usize = 0;
const HEAP: usize = 1;
const SYMBOLS: usize = 2;
const SYMBOLS_BY_NAME: usize = 3;
const FILES_BY_NAME: usize = 4;
const IMPORTS: usize = 5;
const PLACES: usize = 6;
const TEXTS: usize = 7;
/// The bytes of a row of each table.
const WIDTHS: [usize; TABLES] = [96, 1, 16, 4, 4, 8, 4, 8];

/// An index as it was read.
#[derive(Debug)]
pub(crate) struct Index {
    bytes: Vec<u8>,
    /// Where each table begins, and how many rows it has.
    tables: [(usize, usize); TABLES],
    /// When it was built, in seconds since 1970.
    pub(crate) built: i64,
}

/// A file of the index.
#[derive(Clone, Copy)]
pub(crate) struct File<'i> {
    index: &'i Index,
    row: usize,
}

/// Where a symbol is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Defined<'i> {
    pub(crate) name: &'i str,
    pub(crate) kind: Kind,
    /// The place of the file.
    pub(crate) file: u32,
    /// From 1.
    pub(crate) line: u32,
}

/// Returns where the index of a project is.
pub(crate) fn path(root: &Path) -> PathBuf {
    root.join(shared::state::DIRECTORY).join(FILE)
}

/// Writes an index into memory. Files are sorted by path; `built` is in seconds since 1970.
pub(crate) fn encode(entries: &[Entry], nodes: &[Node], built: i64) -> Vec<u8> {
    let mut tables: [Vec<u8>; TABLES] = std::array::from_fn(|_| Vec::new());
    let mut heap = Heap::default();
    let mut symbols: Vec<(&str, u32)> = Vec::new();
    let mut texts: Vec<(u32, u32)> = Vec::new();
    let rows = |tables: &[Vec<u8>; TABLES], table: usize| number(tables[table].len() / WIDTHS[table]);
    for (at, (entry, node)) in entries.iter().zip(nodes).enumerate() {
        let scanned = &entry.scanned;
        let file = number(at);
        let mut row = Vec::with_capacity(WIDTHS[FILES]);
        heap.add(&entry.path, &mut row);
        row.extend(entry.hash);
        row.extend(entry.size.to_le_bytes());
        row.extend(entry.modified.to_le_bytes());
        row.extend(scanned.lines.to_le_bytes());
        let flags = u8::from(node.is_test) | u8::from(scanned.tests_itself) << 1;
        row.extend([scanned.language.code(), flags, node.coverage as u8, 0]);
        heap.add(&scanned.package, &mut row);
        row.extend(rows(&tables, SYMBOLS).to_le_bytes());
        row.extend(number(scanned.symbols.len()).to_le_bytes());
        for symbol in &scanned.symbols {
            symbols.push((&symbol.name, rows(&tables, SYMBOLS)));
            let table = &mut tables[SYMBOLS];
            let (begin, length) = heap.place(&symbol.name);
            table.extend(begin.to_le_bytes());
            // A name is never longer than 200 bytes.
            table.extend((length as u16).to_le_bytes());
            table.extend([symbol.kind as u8, 0]);
            table.extend(file.to_le_bytes());
            table.extend(symbol.line.to_le_bytes());
        }
        row.extend(rows(&tables, IMPORTS).to_le_bytes());
        row.extend(number(scanned.imports.len()).to_le_bytes());
        for import in &scanned.imports {
            heap.add(import, &mut tables[IMPORTS]);
        }
        for places in [&node.imports, &node.imported_by, &node.tests] {
            row.extend(rows(&tables, PLACES).to_le_bytes());
            row.extend(number(places.len()).to_le_bytes());
            tables[PLACES].extend(places.iter().flat_map(|place| place.to_le_bytes()));
        }
        tables[FILES].extend(row);
        texts.extend(scanned.texts.iter().map(|text| (*text, file)));
    }
    symbols.sort_unstable();
    tables[SYMBOLS_BY_NAME] = symbols.iter().flat_map(|(_, row)| row.to_le_bytes()).collect();
    let mut names: Vec<(&str, u32)> =
        (0..entries.len()).map(|at| (name_of(&entries[at].path), number(at))).collect();
    names.sort_unstable();
    tables[FILES_BY_NAME] = names.iter().flat_map(|(_, row)| row.to_le_bytes()).collect();
    texts.sort_unstable();
    tables[TEXTS] = texts.iter().flat_map(|(text, file)| [*text, *file]).flat_map(u32::to_le_bytes).collect();
    tables[HEAP] = heap.bytes;

    let mut bytes = vec![0; CHECKED];
    let mut begin = HEADER;
    for (table, width) in tables.iter().zip(WIDTHS) {
        bytes.extend(number(begin).to_le_bytes());
        bytes.extend(number(table.len() / width).to_le_bytes());
        begin += table.len();
    }
    bytes.extend(tables.into_iter().flatten());
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&built.to_le_bytes());
    let sum = blake3::hash(&bytes[CHECKED..]);
    bytes[24..40].copy_from_slice(&sum.as_bytes()[..16]);
    bytes
}

/// A number as it is stored. An index of four gigabytes is refused when it is read.
fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Text, each piece once.
#[derive(Default)]
struct Heap<'t> {
    bytes: Vec<u8>,
    known: HashMap<&'t str, u32>,
}

impl<'t> Heap<'t> {
    fn place(&mut self, text: &'t str) -> (u32, u32) {
        let begin = match self.known.get(text) {
            Some(begin) => *begin,
            None => {
                let begin = number(self.bytes.len());
                self.bytes.extend(text.as_bytes());
                self.known.insert(text, begin);
                begin
            }
        };
        (begin, number(text.len()))
    }

    fn add(&mut self, text: &'t str, to: &mut Vec<u8>) {
        let (begin, length) = self.place(text);
        to.extend(begin.to_le_bytes());
        to.extend(length.to_le_bytes());
    }
}

impl Index {
    /// Reads the index of a project, if it has one.
    ///
    /// # Errors
    /// If it can not be read, or is none that this program wrote.
    pub(crate) fn read(root: &Path) -> Result<Option<Index>, Problem> {
        let path = path(root);
        let problem = || Problem::new(format!("cannot read the index `{}`", path.display()));
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(problem().because(error)),
            Ok(bytes) => Index::decode(bytes)
                .map(Some)
                .map_err(|why| problem().because(why).hint("`classify index` builds it again")),
        }
    }

    /// Takes bytes for an index.
    pub(crate) fn decode(bytes: Vec<u8>) -> Result<Index, &'static str> {
        let field =
            |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
        if bytes.len() < HEADER || &bytes[..8] != MAGIC {
            return Err("it is no index");
        }
        if field(8) != Some(VERSION) {
            return Err("another version of this program wrote it");
        }
        if bytes[24..40] != blake3::hash(&bytes[CHECKED..]).as_bytes()[..16] {
            return Err("it is damaged");
        }
        let mut tables = [(0, 0); TABLES];
        for (at, table) in tables.iter_mut().enumerate() {
            let begin = field(CHECKED + at * 8).ok_or("it is damaged")? as usize;
            let rows = field(CHECKED + at * 8 + 4).ok_or("it is damaged")? as usize;
            if begin + rows * WIDTHS[at] > bytes.len() {
                return Err("it is damaged");
            }
            *table = (begin, rows);
        }
        let built = bytes[16..24].try_into().map_or(0, i64::from_le_bytes);
        Ok(Index { bytes, tables, built })
    }

    /// Returns the number of files.
    pub(crate) fn len(&self) -> usize {
        self.tables[FILES].1
    }

    /// Returns the size of the index in bytes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the number of symbols.
    pub(crate) fn symbols(&self) -> usize {
        self.tables[SYMBOLS].1
    }

    /// Returns the file at a place.
    pub(crate) fn file(&self, place: u32) -> File<'_> {
        File { index: self, row: self.row(FILES, place as usize) }
    }

    /// Returns all files, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = File<'_>> {
        (0..self.len()).map(|at| self.file(number(at)))
    }

    /// Finds a file by its path from the root.
    pub(crate) fn find(&self, path: &str) -> Option<u32> {
        let place = self.first(FILES, |at| self.file(number(at)).path() < path);
        let place = number(place);
        ((place as usize) < self.len() && self.file(place).path() == path).then_some(place)
    }

    /// Tells whether some file is in this directory.
    pub(crate) fn has_directory(&self, path: &str) -> bool {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let place = self.first(FILES, |at| self.file(number(at)).path() < prefix.as_str());
        place < self.len() && self.file(number(place)).path().starts_with(&prefix)
    }

    /// Finds the files of a name.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = u32> {
        let at = |row| self.u32(self.row(FILES_BY_NAME, row));
        let begin = self.first(FILES_BY_NAME, |row| name_of(self.file(at(row)).path()) < name);
        let all = (begin..self.len()).map(at);
        all.take_while(move |place| name_of(self.file(*place).path()) == name)
    }

    /// Finds the files whose path ends with this one.
    pub(crate) fn ending_with(&self, path: &str) -> impl Iterator<Item = u32> {
        let path = path.trim_start_matches('/');
        self.named(name_of(path)).filter(move |place| {
            let known = self.file(*place).path();
            known == path || known.strip_suffix(path).is_some_and(|rest| rest.ends_with('/'))
        })
    }

    /// Returns paths that may be meant by one that is not there: the same name with another ending, or a name that begins
    /// like it and is much like it.
    pub(crate) fn near(&self, path: &str) -> Vec<&str> {
        let (name, stem) = (name_of(path), stem_of(path));
        let same = format!("{stem}.");
        let mut near: Vec<&str> =
            self.beginning_with(&same).map(|place| self.file(place).path()).take(3).collect();
        if near.is_empty() {
            let begins = &name[..floor(name, 2)];
            let mut alike: Vec<(&str, &str)> = self
                .beginning_with(begins)
                .map(|place| self.file(place).path())
                .map(|path| (name_of(path), path))
                .take(ALIKE)
                .collect();
            // By name, and of the files of one name the first by path.
            alike.dedup_by_key(|(name, _)| *name);
            let names: Vec<&str> = alike.iter().map(|(name, _)| *name).collect();
            let nearest = shared::config::nearest(name, &names);
            near.extend(alike.iter().filter(|(name, _)| Some(*name) == nearest).map(|(_, path)| *path));
        }
        near
    }

    fn beginning_with(&self, begin: &str) -> impl Iterator<Item = u32> {
        let at = |row| self.u32(self.row(FILES_BY_NAME, row));
        let first = self.first(FILES_BY_NAME, |row| name_of(self.file(at(row)).path()) < begin);
        (first..self.len())
            .map(at)
            .take_while(move |place| name_of(self.file(*place).path()).starts_with(begin))
    }

    /// Finds where a symbol is defined.
    pub(crate) fn symbol(&self, name: &str) -> impl Iterator<Item = Defined<'_>> {
        let at = |row| self.defined(self.u32(self.row(SYMBOLS_BY_NAME, row)) as usize);
        let begin = self.first(SYMBOLS_BY_NAME, |row| at(row).name < name);
        (begin..self.symbols()).map(at).take_while(move |defined| defined.name == name)
    }

    /// Finds the file whose string literals say this, if a third of its words in a row do.
    pub(crate) fn text(&self, text: &str) -> Option<u32> {
        let rows = texts::of_text(text);
        let mut hits: HashMap<u32, usize> = HashMap::new();
        for row in &rows {
            let begin = self.first(TEXTS, |at| self.u32(self.row(TEXTS, at)) < *row);
            // A row that so many files have tells nothing.
            for at in (begin..self.tables[TEXTS].1).take(50) {
                let at = self.row(TEXTS, at);
                if self.u32(at) != *row {
                    break;
                }
                *hits.entry(self.u32(at + 4)).or_default() += 1;
            }
        }
        let (file, hits) = hits.into_iter().max_by_key(|(file, hits)| (*hits, std::cmp::Reverse(*file)))?;
        (hits * 3 >= rows.len()).then_some(file)
    }

    /// Returns the files, tests aside, that import the one at this path: what a mistake in it would reach first.
    pub(crate) fn dependents(&self, path: &str) -> Vec<&str> {
        let Some(place) = self.find(path) else { return Vec::new() };
        self.file(place).dependents().map(|by| self.file(by).path()).collect()
    }

    /// Returns the same index, built at another time, in seconds since 1970.
    pub(crate) fn renewed(mut self, built: i64) -> Index {
        self.built = built;
        self.bytes[16..24].copy_from_slice(&built.to_le_bytes());
        self
    }

    /// Returns the index as it is written.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the files apart again, to build on them.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self
            .files()
            .map(|file| Entry {
                path: file.path().to_owned(),
                size: file.size(),
                modified: file.modified(),
                hash: file.hash(),
                scanned: Scanned {
                    language: file.language(),
                    lines: file.lines(),
                    tests_itself: file.tests_itself(),
                    package: file.package().to_owned(),
                    symbols: file
                        .symbols()
                        .map(|found| Symbol {
                            name: found.name.to_owned(),
                            kind: found.kind,
                            line: found.line,
                        })
                        .collect(),
                    imports: file.written_imports().map(str::to_owned).collect(),
                    texts: Vec::new(),
                },
            })
            .collect();
        for row in 0..self.tables[TEXTS].1 {
            let at = self.row(TEXTS, row);
            if let Some(entry) = entries.get_mut(self.u32(at + 4) as usize) {
                entry.scanned.texts.push(self.u32(at));
            }
        }
        entries
    }

    /// Returns the first row for which the order is no longer "before".
    fn first(&self, table: usize, is_before: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.tables[table].1);
        while low < high {
            let middle = usize::midpoint(low, high);
            if is_before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn row(&self, table: usize, row: usize) -> usize {
        self.tables[table].0 + row * WIDTHS[table]
    }

    fn u32(&self, at: usize) -> u32 {
        self.bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
    }

    fn u64(&self, at: usize) -> u64 {
        self.bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
    }

    fn heap(&self, begin: u32, length: usize) -> &str {
        let begin = self.tables[HEAP].0 + begin as usize;
        self.bytes
            .get(begin..begin + length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    fn defined(&self, row: usize) -> Defined<'_> {
        let at = self.row(SYMBOLS, row);
        let word = self.u32(at + 4);
        Defined {
            name: self.heap(self.u32(at), (word & 0xffff) as usize),
            kind: Kind::from_code((word >> 16) as u8),
            file: self.u32(at + 8),
            line: self.u32(at + 12),
        }
    }
}

impl<'i> File<'i> {
    pub(crate) fn path(&self) -> &'i str {
        self.text(0)
    }

    pub(crate) fn hash(&self) -> [u8; 16] {
        let bytes = self.index.bytes.get(self.row + 8..self.row + 24);
        bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
    }

    /// In bytes.
    pub(crate) fn size(&self) -> u64 {
        self.index.u64(self.row + 24)
    }

    /// When it was written, in nanoseconds since 1970.
    pub(crate) fn modified(&self) -> i64 {
        self.index.u64(self.row + 32).cast_signed()
    }

    pub(crate) fn lines(&self) -> u32 {
        self.index.u32(self.row + 40)
    }

    pub(crate) fn language(&self) -> Language {
        Language::from_code(self.byte(44))
    }

    pub(crate) fn is_test(&self) -> bool {
        self.byte(45) & 1 != 0
    }

    /// Tells whether it has tests of its own.
    pub(crate) fn tests_itself(&self) -> bool {
        self.byte(45) & 2 != 0
    }

    pub(crate) fn coverage(&self) -> Coverage {
        Coverage::from_code(self.byte(46))
    }

    fn package(&self) -> &'i str {
        self.text(48)
    }

    pub(crate) fn symbols(&self) -> impl Iterator<Item = Defined<'i>> + use<'i> {
        let index = self.index;
        let (begin, count) = self.span(56, SYMBOLS);
        (begin..begin + count).map(move |row| index.defined(row))
    }

    /// Returns what it imports, as it is written.
    pub(crate) fn written_imports(&self) -> impl Iterator<Item = &'i str> + use<'i> {
        let index = self.index;
        let (begin, count) = self.span(64, IMPORTS);
        (begin..begin + count).map(move |row| {
            let at = index.row(IMPORTS, row);
            index.heap(index.u32(at), index.u32(at + 4) as usize)
        })
    }

    /// Returns the files that it imports.
    pub(crate) fn imports(&self) -> impl Iterator<Item = u32> + use<'i> {
        self.places(72)
    }

    /// Returns the files that import it, tests included.
    pub(crate) fn imported_by(&self) -> impl Iterator<Item = u32> + use<'i> {
        self.places(80)
    }

    /// Returns the tests that import it or are named for it.
    pub(crate) fn tests(&self) -> impl Iterator<Item = u32> + use<'i> {
        self.places(88)
    }

    /// Returns the files that import it, tests aside.
    pub(crate) fn dependents(&self) -> impl Iterator<Item = u32> + use<'i> {
        let index = self.index;
        self.imported_by().filter(move |by| !index.file(*by).is_test())
    }

    /// Returns how far a mistake in it would reach.
    pub(crate) fn reach(&self) -> Reach {
        Reach::of(self.dependents().count())
    }

    fn places(&self, field: usize) -> impl Iterator<Item = u32> + use<'i> {
        let index = self.index;
        let (begin, count) = self.span(field, PLACES);
        (begin..begin + count).map(move |row| index.u32(index.row(PLACES, row)))
    }

    /// Returns where the rows of a file begin in another table, and how many there are.
    fn span(&self, field: usize, table: usize) -> (usize, usize) {
        let rows = self.index.tables[table].1;
        let begin = (self.index.u32(self.row + field) as usize).min(rows);
        let count = (self.index.u32(self.row + field + 4) as usize).min(rows - begin);
        (begin, count)
    }

    fn text(&self, field: usize) -> &'i str {
        self.index.heap(self.index.u32(self.row + field), self.index.u32(self.row + field + 4) as usize)
    }

    fn byte(&self, field: usize) -> u8 {
        self.index.bytes.get(self.row + field).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::graph;
    use crate::index::scan::scan;

    fn entries(files: &[(&str, &str)]) -> Vec<Entry> {
        let mut entries: Vec<Entry> = files
            .iter()
            .map(|(path, text)| Entry {
                path: (*path).to_owned(),
                size: text.len() as u64,
                modified: 17,
                hash: blake3::hash(text.as_bytes()).as_bytes()[..16].try_into().unwrap(),
                scanned: scan(path, text),
            })
            .collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries
    }

    fn index(files: &[(&str, &str)]) -> Index {
        let entries = entries(files);
        Index::decode(encode(&entries, &graph::nodes(&entries), 5)).unwrap()
    }

    const SMALL: [(&str, &str); 4] = [
        ("src/a.py", "def load():\n    raise ValueError('no such column here')\n"),
        ("src/b.py", "import a\ndef load():\n    pass\n"),
        ("lib/a.py", "class A:\n    pass\n"),
        ("README.md", "hello\n"),
    ];

    #[test]
    fn what_was_written_is_what_is_read() {
        let entries = entries(&SMALL);
        let index = index(&SMALL);
        assert_eq!(index.entries(), entries);
        assert_eq!((index.len(), index.built), (4, 5));
        for (at, entry) in entries.iter().enumerate() {
            assert_eq!(index.find(&entry.path), Some(number(at)));
        }
        assert_eq!((index.find("src/"), index.find("src/c.py"), index.find("")), (None, None, None));
        assert!(index.has_directory("src") && index.has_directory("lib/") && !index.has_directory("li"));
    }

    #[test]
    fn files_symbols_and_messages_are_found() {
        let index = index(&SMALL);
        let path = |place| index.file(place).path();
        assert_eq!(index.named("a.py").map(path).collect::<Vec<_>>(), ["lib/a.py", "src/a.py"]);
        assert_eq!(index.ending_with("src/a.py").map(path).collect::<Vec<_>>(), ["src/a.py"]);
        assert_eq!(index.ending_with("rc/a.py").count(), 0);
        let loads: Vec<_> = index.symbol("load").map(|found| (path(found.file), found.line)).collect();
        assert_eq!(loads, [("src/a.py", 1), ("src/b.py", 2)]);
        assert_eq!(index.symbol("lo").count() + index.symbol("z").count(), 0);
        assert_eq!(index.text("ValueError: no such column here, again").map(path), Some("src/a.py"));
        assert_eq!(index.text("no such thing there"), None);
        assert_eq!(index.dependents("src/a.py"), ["src/b.py"]);
        assert_eq!(index.near("src/a.rs"), ["lib/a.py", "src/a.py"]);
        assert_eq!(index.near("src/abc.py"), Vec::<&str>::new());
        assert_eq!(index.near("READM.md"), ["README.md"]);
        assert_eq!(index.near("é.md"), Vec::<&str>::new());
        assert_eq!(index.renewed(6).built, 6);
    }

    #[test]
    fn an_empty_project_has_an_index() {
        let index = index(&[]);
        assert_eq!((index.len(), index.find("a"), index.text("a b c d")), (0, None, None));
    }

    #[test]
    fn what_is_damaged_or_of_another_version_is_refused() {
        let entries = entries(&SMALL);
        let bytes = encode(&entries, &graph::nodes(&entries), 5);
        let refused = |bytes: Vec<u8>| Index::decode(bytes).map(|_| ()).unwrap_err();
        assert_eq!(refused(bytes[..bytes.len() - 1].to_vec()), "it is damaged");
        assert_eq!(refused(b"specpidx".to_vec()), "it is no index");
        let mut other = bytes.clone();
        other[8] = 99;
        assert_eq!(refused(other), "another version of this program wrote it");
        let mut flipped = bytes.clone();
        flipped[HEADER + 3] ^= 1;
        assert_eq!(refused(flipped), "it is damaged");
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(mut noise in proptest::collection::vec(any::<u8>(), HEADER..600)) {
            // With a check sum that fits, so that the tables themselves are what is nonsense.
            noise[..8].copy_from_slice(MAGIC);
            noise[8..12].copy_from_slice(&VERSION.to_le_bytes());
            for byte in &mut noise[CHECKED..HEADER] {
                *byte &= 0x81;
            }
            for at in (CHECKED..HEADER).step_by(4) {
                noise[at + 1] = 0;
                noise[at + 2] = 0;
                noise[at + 3] = 0;
            }
            let sum = blake3::hash(&noise[CHECKED..]);
            noise[24..40].copy_from_slice(&sum.as_bytes()[..16]);
            if let Ok(index) = Index::decode(noise) {
                for file in index.files().take(10) {
                    let _ = (file.path(), file.symbols().count(), file.tests().take(99).count(), file.written_imports().count());
                }
                let _ = (index.find("a"), index.symbol("a").take(99).count(), index.named("a").take(99).count(), index.text("a b c d"));
            }
        }
    }
}
