//! A directory of its own for each test, and the program run in it.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub struct Place(tempfile::TempDir);

/// What the program did.
pub struct Ran {
    pub status: Option<i32>,
    pub output: String,
    pub errors: String,
}

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    /// A repository of these files, all committed.
    pub fn repository(files: &[(&str, &str)]) -> Place {
        let place = Place::new();
        place.git(&["init", "--quiet", "--initial-branch", "main"]);
        for (path, text) in files {
            place.write(path, text);
        }
        place.git(&["add", "."]);
        place.git(&["commit", "--quiet", "--allow-empty", "-m", "first"]);
        place
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn git(&self, args: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").args(identity).args(args).current_dir(self.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Returns the program, to be run in a directory of the place with nothing configured but what the test puts there.
    pub fn classify(&self, directory: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_classify"));
        command
            .current_dir(self.path().join(directory))
            .env("XDG_CONFIG_HOME", self.path())
            .env_remove("SPECPIPE_CONFIG")
            .env_remove("SPECPIPE_CLASSIFY_JOBS")
            .env_remove("SPECPIPE_CLASSIFY_REFLECT");
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_on(args, "")
    }

    pub fn run_on(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.classify("");
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that ends without reading all of it is no fault of the test.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Ran::of(&child.wait_with_output().unwrap())
    }

    pub fn reflect(&self, mode: &str, text: &str) -> Ran {
        self.run(&[&format!("--reflect={mode}"), "--text", text])
    }
}

impl Ran {
    pub fn of(output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran { status: output.status.code(), output: text(&output.stdout), errors: text(&output.stderr) }
    }

    /// Returns the first line of the output.
    pub fn json(&self) -> Value {
        let line = self.output.lines().next().unwrap_or_else(|| panic!("nothing was said: {}", self.errors));
        serde_json::from_str(line).unwrap()
    }

    pub fn reflection(&self) -> Value {
        self.json()["classify"]["reflection"].clone()
    }
}

/// Returns the texts of a list, a line each.
pub fn said(list: &Value) -> String {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}
