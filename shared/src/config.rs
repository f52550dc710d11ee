//! The settings in files: `specpipe.toml` found upward from the working directory, over the user's own file.
//!
//! Flags and environment variables come before both; clap knows them, and each tool's `config.rs` puts all layers together.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::Problem;

/// The name of a project's file.
pub const FILE: &str = "specpipe.toml";

/// The tables that a file may have.
const TABLES: [&str; 5] = ["classify", "dispatch", "gates", "verify", "converge"];

/// Reads a tool's table from the user's file and the project's, which wins key by key.
///
/// `explicit` is the file of `--config`, which replaces the project's; without it the nearest `specpipe.toml` at or above
/// `start` counts.
///
/// # Errors
/// If a file can not be read or is not TOML, or a key is unknown or its value of the wrong kind; the message names file,
/// line and the nearest known key.
pub fn load<T: DeserializeOwned + Default>(
    tool: &str,
    explicit: Option<&Path>,
    start: &Path,
) -> Result<T, Problem> {
    let mut merged = Table::new();
    let project = explicit.map(Path::to_owned).or_else(|| find(start));
    for path in [user_file().filter(|path| path.is_file()), project].into_iter().flatten() {
        merge(&mut merged, read::<T>(tool, &path)?);
    }
    // Each layer was of the right form by itself, so both together are.
    T::deserialize(Value::Table(merged))
        .map_err(|error| Problem::new("cannot combine the configuration").because(error))
}

/// Returns the nearest `specpipe.toml` at or above a directory.
pub fn find(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|directory| directory.join(FILE)).find(|path| path.is_file())
}

fn user_file() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("specpipe/config.toml"))
}

fn read<T: DeserializeOwned>(tool: &str, path: &Path) -> Result<Table, Problem> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::new(format!("cannot read the configuration `{shown}`")).because(error))?;
    let problem = |error: &toml::de::Error| {
        let message = error.message().to_owned();
        let place = match error.span() {
            Some(span) => format!("{shown}:{}", line_of(&text, span.start)),
            None => shown.to_string(),
        };
        let hint = suggestion(&message);
        let problem = Problem::new(format!("{place}: {message}"));
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    };
    let table: Table = toml::from_str(&text).map_err(|error| problem(&error))?;
    if let Some(unknown) = table.keys().find(|key| !TABLES.contains(&key.as_str())) {
        let line = text.lines().position(|line| line.contains(unknown.as_str())).map_or(1, |index| index + 1);
        let guess = nearest(unknown, &TABLES)
            .map(|nearest| format!("did you mean `{nearest}`? "))
            .unwrap_or_default();
        return Err(Problem::new(format!("{shown}:{line}: unknown table `{unknown}`"))
            .hint(format!("{guess}there is one table for each of {}", TABLES.join(", "))));
    }
    match table.get(tool) {
        None => Ok(Table::new()),
        Some(Value::Table(own)) => {
            check::<T>(tool, &text).map_err(|error| problem(&error))?;
            Ok(own.clone())
        }
        Some(_) => {
            Err(Problem::new(format!("{shown}: `{tool}` is not a table")).hint(format!("write [{tool}]")))
        }
    }
}

/// Reads the tool's table where it stands in the text, so that an error has its place.
fn check<T: DeserializeOwned>(tool: &str, text: &str) -> Result<(), toml::de::Error> {
    let document = toml::de::DeTable::parse(text)?;
    let own = document.get_ref().iter().find(|(name, _)| name.get_ref() == tool);
    let Some((_, own)) = own else { return Ok(()) };
    T::deserialize(toml::de::ValueDeserializer::from(own.clone())).map(drop)
}

fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Returns a hint for "unknown field `x`, expected one of `y`, `z`", and for unknown variants.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let (unknown, known) = (names.next()?, names.collect::<Vec<_>>());
    let nearest = nearest(unknown, &known)?;
    Some(format!("did you mean `{nearest}`?"))
}

/// Returns the name that is most like another, if any is.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let similarity = |known: &str| strsim::jaro_winkler(name, known);
    let best = known.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(best) > 0.7).then_some(best)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Settings {
        jobs: Option<usize>,
        timeout: Option<String>,
    }

    fn load_text(text: &str) -> Result<Settings, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        std::fs::write(&path, text).unwrap();
        load("dispatch", Some(&path), directory.path()).map_err(|problem| {
            let hint = problem.first_hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            problem.full_message().replace(&directory.path().display().to_string(), "") + &hint
        })
    }

    #[test]
    fn the_tool_s_own_table_is_read_and_others_are_left_alone() {
        let text = "[gates]\nwhatever = 1\n[dispatch]\njobs = 3\n";
        assert_eq!(load_text(text), Ok(Settings { jobs: Some(3), timeout: None }));
        assert_eq!(load_text(""), Ok(Settings::default()));
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_nearest_known_one() {
        let message = load_text("# a comment\n[dispatch]\njbos = 3\n").unwrap_err();
        assert!(message.starts_with("/specpipe.toml:3: unknown field `jbos`"), "{message}");
        assert!(message.ends_with("(did you mean `jobs`?)"), "{message}");
    }

    #[test]
    fn an_unknown_table_a_wrong_kind_and_broken_toml_have_their_lines() {
        let message = load_text("[dispatch]\n[dispach]\n").unwrap_err();
        assert!(
            message.starts_with("/specpipe.toml:2: unknown table `dispach` (did you mean `dispatch`?"),
            "{message}"
        );
        let message = load_text("[dispatch]\n\njobs = \"many\"\n").unwrap_err();
        assert!(message.starts_with("/specpipe.toml:3: invalid type"), "{message}");
        let message = load_text("[dispatch]\njobs = \n").unwrap_err();
        assert!(message.starts_with("/specpipe.toml:2: "), "{message}");
    }

    #[test]
    fn a_nearer_layer_wins_key_by_key() {
        let table = |text: &str| text.parse::<Table>().unwrap();
        let mut under = table("a = 1\n[t]\nx = 1\ny = 1");
        merge(&mut under, table("[t]\nx = 2"));
        assert_eq!(under, table("a = 1\n[t]\nx = 2\ny = 1"));
    }
}
