//! From a path as the task writes it to one that exists inside the root.

use std::path::{Component, Path, PathBuf};

use super::Ground;
use super::intent::Place;

/// A path inside the root.
#[derive(Clone, Debug)]
pub(super) struct Located {
    /// Relative to the root, `/` between names; empty is the root.
    pub(super) relative: String,
    pub(super) absolute: PathBuf,
    pub(super) is_dir: bool,
}

impl Located {
    /// Returns the path as it is shown: `.` for the root.
    pub(super) fn shown(&self) -> &str {
        if self.relative.is_empty() { "." } else { &self.relative }
    }
}

impl Ground<'_> {
    /// Finds a place. `None` if it can only be a path and there is none such.
    ///
    /// # Errors
    /// If it leads outside the root or into `.git`, or if it is just a word and nothing bears that name.
    pub(super) fn locate(&self, place: &Place) -> Result<Option<Located>, String> {
        let relative = self.relative(&place.path)?;
        let absolute = self.root.join(&relative);
        let Ok(real) = absolute.canonicalize() else {
            if place.sure {
                return Ok(None);
            }
            return Err(format!("does not understand `{}`: there is no such file or directory", place.path));
        };
        if !real.starts_with(self.root) {
            return Err(format!("`{}` leads outside the working directory", place.path));
        }
        Ok(Some(Located { relative, is_dir: real.is_dir(), absolute }))
    }

    /// Normalises a path without looking at the disk.
    fn relative(&self, path: &str) -> Result<String, String> {
        let outside = || format!("`{path}` is outside the working directory");
        let given = Path::new(path);
        let given =
            if given.is_absolute() { given.strip_prefix(self.root).map_err(|_| outside())? } else { given };
        let mut names: Vec<&str> = Vec::new();
        for component in given.components() {
            match component {
                Component::Normal(name) => names.push(name.to_str().ok_or_else(outside)?),
                Component::CurDir => {}
                Component::ParentDir => {
                    names.pop().ok_or_else(outside)?;
                }
                Component::RootDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        if names.iter().any(|name| name.eq_ignore_ascii_case(".git")) {
            return Err(format!("`{path}` is git's own; ask git instead"));
        }
        Ok(names.join("/"))
    }
}
