//! The five programs, built once, and a directory on PATH with them and the fakes.
//!
//! `cargo test` builds a package's programs only for the tests of that package; without this, the cross-tool tests
//! would run yesterday's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The five programs, in the order of the pipe.
pub const TOOLS: [&str; 5] = ["classify", "dispatch", "gates", "verify", "converge"];

/// The programs of this package that scripts of tests may call.
pub const FAKES: [&str; 4] = ["fake-agent", "fake-executor", "measure", "recorder"];

/// The agent CLIs that `dispatch` knows. A developer's own must never be started by a test.
pub const AGENTS: [&str; 9] =
    ["claude", "codex", "gemini", "opencode", "aider", "llm", "mini", "goose", "crush"];

/// Returns the root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns the path of a program of the workspace, in the profile that this test was built with.
pub fn program(name: &str) -> PathBuf {
    built().join(name)
}

/// Builds all programs, once for each test process, and returns the directory they are in.
///
/// With `SPECPIPE_TEST_BIN` nothing is built: the programs in that directory are tested.
///
/// # Panics
/// If they can not be built; there is nothing to test then.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(directory) = std::env::var_os("SPECPIPE_TEST_BIN") {
            return PathBuf::from(directory);
        }
        let directory = profile_directory();
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev".to_owned(),
            Some(name) => name.to_owned(),
        };
        let target = directory.parent().unwrap_or(&directory);
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // The whole workspace, as `cargo test --workspace` does: with the same features, nothing is built twice.
        let output = Command::new(cargo)
            .args(["build", "--quiet", "--workspace", "--bins", "--profile", &profile, "--target-dir"])
            .arg(target)
            .current_dir(workspace())
            .output()
            .unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the programs can not be built:\n{errors}");
        directory
    })
}

/// Returns the directory that cargo puts programs into: `target/debug` for a test in `target/debug/deps`.
fn profile_directory() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_else(|error| panic!("where is this test? {error}"));
    let directory = own.parent().unwrap_or(&own);
    if directory.ends_with("deps") {
        directory.parent().unwrap_or(directory).to_owned()
    } else {
        directory.to_owned()
    }
}

/// Returns a PATH with the five programs, the fakes and what the system has, but without agent CLIs.
pub fn search_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let directory = built().join("tests-path");
        let links = TOOLS.iter().chain(&FAKES).map(|name| (directory.join(name), program(name)));
        make_links(&directory, links.collect());
        let system = ["/usr/bin", "/bin"].into_iter().map(without_agents);
        let parts: Vec<String> =
            std::iter::once(directory).chain(system).map(|part| part.display().to_string()).collect();
        parts.join(":")
    })
}

/// Returns the directory, or one with links to everything in it but agent CLIs if it has some.
fn without_agents(system: &str) -> PathBuf {
    let system = Path::new(system);
    if !AGENTS.iter().any(|name| system.join(name).exists()) {
        return system.to_owned();
    }
    let directory = built().join("tests-system");
    let names =
        std::fs::read_dir(system).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
    let names = names.filter(|name| !AGENTS.iter().any(|agent| name == agent));
    let links = names.map(|name| (directory.join(&name), system.join(&name)));
    make_links(&directory, links.collect());
    directory
}

/// Makes links, also while another test process makes the same ones.
fn make_links(directory: &Path, links: Vec<(PathBuf, PathBuf)>) {
    std::fs::create_dir_all(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for (link, target) in links {
        if std::fs::read_link(&link).is_ok_and(|present| present == target) {
            continue;
        }
        let beside = link.with_extension(format!("{}", std::process::id()));
        let made =
            std::os::unix::fs::symlink(&target, &beside).and_then(|()| std::fs::rename(&beside, &link));
        made.unwrap_or_else(|error| panic!("{}: {error}", link.display()));
    }
}
