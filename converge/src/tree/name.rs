//! The path of a file below the root of a tree.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A path that is compared byte by byte: comparing it component by component, as [`Path`] does, costs several times as
/// much, and a large tree is sorted and merged in every iteration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(Arc<OsStr>);

impl From<PathBuf> for Name {
    fn from(path: PathBuf) -> Self {
        Name(path.into_os_string().into())
    }
}

impl Deref for Name {
    type Target = Path;

    fn deref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl Borrow<OsStr> for Name {
    fn borrow(&self) -> &OsStr {
        &self.0
    }
}
