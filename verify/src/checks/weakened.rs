//! Were the tests made weaker? A run that passes because its tests are gone or skipped shows nothing.

use std::sync::LazyLock;

use regex::Regex;

use crate::observation::Standing;
use crate::patch::{FilePatch, Side};

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

/// Returns what the change took from the tests, unless that is what the task asks for.
pub(super) fn tests(task: &str, patch: &[FilePatch]) -> Vec<(Standing, String)> {
    static ASKED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:remove|delete|drop|skip|disable|ignore|quarantine|merge|move|consolidate|rewrite|replace|simplify|clean)\w*\b[^.]*\btests?\b|\btests?\b[^.]*\b(?:obsolete|flaky|dead|duplicate)").unwrap()
    });
    if ASKED.is_match(task) {
        return Vec::new();
    }
    let count = |pattern: &Regex, side| {
        let lines = patch.iter().flat_map(|file| file.side(side));
        lines.filter(|line| pattern.is_match(&line.text)).count()
    };
    let mut found = Vec::new();
    if count(&SKIPPED, Side::Added) > count(&SKIPPED, Side::Removed) {
        let place = patch.iter().find_map(|file| {
            let line = file.side(Side::Added).find(|line| SKIPPED.is_match(&line.text))?;
            Some(format!("{}:{}", file.path, line.number))
        });
        found.push((Standing::Hard, format!("a test is left out now ({})", place.unwrap_or_default())));
    }
    let (gone, new) = (count(&TEST, Side::Removed), count(&TEST, Side::Added));
    if gone > new {
        // It may be right that they go, but then the tests that pass say less than they did.
        found.push((
            Standing::Missing,
            format!("{gone} tests were removed and {new} added; what they covered is not known"),
        ));
    }
    found
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

    #[test]
    fn moved_new_and_unwanted_tests_are_fine() {
        assert_eq!(found("fix the parser", &["-    #[test]", "+#[test]", "+#[test]"]), []);
        assert_eq!(found("remove the obsolete tests", &["-def test_parse():"]), []);
        assert_eq!(found("fix the parser", &["-#[ignore]", "+let ignored = it.skipped;"]), []);
    }
}
