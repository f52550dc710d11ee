//! All that a program sees of the world: what it reads, what it writes, whom it tells.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::diagnostic::{Diagnostics, Level};
use crate::{Common, Problem};

/// The streams of a program. Owned, because the reader works in a thread of its own.
pub struct Io {
    /// Where records come from.
    pub input: Box<dyn Read + Send>,
    /// Where records go.
    pub output: Box<dyn Write + Send>,
    /// Where people are told.
    pub diagnostics: Diagnostics,
}

impl Io {
    /// Returns the standard streams of this process.
    pub fn standard(tool: &'static str, common: &Common) -> Io {
        let stderr = anstream::AutoStream::new(io::stderr(), common.color.into());
        let is_terminal = io::stderr().is_terminal();
        Io {
            input: Box::new(io::stdin()),
            output: Box::new(io::stdout()),
            diagnostics: Diagnostics::new(tool, common.level(), Box::new(stderr), is_terminal),
        }
    }

    /// Reads the files instead of standard input, one after the other; `-` is standard input.
    ///
    /// With no files, standard input stays. If that is a terminal, a note says what is waited for.
    pub fn read_files(&mut self, files: &[PathBuf]) -> Result<(), Problem> {
        let from_terminal = files.is_empty() || files.iter().any(|file| file == Path::new("-"));
        if from_terminal && io::stdin().is_terminal() {
            self.diagnostics.note("reading records from the terminal; end with Ctrl-D, or see --help");
        }
        if files.is_empty() {
            return Ok(());
        }
        let mut sources = Vec::new();
        for file in files {
            let source: Box<dyn Read + Send> = if file == Path::new("-") {
                std::mem::replace(&mut self.input, Box::new(io::empty()))
            } else {
                Box::new(open(file)?)
            };
            sources.push((file.display().to_string(), source));
        }
        let input = Files::new(sources, self.diagnostics.clone());
        self.input = Box::new(input);
        Ok(())
    }

    /// Returns streams in memory, and what was written to them. For tests.
    pub fn in_memory(input: &[u8]) -> (Io, Memory) {
        let memory = Memory::default();
        let io = Io {
            input: Box::new(io::Cursor::new(input.to_vec())),
            output: Box::new(Shared(memory.output.clone())),
            diagnostics: Diagnostics::new(
                "test",
                Level::Normal,
                Box::new(Shared(memory.errors.clone())),
                false,
            ),
        };
        (io, memory)
    }
}

fn open(path: &Path) -> Result<File, Problem> {
    let problem = |error: io::Error| Problem::new(format!("cannot read `{}`", path.display())).because(error);
    let file = File::open(path).map_err(problem)?;
    if file.metadata().map_err(problem)?.is_dir() {
        return Err(Problem::new(format!("cannot read `{}`: it is a directory", path.display())));
    }
    Ok(file)
}

/// Several files as one input. Where each begins is told to the diagnostics, which name the place of a line by it.
struct Files {
    sources: std::iter::Peekable<std::vec::IntoIter<(String, Box<dyn Read + Send>)>>,
    diagnostics: Diagnostics,
    several: bool,
    begun: bool,
    lines: u64,
    last: u8,
}

impl Files {
    fn new(sources: Vec<(String, Box<dyn Read + Send>)>, diagnostics: Diagnostics) -> Files {
        let several = sources.len() > 1;
        Files {
            sources: sources.into_iter().peekable(),
            diagnostics,
            several,
            begun: false,
            lines: 0,
            last: b'\n',
        }
    }
}

impl Read for Files {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some((name, source)) = self.sources.peek_mut() {
            if !std::mem::replace(&mut self.begun, true) && self.several {
                self.diagnostics.file_begins(self.lines, name);
            }
            let count = source.read(buffer)?;
            if let Some(last) = buffer[..count].last() {
                self.last = *last;
                self.lines += buffer[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
                return Ok(count);
            }
            if buffer.is_empty() {
                return Ok(0);
            }
            self.sources.next();
            self.begun = false;
            if std::mem::replace(&mut self.last, b'\n') != b'\n' {
                // A last line without its end must not run into the next file.
                self.lines += 1;
                buffer[0] = b'\n';
                return Ok(1);
            }
        }
        Ok(0)
    }
}

/// What was written to the streams of [`Io::in_memory`].
#[derive(Clone, Default)]
pub struct Memory {
    output: Arc<Mutex<Vec<u8>>>,
    errors: Arc<Mutex<Vec<u8>>>,
}

impl Memory {
    /// Returns what was written on standard output.
    pub fn output(&self) -> String {
        text(&self.output)
    }

    /// Returns what people were told, without colours.
    pub fn errors(&self) -> String {
        anstream::adapter::strip_str(&text(&self.errors)).to_string()
    }
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    let bytes = bytes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_files_are_one_input_and_a_line_is_named_by_its_own_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let files = [file("a", "1\n2"), file("b", ""), file("c", "3\n4\n")];
        let (mut io, memory) = Io::in_memory(b"");
        io.read_files(&files).unwrap();
        let mut text = String::new();
        io.input.read_to_string(&mut text).unwrap();
        assert_eq!(text, "1\n2\n3\n4\n");
        io.diagnostics.record(Some(2), None, &Problem::new("oops"));
        io.diagnostics.record(Some(4), Some("x"), &Problem::new("oops"));
        let expected = format!(
            "test: error: {}: line 2: oops\ntest: error: {}: line 2, id x: oops\n",
            files[0].display(),
            files[2].display()
        );
        assert_eq!(memory.errors(), expected);
    }
}
