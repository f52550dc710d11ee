//! The backend that runs a program: any at all, or one of the well-known agent programs.
//!
//! The text of a task is data: it is written to standard input, or it is one argument. No shell is involved. For agent
//! programs the exit code is only one vote on how it ended; what counts is what they printed (see `anchors` in each file:
//! exit 0 on a refused key, `success` on an error, codes that are an HTTP status modulo 256 have all been seen).

mod aider;
mod bound;
mod claude;
mod codex;
mod fault;
mod gemini;
mod llm;
mod mini;
mod opencode;

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::process::{Captured, Command, Ended, How};
use shared::section::{OutputFile, Status};
use shared::units;
use tempfile::NamedTempFile;

use crate::backend::{Answer, Draft, Job};
use crate::results::beginning;
use crate::worktree::name_of;

/// What is kept of the standard error of a child.
const STDERR: usize = 4 << 10;

/// The most that an agent program may print; its result is in there somewhere.
const PRINTED: usize = 64 << 20;

/// An agent program that is still there so long after its result does not end by itself.
const HANGS: Duration = Duration::from_secs(5);

/// The longest that one argument can be on Linux, zero byte included.
const ARGUMENT: usize = 128 << 10;

/// Where the text of the task stands in an argument.
const PLACE: &str = "{}";

/// A program that is run for each task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    /// The program and its arguments; those of the user, for an agent program.
    pub(crate) argv: Vec<String>,
    /// What is set in its environment.
    pub(crate) env: Vec<(String, String)>,
    /// Which agent program it is, if it is one.
    pub(crate) preset: Option<Preset>,
    /// How long it may print nothing.
    pub(crate) idle_timeout: Option<Duration>,
    /// Beyond how many bytes its output goes to a file.
    pub(crate) output_limit: usize,
    /// The most that it may print, if it is no agent program.
    pub(crate) output_max: u64,
    /// Where such files are.
    pub(crate) outputs: PathBuf,
}

/// The agent programs whose results are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preset {
    Claude,
    Codex,
    Gemini,
    OpenCode,
    Aider,
    Llm,
    Mini,
}

/// How an agent program is started for a job.
#[derive(Debug, Default, PartialEq)]
struct Invocation {
    arguments: Vec<String>,
    stdin: Option<String>,
    env: Vec<(&'static str, &'static str)>,
    /// Where it writes its result, if not to standard output.
    result: Option<PathBuf>,
}

/// What an agent program has printed.
#[derive(Debug)]
struct Printed<'a> {
    stdout: &'a str,
    stderr: &'a str,
    /// What is in the result file.
    result: &'a str,
    /// The exit code, if it ended by itself.
    exit_code: Option<i32>,
    /// What the configuration sets in its environment.
    env: &'a [(String, String)],
}

impl Printed<'_> {
    /// Returns a variable of the environment that it ran in.
    fn variable(&self, name: &str) -> Option<OsString> {
        let own = self.env.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.into());
        own.or_else(|| std::env::var_os(name)).filter(|value| !value.is_empty())
    }
}

impl Preset {
    /// In the order in which they are looked for.
    pub(crate) const ALL: [Preset; 7] = [
        Preset::Claude,
        Preset::Codex,
        Preset::Gemini,
        Preset::OpenCode,
        Preset::Aider,
        Preset::Llm,
        Preset::Mini,
    ];

    /// Returns the name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Preset::Claude => "claude",
            Preset::Codex => "codex",
            Preset::Gemini => "gemini",
            Preset::OpenCode => "opencode",
            Preset::Aider => "aider",
            Preset::Llm => "llm",
            Preset::Mini => "mini-swe-agent",
        }
    }

    /// Returns the name of the program.
    pub(crate) fn program(self) -> &'static str {
        if self == Preset::Mini { "mini" } else { self.name() }
    }

    /// Tells whether it says itself what it has cost.
    pub(crate) fn tells_cost(self) -> bool {
        matches!(self, Preset::Claude | Preset::OpenCode | Preset::Aider | Preset::Mini)
    }

    /// Returns the agent program of that name.
    pub(crate) fn named(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name || preset.program() == name)
    }

    /// Returns what tells the last line that it prints, for those that have been seen to hang after it.
    fn last_line(self) -> Option<fn(&[u8]) -> bool> {
        fn has(line: &[u8], text: &str) -> bool {
            line.windows(text.len()).any(|window| window == text.as_bytes())
        }
        match self {
            Preset::Claude => Some(|line| line.ends_with(b"}") && has(line, "\"type\":\"result\"")),
            Preset::Codex => {
                Some(|line| has(line, "\"type\":\"turn.completed\"") || has(line, "\"type\":\"turn.failed\""))
            }
            Preset::OpenCode => {
                Some(|line| has(line, "\"type\":\"step_finish\"") && has(line, "\"reason\":\"stop\""))
            }
            _ => None,
        }
    }

    fn invoke(self, job: &Job) -> Invocation {
        match self {
            Preset::Claude => claude::invoke(job),
            Preset::Codex => codex::invoke(job),
            Preset::Gemini => gemini::invoke(job),
            Preset::OpenCode => opencode::invoke(job),
            Preset::Aider => aider::invoke(job),
            Preset::Llm => llm::invoke(job),
            Preset::Mini => mini::invoke(job),
        }
    }

    /// Reads what was printed; nothing if there is no result in it.
    fn read(self, printed: &Printed) -> Option<Draft> {
        match self {
            Preset::Claude => claude::read(printed),
            Preset::Codex => codex::read(printed),
            Preset::Gemini => gemini::read(printed),
            Preset::OpenCode => opencode::read(printed),
            Preset::Aider => aider::read(printed),
            Preset::Llm => llm::read(printed),
            Preset::Mini => mini::read(printed),
        }
    }

    /// Reads what it had used when it ended without a result, as far as it tells.
    fn spent(self, printed: &Printed) -> Option<Draft> {
        match self {
            Preset::Claude => claude::spent(printed),
            Preset::OpenCode => opencode::spent(printed),
            Preset::Aider => aider::spent(printed),
            Preset::Mini => mini::spent(printed),
            Preset::Codex => codex::spent(printed),
            Preset::Gemini | Preset::Llm => None,
        }
    }
}

impl Program {
    /// Runs it for a job, to its end.
    pub(crate) fn run(&self, job: &Job) -> Answer {
        let draft = match self.preset {
            Some(preset) => self.run_agent(preset, job),
            None => self.run_plain(job),
        };
        Answer::Draft(draft.unwrap_or_else(|reason| Draft::because(Status::Failed, reason)))
    }

    fn run_plain(&self, job: &Job) -> Result<Draft, String> {
        let takes_argument = self.argv.iter().any(|argument| argument.contains(PLACE));
        let argv = self
            .argv
            .iter()
            .map(|argument| as_argument(argument, &job.task.text))
            .collect::<Result<Vec<_>, _>>()?;
        let spool = self.outputs.join(format!("{}-{}-{}", name_of(&job.id), job.attempt, &unique()));
        let most = self.output_max;
        let in_memory = self.output_limit.min(usize::try_from(most).unwrap_or(usize::MAX));
        let mut command = self.command(job, argv).capture(in_memory).spool(&spool);
        if !takes_argument {
            command = command.stdin(job.plain.as_bytes());
        }
        // Files, as an environment has to share its room with the arguments.
        let results = job.results.as_deref().map(handed).transpose()?;
        if let Some(file) = &results {
            command = command.env("SPECPIPE_INPUTS", file.path());
        }
        let prompt = (job.prompt != job.task.text).then(|| handed(&job.prompt)).transpose()?;
        if let Some(file) = &prompt {
            command = command.env("SPECPIPE_PROMPT", file.path());
        }
        let ended = command.output_max(most).run().map_err(|problem| problem.full_message())?;
        let mut draft = Draft::new(Status::Ok);
        (draft.output, draft.output_file) = output(&ended.stdout, in_memory);
        judge(&mut draft, &ended, job);
        bound::cut(&mut draft, ended.stdout.total, most);
        Ok(draft)
    }

    fn run_agent(&self, preset: Preset, job: &Job) -> Result<Draft, String> {
        let invocation = preset.invoke(job);
        let mut argv: Vec<OsString> = self.argv.iter().map(OsString::from).collect();
        if argv.is_empty() {
            argv.push(preset.program().into());
        }
        for argument in &invocation.arguments {
            fits(argument)?;
            argv.push(argument.into());
        }
        let mut command = self.command(job, argv).capture(PRINTED);
        if let Some(is_last) = preset.last_line() {
            command = command.ends_after(is_last, HANGS);
        }
        for (name, value) in &invocation.env {
            let is_set = std::env::var_os(name).is_some() || self.env.iter().any(|(own, _)| own == name);
            if !is_set {
                command = command.env(*name, *value);
            }
        }
        if let Some(text) = &invocation.stdin {
            command = command.stdin(text.as_bytes());
        }
        let ended = command.run().map_err(|problem| problem.full_message())?;
        let result = invocation.result.as_deref().map(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let _ = std::fs::remove_file(path);
            text
        });
        let (stdout, stderr) = (ended.stdout.text(), ended.stderr.text());
        let printed = Printed {
            stdout: &stdout,
            stderr: &stderr,
            result: result.as_deref().unwrap_or_default(),
            exit_code: ended.exit_code(),
            env: &self.env,
        };
        let Some(mut draft) = preset.read(&printed) else {
            return Ok(self.without_result(preset, job, &ended, &printed));
        };
        // A complete result counts, also of a program that then did not end: several are known to hang there.
        draft.exit_code = ended.exit_code();
        draft.stderr = tail(&ended.stderr);
        if ended.how == How::Interrupted && draft.status != Status::Ok {
            judge(&mut draft, &ended, job);
        }
        draft.model = draft.model.or_else(|| job.model.clone());
        Ok(draft)
    }

    fn without_result(&self, preset: Preset, job: &Job, ended: &Ended, printed: &Printed) -> Draft {
        let mut draft = preset.spent(printed).unwrap_or_else(|| Draft::new(Status::Failed));
        draft.model = draft.model.or_else(|| job.model.clone());
        (draft.output, _) = output(&ended.stdout, self.output_limit);
        judge(&mut draft, ended, job);
        if ended.exit_code().is_some() {
            let said = format!("{}\n{}", ended.stderr.text(), ended.stdout.text());
            draft.status = fault::status(None, &said).unwrap_or(Status::Failed);
            let said = fault::first_words(&said).unwrap_or_else(|| ended.how.to_string());
            draft.reason = Some(format!("{} printed no result: {said}", preset.program()));
        }
        draft
    }

    fn command<A: Into<OsString>>(&self, job: &Job, argv: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(argv)
            .current_dir(&job.workdir)
            .cancelled_by(job.cancel.clone())
            // A git hook that runs dispatch has these set, and they would speak of its checkout.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .env("SPECPIPE_ID", &job.id)
            .env("SPECPIPE_ATTEMPT", job.attempt.to_string())
            .env("SPECPIPE_DRAFT", job.draft.to_string())
            .env("SPECPIPE_TIER", job.tier.to_string())
            .env("SPECPIPE_EXECUTOR", &job.executor);
        // How one gets into the queue is nothing for those who do the tasks.
        for name in crate::broker::address::VARIABLES {
            command = command.env_remove(name);
        }
        if let Some(model) = &job.model {
            command = command.env("SPECPIPE_MODEL", model);
        }
        for (name, value) in &self.env {
            command = command.env(name, value);
        }
        if let Some(timeout) = job.timeout {
            command = command.timeout(timeout);
        }
        if let Some(timeout) = self.idle_timeout {
            command = command.idle_timeout(timeout);
        }
        command
    }
}

/// Returns a file for a program to read, which lasts as long as this.
fn handed(text: &str) -> Result<NamedTempFile, String> {
    let write = || {
        let mut file = tempfile::Builder::new().prefix("specpipe-").tempfile()?;
        file.write_all(text.as_bytes())?;
        Ok(file)
    };
    write().map_err(|error: std::io::Error| format!("cannot hand its inputs over in a file: {error}"))
}

/// Puts the text into its place in an argument.
fn as_argument(argument: &str, text: &str) -> Result<String, String> {
    let argument = argument.replace(PLACE, text);
    fits(&argument)?;
    Ok(argument)
}

fn fits(argument: &str) -> Result<(), String> {
    if argument.contains('\0') {
        return Err(
            "the text has a zero byte, which no argument can have; give it on standard input".to_owned()
        );
    }
    if argument.len() >= ARGUMENT {
        let size = argument.len();
        return Err(format!(
            "the text has {size} bytes, more than an argument can have; give it on standard input"
        ));
    }
    Ok(())
}

/// A name that no other output of this run or another has.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}.{}", shared::warden::mark(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Sets how a draft ended by how its program did.
fn judge(draft: &mut Draft, ended: &Ended, job: &Job) {
    draft.exit_code = ended.exit_code();
    draft.stderr = tail(&ended.stderr);
    let limit = job.timeout.map_or_else(String::new, |limit| format!(" ({})", units::format_duration(limit)));
    (draft.status, draft.reason) = match ended.how {
        How::Exited(0) => (Status::Ok, None),
        How::Exited(code) => (Status::Failed, Some(format!("exit code {code}"))),
        How::Signalled(signal) => (Status::Failed, Some(format!("ended by signal {signal}"))),
        How::TimedOut => (Status::Timeout, Some(format!("took longer than it may{limit}"))),
        How::Idle => (Status::Timeout, Some("printed nothing for too long".to_owned())),
        How::Interrupted => (Status::Cancelled, Some("interrupted".to_owned())),
    };
}

/// Returns the end of what was printed on standard error.
fn tail(stderr: &Captured) -> Option<String> {
    if stderr.total == 0 {
        return None;
    }
    let text = stderr.text();
    let cut = text.len().saturating_sub(STDERR);
    let start = (cut..=text.len()).find(|start| text.is_char_boundary(*start));
    Some(text[start.unwrap_or_default()..].to_owned())
}

/// Returns the output, or its beginning and the file with all of it.
fn output(stdout: &Captured, limit: usize) -> (String, Option<OutputFile>) {
    if let (Some(path), Some(blake3)) = (&stdout.file, stdout.blake3()) {
        let file = OutputFile { path: path.display().to_string(), bytes: stdout.total, blake3 };
        return (beginning_of(path, limit), Some(file));
    }
    (beginning(&stdout.text(), limit.max(STDERR)).to_owned(), None)
}

fn beginning_of(path: &Path, limit: usize) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limit as u64).read_to_end(&mut bytes));
    match (read, std::str::from_utf8(&bytes)) {
        // A character that the limit cuts is left out; bytes that never were text are shown as such.
        (Ok(_), Err(error)) if error.error_len().is_none() => {
            bytes.truncate(error.valid_up_to());
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Returns the prompt with the executor's instructions before it, for programs that have no other place for them.
fn with_system(job: &Job) -> String {
    match &job.system {
        Some(system) => format!("{system}\n\n# Task\n\n{}", job.prompt),
        None => job.prompt.clone(),
    }
}

/// Tells whether the job may change files.
fn writes(job: &Job) -> bool {
    job.tools.iter().any(|tool| matches!(tool.as_str(), "Write" | "Edit"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::job;

    fn program(argv: &[&str]) -> Program {
        Program {
            argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
            output_limit: 1000,
            output_max: u64::MAX,
            outputs: std::env::temp_dir(),
            ..Program::default()
        }
    }

    fn run(program: &Program, text: &str) -> Draft {
        match program.run(&job("a", text)) {
            Answer::Draft(draft) => draft,
            Answer::Declined(why) => panic!("declined: {why}"),
        }
    }

    #[test]
    fn the_text_is_standard_input_or_one_argument_and_never_a_command() {
        let text = "a 'b' \"c\" $(touch /tmp/owned) `id`; exit 1\n-n \\ *";
        assert_eq!(run(&program(&["cat"]), text).output, text);
        assert_eq!(run(&program(&["printf", "%s", "{}"]), text).output, text);
        assert_eq!(run(&program(&["printf", "%s|", "x={}", "{}"]), "t").output, "x=t|t|");
    }

    #[test]
    fn a_text_that_is_no_argument_says_what_to_do() {
        for text in ["a\0b".to_owned(), "x".repeat(200_000)] {
            let draft = run(&program(&["echo", "{}"]), &text);
            assert_eq!(draft.status, Status::Failed);
            assert!(draft.reason.unwrap().ends_with("give it on standard input"));
            assert_eq!(run(&program(&["cat"]), &text).status, Status::Ok);
        }
    }

    #[test]
    fn the_exit_code_and_the_end_of_standard_error_are_kept() {
        let draft = run(&program(&["sh", "-c", "echo out; echo no >&2; exit 3"]), "");
        assert_eq!((draft.status, draft.exit_code), (Status::Failed, Some(3)));
        assert_eq!((draft.output.as_str(), draft.stderr.as_deref()), ("out\n", Some("no\n")));
        assert_eq!(draft.reason.as_deref(), Some("exit code 3"));
        let missing = run(&program(&["no-such-program"]), "");
        assert!(missing.reason.unwrap().starts_with("cannot start `no-such-program`"));
    }

    #[test]
    fn a_large_output_goes_to_a_file_and_its_beginning_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let program = Program { outputs: place.path().join("outputs"), ..program(&["seq", "1", "100000"]) };
        let draft = run(&program, "");
        assert!(draft.output.starts_with("1\n2\n") && draft.output.len() <= 1000, "{}", draft.output.len());
        let file = draft.output_file.unwrap();
        let whole = std::fs::read(&file.path).unwrap();
        assert_eq!(
            (file.bytes, file.blake3),
            (whole.len() as u64, blake3::hash(&whole).to_hex().to_string())
        );
    }

    #[test]
    fn a_job_that_takes_too_long_says_so() {
        let slow = Job { timeout: Some(Duration::from_millis(100)), ..job("a", "") };
        let Answer::Draft(draft) = program(&["sleep", "60"]).run(&slow) else { panic!("declined") };
        assert_eq!(
            (draft.status, draft.reason.as_deref()),
            (Status::Timeout, Some("took longer than it may (100ms)"))
        );
    }

    #[test]
    fn every_agent_program_has_a_name_and_takes_the_text_as_data() {
        let hostile = "--dangerously-do-it; $(id)\n-x";
        for preset in Preset::ALL {
            assert_eq!(Preset::named(preset.name()), Some(preset));
            let invocation = preset.invoke(&job("a", hostile));
            let in_input = invocation.stdin.as_deref().is_some_and(|stdin| stdin.ends_with(hostile));
            let in_argument =
                invocation.arguments.iter().filter(|argument| argument.contains(hostile)).count();
            assert!(in_input || in_argument == 1, "{preset:?}: {invocation:?}");
            let as_flag = invocation.arguments.iter().any(|argument| argument.starts_with("--dangerously"));
            assert!(!as_flag, "{preset:?} would read the text as an option");
        }
    }

    #[test]
    fn a_program_that_prints_no_result_says_what_it_said() {
        let agent =
            |script: &str| Program { preset: Some(Preset::Claude), ..program(&["sh", "-c", script, "sh"]) };
        let draft = run(&agent("echo 'Error: 401 invalid api key' >&2; exit 1"), "x");
        assert_eq!(draft.status, Status::Auth);
        assert_eq!(draft.reason.as_deref(), Some("claude printed no result: Error: 401 invalid api key"));
        let draft = run(&agent("exit 0"), "x");
        assert_eq!((draft.status, draft.exit_code), (Status::Failed, Some(0)), "exit 0 is not success");
    }
}
