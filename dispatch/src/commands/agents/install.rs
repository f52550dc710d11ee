//! `dispatch agents install`, `uninstall` and `status`: built-in executors as files that agent programs find.
//!
//! Each file is done for itself; one that could not be done is told, the others are done nevertheless, and the exit status
//! says that not all were.

use serde_json::json;
use shared::{Exit, Io, Problem, config};

use super::place::Places;
use super::{Change, Place};
use crate::commands::{aligned, say};
use crate::executors::built_in;
use crate::executors::installed::{self, Spot, State};

/// Whether executors go in or out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// What is done with one file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is put there, or replaced.
    Put(&'static str),
    Remove,
    /// It is as it should be.
    Nothing,
    /// It is left because somebody has edited or written it.
    Leave,
}

/// Installs or removes executors.
pub(super) fn run(change: &Change, way: Way, place: &Place, io: Io) -> Exit {
    let prepared = names(&change.names).and_then(|names| {
        if change.places.is_open() {
            return Err(Problem::new("where is not said")
                .hint("add --user for ~/.claude/agents, --project for .claude/agents, or --both"));
        }
        Ok((names, change.places.folders(place)?))
    });
    let (names, folders) = match prepared {
        Ok(prepared) => prepared,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    let (mut lines, mut exit) = (Vec::new(), Exit::Ok);
    for folder in &folders {
        let mut has_put = false;
        for name in &names {
            let failed = |what: &str, error: std::io::Error| {
                let path = folder.path.join(format!("{name}.md"));
                io.diagnostics
                    .error(&Problem::new(format!("cannot {what} `{}`", path.display())).because(error));
                Exit::Records
            };
            let spot = match installed::look(&folder.path, name) {
                Ok(spot) => spot,
                Err(error) => {
                    exit = exit.worse(failed("look at", error));
                    continue;
                }
            };
            let step = step(way, &spot, change.force);
            let done = match step {
                _ if change.dry_run => Ok(()),
                Step::Put(_) => installed::put(&spot),
                Step::Remove => installed::remove(&spot),
                Step::Nothing | Step::Leave => Ok(()),
            };
            if let Err(error) = done {
                let what = if way == Way::In { "write" } else { "remove" };
                exit = exit.worse(failed(what, error));
                continue;
            }
            let path = spot.path.display();
            let would = if change.dry_run { "would be " } else { "" };
            match step {
                Step::Put(how) => {
                    has_put = true;
                    lines.push(format!("{would}{how} {path}"));
                }
                Step::Remove => lines.push(format!("{would}removed {path}")),
                Step::Nothing => {}
                Step::Leave => {
                    // Whoever asked for it does not have it.
                    exit = exit.worse(Exit::Records);
                    io.diagnostics.error(&left(way, &spot));
                }
            }
        }
        if has_put && !change.dry_run && folder.level == "project" {
            io.diagnostics.note(format!(
                "commit {} for all who work here, or let git ignore it",
                crate::executors::FOLDER
            ));
        }
    }
    if lines.is_empty() && exit == Exit::Ok {
        io.diagnostics.note("nothing to do");
    }
    say(lines, exit, io)
}

fn step(way: Way, spot: &Spot, force: bool) -> Step {
    match (way, spot.state) {
        (Way::In, State::Absent) => Step::Put("installed"),
        (Way::In, State::Outdated) => Step::Put("updated"),
        (Way::In, State::Edited | State::Foreign) if force => Step::Put("replaced"),
        (Way::Out, State::Current | State::Outdated) => Step::Remove,
        (Way::Out, State::Edited) if force => Step::Remove,
        (Way::In, State::Edited | State::Foreign) | (Way::Out, State::Edited) => Step::Leave,
        // What we have not put there is not ours to remove.
        (Way::In, State::Current) | (Way::Out, State::Absent | State::Foreign) => Step::Nothing,
    }
}

fn left(way: Way, spot: &Spot) -> Problem {
    let why = match spot.state {
        State::Edited => "it was edited",
        _ => "it was written by somebody else",
    };
    let doing = if way == Way::In { "replaced" } else { "removed" };
    Problem::new(format!("`{}` is not {doing}: {why}", spot.path.display()))
        .hint("--force does it nevertheless")
}

/// Returns the names of built-in executors, or all of them if none is given.
fn names(wanted: &[String]) -> Result<Vec<&'static str>, Problem> {
    let known: Vec<&'static str> = built_in::FILES.iter().map(|(name, _)| *name).collect();
    if wanted.is_empty() {
        return Ok(known);
    }
    let find = |name: &String| {
        known.iter().copied().find(|known| known == name).ok_or_else(|| {
            let meant = config::nearest(name, &known).map(|meant| format!("did you mean `{meant}`? "));
            Problem::new(format!("no executor `{name}` is built in")).hint(format!(
                "{}built in are {}",
                meant.unwrap_or_default(),
                known.join(", ")
            ))
        })
    };
    wanted.iter().map(find).collect()
}

/// Tells what is installed where.
pub(super) fn status(places: &Places, as_json: bool, place: &Place, io: Io) -> Exit {
    let places = if places.is_open() { Places { both: true, ..Places::default() } } else { *places };
    let folders = match places.folders(place) {
        Ok(folders) => folders,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    let mut exit = Exit::Ok;
    let mut rows = vec![["PLACE", "NAME", "STATE", "VERSION", "FILE"].map(str::to_owned)];
    let mut objects = Vec::new();
    for folder in &folders {
        for (name, _) in built_in::FILES {
            match installed::look(&folder.path, name) {
                Ok(spot) => {
                    let path = spot.path.display().to_string();
                    let mut object = json!({"place": folder.level, "name": name, "state": spot.state.name(), "path": path});
                    if let Some(version) = &spot.version {
                        object["version"] = version.as_str().into();
                    }
                    objects.push(object.to_string());
                    rows.push([
                        folder.level.to_owned(),
                        name.to_owned(),
                        spot.state.name().to_owned(),
                        spot.version.unwrap_or_else(|| "-".to_owned()),
                        if spot.state == State::Absent { "-".to_owned() } else { path },
                    ]);
                }
                Err(error) => {
                    exit = Exit::Records;
                    let message =
                        format!("cannot look at the executor `{name}` in `{}`", folder.path.display());
                    io.diagnostics.error(&Problem::new(message).because(error));
                }
            }
        }
    }
    say(if as_json { objects } else { aligned(&rows) }, exit, io)
}
