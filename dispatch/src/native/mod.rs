//! The native agent: a model behind an API that reads, searches, changes and runs with tools of ours.
//!
//! `http` knows how a model is asked; here is what it asks for in turn. The loop (this file) gives every call to its tool
//! and every result back, until the model has no more calls or a bound is reached. What the tools may touch is a matter of
//! `place` (those inside this program) and of `confine` (the shell): of neither does the model's word change anything. Text
//! of files and of programs goes back as results and nowhere else, so an order in it can at most make the model ask, and it
//! is refused like every other.

mod bounds;
pub mod confine;
mod desk;
mod files;
mod place;
mod search;
mod shell;
mod tool;
mod toolchain;
mod transcript;
mod window;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::interrupt;
use shared::process::Cancel;
use shared::section::Status;

pub(crate) use confine::Confinement;
pub(crate) use desk::{Desk, Terms};

use self::bounds::Circles;
use self::tool::{Done, MOST_TEXT, Request, cut};
use self::transcript::kept;
use self::window::Window;
use crate::backend::{Draft, Job};
use crate::http::{
    Block, Call, Conversation, Fault, Message, Protocol, Reach, Stop, ToolResult, Turn, one_line,
};

/// How many calls that only read run at once.
const AT_ONCE: usize = 8;

/// A call, and what came of it.
struct Called {
    done: Done,
    /// Whether it was not even tried.
    is_refused: bool,
    elapsed: Duration,
}

/// Does a job with the tools on a desk.
pub(crate) async fn work<P: Protocol>(mut talk: Conversation<'_, P>, job: &Job, desk: Desk) -> Draft {
    talk.offer(desk.tools.iter().map(|kind| kind.tool()).collect());
    talk.brief(&desk.rules());
    let mut work = Work {
        circles: Circles::default(),
        window: Window::new(desk.window),
        number: 0,
        output: String::new(),
        desk,
        cancel: job.cancel.clone(),
    };
    work.note(
        "begin",
        json!({
            "id": job.id, "attempt": job.attempt, "executor": job.executor, "model": talk.question().model,
            "tools": work.desk.tools.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
            "system": talk.question().system, "prompt": kept(&job.prompt),
        }),
    );
    let ended = work.run(&mut talk).await;
    let transcript = work.desk.transcript_path();
    let mut draft = talk.end(ended);
    // What was said last before it was cut off or ended is more than nothing.
    if draft.output.trim().is_empty() {
        draft.output = std::mem::take(&mut work.output);
    }
    work.note(
        "end",
        json!({
            "status": draft.status, "reason": draft.reason, "usage": draft.usage, "turns": draft.turns,
            "retries": draft.retries,
        }),
    );
    draft.transcript = transcript;
    draft
}

/// An attempt at work.
struct Work {
    desk: Desk,
    circles: Circles,
    window: Window,
    /// How many calls there were.
    number: u32,
    /// The last that the model said.
    output: String,
    cancel: Cancel,
}

impl Work {
    /// Goes on until there is nothing more to do.
    async fn run<P: Protocol>(&mut self, talk: &mut Conversation<'_, P>) -> Result<Stop, Fault> {
        let mut was_squeezed = false;
        loop {
            // Whoever reads the signal has not told us yet, but a tool has ended by it.
            if self.cancel.is_cancelled() || interrupt::requested() {
                return Err(Fault::lasting(Status::Cancelled, "cancelled", Reach::Request));
            }
            if let Some(stop) =
                self.desk.bounds.spent(talk.answered(), talk.requests(), talk.reported_cost_usd())
            {
                return Ok(stop);
            }
            if talk.time_left() == Some(Duration::ZERO) {
                let time = shared::units::format_duration(talk.time().unwrap_or_default());
                return Err(Fault::lasting(
                    Status::Timeout,
                    format!("took longer than {time}"),
                    Reach::Request,
                ));
            }
            let bytes = window::bytes(talk.question());
            let left_out = self.window.fit(bytes, talk.messages_mut());
            let bytes = if left_out > 0 { window::bytes(talk.question()) } else { bytes };
            let prompt = self.window.tokens_of(bytes);
            talk.limit(self.desk.bounds.longest_reply(talk.requests(), prompt));
            self.note(
                "request",
                json!({
                    "turn": talk.answered() + 1, "messages": talk.question().messages.len(), "bytes": bytes,
                    "left_out": left_out,
                }),
            );
            let started = std::time::Instant::now();
            let counted = talk.requests().len();
            let asked = talk.reply().await;
            self.tell_reply(talk, counted, started.elapsed(), &asked);
            let stop = match asked {
                Ok(stop) => stop,
                // What is too long for the model may become shorter, once.
                Err(fault) if fault.is_too_long && !was_squeezed => {
                    was_squeezed = true;
                    if self.window.squeeze(bytes, talk.messages_mut()) == 0 {
                        return Err(fault);
                    }
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            was_squeezed = false;
            if let Some(usage) = talk.requests().get(counted..).and_then(<[_]>::last) {
                let prompt = usage.input_tokens + usage.cache_read_tokens;
                self.window.learn(bytes, prompt + usage.cache_write_tokens + usage.cache_write_1h_tokens);
            }
            if !talk.last().text.trim().is_empty() {
                self.output.clone_from(&talk.last().text);
            }
            match talk.turn() {
                Turn::Ends => return Ok(stop),
                Turn::Pauses => {
                    if let Some(stop) = self.circles.paused() {
                        return Ok(stop);
                    }
                    let blocks = said(talk.last().blocks.clone(), talk.answered());
                    if blocks.is_empty() {
                        return Ok(stop);
                    }
                    talk.say(Message::Assistant(blocks));
                }
                Turn::Calls => {
                    let blocks = said(talk.last().blocks.clone(), talk.answered());
                    let is_cut_off = stop.status == Status::Truncated;
                    let calls: Vec<Call> = blocks
                        .iter()
                        .filter_map(
                            |block| if let Block::Call(call) = block { Some(call.clone()) } else { None },
                        )
                        .collect();
                    talk.say(Message::Assistant(blocks));
                    let (results, stop) = self.call_all(&calls, is_cut_off, talk.time_left()).await;
                    talk.say(Message::Results(results));
                    if let Some(stop) = stop {
                        return Ok(stop);
                    }
                }
            }
        }
    }

    /// Makes the calls of one reply, and returns their results in the same order: those that read side by side, those that
    /// change something one after the other.
    async fn call_all(
        &mut self,
        calls: &[Call],
        is_cut_off: bool,
        left: Option<Duration>,
    ) -> (Vec<ToolResult>, Option<Stop>) {
        let deadline = left.map(|left| std::time::Instant::now() + left);
        let (mut results, mut stop) = (Vec::new(), None);
        let mut waiting = std::collections::VecDeque::new();
        for call in calls {
            let request = Request::parse(call, &self.desk.tools).map_err(|reason| {
                match is_cut_off && call.object().is_err() {
                    true => "your answer reached the limit of output tokens in the middle of this call, and nothing \
                             was done; make smaller calls"
                        .to_owned(),
                    false => reason,
                }
            });
            waiting.push_back((call, request));
        }
        while let Some((call, request)) = waiting.pop_front() {
            let mut batch = vec![(call, request)];
            // Refusals are no work, and do not part those that read.
            let is_light =
                |request: &Result<Request, String>| request.as_ref().map_or(true, Request::only_reads);
            while batch.len() < AT_ONCE
                && is_light(&batch[0].1)
                && waiting.front().is_some_and(|(_, request)| is_light(request))
            {
                batch.extend(waiting.pop_front());
            }
            let mut running = Vec::new();
            for (call, request) in batch {
                self.number += 1;
                let left = deadline.map(|end| end.saturating_duration_since(std::time::Instant::now()));
                running.push((call, self.number, self.start(request, left)));
            }
            for (call, number, task) in running {
                let Called { done, is_refused, elapsed } = task.await;
                let (text, is_error) = match done {
                    Ok(text) => (text, false),
                    Err(text) => (text, true),
                };
                let bytes = text.len();
                let result = ToolResult { id: call.id.clone(), text: cut(text, MOST_TEXT), is_error };
                self.note(
                    "result",
                    json!({
                        "number": number, "call": call.id, "tool": call.name, "is_error": is_error,
                        "is_refused": is_refused, "bytes": bytes, "text": kept(&result.text),
                        "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                    }),
                );
                stop = stop.or_else(|| self.circles.called(call, &result, is_refused));
                results.push(result);
            }
        }
        (results, stop)
    }

    /// Starts a call on a thread for such work.
    fn start(
        &self,
        request: Result<Request, String>,
        left: Option<Duration>,
    ) -> impl Future<Output = Called> + use<> {
        let started = std::time::Instant::now();
        let task = request.map(|request| {
            let (bench, cancel, number) = (Arc::clone(&self.desk.bench), self.cancel.clone(), self.number);
            tokio::task::spawn_blocking(move || {
                if cancel.is_cancelled() {
                    return Err("interrupted".to_owned());
                }
                match request {
                    Request::Read(read) => read.run(&bench.place),
                    Request::Grep(grep) => grep.run(&bench.place, &cancel),
                    Request::Glob(glob) => glob.run(&bench.place, &cancel),
                    Request::Write(write) => write.run(&bench.place),
                    Request::Edit(edit) => edit.run(&bench.place),
                    Request::Bash(bash) => match &bench.shell {
                        Ok(shell) => bash.run(shell, number, left, &cancel),
                        Err(reason) => Err(reason.clone()),
                    },
                }
            })
        });
        async move {
            match task {
                Err(reason) => Called { done: Err(reason), is_refused: true, elapsed: Duration::ZERO },
                Ok(task) => {
                    // A tool that breaks is a tool that failed; the attempt goes on.
                    let done = task.await.unwrap_or_else(|_| Err("the tool itself has failed".to_owned()));
                    Called { done, is_refused: false, elapsed: started.elapsed() }
                }
            }
        }
    }

    fn tell_reply<P: Protocol>(
        &mut self,
        talk: &Conversation<'_, P>,
        counted: usize,
        elapsed: Duration,
        asked: &Result<Stop, Fault>,
    ) {
        let last = talk.last();
        let calls: Vec<_> = last
            .calls()
            .map(|call| json!({ "id": call.id, "tool": call.name, "arguments": kept(&call.arguments) }))
            .collect();
        self.note("reply", json!({
            "turn": talk.answered(), "text": kept(&last.text), "calls": calls, "stop_reason": last.stop_reason,
            "usage": talk.requests().get(counted..).unwrap_or_default(),
            "fault": asked.as_ref().err().map(|fault| one_line(&fault.reason)),
            "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }));
    }

    fn note(&mut self, kind: &str, members: serde_json::Value) {
        if let Some(transcript) = &mut self.desk.transcript {
            transcript.note(kind, members);
        }
    }
}

/// Returns what a model has said as it is sent back: without empty text, which servers refuse, and with a name for every
/// call, each its own.
fn said(blocks: Vec<Block>, turn: u32) -> Vec<Block> {
    let mut seen: Vec<String> = Vec::new();
    let mut kept = Vec::new();
    for (at, block) in blocks.into_iter().enumerate() {
        kept.push(match block {
            Block::Text(text) if text.trim().is_empty() => continue,
            Block::Call(mut call) => {
                if call.id.is_empty() || seen.contains(&call.id) {
                    call.id = format!("call_{turn}_{at}");
                }
                seen.push(call.id.clone());
                Block::Call(call)
            }
            block => block,
        });
    }
    kept
}
