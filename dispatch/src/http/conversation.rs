//! What is said between one job and one model, request after request, on one account.
//!
//! What is said next is for others to decide; here is what all of it has in common: the time of the job, the lane, and
//! the books.

use std::time::{Duration, Instant};

use shared::process::Cancel;
use shared::section::Usage;

use super::account::Account;
use super::client::Client;
use super::fault::Fault;
use super::lane::Lane;
use super::protocol::{Message, Protocol, Question, Reader, Reply, Stop, Tool, Turn};
use crate::backend::{Draft, Job};

/// A conversation.
pub(crate) struct Conversation<'a, P: Protocol> {
    pub(super) client: &'a Client<P>,
    pub(super) question: Question,
    pub(super) lane: Lane,
    /// When the job has to be done, and how long that was from its start.
    pub(super) timeout: Option<(Instant, Duration)>,
    pub(super) account: Account,
    /// The last reply, as far as it came.
    pub(super) last: Reply,
    /// What the last whole reply asks for.
    turn: Turn,
    /// How often a reply was asked for, and how many came whole.
    asked: u64,
    answered: u32,
    pub(super) cancel: Cancel,
}

impl<'a, P: Protocol> Conversation<'a, P> {
    /// Begins a conversation with the prompt of a job.
    pub(super) fn new(client: &'a Client<P>, job: &Job, model: &str, lane: Lane) -> Self {
        let filled = |text: &String| !text.trim().is_empty();
        let start = client.retry().clock.now();
        Conversation {
            client,
            question: Question {
                model: model.to_owned(),
                system: job.system.clone().filter(filled),
                tools: Vec::new(),
                messages: vec![Message::User(job.prompt.clone())],
                max_tokens: job.max_output_tokens,
            },
            lane,
            timeout: job.timeout.map(|timeout| (start + timeout, timeout)),
            account: Account::default(),
            last: Reply::default(),
            turn: Turn::Ends,
            asked: 0,
            answered: 0,
            cancel: job.cancel.clone(),
        }
    }

    /// Offers tools to the model.
    pub(crate) fn offer(&mut self, tools: Vec<Tool>) {
        self.question.tools = tools;
    }

    /// Adds to what the model is told before anything else.
    pub(crate) fn brief(&mut self, text: &str) {
        match &mut self.question.system {
            Some(system) => {
                system.push_str("\n\n");
                system.push_str(text);
            }
            None => self.question.system = Some(text.to_owned()),
        }
    }

    /// Says something more.
    pub(crate) fn say(&mut self, message: Message) {
        self.question.messages.push(message);
    }

    /// Asks once and takes the answer for the work.
    pub(crate) async fn ask_once(mut self) -> Draft {
        let asked = self.reply().await;
        self.end(asked)
    }

    /// Returns all that is to be said with the next request.
    pub(crate) fn question(&self) -> &Question {
        &self.question
    }

    /// Sets the most tokens that the next reply may have.
    pub(crate) fn limit(&mut self, tokens: Option<u32>) {
        self.question.max_tokens = tokens;
    }

    /// Returns what was said, to be shortened.
    pub(crate) fn messages_mut(&mut self) -> &mut Vec<Message> {
        &mut self.question.messages
    }

    /// Asks for a reply.
    pub(crate) async fn reply(&mut self) -> Result<Stop, Fault> {
        self.asked += 1;
        let asked = super::client::ask(self).await;
        if asked.is_ok() {
            self.answered += 1;
        }
        // A server may quote the key that it does not like, and what it says is written down.
        asked.map_err(|fault| Fault { reason: self.client.redact(&fault.reason), ..fault })
    }

    /// Takes what has been read, whole or not.
    pub(super) fn heard(&mut self, reader: &P::Reader) {
        self.last = reader.reply().clone();
        self.turn = reader.turn();
    }

    /// Returns the last reply.
    pub(crate) fn last(&self) -> &Reply {
        &self.last
    }

    /// Returns what the last whole reply asks for.
    pub(crate) fn turn(&self) -> Turn {
        self.turn
    }

    /// Returns how many replies came whole.
    pub(crate) fn answered(&self) -> u32 {
        self.answered
    }

    /// Returns the tokens of each request that was counted so far.
    pub(crate) fn requests(&self) -> &[Usage] {
        self.account.requests()
    }

    /// Returns what the server says that all of it cost.
    pub(crate) fn reported_cost_usd(&self) -> Option<f64> {
        self.account.cost_usd()
    }

    /// Returns how much time is left.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.timeout.map(|(end, _)| end.saturating_duration_since(self.client.retry().clock.now()))
    }

    /// Returns how long the whole job may take.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.timeout.map(|(_, timeout)| timeout)
    }

    /// Ends the conversation with what came of it.
    pub(crate) fn end(self, ended: Result<Stop, Fault>) -> Draft {
        let (status, reason) = match ended {
            Ok(stop) => (stop.status, stop.reason),
            Err(fault) => (fault.status, Some(fault.reason)),
        };
        let Conversation { client, question, account, last, asked, answered, .. } = self;
        let mut draft = Draft::new(status);
        draft.output = if last.text.is_empty() { last.refusal } else { last.text };
        draft.reason = reason.map(|reason| client.redact(&reason));
        draft.usage = account.usage();
        draft.reported_cost_usd = account.cost_usd();
        draft.model = Some(last.model.unwrap_or(question.model));
        draft.stop_reason = last.stop_reason;
        draft.turns = Some(answered).filter(|turns| *turns > 0);
        draft.retries =
            u32::try_from(account.sent().saturating_sub(asked + account.hedged())).unwrap_or(u32::MAX);
        draft.hedged = u32::try_from(account.hedged()).unwrap_or(u32::MAX);
        draft.requests = account.into_requests();
        draft
    }
}
