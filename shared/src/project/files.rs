//! What detection reads: small text files of one directory, and whether something is there.

use std::path::{Path, PathBuf};

/// No manifest of a real project is larger; what is larger is not worth the time.
const LIMIT: u64 = 4 << 20;

pub(super) struct Files<'a> {
    dir: &'a Path,
}

impl<'a> Files<'a> {
    pub(super) fn new(dir: &'a Path) -> Self {
        Files { dir }
    }

    pub(super) fn dir(&self) -> &'a Path {
        self.dir
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.dir.join(name).is_file()
    }

    pub(super) fn has_dir(&self, name: &str) -> bool {
        self.dir.join(name).is_dir()
    }

    /// Returns the first of `names` that is a file.
    pub(super) fn first<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        let path = self.dir.join(name);
        let metadata = std::fs::metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > LIMIT {
            return None;
        }
        let bytes = std::fs::read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(super) fn toml(&self, name: &str) -> Option<toml::Table> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn json(&self, name: &str) -> Option<serde_json::Value> {
        serde_json::from_str(&self.text(name)?).ok()
    }

    /// Returns the names of the files directly in `sub` (empty: here) that satisfy `wanted`, sorted.
    pub(super) fn names(&self, sub: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir.join(sub))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| wanted(name))
            .collect();
        names.sort();
        names
    }

    /// Returns whether the INI-like file has the section `[name]`.
    pub(super) fn has_section(&self, file: &str, name: &str) -> bool {
        let header = format!("[{name}]");
        self.text(file).is_some_and(|text| text.lines().any(|line| line.trim() == header))
    }
}
