//! Asks by running `dispatch`: its backends, prices, retries and accounts are the ones there are.
//!
//! It stands beside this executable, or on `PATH`. Records go in and come out; it keeps no journal and makes no
//! worktree, and the executor `answer` has no tools, so a question can change nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::process::{Command, Ended, How};
use shared::section::{Dispatch, Status};
use shared::{Problem, Record};

use super::Settings;
use super::question::Question;

/// The name that asks whoever `dispatch` would ask for a task of tier 1.
pub(crate) const AUTO: &str = "auto";

/// What may be printed about one question.
const ANSWER: usize = 256 << 10;

/// How much longer than its questions `dispatch` may take: to start, to end its children, to write.
const MARGIN: Duration = Duration::from_secs(15);

/// What came of a question.
#[derive(Debug)]
pub(super) struct Came {
    /// None if there is no word from `dispatch`.
    pub(super) dispatch: Option<Dispatch>,
    /// What was answered; or why nothing was.
    pub(super) output: Result<String, String>,
    /// It is of no use to ask again.
    pub(super) is_final: bool,
}

impl Came {
    fn none(why: String, is_final: bool) -> Came {
        Came { dispatch: None, output: Err(why), is_final }
    }

    fn of(dispatch: Dispatch) -> Came {
        if let Some(file) = &dispatch.output_file {
            // Nobody will look for it: what is no answer was not asked for.
            let path = Path::new(&file.path);
            let _ = std::fs::remove_file(path);
            let _ = path.parent().map(std::fs::remove_dir);
        }
        let output = match dispatch.status {
            _ if dispatch.output_file.is_some() => Err("the answer was too long".to_owned()),
            // Of an answer that was cut off, what is whole counts.
            Status::Ok | Status::Truncated => Ok(dispatch.output.clone().unwrap_or_default()),
            _ => Err(dispatch.reason.clone().unwrap_or_else(|| "no reason was given".to_owned())),
        };
        // `dispatch` has tried again already where that was of use.
        let is_final = matches!(
            dispatch.status,
            Status::Auth | Status::Quota | Status::Budget | Status::Unavailable | Status::Transport
        );
        Came { output, is_final, dispatch: Some(dispatch) }
    }
}

/// Asks some questions at once, and returns what came of each.
pub(super) fn ask(questions: &[Question], settings: &Settings, left: f64) -> Vec<Came> {
    let program = program();
    let run = command(&program, questions, settings, left).run();
    let ended = match run {
        Ok(ended) => ended,
        Err(problem) => {
            let why = problem.full_message();
            return questions.iter().map(|_| Came::none(why.clone(), true)).collect();
        }
    };
    let mut told: Vec<Option<Dispatch>> = questions.iter().map(|_| None).collect();
    if !ended.stdout.truncated() {
        for line in ended.stdout.text().lines() {
            let record = Record::parse(line.to_owned()).ok();
            let Some(record) = record else { continue };
            let at = questions.iter().position(|question| record.id() == Some(question.mark.as_str()));
            if let (Some(at), Ok(Some(dispatch))) = (at, record.get::<Dispatch>()) {
                told[at] = Some(dispatch);
            }
        }
    }
    let (why, is_final) = silence(&ended);
    told.into_iter()
        .map(|dispatch| dispatch.map_or_else(|| Came::none(why.clone(), is_final), Came::of))
        .collect()
}

/// Says why there is no word, and whether there will be none the next time.
fn silence(ended: &Ended) -> (String, bool) {
    match ended.how {
        How::Interrupted => ("interrupted".to_owned(), true),
        How::TimedOut | How::Idle => ("dispatch took too long".to_owned(), false),
        How::Exited(0) => ("dispatch said nothing about it".to_owned(), false),
        how => {
            let said = ended.stderr.text();
            // `dispatch: error: there is no backend …`, and the hint behind it.
            let lines: Vec<&str> = said
                .lines()
                .filter_map(|line| line.strip_prefix("dispatch: "))
                .filter_map(|line| line.strip_prefix("error: ").or_else(|| line.strip_prefix("hint: ")))
                .take(2)
                .collect();
            let said = if lines.is_empty() { format!("dispatch ended with {how}") } else { lines.join("; ") };
            (said, true)
        }
    }
}

fn command(program: &Path, questions: &[Question], settings: &Settings, left: f64) -> Command {
    let mut argv: Vec<OsString> = vec![program.into()];
    let mut option = |name: &str, value: &str| argv.extend([name.into(), value.into()]);
    option("--worktrees", "never");
    option("--jobs", &questions.len().to_string());
    option("--timeout", &format!("{}ms", settings.timeout.as_millis()));
    // Nothing starts under a budget whose price nobody knows; who has set none is told, and asked all the same.
    if settings.budget.is_explicit {
        option("--budget", &left.to_string());
    }
    // Beyond what is read of an answer, nothing is of use.
    option("--output-max", &ANSWER.to_string());
    option("--output-limit", &(16 * ANSWER).to_string());
    option("--color", "never");
    if settings.backend != AUTO {
        option("--backend", &settings.backend);
    }
    if let Some(model) = &settings.model {
        option("--model", model);
    }
    argv.extend(["--no-journal".into(), "--no-local".into()]);
    if let Some(config) = &settings.config {
        argv.extend(["--config".into(), config.into()]);
    }
    let lines = questions.iter().map(|question| {
        let task = serde_json::json!({ "text": question.text, "executor": "answer" });
        serde_json::json!({ "id": question.mark, "task": task }).to_string() + "\n"
    });
    let mut command = Command::new(argv)
        .stdin(lines.collect::<String>())
        .timeout(settings.timeout.saturating_add(MARGIN))
        // As text in JSON every byte may become six.
        .capture(questions.len() * 16 * ANSWER);
    if settings.backend != AUTO {
        // Meant for the work that dispatch is given otherwise, and not for a cheap question.
        command = command.env_remove("SPECPIPE_DISPATCH_MODEL");
    }
    command
}

/// Returns the `dispatch` that belongs to this program: the one beside it, else the one on `PATH`. If all five were
/// installed with a prefix, that one has it, too.
fn program() -> PathBuf {
    let own = std::env::current_exe().ok();
    let prefix = own
        .as_deref()
        .and_then(|own| own.file_stem()?.to_str()?.strip_suffix("classify").map(str::to_owned))
        .unwrap_or_default();
    let name = format!("{prefix}dispatch");
    let beside = own.map(|own| own.with_file_name(&name)).filter(|path| path.is_file());
    beside.unwrap_or_else(|| PathBuf::from(name))
}

/// Checks the name of a backend, as far as it can be done here: which ones there are is for `dispatch` to say.
///
/// # Errors
/// If it asks no model.
pub(super) fn check(name: &str) -> Result<(), Problem> {
    match name {
        "" | "local" => Err(Problem::new(format!("`{name}` asks no model")).hint(
            "name a backend of dispatch such as anthropic, openai or one of [dispatch.backends], or auto for that of tier 1",
        )),
        _ => Ok(()),
    }
}
