//! One round of the command: what it is given, what it gives back.
//!
//! The command reads a file and writes a file, so no amount of data can block it or us, whatever order it reads and
//! writes in, and what it wrote before it was killed is there.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use shared::Problem;
use shared::lines::Lines;
use shared::process::{Command, How};

use super::store::{Place, Store};
use crate::config::Program;

/// The environment variable that tells the command which round it is, from 1.
pub(crate) const ROUND: &str = "CONVERGE_ROUND";

/// The environment variable that tells the command how much may still be spent, in dollars.
pub(crate) const BUDGET_LEFT: &str = "CONVERGE_BUDGET_LEFT";

/// What a round is told and allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) round: u32,
    pub(crate) time: Option<Duration>,
    pub(crate) budget_left_usd: Option<f64>,
}

/// How a round of the command ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) how: How,
    pub(crate) elapsed: Duration,
}

/// Writes the records that a round is given.
pub(crate) fn give(path: &Path, store: &Store, places: impl Iterator<Item = Place>) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(256 << 10, File::create(path)?);
    for place in places {
        file.write_all(store.read(place)?.as_bytes())?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

/// Runs the command over one file into another. What it says on standard error, it says to the user.
pub(crate) fn run(program: &Program, terms: Terms, given: &Path, returned: &Path) -> Result<Ended, Problem> {
    let open = |file: io::Result<File>, path: &Path| {
        file.map_err(|error| Problem::new(format!("cannot open `{}`", path.display())).because(error))
    };
    let mut command = Command::new(program.argv.clone())
        .env(ROUND, terms.round.to_string())
        .stdin_from(open(File::open(given), given)?)
        .stdout_to(open(File::create(returned), returned)?);
    if let Ok(stderr) = io::stderr().as_fd().try_clone_to_owned() {
        command = command.stderr_to(stderr);
    }
    if let Some(left) = terms.budget_left_usd {
        command = command.env(BUDGET_LEFT, format!("{left:.6}"));
    }
    if let Some(time) = terms.time {
        command = command.timeout(time);
    }
    let ended = command.run()?;
    Ok(Ended { how: ended.how, elapsed: ended.elapsed })
}

/// Returns the lines that a round gave back. If it was ended in the middle of a line, that line is left out.
pub(crate) fn returned(path: &Path, how: How, max_line: u64) -> io::Result<Lines> {
    let mut file = File::open(path)?;
    let length = match how {
        How::Exited(_) => fs::metadata(path)?.len(),
        _ => whole_lines(&mut file)?,
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(Lines::new(Box::new(file.take(length)), max_line))
}

/// Returns how long the file is up to its last line break.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut reader = BufReader::with_capacity(256 << 10, file);
    let (mut position, mut end) = (0, 0);
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(end);
        }
        if let Some(last) = buffer.iter().rposition(|byte| *byte == b'\n') {
            end = position + last as u64 + 1;
        }
        let length = buffer.len();
        position += length as u64;
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_of_a_killed_command_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("returned");
        fs::write(&path, "{\"id\":\"a\"}\n{\"id\":\"b\"").unwrap();
        let count = |how| {
            let mut lines = returned(&path, how, 1000).unwrap();
            std::iter::from_fn(|| lines.next_line().unwrap()).count()
        };
        assert_eq!((count(How::Exited(0)), count(How::TimedOut), count(How::Signalled(9))), (2, 1, 1));
        fs::write(&path, "half").unwrap();
        assert_eq!(count(How::TimedOut), 0);
    }
}
