//! What a program says on standard error: the tool, how grave, where, what, and what to do about it.

use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anstyle::{AnsiColor, Style};

use crate::{Exit, Problem, problem};

/// So many broken records are told one by one; of the rest only the number is told, unless `--verbose`.
const RECORDS_TOLD: u64 = 20;

/// How much a program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Errors alone.
    Quiet,
    /// Errors, warnings and notes.
    #[default]
    Normal,
    /// All there is to tell.
    Verbose,
}

/// Writes messages for people. Clones share the stream.
#[derive(Clone)]
pub struct Diagnostics {
    tool: &'static str,
    level: Level,
    is_terminal: bool,
    shared: Arc<Sink>,
}

struct Sink {
    stream: Mutex<Box<dyn Write + Send>>,
    records: AtomicU64,
    /// After how many lines of the input each file begins, if there are several.
    files: Mutex<Vec<(u64, String)>>,
    /// What to do about the last broken record.
    last_hint: Mutex<Option<String>>,
}

impl Diagnostics {
    /// Returns diagnostics of the tool that are written to the stream. The stream strips colours where they are not wanted.
    pub fn new(tool: &'static str, level: Level, stream: Box<dyn Write + Send>, is_terminal: bool) -> Self {
        let shared = Arc::new(Sink {
            stream: Mutex::new(stream),
            records: AtomicU64::new(0),
            files: Mutex::default(),
            last_hint: Mutex::default(),
        });
        Diagnostics { tool, level, is_terminal, shared }
    }

    /// Returns the name of the tool.
    pub fn tool(&self) -> &'static str {
        self.tool
    }

    /// Tells whether only errors are wanted.
    pub fn is_quiet(&self) -> bool {
        self.level == Level::Quiet
    }

    /// Tells whether all there is to tell is wanted.
    pub fn is_verbose(&self) -> bool {
        self.level == Level::Verbose
    }

    /// Tells whether a person watches, so that progress may be drawn.
    pub fn stderr_is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Tells an error that belongs to no record.
    pub fn error(&self, error: &(dyn Error + 'static)) {
        self.tell(AnsiColor::Red, "error", &problem::chain(error));
        self.tell_hint(problem::hint_of(error));
    }

    /// Tells that a record could not be processed.
    pub fn record(&self, line: Option<u64>, id: Option<&str>, error: &(dyn Error + 'static)) {
        let told = self.shared.records.fetch_add(1, Ordering::Relaxed);
        if told >= RECORDS_TOLD && !self.is_verbose() {
            return;
        }
        let mut place = Vec::new();
        place.extend(line.map(|line| self.place(line)));
        place.extend(id.map(|id| format!("id {id}")));
        let place = if place.is_empty() { String::new() } else { place.join(", ") + ": " };
        self.tell(AnsiColor::Red, "error", &format!("{place}{}", problem::chain(error)));
        // Many records may have the same fault; what to do about it is said once.
        let hint = problem::hint_of(error);
        let mut last = self.shared.last_hint.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if hint != last.as_deref() {
            self.tell_hint(hint);
            *last = hint.map(str::to_owned);
        }
    }

    /// Notes that a file begins after so many lines of the input.
    pub(crate) fn file_begins(&self, lines: u64, name: &str) {
        let mut files = self.shared.files.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        files.push((lines, name.to_owned()));
    }

    /// Returns where a line of the input stands.
    fn place(&self, line: u64) -> String {
        let files = self.shared.files.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match files.iter().rev().find(|(before, _)| *before < line) {
            Some((before, name)) => format!("{name}: line {}", line - before),
            None => format!("line {line}"),
        }
    }

    /// Tells how many broken records were not told one by one. Called once, at the end.
    pub fn finish(&self) {
        let untold = self.shared.records.load(Ordering::Relaxed).saturating_sub(RECORDS_TOLD);
        if untold > 0 && !self.is_verbose() {
            let message = format!("{untold} more records could not be processed; each has its `errors`");
            self.tell(AnsiColor::Red, "error", &message);
            self.tell_hint(Some("--verbose tells them all"));
        }
    }

    /// Tells something that is probably not what the user wants.
    pub fn warning(&self, message: impl Display) {
        if self.level > Level::Quiet {
            self.tell(AnsiColor::Yellow, "warning", &message.to_string());
        }
    }

    /// Tells something worth knowing.
    pub fn note(&self, message: impl Display) {
        if self.level > Level::Quiet {
            self.tell(AnsiColor::Cyan, "note", &message.to_string());
        }
    }

    /// Tells what only somebody who asked for it wants to know.
    pub fn verbose(&self, message: impl Display) {
        if self.is_verbose() {
            self.tell(AnsiColor::BrightBlack, "info", &message.to_string());
        }
    }

    /// Writes text as it is, such as a table for people. Nothing with `--quiet`.
    pub fn plain(&self, text: impl Display) {
        if self.level > Level::Quiet {
            self.write(&text.to_string());
        }
    }

    /// Tells that the command line or the configuration can not be used.
    pub fn usage(&self, problem: &Problem) -> Exit {
        self.error(problem);
        Exit::Usage
    }

    /// Tells why the program could not go on.
    pub fn fatal(&self, problem: &Problem) -> Exit {
        self.error(problem);
        Exit::Fatal
    }

    fn tell(&self, color: AnsiColor, severity: &str, message: &str) {
        let style = Style::new().bold().fg_color(Some(color.into()));
        self.write(&format!("{}: {style}{severity}{style:#}: {}\n", self.tool, printable(message)));
    }

    fn tell_hint(&self, hint: Option<&str>) {
        if let Some(hint) = hint {
            self.tell(AnsiColor::Cyan, "hint", hint);
        }
    }

    fn write(&self, text: &str) {
        // A closed or full standard error is no reason to lose records: there is nobody left to tell.
        let mut stream = self.shared.stream.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }
}

/// Returns a message with its control characters escaped: an id or a line of the input must not end our line, or steer a
/// terminal.
pub fn printable(message: &str) -> std::borrow::Cow<'_, str> {
    if !message.contains(char::is_control) {
        return message.into();
    }
    let escape = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    message.chars().map(escape).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use crate::{Io, Problem};

    #[test]
    fn an_id_can_neither_forge_a_line_nor_steer_the_terminal() {
        let (io, memory) = Io::in_memory(b"");
        io.diagnostics.record(Some(1), Some("x\nclassify: error: forged\u{1b}[2J"), &Problem::new("no"));
        assert_eq!(memory.errors(), "test: error: line 1, id x\\nclassify: error: forged\\u{1b}[2J: no\n");
    }
}
