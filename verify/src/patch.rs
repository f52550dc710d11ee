//! What the work changed, line by line: the difference between the attempt's base and its commit.

use std::path::Path;

use shared::git::Repo;

/// So much of a file around a change that what the change stands in can be told: a comment, a test.
const CONTEXT: &str = "--unified=3000";

/// The change to one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FilePatch {
    /// The path after the change, or before it if the file is gone.
    pub(crate) path: String,
    pub(crate) fate: Fate,
    pub(crate) lines: Vec<PatchLine>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    Created,
    #[default]
    Changed,
    Deleted,
}

/// A line of a change; `number` counts in the new file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PatchLine {
    pub(crate) side: Side,
    pub(crate) number: u64,
    pub(crate) text: String,
}

/// Whether a line came, went or stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Added,
    Removed,
    Context,
}

impl FilePatch {
    pub(crate) fn side(&self, side: Side) -> impl Iterator<Item = &PatchLine> {
        self.lines.iter().filter(move |line| line.side == side)
    }

    /// Returns the lines of the file before the change (`Side::Removed`) or after it (`Side::Added`), as far as
    /// the patch shows them.
    pub(crate) fn version(&self, side: Side) -> Vec<&PatchLine> {
        self.lines.iter().filter(|line| line.side == side || line.side == Side::Context).collect()
    }
}

/// Asks git what changed between two commits of a worktree; without a commit, since the base.
///
/// Returns `None` where there is no base, or git cannot say.
pub(crate) fn of_commits(
    worktree: &Path,
    base: Option<&str>,
    commit: Option<&str>,
) -> Option<Vec<FilePatch>> {
    let is_object = |name: &&str| name.len() >= 7 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let mut arguments = vec!["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", CONTEXT];
    arguments.push(base.filter(is_object)?);
    if let Some(commit) = commit {
        arguments.push(Some(commit).filter(is_object)?);
    }
    arguments.push("--");
    let text = Repo::discover(worktree)?.run(arguments).ok()?;
    Some(parse(&text))
}

/// Reads a unified diff as git prints it.
pub(crate) fn parse(text: &str) -> Vec<FilePatch> {
    let mut files: Vec<FilePatch> = Vec::new();
    // The lines that the hunk still has: inside, `--- a` is a removed `-- a`, not a header.
    let (mut old, mut new, mut number) = (0u64, 0u64, 0u64);
    for line in text.lines() {
        if old == 0 && new == 0 {
            if let Some((o, n, start)) = hunk(line) {
                (old, new, number) = (o, n, start);
            } else if let Some(paths) = line.strip_prefix("diff --git ") {
                // A file without lines has no other place that names it.
                let paths = paths.strip_prefix("a/").unwrap_or_default();
                let half = paths.get(..paths.len().saturating_sub(3) / 2).unwrap_or_default();
                let path = if paths.ends_with(&format!(" b/{half}")) { half } else { "" };
                files.push(FilePatch { path: path.to_owned(), ..FilePatch::default() });
            } else if let Some(file) = files.last_mut() {
                if line.starts_with("new file mode ") {
                    file.fate = Fate::Created;
                } else if line.starts_with("deleted file mode ") {
                    file.fate = Fate::Deleted;
                }
                let named = line.strip_prefix("+++ ").or_else(|| line.strip_prefix("--- "));
                if let Some(path) = named.map(unquoted).filter(|path| path != "/dev/null") {
                    file.path = path.get(2..).unwrap_or_default().to_owned();
                }
            }
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        let (side, text) = match line.split_at_checked(1) {
            Some(("+", text)) => (Side::Added, text),
            Some(("-", text)) => (Side::Removed, text),
            Some((" ", text)) => (Side::Context, text),
            _ => continue, // "\ No newline at end of file"
        };
        file.lines.push(PatchLine { side, number, text: text.to_owned() });
        if side != Side::Added {
            old = old.saturating_sub(1);
        }
        if side != Side::Removed {
            new = new.saturating_sub(1);
            number += 1;
        }
    }
    files
}

/// Reads `@@ -1,2 +3,4 @@` as (2, 4, 3).
fn hunk(line: &str) -> Option<(u64, u64, u64)> {
    let (old, new) = line.strip_prefix("@@ -")?.split_once(" @@")?.0.split_once(" +")?;
    let count = |range: &str| range.split_once(',').map_or(Some(1), |(_, n)| n.parse().ok());
    let start = new.split_once(',').map_or(new, |(start, _)| start).parse().ok()?;
    Some((count(old)?, count(new)?, start))
}

/// Takes the quotes and escapes off a path that git quotes.
fn unquoted(path: &str) -> String {
    let path = path.trim_end_matches('\t');
    let Some(inner) = path.strip_prefix('"').and_then(|p| p.strip_suffix('"')) else {
        return path.to_owned();
    };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b't') => bytes.push(b'\t'),
            Some(b'n') => bytes.push(b'\n'),
            Some(digit @ b'0'..=b'3') => {
                let mut octal = || rest.next().map_or(0, |d| d.wrapping_sub(b'0') & 7);
                let (second, third) = (octal(), octal());
                bytes.push((digit - b'0') << 6 | second << 3 | third);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_and_numbers_are_told_apart() {
        let text = "diff --git a/x.rs b/x.rs\nindex 1..2 100644\n--- a/x.rs\n+++ b/x.rs\n@@ -3,3 +3,3 @@ fn f\n a\n--- b\n+++ c\n d\n\
                    diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n";
        let files = parse(text);
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].path, "x.rs");
        let added: Vec<_> = files[0].side(Side::Added).map(|l| (l.number, l.text.as_str())).collect();
        assert_eq!(added, [(4, "++ c")]);
        assert_eq!(files[0].side(Side::Removed).next().unwrap().text, "-- b");
        assert_eq!((files[1].path.as_str(), files[1].fate), ("gone", Fate::Deleted));
        assert_eq!(files[1].side(Side::Removed).count(), 1);
    }

    #[test]
    fn an_empty_new_file_has_a_name_and_a_fate() {
        let files = parse("diff --git a/d/e.md b/d/e.md\nnew file mode 100644\nindex 000..e69\n");
        assert_eq!((files[0].path.as_str(), files[0].fate), ("d/e.md", Fate::Created));
        assert!(files[0].lines.is_empty());
    }

    #[test]
    fn quoted_paths_are_unquoted() {
        assert_eq!(unquoted(r#""b/d\303\251j\303\240 \"x\".rs""#), "b/déjà \"x\".rs");
        assert_eq!(unquoted("b/with space.rs\t"), "b/with space.rs");
    }

    #[test]
    fn options_in_place_of_commits_are_refused() {
        assert_eq!(of_commits(Path::new("."), Some("--output=x"), None), None);
        assert_eq!(of_commits(Path::new("."), None, None), None);
    }
}
