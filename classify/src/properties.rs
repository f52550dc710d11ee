//! What holds for every text.

use proptest::prelude::*;
use shared::Io;
use shared::section::{Classify, Risk, Task};

use crate::Args;
use crate::ask::{Advice, Answer};
use crate::decide::{self, Router, decide_with};
use crate::executor::Executor;
use clap::Parser;

fn decided(task: &Task) -> Classify {
    decide::decide(Router::default(), task).unwrap().classify
}

fn of(text: &str) -> Classify {
    decided(&Task { text: text.to_owned(), ..Task::default() })
}

/// What a user would notice of a decision.
fn seen(decision: &Classify) -> (u8, String, shared::section::Risk, bool, usize) {
    (decision.tier.number(), decision.executor.clone(), decision.risk, decision.unsure, decision.parts.len())
}

/// Texts that look like tasks: words that mean something here, and some that do not.
fn task() -> impl Strategy<Value = String> {
    let words = [
        "fix",
        "add",
        "run",
        "the",
        "tests",
        "a",
        "race",
        "condition",
        "docs",
        "README.md",
        "and",
        "then",
        "not",
        "do",
        "why",
        "does",
        "how",
        "is",
        "production",
        "delete",
        "database",
        "review",
        "design",
        "architecture",
        "`code`",
        "\"quoted text\"",
        "src/main.rs",
        "for",
        "in",
        "when",
        "fails",
        "update",
        "it",
        "security",
        "typo",
        "quux",
        "Änderung",
        "migrate",
        "React",
        "17",
        "cache",
        "slow",
        "should",
        "we",
        "please",
        "users",
        "without",
        "explain",
        "check",
        "build",
        "lint",
        "commit",
    ];
    let mark = prop_oneof![6 => Just(" "), 1 => Just(", "), 1 => Just(". "), 1 => Just(": "), 1 => Just("\n"), 1 => Just("\n\n- ")];
    proptest::collection::vec((proptest::sample::select(words.to_vec()), mark), 1..14).prop_map(|pieces| {
        pieces.into_iter().flat_map(|(word, mark)| [word, mark]).collect::<String>().trim_end().to_owned()
    })
}

/// Texts of few known words: most of them are in doubt.
fn doubtful() -> impl Strategy<Value = String> {
    let unknown = proptest::collection::vec("[a-z]{4,9}", 2..6).prop_map(|words| words.join(" "));
    (unknown, task(), 0usize..30).prop_map(|(unknown, task, known)| {
        let task: String = task.chars().take(known).collect();
        format!("{unknown} {task}").trim_end().to_owned()
    })
}

/// What somebody who is asked may say.
fn answer() -> impl Strategy<Value = Answer> {
    let executors = ["explore", "validate", "document", "implement", "review", "orchestrate"];
    let risks = [Risk::Low, Risk::Medium, Risk::High];
    let labels =
        (1u8..=3, proptest::sample::select(risks.to_vec()), proptest::sample::select(executors.to_vec()));
    (labels, any::<bool>(), any::<bool>()).prop_map(|((tier, risk, executor), clear, compound)| Answer {
        tier: tier.try_into().unwrap(),
        risk,
        clear,
        compound,
        executor: executor.to_owned(),
        because: "so it is".to_owned(),
    })
}

fn advised(text: &str, answer: &Answer) -> Classify {
    let task = Task { text: text.to_owned(), ..Task::default() };
    decide_with(Router::default(), &task, Some(&Advice { by: "m".to_owned(), answer: answer.clone() }))
        .unwrap()
        .classify
}

fn run(input: &str, args: &[&str]) -> String {
    let args = Args::parse_from(["classify", "--config", "/dev/null"].iter().chain(args));
    let (io, memory) = Io::in_memory(input.as_bytes());
    crate::run(args, io);
    memory.output()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn case_does_not_matter(text in task()) {
        let expected = seen(&of(&text));
        prop_assert_eq!(seen(&of(&text.to_ascii_uppercase())), expected.clone());
        prop_assert_eq!(seen(&of(&text.to_ascii_lowercase())), expected);
    }

    #[test]
    fn white_space_around_does_not_matter(text in task(), before in "[ \t\n]{0,3}", after in "[ \t\n]{0,3}") {
        prop_assert_eq!(seen(&of(&format!("{before}{text}{after}"))), seen(&of(&text)));
    }

    #[test]
    fn punctuation_at_the_end_does_not_matter(text in task(), mark in "[.!?…]{1,3}") {
        let text = text.trim_end_matches(['.', ',', ':', '-', '\n', ' ']);
        prop_assume!(!text.is_empty());
        prop_assert_eq!(seen(&of(&format!("{text}{mark}"))), seen(&of(text)));
    }

    #[test]
    fn scores_add_up_and_confidence_is_one_of_them(text in task()) {
        let got = of(&text);
        let scores = [got.scores.one, got.scores.two, got.scores.three];
        prop_assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{:?}", got);
        prop_assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{:?}", got);
        prop_assert_eq!(got.confidence, scores[usize::from(got.tier.number()) - 1]);
        prop_assert!(!got.reasons.is_empty());
    }

    #[test]
    fn any_text_is_decided(text in any::<String>()) {
        prop_assume!(!text.trim().is_empty());
        let got = of(&text);
        prop_assert!((1..=3).contains(&got.tier.number()));
    }

    #[test]
    fn a_floor_never_lowers_and_a_ceiling_never_raises(text in task(), min in 1u8..=3, max in 1u8..=3) {
        let free = of(&text).tier;
        let tier = |min: Option<u8>, max: Option<u8>| {
            let tier = |number: Option<u8>| number.map(|number| number.try_into().unwrap());
            let task = Task { text: text.clone(), min_tier: tier(min), max_tier: tier(max), ..Task::default() };
            decided(&task).tier.number()
        };
        let bounded = |min: Option<u8>, max: Option<u8>| {
            let tier = |number: Option<u8>| number.map(|number| number.try_into().unwrap());
            let task = Task { text: text.clone(), min_tier: tier(min), max_tier: tier(max), ..Task::default() };
            decided(&task).parts
        };
        prop_assert!(bounded(Some(min), None).iter().all(|part| part.tier.number() >= min));
        prop_assert!(bounded(None, Some(max)).iter().all(|part| part.tier.number() <= max));
        prop_assert_eq!(tier(Some(min), None), free.number().max(min));
        prop_assert_eq!(tier(None, Some(max)), free.number().min(max));
    }

    #[test]
    fn advice_counts_only_in_place_of_doubt(text in prop_oneof![task(), doubtful()], answer in answer()) {
        let alone = of(&text);
        let advised = advised(&text, &answer);
        prop_assert!(!advised.unsure);
        if !alone.unsure {
            prop_assert_eq!(advised, alone);
        }
    }

    #[test]
    fn advice_is_never_laxer_than_what_was_decided_before_the_doubt(text in doubtful(), answer in answer()) {
        let alone = of(&text);
        if !alone.unsure {
            return Ok(());
        }
        let advised = advised(&text, &answer);
        prop_assert!(advised.tier >= answer.tier, "{:?}", advised);
        // Doubt lifts by one tier at the most, and only that can be undone.
        prop_assert!(advised.tier.number() + 1 >= alone.tier.number(), "{:?} {:?}", alone, advised);
        prop_assert!(advised.risk >= alone.risk && advised.risk >= answer.risk);
        // Nobody becomes one who only reads, and so is spared by a high risk, because an answer says so.
        let reads = |decision: &Classify| Executor::named(&decision.executor).is_some_and(Executor::only_reads);
        if advised.risk == Risk::High && !reads(&alone) && alone.executor != "validate" {
            prop_assert!(advised.tier.number() >= 2, "{:?}", advised);
        }
        prop_assert_eq!(advised.parts.len(), alone.parts.len());
        for (part, before) in advised.parts.iter().zip(&alone.parts) {
            prop_assert!(part.tier.number() + 1 >= before.tier.number());
            prop_assert_eq!(&part.executor, &before.executor);
        }
        let scores = [advised.scores.one, advised.scores.two, advised.scores.three];
        prop_assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{:?}", advised);
    }

    #[test]
    fn graver_advice_never_gives_a_lower_tier(text in doubtful(), answer in answer(), tier in 1u8..=3, high in any::<bool>()) {
        let risk = if high { Risk::High } else { answer.risk };
        let graver = Answer { tier: answer.tier.max(tier.try_into().unwrap()), risk, ..answer.clone() };
        let (less, more) = (advised(&text, &answer), advised(&text, &graver));
        prop_assert!(more.tier >= less.tier && more.risk >= less.risk, "{:?} {:?}", less, more);
    }

    #[test]
    fn a_second_run_changes_nothing_and_nothing_is_lost(texts in proptest::collection::vec(task(), 0..6)) {
        let input: String = texts
            .iter()
            .enumerate()
            .map(|(at, text)| format!("{{\"x\":1.10, \"id\":\"{at}\",\"task\":{}, \"y\":[1e999]}}\n", serde_json::json!(text)))
            .collect();
        let once = run(&input, &[]);
        prop_assert_eq!(once.lines().count(), texts.len());
        for (before, after) in input.lines().zip(once.lines()) {
            // All but the own member, which is the last, is as it came.
            prop_assert_eq!(after.split(",\"classify\":").next(), before.strip_suffix('}'));
        }
        prop_assert_eq!(run(&once, &[]), once.clone());
        prop_assert_eq!(run(&once, &["--force"]), once);
    }
}

#[test]
fn a_text_of_a_megabyte_takes_no_longer_than_the_part_that_is_read() {
    for piece in [
        "run the tests ",
        "\"",
        "`",
        "“",
        "a",
        "fix it and then ",
        "```\n",
        "/",
        "- x\n",
        "é",
        "'",
        "((",
        "and ",
    ] {
        let text = piece.repeat((1 << 20) / piece.len());
        let got = of(&format!("design {text}"));
        assert!(got.reasons.iter().any(|reason| reason.contains("the first 16 KiB")), "{piece}: {got:?}");
    }
}
