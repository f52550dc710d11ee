//! Did files change where a change was due, and nowhere else?

use std::sync::LazyLock;

use regex::Regex;

use super::weakened;
use crate::attempt::{Attempt, Kind};
use crate::observation::{Observation, Standing, worst};
use crate::patch::{Fate, FilePatch, Side};

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
    if matches!(attempt.kind, Kind::Implement | Kind::Developer) {
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

/// Returns what a documenter changed besides comments, in the languages whose comments are known.
fn changed_logic(file: &FilePatch) -> Option<String> {
    let text = |side| {
        let lines = file.version(side);
        lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect::<String>()
    };
    let (old, new) = (text(Side::Removed), text(Side::Added));
    let emptied = file.fate == Fate::Created || !file.lines.is_empty();
    if file.fate != Fate::Deleted && emptied && new.trim().is_empty() && !file.path.ends_with("__init__.py") {
        return Some(format!("`{}` is empty, which documents nothing", file.path));
    }
    let (old, new) = (super::comments::code(&file.path, &old)?, super::comments::code(&file.path, &new)?);
    let differs = (0..old.len().max(new.len())).find(|at| old.get(*at) != new.get(*at))?;
    let detail = match new.get(differs) {
        Some(line) => format!("now has `{}`", super::shown(line)),
        None => format!("no longer has `{}`", super::shown(&old[differs])),
    };
    Some(format!("a documenter may change comments only, but `{}` {detail}", file.path))
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
        let empty = patch::parse("diff --git a/R.md b/R.md\nnew file mode 100644\nindex 000..e69\n");
        assert!(changed_logic(&empty[0]).is_some());
    }
}
