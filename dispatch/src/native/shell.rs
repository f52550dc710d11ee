//! Bash: a command of the model in a shell that can do no more than the tools can.
//!
//! The shell is a child of this program started anew (see `confine`), which gives up what it may not do before the shell
//! begins. Nothing of our environment goes there but what a shell needs, and nothing that it has started outlives the call.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use shared::process::{Cancel, Command, How};

use super::confine::{ARGUMENT, Confinement, Policy};
use super::place::Place;
use super::tool::{Done, MOST_TEXT};
use super::toolchain;

/// How long a command may take, if the model does not say, and the most that it may say.
const TIME: Duration = Duration::from_secs(120);
const MOST_TIME: Duration = Duration::from_secs(600);
/// The most that a command may print, in bytes.
const PRINTED: u64 = 64 << 20;
/// How long what was asked to end may take.
const GRACE: Duration = Duration::from_secs(10);

/// What a shell gets of our environment. No key of any service is among these.
const KEPT: [&str; 9] = ["PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "SHELL", "COLUMNS", "LINES"];

/// The arguments of Bash.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bash {
    command: String,
    #[serde(alias = "timeout")]
    timeout_ms: Option<u64>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

/// All that a shell needs to know.
#[derive(Debug)]
pub(crate) struct Shell {
    program: PathBuf,
    policy: Policy,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    /// A directory of its own for temporary files, removed with it.
    _scratch: tempfile::TempDir,
    /// Where output is kept that is too long for the model.
    outputs: Option<PathBuf>,
    /// The file by which git finds the repository of a worktree, and what it says.
    link: Option<(PathBuf, Vec<u8>)>,
}

/// What a shell is made from.
pub(crate) struct Setting<'a> {
    /// This program.
    pub(crate) program: &'a Path,
    pub(crate) project: &'a Path,
    pub(crate) state: Option<&'a Path>,
    pub(crate) outputs: Option<PathBuf>,
    pub(crate) confinement: Confinement,
    pub(crate) network: bool,
    pub(crate) read: &'a [PathBuf],
}

impl Shell {
    /// Prepares a shell for a place.
    pub(crate) fn new(place: &Place, setting: Setting) -> std::io::Result<Shell> {
        let scratch = match setting.state {
            Some(state) => {
                let above = state.join("scratch");
                fs::create_dir_all(&above)?;
                tempfile::Builder::new().prefix("shell-").tempdir_in(above)?
            }
            None => tempfile::Builder::new().prefix("specpipe-").tempdir()?,
        };
        let own = scratch.path().canonicalize()?;
        for name in ["home", "tmp"] {
            fs::create_dir(own.join(name))?;
        }
        let tree = place.tree();
        let link = tree.join(".git");
        let link = link.is_file().then(|| fs::read(&link).map(|text| (link, text))).transpose()?;
        let mut write = vec![own.clone()];
        match place.writes_to() {
            Some(tree) if link.is_some() => write.push(tree.to_owned()),
            // In a checkout itself, git's own files and ours are left out.
            Some(tree) => write.extend(entries(tree, &[".git", shared::state::DIRECTORY])),
            None => {}
        }
        let mut read = entries(setting.project, &[shared::state::DIRECTORY]);
        read.push(tree.to_owned());
        if let Some((_, text)) = &link {
            read.extend(repository(tree, text));
        }
        read.extend(setting.outputs.iter().filter(|path| path.exists()).cloned());
        read.extend(setting.read.iter().cloned());
        let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let toolchains = toolchain::find(&path, home.as_deref());
        read.extend(toolchains.read);
        let mut environment = environment(&own);
        environment.extend(toolchains.environment);
        if place.writes_to().is_none() {
            // Builds go where files may be written.
            environment.push(("CARGO_TARGET_DIR".into(), own.join("tmp/target").into()));
            environment.push(("PYTHONDONTWRITEBYTECODE".into(), "1".into()));
        }
        Ok(Shell {
            program: setting.program.to_owned(),
            policy: Policy {
                confinement: setting.confinement,
                network: setting.network,
                write,
                read,
                fixed: link.iter().map(|(path, _)| path.clone()).collect(),
                list: vec![setting.project.to_owned()],
            },
            environment,
            directory: place.directory().to_owned(),
            _scratch: scratch,
            outputs: setting.outputs,
            link,
        })
    }
}

impl Bash {
    pub(super) fn run(&self, shell: &Shell, number: u32, left: Option<Duration>, cancel: &Cancel) -> Done {
        if self.command.contains('\0') {
            return Err("the command has a character that no command has".to_owned());
        }
        let policy = serde_json::to_string(&shell.policy).map_err(|error| error.to_string())?;
        let wanted = self.timeout_ms.map_or(TIME, Duration::from_millis).min(MOST_TIME);
        let time = left.map_or(wanted, |left| left.min(wanted));
        let argv: [OsString; 4] =
            [shell.program.clone().into(), ARGUMENT.into(), policy.into(), self.command.clone().into()];
        let mut command = Command::new(argv)
            .current_dir(&shell.directory)
            .timeout(time)
            .grace(GRACE)
            .capture(MOST_TEXT / 2)
            .output_max(PRINTED)
            .cancelled_by(cancel.clone());
        for (name, _) in std::env::vars_os() {
            command = command.env_remove(name);
        }
        for (name, value) in &shell.environment {
            command = command.env(name, value);
        }
        if let Some(outputs) = &shell.outputs {
            fs::create_dir_all(outputs).map_err(|error| format!("cannot keep what it prints: {error}"))?;
            command = command.spool(outputs.join(format!("{number}.txt")));
        }
        let ended = command.run().map_err(|problem| problem.full_message())?;
        let was_exchanged = shell.restore()?;
        let mut text = ended.stdout.text();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        if let Some(file) = &ended.stdout.file {
            text.push_str(&format!("[all {} bytes are in {}]\n", ended.stdout.total, file.display()));
        }
        // What our own part has to say: the shell's streams are one.
        let said = ended.stderr.text();
        if !said.trim().is_empty() {
            text.push_str(&format!("[{}]\n", said.trim()));
        }
        if was_exchanged {
            return Err(format!(
                "{text}[the file .git was changed, which is not allowed; it is as it was before]"
            ));
        }
        match ended.how {
            How::Exited(0) if text.is_empty() => Ok("(it printed nothing)".to_owned()),
            How::Exited(0) => Ok(text),
            _ if ended.stdout.total > PRINTED => {
                Err(format!("{text}[ended because it printed more than {} MiB]", PRINTED >> 20))
            }
            How::TimedOut => {
                Err(format!("{text}[ended after {} s, the longest that it may take]", time.as_secs()))
            }
            How::Exited(code) => Err(format!("{text}[exit code {code}]")),
            how => Err(format!("{text}[{how}]")),
        }
    }
}

impl Shell {
    /// Puts the file back by which git finds the repository; tells whether it was another. Nothing of the shell runs any
    /// more. A git of ours would follow it to settings that name programs to run.
    fn restore(&self) -> Result<bool, String> {
        let Some((path, text)) = &self.link else { return Ok(false) };
        let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
        if is_file && fs::read(path).is_ok_and(|now| now == *text) {
            return Ok(false);
        }
        let put_back = || {
            if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
                fs::remove_dir_all(path)?;
            } else if fs::symlink_metadata(path).is_ok() {
                fs::remove_file(path)?;
            }
            fs::write(path, text)
        };
        put_back()
            .map(|()| true)
            .map_err(|error| format!("the file .git was changed and cannot be put back: {error}"))
    }

    /// Tells whether a command may use the network.
    pub(super) fn has_network(&self) -> bool {
        self.policy.network
    }
}

/// Returns what is in a directory, apart from these names.
fn entries(directory: &Path, without: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let entries = entries.filter_map(Result::ok);
    let entries =
        entries.filter(|entry| !without.iter().any(|name| entry.file_name().eq_ignore_ascii_case(name)));
    // A link leads where it leads, and that is not in here.
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()))
        .map(|entry| entry.path())
        .collect()
}

/// Returns the directories of the repository that the link of a worktree leads to.
fn repository(tree: &Path, link: &[u8]) -> Vec<PathBuf> {
    let link = String::from_utf8_lossy(link);
    let Some(own) = link.trim_end().strip_prefix("gitdir: ").map(|path| tree.join(path)) else {
        return Vec::new();
    };
    let common = fs::read_to_string(own.join("commondir")).map(|path| own.join(path.trim_end()));
    let common = common.ok().and_then(|path| path.canonicalize().ok());
    std::iter::once(own).chain(common).collect()
}

fn environment(scratch: &Path) -> Vec<(OsString, OsString)> {
    let kept = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        KEPT.contains(&&*name) || name.starts_with("LC_")
    });
    let mut environment: Vec<(OsString, OsString)> = kept.collect();
    for (name, value) in [
        ("HOME", scratch.join("home").into_os_string()),
        ("TMPDIR", scratch.join("tmp").into_os_string()),
        ("TERM", "dumb".into()),
        ("PAGER", "cat".into()),
        ("GIT_PAGER", "cat".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("GIT_OPTIONAL_LOCKS", "0".into()),
    ] {
        environment.push((name.into(), value));
    }
    environment
}
