//! `converge` as a process: one test for each promise of the README.

mod records;
mod tree;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// An empty directory to run in.
struct Place {
    directory: tempfile::TempDir,
}

/// What a run came to.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Place {
        Place { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs a script and returns what it printed.
    fn sh(&self, script: &str) -> String {
        let output = Command::new("sh").args(["-ec", script]).current_dir(&self.directory).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_converge"));
        command.args(arguments).current_dir(&self.directory);
        command.env("XDG_CONFIG_HOME", self.path("no-config")).env("HOME", self.path("no-home"));
        for variable in
            ["SPECPIPE_CONFIG", "SPECPIPE_CONVERGE_ROUNDS", "SPECPIPE_CONVERGE_BUDGET", "SPECPIPE_COLOR"]
        {
            command.env_remove(variable);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, arguments: &[&str], input: &str) -> Child {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        // Without a thread, an input larger than a pipe would wait for a reader that waits for us.
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        child
    }

    fn run(&self, arguments: &[&str], input: &str) -> Done {
        self.start(arguments, input).wait_with_output().unwrap().into()
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    #[track_caller]
    fn expect(self, code: i32) -> Done {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Returns a member of the record with this id.
    #[track_caller]
    fn member(&self, id: &str, name: &str) -> serde_json::Value {
        let records =
            self.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let record = records.into_iter().find(|record| record["id"] == id).expect("a record with this id");
        record[name].clone()
    }

    /// Returns `state/rounds` of the record with this id.
    #[track_caller]
    fn converge(&self, id: &str) -> String {
        let section = self.member(id, "converge");
        format!("{}/{}", section["state"].as_str().unwrap(), section["rounds"])
    }
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Tells whether the process whose id is in the file is at work.
fn is_alive(file: &Path) -> bool {
    let pid = std::fs::read_to_string(file).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn unknown_options_are_refused_and_the_nearest_is_named() {
    let done = Place::new().run(&["--max-iterations=3", "--", "true"], "").expect(2);
    assert!(done.stderr.contains("--max-iterations"), "{}", done.stderr);
    let done = Place::new().run(&[], "").expect(2);
    assert!(done.stderr.contains("nothing to run") && done.stderr.contains("hint: "), "{}", done.stderr);
}

#[test]
fn an_unknown_key_in_the_configuration_names_its_place_and_the_nearest_one() {
    let place = Place::new();
    place.write("specpipe.toml", "[converge]\nround = 3\n");
    let done = place.run(&["-c", "cat"], "{\"id\":\"a\"}\n").expect(2);
    assert!(done.stderr.contains("specpipe.toml:2") && done.stderr.contains("`rounds`"), "{}", done.stderr);
}

#[test]
fn the_configuration_counts_unless_a_flag_says_otherwise() {
    let place = Place::new();
    place.write("specpipe.toml", "[converge]\nrounds = 2\n").write("count.sh", COUNTING);
    let rounds = |arguments: &[&str]| {
        place
            .run(&[arguments, &["-c", "sh count.sh"]].concat(), "{\"id\":\"a\",\"v\":\"\"}\n")
            .expect(0)
            .converge("a")
    };
    assert_eq!(rounds(&[]), "exhausted/2");
    assert_eq!(rounds(&["-n", "3"]), "exhausted/3");
}

/// A stage that never comes to an end: each round makes the value longer.
const COUNTING: &str = "sed 's/\"v\":\"/\"v\":\"x/'\n";
