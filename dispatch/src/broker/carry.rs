//! Commits between repositories that share a history: as git bundles, which hold what the other side has not.
//!
//! A worker's repository is a clone of its own, so the commit that a task starts from has to reach it, and the commit that it made has
//! to come back. A bundle names the commits that it builds on, and git refuses it where they are missing: nothing is applied to
//! another tree than the one it was made from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::Problem;
use shared::git::Repo;
use shared::process::Command;

/// A bundle larger than this is not sent.
const MOST: u64 = 64 << 20;

const TIMEOUT: Duration = Duration::from_secs(300);

/// What a bundle is to hold.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The repository.
    pub(crate) root: PathBuf,
    /// The branches with the commits.
    pub(crate) branches: Vec<String>,
    /// The commit that the other side has.
    pub(crate) but: String,
}

impl Wanted {
    /// Makes the bundle, in base64; none if the other side has all of it.
    pub(crate) fn bundle(&self) -> Result<Option<String>, Problem> {
        let problem = || Problem::new("cannot pack the commits of the task");
        let place = tempfile::tempdir().map_err(|error| problem().because(error))?;
        let path = place.path().join("bundle");
        let mut arguments = vec!["bundle".to_owned(), "create".to_owned(), "--quiet".to_owned()];
        arguments.push(path.display().to_string());
        arguments.extend(self.branches.iter().map(|branch| format!("refs/heads/{branch}")));
        arguments.push(format!("^{}", self.but));
        if let Err(error) = git(&self.root, &arguments) {
            if error.full_message().contains("empty bundle") {
                return Ok(None);
            }
            return Err(problem().because(error));
        }
        let bytes = std::fs::metadata(&path).map_err(|error| problem().because(error))?.len();
        if bytes > MOST {
            return Err(problem().because(format!("they come to {bytes} bytes, and at most {MOST} are sent")));
        }
        let bundle = std::fs::read(&path).map_err(|error| problem().because(error))?;
        Ok(Some(STANDARD.encode(bundle)))
    }
}

/// Returns bytes that came in base64.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Problem> {
    STANDARD.decode(text).map_err(|error| Problem::new("what was sent is no base64").because(error))
}

/// Puts an output into a file of its own below a directory, and returns the path.
pub(crate) fn put_down(directory: &Path, id: &str, bytes: &[u8]) -> Result<String, Problem> {
    let name = format!("{}-{}", crate::worktree::name_of(id), &blake3::hash(bytes).to_hex()[..12]);
    let path = directory.join(name);
    let put = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&path, bytes));
    put.map_err(|error| Problem::new(format!("cannot write `{}`", path.display())).because(error))?;
    Ok(path.display().to_string())
}

/// Takes the commits of a bundle into a repository. No branch is touched.
pub(crate) fn unpack(root: &Path, bundle: &str) -> Result<(), Problem> {
    let problem = || Problem::new("cannot take over the commits of the task");
    let bundle = decode(bundle).map_err(|error| problem().because(error))?;
    let place = tempfile::tempdir().map_err(|error| problem().because(error))?;
    let path = place.path().join("bundle");
    std::fs::write(&path, bundle).map_err(|error| problem().because(error))?;
    let arguments = ["bundle".to_owned(), "unbundle".to_owned(), path.display().to_string()];
    git(root, &arguments).map(drop).map_err(|error| {
        problem()
            .because(error)
            .hint("both repositories need the commit that the work started from: fetch it")
    })
}

/// Returns the commit that a checkout stands at, if it has one.
pub(crate) fn head(root: &Path) -> Option<String> {
    let repo = Repo::discover(root)?;
    let head = repo.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).ok()?;
    Some(head.trim().to_owned())
}

/// Tells whether a repository has a commit.
pub(crate) fn has(root: &Path, commit: &str) -> bool {
    let Some(repo) = Repo::discover(root) else { return false };
    repo.ask(&["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_ok_and(|ended| ended.success())
}

fn git(root: &Path, arguments: &[String]) -> Result<String, Problem> {
    let mut command = Command::new(["git".to_owned()].into_iter().chain(arguments.iter().cloned()))
        .current_dir(root)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C.UTF-8")
        .timeout(TIMEOUT);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command = command.env_remove(name);
    }
    let ended = command.run()?;
    if ended.success() {
        return Ok(ended.stdout.text());
    }
    let said = ended.stderr.text();
    let said = said.lines().map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: "));
    let said = said.collect::<Vec<_>>().join(", ");
    Err(Problem::new(format!("git {}", arguments[0])).because(if said.is_empty() {
        ended.how.to_string()
    } else {
        said
    }))
}
