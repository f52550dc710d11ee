//! One loop at a time: a lock file that names its holder and that a dead holder does not keep.
//!
//! The lock itself is `flock`, which the system gives back however the holder ends; a process id that was given to
//! another process since can not be mistaken for the holder. What the file says is for people.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use shared::units;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    /// The holder before us, if it ended without giving the lock back.
    pub(crate) taken_over_from: Option<String>,
}

/// Why a lock can not be had.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Somebody else has it.
    Held(String),
    /// The file can not be used.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock, without waiting.
    pub(crate) fn take(path: &Path) -> Result<Lock, Refused> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(Refused::Io)?;
        let lock = flock(&file, FlockOperation::NonBlockingLockExclusive);
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        let holder = holder.trim().to_owned();
        match lock {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Refused::Held(holder)),
            Err(error) => return Err(Refused::Io(error.into())),
        }
        // The holder before us may have removed the file in the meantime; a lock on it would keep nobody out.
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = std::fs::metadata(path).map_err(Refused::Io)?;
        if identity(there) != identity(file.metadata().map_err(Refused::Io)?) {
            return Err(Refused::Io(io::ErrorKind::NotFound.into()));
        }
        let mut lock = Lock { file, taken_over_from: Some(holder).filter(|holder| !holder.is_empty()) };
        let text = format!("process {} since {}\n", std::process::id(), units::now());
        lock.write(text.as_bytes()).map_err(Refused::Io)?;
        Ok(lock)
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(text)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty file is a lock that was given back.
        let _ = self.write(b"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_holder_who_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let lock = Lock::take(&path).unwrap();
        let Err(Refused::Held(holder)) = Lock::take(&path) else { panic!("taken twice") };
        assert!(holder.starts_with(&format!("process {} since 2", std::process::id())), "{holder}");
        drop(lock);
        assert_eq!(Lock::take(&path).unwrap().taken_over_from, None);
    }

    #[test]
    fn the_lock_of_a_dead_holder_is_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        std::fs::write(&path, "process 1 since long ago\n").unwrap();
        assert_eq!(Lock::take(&path).unwrap().taken_over_from.as_deref(), Some("process 1 since long ago"));
    }
}
