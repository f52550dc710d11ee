//! Where an attempt may read and write, held for the tools that run inside this program.
//!
//! A path is judged twice: by its name after all links are resolved, and by the kernel while it is opened, which then has
//! no link left to follow (`openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`; where there is none, component by
//! component). So a link that is put there between the two is refused and not followed. Only regular files are read: a pipe
//! or a device could block or do something. A file is replaced by renaming a new one into its place: nobody sees half of
//! it, and another name of the same file (a hard link) keeps what it had.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// Why a path is not touched, in a sentence for the model.
pub(super) type Refusal = String;

/// A directory that may be used, with all below it.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    fd: OwnedFd,
}

impl Root {
    fn open(path: &Path) -> io::Result<Root> {
        let path = path.canonicalize()?;
        let fd = rustix::fs::open(&path, DIRECTORY, Mode::empty())?;
        Ok(Root { path, fd })
    }
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// What an attempt may touch.
#[derive(Debug)]
pub(crate) struct Place {
    /// Where relative paths begin.
    directory: PathBuf,
    /// Whether the first of `roots` may be written; no other may.
    writes: bool,
    /// What may be read.
    roots: Vec<Root>,
    sight: Arc<Sight>,
}

/// What may be read, by name.
#[derive(Debug)]
pub(super) struct Sight {
    roots: Vec<PathBuf>,
    /// What may not be read although it is below a root, except where a root begins below it.
    hidden: Vec<PathBuf>,
}

impl Sight {
    /// Returns the innermost root that holds a path without links, unless that is hidden there.
    fn root_of(&self, path: &Path) -> Option<usize> {
        let holders = self.roots.iter().enumerate().filter(|(_, root)| path.starts_with(root));
        let (at, root) = holders.max_by_key(|(_, root)| root.as_os_str().len())?;
        let is_hidden = |hidden: &PathBuf| path.starts_with(hidden) && !root.starts_with(hidden);
        (!self.hidden.iter().any(is_hidden)).then_some(at)
    }

    /// Tells whether a path without links may be read.
    pub(super) fn shows(&self, path: &Path) -> bool {
        self.root_of(path).is_some()
    }
}

/// An open file that may be read.
#[derive(Debug)]
pub(super) struct Readable {
    pub(super) file: File,
    /// Where it is, without links.
    pub(super) path: PathBuf,
    pub(super) is_directory: bool,
    pub(super) bytes: u64,
}

/// A place for a file that may be written.
#[derive(Debug)]
pub(super) struct Writable {
    parent: OwnedFd,
    name: OsString,
    /// Where it is, without links.
    pub(super) path: PathBuf,
    /// What is there now.
    pub(super) existing: Option<File>,
}

impl Place {
    /// Returns a place: `tree` with `directory` in it, where relative paths begin, and what else may be read.
    pub(crate) fn new(
        tree: &Path,
        directory: &Path,
        writes: bool,
        readable: &[PathBuf],
        hidden: Vec<PathBuf>,
    ) -> io::Result<Place> {
        let mut roots = vec![Root::open(tree)?];
        for path in readable {
            // What is not there needs no permission.
            roots.extend(Root::open(path).ok());
        }
        let hidden = hidden.into_iter().map(|path| path.canonicalize().unwrap_or(path)).collect();
        let sight = Sight { roots: roots.iter().map(|root| root.path.clone()).collect(), hidden };
        Ok(Place { directory: directory.canonicalize()?, writes, roots, sight: Arc::new(sight) })
    }

    /// Returns where relative paths begin.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the directory that may be written, if it may.
    pub(crate) fn writes_to(&self) -> Option<&Path> {
        self.writes.then_some(&*self.roots[0].path)
    }

    /// Returns the directory that the work is done in.
    pub(crate) fn tree(&self) -> &Path {
        &self.roots[0].path
    }

    /// Returns a path as the model is told it: relative where it can be.
    pub(super) fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.directory).ok().filter(|path| !path.as_os_str().is_empty());
        relative.unwrap_or(path).display().to_string()
    }

    /// Opens what may be read: a regular file, or a directory.
    pub(super) fn read(&self, given: &str) -> Result<Readable, Refusal> {
        let wanted = self.absolute(given)?;
        let outside = || format!("`{given}` is outside of what may be read: {}", self.told_roots());
        if !self.roots.iter().any(|root| wanted.starts_with(&root.path)) {
            return Err(outside());
        }
        let path = match wanted.canonicalize() {
            Ok(path) => path,
            Err(_) if wanted.is_symlink() => return Err(format!("`{given}` is a link that leads nowhere")),
            // Below a link nothing is said of what there is.
            Err(_) if self.nearest(&wanted).is_none_or(|(real, _)| self.root_of(&real).is_none()) => {
                return Err(outside());
            }
            Err(error) => return Err(format!("cannot read `{given}`: {}", said(&error))),
        };
        let root = self.root_of(&path).ok_or_else(outside)?;
        let below = path.strip_prefix(&root.path).unwrap_or(Path::new(""));
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let kind = kind_at(root.fd.as_fd(), below);
        if let Ok(
            kind @ (FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice),
        ) = kind
        {
            return Err(format!("`{given}` is {} and is not opened", name_of(kind)));
        }
        let fd = beneath(root.fd.as_fd(), below, flags, Mode::empty())
            .map_err(|error| format!("cannot read `{given}`: {}", told(error)))?;
        let stat = fstat(&fd).map_err(|error| format!("cannot read `{given}`: {}", told(error)))?;
        let is_directory = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => false,
            FileType::Directory => true,
            kind => return Err(format!("`{given}` is {} and is not read", name_of(kind))),
        };
        let bytes = u64::try_from(stat.st_size).unwrap_or(0);
        Ok(Readable { file: File::from(fd), path, is_directory, bytes })
    }

    /// Finds the place of a file that is to be written; makes the directories above it.
    pub(super) fn write(&self, given: &str) -> Result<Writable, Refusal> {
        let wanted = self.absolute(given)?;
        let tree = &self.roots[0];
        if !self.writes {
            return Err("this executor may not write files".to_owned());
        }
        let outside = || {
            let mut text = format!(
                "`{given}` is outside of {}, and only what is in there may be written",
                tree.path.display()
            );
            // A model that has seen the path of the project means the file of the same name in its tree.
            let project = self.roots[1..].iter().find_map(|root| wanted.strip_prefix(&root.path).ok());
            if let Some(below) = project.filter(|_| !wanted.starts_with(&tree.path)) {
                text.push_str(&format!("; write `{}` instead", tree.path.join(below).display()));
            }
            text
        };
        if !wanted.starts_with(&tree.path) {
            return Err(outside());
        }
        let name = wanted.file_name().ok_or_else(outside)?;
        if wanted == tree.path {
            return Err(format!("`{given}` is a directory"));
        }
        let (real, missing) = match fs::symlink_metadata(&wanted) {
            // A link is written through to where it leads, if that is inside.
            Ok(_) => {
                let real =
                    wanted.canonicalize().map_err(|_| format!("`{given}` is a link that leads nowhere"))?;
                (real, Vec::new())
            }
            Err(_) => {
                let (real, mut missing) = self.nearest(&wanted).ok_or_else(outside)?;
                missing.pop();
                (real.join(missing.iter().collect::<PathBuf>()).join(name), missing)
            }
        };
        if !real.starts_with(&tree.path) || self.root_of(&real).is_none_or(|root| root.path != tree.path) {
            return Err(outside());
        }
        let below = real.strip_prefix(&tree.path).unwrap_or(Path::new(""));
        let (Some(name), Some(above)) = (below.file_name(), below.parent()) else { return Err(outside()) };
        if below.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
            return Err(format!("`{given}` belongs to git, whose files are not written"));
        }
        let cannot = |error: Errno| format!("cannot write `{given}`: {}", told(error));
        let depth = above.components().count() - missing.len();
        let there: PathBuf = above.components().take(depth).collect();
        let mut parent = beneath(tree.fd.as_fd(), &there, DIRECTORY, Mode::empty()).map_err(cannot)?;
        for part in missing {
            match mkdirat(&parent, &part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(cannot(error)),
            }
            parent = openat(&parent, &part, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).map_err(cannot)?;
        }
        let existing = match statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => None,
            Err(error) => return Err(cannot(error)),
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                    let fd = openat(&parent, name, flags, Mode::empty()).map_err(cannot)?;
                    // Looked at again, now that nobody can exchange it.
                    let stat = fstat(&fd).map_err(cannot)?;
                    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                        return Err(format!("`{given}` is no regular file"));
                    }
                    Some(File::from(fd))
                }
                kind => return Err(format!("`{given}` is {} and is not written", name_of(kind))),
            },
        };
        let name = name.to_owned();
        Ok(Writable { parent, name, path: real, existing })
    }

    /// Returns a path of a model as an absolute one without `.` and `..`.
    fn absolute(&self, given: &str) -> Result<PathBuf, Refusal> {
        if given.is_empty() || given.contains('\0') {
            return Err("the path is empty or has a character that no path has".to_owned());
        }
        if given == "~" || given.starts_with("~/") {
            return Err(format!(
                "`{given}` is outside of what may be used; paths begin at {}",
                self.directory.display()
            ));
        }
        let mut path = PathBuf::new();
        for part in self.directory.join(given).components() {
            match part {
                Component::ParentDir => {
                    path.pop();
                }
                Component::CurDir => {}
                part => path.push(part),
            }
        }
        Ok(path)
    }

    /// Returns the directory nearest above that is there, without links, and the names that are missing below it.
    fn nearest(&self, wanted: &Path) -> Option<(PathBuf, Vec<OsString>)> {
        let mut missing = Vec::new();
        let mut above = wanted;
        loop {
            missing.push(above.file_name()?.to_owned());
            above = above.parent()?;
            match above.canonicalize() {
                Ok(real) => {
                    missing.reverse();
                    return Some((real, missing));
                }
                // A link that leads nowhere is no directory that could be made.
                Err(_) if above.is_symlink() => return None,
                Err(_) => {}
            }
        }
    }

    fn root_of(&self, path: &Path) -> Option<&Root> {
        self.sight.root_of(path).map(|at| &self.roots[at])
    }

    /// Returns what may be read, by name.
    pub(super) fn sight(&self) -> Arc<Sight> {
        Arc::clone(&self.sight)
    }

    fn told_roots(&self) -> String {
        let mut told: Vec<String> = self.roots.iter().map(|root| root.path.display().to_string()).collect();
        told.dedup();
        told.join(", ")
    }
}

impl Writable {
    /// Puts a new content into the place of the file, all of it or nothing.
    pub(super) fn replace(&self, content: &[u8]) -> Result<(), Refusal> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let cannot = |error: io::Error| format!("cannot write `{}`: {}", self.path.display(), said(&error));
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".specpipe-{}-{number}.tmp", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&self.parent, &temporary, flags, Mode::from_raw_mode(0o666))
            .map_err(|error| cannot(error.into()))?;
        let mut file = File::from(fd);
        let written = file.write_all(content).and_then(|()| {
            if let Some(existing) = &self.existing {
                file.set_permissions(existing.metadata()?.permissions())?;
            }
            Ok(renameat(&self.parent, &temporary, &self.parent, &self.name)?)
        });
        written.map_err(|error| {
            let _ = unlinkat(&self.parent, &temporary, AtFlags::empty());
            cannot(error)
        })
    }
}

/// Opens what is below a directory without following any link.
fn beneath(root: BorrowedFd, below: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(root, below, flags, mode, resolve) {
            // Not there before Linux 5.6, and forbidden in some containers.
            Err(Errno::NOSYS | Errno::PERM) => {}
            opened => return opened,
        }
    }
    step_by_step(root, below, flags, mode)
}

/// Does so where the kernel has no single call for it.
fn step_by_step(root: BorrowedFd, below: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let mut parts = below.components().filter(|part| *part != Component::CurDir).peekable();
    let mut directory = openat(root, ".", DIRECTORY, Mode::empty())?;
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else { return Err(Errno::XDEV) };
        if parts.peek().is_none() {
            return openat(&directory, name, flags | OFlags::NOFOLLOW, mode);
        }
        directory = openat(&directory, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(directory)
}

/// Returns what something is, before it is opened: to open a device may do something.
fn kind_at(root: BorrowedFd, below: &Path) -> Result<FileType, Errno> {
    let (Some(name), Some(above)) = (below.file_name(), below.parent()) else {
        return Ok(FileType::Directory);
    };
    let parent = beneath(root, above, DIRECTORY, Mode::empty())?;
    let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

fn name_of(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a directory",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Symlink => "a link",
        _ => "no regular file",
    }
}

fn told(error: Errno) -> String {
    match error {
        Errno::LOOP | Errno::XDEV => "a link has been put in the way".to_owned(),
        error => said(&error.into()),
    }
}

/// Returns what the system says, without its number.
fn said(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// Tells whether a name is git's own.
pub(super) fn is_git(name: &OsStr) -> bool {
    name.eq_ignore_ascii_case(".git")
}

#[cfg(test)]
mod tests;
