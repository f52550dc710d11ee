//! A directory of its own for each test, git in it, and the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A temporary directory that is a git repository, unless it is asked not to be.
pub struct World {
    directory: tempfile::TempDir,
}

/// How the program ended and what it wrote.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    /// A repository without a commit.
    pub fn new() -> World {
        let world = World::bare();
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world
    }

    /// A directory that is no repository.
    pub fn bare() -> World {
        World { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> &World {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = clean(Command::new("git").args(arguments), &self.path()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything and returns the commit.
    pub fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gates"));
        clean(&mut command, &self.path());
        command
    }

    pub fn gates(&self, arguments: &[&str]) -> Ended {
        self.gates_on(arguments, "")
    }

    /// Runs the program with records on standard input.
    pub fn gates_on(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = input.to_owned();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            // A program that does not read its input closes the pipe.
            let _ = std::io::Write::write_all(&mut stdin, input.as_bytes());
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ended::of(output)
    }
}

impl Ended {
    pub fn of(output: Output) -> Ended {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks the exit status and returns standard output.
    #[track_caller]
    pub fn with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Checks the exit status and returns standard error.
    #[track_caller]
    pub fn error(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self.stderr
    }

    /// Returns the only record.
    #[track_caller]
    pub fn record(self) -> serde_json::Value {
        let text = self.with(0);
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// Nothing of the machine it runs on is to be seen in a test.
fn clean<'a>(command: &'a mut Command, directory: &Path) -> &'a mut Command {
    for name in [
        "SCOPE_STRICT",
        "SPECPIPE_CONFIG",
        "SPECPIPE_COLOR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_WORK_TREE",
        "NO_COLOR",
    ] {
        command.env_remove(name);
    }
    command
        .current_dir(directory)
        .env("XDG_CONFIG_HOME", directory.join("no-config"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@example.org")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@example.org")
}

/// Returns a token that no issuer has given out, put together here so that this repository holds none.
pub fn token() -> String {
    let mut state = 88_172_645_463_325_252u64;
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let random: String = (0..36)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            alphabet[(state % 62) as usize] as char
        })
        .collect();
    format!("gh{}_{random}", "p")
}

/// Tells whether a program is there; a test that needs one that is not says so and counts as not run.
pub fn has(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|path| path.join(program).is_file());
    if !found {
        // Whoever makes sure that everything is installed sets this, and then nothing is left out in silence.
        assert!(std::env::var_os("SPECPIPE_TESTS_NEED_ALL").is_none(), "`{program}` is not installed");
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("not run: `{program}` is not installed\n").as_bytes(),
        );
    }
    found
}
