//! Where the forms of the records are kept: one file that only grows, so that memory does not grow with the records and
//! a run that was killed finds them again.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where a line is in the store. Packed, because there may be a million of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(4))]
pub(crate) struct Place {
    start: u64,
    length: u32,
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
        let place = self.place_of_next(line)?;
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")?;
        self.end += u64::from(place.length) + 1;
        Ok(place)
    }

    /// Returns the place that this line would have, if it were appended now.
    pub(crate) fn place_of_next(&self, line: &str) -> io::Result<Place> {
        let length = u32::try_from(line.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a record has 4 GiB or more"))?;
        Ok(Place { start: self.end, length })
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

    /// Returns the lines between two places. Nothing may be appended meanwhile.
    pub(crate) fn lines(
        &self,
        from: u64,
        to: u64,
    ) -> io::Result<impl Iterator<Item = io::Result<(String, Place)>> + use<>> {
        let mut reader = BufReader::with_capacity(256 << 10, self.reader.try_clone()?);
        reader.seek(SeekFrom::Start(from))?;
        let mut start = from;
        Ok(std::iter::from_fn(move || {
            (start < to).then(|| {
                let text = next_line(&mut reader)?;
                let place = Place { start, length: text.len() as u32 };
                start += text.len() as u64 + 1;
                Ok((text, place))
            })
        }))
    }
}

fn next_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the stored records are not complete"));
    }
    String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
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
        let lines = |to| store.lines(0, to).unwrap().collect::<io::Result<Vec<_>>>();
        assert_eq!(lines(store.end()).unwrap(), [("one".to_owned(), first), ("zwölf".to_owned(), second)]);
        assert_eq!(lines(100).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
