//! When an attempt ends that would not end by itself.

use std::collections::HashMap;

use shared::section::{Status, Usage};

use crate::http::{Call, Stop, ToolResult};
use crate::limits::{self, Allowance};

/// How often the same call may fail in the same way.
const SAME_FAILURES: u32 = 5;
/// How often the same call may bring the same result, one after the other.
const SAME_RESULTS: u32 = 12;
/// How many calls for what is not allowed an attempt may make.
const REFUSALS: u32 = 40;
/// How many pauses in a row a model may make.
const PAUSES: u32 = 10;

/// The bounds of an attempt.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// How many replies the model may give.
    pub(crate) turns: u32,
    /// How many tokens all requests together may take, those from a cache included, besides what budgets say.
    pub(crate) tokens: u64,
    /// What it may spend.
    pub(crate) allowance: Allowance,
    /// The most tokens of a reply.
    pub(crate) reply: Option<u32>,
}

impl Bounds {
    /// Says why no further request is sent, if none is.
    pub(super) fn spent(&self, turns: u32, requests: &[Usage], told_usd: Option<f64>) -> Option<Stop> {
        if turns >= self.turns {
            let reason = format!("its {} turns are used up; raise `turns` in [dispatch.native]", self.turns);
            return Some(Stop::because(Status::Truncated, reason));
        }
        let tokens = requests.iter().map(limits::tokens).fold(0, u64::saturating_add);
        if tokens >= self.tokens {
            let reason = format!(
                "it has used {tokens} tokens, and may use {}; raise `tokens` in [dispatch.native]",
                self.tokens
            );
            return Some(Stop::because(Status::Budget, reason));
        }
        self.allowance.spent(requests, told_usd).map(|reason| Stop::because(Status::Budget, reason))
    }

    /// Returns the longest reply that can still be paid after a prompt of so many tokens.
    pub(super) fn longest_reply(&self, requests: &[Usage], prompt: u64) -> Option<u32> {
        self.allowance.longest_answer(requests, prompt).into_iter().chain(self.reply).min()
    }
}

/// Notices when a model goes round in circles.
#[derive(Debug, Default)]
pub(super) struct Circles {
    failures: HashMap<blake3::Hash, u32>,
    last: Option<blake3::Hash>,
    repeated: u32,
    refusals: u32,
    pauses: u32,
}

impl Circles {
    /// Takes a call and its result; says why this is the end, if it is.
    pub(super) fn called(&mut self, call: &Call, result: &ToolResult, is_refusal: bool) -> Option<Stop> {
        self.pauses = 0;
        let hash = |parts: &[&str]| {
            let mut hasher = blake3::Hasher::new();
            for part in parts {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            hasher.finalize()
        };
        let stop = |reason: String| Some(Stop::because(Status::Failed, reason));
        let key = hash(&[&call.name, &call.arguments, &result.text]);
        self.repeated = if self.last == Some(key) { self.repeated + 1 } else { 1 };
        self.last = Some(key);
        if result.is_error {
            let count = self.failures.entry(key).or_default();
            *count += 1;
            if *count >= SAME_FAILURES {
                return stop(format!(
                    "the model made the same call of {} {count} times, and it failed each time",
                    call.name
                ));
            }
        }
        if self.repeated >= SAME_RESULTS {
            return stop(format!(
                "the model made the same call of {} {} times in a row",
                call.name, self.repeated
            ));
        }
        self.refusals += u32::from(is_refusal);
        if self.refusals >= REFUSALS {
            return stop(format!("the model asked {REFUSALS} times for what it may not do"));
        }
        None
    }

    /// Takes a pause; says why this is the end, if it is.
    pub(super) fn paused(&mut self) -> Option<Stop> {
        self.pauses += 1;
        (self.pauses > PAUSES)
            .then(|| Stop::because(Status::Truncated, format!("the model paused {PAUSES} times in a row")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, arguments: &str) -> Call {
        Call { id: String::new(), name: name.to_owned(), arguments: arguments.to_owned() }
    }

    fn result(text: &str, is_error: bool) -> ToolResult {
        ToolResult { id: String::new(), text: text.to_owned(), is_error }
    }

    #[test]
    fn the_same_failure_ends_it_and_progress_does_not() {
        let mut circles = Circles::default();
        for round in 1..SAME_FAILURES {
            assert_eq!(circles.called(&call("Bash", "x"), &result("no", true), false), None, "{round}");
            assert_eq!(circles.called(&call("Edit", &round.to_string()), &result("ok", false), false), None);
        }
        let stop = circles.called(&call("Bash", "x"), &result("no", true), false).unwrap();
        assert_eq!(stop.status, Status::Failed);
    }

    #[test]
    fn refusals_of_every_kind_add_up() {
        let mut circles = Circles::default();
        let ended = (0..100).find(|round| {
            circles.called(&call("Bash", &round.to_string()), &result("no", true), true).is_some()
        });
        assert_eq!(ended, Some(REFUSALS - 1));
    }

    #[test]
    fn turns_tokens_and_money_are_bounds() {
        let price = shared::price::Table::built_in().model("claude-haiku-4-5");
        let bounds = Bounds {
            turns: 3,
            tokens: 2000,
            allowance: Allowance { usd: Some(0.001), price, ..Allowance::default() },
            reply: None,
        };
        let usage = |tokens| Usage { input_tokens: tokens, ..Usage::default() };
        assert_eq!(bounds.spent(2, &[usage(10)], None), None);
        assert_eq!(bounds.spent(3, &[], None).unwrap().status, Status::Truncated);
        assert!(bounds.spent(1, &[usage(1000)], None).unwrap().reason.unwrap().contains("$0.0010"));
        assert!(bounds.spent(1, &[usage(2000)], None).unwrap().reason.unwrap().contains("2000 tokens"));
    }
}
