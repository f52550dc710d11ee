//! Who words the same task a little differently gets the same tier: `rewordings.tsv` holds one group of wordings a line.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The greatest share of wordings, in percent, that may have another tier than most of their group; 2.6 were measured.
const MOST_FLIPS: f64 = 4.0;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Decision {
    tier: u64,
    executor: String,
    risk: String,
}

fn groups() -> Vec<Vec<&'static str>> {
    include_str!("rewordings.tsv").lines().map(|line| line.split('\t').collect()).collect()
}

/// Classifies all texts in one process, in a directory where nothing is configured.
fn classify(texts: &[String]) -> Vec<Decision> {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_classify"))
        .current_dir(directory.path())
        .env("XDG_CONFIG_HOME", directory.path())
        .env_remove("SPECPIPE_CONFIG")
        .env_remove("SPECPIPE_CLASSIFY_WEIGHTS")
        .env_remove("SPECPIPE_CLASSIFY_MODE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: String = texts.iter().map(|text| format!("{}\n", json!({ "task": text }))).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let decisions: Vec<Decision> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let section = &serde_json::from_str::<Value>(line).unwrap()["classify"];
            Decision {
                tier: section["tier"].as_u64().unwrap(),
                executor: section["executor"].as_str().unwrap().to_owned(),
                risk: section["risk"].as_str().unwrap().to_owned(),
            }
        })
        .collect();
    assert_eq!(decisions.len(), texts.len());
    decisions
}

/// The words of a text and nothing else.
fn bare(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The texts that the built-in model was trained on.
fn learned() -> HashSet<String> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let files = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path());
    let texts: HashSet<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .flat_map(|path| {
            let lines = std::fs::read_to_string(path).unwrap();
            let task = |line| serde_json::from_str::<Value>(line).unwrap()["task"].clone();
            lines.lines().map(|line| bare(task(line).as_str().unwrap())).collect::<Vec<_>>()
        })
        .collect();
    assert!(!texts.is_empty());
    texts
}

/// The same text as somebody types it who is in a hurry, shouts, or copies it from elsewhere.
fn retyped(text: &str) -> Vec<String> {
    let bare = text.trim_end_matches(['.', '!', '?', ' ']);
    let mut capital = text.to_owned();
    capital[..1].make_ascii_uppercase();
    let mut all = vec![
        text.to_ascii_lowercase(),
        text.to_ascii_uppercase(),
        capital,
        format!(" {text}"),
        format!("\t{text}  "),
        format!("\n\n{text}\r\n"),
        text.replace(' ', "  "),
        bare.to_owned(),
    ];
    all.extend([".", "!", "?", "!!", "...", "…"].map(|mark| format!("{bare}{mark}")));
    all
}

#[test]
fn the_groups_are_what_they_are_said_to_be() {
    let groups = groups();
    assert!(groups.len() >= 70, "{}", groups.len());
    let mut seen = HashSet::new();
    let learned = learned();
    for group in &groups {
        assert!((3..=5).contains(&group.len()), "{group:?}");
        for wording in group {
            assert!(!wording.is_empty() && wording.trim() == *wording, "{wording:?}");
            assert!(seen.insert(*wording), "twice: {wording}");
            assert!(!learned.contains(&bare(wording)), "the model was trained on it: {wording}");
        }
    }
}

#[test]
fn case_white_space_and_punctuation_at_the_end_change_nothing() {
    let wordings: Vec<String> = groups().concat().into_iter().map(str::to_owned).collect();
    let expected = classify(&wordings);
    let variants: Vec<(usize, String)> = wordings
        .iter()
        .enumerate()
        .flat_map(|(at, text)| retyped(text).into_iter().map(move |variant| (at, variant)))
        .collect();
    let texts: Vec<String> = variants.iter().map(|(_, text)| text.clone()).collect();
    let wrong: Vec<String> = variants
        .iter()
        .zip(classify(&texts))
        .filter(|((at, _), got)| expected[*at] != *got)
        .map(|((at, variant), got)| {
            format!("{:?} is {:?}\n{variant:?} is {got:?}", wordings[*at], expected[*at])
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), variants.len(), wrong.join("\n\n"));
}

#[test]
fn rewordings_keep_their_tier() {
    let groups = groups();
    let texts: Vec<String> = groups.concat().into_iter().map(str::to_owned).collect();
    let mut decisions = classify(&texts).into_iter();
    let (mut flips, mut leaps) = (Vec::new(), Vec::new());
    let mut tiers_of_groups: BTreeMap<u64, usize> = BTreeMap::new();
    for group in &groups {
        let tiers: Vec<u64> = decisions.by_ref().take(group.len()).map(|decision| decision.tier).collect();
        // Of two that are as frequent, it does not matter which: so many differ from it either way.
        let count = |tier: u64| tiers.iter().filter(|other| **other == tier).count();
        let most = (1..=3).max_by_key(|tier| count(*tier)).unwrap();
        *tiers_of_groups.entry(most).or_default() += 1;
        for (wording, tier) in group.iter().zip(&tiers) {
            if *tier != most {
                flips.push(format!("tier {tier}, most of its group {most}: {wording}"));
            }
        }
        if tiers.contains(&1) && tiers.contains(&3) {
            leaps.push(format!("{tiers:?}: {group:?}"));
        }
    }
    assert!(leaps.is_empty(), "on tier 1 and on tier 3:\n{}", leaps.join("\n"));
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let share = 100.0 * flips.len() as f64 / texts.len() as f64;
    assert!(
        share <= MOST_FLIPS,
        "{} of {} wordings ({share:.1} %) flip:\n{}",
        flips.len(),
        texts.len(),
        flips.join("\n")
    );
    assert!((1..=3).all(|tier| tiers_of_groups.get(&tier) > Some(&9)), "{tiers_of_groups:?}");
}
