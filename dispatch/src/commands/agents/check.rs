//! `dispatch agents check`: what is wrong with files of executors, and in which line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shared::{Exit, Io};

use crate::commands::{Place, say};
use crate::executors::{Agent, Agents, Level, text};

/// Looks at files, or at all that there are.
pub(super) fn run(files: &[PathBuf], place: &Place, io: Io) -> Exit {
    if files.is_empty() {
        return all(place, io);
    }
    let mut faults = Vec::new();
    let mut names: BTreeMap<String, &Path> = BTreeMap::new();
    for file in files {
        let text = match text(file) {
            Ok(text) => text,
            Err(problem) => return io.diagnostics.usage(&problem),
        };
        match Agent::examine(&text) {
            Ok((agent, remarks)) => {
                faults.extend(remarks.iter().map(|remark| told(file, remark.line, &remark.message)));
                if let Some(first) = names.insert(agent.name.clone(), file) {
                    faults.push(told(
                        file,
                        1,
                        &format!("`{}` is called `{}` too", first.display(), agent.name),
                    ));
                }
            }
            Err(fault) => faults.push(told(file, fault.line, &fault.message)),
        }
    }
    ends(faults, files.len(), io)
}

/// Looks at the files of the project and the user.
fn all(place: &Place, io: Io) -> Exit {
    let (agents, broken) = Agents::load(&place.root.path, place.home.as_deref());
    let mut faults: Vec<String> = broken.iter().map(shared::Problem::full_message).collect();
    let mut count = broken.len();
    for agent in agents.all().filter(|agent| agent.level != Level::BuiltIn) {
        let Some(path) = &agent.path else { continue };
        count += 1;
        if let Ok((_, remarks)) =
            text(path).map_err(drop).and_then(|text| Agent::examine(&text).map_err(drop))
        {
            faults.extend(remarks.iter().map(|remark| told(path, remark.line, &remark.message)));
        }
    }
    ends(faults, count, io)
}

fn told(file: &Path, line: usize, message: &str) -> String {
    format!("{}:{line}: {message}", file.display())
}

fn ends(faults: Vec<String>, count: usize, io: Io) -> Exit {
    let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    if faults.is_empty() {
        io.diagnostics.note(format!("{files}, nothing to complain about"));
        return Exit::Ok;
    }
    say(faults, Exit::No, io)
}
