//! Does the text say what is to be done? The first stage, and half of the confidence (seed 003, facts §4.1).
//!
//! It begins at 0.5. A specific verb adds 0.2, a technical specific 0.15, a concrete target 0.15; a vague word takes
//! 0.2, and fewer than five words 0.15. The source looked for these as substrings; here words count ("prefix" is no
//! "fix", "capital" no "api"), and a full stop is no target.
//!
//! A trained judgement of the text may stand beside the formula: see [`with_head`].

use super::named::{Named, What};
use crate::lexicon;
use crate::words::{Kind, Token};

/// From this probability on that a text is clear, the judgement counts.
pub(crate) const CLEAR_FROM: f64 = 0.70;
/// Down to this probability that a text is clear, it counts as vague.
pub(crate) const VAGUE_TO: f64 = 0.60;
/// A text that is judged clear is at least this clear: with nothing against it, it proceeds.
const CLEAR: f64 = 0.70;
/// A text that is judged vague is at most this clear: without full context, somebody is asked.
const VAGUE: f64 = 0.65;
/// A text of fewer words leaves too much open.
const FEW: usize = 5;

/// How clear a text is, and what says so.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Clarity {
    pub(crate) score: f64,
    /// The verb that says what is to be done.
    pub(crate) verb: Option<String>,
    /// The word for a thing of the trade.
    pub(crate) specific: Option<String>,
    /// The first thing that is named.
    pub(crate) target: Option<String>,
    /// The word that says less than it seems to.
    pub(crate) vague: Option<String>,
    /// Fewer than five words.
    pub(crate) is_brief: bool,
    /// What the trained judgement said, if it counted.
    pub(crate) judged: Option<bool>,
}

const VERBS: [&str; 7] = ["create", "fix", "add", "update", "delete", "refactor", "implement"];
const SPECIFICS: [&str; 10] =
    ["function", "functions", "class", "classes", "file", "files", "api", "apis", "endpoint", "endpoints"];
const VAGUE_WORDS: [&str; 5] = ["improve", "optimize", "optimise", "enhance", "better"];
const VAGUE_NOUNS: [&str; 6] =
    ["something", "improvement", "improvements", "enhancement", "optimization", "optimisation"];

/// Measures a text. `clear` is the probability that it is clear, where something trained has judged it.
pub(crate) fn of(text: &str, tokens: &[Token], named: &[Named], clear: Option<f64>) -> Clarity {
    let spoken = || tokens.iter().filter(|token| token.kind == Kind::Word);
    let find = |holds: &dyn Fn(&str) -> bool| {
        spoken()
            .flat_map(|token| token.text.split(['/', '-', ' ']))
            .find(|word| holds(word))
            .map(str::to_owned)
    };
    let is_any = |list: &[&str], word: &str| list.iter().any(|known| lexicon::same(word, known));
    let verb = find(&|word| VERBS.iter().any(|verb| is_form(word, verb)));
    let specific = find(&|word| is_any(&SPECIFICS, word));
    let vague =
        find(&|word| VAGUE_WORDS.iter().any(|verb| is_form(word, verb)) || is_any(&VAGUE_NOUNS, word));
    let target = named.iter().find(|named| named.is_target() && named.what != What::Camel);
    let is_brief = words_of(text) < FEW;
    let mut score: f64 = 0.5;
    score += if verb.is_some() { 0.2 } else { 0.0 };
    score += if specific.is_some() { 0.15 } else { 0.0 };
    score += if target.is_some() { 0.15 } else { 0.0 };
    score -= if vague.is_some() { 0.2 } else { 0.0 };
    score -= if is_brief { 0.15 } else { 0.0 };
    let formula = super::rounded(score.clamp(0.0, 1.0));
    let score = with_head(formula, clear);
    let judged = clear.and_then(|clear| match clear {
        clear if clear >= CLEAR_FROM => Some(true),
        clear if clear <= VAGUE_TO => Some(false),
        _ => None,
    });
    Clarity {
        score,
        verb,
        specific,
        target: target.map(|named| named.text.to_owned()),
        vague,
        is_brief,
        judged,
    }
}

/// Lets a trained judgement into the formula's clarity, as far as it is sure: a clear text is at least 0.70 clear, a
/// vague one at most 0.65. In between, and without a judgement, the formula stands.
pub(crate) fn with_head(formula: f64, clear: Option<f64>) -> f64 {
    match clear {
        Some(clear) if clear >= CLEAR_FROM => formula.max(CLEAR),
        Some(clear) if clear <= VAGUE_TO => formula.min(VAGUE),
        _ => formula,
    }
}

/// Tells whether a word is a form of a verb: "fixes", "adding", "updated".
fn is_form(word: &str, verb: &str) -> bool {
    let stem = verb.strip_suffix('e').unwrap_or(verb);
    let Some(rest) = word.get(stem.len()..).filter(|_| word[..stem.len()].eq_ignore_ascii_case(stem)) else {
        return false;
    };
    let ends = |list: &[&str]| list.iter().any(|end| rest.eq_ignore_ascii_case(end));
    if stem.len() < verb.len() {
        ends(&["e", "es", "ed", "ing"])
    } else {
        ends(&["", "s", "es", "ed", "ing"])
    }
}

/// Returns how many words a text has. Where words are not parted by spaces, two characters are one.
fn words_of(text: &str) -> usize {
    let is_dense =
        |c: &char| matches!(*c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{0e00}'..='\u{0e7f}');
    text.split_whitespace().map(|word| (word.chars().filter(is_dense).count() / 2).max(1)).take(FEW).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reflection::named;
    use crate::words;

    fn clarity(text: &str) -> f64 {
        let tokens = words::tokens(text);
        of(text, &tokens, &named::in_text(text, &tokens), None).score
    }

    #[test]
    fn the_source_s_examples_come_out_as_its_formula_says() {
        for (text, expected) in [
            ("Create user validation system with email verification", 0.70),
            ("Update database schema", 0.55),
            ("Validate user input forms", 0.35),
            ("fix it", 0.55),
            ("Process 10 files in parallel for validation and security checks", 0.65),
            ("Do something", 0.15),
            ("Fix typo in README.md line 42", 0.85),
            ("delete everything now please ok", 0.70),
        ] {
            assert_eq!(clarity(text), expected, "{text}");
        }
    }

    #[test]
    fn letters_are_no_words_and_a_full_stop_is_no_target() {
        assert_eq!(clarity("Make everything nicer, prefix the capital address profile."), 0.5);
        assert_eq!(clarity("We looked at the suffix of the classic mobile."), 0.5);
        assert_eq!(clarity("Is this really all there is to it?"), 0.5);
    }

    #[test]
    fn forms_of_the_words_count_and_quoted_ones_do_not() {
        assert_eq!(clarity("Adds a spinner while the page loads"), 0.7);
        assert_eq!(clarity("updating the colours of the page footer"), 0.7);
        assert_eq!(clarity("the button says \"delete\" where it should not"), 0.5);
        assert_eq!(clarity("Optimizing the things that we have there"), 0.3);
        assert_eq!(clarity("给登录页面增加一个记住我的复选框"), 0.5);
    }

    #[test]
    fn a_judgement_counts_where_it_is_sure_and_never_the_wrong_way() {
        assert_eq!(with_head(0.35, Some(0.99)), 0.70);
        assert_eq!(with_head(0.85, Some(0.99)), 0.85);
        assert_eq!(with_head(0.70, Some(0.01)), 0.65);
        assert_eq!(with_head(0.15, Some(0.01)), 0.15);
        assert_eq!((with_head(0.65, Some(0.65)), with_head(0.65, None)), (0.65, 0.65));
        assert_eq!(with_head(0.65, Some(f64::NAN)), 0.65);
    }

    proptest! {
        #[test]
        fn a_clearer_judgement_never_makes_it_vaguer(formula in 0.0..=1.0, low in 0.0..=1.0, high in 0.0..=1.0) {
            let (low, high) = if low <= high { (low, high) } else { (high, low) };
            prop_assert!(with_head(formula, Some(low)) <= with_head(formula, Some(high)));
        }

        #[test]
        fn any_text_has_a_clarity(text in any::<String>()) {
            prop_assert!((0.0..=1.0).contains(&clarity(&text)));
        }
    }
}
