//! Where a repository has what belongs to working trees, and how one can be added to it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use shared::Problem;
use shared::git::Repo;
use shared::process::How;

/// Formats of a repository that do not matter to how a tree is registered.
const HARMLESS: [&str; 7] = [
    "extensions.noop",
    "extensions.noop-v1",
    "extensions.objectformat",
    "extensions.compatobjectformat",
    "extensions.partialclone",
    "extensions.preciousobjects",
    "extensions.refstorage=files",
];

/// Where things are.
#[derive(Debug)]
pub(super) struct Layout {
    /// The user's checkout.
    pub(super) repo: Repo,
    /// The directory that all trees of the repository share.
    pub(super) common: PathBuf,
    /// Where our trees are.
    pub(super) directory: PathBuf,
    /// Why git itself has to register trees here; none if a rename can.
    pub(super) only_by_git: Option<String>,
    /// The registrations that are to go, and since when.
    pub(super) retired: Mutex<Vec<(PathBuf, Instant)>>,
}

impl Layout {
    /// Asks git about the repository around a directory.
    ///
    /// # Errors
    /// If git can not say.
    pub(super) fn of(root: &Path, state: &Path) -> Result<Layout, Problem> {
        let problem = || Problem::new(format!("cannot ask git about `{}`", root.display()));
        if let Some(bare) = bare_above(root) {
            return Err(problem()
                .because(format!("`{}` is a bare repository, which has no checkout", bare.display()))
                .hint("start dispatch in a worktree of it: git worktree add ../work"));
        }
        let repo = Repo::discover(root).ok_or_else(problem)?;
        let common = repo.bytes(["rev-parse", "--path-format=absolute", "--git-common-dir"])?;
        let common = path_of(common.strip_suffix(b"\n").unwrap_or(&common));
        let pattern = r"^(extensions\..*|core\.sparsecheckout|worktree\.userelativepaths)$";
        let settings = repo.ask(&["config", "--get-regexp", pattern])?;
        let only_by_git = match settings.how {
            How::Exited(0) => only_by_git(&settings.stdout.text()),
            How::Exited(1) => None,
            how => return Err(problem().because(how.to_string())),
        };
        Ok(Layout {
            repo,
            common,
            directory: state.join("worktrees"),
            only_by_git,
            retired: Mutex::default(),
        })
    }

    /// Returns the directory for what we have to know of our trees. It is the same for all checkouts of the repository,
    /// because branches are.
    pub(super) fn own(&self) -> PathBuf {
        self.common.join("specpipe")
    }

    /// Returns the directory of git's registrations.
    pub(super) fn registrations(&self) -> PathBuf {
        self.common.join("worktrees")
    }
}

/// Finds the bare repository that a directory is in, without asking anybody.
pub(crate) fn bare_above(directory: &Path) -> Option<&Path> {
    let is_bare = |path: &&Path| {
        path.join("HEAD").is_file()
            && path.join("objects").is_dir()
            && path.join("refs").is_dir()
            && !path.join("commondir").exists()
    };
    let with_checkout = directory.ancestors().find(|path| path.join(".git").exists());
    let bare = directory.ancestors().find(is_bare)?;
    // The nearer one counts; a checkout's own `.git` is not bare.
    (with_checkout.is_none_or(|checkout| bare.starts_with(checkout) && bare != checkout)
        && bare.file_name().is_none_or(|name| name != ".git"))
    .then_some(bare)
}

/// Says why a rename can not register a tree, given the settings that matter.
fn only_by_git(settings: &str) -> Option<String> {
    settings.lines().find_map(|line| {
        let (name, value) = line.split_once(' ').unwrap_or((line, "true"));
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_ascii_lowercase());
        let is_off = matches!(value.as_str(), "false" | "no" | "off" | "0" | "");
        let is_harmless =
            HARMLESS.contains(&name.as_str()) || HARMLESS.contains(&&*format!("{name}={value}"));
        (!is_off && !is_harmless).then(|| format!("{name} = {value}"))
    })
}

/// Returns the path that git has printed.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_formats_that_are_known_are_left_to_a_rename() {
        for (settings, expected) in [
            ("", None),
            ("extensions.objectformat sha256\nextensions.refstorage files\n", None),
            ("extensions.worktreeconfig false\ncore.sparsecheckout false\n", None),
            ("extensions.noop\n", None),
            ("extensions.refstorage reftable\n", Some("extensions.refstorage = reftable")),
            ("extensions.worktreeConfig true\n", Some("extensions.worktreeconfig = true")),
            ("extensions.relativeworktrees true\n", Some("extensions.relativeworktrees = true")),
            ("extensions.somethingnew\n", Some("extensions.somethingnew = true")),
            ("core.sparsecheckout true\n", Some("core.sparsecheckout = true")),
            ("worktree.userelativepaths true\n", Some("worktree.userelativepaths = true")),
        ] {
            assert_eq!(only_by_git(settings).as_deref(), expected, "{settings}");
        }
    }

    #[test]
    fn a_bare_repository_is_seen_and_a_checkout_is_none() {
        let place = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            std::fs::create_dir_all(place.path().join(path).join("objects")).unwrap();
            std::fs::create_dir_all(place.path().join(path).join("refs")).unwrap();
            std::fs::write(place.path().join(path).join("HEAD"), "ref: refs/heads/main\n").unwrap();
        };
        make("bare.git");
        make("work/.git");
        std::fs::create_dir_all(place.path().join("bare.git/hooks")).unwrap();
        std::fs::create_dir_all(place.path().join("work/sub")).unwrap();
        assert!(bare_above(&place.path().join("bare.git/hooks")).is_some());
        assert!(bare_above(&place.path().join("work/sub")).is_none());
        assert!(bare_above(&place.path().join("work")).is_none());
    }
}
