//! The command line as it is understood: flags, then environment, then `specpipe.toml`, then the defaults.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use globset::GlobSet;
use serde::Deserialize;
use shared::Problem;
use shared::section::{GateType, Severity};

use crate::args::{Args, ScopeMode};
use crate::glob;
use crate::report::Format;

/// The gates that are always known, in the order in which they are reported.
pub(crate) const KNOWN: [&str; 8] =
    ["syntax", "secrets", "scope", "lint", "types", "tests", "build", "format"];
/// The gates whose commands are looked for in the project's own files without being asked for by name.
const DETECTED: [&str; 3] = ["lint", "types", "tests"];
/// The longest that a command may take, unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The table `[gates]` of `specpipe.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    skip: Vec<String>,
    scope: Option<ScopeMode>,
    strict: bool,
    timeout: Option<String>,
    jobs: Option<u16>,
    syntax: FileOptions,
    secrets: FileOptions,
    commands: Vec<CommandOptions>,
}

/// The table of a gate that looks at files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileOptions {
    exclude: Vec<String>,
}

/// One `[[gates.commands]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandOptions {
    name: String,
    run: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(rename = "type")]
    kind: Option<GateType>,
    timeout: Option<String>,
    severity: Option<Severity>,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) mode: Mode,
    pub(crate) selection: Selection,
    pub(crate) scope: ScopeMode,
    pub(crate) strict: bool,
    pub(crate) exit_zero: bool,
    pub(crate) exit_status: bool,
    pub(crate) whole_files: bool,
    pub(crate) format: Format,
    pub(crate) jobs: usize,
    pub(crate) timeout: Duration,
    pub(crate) max_line: u64,
    pub(crate) color: shared::Color,
    pub(crate) syntax_exclude: GlobSet,
    pub(crate) secrets_exclude: GlobSet,
    pub(crate) commands: Vec<Configured>,
}

/// Where the files come from.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    /// From records, which are passed on.
    Records(Vec<PathBuf>),
    /// From paths of the file system.
    Paths { paths: Vec<PathBuf>, no_ignore: bool },
    /// From the index of git.
    Staged { paths: Vec<PathBuf>, declared: Option<Vec<String>> },
    /// From the difference to another commit.
    Diff { base: String, paths: Vec<PathBuf>, declared: Option<Vec<String>> },
}

/// A command of `specpipe.toml`.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub(crate) name: String,
    pub(crate) run: Vec<String>,
    pub(crate) files: Option<GlobSet>,
    pub(crate) kind: GateType,
    pub(crate) timeout: Option<Duration>,
    pub(crate) severity: Severity,
}

/// Which gates are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
    fast: bool,
    detect: bool,
}

impl Selection {
    /// Tells whether the gate is wanted.
    pub(crate) fn wants(&self, gate: &str) -> bool {
        (self.only.is_empty() || self.is_named(gate)) && !self.skip.iter().any(|name| name == gate)
    }

    /// Tells whether a configured command of this name is to be run.
    pub(crate) fn wants_command(&self, gate: &str) -> bool {
        self.wants(gate) && (!self.fast || self.is_named(gate))
    }

    /// Tells whether a command for this gate is to be looked for in the project's own files.
    pub(crate) fn wants_detected(&self, gate: &str) -> bool {
        self.wants_command(gate) && (self.is_named(gate) || (self.detect && DETECTED.contains(&gate)))
    }

    fn is_named(&self, gate: &str) -> bool {
        self.only.iter().any(|name| name == gate)
    }
}

impl Config {
    /// Understands the command line.
    ///
    /// # Errors
    /// If the command line, the environment or the configuration does not make sense.
    pub(crate) fn new(args: Args, directory: &Path) -> Result<Config, Problem> {
        let options: Options = shared::config::load("gates", args.common.config.as_deref(), directory)?;
        let commands = options.commands.iter().map(configured).collect::<Result<Vec<_>, _>>()?;
        let mode = mode(&args)?;
        let is_records = matches!(mode, Mode::Records(_));
        let mut skip = options.skip;
        skip.extend(args.skip);
        check_names(args.gates.iter().chain(&skip), &commands)?;
        let timeout = options.timeout.as_deref().map(|text| duration("timeout", text)).transpose()?;
        let selection =
            Selection { only: args.gates, skip, fast: args.fast, detect: args.full || is_records };
        Ok(Config {
            mode,
            selection,
            scope: args.scope.or(scope_of_environment()?).or(options.scope).unwrap_or_default(),
            strict: args.strict || options.strict,
            exit_zero: args.exit_zero,
            exit_status: args.exit_status,
            whole_files: args.whole_files,
            format: args.format,
            jobs: args.jobs.or(options.jobs).map_or_else(shared::processors, usize::from),
            timeout: args.timeout.or(timeout).unwrap_or(TIMEOUT),
            max_line: args.common.max_line,
            color: args.common.color,
            syntax_exclude: glob::set(&options.syntax.exclude)?,
            secrets_exclude: glob::set(&options.secrets.exclude)?,
            commands,
        })
    }
}

/// Paths, `--staged` or `--diff`: alone. With `--records`, or with none of these: records.
fn mode(args: &Args) -> Result<Mode, Problem> {
    let paths = args.paths.clone();
    let declared = (!args.declare.is_empty()).then(|| args.declare.clone());
    if args.staged {
        return Ok(Mode::Staged { paths, declared });
    }
    if let Some(base) = args.diff.clone() {
        return Ok(Mode::Diff { base, paths, declared });
    }
    if declared.is_some() {
        return Err(Problem::new("--declare needs a change to hold against")
            .hint("add --staged or --diff BASE; records declare in `task.files_touched`"));
    }
    if !paths.is_empty() && !args.records {
        return Ok(Mode::Paths { paths, no_ignore: args.no_ignore });
    }
    for (given, flag) in [
        (args.format != Format::Human, "--format"),
        (args.exit_zero, "--exit-zero"),
        (args.no_ignore, "--no-ignore"),
    ] {
        if given {
            return Err(Problem::new(format!("{flag} is for use without records"))
                .hint("give a PATH (such as `.`), --staged or --diff BASE"));
        }
    }
    Ok(Mode::Records(paths))
}

fn configured(options: &CommandOptions) -> Result<Configured, Problem> {
    let name = options.name.clone();
    let place = |what: &str| Problem::new(format!("gates.commands `{name}`: {what}"));
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c)) {
        return Err(place("a name consists of letters, digits and - _ . :"));
    }
    if matches!(name.as_str(), "syntax" | "secrets" | "scope" | "changes") {
        return Err(place("this gate is built in").hint("choose another name"));
    }
    if options.run.is_empty() || options.run[0].is_empty() {
        return Err(place("`run` is empty")
            .hint("write the program and its arguments, such as run = [\"npm\", \"test\"]"));
    }
    let kind = options.kind.unwrap_or(if name == "tests" { GateType::Fact } else { GateType::Quality });
    let files = if options.files.is_empty() { None } else { Some(glob::set(&options.files)?) };
    let timeout = options
        .timeout
        .as_deref()
        .map(|text| duration(&format!("gates.commands `{name}`"), text))
        .transpose()?;
    let severity = options.severity.unwrap_or(Severity::Error);
    Ok(Configured { name, run: options.run.clone(), files, kind, timeout, severity })
}

fn duration(key: &str, text: &str) -> Result<Duration, Problem> {
    shared::units::parse_duration(text).map_err(|error| Problem::new(format!("{key}: {error}")))
}

/// `SCOPE_STRICT` of seed 002: `strict` or `disabled`; anything else but nothing is a mistake to be told.
fn scope_of_environment() -> Result<Option<ScopeMode>, Problem> {
    let Some(value) = std::env::var_os("SCOPE_STRICT").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    ScopeMode::from_str(&value, true).map(Some).map_err(|_| {
        Problem::new(format!("SCOPE_STRICT is `{value}`"))
            .hint("its values are strict, disabled and graduated")
    })
}

fn check_names<'a>(names: impl Iterator<Item = &'a String>, commands: &[Configured]) -> Result<(), Problem> {
    let known: Vec<&str> =
        KNOWN.into_iter().chain(commands.iter().map(|command| command.name.as_str())).collect();
    for name in names {
        if !known.contains(&name.as_str()) {
            let problem = Problem::new(format!("there is no gate `{name}`"));
            return Err(match shared::config::nearest(name, &known) {
                Some(nearest) => {
                    problem.hint(format!("did you mean `{nearest}`? the gates are {}", known.join(", ")))
                }
                None => problem.hint(format!("the gates are {}", known.join(", "))),
            });
        }
    }
    Ok(())
}
