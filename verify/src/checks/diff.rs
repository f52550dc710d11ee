//! Did files change where a change was due, and nowhere else?

use std::sync::LazyLock;

use regex::Regex;

use super::weakened;
use crate::attempt::{Attempt, Kind};
use crate::observation::{Observation, Standing, worst};
use crate::patch::{FilePatch, Side};

const NAME: &str = "diff";

/// Compares what changed with what the executor is for.
pub(crate) fn check(attempt: &Attempt<'_>) -> Observation {
    let changed = attempt.dispatch.files_changed.as_deref();
    let may_not = attempt.task.files_touched.as_ref().is_some_and(Vec::is_empty);
    if may_not && let Some([first, ..]) = changed {
        let detail = format!("the task allows no change, but `{first}` changed");
        return Observation::new(NAME, Standing::Hard, detail);
    }
    if attempt.is_factual() {
        return Observation::new(NAME, Standing::Skipped, "no model was asked");
    }
    match (attempt.kind, changed) {
        (kind, Some([])) if kind.writes() => unchanged(attempt),
        (kind, None) if kind.writes() => {
            Observation::new(NAME, Standing::Open, "a change is due, but which files changed is not known")
        }
        (kind, Some(files)) if kind.writes() => written(attempt, files),
        (kind, Some(files)) if kind.only_reads() => read_only(attempt, files),
        (kind, None) if kind.only_reads() => {
            Observation::new(NAME, Standing::Open, "which files changed is not known")
        }
        (_, Some(files @ [_, ..])) => written(attempt, files),
        _ => Observation::new(NAME, Standing::Skipped, "whether a change is due is not known"),
    }
}

fn unchanged(attempt: &Attempt<'_>) -> Observation {
    let already = ["already", "no change", "nothing to change", "not necessary", "no modification"];
    let text = attempt.answer.text.to_ascii_lowercase();
    if already.iter().any(|phrase| text.contains(phrase)) {
        // It may be right; only the task's own criteria or the gates can tell.
        return Observation::new(
            NAME,
            Standing::Doubt,
            "nothing changed, and the executor says that nothing had to",
        );
    }
    Observation::new(NAME, Standing::Hard, "a change is due, but nothing changed")
}

/// An executor that may only read and changed something went beyond its permission, whatever it says.
fn read_only(attempt: &Attempt<'_>, files: &[String]) -> Observation {
    let breach = files.iter().find(|file| !(attempt.kind == Kind::Validate && is_by_product(file)));
    match breach {
        None => Observation::new(NAME, Standing::Clean, ""),
        Some(file) => {
            let detail = format!("`{}` may only read, but changed `{file}`", attempt.dispatch.executor);
            Observation::new(NAME, Standing::Hard, detail)
        }
    }
}

/// What running a build or a test leaves behind.
fn is_by_product(file: &str) -> bool {
    file.split('/').any(|part| {
        matches!(
            part,
            "target"
                | "dist"
                | "build"
                | "out"
                | "tmp"
                | ".tmp"
                | "coverage"
                | "__pycache__"
                | ".pytest_cache"
                | "node_modules"
        )
    }) || file.ends_with(".log")
        || file.ends_with(".tmp")
}

fn written(attempt: &Attempt<'_>, files: &[String]) -> Observation {
    let mut found = Vec::new();
    if attempt.kind == Kind::Document {
        let logic = attempt.patch().into_iter().flatten().find_map(changed_logic);
        found.extend(logic.map(|detail| (Standing::Hard, detail)));
    }
    found.extend(match attempt.patch() {
        Some(patch) => weakened::tests(&attempt.task.text, patch),
        None => weakened::unseen(&attempt.task.text, files),
    });
    if attempt.kind == Kind::Implement {
        found.extend(beside_the_point(&attempt.task.text, files).map(|detail| (Standing::Missing, detail)));
    }
    let clean = format!("{} {} changed", files.len(), if files.len() == 1 { "file" } else { "files" });
    worst(NAME, found, (Standing::Clean, clean))
}

/// Returns what is odd about an implementation that touches documents or tests alone: no test that passes says
/// anything about it, unless these were asked for.
fn beside_the_point(task: &str, files: &[String]) -> Option<String> {
    static ASKED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:tests?|testing|specs?|coverage|fixtures?|docs?|document\w*|readme|changelog|comments?|typos?|guide|text|license|\w+\.(?:md|txt|rst|adoc))\b").unwrap()
    });
    let name = |file: &str| file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
    let is_document =
        |file: &str| [".md", ".mdx", ".txt", ".rst", ".adoc"].iter().any(|end| name(file).ends_with(end));
    let asked = ASKED.is_match(task) || files.iter().any(|file| task.contains(file.as_str()));
    let beside = !asked && files.iter().all(|file| is_document(file) || weakened::is_test(file));
    beside.then(|| "only documents and tests changed, though neither was asked for".to_owned())
}

/// Returns what a documenter changed besides comments, in languages whose comments begin their lines with a mark.
/// Elsewhere (Python's docstrings) a single line does not tell.
fn changed_logic(file: &FilePatch) -> Option<String> {
    const MARKED: [&str; 17] = [
        "rs", "js", "mjs", "jsx", "ts", "tsx", "go", "java", "kt", "c", "h", "cc", "cpp", "hpp", "cs",
        "swift", "scala",
    ];
    let extension = file.path.rsplit_once('.')?.1;
    if !MARKED.contains(&extension) {
        return None;
    }
    let code = |text: &str| {
        let text = text.trim();
        let comment = text.is_empty()
            || ["//", "/*", "*", "#![doc", "#[doc", "{/*"].iter().any(|mark| text.starts_with(mark));
        // A comment behind code that stays is code all the same; compare what is before it.
        (!comment).then(|| text.split("//").next().unwrap_or_default().trim().to_owned())
    };
    let side = |side| file.side(side).filter_map(|line| code(&line.text)).collect::<Vec<_>>();
    let (mut added, removed) = (side(Side::Added), side(Side::Removed));
    added.retain(|line| !removed.contains(line));
    // The text inside a block comment that has no mark of its own looks like code.
    let in_block = file.lines.iter().any(|line| line.text.contains("/*") && !line.text.contains("*/"));
    let first = added.first().filter(|_| !in_block)?;
    Some(format!(
        "a documenter may change comments only, but `{}` now has `{}`",
        file.path,
        super::shown(first)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch;

    #[test]
    fn comments_are_told_from_logic() {
        let patch = |added: &str| {
            patch::parse(&format!(
                "diff --git a/x.rs b/x.rs\n--- a/x.rs\n+++ b/x.rs\n@@ -1,1 +1,2 @@\n-let a = 1;\n+let a = 1; // one\n+{added}\n"
            ))
        };
        assert_eq!(changed_logic(&patch("/// Says.")[0]), None);
        assert!(changed_logic(&patch("let b = 2;")[0]).is_some());
    }
}
