//! The user's own rules, from `[[classify.rules]]` in specpipe.toml: they come before everything that is built in.

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, de};
use shared::section::{Risk, Task, Tier};

use crate::lexicon::same;
use crate::words;

/// A rule: when it holds, and what it says then.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: Option<String>,
    pattern: Option<Regex>,
    words: Vec<Vec<String>>,
    files: Option<GlobMatcher>,
    pub(crate) tier: Option<Tier>,
    pub(crate) executor: Option<String>,
    pub(crate) risk: Option<Risk>,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    pattern: Option<String>,
    #[serde(default)]
    words: Vec<String>,
    files: Option<String>,
    tier: Option<Tier>,
    executor: Option<String>,
    risk: Option<Risk>,
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
        Rule::try_from(Written::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl TryFrom<Written> for Rule {
    type Error = String;

    fn try_from(written: Written) -> Result<Rule, String> {
        let Written { name, pattern, words, files, tier, executor, risk } = written;
        let this = match &name {
            Some(name) => format!("rule \"{name}\""),
            None => "rule without a name".to_owned(),
        };
        if pattern.is_none() && words.is_empty() && files.is_none() {
            return Err(format!(
                "{this}: it needs one of pattern, words and files, or it would hold for every task"
            ));
        }
        if tier.is_none() && executor.is_none() && risk.is_none() {
            return Err(format!(
                "{this}: it needs one of tier, executor and risk, or it would change nothing"
            ));
        }
        if tier == Some(Tier::LOCAL) {
            return Err(format!("{this}: tier 0 is for dispatch to choose; a rule says 1, 2 or 3"));
        }
        let compile = |pattern: String| {
            let compiled = RegexBuilder::new(&pattern).case_insensitive(true).build();
            compiled.map_err(|error| {
                format!("{this}: bad pattern \"{pattern}\": {}", last_line(&error.to_string()))
            })
        };
        let glob = |glob: String| {
            let built = GlobBuilder::new(&glob).literal_separator(true).build();
            built
                .map(|glob| glob.compile_matcher())
                .map_err(|error| format!("{this}: bad glob \"{glob}\": {}", error.kind()))
        };
        let pattern = pattern.map(compile).transpose()?;
        let files = files.map(glob).transpose()?;
        let words: Vec<Vec<String>> =
            words.iter().map(|words| words.split_whitespace().map(str::to_owned).collect()).collect();
        if words.iter().any(Vec::is_empty) {
            return Err(format!("{this}: an empty string in words"));
        }
        Ok(Rule { name, pattern, words, files, tier, executor, risk })
    }
}

/// A regular expression error draws a picture; its last line says what is wrong.
fn last_line(message: &str) -> &str {
    let line = message.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

impl Rule {
    /// Tells whether the rule holds for a task: the text fits, and so do the files, as far as it asks for them.
    pub(crate) fn holds(&self, task: &Task, text: &str) -> bool {
        let by_pattern = self.pattern.as_ref().map(|pattern| pattern.is_match(text));
        let by_words = (!self.words.is_empty()).then(|| self.words.iter().any(|phrase| says(text, phrase)));
        let by_text = match (by_pattern, by_words) {
            (None, None) => true,
            (by_pattern, by_words) => by_pattern == Some(true) || by_words == Some(true),
        };
        let touches = |files: &GlobMatcher| {
            task.files_touched
                .iter()
                .flatten()
                .any(|path| path == files.glob().glob() || files.is_match(path))
        };
        by_text && self.files.as_ref().is_none_or(touches)
    }
}

/// Tells whether the words stand in the text one after the other, as whole words in any case.
fn says(text: &str, phrase: &[String]) -> bool {
    let mut found = words::plain(text);
    let all: Vec<&str> = found.by_ref().collect();
    all.windows(phrase.len()).any(|window| window.iter().zip(phrase).all(|(word, known)| same(word, known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Vec<Rule>, String> {
        #[derive(Deserialize)]
        struct File {
            rules: Vec<Rule>,
        }
        // JSON has all that a rule is made of.
        serde_json::from_str::<File>(text).map(|file| file.rules).map_err(|error| error.to_string())
    }

    fn holds(rule: &str, text: &str, files: &[&str]) -> bool {
        let rules = rules(&format!(r#"{{"rules":[{rule}]}}"#)).unwrap();
        let files_touched =
            (!files.is_empty()).then(|| files.iter().map(|file| (*file).to_owned()).collect());
        let task = Task { text: text.to_owned(), files_touched, ..Task::default() };
        rules[0].holds(&task, text)
    }

    #[test]
    fn words_are_whole_words_in_any_case_and_sequences_stay_together() {
        let rule = r#"{"words":["hot fix","api"],"tier":3}"#;
        for (text, expected) in [
            ("a Hot Fix for the parser", true),
            ("a hot, fix", true),
            ("hot water, fix it", false),
            ("the API.", true),
            ("the capital", false),
            ("", false),
        ] {
            assert_eq!(holds(rule, text, &[]), expected, "{text}");
        }
    }

    #[test]
    fn a_pattern_matches_anywhere_and_files_have_to_fit_as_well() {
        let rule = r#"{"pattern":"^release\\b","files":"deploy/**/*.tf","tier":3}"#;
        assert!(holds(rule, "Release it", &["src/a.rs", "deploy/eu/main.tf"]));
        assert!(!holds(rule, "Release it", &["src/a.rs"]));
        assert!(!holds(rule, "Release it", &[]));
        assert!(!holds(rule, "the release", &["deploy/main.tf"]));
    }

    #[test]
    fn a_rule_that_cannot_work_says_which_and_why() {
        for (rule, message) in [
            (r#"{"name":"a","pattern":"(","tier":1}"#, "rule \"a\": bad pattern \"(\": unclosed group"),
            (r#"{"name":"a","files":"[","tier":1}"#, "rule \"a\": bad glob \"[\": unclosed character class"),
            (r#"{"name":"a","tier":1}"#, "it would hold for every task"),
            (r#"{"name":"a","words":["x"]}"#, "it would change nothing"),
            (r#"{"words":[" "],"tier":1}"#, "rule without a name: an empty string in words"),
            (r#"{"words":["x"],"tier":0}"#, "a rule says 1, 2 or 3"),
            (r#"{"words":["x"],"tier":4}"#, "from 0 to 3, not 4"),
            (r#"{"word":["x"],"tier":1}"#, "unknown field `word`"),
        ] {
            let error = rules(&format!(r#"{{"rules":[{rule}]}}"#)).unwrap_err();
            assert!(error.contains(message), "{rule}: {error}");
        }
    }
}
