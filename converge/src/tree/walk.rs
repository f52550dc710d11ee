//! Which files there are: tracked and untracked ones, not those that git ignores.
//!
//! Directories are opened one below the other and files are looked at relative to them, which costs half of what whole
//! paths cost. Rules of `.gitignore` are read once for each folder that has them; they count without git too.
//!
//! What is looked at does not depend on the state of git, with one exception that is meant: a file that is tracked though
//! a rule ignores it belongs to the work.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use shared::git::Repo;

use super::name::Name;
use super::tracked::Tracked;

/// Everything that changes when a file changes. A clock that was set back can fool it, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    inode: u64,
    /// Nanoseconds since 1970.
    modified: i128,
    changed: i128,
}

/// The kinds of files that have a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file, and whether its owner may execute it: what git keeps of its mode.
    File { is_executable: bool },
    /// A symbolic link.
    Link,
}

impl Stat {
    // The types of these fields differ between systems.
    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn of(stat: &rustix::fs::Stat) -> Option<Stat> {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                Kind::File { is_executable: Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR) }
            }
            FileType::Symlink => Kind::Link,
            _ => return None,
        };
        let nanos = |seconds: i128, nanos: i128| seconds * 1_000_000_000 + nanos;
        Some(Stat {
            kind,
            size: stat.st_size as u64,
            inode: stat.st_ino as u64,
            modified: nanos(stat.st_mtime as i128, stat.st_mtime_nsec as i128),
            changed: nanos(stat.st_ctime as i128, stat.st_ctime_nsec as i128),
        })
    }

    /// Returns the time of its last change, in nanoseconds since 1970.
    pub(crate) fn last_change(&self) -> i128 {
        self.modified.max(self.changed)
    }
}

/// What a file is known by, wherever it stands.
type Id = (u64, u64);

// The types of these fields differ between systems.
#[allow(clippy::unnecessary_cast)]
fn id(stat: &rustix::fs::Stat) -> Id {
    (stat.st_dev as u64, stat.st_ino as u64)
}

/// Finds the files below a directory.
#[derive(Debug)]
pub(crate) struct Walker {
    root: PathBuf,
    repo: Option<Repo>,
    tracked: Option<Tracked>,
    /// The files that we write to ourselves: a report in the tree is no progress of it.
    own: Vec<Id>,
    /// Rules from above: the user's, the repository's own, and those of the folders between it and us.
    above: Vec<Gitignore>,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files, by their path below the root.
    pub(crate) files: Vec<(Name, Stat)>,
    /// Folders that are repositories of their own.
    pub(crate) nested: Vec<PathBuf>,
    /// What could not be looked at.
    pub(crate) unreadable: Vec<PathBuf>,
}

struct Folder {
    path: PathBuf,
    fd: OwnedFd,
    rules: Rc<Rules>,
}

/// The rules of a folder and those above it.
struct Rules {
    own: Gitignore,
    above: Option<Rc<Rules>>,
}

impl Walker {
    /// Prepares for walks below a directory.
    pub(crate) fn new(root: &Path) -> Walker {
        let repo = Repo::discover(root);
        let mut above = vec![Gitignore::global().0];
        if let Some(repo) = &repo {
            let exclude = repo.run(["rev-parse", "--git-path", "info/exclude"]).ok();
            let exclude = exclude.map(|path| repo.root().join(path.trim_end_matches('\n')));
            let mut builder = GitignoreBuilder::new(repo.root());
            builder.add(exclude.unwrap_or_default());
            above.extend(builder.build());
            let mut between: Vec<&Path> =
                root.ancestors().skip(1).take_while(|ancestor| ancestor.starts_with(repo.root())).collect();
            between.reverse();
            for folder in between {
                let mut builder = GitignoreBuilder::new(folder);
                builder.add(folder.join(".gitignore"));
                above.extend(builder.build());
            }
        }
        let own = [fstat(std::io::stdout()), fstat(std::io::stderr())].into_iter().flatten();
        let own = own
            .filter(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
            .map(|stat| id(&stat));
        let tracked = repo.as_ref().and_then(Tracked::new);
        Walker { root: root.to_owned(), repo, tracked, own: own.collect(), above }
    }

    /// Returns the repository that the directory belongs to.
    pub(crate) fn repo(&self) -> Option<&Repo> {
        self.repo.as_ref()
    }

    /// Returns the directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Finds all files.
    pub(crate) fn walk(&mut self) -> std::io::Result<Found> {
        let mut found = Found::default();
        let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = openat(CWD, &self.root, directory & !OFlags::NOFOLLOW, Mode::empty())?;
        let none = Rc::new(Rules { own: Gitignore::empty(), above: None });
        let mut folders = vec![Folder { path: PathBuf::new(), fd, rules: none }];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = Dir::read_from(&folder.fd) else {
                found.unreadable.push(folder.path);
                continue;
            };
            let names: Vec<_> = entries
                .flatten()
                .map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
                .filter(|name| name != "." && name != "..")
                .collect();
            if !folder.path.as_os_str().is_empty() && names.iter().any(|name| name == ".git") {
                found.nested.push(folder.path.clone());
            }
            let rules = self.rules(&folder, names.iter().any(|name| name == ".gitignore"));
            for name in names {
                if is_ours(&name) {
                    continue;
                }
                let path = folder.path.join(&name);
                let stat = match statat(folder.fd.as_fd(), &name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => stat,
                    // Gone between the two looks.
                    Err(Errno::NOENT) => continue,
                    Err(_) => {
                        found.unreadable.push(path);
                        continue;
                    }
                };
                if self.own.contains(&id(&stat)) {
                    continue;
                }
                let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
                if self.is_ignored(&rules, &path, is_directory) {
                    continue;
                }
                if is_directory {
                    match openat(folder.fd.as_fd(), &name, directory, Mode::empty()) {
                        Ok(fd) => folders.push(Folder { path, fd, rules: Rc::clone(&rules) }),
                        Err(Errno::NOENT) => {}
                        Err(_) => found.unreadable.push(path),
                    }
                } else if let Some(stat) = Stat::of(&stat) {
                    found.files.push((path.into(), stat));
                }
            }
        }
        found.files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.add_tracked(&mut found);
        Ok(found)
    }

    fn rules(&self, folder: &Folder, has_own: bool) -> Rc<Rules> {
        if !has_own {
            return Rc::clone(&folder.rules);
        }
        let is_root = folder.path.as_os_str().is_empty();
        let mut builder = GitignoreBuilder::new(if is_root { Path::new(".") } else { &folder.path });
        // A line that can not be read as a rule ignores nothing, as in git.
        builder.add(self.root.join(&folder.path).join(".gitignore"));
        match builder.build() {
            Ok(own) => Rc::new(Rules { own, above: Some(Rc::clone(&folder.rules)) }),
            Err(_) => Rc::clone(&folder.rules),
        }
    }

    /// Tells whether a path is ignored: the nearest folder that has something to say decides.
    fn is_ignored(&self, rules: &Rules, path: &Path, is_directory: bool) -> bool {
        let mut next = Some(rules);
        while let Some(rules) = next {
            if !rules.own.is_empty() {
                let matched = rules.own.matched(path, is_directory);
                if !matched.is_none() {
                    return matched.is_ignore();
                }
            }
            next = rules.above.as_deref();
        }
        if self.above.iter().all(Gitignore::is_empty) {
            return false;
        }
        let absolute = self.root.join(path);
        for rules in self.above.iter().rev().filter(|rules| !rules.is_empty()) {
            let matched = rules.matched(&absolute, is_directory);
            if !matched.is_none() {
                return matched.is_ignore();
            }
        }
        false
    }

    /// Adds files that are tracked though a rule ignores them.
    fn add_tracked(&mut self, found: &mut Found) {
        let Some(tracked) = &mut self.tracked else { return };
        tracked.update(&self.root);
        let mut files = found.files.iter().peekable();
        let mut missing = Vec::new();
        for name in &tracked.names {
            while files.next_if(|(other, _)| other < name).is_some() {}
            if files.next_if(|(other, _)| other == name).is_some() {
                continue;
            }
            // Ignored, or deleted.
            if let Ok(stat) = statat(CWD, self.root.join(&**name), AtFlags::SYMLINK_NOFOLLOW)
                && !self.own.contains(&id(&stat))
                && let Some(stat) = Stat::of(&stat)
            {
                missing.push((name.clone(), stat));
            }
        }
        if !missing.is_empty() {
            found.files.extend(missing);
            found.files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        }
    }
}

/// Tells whether a folder is git's or our own, and so no part of the work.
pub(crate) fn is_ours(name: &OsStr) -> bool {
    name == ".git" || name == shared::state::DIRECTORY
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn sh(directory: &Path, script: &str) -> String {
        let output =
            std::process::Command::new("sh").args(["-ec", script]).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Compares what a walk finds with what git lists. Not in a folder that is ignored itself: whoever names it wants it
    /// looked at.
    #[track_caller]
    fn agrees_with_git(directory: &Path) {
        if sh(directory, "git check-ignore -q --no-index \"$PWD\" && echo ignored || true") == "ignored\n" {
            return;
        }
        let found = Walker::new(directory).walk().unwrap();
        let found: Vec<String> = found.files.iter().map(|(name, _)| name.display().to_string()).collect();
        let listed = sh(directory, "git ls-files -co --exclude-standard");
        let mut listed: Vec<&str> = listed.lines().collect();
        listed.sort_unstable();
        listed.dedup();
        assert_eq!(found, listed);
    }

    fn repository(script: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        sh(directory.path(), "git init -q; git config user.name t; git config user.email t@example.com");
        sh(directory.path(), script);
        directory
    }

    #[test]
    fn the_rules_are_those_of_git() {
        let directory = repository(
            "mkdir -p a/b/c d/build out/keep vendor/x
             printf '*.log\\n/build/\\nout/*\\n!out/keep\\n# comment\\n\\\\#odd\\nvendor\\n**/c/*.bin\\ntrailing \\n' > .gitignore
             printf '!important.log\\n/local\\n' > a/.gitignore
             printf 'x\\n' > a/b/.gitignore
             echo excluded > .git/info/exclude
             touch a/1.log a/important.log a/b/important.log a/b/x a/x a/local a/b/local a/b/c/y.bin a/b/y.bin
             touch d/build/z build.txt out/no out/keep/yes vendor/x/v excluded trailing '#odd' .hidden
             echo forced > vendor/x/tracked; git add -f vendor/x/tracked out/no; git add .; git rm -q --cached out/keep/yes",
        );
        let root = directory.path().canonicalize().unwrap();
        agrees_with_git(&root);
        for part in ["a", "a/b", "out", "vendor/x"] {
            agrees_with_git(&root.join(part));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_rules_are_those_of_git(
            rules in proptest::collection::vec("!?/?(\\*\\*/)?([ab*]|a\\*|[ab]/[ab*])/?", 0..5),
            below in proptest::collection::vec("!?/?[ab*]/?", 0..3),
        ) {
            let directory = repository("for x in a b ab; do mkdir -p d$x/$x/a; for y in a b ba; do touch d$x/$x/$y.t d$x/$x/a/$y d$x/$y; done; done; touch top");
            let root = directory.path().canonicalize().unwrap();
            std::fs::write(root.join(".gitignore"), rules.join("\n")).unwrap();
            std::fs::write(root.join("da/.gitignore"), below.join("\n")).unwrap();
            agrees_with_git(&root);
            agrees_with_git(&root.join("da"));
        }
    }
}
