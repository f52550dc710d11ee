//! What changed in a git repository, as git tells it: exact names, both sides of a rename, the blobs.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::Problem;
use shared::git::LOOKING;
use shared::process::Command;

/// Git answers a question about a working tree in far less.
const TIMEOUT: Duration = Duration::from_secs(300);

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The path now, or the one it had if it is gone. Relative to the root of the repository.
    pub(crate) path: PathBuf,
    /// The path before, if it was renamed.
    pub(crate) old_path: Option<PathBuf>,
    /// The blob before.
    pub(crate) before: Option<String>,
    /// What is there now.
    pub(crate) now: Now,
}

/// What a changed file is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    /// A file with this blob, as far as git knows it.
    File(Option<String>),
    /// It was deleted.
    Gone,
    /// A symbolic link or a submodule: nothing to look into.
    NoFile,
    /// A merge has left several versions of it.
    Unmerged,
}

/// A repository that questions are asked about.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    root: PathBuf,
    /// A hook of `git commit -a` or `git commit FILE` is to look at another index than the usual one.
    index: Option<OsString>,
}

impl Repository {
    /// Finds the repository of a directory.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn find(directory: &Path) -> Result<Repository, Problem> {
        let repo = shared::git::Repo::discover(directory).ok_or_else(|| {
            Problem::new(format!("`{}` is in no git repository", directory.display()))
                .hint("give a PATH instead, such as `.`")
        })?;
        let root = repo.root().canonicalize().unwrap_or_else(|_| repo.root().to_owned());
        Ok(Repository { root, index: None })
    }

    /// Looks at the index that git names in the environment, as a hook has to.
    #[must_use]
    pub(crate) fn with_hook_index(mut self) -> Repository {
        self.index = std::env::var_os("GIT_INDEX_FILE").filter(|path| !path.is_empty());
        self
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Runs git and returns what it printed.
    pub(crate) fn ask<A: AsRef<OsStr>>(
        &self,
        arguments: &[A],
        input: Vec<u8>,
        capture: usize,
    ) -> Result<Vec<u8>, Problem> {
        let looking = LOOKING.iter().flat_map(|setting| ["-c", setting]).map(OsStr::new);
        let argv = std::iter::once(OsStr::new("git"));
        let argv = argv.chain(looking).chain(arguments.iter().map(AsRef::as_ref));
        let mut command = Command::new(argv)
            .current_dir(&self.root)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .stdin(input)
            .capture(capture)
            .timeout(TIMEOUT);
        if let Some(index) = &self.index {
            command = command.env("GIT_INDEX_FILE", index);
        }
        let ended = command.run()?;
        if ended.success() {
            return Ok(ended.stdout.bytes());
        }
        let said = ended.stderr.text();
        let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
        let reason = if said.is_empty() { ended.how.to_string() } else { said.to_owned() };
        let command = arguments.first().map(|first| first.as_ref().to_string_lossy()).unwrap_or_default();
        Err(Problem::new(format!("git {command} in `{}`", self.root.display())).because(reason))
    }

    fn list<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Vec<u8>, Problem> {
        self.ask(arguments, Vec::new(), 1 << 30)
    }

    /// Returns the full name of a commit.
    pub(crate) fn commit(&self, name: &str) -> Result<String, Problem> {
        let spec = format!("{name}^{{commit}}");
        let id =
            self.list(&["rev-parse", "--verify", "--quiet", "--end-of-options", &spec]).map_err(|_| {
                Problem::new(format!("there is no commit `{name}`"))
                    .hint("name a branch, a tag or a commit; in CI, fetch it first (fetch-depth: 0)")
            })?;
        Ok(String::from_utf8_lossy(id.trim_ascii()).into_owned())
    }

    /// Returns the commit at which the current branch left another one.
    pub(crate) fn merge_base(&self, name: &str) -> Result<String, Problem> {
        let commit = self.commit(name)?;
        let base = self.list(&["merge-base", &commit, "HEAD"]).map_err(|_| {
            Problem::new(format!("`{name}` and HEAD have no commit in common"))
                .hint("a shallow clone may lack it: git fetch --unshallow")
        })?;
        Ok(String::from_utf8_lossy(base.trim_ascii()).into_owned())
    }

    /// Returns what is staged for the next commit.
    pub(crate) fn staged(&self) -> Result<Vec<Change>, Problem> {
        self.differences(&["--cached"])
    }

    /// Returns what `git diff` says, with these further arguments.
    fn differences(&self, what: &[&str]) -> Result<Vec<Change>, Problem> {
        let form = ["diff", "--raw", "-z", "-M", "--no-abbrev", "--no-relative", "--no-ext-diff"];
        parse(&self.list(&[&form, what].concat())?)
    }

    /// Returns how the working tree differs from a commit, untracked files included.
    pub(crate) fn since(&self, commit: &str) -> Result<Vec<Change>, Problem> {
        let mut changes = self.differences(&[commit, "--"])?;
        for change in &mut changes {
            if let Now::File(blob) = &mut change.now {
                // What counts is on disk.
                *blob = None;
            }
        }
        let untracked = self.list(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        changes.extend(names(&untracked).map(|path| Change {
            path,
            old_path: None,
            before: None,
            now: Now::File(None),
        }));
        Ok(changes)
    }

    /// Returns how a commit differs from another one.
    pub(crate) fn between(&self, base: &str, commit: &str) -> Result<Vec<Change>, Problem> {
        let commit = self.commit(commit)?;
        self.differences(&[base, &commit, "--"])
    }

    /// Returns the files that git tracks below a directory, relative to the root.
    pub(crate) fn tracked(&self, below: &Path) -> Result<Vec<PathBuf>, Problem> {
        let below = if below.as_os_str().is_empty() { OsStr::new(".") } else { below.as_os_str() };
        let arguments: [&OsStr; 6] = [
            "--literal-pathspecs".as_ref(),
            "ls-files".as_ref(),
            "-z".as_ref(),
            "--cached".as_ref(),
            "--".as_ref(),
            below,
        ];
        Ok(names(&self.list(&arguments)?).collect())
    }

    /// Returns the contents of blobs; `None` for one that is not there or larger than the limit.
    pub(crate) fn blobs(&self, ids: &[&str], limit: usize) -> Result<Vec<Option<Vec<u8>>>, Problem> {
        /// So much is asked for at once, to bound memory.
        const AT_ONCE: usize = 64 << 20;
        let mut contents: Vec<Option<Vec<u8>>> = vec![None; ids.len()];
        let sizes =
            self.ask(&["cat-file", "--batch-check=%(objectsize)"], ids.join("\n").into_bytes(), 1 << 30)?;
        let sizes: Vec<Option<usize>> =
            String::from_utf8_lossy(&sizes).lines().map(|line| line.parse().ok()).collect();
        let mut wanted: Vec<usize> = (0..ids.len())
            .filter(|at| sizes.get(*at).is_some_and(|size| size.is_some_and(|size| size <= limit)))
            .collect();
        while !wanted.is_empty() {
            let mut total = 0;
            let count = wanted
                .iter()
                .take_while(|at| {
                    total += sizes[**at].unwrap_or(0) + 100;
                    total <= AT_ONCE
                })
                .count()
                .max(1);
            let now: Vec<usize> = wanted.drain(..count).collect();
            let asked = now.iter().map(|at| ids[*at]).collect::<Vec<_>>().join("\n");
            let answer = self.ask(&["cat-file", "--batch"], asked.into_bytes(), 4 * (total + AT_ONCE))?;
            let mut rest = answer.as_slice();
            for at in now {
                // `<id> blob <size>`, the content, a line feed; or `<id> missing`
                let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
                let header = String::from_utf8_lossy(&rest[..end]).into_owned();
                rest = &rest[end + 1..];
                let Some(size) = header.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok()) else {
                    continue;
                };
                if rest.len() < size {
                    break;
                }
                contents[at] = Some(rest[..size].to_vec());
                rest = rest.get(size + 1..).unwrap_or_default();
            }
        }
        Ok(contents)
    }
}

fn names(list: &[u8]) -> impl Iterator<Item = PathBuf> {
    list.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(path)
}

fn path(name: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(name.to_vec()))
}

/// Reads `git diff --raw -z`: `:100644 100755 <blob> <blob> M`, NUL, path, NUL, and a second path for renames.
fn parse(raw: &[u8]) -> Result<Vec<Change>, Problem> {
    let mut fields = raw.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let mut changes: Vec<Change> = Vec::new();
    let odd = || Problem::new("git diff --raw answered in a form that is not known");
    while let Some(header) = fields.next() {
        let header = std::str::from_utf8(header.strip_prefix(b":").ok_or_else(odd)?).map_err(|_| odd())?;
        let [old_mode, new_mode, old, new, status] = header.split(' ').collect::<Vec<_>>()[..] else {
            return Err(odd());
        };
        let first = path(fields.next().ok_or_else(odd)?);
        let renamed = status.starts_with(['R', 'C']);
        let second = if renamed { Some(path(fields.next().ok_or_else(odd)?)) } else { None };
        let blob = |id: &str| id.bytes().any(|byte| byte != b'0').then(|| id.to_owned());
        let is_file = |mode: &str| mode.starts_with("100");
        let now = match status.as_bytes()[0] {
            b'D' => Now::Gone,
            b'U' => Now::Unmerged,
            _ if is_file(new_mode) => Now::File(blob(new)),
            _ => Now::NoFile,
        };
        let before = if is_file(old_mode) { blob(old) } else { None };
        let (path, old_path) = match second {
            Some(second) => (second, Some(first).filter(|_| status.starts_with('R'))),
            None => (first, None),
        };
        // An unmerged file is listed once as such and once as a difference.
        if let Some(known) =
            changes.iter_mut().find(|change| change.path == path && change.now == Now::Unmerged)
        {
            known.before = known.before.take().or(before);
            continue;
        }
        changes.push(Change { path, old_path, before, now });
    }
    Ok(changes)
}

/// Returns a path as text for people and for globs, `/` between its parts.
pub(crate) fn shown(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_change_is_read_with_its_names_as_they_are() {
        let (a, b, zero) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let raw = format!(
            ":100644 100644 {a} {b} M\0sp ace\n\"q\".py\0:000000 100644 {zero} {b} A\0new\0:100644 000000 {a} {zero} D\0gone\0\
             :100644 100644 {a} {a} R100\0old\0moved\0:000000 120000 {zero} {b} A\0link\0:000000 000000 {zero} {zero} U\0fight\0"
        );
        let mut raw = raw.into_bytes();
        raw.extend(format!(":100644 100644 {a} {zero} M\0").bytes());
        raw.extend(b"odd\xFF\0");
        let changes = parse(&raw).unwrap();
        let told: Vec<_> = changes
            .iter()
            .map(|c| (shown(&c.path), c.old_path.is_some(), c.before.is_some(), c.now.clone()))
            .collect();
        assert_eq!(
            told,
            [
                ("sp ace\n\"q\".py".to_owned(), false, true, Now::File(Some(b.clone()))),
                ("new".to_owned(), false, false, Now::File(Some(b))),
                ("gone".to_owned(), false, true, Now::Gone),
                ("moved".to_owned(), true, true, Now::File(Some(a))),
                ("link".to_owned(), false, false, Now::NoFile),
                ("fight".to_owned(), false, false, Now::Unmerged),
                ("odd\u{FFFD}".to_owned(), false, true, Now::File(None)),
            ]
        );
    }

    #[test]
    fn what_git_does_not_say_is_an_error_and_no_empty_list() {
        assert!(parse(b"warning: x\0").is_err());
        assert!(parse(b":100644 100644 a b M\0").is_err());
        assert_eq!(parse(b"").unwrap(), []);
    }
}
