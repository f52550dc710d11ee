//! Reports that a worker has made and the queue has not confirmed: a file each, so that a worker that dies between the end of a
//! task and its report still tells what it has spent when it is started again.

use std::io;
use std::path::{Path, PathBuf};

use super::wire::Report;

/// The directory of one worker's unconfirmed reports.
#[derive(Debug)]
pub(crate) struct Outbox {
    directory: PathBuf,
}

/// A report with where it goes.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Letter {
    /// The queue that it belongs to.
    pub(crate) queue: String,
    /// The dispatcher that it is for.
    pub(crate) reply: String,
    pub(crate) report: Report,
}

impl Outbox {
    /// Opens the outbox in a state directory.
    pub(crate) fn open(state: &Path) -> io::Result<Outbox> {
        let directory = state.join("outbox");
        std::fs::create_dir_all(&directory)?;
        Ok(Outbox { directory })
    }

    /// Keeps a report until it is confirmed; returns where.
    pub(crate) fn keep(&self, letter: &Letter) -> io::Result<PathBuf> {
        let name = blake3::hash(letter.report.message_id().as_bytes()).to_hex();
        let path = self.directory.join(format!("{}.json", &name[..32]));
        let half = path.with_extension("half");
        std::fs::write(&half, serde_json::to_vec(letter)?)?;
        std::fs::rename(half, &path)?;
        Ok(path)
    }

    /// Returns what earlier workers here have left for this queue. What can not be read is left where it is.
    pub(crate) fn left(&self, queue: &str) -> io::Result<Vec<(PathBuf, Letter)>> {
        let mut left = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let letter =
                std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Letter>(&text).ok());
            left.extend(letter.filter(|letter| letter.queue == queue).map(|letter| (path, letter)));
        }
        Ok(left)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Draft, Event};
    use super::*;

    #[test]
    fn what_was_not_confirmed_is_found_again() {
        let state = tempfile::tempdir().unwrap();
        let draft = Draft { place: 1, delivery: 1, worker: "w".to_owned() };
        let report = Report { key: "k".to_owned(), draft, event: Event::Started };
        let letter = Letter { queue: "q".to_owned(), reply: "r".to_owned(), report: report.clone() };
        let path = Outbox::open(state.path()).unwrap().keep(&letter).unwrap();
        std::fs::write(state.path().join("outbox/torn.json"), "{").unwrap();
        let outbox = Outbox::open(state.path()).unwrap();
        assert!(outbox.left("other").unwrap().is_empty());
        let left = outbox.left("q").unwrap();
        assert_eq!((left.len(), &left[0].1.report), (1, &report));
        std::fs::remove_file(path).unwrap();
        assert!(outbox.left("q").unwrap().is_empty());
    }
}
