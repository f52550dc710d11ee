//! The tools: what a model is told of them, and how its calls are understood.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::files::{Edit, Read, Write};
use super::search::{Glob, Grep};
use super::shell::Bash;
use crate::http::{Call, Tool};

/// What came of a call, or why it was not done, both as the model is told.
pub(super) type Done = Result<String, String>;

/// The most text that one call brings, in bytes; a longer one is cut in the middle.
pub(super) const MOST_TEXT: usize = 30 << 10;

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Grep,
    Glob,
    Write,
    Edit,
    Bash,
}

/// A call that is understood.
#[derive(Debug)]
pub(super) enum Request {
    Read(Read),
    Grep(Grep),
    Glob(Glob),
    Write(Write),
    Edit(Edit),
    Bash(Bash),
}

impl Kind {
    const ALL: [Kind; 6] = [Kind::Read, Kind::Grep, Kind::Glob, Kind::Write, Kind::Edit, Kind::Bash];

    /// Returns the name that executors and models know it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Read => "Read",
            Kind::Grep => "Grep",
            Kind::Glob => "Glob",
            Kind::Write => "Write",
            Kind::Edit => "Edit",
            Kind::Bash => "Bash",
        }
    }

    /// Returns the tools of these names; what is none of ours is left out.
    pub(crate) fn named(names: &[String]) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| names.iter().any(|name| name == kind.name())).collect()
    }

    /// Returns what a model is told.
    pub(super) fn tool(self) -> Tool {
        let text = |description: &str| json!({ "type": "string", "description": description });
        let number =
            |description: &str| json!({ "type": "integer", "minimum": 1, "description": description });
        let flag = |description: &str| json!({ "type": "boolean", "description": description });
        let (description, properties, required): (&str, Value, &[&str]) = match self {
            Kind::Read => (
                "Shows a text file with the numbers of its lines. A long file is shown in pieces: go on with offset.",
                json!({
                    "file_path": text("The file."),
                    "offset": number("The first line to show, from 1."),
                    "limit": number("How many lines to show."),
                }),
                &["file_path"],
            ),
            Kind::Grep => (
                "Searches the contents of files for a regular expression (the syntax of Rust's regex crate, no \
                 look-around). What .gitignore names is left out.",
                json!({
                    "pattern": text("The regular expression, matched against each line."),
                    "path": text("A file or directory to search; by default the working directory."),
                    "glob": text("Only files whose path matches, such as `*.rs` or `src/**/*.ts`."),
                    "output_mode": {
                        "type": "string",
                        "enum": ["content", "files_with_matches", "count"],
                        "description": "Lines with their file and number (the default), files, or counts by file.",
                    },
                    "ignore_case": flag("Whether case does not matter."),
                    "context": number("How many lines around each match are shown as well."),
                    "limit": number("The most lines or files to show."),
                }),
                &["pattern"],
            ),
            Kind::Glob => (
                "Lists files whose path matches a pattern, in the order of their names. What .gitignore names is left out.",
                json!({
                    "pattern": text("The pattern, such as `**/*.rs` or `src/*.{ts,tsx}`."),
                    "path": text("The directory to look in; by default the working directory."),
                }),
                &["pattern"],
            ),
            Kind::Write => (
                "Writes a file, with all directories above it. What was in it before is gone.",
                json!({
                    "file_path": text("The file."),
                    "content": text("All that is to be in it."),
                }),
                &["file_path", "content"],
            ),
            Kind::Edit => (
                "Replaces text in a file. The old text has to be there exactly, and once unless replace_all is set.",
                json!({
                    "file_path": text("The file."),
                    "old_string": text("The text to replace, as it stands in the file, without line numbers."),
                    "new_string": text("What comes in its place."),
                    "replace_all": flag("Whether to replace it wherever it is."),
                }),
                &["file_path", "old_string", "new_string"],
            ),
            Kind::Bash => (
                "Runs a command with the shell in the working directory and shows what it prints. Each call has a \
                 shell of its own, and what it leaves running is ended with it.",
                json!({
                    "command": text("The command."),
                    "timeout_ms": number("The longest that it may take, in milliseconds."),
                    "description": text("What it is for, in a few words."),
                }),
                &["command"],
            ),
        };
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        Tool { name: self.name(), description: description.to_owned(), schema }
    }
}

impl Request {
    /// Understands a call, if it is for a tool that is allowed and its arguments are sound.
    pub(super) fn parse(call: &Call, allowed: &[Kind]) -> Result<Request, String> {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == call.name) else {
            return Err(format!("there is no tool `{}`; {}", call.name, told(allowed)));
        };
        if !allowed.contains(&kind) {
            return Err(format!("this executor may not use {}; {}", call.name, told(allowed)));
        }
        let arguments = call.object().map_err(|error| format!("the arguments could not be read: {error}"))?;
        let arguments = Value::Object(arguments);
        Ok(match kind {
            Kind::Read => Request::Read(arguments_of(kind, arguments)?),
            Kind::Grep => Request::Grep(arguments_of(kind, arguments)?),
            Kind::Glob => Request::Glob(arguments_of(kind, arguments)?),
            Kind::Write => Request::Write(arguments_of(kind, arguments)?),
            Kind::Edit => Request::Edit(arguments_of(kind, arguments)?),
            Kind::Bash => Request::Bash(arguments_of(kind, arguments)?),
        })
    }

    /// Tells whether it changes nothing, so that others may run at the same time.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Request::Read(_) | Request::Grep(_) | Request::Glob(_))
    }
}

fn arguments_of<T: DeserializeOwned>(kind: Kind, arguments: Value) -> Result<T, String> {
    serde_json::from_value(arguments)
        .map_err(|error| format!("the arguments of {} are wrong: {error}", kind.name()))
}

fn told(allowed: &[Kind]) -> String {
    let names: Vec<&str> = allowed.iter().map(|kind| kind.name()).collect();
    format!("what may be used is {}", names.join(", "))
}

/// Cuts the middle out of a text that is too long.
pub(super) fn cut(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let half = most / 2;
    let head = (0..=half).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let tail =
        (text.len() - half..text.len()).find(|start| text.is_char_boundary(*start)).unwrap_or(text.len());
    format!("{}\n[… {} bytes left out …]\n{}", &text[..head], tail - head, &text[tail..])
}
