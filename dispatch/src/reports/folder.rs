//! A directory for each task: what it said, what it complained about, and its record, for tools that know files.
//!
//! Its name is that of its worktree. A later attempt takes the place of an earlier one; a file is there whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use shared::section::Dispatch;
use shared::{Problem, Record};

use crate::worktree::name_of;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Folder, Problem> {
        std::fs::create_dir_all(path).map_err(|error| problem(path, error))?;
        Ok(Folder { path: path.to_owned() })
    }

    pub(super) fn note(&self, record: &Record, dispatch: &Dispatch) -> Result<(), Problem> {
        let place = self.path.join(name_of(record.id().unwrap_or_default()));
        write(&place, record, dispatch).map_err(|error| problem(&place, error))
    }
}

fn write(place: &Path, record: &Record, dispatch: &Dispatch) -> io::Result<()> {
    std::fs::create_dir_all(place)?;
    let output = dispatch.output.as_deref().unwrap_or_default().as_bytes();
    match &dispatch.output_file {
        Some(file) => put(place, "stdout", &mut std::fs::File::open(&file.path)?)?,
        None => put(place, "stdout", &mut { output })?,
    }
    put(place, "stderr", &mut dispatch.stderr.as_deref().unwrap_or_default().as_bytes())?;
    // The last one: where it is, the others are.
    put(place, "record.json", &mut (record.to_line().into_owned() + "\n").as_bytes())
}

fn put(place: &Path, name: &str, from: &mut dyn io::Read) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().prefix(".new-").permissions(permissions).tempfile_in(place)?;
    io::copy(from, &mut file)?;
    file.flush()?;
    file.persist(place.join(name))?;
    Ok(())
}

fn problem(path: &Path, error: io::Error) -> Problem {
    Problem::new(format!("cannot keep results in `{}`", path.display())).because(error)
}
