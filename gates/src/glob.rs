//! Globs over paths of a repository: `*` stays inside a directory, `**` does not, a directory means all in it.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use shared::Problem;

/// Returns the set of the globs.
///
/// # Errors
/// If one of them is none; the message names it.
pub(crate) fn set(globs: &[String]) -> Result<GlobSet, Problem> {
    let mut set = GlobSetBuilder::new();
    let mut add = |text: &str| -> Result<(), globset::Error> {
        set.add(GlobBuilder::new(text).literal_separator(true).build()?);
        Ok(())
    };
    for glob in globs {
        let clean = glob.trim_start_matches("./").trim_end_matches('/');
        let result = match clean {
            "" | "." => add("**"),
            // What names a directory means everything below it.
            _ => add(clean).and_then(|()| add(&format!("{clean}/**"))),
        };
        // Brackets in real names (`app/[id]/page.tsx`) are meant as they are written.
        let result = result.and_then(|()| add(&globset::escape(clean)));
        result.map_err(|error| {
            Problem::new(format!("`{glob}` is no glob")).because(error.kind().to_string())
        })?;
    }
    set.build().map_err(|error| Problem::new("the globs can not be combined").because(error))
}

/// Tells whether the set covers a path that is relative to the repository.
pub(crate) fn covers(set: &GlobSet, path: &str) -> bool {
    set.is_match(Path::new(path.trim_start_matches("./")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_directories_and_literal_brackets() {
        for (glob, path, expected) in [
            ("src/**", "src/a/b.rs", true),
            ("src/*", "src/a/b.rs", true),
            ("src/*.rs", "src/a/b.rs", false),
            ("*.rs", "a.rs", true),
            ("*.rs", "src/a.rs", false),
            ("**/*.rs", "a.rs", true),
            ("src", "src/a/b.rs", true),
            ("src/", "src/a", true),
            ("src", "srcs/a", false),
            ("./README.md", "README.md", true),
            ("app/[id]/page.tsx", "app/[id]/page.tsx", true),
            ("a b/ü.txt", "a b/ü.txt", true),
            (".", "anything/at/all", true),
        ] {
            assert_eq!(covers(&set(&[glob.to_owned()]).unwrap(), path), expected, "{glob} {path}");
        }
        assert!(set(&["a{".to_owned()]).unwrap_err().to_string().contains("`a{` is no glob"));
    }
}
