//! What a run leaves besides its records, for those who ask for it: a log of jobs, and a directory for each task.
//!
//! Both are told of an attempt when its record is complete, by the one thread that decides, so no line is torn.

mod folder;
mod joblog;

use std::path::Path;

use shared::section::Dispatch;
use shared::{Problem, Record};

use folder::Folder;
use joblog::Joblog;

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    joblog: Option<Joblog>,
    folder: Option<Folder>,
}

impl Reports {
    /// Opens what is to be written; a log goes on where the run does that is resumed.
    ///
    /// # Errors
    /// If one of them can not be made.
    pub(crate) fn open(
        joblog: Option<&Path>,
        folder: Option<&Path>,
        goes_on: bool,
    ) -> Result<Reports, Problem> {
        Ok(Reports {
            joblog: joblog.map(|path| Joblog::open(path, goes_on)).transpose()?,
            folder: folder.map(Folder::open).transpose()?,
        })
    }

    /// Writes down how an attempt ended; its section is in the record already.
    ///
    /// # Errors
    /// If it can not be written.
    pub(crate) fn note(&mut self, record: &Record, text: &str, dispatch: &Dispatch) -> Result<(), Problem> {
        if let Some(joblog) = &mut self.joblog {
            joblog.note(record.id().unwrap_or_default(), text, dispatch)?;
        }
        match &self.folder {
            Some(folder) => folder.note(record, dispatch),
            None => Ok(()),
        }
    }
}
