//! The gates that run a program: lint, types, tests, and what `specpipe.toml` adds.
//!
//! A program is run once for a place, not once for a file, as an argument list without a shell. What it prints
//! is read by [`output`], what that means is decided by [`judge`], and [`baseline`] finds out what was so before.

mod baseline;
mod diagnostics;
mod judge;
mod output;
mod plain_counts;
mod tests_ran;

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::process::{Command, Ended};
use shared::project::{Detected, Purpose, detect};
use shared::section::{GateType, Outcome, Severity};

pub(crate) use baseline::Baselines;

use crate::change::Repository;
use crate::config::Config;
use crate::found::{Found, finding};
use crate::gate::Gate;
use crate::{glob, secrets};

/// So much of each stream is kept; the ends of a longer one are what matters.
const CAPTURE: usize = 32 << 20;

/// Where the commands are to be run.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The root of the working tree.
    pub(crate) root: PathBuf,
    pub(crate) repository: Option<Repository>,
    /// The commit before the change, if it is known.
    pub(crate) base: Option<String>,
    /// The changed files, or all those that were named.
    pub(crate) changed: Vec<String>,
    /// What was asked for, in words.
    pub(crate) task: String,
    /// Whether what is built there is kept apart from all other working trees.
    pub(crate) apart: bool,
}

/// One command that is to be run.
#[derive(Clone, Debug)]
struct Planned {
    gate: String,
    kind: GateType,
    argv: Vec<String>,
    /// Where, relative to the root.
    dir: PathBuf,
    timeout: Duration,
    severity: Severity,
    /// The file that says that there is such a command.
    because: String,
    /// It is named in specpipe.toml: whoever wrote that vouches for its exit code.
    vouched: bool,
}

/// Runs what is wanted and returns what came out, one gate for each command and for each gate without one.
pub(crate) fn check(place: &Place, config: &Config, baselines: &Baselines) -> Vec<Gate> {
    let detected = detect(&place.root);
    let mut gates = Vec::new();
    let mut names: Vec<&str> = crate::config::KNOWN[3..].to_vec();
    names.extend(config.commands.iter().map(|command| command.name.as_str()));
    let mut done: Vec<&str> = Vec::new();
    for name in names {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        gates.extend(of_name(name, place, config, &detected, baselines));
    }
    gates
}

fn of_name(
    name: &str,
    place: &Place,
    config: &Config,
    detected: &[Detected],
    baselines: &Baselines,
) -> Vec<Gate> {
    let configured: Vec<_> = config.commands.iter().filter(|command| command.name == name).collect();
    let mut gates = Vec::new();
    if !configured.is_empty() {
        if !config.selection.wants_command(name) {
            return gates;
        }
        for command in configured {
            let applies = command
                .files
                .as_ref()
                .is_none_or(|set| place.changed.iter().any(|path| glob::covers(set, path)));
            if !applies {
                gates.push(Gate::silent(
                    name,
                    command.kind,
                    Outcome::Skip,
                    "no changed file is one of its `files`",
                ));
                continue;
            }
            let planned = Planned {
                gate: name.to_owned(),
                kind: command.kind,
                argv: command.run.clone(),
                dir: PathBuf::new(),
                timeout: command.timeout.unwrap_or(config.timeout),
                severity: command.severity,
                because: "specpipe.toml".to_owned(),
                vouched: true,
            };
            gates.push(run(&planned, place, baselines));
        }
        return gates;
    }
    if !config.selection.wants_detected(name) {
        return gates;
    }
    let kind = kind_of(name);
    let Some(purpose) = purpose_of(name) else { return gates };
    let candidates: Vec<Planned> = detected
        .iter()
        .filter(|detected| detected.purpose == purpose)
        .map(|detected| planned(name, kind, detected, place, config))
        .collect();
    if candidates.is_empty() {
        let reason = format!(
            "nothing here says how to run it; add [[gates.commands]] with name = \"{name}\" to specpipe.toml"
        );
        return vec![Gate::silent(name, kind, Outcome::Skip, reason)];
    }
    for planned in candidates {
        let touched = planned.dir.as_os_str().is_empty()
            || place.changed.iter().any(|path| Path::new(path).starts_with(&planned.dir));
        if touched {
            gates.push(run(&planned, place, baselines));
        } else {
            let reason = format!("no changed file is in `{}`", planned.dir.display());
            gates.push(Gate::silent(name, kind, Outcome::Skip, reason));
        }
    }
    gates
}

fn planned(name: &str, kind: GateType, detected: &Detected, place: &Place, config: &Config) -> Planned {
    let dir = detected.dir.strip_prefix(&place.root).unwrap_or(Path::new("")).to_owned();
    Planned {
        gate: name.to_owned(),
        kind,
        argv: output::machine_readable(&detected.argv),
        dir,
        timeout: config.timeout,
        severity: Severity::Error,
        because: detected.because.clone(),
        vouched: false,
    }
}

/// Returns what the project's own files would let run and what was not asked for.
pub(crate) fn not_run(place: &Place, config: &Config) -> Vec<String> {
    let mut not_run: Vec<String> = Vec::new();
    for detected in detect(&place.root) {
        let Some(name) = name_of(detected.purpose) else { continue };
        let configured = config.commands.iter().any(|command| command.name == name);
        if config.selection.wants(name) && !config.selection.wants_command(name) || configured {
            continue;
        }
        if config.selection.wants(name) && !config.selection.wants_detected(name) {
            not_run.push(format!("{name}: {}", detected.argv.join(" ")));
        }
    }
    not_run
}

fn purpose_of(name: &str) -> Option<Purpose> {
    Some(match name {
        "lint" => Purpose::Lint,
        "types" => Purpose::Types,
        "tests" => Purpose::Test,
        "build" => Purpose::Build,
        "format" => Purpose::Format,
        _ => return None,
    })
}

/// Returns the gate of a purpose, if it is one that is run without being asked for by name.
fn name_of(purpose: Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::Lint => Some("lint"),
        Purpose::Types => Some("types"),
        Purpose::Test => Some("tests"),
        Purpose::Build | Purpose::Format => None,
    }
}

fn kind_of(name: &str) -> GateType {
    // Seed 002 counts tests and lint as quality; that the code compiles is a fact.
    if name == "build" { GateType::Fact } else { GateType::Quality }
}

fn run(planned: &Planned, place: &Place, baselines: &Baselines) -> Gate {
    let mut gate = Gate::new(&planned.gate, planned.kind);
    gate.command = Some(planned.argv.iter().map(|argument| secrets::redact(argument).into_owned()).collect());
    let ended = match ready(planned, &place.root).and_then(|()| start(planned, &place.root, place.apart)) {
        Ok(ended) => ended,
        Err(reason) => {
            gate.outcome = Outcome::Unverifiable;
            gate.reason = Some(reason);
            return gate;
        }
    };
    gate.elapsed_ms = ended.elapsed.as_millis() as u64;
    let mut ran = output::read(planned, &ended, &place.root);
    let verdict = judge::judge(planned, &ended, &ran);
    gate.outcome = verdict.outcome;
    gate.reason = verdict.reason;
    gate.found = std::mem::take(&mut ran.found);
    if gate.outcome == Outcome::Fail {
        if !gate.found.iter().any(Found::counts) {
            gate.found.push(last_words(&ended));
        }
        baselines.compare(&mut gate, planned, place, (ended.how, &ran));
    }
    if planned.severity < Severity::Error {
        soften(&mut gate, planned.severity);
    }
    for found in &mut gate.found {
        found.finding.message = secrets::redact(&found.finding.message).into_owned();
    }
    gate.reason = gate.reason.map(|reason| secrets::redact(&reason).into_owned());
    gate
}

/// A gate whose severity is not `error` tells what it finds and fails nothing.
fn soften(gate: &mut Gate, severity: Severity) {
    for found in &mut gate.found {
        found.finding.severity = found.finding.severity.min(severity);
    }
    if gate.outcome == Outcome::Fail {
        gate.outcome = Outcome::Pass;
        let reason = gate.reason.take().unwrap_or_default();
        gate.reason = Some(format!("fails, which specpipe.toml lets count as a warning: {reason}"));
    }
}

/// Tells why there is no use in starting it.
fn ready(planned: &Planned, root: &Path) -> Result<(), String> {
    let program = planned.argv.first().map(String::as_str).unwrap_or_default();
    let node = matches!(program, "npm" | "npx" | "pnpm" | "yarn" | "bun" | "bunx");
    let dir = root.join(&planned.dir);
    if node
        && planned.because.ends_with("package.json")
        && needs_modules(&dir)
        && !dir.ancestors().any(|dir| dir.join("node_modules").is_dir())
    {
        return Err(format!(
            "the dependencies of {} are not installed in `{}`; run `{program} install` there",
            planned.because,
            dir.display()
        ));
    }
    Ok(())
}

fn needs_modules(dir: &Path) -> bool {
    let text = std::fs::read_to_string(dir.join("package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    ["dependencies", "devDependencies"]
        .iter()
        .any(|key| package[*key].as_object().is_some_and(|list| !list.is_empty()))
}

fn start(planned: &Planned, root: &Path, apart: bool) -> Result<Ended, String> {
    let mut command = Command::new(&planned.argv)
        .current_dir(root.join(&planned.dir))
        .timeout(planned.timeout)
        .capture(CAPTURE)
        .env("CI", "1")
        .env("NO_COLOR", "1")
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .env("PY_COLORS", "0")
        // To look is to leave nothing behind.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("FORCE_COLOR", "0")
        // A hook of git has these set; the tests of a project may use git themselves.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE");
    if apart {
        // Cargo knows a package again by its path inside the workspace and a source by its age, so with a target
        // directory that several working trees share, it takes the test binary of another one for up to date.
        // These three come before every configuration file.
        let target = root.join(&planned.dir).join("target");
        for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"] {
            command = command.env(name, &target);
        }
    }
    command.run().map_err(|problem| {
        let hint = problem.first_hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{hint}; found in {}", problem.full_message(), planned.because)
    })
}

/// Returns the end of what a program said, where nothing better is known.
fn last_words(ended: &Ended) -> Found {
    let (out, err) = (ended.stdout.text(), ended.stderr.text());
    let said = if err.trim().is_empty() { out } else { err };
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(5)..].join("\n");
    let tail: String = tail.chars().rev().take(600).collect::<Vec<_>>().into_iter().rev().collect();
    let message = if tail.is_empty() { ended.how.to_string() } else { format!("{}: {tail}", ended.how) };
    Found::new(finding("command-failed", Severity::Error, output::plain(&message)))
}
