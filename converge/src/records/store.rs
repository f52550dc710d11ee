//! Where the forms of the records are kept: one file that only grows, so that memory does not grow with the records and
//! a run that was killed finds them again.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where a line is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    start: u64,
    length: u64,
}

/// Lines on disk.
#[derive(Debug)]
pub(crate) struct Store {
    writer: BufWriter<File>,
    reader: File,
    end: u64,
}

impl Store {
    /// Opens the store, or makes it.
    pub(crate) fn open(path: &Path) -> io::Result<Store> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let end = file.seek(SeekFrom::End(0))?;
        Ok(Store { reader: file.try_clone()?, writer: BufWriter::with_capacity(256 << 10, file), end })
    }

    /// Appends a line and returns its place.
    pub(crate) fn append(&mut self, line: &str) -> io::Result<Place> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")?;
        let place = self.place_of_next(line);
        self.end += place.length + 1;
        Ok(place)
    }

    /// Returns the place that this line would have, if it were appended now.
    pub(crate) fn place_of_next(&self, line: &str) -> Place {
        Place { start: self.end, length: line.len() as u64 }
    }

    /// Returns where the next line will begin.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Makes the lines readable, and durable: nothing that was paid for may be lost with the power.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.writer.flush()?;
        self.writer.get_ref().sync_data()
    }

    /// Makes the lines readable.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Reads a line. What was appended since the last flush is not there yet.
    pub(crate) fn read(&self, place: Place) -> io::Result<String> {
        let mut bytes = vec![0; place.length as usize];
        self.reader.read_exact_at(&mut bytes, place.start)?;
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Drops everything from here on: what a round that never finished has left.
    pub(crate) fn cut(&mut self, end: u64) -> io::Result<()> {
        self.writer.flush()?;
        self.writer.get_ref().set_len(end)?;
        self.writer.seek(SeekFrom::Start(end))?;
        self.end = end;
        Ok(())
    }

    /// Calls back for each line between two places.
    pub(crate) fn replay(&self, from: u64, to: u64, mut each: impl FnMut(String, Place)) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(256 << 10, self.reader.try_clone()?);
        reader.seek(SeekFrom::Start(from))?;
        let mut start = from;
        while start < to {
            let mut line = Vec::new();
            let count = reader.read_until(b'\n', &mut line)? as u64;
            if count == 0 || line.pop() != Some(b'\n') {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the stored records are not complete",
                ));
            }
            let text =
                String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            each(text, Place { start, length: count - 1 });
            start += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_again_after_a_cut_and_by_another_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records");
        let mut store = Store::open(&path).unwrap();
        let first = store.append("one").unwrap();
        let end = store.end();
        store.append("half a round").unwrap();
        store.cut(end).unwrap();
        let second = store.append("zwölf").unwrap();
        store.sync().unwrap();
        assert_eq!((store.read(first).unwrap(), store.read(second).unwrap()), ("one".into(), "zwölf".into()));
        let store = Store::open(&path).unwrap();
        let mut lines = Vec::new();
        store.replay(0, store.end(), |line, place| lines.push((line, place))).unwrap();
        assert_eq!(lines, [("one".to_owned(), first), ("zwölf".to_owned(), second)]);
        assert!(store.replay(0, 100, |_, _| {}).is_err());
    }
}
