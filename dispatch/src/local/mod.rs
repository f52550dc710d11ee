//! Tier 0: mechanical tasks, done by the program itself, without a model.
//!
//! It reads the text of a task as an intent (`intent.rs`), by a grammar of words (`grammar/`), and carries that
//! out: it finds, lists, counts, searches and reads files, asks git, looks up versions, runs the project's own
//! tests, linters and builds, or runs exactly the program that the task itself names. What it does not understand
//! to the last word it declines, and says which word that was; so does it with whatever would change a file.
//!
//! Nothing in a text reaches a shell. Paths stay inside the working directory, patterns are data, revisions are
//! looked up before they are used. Whether the answer is good enough is left to `verify`.

mod command;
mod cursor;
mod filter;
mod find;
mod grammar;
mod history;
mod intent;
mod kind;
mod language;
mod place;
mod read;
mod report;
mod search;
mod version;
mod walk;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::process::Cancel;

use crate::backend::{Answer, Job};
use intent::Intent;

/// The backend of tier 0.
#[derive(Clone, Debug)]
pub struct Local {
    root: PathBuf,
}

/// What an intent came to: a draft, or the reason why it was not understood after all.
type Outcome = Result<crate::backend::Draft, String>;

/// Where an intent is carried out, and how long it may take.
struct Ground<'a> {
    /// The directory that every path is in.
    root: &'a Path,
    /// Where the project's own commands are looked for, if there are none in `root`.
    project: &'a Path,
    timeout: Option<Duration>,
    cancel: &'a Cancel,
}

impl Local {
    /// Returns a backend for the repository at `root`.
    pub fn new(root: PathBuf) -> Self {
        Local { root }
    }

    /// Does the task in the job's working directory, or declines it.
    pub fn run(&self, job: &Job) -> Answer {
        let workdir = if job.workdir.as_os_str().is_empty() { &self.root } else { &job.workdir };
        let root = match workdir.canonicalize() {
            Ok(root) => root,
            Err(error) => {
                return Answer::Declined(format!("cannot look into `{}`: {error}", workdir.display()));
            }
        };
        let ground = Ground { root: &root, project: &self.root, timeout: job.timeout, cancel: &job.cancel };
        match understand(job).and_then(|intent| ground.carry_out(&intent)) {
            Ok(draft) => Answer::Draft(draft),
            Err(reason) => Answer::Declined(reason),
        }
    }

    /// Returns what it would do with the job, in words, without doing it.
    ///
    /// # Errors
    /// With the reason, if it would decline.
    pub fn plan(&self, job: &Job) -> Result<String, String> {
        understand(job).map(|intent| report::plan(&intent))
    }
}

fn understand(job: &Job) -> Result<Intent, String> {
    let task = &job.task;
    let intent = match &task.run {
        Some(argv) if argv.is_empty() => return Err("`run` names no program".to_owned()),
        Some(argv) => Intent::Command { argv: argv.clone() },
        None => {
            if task
                .context
                .as_ref()
                .is_some_and(|context| !matches!(context.get(), "null" | "{}" | "[]" | "\"\""))
            {
                return Err("the task has a context, which only a model can read".to_owned());
            }
            grammar::understand(&task.text)?
        }
    };
    if let Some(tools) = &task.tools {
        let allowed = |names: &[&str]| {
            tools.iter().any(|tool| names.iter().any(|name| tool.eq_ignore_ascii_case(name)))
        };
        if matches!(intent, Intent::Run(_) | Intent::Command { .. }) && !allowed(&["bash"]) {
            return Err("the task does not allow to run commands (`tools` is without Bash)".to_owned());
        }
        if !allowed(&["read", "grep", "glob", "bash"]) {
            return Err("the task does not allow to read files (`tools`)".to_owned());
        }
    }
    Ok(intent)
}

impl Ground<'_> {
    fn carry_out(&self, intent: &Intent) -> Outcome {
        match intent {
            Intent::Files { scope, show } => find::files(self, scope, *show),
            Intent::Directories { scope, deep, show } => find::directories(self, scope, *deep, *show),
            Intent::List { place } => find::list(self, place),
            Intent::Tree { place, depth } => find::tree(self, place, *depth),
            Intent::Largest { scope, by, count } => find::largest(self, scope, *by, *count),
            Intent::Exists { place } => find::exists(self, place),
            Intent::Lines { scope } => read::count_lines(self, scope),
            Intent::Read { file, part } => read::read(self, file, *part),
            Intent::Search { pattern, scope, show } => search::search(self, pattern, scope, *show),
            Intent::Version { of } => version::version(self, of),
            Intent::Dependencies { of } => version::dependencies(self, of),
            Intent::Git(question) => history::ask(self, question),
            Intent::Run(run) => command::run_project(self, run),
            Intent::Command { argv } => command::run_exactly(self, argv),
        }
    }
}

#[cfg(test)]
mod tests;
