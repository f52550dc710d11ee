//! Keeps a conversation within what a model can read: old results are left out first.
//!
//! A call and its result always stay together, because servers refuse one without the other; what is left out of a result
//! is its text. More is left out than is needed at the time, so that what a cache holds of the beginning is of use for many
//! requests before it changes again.

use crate::http::{Block, Message, Question};

/// How many of the last messages are never shortened.
const RECENT: usize = 6;
/// A text below this is not worth leaving out, in bytes.
const SMALL: usize = 400;
/// How full the window may be before something is left out, and how full it is after that, in hundredths.
const FULL: u64 = 75;
const ROOMY: u64 = 45;
/// What stands in place of a result.
const LEFT_OUT: &str = "[left out to save room; call the tool again if it is still needed]";

/// Counts what there is to read, and knows how much of it is a token.
#[derive(Debug)]
pub(super) struct Window {
    tokens: u64,
    /// Bytes a token, as the server's own counts show.
    bytes_a_token: f64,
}

impl Window {
    pub(super) fn new(tokens: u64) -> Window {
        // Code has fewer bytes a token than prose has.
        Window { tokens, bytes_a_token: 3.0 }
    }

    /// Learns from what the server counted for a question of so many bytes.
    pub(super) fn learn(&mut self, bytes: usize, tokens: u64) {
        if tokens > 200 {
            self.bytes_a_token = (bytes as f64 / tokens as f64).clamp(1.0, 6.0);
        }
    }

    /// Shortens a conversation if it is about to fill the window; tells how many results were left out.
    pub(super) fn fit(&self, question_bytes: usize, messages: &mut [Message]) -> usize {
        if self.tokens_of(question_bytes) * 100 <= self.tokens * FULL {
            return 0;
        }
        self.shorten(question_bytes, messages, ROOMY)
    }

    /// Shortens as far as it can, because the server said that it is too much.
    pub(super) fn squeeze(&self, question_bytes: usize, messages: &mut [Message]) -> usize {
        // What is counted here was wrong, so it is no measure of how much is enough.
        let half = question_bytes / 2;
        self.shorten_to(question_bytes, messages, |bytes| bytes <= half)
    }

    fn shorten(&self, question_bytes: usize, messages: &mut [Message], percent: u64) -> usize {
        self.shorten_to(question_bytes, messages, |bytes| {
            self.tokens_of(bytes) * 100 <= self.tokens * percent
        })
    }

    fn shorten_to(
        &self,
        question_bytes: usize,
        messages: &mut [Message],
        is_enough: impl Fn(usize) -> bool,
    ) -> usize {
        let mut bytes = question_bytes;
        let mut count = 0;
        // The first message is the task.
        let old = messages.len().saturating_sub(RECENT);
        for pass in 0..2 {
            for message in messages.iter_mut().take(old).skip(1) {
                if is_enough(bytes) {
                    return count;
                }
                let saved = if pass == 0 { leave_out_results(message) } else { leave_out_arguments(message) };
                bytes = bytes.saturating_sub(saved);
                count += usize::from(saved > 0);
            }
        }
        count
    }

    /// Returns about how many tokens so many bytes are.
    pub(super) fn tokens_of(&self, bytes: usize) -> u64 {
        (bytes as f64 / self.bytes_a_token) as u64
    }
}

/// Returns about how many bytes a model has to read.
pub(super) fn bytes(question: &Question) -> usize {
    let tools: usize = question
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.schema.to_string().len())
        .sum();
    let messages: usize = question.messages.iter().map(bytes_of).sum();
    question.system.as_ref().map_or(0, String::len) + tools + messages
}

fn bytes_of(message: &Message) -> usize {
    match message {
        Message::User(text) => text.len(),
        Message::Assistant(blocks) => blocks
            .iter()
            .map(|block| match block {
                Block::Text(text) => text.len(),
                Block::Call(call) => call.name.len() + call.arguments.len() + 40,
                Block::Opaque(value) => value.to_string().len(),
            })
            .sum(),
        Message::Results(results) => results.iter().map(|result| result.text.len() + 40).sum(),
    }
}

fn leave_out_results(message: &mut Message) -> usize {
    let Message::Results(results) = message else { return 0 };
    let mut saved = 0;
    for result in results.iter_mut().filter(|result| result.text.len() > SMALL) {
        saved += result.text.len() - LEFT_OUT.len();
        LEFT_OUT.clone_into(&mut result.text);
    }
    saved
}

/// Shortens long texts in old calls, such as the contents of files that were written; what they were called with stays
/// an object with the same members.
fn leave_out_arguments(message: &mut Message) -> usize {
    let Message::Assistant(blocks) = message else { return 0 };
    let mut saved = 0;
    for block in blocks {
        let Block::Call(call) = block else { continue };
        if call.arguments.len() <= SMALL {
            continue;
        }
        let Ok(mut object) = call.object() else { continue };
        for value in object.values_mut() {
            if value.as_str().is_some_and(|text| text.len() > SMALL) {
                *value = "[left out to save room]".into();
            }
        }
        let shorter = serde_json::Value::Object(object).to_string();
        saved += call.arguments.len().saturating_sub(shorter.len());
        call.arguments = shorter;
    }
    saved
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::{Call, ToolResult};

    fn conversation(sizes: &[(usize, usize)]) -> Vec<Message> {
        let mut messages = vec![Message::User("the task".repeat(100))];
        for (at, (argument, result)) in sizes.iter().enumerate() {
            let arguments =
                serde_json::json!({ "file_path": "a", "content": "x".repeat(*argument) }).to_string();
            let call = Call { id: format!("c{at}"), name: "Write".to_owned(), arguments };
            messages.push(Message::Assistant(vec![Block::Text("so".to_owned()), Block::Call(call)]));
            let text = "y".repeat(*result);
            messages.push(Message::Results(vec![ToolResult { id: format!("c{at}"), text, is_error: false }]));
        }
        messages
    }

    fn size(messages: &[Message]) -> usize {
        messages.iter().map(bytes_of).sum()
    }

    #[test]
    fn what_fits_is_left_alone() {
        let mut messages = conversation(&[(10, 5000), (10, 5000)]);
        let before = messages.clone();
        assert_eq!(Window::new(100_000).fit(size(&before), &mut messages), 0);
        assert_eq!(messages, before);
    }

    proptest! {
        #[test]
        fn calls_keep_their_results_and_the_task_and_the_last_messages_stay(
            sizes in proptest::collection::vec((0usize..9000, 0usize..9000), 1..40),
            tokens in 1000u64..60_000,
        ) {
            let before = conversation(&sizes);
            let mut after = before.clone();
            let window = Window::new(tokens);
            window.fit(size(&before), &mut after);
            prop_assert_eq!(before.len(), after.len());
            prop_assert_eq!(&before[0], &after[0]);
            let recent = before.len().saturating_sub(RECENT).max(1);
            prop_assert_eq!(&before[recent..], &after[recent..]);
            for (before, after) in before.iter().zip(&after) {
                match (before, after) {
                    (Message::Assistant(before), Message::Assistant(after)) => {
                        let (Block::Call(before), Block::Call(after)) = (&before[1], &after[1]) else { unreachable!() };
                        prop_assert_eq!(&before.id, &after.id);
                        prop_assert_eq!(
                            after.object().unwrap().keys().cloned().collect::<Vec<_>>(),
                            before.object().unwrap().keys().cloned().collect::<Vec<_>>()
                        );
                    }
                    (Message::Results(before), Message::Results(after)) => {
                        prop_assert_eq!(&before[0].id, &after[0].id);
                    }
                    _ => {}
                }
            }
            // It is roomy now, or nothing is left that could be left out.
            let old: usize = after.iter().take(recent).skip(1).map(bytes_of).sum();
            let is_roomy = window.tokens_of(size(&after)) * 100 <= tokens * FULL;
            prop_assert!(is_roomy || old <= (recent - 1) * (2 * SMALL + 100));
        }
    }
}
