//! What git tracks, whatever its rules ignore.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, statat};

use shared::git::Repo;

use super::name::Name;
use super::walk::{Stat, is_ours};

/// The names in git's index, read again when it was written.
#[derive(Debug)]
pub(crate) struct Tracked {
    repo: Repo,
    index: PathBuf,
    stat: Option<Stat>,
    /// The names, sorted.
    pub(crate) names: Vec<Name>,
}

impl Tracked {
    /// Prepares for the index of a repository.
    pub(crate) fn new(repo: &Repo) -> Option<Tracked> {
        let index = repo.run(["rev-parse", "--git-path", "index"]).ok()?;
        let index = repo.root().join(index.trim_end_matches('\n'));
        Some(Tracked { repo: repo.clone(), index, stat: None, names: Vec::new() })
    }

    /// Brings the names below this directory up to date.
    pub(crate) fn update(&mut self, root: &Path) {
        let stat = statat(CWD, &self.index, AtFlags::empty()).ok().and_then(|stat| Stat::of(&stat));
        if stat.is_some() && stat == self.stat {
            return;
        }
        let arguments = [OsStr::new("-C"), root.as_os_str(), OsStr::new("ls-files"), OsStr::new("-z")];
        // Without an answer, the last one is better than none.
        let Ok(listed) = self.repo.bytes(arguments) else { return };
        let names = listed.split(|byte| *byte == 0).map(OsStr::from_bytes).map(Path::new);
        let is_file = |name: &&Path| !name.as_os_str().is_empty() && !name.iter().any(is_ours);
        self.names = names.filter(is_file).map(|name| name.to_owned().into()).collect();
        self.names.sort_unstable();
        self.names.dedup();
        self.stat = stat;
    }
}
