//! Built-in executors as files in a folder of an agent program: what is there, and what may be replaced.
//!
//! Each file carries a line with the version that wrote it and a hash of all its other lines, by which an edited file is
//! known. What somebody has edited, or has written himself, is never replaced or removed unless that is asked for.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{built_in, front_matter};

/// The key of the line that we add.
const STAMP: &str = "specpipe: ";

/// How much of a hash is enough to know a file by, in hexadecimal digits.
const DIGITS: usize = 16;

/// What is in the place of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing.
    Absent,
    /// The executor, as it is built in.
    Current,
    /// The executor of another version, as it was installed.
    Outdated,
    /// An executor that was installed and changed since.
    Edited,
    /// Something that we have not put there.
    Foreign,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Absent => "absent",
            State::Current => "current",
            State::Outdated => "outdated",
            State::Edited => "edited",
            State::Foreign => "foreign",
        }
    }
}

/// The place of one executor.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) state: State,
    /// The version that wrote it, where that can be seen.
    pub(crate) version: Option<String>,
}

/// Looks at the place of an executor in a folder.
///
/// # Errors
/// If it can not be looked at.
pub(crate) fn look(folder: &Path, name: &'static str) -> io::Result<Spot> {
    let path = folder.join(format!("{name}.md"));
    let spot = |state, version| Spot { name, path: path.clone(), state, version };
    let about = match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(spot(State::Absent, None)),
        about => about?,
    };
    // Behind a link is somebody else's file, and a directory is none.
    if !about.is_file() {
        return Ok(spot(State::Foreign, None));
    }
    let bytes = std::fs::read(&path)?;
    let Ok(text) = String::from_utf8(bytes) else { return Ok(spot(State::Foreign, None)) };
    let text = front_matter::normal(&text);
    let Some((version, hash)) = stamp(&text) else { return Ok(spot(State::Foreign, None)) };
    let state = match (hash == digest(&without_stamp(&text)), text == stamped(name)) {
        (_, true) => State::Current,
        // Another version may have written the very same.
        (true, false) if Some(without_stamp(&text)) == built_in::file(name) => State::Current,
        (true, false) => State::Outdated,
        (false, false) => State::Edited,
    };
    Ok(spot(state, Some(version)))
}

/// Puts an executor in its place, whole or not at all.
///
/// # Errors
/// If it can not be written; what was there before is still there then.
pub(crate) fn put(spot: &Spot) -> io::Result<()> {
    let folder = spot.path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".specpipe-")
        .permissions(Permissions::from_mode(0o666)) // less what the user's mask takes
        .tempfile_in(folder)?;
    file.write_all(stamped(spot.name).as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&spot.path)?;
    Ok(())
}

/// Removes an executor from its place.
///
/// # Errors
/// If it can not be removed.
pub(crate) fn remove(spot: &Spot) -> io::Result<()> {
    std::fs::remove_file(&spot.path)
}

/// Returns the file of a built-in executor with our line, the last of its front matter.
pub(crate) fn stamped(name: &str) -> String {
    let text = built_in::file(name).unwrap_or_default();
    let stamp = format!("{STAMP}{} {}", env!("CARGO_PKG_VERSION"), digest(&text));
    match text.split_once("\n---\n") {
        Some((head, body)) => format!("{head}\n{stamp}\n---\n{body}"),
        None => text,
    }
}

/// Returns the version and the hash in our line; nothing if there is none in the front matter.
fn stamp(text: &str) -> Option<(String, String)> {
    let (head, _) = text.split_once("\n---\n")?;
    let line = head.lines().find_map(|line| line.strip_prefix(STAMP))?;
    let (version, hash) = line.trim().split_once(' ')?;
    Some((version.to_owned(), hash.to_owned()))
}

fn without_stamp(text: &str) -> String {
    let Some((head, body)) = text.split_once("\n---\n") else { return text.to_owned() };
    let lines: Vec<&str> = head.lines().filter(|line| !line.starts_with(STAMP)).collect();
    format!("{}\n---\n{body}", lines.join("\n"))
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Agent;
    use super::*;

    fn state(folder: &Path, name: &'static str) -> State {
        look(folder, name).unwrap().state
    }

    #[test]
    fn what_is_in_a_place_is_known() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        let spot = look(&folder, "explore").unwrap();
        assert_eq!(spot.state, State::Absent);
        put(&spot).unwrap();
        assert_eq!(state(&folder, "explore"), State::Current);
        let path = spot.path.clone();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = Agent::parse(&built_in::file("explore").unwrap()).unwrap();
        assert_eq!(Agent::parse(&text).unwrap(), expected, "the line that is added changes nothing");
        let put_text = |text: &str| std::fs::write(&path, text).unwrap();

        put_text(&text.replace('\n', "\r\n"));
        assert_eq!(state(&folder, "explore"), State::Current, "git may have changed the ends of lines");
        put_text(&text.replace("Grep, Glob", "Grep"));
        assert_eq!(state(&folder, "explore"), State::Edited);
        put_text(&format!("{text}more\n"));
        assert_eq!(state(&folder, "explore"), State::Edited);
        put_text(&text.replace(env!("CARGO_PKG_VERSION"), "0.0.1"));
        let spot = look(&folder, "explore").unwrap();
        assert_eq!((spot.state, spot.version.as_deref()), (State::Current, Some("0.0.1")));
        put_text(&built_in::file("explore").unwrap());
        assert_eq!(state(&folder, "explore"), State::Foreign);
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert_eq!(state(&folder, "explore"), State::Foreign);

        let old = "---\nname: explore\n---\nAs it was.\n";
        put_text(&format!("---\nname: explore\n{STAMP}0.0.1 {}\n---\nAs it was.\n", digest(old)));
        assert_eq!(state(&folder, "explore"), State::Outdated);
        put(&look(&folder, "explore").unwrap()).unwrap();
        assert_eq!(state(&folder, "explore"), State::Current);

        std::os::unix::fs::symlink(&path, folder.join("review.md")).unwrap();
        assert_eq!(state(&folder, "review"), State::Foreign, "a link is not ours");
        std::fs::create_dir(folder.join("validate.md")).unwrap();
        assert_eq!(state(&folder, "validate"), State::Foreign);
    }
}
