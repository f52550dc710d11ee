//! The content of a tree as hashes: of each file, of each kind of file, of all.
//!
//! Two trees with the same files have the same fingerprint, whatever git thinks of them, however they came to be, and
//! whatever the clock says. A file counts with its path, its content, whether it may be executed, and what a link points
//! to. A file is read again only if something about it changed or it is so young that its times could hide a change
//! (git's rule for racily clean entries); [`Scanner::scan`] can be told to read them all.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{SystemTime, UNIX_EPOCH};

use blake3::{Hash, Hasher};

use super::class::{Class, Classes};
use super::diff::Lines;
use super::name::Name;
use super::walk::{Kind, Stat, Walker};

/// Times of files are this coarse, with a margin.
const RACY: i128 = 20_000_000;

/// Reading waits for the disk more than for a processor: on two processors, 8 threads read a cold tree three times as fast
/// as 2.
const READERS: usize = 8;

/// A file in a tree.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// Its content, kind and mode.
    pub(crate) hash: Hash,
    /// What kind of file it is.
    pub(crate) class: Class,
    /// Whether there is anything in it.
    pub(crate) is_empty: bool,
    /// Its lines, to count what changes in them.
    pub(crate) lines: Option<Arc<Lines>>,
}

/// A tree at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// The files, sorted by their path.
    pub(crate) files: Vec<(Name, Leaf)>,
    /// Folders that are repositories of their own.
    pub(crate) nested: Vec<PathBuf>,
    /// What could not be read.
    pub(crate) unreadable: Vec<PathBuf>,
}

/// The hashes of a tree: one for each kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([Hash; Class::ALL.len()]);

impl Tree {
    /// Returns the file with this path.
    pub(crate) fn get(&self, name: &Name) -> Option<&Leaf> {
        self.files.binary_search_by(|(other, _)| other.cmp(name)).ok().map(|index| &self.files[index].1)
    }

    /// Returns how many files of a kind there are.
    pub(crate) fn count(&self, class: Class) -> usize {
        self.files.iter().filter(|(_, leaf)| leaf.class == class).count()
    }

    /// Returns the fingerprint: for each kind, the hash of the paths and hashes of its files.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Class::ALL.map(|class| {
            let mut hasher = Hasher::new();
            for (path, leaf) in self.files.iter().filter(|(_, leaf)| leaf.class == class) {
                let path = path.as_os_str().as_bytes();
                hasher.update(&(path.len() as u64).to_le_bytes()).update(path).update(leaf.hash.as_bytes());
            }
            hasher.finalize()
        }))
    }
}

impl Fingerprint {
    /// Returns the hash of one kind of file.
    pub(crate) fn of(&self, class: Class) -> Hash {
        self.0[class as usize]
    }

    /// Returns the hash of several kinds of files.
    pub(crate) fn of_all(&self, classes: &[Class]) -> Hash {
        let mut hasher = Hasher::new();
        for class in classes {
            hasher.update(self.of(*class).as_bytes());
        }
        hasher.finalize()
    }
}

/// Takes fingerprints of one tree again and again.
#[derive(Debug)]
pub(crate) struct Scanner {
    walker: Walker,
    classes: Classes,
    /// What was read before, sorted by path.
    known: Vec<(Name, Known)>,
}

#[derive(Debug)]
struct Known {
    stat: Stat,
    /// When it was about to be read, in nanoseconds since 1970.
    read_at: i128,
    leaf: Leaf,
}

impl Scanner {
    /// Prepares for the tree below a directory.
    pub(crate) fn new(walker: Walker, classes: Classes) -> Scanner {
        Scanner { walker, classes, known: Vec::new() }
    }

    /// Returns what finds the files.
    pub(crate) fn walker(&self) -> &Walker {
        &self.walker
    }

    /// Looks at the tree. With `read_all`, times are not believed.
    pub(crate) fn scan(&mut self, read_all: bool) -> std::io::Result<Tree> {
        let found = self.walker.walk()?;
        let mut tree = Tree { nested: found.nested, unreadable: found.unreadable, ..Tree::default() };
        let mut due = Vec::new();
        let mut known = Vec::with_capacity(found.files.len());
        let mut before = std::mem::take(&mut self.known).into_iter().peekable();
        for (name, stat) in found.files {
            while before.next_if(|(other, _)| *other < name).is_some() {}
            match before.next_if(|(other, _)| *other == name) {
                Some((name, before)) if !read_all && before.is_current(&stat) => known.push((name, before)),
                _ => due.push((name, stat)),
            }
        }
        for (name, stat, read_at, leaf) in self.read(&due) {
            match leaf {
                Some(leaf) => known.push((name, Known { stat, read_at, leaf })),
                None => tree.unreadable.push(name.to_path_buf()),
            }
        }
        if !due.is_empty() {
            known.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        }
        tree.files = known.iter().map(|(name, known)| (name.clone(), known.leaf.clone())).collect();
        self.known = known;
        Ok(tree)
    }

    /// Reads files with several threads.
    fn read(&self, due: &[(Name, Stat)]) -> Vec<(Name, Stat, i128, Option<Leaf>)> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            for _ in 0..READERS.min(due.len()) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while let Some((path, stat)) = due.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let read_at = now();
                        let leaf = self.leaf(path, stat).ok();
                        if sender.send((path.clone(), *stat, read_at, leaf)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            receiver.iter().collect()
        })
    }

    fn leaf(&self, path: &Path, stat: &Stat) -> std::io::Result<Leaf> {
        let class = self.classes.of(path);
        let full = self.walker.root().join(path);
        let mut content = Vec::with_capacity(stat.size as usize + 1);
        let mark = match stat.kind {
            Kind::Link => {
                content.extend_from_slice(std::fs::read_link(full)?.as_os_str().as_bytes());
                b'l'
            }
            Kind::File { is_executable } => {
                let mut file = File::open(full)?;
                if stat.size > WHOLE {
                    return Ok(Leaf {
                        hash: hash_of(&mut file, is_executable)?,
                        class,
                        is_empty: false,
                        lines: None,
                    });
                }
                file.read_to_end(&mut content)?;
                if is_executable { b'x' } else { b'f' }
            }
        };
        let hash = Hasher::new().update(&[mark]).update(&content).finalize();
        let has_lines = class == Class::Code && stat.kind != Kind::Link;
        let lines = has_lines.then(|| Lines::of(&content)).flatten().map(Arc::new);
        Ok(Leaf { hash, class, is_empty: content.is_empty(), lines })
    }
}

/// Larger files are not read into memory whole, and their lines are not counted.
const WHOLE: u64 = 4 << 20;

fn hash_of(file: &mut File, is_executable: bool) -> std::io::Result<Hash> {
    let mut hasher = Hasher::new();
    hasher.update(if is_executable { b"x" } else { b"f" });
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            count => hasher.update(&buffer[..count]),
        };
    }
}

impl Known {
    /// Tells whether what was read is still there: nothing about the file changed, and it had been at rest when it was
    /// read, so that a change after that shows in its times.
    fn is_current(&self, stat: &Stat) -> bool {
        self.stat == *stat && self.stat.last_change() + RACY < self.read_at
    }
}

fn now() -> i128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    /// A tree with a scanner, in a git repository or not.
    struct Place {
        directory: tempfile::TempDir,
        scanner: Scanner,
    }

    impl Place {
        fn new(is_repository: bool) -> Place {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path().canonicalize().unwrap();
            if is_repository {
                for command in [
                    "git init -q",
                    "git config user.name t",
                    "git config user.email t@example.com",
                    "git config core.autocrlf input",
                    "git config commit.gpgsign false",
                ] {
                    sh(&root, command);
                }
            }
            sh(
                &root,
                "mkdir -p src .specpipe && printf 'one\\ntwo\\n' > src/a.txt && echo b > b.txt && ln -s b.txt link \
                 && printf 'ignored/\\n*.tmp\\n!keep.tmp\\n' > .gitignore && mkdir ignored && echo x > ignored/x \
                 && echo k > keep.tmp && echo state > .specpipe/state",
            );
            if is_repository {
                sh(&root, "git add . && git commit -qm first");
            }
            let scanner = Scanner::new(Walker::new(&root), Classes::new(&[], &[], &[]).unwrap());
            Place { directory, scanner }
        }

        fn root(&self) -> &Path {
            self.directory.path()
        }

        fn fingerprint(&mut self) -> Fingerprint {
            self.scanner.scan(false).unwrap().fingerprint()
        }

        /// Tells whether what the script does is noticed.
        fn notices(&mut self, script: &str) -> bool {
            let before = self.fingerprint();
            sh(self.root(), script);
            let after = self.fingerprint();
            assert_eq!(
                after,
                self.scanner.scan(true).unwrap().fingerprint(),
                "reading all says otherwise: {script}"
            );
            before != after
        }
    }

    fn sh(directory: &Path, script: &str) {
        let output = Command::new("sh").args(["-ec", script]).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What a hash of `HEAD`, a count of changed files, `git status`, a temporary index or times alone get wrong.
    #[test]
    fn what_changes_the_work_is_noticed_and_nothing_else() {
        for (script, noticed) in [
            // The same size, and its time put back.
            (
                "touch -r src/a.txt ref.tmp; printf 'one\\ntwX\\n' > src/a.txt; touch -r ref.tmp src/a.txt",
                true,
            ),
            // Touched, or written again with the same bytes.
            ("touch src/a.txt", false),
            ("printf 'one\\ntwo\\n' > src/a.txt", false),
            ("cp src/a.txt a.tmp; mv a.tmp src/a.txt", false),
            // A file that git does not know.
            ("echo new > new.txt", true),
            // The agent commits its edit itself.
            ("echo more >> src/a.txt; git commit -qam edit", true),
            // An empty commit that says it is done.
            ("git commit -q --allow-empty -m done", false),
            // An edit and its revert, both committed.
            ("echo more >> b.txt; git commit -qam edit; git revert --no-edit HEAD", false),
            // An edit that git was told not to see.
            ("git update-index --assume-unchanged b.txt; echo hidden >> b.txt", true),
            ("git update-index --skip-worktree b.txt; echo hidden >> b.txt", true),
            // Line ends that git would take out again.
            ("printf 'one\\r\\ntwo\\r\\n' > src/a.txt", true),
            ("chmod +x b.txt", true),
            // Modes that git does not keep.
            ("chmod 600 b.txt", false),
            ("ln -sfn src/a.txt link", true),
            ("rm link; cp b.txt link", true),
            // Files that git ignores, and our own.
            ("echo y > ignored/y; echo z > z.tmp", false),
            ("echo more > .specpipe/state", false),
            ("echo changed > keep.tmp", true),
            // An ignored file that is tracked all the same.
            ("git add -f ignored/x; git commit -qm forced; echo changed > ignored/x", true),
            ("git mv b.txt c.txt", true),
            ("rm b.txt", true),
            ("mkdir empty", false),
            // The index alone.
            ("git rm -q --cached b.txt", false),
            ("git checkout -qb other", false),
            ("git stash -q --include-untracked 2> ignored/log || true", false),
        ] {
            assert_eq!(Place::new(true).notices(script), noticed, "{script}");
        }
    }

    #[test]
    fn it_works_without_git_too() {
        for (script, noticed) in [
            ("echo more >> src/a.txt", true),
            ("echo new > new.txt", true),
            ("touch src/a.txt", false),
            ("echo y > ignored/y", false),
            ("chmod +x b.txt", true),
        ] {
            assert_eq!(Place::new(false).notices(script), noticed, "{script}");
        }
    }

    #[test]
    fn a_folder_that_is_a_repository_is_looked_into_and_named() {
        let mut place = Place::new(true);
        sh(place.root(), "git init -q inner && echo x > inner/x");
        assert_eq!(place.scanner.scan(false).unwrap().nested, [PathBuf::from("inner")]);
        assert!(place.notices("echo y > inner/x"));
        assert!(!place.notices("echo z > inner/.git/z"));
    }

    #[test]
    fn each_kind_of_file_has_a_hash_of_its_own() {
        let mut place = Place::new(false);
        let before = place.fingerprint();
        fs::write(place.root().join("TODO.md"), "- done\n").unwrap();
        let notes = place.fingerprint();
        assert_eq!(before.of(Class::Code), notes.of(Class::Code));
        assert_ne!(before.of(Class::Bookkeeping), notes.of(Class::Bookkeeping));
        fs::write(place.root().join("Cargo.lock"), "x\n").unwrap();
        let lock = place.fingerprint();
        assert_eq!(
            notes.of_all(&[Class::Code, Class::Bookkeeping]),
            lock.of_all(&[Class::Code, Class::Bookkeeping])
        );
        assert_ne!(notes.of(Class::Generated), lock.of(Class::Generated));
    }

    #[test]
    fn odd_files_are_survived() {
        let mut place = Place::new(false);
        let root = place.root().to_owned();
        sh(
            &root,
            "mkfifo pipe; ln -s nowhere dangling; ln -s . loop; head -c 5000000 /dev/zero > large; : > empty",
        );
        fs::write(root.join(std::ffi::OsStr::from_bytes(b"not-utf8-\xff")), "x").unwrap();
        let tree = place.scanner.scan(false).unwrap();
        assert!(
            tree.get(&PathBuf::from("dangling").into()).is_some()
                && tree.get(&PathBuf::from("pipe").into()).is_none()
        );
        assert!(tree.unreadable.is_empty(), "{:?}", tree.unreadable);
        assert!(place.notices("ln -sfn elsewhere dangling"));
        assert!(place.notices("printf x | dd of=large bs=1 seek=4000000 conv=notrunc 2> odd.tmp"));
        fs::set_permissions(root.join("b.txt"), fs::Permissions::from_mode(0o700)).unwrap();
        symlink("x", root.join("another")).unwrap();
        assert!(!place.notices("true"));
    }
}
