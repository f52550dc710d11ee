//! What an agent CLI printed once, so that it can be printed again where that CLI is not installed.
//!
//! A recording is a file with a line for each line that was printed, in the order in which they came, and the exit code at the end;
//! without one the program was ended from outside. Nothing in it tells on which machine it was made.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Mutex;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fake_model::Totals;

/// The longest text in a recording; what is longer says nothing that a reader of results needs.
const TEXT: usize = 160;
/// The most elements of a list.
const ELEMENTS: usize = 6;

/// A line of a recording.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Who printed it, in which version, and what the server told it meanwhile.
    Made {
        /// What the program says when it is asked for its version.
        version: String,
        /// The books of the server.
        books: Totals,
    },
    /// A line on standard output.
    Out(String),
    /// A line on standard error.
    Err(String),
    /// What is in the file that it was told to write its result to.
    Result(String),
    /// The exit code.
    Exit(i32),
}

/// Reads a recording.
pub fn read(path: &Path) -> io::Result<Vec<Line>> {
    let lines = BufReader::new(File::open(path)?).lines();
    lines.map(|line| serde_json::from_str(&line?).map_err(io::Error::other)).collect()
}

/// Writes a recording while it is made.
#[derive(Debug)]
pub struct Writer {
    file: Mutex<File>,
    /// What has to be replaced, and by what.
    places: Vec<(String, &'static str)>,
    port: Regex,
}

impl Writer {
    /// Begins a recording. Of each place, the path is replaced by its name.
    pub fn create(path: &Path, places: Vec<(String, &'static str)>) -> io::Result<Writer> {
        let port = Regex::new(r"127\.0\.0\.1:\d+").map_err(io::Error::other)?;
        Ok(Writer { file: Mutex::new(File::create(path)?), places, port })
    }

    /// Adds a line.
    pub fn add(&self, line: Line) -> io::Result<()> {
        let line = match line {
            Line::Out(text) => Line::Out(self.without_places(&shortened(&text))),
            Line::Err(text) => Line::Err(self.without_places(&cut(&text, 2 * TEXT))),
            Line::Result(text) => Line::Result(self.without_places(&shortened(&text))),
            line => line,
        };
        let text = serde_json::to_string(&line)? + "\n";
        let mut file = self.file.lock().map_err(|_| io::Error::other("a thread has panicked"))?;
        file.write_all(text.as_bytes())
    }

    fn without_places(&self, text: &str) -> String {
        let text = self.port.replace_all(text, "127.0.0.1:1").into_owned();
        let replace = |text: String, (path, name): &(String, &'static str)| text.replace(path, name);
        self.places.iter().filter(|(path, _)| path.len() > 1).fold(text, replace)
    }
}

/// Returns a line of JSON with shorter texts and lists, any other line as it is.
fn shortened(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(mut value) if value.is_object() => {
            shorten(&mut value);
            value.to_string()
        }
        _ => line.to_owned(),
    }
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = cut(text, TEXT),
        Value::Array(list) => {
            list.truncate(ELEMENTS);
            list.iter_mut().for_each(shorten);
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
