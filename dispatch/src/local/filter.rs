//! What a file has to be: by kind, name, size or content.

use globset::{GlobBuilder, GlobMatcher};

use super::Ground;
use super::intent::Filter;
use super::kind;
use super::walk::{Entry, line_count};

/// A filter, ready to be asked.
pub(super) enum Test<'a> {
    Globs(Vec<GlobMatcher>),
    Plain(&'a Filter),
}

impl<'a> Test<'a> {
    pub(super) fn new(filter: &'a Filter) -> Result<Self, String> {
        Ok(match filter {
            Filter::Kind(name) => {
                let globs = kind::get(name).map(|kind| kind.globs).unwrap_or_default();
                Test::Globs(globs.iter().map(|glob| matcher(glob)).collect::<Result<_, _>>()?)
            }
            Filter::Glob(glob) if glob.contains('/') => Test::Globs(vec![matcher(glob)?]),
            Filter::Glob(glob) => Test::Globs(vec![matcher(&format!("**/{glob}"))?]),
            other => Test::Plain(other),
        })
    }

    pub(super) fn accepts(&self, ground: &Ground, entry: &Entry) -> bool {
        let filter = match self {
            Test::Globs(globs) => return globs.iter().any(|glob| glob.is_match(&entry.path)),
            Test::Plain(filter) => filter,
        };
        let name = entry.name();
        match filter {
            Filter::Extension(extension) => {
                name.len() > extension.len() + 1
                    && name.to_lowercase().ends_with(&format!(".{}", extension.to_lowercase()))
            }
            Filter::Name(wanted) => is_called(entry, wanted),
            Filter::NameContains(part) => name.to_lowercase().contains(&part.to_lowercase()),
            Filter::NameStarts(part) => name.to_lowercase().starts_with(&part.to_lowercase()),
            Filter::NameEnds(part) => {
                let lower = name.to_lowercase();
                let part = part.to_lowercase();
                lower.ends_with(&part)
                    || lower.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(&part))
            }
            Filter::LargerThan(bytes) => entry.bytes > *bytes,
            Filter::LongerThan(lines) => ground.text(entry).is_some_and(|text| line_count(&text) > *lines),
            Filter::Empty => entry.is_file && entry.bytes == 0,
            Filter::Kind(_) | Filter::Glob(_) => false,
        }
    }
}

/// Returns whether a file bears this name: all of it, without its extension, or with the path before it.
fn is_called(entry: &Entry, wanted: &str) -> bool {
    let wanted = wanted.trim_start_matches("./");
    if wanted.contains('/') {
        let wanted = wanted.trim_end_matches('/');
        return entry.path == wanted || entry.path.ends_with(&format!("/{wanted}"));
    }
    let name = entry.name();
    name.eq_ignore_ascii_case(wanted)
        || name
            .split_once('.')
            .is_some_and(|(stem, _)| !wanted.contains('.') && stem.eq_ignore_ascii_case(wanted))
}

fn matcher(glob: &str) -> Result<GlobMatcher, String> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{glob}` is no pattern for files: {error}"))
}
