//! Runs the project's own commands, or exactly the command that a task names.
//!
//! A test suite that fails is an answer: the draft is `ok`, leads with the failures and carries the exit code. A
//! command that could not be started, took too long or was named by the task and failed is not.

use shared::process::{Command, Ended, How};
use shared::project::{self, Detected, Purpose};
use shared::section::Status;

use super::intent::{Place, Run};
use super::outcome::{self, Summary};
use super::report::counted;
use super::{Ground, Outcome};
use crate::backend::Draft;

/// So many lines of the end of an output are shown.
const TAIL: usize = 60;
/// What is kept of each stream.
const CAPTURE: usize = 4 << 20;

/// Runs a program with its arguments, as the task says it.
pub(super) fn run_exactly(ground: &Ground, argv: &[String]) -> Outcome {
    let mut command = Command::new(argv).current_dir(ground.root).capture(CAPTURE);
    if let Some(timeout) = ground.timeout {
        command = command.timeout(timeout);
    }
    Ok(match command.run() {
        Err(problem) => not_started(&problem),
        Ok(ended) => {
            let mut draft = Draft::new(status(&ended));
            draft.exit_code = ended.exit_code();
            draft.output = ended.stdout.text();
            let stderr = ended.stderr.text();
            draft.stderr = (!stderr.is_empty()).then_some(stderr);
            if draft.status != Status::Ok {
                draft.reason = Some(format!("`{}`: {}", argv.join(" "), ended.how));
            }
            draft
        }
    })
}

fn status(ended: &Ended) -> Status {
    match ended.how {
        How::Exited(0) => Status::Ok,
        How::Exited(_) | How::Signalled(_) => Status::Failed,
        How::TimedOut | How::Idle => Status::Timeout,
        How::Interrupted => Status::Cancelled,
    }
}

fn not_started(problem: &shared::Problem) -> Draft {
    let mut reason = problem.full_message();
    if let Some(hint) = problem.first_hint() {
        reason.push_str(&format!(" ({hint})"));
    }
    Draft::because(Status::Failed, reason)
}

/// What running one command showed.
struct Report {
    text: String,
    exit_code: Option<i32>,
    /// Whether the question was answered; if not, why.
    trouble: Option<(Status, String)>,
    passed: bool,
}

pub(super) fn run_project(ground: &Ground, run: &Run) -> Outcome {
    let commands = chosen(ground, run)?;
    let mut reports = Vec::new();
    for detected in &commands {
        let report = one(ground, run, detected);
        let stop = matches!(report.trouble, Some((Status::Cancelled, _)));
        reports.push(report);
        if stop {
            break;
        }
    }
    // What failed comes first; the order is otherwise that of the commands.
    reports.sort_by_key(|report| report.passed);
    let trouble = reports.iter().find_map(|report| report.trouble.clone());
    let mut draft = Draft::new(trouble.as_ref().map_or(Status::Ok, |(status, _)| *status));
    draft.reason = trouble.map(|(_, reason)| reason);
    draft.exit_code = reports
        .iter()
        .filter_map(|report| report.exit_code)
        .find(|code| *code != 0)
        .or_else(|| reports.iter().find_map(|report| report.exit_code));
    draft.output = reports.into_iter().map(|report| report.text).collect::<Vec<_>>().join("\n\n");
    for purpose in run.purposes.iter().filter(|purpose| !commands.iter().any(|it| it.purpose == **purpose)) {
        let note = format!("\nnote: no file of the project says how to run its {} command", purpose.as_str());
        draft.output.push_str(&note);
    }
    Ok(draft)
}

/// Returns the commands that do what is asked for, narrowed to a test or place where one is named.
fn chosen(ground: &Ground, run: &Run) -> Result<Vec<Detected>, String> {
    let mut all = project::detect(ground.root);
    if all.is_empty() && ground.project != ground.root {
        all = project::detect(ground.project);
    }
    let mut commands = Vec::new();
    for purpose in &run.purposes {
        let mut found: Vec<Detected> = all
            .iter()
            .filter(|detected| detected.purpose == *purpose)
            .filter(|detected| run.tool.as_ref().is_none_or(|tool| *tool == detected.tool))
            .cloned()
            .collect();
        if found.is_empty() && run.as_available {
            continue;
        }
        if found.is_empty() {
            let with = run.tool.as_ref().map(|tool| format!(" with {tool}")).unwrap_or_default();
            return Err(format!(
                "no file of the project says how to run its {} command{with}",
                purpose.as_str()
            ));
        }
        if run.test.is_some() || run.place.is_some() || run.package.is_some() {
            found = found
                .into_iter()
                .map(|detected| narrowed(ground, run, detected))
                .collect::<Result<_, _>>()?;
        }
        commands.extend(found);
    }
    if commands.is_empty() {
        return Err("no file of the project says how to check it".to_owned());
    }
    Ok(commands)
}

/// Limits a command to what the task names, in the way of its tool.
fn narrowed(ground: &Ground, run: &Run, mut detected: Detected) -> Result<Detected, String> {
    let argv = &mut detected.argv;
    if let Some(package) = &run.package {
        let is_cargo = matches!(detected.tool.as_str(), "cargo" | "clippy");
        if !is_cargo {
            return Err(format!("does not know how to limit `{}` to a package", argv.join(" ")));
        }
        if !has_package(ground, package)? {
            return Err(format!("there is no package `{package}` in the workspace"));
        }
        argv.retain(|argument| argument != "--workspace");
        let at = argv.iter().position(|argument| argument == "--all-targets").unwrap_or(argv.len());
        argv.splice(at..at, ["-p".to_owned(), package.clone()]);
    }
    if let Some(place) = &run.place {
        limit_to_place(ground, place, &mut detected)?;
    }
    if let Some(test) = &run.test {
        let argv = &mut detected.argv;
        match detected.tool.as_str() {
            "cargo" => argv.push(test.clone()),
            // An expression to pytest, not a name.
            "pytest" | "unittest" if test.contains(' ') => {
                return Err(format!("does not know how to limit `{}` to `{test}`", argv.join(" ")));
            }
            "pytest" if test.contains("::") => argv.push(test.clone()),
            "pytest" | "unittest" => argv.extend(["-k".to_owned(), test.clone()]),
            "go" => argv.extend(["-run".to_owned(), format!("^{}$", regex::escape(test))]),
            "ctest" => argv.extend(["-R".to_owned(), format!("^{}$", regex::escape(test))]),
            "maven" => argv.push(format!("-Dtest={test}")),
            "gradle" => argv.extend(["--tests".to_owned(), test.clone()]),
            "rspec" => argv.extend(["-e".to_owned(), test.clone()]),
            "phpunit" => argv.extend(["--filter".to_owned(), test.clone()]),
            "npm" | "pnpm" | "yarn" | "bun" => match node_filter(&detected) {
                Some(flag) => {
                    if detected.tool == "npm" {
                        detected.argv.push("--".to_owned());
                    }
                    detected.argv.extend([flag.to_owned(), test.clone()]);
                }
                None => {
                    return Err(format!(
                        "does not know how to limit `{}` to one test",
                        detected.argv.join(" ")
                    ));
                }
            },
            _ => return Err(format!("does not know how to limit `{}` to one test", argv.join(" "))),
        }
    }
    Ok(detected)
}

fn limit_to_place(ground: &Ground, place: &Place, detected: &mut Detected) -> Result<(), String> {
    let located = ground
        .locate(&Place { sure: false, ..place.clone() })?
        .ok_or_else(|| format!("there is no `{}`", place.path))?;
    // A file may be called `-x`.
    let dot = if located.relative.starts_with('-') { "./" } else { "" };
    let path = format!("{dot}{}", located.shown());
    let cannot = format!("does not know how to limit `{}` to `{path}`", detected.argv.join(" "));
    match detected.tool.as_str() {
        "pytest" | "rspec" => detected.argv.push(path),
        "ruff" | "eslint" | "mypy" | "flake8" => {
            match detected.argv.iter().position(|argument| argument == ".") {
                Some(at) => detected.argv[at] = path,
                None => return Err(cannot),
            }
        }
        "go" if located.is_dir && detected.dir == ground.root => {
            match detected.argv.iter().position(|argument| argument == "./...") {
                Some(at) => detected.argv[at] = format!("./{path}/..."),
                None => return Err(cannot),
            }
        }
        "cargo" | "clippy" if located.is_dir => {
            let manifest =
                std::fs::read_to_string(located.absolute.join("Cargo.toml")).map_err(|_| cannot.clone())?;
            let name = package_name(&manifest).ok_or(cannot)?;
            detected.argv.retain(|argument| argument != "--workspace");
            let at = detected.argv.iter().position(|it| it == "--all-targets").unwrap_or(detected.argv.len());
            detected.argv.splice(at..at, ["-p".to_owned(), name]);
        }
        "cargo" if detected.purpose == Purpose::Test => {
            // `tests/x.rs` is a target of that name.
            let target = path
                .strip_prefix("tests/")
                .and_then(|name| name.strip_suffix(".rs"))
                .filter(|it| !it.contains('/'));
            let target = target.ok_or(cannot)?.to_owned();
            detected.argv.extend(["--test".to_owned(), target]);
        }
        _ => return Err(cannot),
    }
    Ok(())
}

fn package_name(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn has_package(ground: &Ground, wanted: &str) -> Result<bool, String> {
    let scope = super::intent::Scope {
        filters: vec![super::intent::Filter::Name("Cargo.toml".to_owned())],
        ..super::intent::Scope::default()
    };
    let walked = ground.walk(&scope, super::walk::Want::Files)?;
    let names = ground.read_each(&walked.entries, |_, text| package_name(&String::from_utf8_lossy(text)));
    Ok(names.into_iter().flatten().flatten().any(|name| name == wanted))
}

/// Returns the option with which the runner behind a package script takes the name of a test.
fn node_filter(detected: &Detected) -> Option<&'static str> {
    let manifest = std::fs::read_to_string(detected.dir.join("package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).ok()?;
    let script = manifest["scripts"][detected.argv.last()?.as_str()].as_str()?;
    let runs = |program: &str| script.split_whitespace().any(|word| word == program);
    if script.contains("&&") || script.contains(';') || script.contains('|') {
        return None;
    }
    if runs("jest") || runs("vitest") {
        Some("-t")
    } else if runs("mocha") {
        Some("-g")
    } else if runs("node") && runs("--test") {
        Some("--test-name-pattern")
    } else {
        None
    }
}

fn one(ground: &Ground, run: &Run, detected: &Detected) -> Report {
    let detected = &locked(detected);
    let mut command = Command::new(&detected.argv).current_dir(&detected.dir).capture(CAPTURE);
    // Nobody watches: no colours, no questions, no snapshots or caches written beside the sources.
    for (name, value) in [
        ("CI", "true"),
        ("NO_COLOR", "1"),
        ("CARGO_TERM_COLOR", "never"),
        ("INSTA_UPDATE", "no"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTEST_ADDOPTS", "-p no:cacheprovider"),
        ("RUFF_NO_CACHE", "true"),
    ] {
        command = command.env(name, value);
    }
    if let Some(timeout) = ground.timeout {
        command = command.timeout(timeout);
    }
    let shown = shown(ground, detected);
    let ended = match command.run() {
        Ok(ended) => ended,
        Err(problem) => {
            let draft = not_started(&problem);
            let reason = draft.reason.unwrap_or_default();
            let text = format!("not run: {reason}\ncommand: {shown}");
            return Report { text, exit_code: None, trouble: Some((Status::Failed, reason)), passed: false };
        }
    };
    let output = joined(&ended);
    let summary = if detected.purpose == Purpose::Test { outcome::summary(&output) } else { None };
    let trouble = trouble(run, detected, &ended, summary.as_ref(), &output);
    let mut text = headline(detected.purpose, &ended, summary.as_ref());
    text.push_str(&format!("\ncommand: {shown}, {}", ended.how));
    let root = format!("{}/", ground.root.display());
    for failure in summary.iter().flat_map(|summary| &summary.failures) {
        text.push('\n');
        text.push_str(&failure.shown().replace(&root, ""));
    }
    let tail = tail(&output);
    if !tail.is_empty() {
        text.push_str(&format!("\noutput:\n{tail}"));
    }
    Report { text, exit_code: ended.exit_code(), passed: ended.success() && trouble.is_none(), trouble }
}

/// Keeps cargo from rewriting a lock file that is out of date: that would be a change to the sources.
fn locked(detected: &Detected) -> Detected {
    let mut detected = detected.clone();
    let knows = matches!(detected.tool.as_str(), "cargo" | "clippy");
    if knows && detected.dir.join("Cargo.lock").is_file() && detected.argv.len() > 1 {
        detected.argv.insert(2, "--locked".to_owned());
    }
    detected
}

/// Returns the command as a person would type it, and why it is that one.
fn shown(ground: &Ground, detected: &Detected) -> String {
    let root = format!("{}/", ground.root.display());
    let quoted = |argument: &String| match argument.contains(char::is_whitespace) {
        true => format!("'{argument}'"),
        false => argument.clone(),
    };
    let argv = detected.argv.iter().map(quoted).collect::<Vec<_>>().join(" ").replace(&root, "");
    let place = detected.dir.strip_prefix(ground.root).ok().filter(|place| !place.as_os_str().is_empty());
    let place = place.map(|place| format!(" in {}", place.display())).unwrap_or_default();
    format!("{argv}{place} (because of {})", detected.because)
}

fn joined(ended: &Ended) -> String {
    let (stdout, stderr) = (ended.stdout.text(), ended.stderr.text());
    let separator = if stdout.is_empty() || stdout.ends_with('\n') { "" } else { "\n" };
    format!("{stdout}{separator}{stderr}")
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().trim_start_matches(['\n', '\r']).lines().collect();
    match lines.len().checked_sub(TAIL) {
        Some(left_out) if left_out > 0 => {
            format!("… {} before\n{}", counted(left_out, "line"), lines[left_out..].join("\n"))
        }
        _ => lines.join("\n"),
    }
}

/// Returns why a run answers nothing, if so.
fn trouble(
    run: &Run,
    detected: &Detected,
    ended: &Ended,
    summary: Option<&Summary>,
    output: &str,
) -> Option<(Status, String)> {
    let program = detected.argv.first().map_or("", String::as_str);
    let module = detected.argv.iter().skip_while(|argument| *argument != "-m").nth(1);
    match ended.how {
        How::TimedOut | How::Idle => return Some((Status::Timeout, format!("`{program}` {}", ended.how))),
        How::Interrupted => return Some((Status::Cancelled, format!("`{program}` was interrupted"))),
        How::Exited(126 | 127) => {
            return Some((Status::Failed, format!("`{program}` started something that is not installed")));
        }
        How::Exited(_) | How::Signalled(_) => {}
    }
    if let Some(module) = module
        && output.contains(&format!("No module named {module}"))
    {
        return Some((Status::Failed, format!("{module} is not installed for `{program}`")));
    }
    if output.contains("because --locked was passed") {
        let reason = "Cargo.lock does not fit Cargo.toml, and to bring it up to date would be a change \
                      (run `cargo update --workspace`)";
        return Some((Status::Failed, reason.to_owned()));
    }
    if output.contains("error: no such command:") || output.contains("is not installed for the toolchain") {
        return Some((Status::Failed, format!("{} is not installed", detected.tool)));
    }
    if let (Some(test), Some(summary)) = (&run.test, summary)
        && summary.passed + summary.failed + summary.skipped == 0
    {
        return Some((Status::Failed, format!("no test is called `{test}`")));
    }
    None
}

/// Returns the first line: what a person wants to know before anything else.
fn headline(purpose: Purpose, ended: &Ended, summary: Option<&Summary>) -> String {
    let passed = ended.success();
    if let Some(summary) = summary {
        let word = if passed { "passed" } else { "failed" };
        let skipped =
            if summary.skipped > 0 { format!(", {} skipped", summary.skipped) } else { String::new() };
        return if summary.failed > 0 {
            format!("tests {word}: {} failed, {} passed{skipped}", summary.failed, summary.passed)
        } else {
            format!("tests {word}: {} passed, {} failed{skipped}", summary.passed, summary.failed)
        };
    }
    let what = match purpose {
        Purpose::Test => "tests",
        Purpose::Lint => "lint",
        Purpose::Types => "type check",
        Purpose::Build => "build",
        Purpose::Format => "format check",
    };
    match (passed, ended.how) {
        (true, _) => format!("{what} passed"),
        (false, How::Exited(_)) if purpose == Purpose::Test => {
            format!("{what} failed: no counts of tests in the output")
        }
        (false, how) => format!("{what} failed: {how}"),
    }
}
