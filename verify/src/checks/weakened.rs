//! Were the tests made weaker? A run that passes because its tests are gone or skipped shows nothing.

use std::sync::LazyLock;

use regex::Regex;

use crate::observation::Standing;
use crate::patch::{Fate, FilePatch, PatchLine, Side};

/// The beginning of a test, in the languages of the trade.
static TEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^\s*(?:\#\[(?:\w+::)*test\b | (?:async\s+)?def\s+test_ | func\s+(?:Test|Fuzz|Benchmark)[A-Z_]\w*\( | @(?:Test|ParameterizedTest)\b
        | (?:it|test|specify)(?:\.each\([^)]*\))?\s*\(\s*['\x22`] | (?:it|specify|scenario)\s+['\x22] | @test\s+['\x22] | TEST(?:_F|_P)?\( | \[(?:Fact|Theory|Test)\])",
    )
    .unwrap()
});

/// A mark that leaves a test out.
static SKIPPED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)\#\[ignore\b | @pytest\.mark\.(?:skip|skipif|xfail)\b | \bpytest\.(?:skip|xfail)\( | @(?:unittest\.)?(?:skip|skipIf|skipUnless|expectedFailure)\b
        | \b(?:self\.)?skipTest\( | ^\s*x(?:it|test|describe)\s*\( | \b(?:it|test|describe|context)\.(?:skip|todo|failing)\b | \bt\.Skip(?:f|Now)?\( | @(?:Disabled|Ignore)\b
        | \bGTEST_SKIP\b | \[(?:Fact|Theory)\(Skip",
    )
    .unwrap()
});

/// A line that lets test code end well without having looked.
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)\#!?\[(?:should_panic|cfg|cfg_attr)\b | ^\s*return\s*;?\s*(?:\#.*|//.*)?$ | ^\s*exit\s+0\b | ;\s*exit\s+0\b | \b(?:sys\.|os\._?|process\.|std::process::)exit\(\s*0?\s*\)
        | \|\|\s*(?:true|:)\s*(?:\)|;|$) | ^\s*set\s+\+e\b | \bcatch_unwind\b | ^\s*except\b.*:\s*(?:pass)?\s*$ | ^\s*\#if\s+0\b | \bcollect_ignore | \bpytest_\w+\s*\( | \b(?:it|test|describe)\.only\b",
    )
    .unwrap()
});

/// Files that are nothing but how the tests are run.
static RUNNER_FILE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)(?:^|/)(?:pytest\.ini|tox\.ini|noxfile\.py|conftest\.py|jest\.config\.\w+|vitest\.(?:config|workspace)\.\w+|karma\.conf\.\w+
        |playwright\.config\.\w+|cypress\.config\.\w+|\.mocharc\S*|phpunit\.xml(?:\.dist)?|\.rspec|\.cargo/config(?:\.toml)?|nextest\.toml
        |ctesttestfile\.cmake|specpipe\.toml|run[-_]?tests?\.\w+)$",
    )
    .unwrap()
});

/// Files that say among other things how the tests are run, and the lines in them that do.
static RUNNER_LINES: LazyLock<[(Regex, Regex); 4]> = LazyLock::new(|| {
    [
        // In a file of rules any line may be part of the target that tests.
        (r"(?i)(?:^|/)(?:gnumakefile|makefile|justfile|taskfile\.ya?ml|rakefile|[^/]+\.mk)$", r"\S"),
        (r"(?:^|/)Cargo\.toml$", r"^\s*(?:test|autotests|doctest|harness)\s*=|^\s*\[\[?(?:test|lib)\]"),
        (r"(?:^|/)(?:package|deno|composer)\.jsonc?$", r#"(?i)"[\w:-]*test[\w:-]*"\s*:|jest|mocha|vitest|"ava""#),
        (
            r"(?i)(?:^|/)(?:pyproject\.toml|setup\.cfg|pom\.xml|cmakelists\.txt|\S+\.gradle(?:\.kts)?|\.github/workflows/[^/]+|\.gitlab-ci\.yml)$",
            r"(?i)test|addopts|python_files|norecursedirs|deselect",
        ),
    ]
    .map(|(file, line)| (Regex::new(file).unwrap(), Regex::new(line).unwrap()))
});

/// Tells whether a file is a test, or belongs to one, by its path.
pub(super) fn is_test(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
    let inside = |part: &str| {
        matches!(
            part,
            "test" | "tests" | "spec" | "specs" | "__tests__" | "__snapshots__" | "testdata" | "e2e"
        )
    };
    file.split('/').any(inside)
        || ["test_", "test.", "tests."].iter().any(|start| name.starts_with(start))
        || ["_test.", "_tests.", ".test.", ".spec.", "_spec."].iter().any(|part| name.contains(part))
        || ["test.java", "tests.java", "test.kt", "tests.cs", "test.php"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Tells whether a task asks for a change of the tests, or of the file by name: a verb of change with one of
/// them as its object. "Fix `add` so that the tests pass" asks for neither.
fn asks_for(task: &str, file: Option<&str>) -> bool {
    static OBSOLETE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:obsolete|flaky|dead|duplicate|outdated|wrong|redundant)\s+(?:\w+\s+)?tests?\b|\btests?\b[^.]*\b(?:obsolete|flaky|dead|duplicate|outdated)").unwrap()
    });
    const VERBS: [&str; 36] = [
        "remove",
        "delete",
        "drop",
        "skip",
        "disable",
        "ignore",
        "quarantine",
        "merge",
        "move",
        "consolidate",
        "rewrite",
        "replace",
        "simplify",
        "clean",
        "add",
        "write",
        "update",
        "adapt",
        "adjust",
        "extend",
        "change",
        "correct",
        "improve",
        "create",
        "rename",
        "refactor",
        "port",
        "migrate",
        "cover",
        "increase",
        "edit",
        "modify",
        "split",
        "reorganize",
        "regenerate",
        "convert",
    ];
    // A file that is named may be the one to repair, too.
    const REPAIRS: [&str; 4] = ["fix", "repair", "debug", "implement"];
    const ENDS: [&str; 14] = [
        "so", "that", "until", "because", "when", "if", "while", "pass", "passes", "passing", "without",
        "but", "not", "make",
    ];
    const TESTS: [&str; 8] =
        ["test", "tests", "testing", "spec", "specs", "assertion", "assertions", "coverage"];
    if file.is_none() && OBSOLETE.is_match(task) {
        return true;
    }
    let mark = |c: char| !c.is_alphanumeric() && !"_-./".contains(c);
    let lower = task.to_lowercase();
    let words: Vec<&str> =
        lower.split(mark).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty()).collect();
    let name = file.map(|file| file.rsplit('/').next().unwrap_or(file).to_lowercase());
    let is_object = |word: &str| match &name {
        Some(name) => word.rsplit('/').next() == Some(name),
        None => TESTS.contains(&word),
    };
    let begins = file.is_none()
        && words.iter().take(2).any(|word| matches!(*word, "test" | "tests"))
        && !words.iter().take(1).any(|word| matches!(*word, "make" | "fix"));
    let verb = |word: &str| {
        let base = VERBS.iter().any(|verb| {
            word.strip_prefix(verb.trim_end_matches('e'))
                .is_some_and(|end| matches!(end, "" | "e" | "s" | "es" | "d" | "ed" | "ing"))
        });
        base || (file.is_some() && REPAIRS.contains(&word))
    };
    begins
        || words.iter().enumerate().filter(|(_, word)| verb(word)).any(|(at, _)| {
            words[at + 1..].iter().take(8).take_while(|word| !ENDS.contains(word)).any(|word| is_object(word))
        })
}

/// Returns what the change took from the tests, unless that is what the task asks for.
///
/// New tests are welcome. Lines of test code that went and came back nowhere, a test that can end early now, and
/// a change to how tests are run make a run that passes say less than before, how much less nobody knows.
pub(super) fn tests(task: &str, patch: &[FilePatch]) -> Vec<(Standing, String)> {
    if asks_for(task, None) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let patch: Vec<&FilePatch> = patch.iter().filter(|file| !asks_for(task, Some(&file.path))).collect();
    // Test code that only moved is still there, whatever file it is in now.
    let mut came: Vec<&str> = patch
        .iter()
        .flat_map(|file| test_lines(file, Side::Added))
        .filter(|line| line.side == Side::Added)
        .map(|line| line.text.trim())
        .collect();
    for file in patch {
        let path = file.path.as_str();
        if let Some(line) = more(&SKIPPED, &file.lines.iter().collect::<Vec<_>>()) {
            found.push((Standing::Hard, format!("a test is left out now ({path}:{})", line.number)));
        }
        let mut missing = |detail: String| found.push((Standing::Missing, detail));
        let old: Vec<&PatchLine> =
            test_lines(file, Side::Removed).into_iter().filter(|line| line.side == Side::Removed).collect();
        let gone = old.iter().filter(|line| says_something(&line.text)).find(|line| {
            let kept = came.iter().position(|text| *text == line.text.trim());
            kept.map(|at| came.swap_remove(at)).is_none()
        });
        if is_test(path) && file.fate == Fate::Deleted {
            missing(format!("the test `{path}` was deleted"));
            continue;
        }
        if let Some(line) = gone {
            let said = super::shown(&line.text);
            missing(format!(
                "test code was changed or removed (`{said}` in {path}), and what it covered is not known"
            ));
        }
        let both: Vec<&PatchLine> = test_lines(file, Side::Added).into_iter().chain(old).collect();
        if let Some(line) = more(&ESCAPE, &both) {
            let said = super::shown(&line.text);
            missing(format!("a test may end early now, or not run ({path}:{}: `{said}`)", line.number));
        }
        if let Some(line) = runner_change(file) {
            missing(format!("how tests are run was changed (`{}` in {path})", super::shown(line)));
        }
    }
    found
}

/// Returns what cannot be told about tests where it is only known which files changed.
pub(super) fn unseen(task: &str, files: &[String]) -> Vec<(Standing, String)> {
    let touched = files.iter().find(|file| {
        (is_test(file) || RUNNER_FILE.is_match(file)) && !asks_for(task, None) && !asks_for(task, Some(file))
    });
    let detail =
        |file| format!("`{file}` changed, and whether its tests still show what they did cannot be seen");
    touched.map(|file| (Standing::Missing, detail(file))).into_iter().collect()
}

/// Returns the first added line of the pattern if more of them came than went.
fn more<'a>(pattern: &Regex, lines: &[&'a PatchLine]) -> Option<&'a PatchLine> {
    // That a module is for tests alone is what makes it one.
    let matching = |side| {
        lines
            .iter()
            .filter(move |l| l.side == side && pattern.is_match(&l.text) && l.text.trim() != "#[cfg(test)]")
    };
    (matching(Side::Added).count() > matching(Side::Removed).count())
        .then(|| matching(Side::Added).next().copied())?
}

/// Blank lines, remarks, imports and lone brackets show nothing.
fn says_something(line: &str) -> bool {
    static SILENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*(?:$|//|/\*|\*(?:[\s/]|$)|#(?:$|[^\[!i]|include)|--\s|use\s|import\s|from\s.*\simport\s|package\s|(?:const|let|var)\s.*\brequire\(|[\s{}()\[\];,]*$)").unwrap()
    });
    !SILENT.is_match(line)
}

/// Returns the test code of one version of a file: all of it if the file is a test, else the tests inside it.
fn test_lines(file: &FilePatch, side: Side) -> Vec<&PatchLine> {
    static MODULE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*#\[cfg\((?:test|all\(test\b.*)\)\]\s*$|^\s*(?:pub(?:\([\w:]+\))?\s+)?mod\s+(?:unit_)?tests?\s*\{").unwrap()
    });
    let lines = file.version(side);
    if is_test(&file.path) {
        return lines;
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let python = file.path.ends_with(".py");
    let mut region = Vec::new();
    let mut until: Option<usize> = None;
    for line in lines {
        let text = line.text.as_str();
        match until {
            None if MODULE.is_match(text) || TEST.is_match(text) => until = Some(indent(text)),
            None => continue,
            Some(_) if text.trim().is_empty() => {}
            Some(depth)
                if python && indent(text) <= depth && !text.trim_start().starts_with([')', '#', '@']) =>
            {
                until = (TEST.is_match(text)).then(|| indent(text));
                if until.is_none() {
                    continue;
                }
            }
            // A block ends with its bracket, `mod tests;` and `use` with themselves.
            Some(depth) if !python && indent(text) <= depth => {
                let last = text.trim_start().starts_with(['}', ')'])
                    || (text.trim_end().ends_with(';') && !text.contains('{'))
                    || text.trim() == "end";
                if last {
                    until = None;
                }
            }
            Some(_) => {}
        }
        region.push(line);
    }
    region
}

/// Returns the first line of the change that says how tests are run.
fn runner_change(file: &FilePatch) -> Option<&str> {
    let mut changed =
        file.lines.iter().filter(|line| line.side != Side::Context && says_something(&line.text));
    if RUNNER_FILE.is_match(&file.path) {
        // Fixtures of new tests are fine; what leaves tests out is seen as such.
        let new = file.fate == Fate::Created && file.path.ends_with("conftest.py");
        return if new { None } else { changed.next().map(|line| line.text.as_str()) };
    }
    let (_, pattern) = RUNNER_LINES.iter().find(|(name, _)| name.is_match(&file.path))?;
    changed.find(|line| pattern.is_match(&line.text)).map(|line| line.text.as_str())
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::patch;

    fn found(task: &str, lines: &[&str]) -> Vec<Standing> {
        let (old, new) = (
            lines.iter().filter(|l| l.starts_with('-')).count(),
            lines.iter().filter(|l| l.starts_with('+')).count(),
        );
        let text =
            format!("diff --git a/t b/t\n--- a/t\n+++ b/t\n@@ -1,{old} +1,{new} @@\n{}\n", lines.join("\n"));
        tests(task, &patch::parse(&text)).into_iter().map(|(standing, _)| standing).collect()
    }

    #[test]
    fn tests_that_go_or_are_left_out_are_seen() {
        for skip in [
            "+#[ignore]",
            "+    @pytest.mark.skip(reason='later')",
            "+it.skip('x', () => {",
            "+\tt.Skip(\"later\")",
            "+  xit('x', f);",
        ] {
            assert_eq!(found("fix the parser", &[skip]), [Standing::Hard], "{skip}");
        }
        for gone in [
            "-    #[test]",
            "-def test_parse():",
            "-func TestParse(t *testing.T) {",
            "-  it('parses', () => {",
            "-    @Test",
        ] {
            assert_eq!(found("fix the parser", &[gone]), [Standing::Missing], "{gone}");
        }
    }

    fn in_file(path: &str, task: &str, lines: &[&str]) -> Vec<Standing> {
        let count = |mark| lines.iter().filter(|line| !line.starts_with(mark)).count();
        let text = format!(
            "diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,{} +1,{} @@\n{}\n",
            count('+'),
            count('-'),
            lines.join("\n")
        );
        tests(task, &patch::parse(&text)).into_iter().map(|(standing, _)| standing).collect()
    }

    #[test]
    fn changed_test_code_is_seen_inside_and_outside_test_files() {
        let task = "fix total so that the tests pass";
        let rust = |change: &[&'static str]| {
            let mut lines = vec![
                " pub fn total() {}",
                " #[cfg(test)]",
                " mod tests {",
                "     #[test]",
                "     fn sums() {",
            ];
            lines.extend(change);
            lines.extend(["     }", " }"]);
            in_file("src/total.rs", task, &lines)
        };
        for change in [
            &["-        assert_eq!(total(), 3);", "+        assert_eq!(total(), 4);"][..],
            &["-        assert_eq!(total(), 3);"],
            &["+        return;"],
            &["+        #[cfg(never)]"],
        ] {
            assert_eq!(rust(change), [Standing::Missing], "{change:?}");
        }
        assert_eq!(rust(&["+        assert_eq!(total(), 3);"]), []);
        let gate =
            ["-#[cfg(test)]", "+#[cfg(any())]", " mod tests {", "     #[test]", "     fn sums() {}", " }"];
        assert_eq!(in_file("src/total.rs", task, &gate)[0], Standing::Missing);
        let panics = [" mod tests {", "     #[test]", "+    #[should_panic]", "     fn sums() {}", " }"];
        assert_eq!(in_file("src/total.rs", task, &panics), [Standing::Missing]);
        let python = [
            " def test_sum():",
            "-    assert total() == 3",
            "+    total()",
            " ",
            " def total():",
            "     return 2",
        ];
        assert_eq!(in_file("total.py", task, &python), [Standing::Missing]);
        let beside = [
            " def test_sum():",
            "     assert total() == 3",
            " ",
            " def total():",
            "-    return 2",
            "+    return 3",
        ];
        assert_eq!(in_file("total.py", task, &beside), []);
        for change in
            [&["-[ $f = 0 ]", "+exit 0"][..], &["+exit 0"], &["-check 3", "+check 4"], &["+check 5 || true"]]
        {
            assert!(in_file("tests/all.sh", task, change).contains(&Standing::Missing), "{change:?}");
        }
        assert_eq!(in_file("tests/all.sh", task, &["+check 5", "-# old remark"]), []);
    }

    #[test]
    fn how_tests_are_run_may_not_change_unasked() {
        let task = "fix total so that the tests pass";
        for (path, line) in [
            ("Makefile", "+\ttrue"),
            ("Cargo.toml", "+test = false"),
            ("Cargo.toml", "+harness = false"),
            ("package.json", "+    \"test\": \"true\","),
            ("pytest.ini", "+addopts = --co"),
            ("conftest.py", "+import sys  # x\n+x = 1"),
            ("pyproject.toml", "+addopts = \"--co\""),
            ("tox.ini", "+commands = true"),
            ("specpipe.toml", "+tests = [\"true\"]"),
        ] {
            let lines: Vec<&str> = line.lines().collect();
            assert_eq!(in_file(path, task, &lines), [Standing::Missing], "{path}");
        }
        assert_eq!(in_file("Cargo.toml", task, &["+serde = \"1\""]), []);
        assert_eq!(in_file("package.json", task, &["+    \"left\": \"1\","]), []);
        assert_eq!(in_file("Makefile", "add a target to the Makefile that counts", &["+count:"]), []);
    }

    #[test]
    fn a_task_about_tests_is_told_from_one_that_mentions_them() {
        for about in [
            "add a test for minutes",
            "update src/a.rs and its tests",
            "Unit tests for the parser",
            "correct the flaky test",
        ] {
            assert!(asks_for(about, None), "{about}");
        }
        for other in [
            "fix add so that the tests pass",
            "make the tests pass",
            "fix the failing tests",
            "change add until all tests pass",
        ] {
            assert!(!asks_for(other, None), "{other}");
        }
        assert!(asks_for("fix tests/all.sh", Some("tests/all.sh")));
        assert!(!asks_for("fix add so that tests/all.sh passes", Some("tests/all.sh")));
    }

    #[test]
    fn moved_new_and_unwanted_tests_are_fine() {
        assert_eq!(found("fix the parser", &["-    #[test]", "+#[test]", "+#[test]"]), []);
        assert_eq!(found("remove the obsolete tests", &["-def test_parse():"]), []);
        assert_eq!(found("fix the parser", &["-#[ignore]", "+let ignored = it.skipped;"]), []);
    }
}
