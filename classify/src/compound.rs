//! Takes a compound task apart into parts with their own tiers and executors (seed 000, "decompose compound tasks").
//!
//! `steps` finds where somebody begins to say what else is to be done, `kinds` what is left when a step is done,
//! `coherence` whether they are jobs of their own, and `arrange` makes the parts.

mod arrange;
mod coherence;
mod kinds;
mod steps;

use shared::section::Part;

pub(crate) use arrange::acts;

use crate::lexicon::{About, Act, same};
use crate::reading::Reading;

/// Who says no more than this about a pipeline has not thought about it yet.
const BARE: usize = 3;

/// A text that asks for several jobs.
pub(crate) struct Compound {
    pub(crate) parts: Vec<Part>,
    /// Why it is several, for a person.
    pub(crate) because: &'static str,
}

/// Below this probability a weak reason is not believed.
const UNLIKELY: f64 = 0.01;
/// From this probability on, two steps of different kinds are reason enough.
const LIKELY: f64 = 0.9;

/// Takes a text apart; none if it is one piece of work.
///
/// `opinion` is the probability, 0 to 1, that another judge gives for several jobs, if there is one. The rules stand alone;
/// the opinion takes back what only a weak rule has found, and finds for itself where it is very sure.
pub(crate) fn of(reading: &Reading, opinion: Option<f64>) -> Option<Compound> {
    if let Some((clause, leaf)) = reading.main()
        && leaf.tier == 3
        && clause.act == Some(Act::Setup)
        && clause.about.any(About::CI)
        && reading.length <= BARE
        && reading.tokens.iter().any(|token| same(token.text, "ci/cd") || same(token.text, "ci"))
    {
        let parts = arrange::pipeline(reading.text.trim());
        return Some(Compound { parts, because: "a pipeline is looked at, designed, built and tried" });
    }
    if reading.is_foreign {
        return None;
    }
    if let Some(steps) = coherence::nouns(&reading.tokens) {
        let parts = arrange::parts(reading, &steps);
        return Some(Compound { parts, because: "judges first, then changes" });
    }
    let steps = steps::steps(reading.text, &reading.tokens);
    let because = match coherence::several(&reading.tokens, &steps) {
        Some(reason) if reason.is_strong || opinion.is_none_or(|opinion| opinion >= UNLIKELY) => reason.why,
        Some(_) => return None,
        None if opinion.is_some_and(|opinion| opinion >= LIKELY) && coherence::differ(&steps) => {
            "the examples it is like are several jobs"
        }
        None => return None,
    };
    let parts = arrange::parts(reading, &steps);
    (parts.len() > 1).then_some(Compound { parts, because })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading;

    fn several(text: &str) -> Option<Vec<(String, Vec<usize>)>> {
        let compound = of(&reading::read(text), None)?;
        Some(compound.parts.into_iter().map(|part| (part.executor, part.depends_on)).collect())
    }

    #[test]
    fn jobs_with_results_of_their_own_are_several() {
        for text in [
            "Move the sessions to Redis and document the format in the handbook",
            "fix the off-by-one in the pager and add tests",
            "Speed up the importer; drop the old exporter",
            "Audit the cron jobs and move them to the scheduler",
            "Permission audit and cleanup",
            "Fixed the sort order for #12 and removed the banner for #40",
            "1. Read the issue with gh\n2. Find the cause in src\n3. Fix it\n4. Add a test\n5. Open a PR",
            "(1) look at the crash dump (2) fix the parser (3) push the branch",
            "Port the plug-in to Rust.\n\nCommit your work after every file.",
            "Add a spinner to the upload form. Separately, find out why the footer jumps.",
            "add a legend to the chart, and while you are at it upgrade d3",
            "please fix the broken link and tag 2.0.1",
            "Explain how the cache is filled and then make it survive a restart",
            "rename the flag and tell the support team",
        ] {
            assert!(several(text).is_some(), "{text}");
        }
    }

    #[test]
    fn one_change_is_one() {
        for text in [
            "Add a field `vat_id` to the form and validate it",
            "Find every use of `now()` and replace it by the clock",
            "Add a comment form:\n- name and mail are required\n- show an error if the mail is wrong\n- store it in sqlite\n- document the endpoint",
            "The list jumps.\n\nSteps to reproduce:\n1. Open the app\n2. Scroll down\n3. Delete an entry\n4. Commit the change",
            "Add an export to CSV with tests",
            "Find out why the login is slow and fix it",
            "Run the linter and tell me what it says",
            "update docs/config.md: mention the new default, add an example",
            "Add a migration guide link to the warning",
            "Review how we store and rotate tokens",
            "Explain when to use a mutex and when to use a channel",
            "Upgrade the framework and fix what breaks",
            "If the upload fails, show an error and send a message to the log",
        ] {
            assert!(several(text).is_none(), "{text}: {:?}", several(text));
        }
    }

    #[test]
    fn a_phrase_joins_steps_however_far_its_words_stand_apart() {
        let near = several("translate parser and then update parser");
        assert!(near.is_some());
        assert_eq!(several("translate parser and  then update parser"), near);
        assert_eq!(several("TRANSLATE PARSER AND\n THEN UPDATE PARSER"), near);
    }

    #[test]
    fn a_second_opinion_takes_back_only_what_is_weak_and_finds_only_what_is_likely() {
        let of = |text: &str, opinion| of(&reading::read(text), opinion).is_some();
        let weak = "Speed up the importer; drop the old exporter";
        assert!(of(weak, None) && of(weak, Some(0.5)) && !of(weak, Some(0.0)));
        let strong = "Refactor the importer and update the docs";
        assert!(of(strong, Some(0.0)));
        let unclear = "Run the importer and write a test for it";
        assert!(!of(unclear, None) && !of(unclear, Some(0.5)) && of(unclear, Some(0.95)));
    }

    fn text() -> impl Strategy<Value = String> {
        let words = [
            "fix",
            "the",
            "parser",
            "and",
            "then",
            "also",
            "add",
            "tests",
            "update",
            "docs",
            "open",
            "a",
            "PR",
            "review",
            "find",
            "why",
            "it",
            "fails",
            "run",
            "tag",
            "#12",
            "README.md",
            "1.",
            "first",
            "tell",
            "the team",
            "deploy",
            "design",
            "rename",
            "`x`",
            "separately",
            "after every",
            "commit",
            "don't",
            "translate",
            "audit",
        ];
        let marks = [" ", " ", " ", " ", ", ", ". ", "; ", ": ", "\n", "\n- ", "\n1. ", " (a) "];
        let piece = (proptest::sample::select(words.to_vec()), proptest::sample::select(marks.to_vec()));
        proptest::collection::vec(piece, 1..24)
            .prop_map(|pieces| pieces.into_iter().flat_map(|(word, mark)| [word, mark]).collect::<String>())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn parts_point_backwards_and_say_something(text in text()) {
            if let Some(compound) = of(&reading::read(&text), None) {
                prop_assert!(compound.parts.len() > 1);
                for (at, part) in compound.parts.iter().enumerate() {
                    prop_assert!(part.depends_on.iter().all(|need| *need < at), "{:?}", compound.parts);
                    prop_assert!(part.text.chars().any(char::is_alphanumeric), "{:?}", compound.parts);
                    prop_assert!((1..=3).contains(&part.tier.number()));
                }
            }
        }

        #[test]
        fn case_and_spaces_do_not_matter(text in text()) {
            let expected = several(&text);
            prop_assert_eq!(several(&text.to_ascii_uppercase()), expected.clone());
            prop_assert_eq!(several(&text.replace(' ', "  ")), expected.clone());
            prop_assert_eq!(several(&format!(" {text} ")), expected);
        }

        #[test]
        fn a_surer_opinion_never_takes_a_task_together(text in text(), low in 0.0f64..=1.0, high in 0.0f64..=1.0) {
            let (low, high) = (low.min(high), low.max(high));
            let of = |opinion| of(&reading::read(&text), Some(opinion)).is_some();
            prop_assert!(!of(low) || of(high));
        }
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        for piece in [
            "and fix it ",
            "1. add a ",
            "- tag x\n",
            "then ",
            "also fix a; ",
            "(a) ",
            "please ",
            "first: ",
            "don't forget to ",
        ] {
            let text = piece.repeat((20 << 10) / piece.len());
            let started = std::time::Instant::now();
            let _ = several(&text);
            assert!(started.elapsed().as_secs() < 5, "{piece}");
        }
    }
}
