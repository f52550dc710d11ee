//! The gates that look at files: reads each file once, asks `syntax` and `secrets`, and holds what they find
//! against the version before the change.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use shared::Problem;
use shared::section::GateType;

use crate::change::{Change, Now, Repository, shown};
use crate::config::Config;
use crate::found::{Checked, Found, mark_existing};
use crate::gate::Gate;
use crate::repair::{self, Repair};
use crate::{glob, secrets, syntax};

/// So many files are in memory at once.
const CHUNK: usize = 64;

/// One file that is to be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// How it is called: relative to where the work is done.
    pub(crate) path: PathBuf,
    /// Where its content is.
    pub(crate) content: Content,
    /// The blob that it was before the change.
    pub(crate) before: Option<String>,
    /// The name that it had before, if that was another one.
    pub(crate) old_path: Option<PathBuf>,
}

/// Where the content of a file is.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Disk(PathBuf),
    Blob(String),
    /// There should be a file and there is none that can be read, for this reason.
    Missing(String),
}

/// Which of the two gates are wanted.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    syntax: bool,
    secrets: bool,
}

/// What both gates say of one file.
struct Looked {
    syntax: Checked,
    secrets: Checked,
}

impl Looked {
    fn both(checked: Checked) -> Looked {
        Looked { syntax: checked.clone(), secrets: checked }
    }

    fn of(path: &Path, content: &[u8], wanted: Wanted, clock: &Clock) -> Looked {
        let started = Instant::now();
        let syntax = if wanted.syntax { syntax::check(path, content) } else { Checked::NotApplicable };
        let between = Instant::now();
        let secrets = match wanted.secrets {
            true if content.len() > secrets::MAX_BYTES => too_large(),
            true => {
                let mut found = secrets::in_name(&shown(path));
                found.extend(secrets::scan(path, content));
                Checked::Yes(found)
            }
            false => Checked::NotApplicable,
        };
        clock.syntax.fetch_add((between - started).as_micros() as u64, Ordering::Relaxed);
        clock.secrets.fetch_add(between.elapsed().as_micros() as u64, Ordering::Relaxed);
        Looked { syntax, secrets }
    }

    fn has_findings(&self) -> bool {
        [&self.syntax, &self.secrets].iter().any(|checked| match checked {
            Checked::Yes(found) | Checked::Doubtful(found, _) => !found.is_empty(),
            Checked::NotApplicable | Checked::Unverifiable(_) => false,
        })
    }
}

/// The work of all threads together, in microseconds.
#[derive(Default)]
struct Clock {
    syntax: AtomicU64,
    secrets: AtomicU64,
}

fn too_large() -> Checked {
    Checked::Unverifiable(format!("it is larger than {} MiB", secrets::MAX_BYTES >> 20))
}

/// Looks at the files and returns the gates `syntax` and `secrets`, as far as they are wanted.
///
/// `task` is what was asked for, in words: what was to be repaired counts even if it was broken before.
pub(crate) fn check(
    subjects: &[Subject],
    repository: Option<&Repository>,
    task: &str,
    config: &Config,
) -> Result<Vec<Gate>, Problem> {
    let wanted =
        Wanted { syntax: config.selection.wants("syntax"), secrets: config.selection.wants("secrets") };
    if !wanted.syntax && !wanted.secrets {
        return Ok(Vec::new());
    }
    let compared = |gate| !config.whole_files && repair::wanted(task, gate) != Repair::Yes;
    let compared = Wanted { syntax: compared("syntax"), secrets: compared("secrets") };
    let clock = Clock::default();
    let (mut syntax, mut secrets) = (Vec::new(), Vec::new());
    for chunk in subjects.chunks(CHUNK) {
        let mut looked = look(chunk, repository, wanted, config, &clock)?;
        compare(chunk, &mut looked, repository, compared, &clock)?;
        for (subject, looked) in chunk.iter().zip(looked) {
            syntax.push((shown(&subject.path), looked.syntax));
            secrets.push((shown(&subject.path), looked.secrets));
        }
        if shared::interrupt::requested() {
            return Err(Problem::new("interrupted"));
        }
    }
    let mut gates = Vec::new();
    if wanted.syntax {
        let mut gate = Gate::of_files("syntax", GateType::Fact, syntax);
        if gate.files == 0 {
            gate.reason = Some("no file is in a language that is known here".to_owned());
        }
        gate.elapsed_ms = clock.syntax.load(Ordering::Relaxed) / 1000;
        gates.push(gate);
    }
    if wanted.secrets {
        let mut gate = Gate::of_files("secrets", GateType::Security, secrets);
        if gate.files == 0 {
            gate.reason = Some("there is no file to look at".to_owned());
        }
        gate.elapsed_ms = clock.secrets.load(Ordering::Relaxed) / 1000;
        gates.push(gate);
    }
    Ok(gates)
}

fn look(
    chunk: &[Subject],
    repository: Option<&Repository>,
    wanted: Wanted,
    config: &Config,
    clock: &Clock,
) -> Result<Vec<Looked>, Problem> {
    let ids: Vec<&str> = chunk
        .iter()
        .filter_map(|subject| if let Content::Blob(id) = &subject.content { Some(id.as_str()) } else { None })
        .collect();
    let mut blobs = contents(repository, &ids)?.into_iter();
    let blobs: Vec<Option<Vec<u8>>> = chunk
        .iter()
        .map(|subject| if let Content::Blob(_) = subject.content { blobs.next().flatten() } else { None })
        .collect();
    Ok(chunk
        .par_iter()
        .zip(blobs)
        .map(|(subject, blob)| {
            let name = shown(&subject.path);
            let wanted = Wanted {
                syntax: wanted.syntax && !glob::covers(&config.syntax_exclude, &name),
                secrets: wanted.secrets && !glob::covers(&config.secrets_exclude, &name),
            };
            let content = match (&subject.content, blob) {
                (Content::Disk(path), _) => match read(path) {
                    Ok(content) => content,
                    Err(checked) => return Looked::both(checked),
                },
                (Content::Blob(_), Some(content)) => content,
                (Content::Blob(_), None) => return Looked::both(too_large()),
                (Content::Missing(reason), _) => return Looked::both(Checked::Unverifiable(reason.clone())),
            };
            Looked::of(&subject.path, &content, wanted, clock)
        })
        .collect())
}

/// Reads a file of the working tree. What is no regular file has no content; links are not followed.
fn read(path: &Path) -> Result<Vec<u8>, Checked> {
    let unreadable = |error: std::io::Error| Checked::Unverifiable(error.to_string());
    let metadata = path.symlink_metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Checked::NotApplicable);
    }
    if metadata.len() > secrets::MAX_BYTES as u64 {
        return Err(too_large());
    }
    let mut content = Vec::with_capacity(metadata.len() as usize + 1);
    // A file that grows while it is read is read no further than the limit.
    File::open(path)
        .map_err(unreadable)?
        .take(secrets::MAX_BYTES as u64 + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    Ok(content)
}

/// Marks what was there before the change. Only files with findings are compared, which are few.
fn compare(
    chunk: &[Subject],
    looked: &mut [Looked],
    repository: Option<&Repository>,
    compared: Wanted,
    clock: &Clock,
) -> Result<(), Problem> {
    if !compared.syntax && !compared.secrets {
        return Ok(());
    }
    let mut due: Vec<(&Subject, &mut Looked, &str)> = Vec::new();
    for (subject, looked) in chunk.iter().zip(looked) {
        if let (Some(before), true) = (&subject.before, looked.has_findings()) {
            due.push((subject, looked, before));
        }
    }
    let ids: Vec<&str> = due.iter().map(|(_, _, before)| *before).collect();
    let blobs = contents(repository, &ids)?;
    due.into_par_iter().zip(blobs).for_each(|((subject, looked, _), blob)| {
        let Some(content) = blob else { return };
        let path = subject.old_path.as_ref().unwrap_or(&subject.path);
        let earlier = Looked::of(path, &content, compared, clock);
        for (now, before) in [(&mut looked.syntax, &earlier.syntax), (&mut looked.secrets, &earlier.secrets)]
        {
            mark(now, before);
        }
    });
    Ok(())
}

fn mark(now: &mut Checked, before: &Checked) {
    fn list(checked: &Checked) -> &[Found] {
        match checked {
            Checked::Yes(found) | Checked::Doubtful(found, _) => found,
            _ => &[],
        }
    }
    if let Checked::Yes(found) | Checked::Doubtful(found, _) = now {
        mark_existing(found, list(before));
    }
}

fn contents(repository: Option<&Repository>, ids: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Problem> {
    match repository {
        Some(repository) if !ids.is_empty() => repository.blobs(ids, secrets::MAX_BYTES),
        _ => Ok(vec![None; ids.len()]),
    }
}

/// Returns what there is to look at in a change; `None` if nothing is left of it.
pub(crate) fn subject(change: &Change, root: &Path) -> Option<Subject> {
    let content = match &change.now {
        Now::File(Some(blob)) => Content::Blob(blob.clone()),
        Now::File(None) => Content::Disk(root.join(&change.path)),
        Now::Unmerged => Content::Missing("a merge has left it unresolved".to_owned()),
        Now::Gone | Now::NoFile => return None,
    };
    Some(Subject {
        path: change.path.clone(),
        content,
        before: change.before.clone(),
        old_path: change.old_path.clone(),
    })
}
