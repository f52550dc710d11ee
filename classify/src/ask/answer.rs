//! Reads what a model has answered: strictly, because a guess about an answer would be no answer.
//!
//! Prose and code fences around the objects are passed over. An object counts if it bears the id of a task of this
//! question and says all that was asked in the words that were given; of two about the same task none counts.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::section::{Risk, Tier};

use crate::executor::Executor;

/// So much of a reason is kept.
const REASON: usize = 200;

/// What is longer is no answer about one task. Without a limit, braces that do not end would take a time that grows with the
/// square of their number.
const LONGEST: usize = 4 << 10;

/// What a model says about a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) tier: Tier,
    pub(crate) risk: Risk,
    pub(crate) clear: bool,
    pub(crate) compound: bool,
    pub(crate) executor: String,
    pub(crate) because: String,
}

/// An answer, and the name of who gave it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Advice {
    pub(crate) by: String,
    pub(crate) answer: Answer,
}

impl Answer {
    /// Returns it if it can be one, with its reason in a form that can be shown.
    pub(super) fn checked(mut self) -> Option<Answer> {
        let is_tier = (1..=3).contains(&self.tier.number());
        Executor::named(&self.executor).filter(|_| is_tier)?;
        // One line, without control characters and marks that would turn the direction of writing.
        let words: Vec<&str> = self
            .because
            .split(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
            .filter(|word| !word.is_empty())
            .collect();
        let reason = words.join(" ");
        let end = reason.char_indices().nth(REASON).map_or(reason.len(), |(end, _)| end);
        self.because = reason[..end].trim_end_matches('.').to_owned();
        (!self.because.is_empty()).then_some(self)
    }
}

/// Returns the answer to each task of a question, in their order.
pub(super) fn read(output: &str, ids: &[String]) -> Vec<Option<Answer>> {
    let mut answers: Vec<Option<Answer>> = vec![None; ids.len()];
    let mut told = vec![0u32; ids.len()];
    let mut rest = output;
    while let Some(begin) = rest.find('{') {
        rest = &rest[begin..];
        let mut end = LONGEST.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let window = &rest[..end];
        let mut objects = serde_json::Deserializer::from_str(window).into_iter::<&RawValue>();
        let Some(Ok(object)) = objects.next() else {
            // No object begins here; perhaps one does further on.
            rest = &rest[1..];
            continue;
        };
        rest = &rest[objects.byte_offset()..];
        let Some(at) = id_of(object.get()).and_then(|id| ids.iter().position(|known| *known == id)) else {
            continue;
        };
        told[at] += 1;
        let answer = serde_json::from_str::<Answer>(object.get()).ok().and_then(Answer::checked);
        answers[at] = answer.filter(|_| told[at] == 1);
    }
    answers
}

/// Returns the id that an object bears, whatever else it says.
fn id_of(object: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    serde_json::from_str::<Id>(object).ok().map(|id| id.id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(number: usize) -> Vec<String> {
        (0..number).map(|at| super::super::question::id("0a1b2c3d", at)).collect()
    }

    fn line(id: &str, tier: u8) -> String {
        format!(
            r#"{{"id":"{id}","tier":{tier},"risk":"low","clear":true,"compound":false,"executor":"implement","because":"It is a known path."}}"#
        )
    }

    fn tiers(output: &str, number: usize) -> Vec<Option<u8>> {
        read(output, &ids(number)).into_iter().map(|answer| Some(answer?.tier.number())).collect()
    }

    #[test]
    fn prose_fences_arrays_and_line_breaks_do_no_harm() {
        let (a, b) = (line("1-0a1b2c3d", 1), line("2-0a1b2c3d", 3));
        for output in [
            format!("{a}\n{b}\n"),
            format!("Sure! Here {{as asked}} they are:\n```json\n{b}\n{a}\n```\nAnything else?"),
            format!("[{a},\n {b}]"),
            format!("{}\n{b}", a.replace(',', ",\n  ")),
            format!("{{\"id\": {a} {b}"),
        ] {
            assert_eq!(tiers(&output, 2), [Some(1), Some(3)], "{output}");
        }
        assert_eq!(read(&a, &ids(1))[0].as_ref().unwrap().because, "It is a known path");
    }

    #[test]
    fn what_is_missing_unknown_doubled_or_odd_is_no_answer() {
        let good = line("1-0a1b2c3d", 2);
        for output in [
            String::new(),
            "I would say tier 2.".to_owned(),
            line("3-0a1b2c3d", 2),
            line("1-00000000", 2),
            line("1", 2),
            format!("{good}\n{good}"),
            format!("{good}\n{good}\n{good}"),
            format!("{good}\n{{\"id\":\"1-0a1b2c3d\",\"tier\":9}}"),
            good.replace("\"tier\":2", "\"tier\":0"),
            good.replace("\"tier\":2", "\"tier\":4"),
            good.replace("\"tier\":2", "\"tier\":2.5"),
            good.replace("\"tier\":2", "\"tier\":\"2\""),
            good.replace("\"tier\":2", "\"tier\":2,\"tier\":1"),
            good.replace("\"low\"", "\"none\""),
            good.replace("\"risk\":\"low\",", ""),
            good.replace("true", "\"yes\""),
            good.replace("implement", "root"),
            good.replace("It is a known path.", " \u{7}\n"),
            good[..good.len() - 2].to_owned(),
        ] {
            assert_eq!(tiers(&output, 1), [None], "{output}");
        }
    }

    #[test]
    fn a_reason_is_one_short_line() {
        let odd = line("1-0a1b2c3d", 2)
            .replace("It is a known path.", &format!("a\\n\\u001b[31mb\\u202e {}", "é".repeat(900)));
        let because = read(&odd, &ids(1))[0].as_ref().unwrap().because.clone();
        assert!(because.starts_with("a [31mb éé") && because.chars().count() == REASON, "{because}");
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(output in "[{}\\[\\]\":,a-z0-9\\-\n]{0,300}") {
            prop_assert_eq!(read(&output, &ids(3)).len(), 3);
        }

        #[test]
        fn braces_without_an_end_are_read_in_time(depth in 1usize..3000) {
            prop_assert_eq!(tiers(&"{\"a\":".repeat(depth), 1), vec![None]);
        }
    }
}
