//! Grep and Glob: what is found below a directory, as git would see it.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use shared::process::Cancel;

use super::files::is_binary;
use super::place::{Place, is_git};
use super::tool::{Done, MOST_TEXT};

/// How many lines or files are shown, if nobody says otherwise.
const SHOWN: usize = 250;
/// The most files that a Glob lists.
const LISTED: usize = 1000;
/// The largest file that is searched, in bytes.
const SEARCHED: u64 = 16 << 20;
/// The longest line that is shown whole, in bytes.
const LINE: usize = 500;
/// The longest that a search may take.
const TIME: Duration = Duration::from_secs(60);

/// The arguments of Grep.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grep {
    pattern: String,
    path: Option<String>,
    glob: Option<String>,
    #[serde(default)]
    output_mode: Mode,
    #[serde(default, alias = "-i")]
    ignore_case: bool,
    #[serde(default, alias = "-C")]
    context: usize,
    #[serde(alias = "head_limit")]
    limit: Option<usize>,
    /// Numbers are always shown; some models ask for them.
    #[serde(default, rename = "-n")]
    _numbers: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Content,
    FilesWithMatches,
    Count,
}

/// The arguments of Glob.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Glob {
    pattern: String,
    path: Option<String>,
}

impl Grep {
    pub(super) fn run(&self, place: &Place, cancel: &Cancel) -> Done {
        let regex = RegexBuilder::new(&self.pattern)
            .case_insensitive(self.ignore_case)
            .size_limit(4 << 20)
            .build()
            .map_err(|error| format!("the pattern is no regular expression: {error}"))?;
        let glob = self.glob.as_deref().map(matcher).transpose()?;
        let most = self.limit.unwrap_or(SHOWN).max(1);
        let mut found = Found { text: String::new(), count: 0, most, is_cut: false };
        let told = walk(place, self.path.as_deref(), cancel, |path, below| {
            if glob.as_ref().is_some_and(|glob| !glob.is_match(below)) {
                return true;
            }
            self.search(place, path, &regex, &mut found);
            !found.is_full()
        })?;
        if found.count == 0 {
            return Ok(format!("nothing matches{told}"));
        }
        if found.is_full() || found.is_cut {
            found.text.push_str("[there may be more; narrow the search with path or glob]\n");
        }
        Ok(found.text + told)
    }

    fn search(&self, place: &Place, path: &Path, regex: &Regex, found: &mut Found) {
        let Some(given) = path.to_str() else { return };
        // A file that goes away or that may not be read is none that matches.
        let Ok(readable) = place.read(given) else { return };
        if readable.is_directory || readable.bytes > SEARCHED {
            return;
        }
        let mut bytes = Vec::new();
        if readable.file.take(SEARCHED).read_to_end(&mut bytes).is_err() || is_binary(&bytes) {
            return;
        }
        let name = place.shown(path);
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let matches: Vec<usize> = (0..lines.len())
            .filter(|at| regex.is_match(lines[*at].strip_suffix(b"\r").unwrap_or(lines[*at])))
            .collect();
        // A last line without a break is a line; what follows the last break is none.
        let matches: Vec<usize> =
            matches.into_iter().filter(|at| *at + 1 < lines.len() || !lines[*at].is_empty()).collect();
        if matches.is_empty() {
            return;
        }
        match self.output_mode {
            Mode::FilesWithMatches => found.push(format!("{name}\n")),
            Mode::Count => found.push(format!("{name}:{}\n", matches.len())),
            Mode::Content => {
                let mut shown_to = 0;
                for at in matches {
                    let first = at.saturating_sub(self.context.min(20)).max(shown_to);
                    let last = (at + self.context.min(20)).min(lines.len() - 1);
                    if self.context > 0 && shown_to > 0 && first > shown_to {
                        found.text.push_str("--\n");
                    }
                    for (number, line) in lines.iter().enumerate().take(last + 1).skip(first) {
                        let mark = if regex.is_match(line) { ':' } else { '-' };
                        let mut text = String::new();
                        let shown = String::from_utf8_lossy(&line[..line.len().min(LINE)]);
                        let _ =
                            write!(text, "{name}{mark}{}{mark}{}", number + 1, shown.trim_end_matches('\r'));
                        text.push_str(if line.len() > LINE { "…\n" } else { "\n" });
                        found.push(text);
                        if found.is_full() {
                            return;
                        }
                    }
                    shown_to = shown_to.max(last + 1);
                }
            }
        }
    }
}

/// What was found so far.
struct Found {
    text: String,
    count: usize,
    most: usize,
    is_cut: bool,
}

impl Found {
    fn push(&mut self, text: String) {
        if self.is_full() {
            self.is_cut = true;
            return;
        }
        self.count += 1;
        self.text.push_str(&text);
    }

    fn is_full(&self) -> bool {
        self.count >= self.most || self.text.len() >= MOST_TEXT
    }
}

impl Glob {
    pub(super) fn run(&self, place: &Place, cancel: &Cancel) -> Done {
        let glob = matcher(&self.pattern)?;
        let mut names = Vec::new();
        let told = walk(place, self.path.as_deref(), cancel, |path, below| {
            if glob.is_match(below) {
                names.push(place.shown(path));
            }
            true
        })?;
        names.sort_unstable();
        let more = names.len().saturating_sub(LISTED);
        names.truncate(LISTED);
        let mut text: String = names.iter().map(|name| format!("{name}\n")).collect();
        if text.is_empty() {
            text = "no file matches".to_owned();
        }
        if more > 0 {
            let _ = writeln!(text, "[{more} more are left out; narrow the pattern]");
        }
        Ok(text + told)
    }
}

/// Returns a matcher for paths below the directory that is searched; a pattern without a slash is for the name alone.
fn matcher(pattern: &str) -> Result<GlobMatcher, String> {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let whole = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
    GlobBuilder::new(&whole)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{pattern}` is no pattern for paths: {error}"))
}

/// Visits files until `visit` says that it is enough; returns what there is to say about it. No link is followed.
fn walk(
    place: &Place,
    given: Option<&str>,
    cancel: &Cancel,
    mut visit: impl FnMut(&Path, &Path) -> bool,
) -> Result<&'static str, String> {
    let here = place.directory().display().to_string();
    let start = place.read(given.unwrap_or(&here))?;
    if !start.is_directory {
        let name = start.path.file_name().unwrap_or_default().to_owned();
        visit(&start.path, Path::new(&name));
        return Ok("");
    }
    let started = Instant::now();
    let root = start.path.clone();
    let sight = place.sight();
    // What is ignored above the root of a repository is not meant here: we ignore our own worktrees in the project's.
    let walker = WalkBuilder::new(&root)
        .hidden(false)
        .follow_links(false)
        .git_global(false)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .filter_entry(move |entry| !is_git(entry.file_name()) && sight.shows(entry.path()))
        .build();
    for entry in walker.flatten() {
        if cancel.is_cancelled() || started.elapsed() > TIME {
            return Ok("[the search took too long and was ended; narrow it]\n");
        }
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let below = entry.path().strip_prefix(&root).unwrap_or(entry.path());
        if !visit(entry.path(), below) {
            break;
        }
    }
    Ok("")
}
