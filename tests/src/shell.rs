use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Usage, record, tools, wait_until};

/// No script of a test may take longer, so that a program that hangs fails its test and not the whole run.
const LIMIT: Duration = Duration::from_secs(180);

/// A `sh` in an empty directory: with the five programs and the fakes on PATH, a home of its own, and nothing that a
/// developer's environment could add: no keys, no settings, no agent CLIs.
pub struct Shell {
    directory: TempDir,
    environment: Vec<(String, String)>,
    limit: Duration,
}

/// What a script did.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its exit status; 128 and the signal if it was ended by one.
    pub status: i32,
    /// What it wrote on standard output.
    pub stdout: String,
    /// What it wrote on standard error.
    pub stderr: String,
    /// How long it took.
    pub elapsed: Duration,
    script: String,
}

/// What a pipeline did, with the status of every stage.
#[derive(Clone, Debug)]
pub struct Piped {
    /// What came out at the end; the status is that of the last stage.
    pub output: Output,
    /// The exit status of each stage.
    pub statuses: Vec<i32>,
}

impl Default for Shell {
    fn default() -> Self {
        Shell::new()
    }
}

impl Shell {
    /// Returns a shell in a new directory.
    ///
    /// # Panics
    /// If there is no room for one.
    pub fn new() -> Shell {
        let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary directory: {error}"));
        for name in ["work", "home", "bin", "notes"] {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        Shell { directory, environment: Vec::new(), limit: LIMIT }
    }

    /// Returns a shell in a git repository with one empty commit.
    pub fn with_git() -> Shell {
        let shell = Shell::new();
        shell.run("git init -q . && git commit -q --allow-empty -m begin").succeeds();
        shell
    }

    /// Allows a script so long.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Shell {
        self.limit = limit;
        self
    }

    /// Sets an environment variable for all scripts.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Shell {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Puts the fake agent on PATH under the name of an agent CLI.
    #[must_use]
    pub fn agent(self, name: &str) -> Shell {
        let link = self.directory.path().join("bin").join(name);
        std::os::unix::fs::symlink(tools::program("fake-agent"), &link)
            .unwrap_or_else(|error| panic!("{}: {error}", link.display()));
        self
    }

    /// Returns the working directory.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// Returns the home directory.
    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Writes a file below the working directory.
    ///
    /// # Panics
    /// If it can not be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Shell {
        let path = self.path().join(name);
        let made = std::fs::create_dir_all(path.parent().unwrap_or(&path));
        made.and_then(|()| std::fs::write(&path, content)).unwrap_or_else(|error| panic!("{name}: {error}"));
        self
    }

    /// Reads a file below the working directory.
    ///
    /// # Panics
    /// If it can not be read.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Returns what `measure NAME …` has written.
    pub fn usage(&self, name: &str) -> Usage {
        Usage::read(&self.path().join(name))
    }

    /// Runs a script with nothing on standard input.
    pub fn run(&self, script: &str) -> Output {
        self.run_on(b"", script)
    }

    /// Runs a script with these bytes on standard input.
    ///
    /// # Panics
    /// If it does not end within the limit.
    pub fn run_on(&self, input: impl AsRef<[u8]>, script: &str) -> Output {
        self.start_on(input, script).finish()
    }

    /// Runs stages as one pipeline with these bytes on standard input. A stage is a command of the shell.
    pub fn pipe(&self, input: impl AsRef<[u8]>, stages: &[&str]) -> Piped {
        let notes = self.directory.path().join("notes");
        let note = |position: usize| notes.join(format!("status-{position}"));
        let noted: Vec<String> = stages
            .iter()
            .enumerate()
            .map(|(position, stage)| format!("{{ {stage}\necho $? > '{}'; }}", note(position).display()))
            .collect();
        let mut output = self.run_on(input, &noted.join(" | "));
        let statuses: Vec<i32> = (0..stages.len())
            .map(|position| {
                let text = std::fs::read_to_string(note(position)).unwrap_or_default();
                text.trim().parse().unwrap_or(-1)
            })
            .collect();
        output.status = statuses.last().copied().unwrap_or_default();
        output.script = stages.join(" | ");
        Piped { output, statuses }
    }

    /// Starts a script and gives it these bytes.
    pub fn start_on(&self, input: impl AsRef<[u8]>, script: &str) -> Running {
        let mut running = self.start(script);
        let input = input.as_ref().to_vec();
        if let Some(mut stdin) = running.child.stdin.take() {
            // Whoever does not read to the end must not stop the test.
            std::thread::spawn(move || stdin.write_all(&input));
        }
        running
    }

    /// Starts a script whose standard input stays open until it is taken or dropped.
    ///
    /// # Panics
    /// If there is no `sh`.
    pub fn start(&self, script: &str) -> Running {
        let mut command = self.command("sh");
        command.args(["-c", script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let started = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run sh: {error}"));
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
        Running { child, started, limit: self.limit, script: script.to_owned(), streams: [stdout, stderr] }
    }

    /// Returns a command in this shell's directory and environment.
    pub fn command(&self, program: &str) -> Command {
        let path = format!("{}:{}", self.directory.path().join("bin").display(), tools::search_path());
        // The standard library looks for a program on its own PATH; here the shell's counts.
        let found = path.split(':').map(|part| Path::new(part).join(program)).find(|path| path.is_file());
        let mut command = Command::new(found.unwrap_or_else(|| program.into()));
        let home = self.home();
        command.current_dir(self.path()).env_clear();
        command.env("PATH", path).env("HOME", &home).env("XDG_CONFIG_HOME", home.join(".config"));
        command.env("LANG", "C").env("LC_ALL", "C").env("TZ", "UTC").env("COLUMNS", "100");
        // Nothing of the developer's git, and the same commits every time.
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"));
        command.env("GIT_CEILING_DIRECTORIES", self.directory.path());
        for (role, date) in [("AUTHOR", "2026-01-02T03:04:05Z"), ("COMMITTER", "2026-01-02T03:04:05Z")] {
            command
                .env(format!("GIT_{role}_NAME"), "Ada")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.org");
            command.env(format!("GIT_{role}_DATE"), date);
        }
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "init.defaultBranch");
        command.env("GIT_CONFIG_VALUE_0", "main");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// A script that was started.
pub struct Running {
    /// The shell that runs it, the leader of a process group.
    pub child: Child,
    started: Instant,
    limit: Duration,
    script: String,
    streams: [Option<std::thread::JoinHandle<Vec<u8>>>; 2],
}

impl Running {
    /// Waits for the end.
    ///
    /// # Panics
    /// If it does not come within the limit; the whole group is ended then.
    pub fn finish(mut self) -> Output {
        drop(self.child.stdin.take());
        let mut status: Option<ExitStatus> = None;
        let ended = wait_until(
            || {
                status = self.child.try_wait().unwrap_or_default();
                let is_read = self.streams.iter().flatten().all(std::thread::JoinHandle::is_finished);
                status.is_some() && is_read
            },
            self.limit,
        );
        let elapsed = self.started.elapsed();
        if !ended {
            self.kill();
        }
        let mut texts = self.streams.iter_mut().map(|stream| {
            let bytes = stream.take().and_then(|stream| stream.join().ok()).unwrap_or_default();
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        });
        let (stdout, stderr) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        let code =
            |status: ExitStatus| status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        let output =
            Output { status: status.map_or(-1, code), stdout, stderr, elapsed, script: self.script.clone() };
        assert!(ended, "did not end within {:?}:\n{output}", self.limit);
        output
    }

    /// Ends the shell and all it has started with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Output {
    /// Asserts the exit status.
    ///
    /// # Panics
    /// If it is another; the message shows the script and what it said.
    #[track_caller]
    pub fn exits(self, status: i32) -> Output {
        assert!(self.status == status, "status {}, expected {status}\n{self}", self.status);
        self
    }

    /// Asserts the exit status 0.
    #[track_caller]
    pub fn succeeds(self) -> Output {
        self.exits(0)
    }

    /// Asserts that people were told all of these.
    ///
    /// # Panics
    /// If one is missing on standard error.
    #[track_caller]
    pub fn tells(self, texts: &[&str]) -> Output {
        for text in texts {
            assert!(self.stderr.contains(text), "nothing about `{text}`\n{self}");
        }
        self
    }

    /// Asserts that people were told nothing.
    ///
    /// # Panics
    /// If there is something on standard error.
    #[track_caller]
    pub fn tells_nothing(self) -> Output {
        assert!(self.stderr.is_empty(), "talk where there should be none\n{self}");
        self
    }

    /// Returns the records on standard output.
    pub fn records(&self) -> Vec<Value> {
        record::parse(&self.stdout)
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let beginning = |text: &str| match text.char_indices().nth(6000) {
            Some((end, _)) => format!("{} … ({} bytes)", &text[..end], text.len()),
            None => text.to_owned(),
        };
        writeln!(f, "$ {}", beginning(&self.script))?;
        writeln!(f, "? {}", self.status)?;
        writeln!(f, "-- standard output\n{}", beginning(&self.stdout))?;
        writeln!(f, "-- standard error\n{}", beginning(&self.stderr))
    }
}
