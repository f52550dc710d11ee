//! The file that all runs of a project append their lines to.
//!
//! Every line is written by one `write`, so that lines of runs at the same time do not mix. A line that a crash or a full disk
//! has torn costs only itself: the next run closes it, and what another run has written behind it is found all the same. Lines
//! reach the disk within a tenth of a second, by a thread of their own; a kill of the process alone loses nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

/// The name of the file in the state directory.
const FILE: &str = "journal/dispatch.jsonl";

/// A journal larger than this is put aside, or made smaller, by the next run that is alone with it.
pub(super) const LARGE: u64 = 256 << 20;

/// How long lines are gathered before the disk is asked to keep them.
const GATHER: Duration = Duration::from_millis(50);

/// How every line begins. It can not stand inside of a line: in a JSON string its quotes would be escaped.
const BEGINNING: &[u8] = b"{\"event\":\"";

/// Returns the lines of a journal that still say something.
type Essence = fn(&File) -> io::Result<Vec<u8>>;

/// Returns where the journal of a state directory is.
pub(crate) fn path(state: &Path) -> PathBuf {
    state.join(FILE)
}

/// The file, open for as long as a run writes to it.
#[derive(Debug)]
pub(super) struct Lines {
    file: Arc<File>,
    sync: Arc<Sync>,
}

#[derive(Debug, Default)]
struct Sync {
    is_dirty: Mutex<Option<bool>>,
    wake: Condvar,
}

impl Lines {
    /// Opens the file, and makes it if need be. One that is larger than `large` and that nobody else writes to is put aside
    /// first, or, if it is to be read, replaced by what `essence` says of it.
    pub(super) fn open(state: &Path, large: u64, essence: Option<Essence>) -> io::Result<Lines> {
        let path = path(state);
        std::fs::create_dir_all(path.parent().unwrap_or(state))?;
        let mut file = open(&path)?;
        if file.metadata()?.len() > large && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            match essence {
                None => std::fs::rename(&path, path.with_extension("jsonl.old"))?,
                Some(essence) => replace(&path, &essence(&file)?)?,
            }
        }
        // Held as long as this run writes, so that nobody puts the file aside meanwhile. Where locks do not work
        // (some network file systems) the file is never put aside.
        loop {
            file = open(&path)?;
            let is_locked = flock(&file, FlockOperation::LockShared).is_ok();
            // Somebody may have put it aside before it was locked.
            let is_there =
                path.metadata().is_ok_and(|there| file.metadata().is_ok_and(|own| own.ino() == there.ino()));
            if is_there || !is_locked {
                break;
            }
        }
        close_torn_line(&file)?;
        let file = Arc::new(file);
        let sync = Arc::new(Sync { is_dirty: Mutex::new(Some(false)), wake: Condvar::new() });
        let (to_sync, signal) = (Arc::clone(&file), Arc::clone(&sync));
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || signal.keep(&to_sync))?;
        Ok(Lines { file, sync })
    }

    /// Appends a line, which ends with a line break.
    pub(super) fn append(&self, line: &[u8]) -> io::Result<()> {
        let written = (&*self.file).write(line)?;
        if written < line.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the line could not be written whole"));
        }
        let mut is_dirty = self.sync.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_dirty == Some(false) {
            *is_dirty = Some(true);
            self.sync.wake.notify_one();
        }
        Ok(())
    }

    /// Returns the file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        *self.sync.is_dirty.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.sync.wake.notify_one();
        let _ = self.file.sync_data();
        // The thread may hold the file a little longer.
        let _ = flock(&*self.file, FlockOperation::Unlock);
    }
}

impl Sync {
    /// Asks the disk to keep what was written, a while after it was, until the journal is closed.
    fn keep(&self, file: &File) {
        let mut is_dirty = self.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *is_dirty {
                None => return,
                Some(false) => is_dirty = self.wake.wait(is_dirty).unwrap_or_else(PoisonError::into_inner),
                Some(true) => {
                    drop(is_dirty);
                    std::thread::sleep(GATHER);
                    is_dirty = self.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
                    if is_dirty.is_none() {
                        return;
                    }
                    *is_dirty = Some(false);
                    drop(is_dirty);
                    let _ = file.sync_data();
                    is_dirty = self.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

/// Puts other content in the place of a file, so that whoever is killed on the way leaves one or the other.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(content)?;
    file.as_file().sync_data()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Ends a line that a crash has left without its end. If it was only being written, the empty line does no harm.
fn close_torn_line(file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last == *b"\n" { Ok(()) } else { (&*file).write_all(b"\n") }
}

/// Calls a function with the place and the bytes of every whole line from `start` on, and returns where the last one ends.
///
/// The function tells whether it understood the line. If not, it is asked again about what stands behind a torn one.
pub(super) fn each_line(
    file: &File,
    start: u64,
    mut read: impl FnMut(u64, &[u8]) -> bool,
) -> io::Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    reader.seek(SeekFrom::Start(start))?;
    let (mut at, mut line) = (start, Vec::new());
    let end = file.metadata()?.len();
    let mut reader = reader.take(end.saturating_sub(start));
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok(at);
        }
        if !read(at, &line)
            && let Some(behind) = line.windows(BEGINNING.len()).rposition(|window| window == BEGINNING)
            && behind > 0
        {
            read(at + behind as u64, &line[behind..]);
        }
        at += length as u64;
    }
}
