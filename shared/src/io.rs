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
        let mut input: Box<dyn Read + Send> = Box::new(io::empty());
        for file in files {
            let next: Box<dyn Read + Send> = if file == Path::new("-") {
                std::mem::replace(&mut self.input, Box::new(io::empty()))
            } else {
                Box::new(open(file)?)
            };
            // A file without a last newline must not run into the next one; blank lines are no records.
            input = Box::new(input.chain(next).chain(&b"\n"[..]));
        }
        self.input = input;
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
