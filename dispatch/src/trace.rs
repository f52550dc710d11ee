//! What ran when, as a trace that Perfetto and Chrome's `about:tracing` draw: so that a person sees what ran at the same time.
//!
//! The format is Chrome's array of trace events, whose end may be missing: every event is written when it is known, so what a
//! killed run leaves can be looked at too. A backend is a process, each of its places a thread, an attempt a span, and an arrow leads
//! from a result to what was made from it. Where a model was asked, the span has the attributes of OpenTelemetry's conventions for
//! generative AI.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::Problem;
use shared::section::{Dispatch, Usage};

use crate::schedule::IdHash;

/// Times of attempts are told to the millisecond, so one may seem to begin a little before the one before it has ended.
const BLUR: u64 = 1000;

/// A trace that is being written.
#[derive(Debug)]
pub(crate) struct Trace {
    file: File,
    lanes: HashMap<String, Lane>,
    /// When and where each task has ended: microseconds, process and thread.
    ended: HashMap<IdHash, (u64, usize, usize)>,
    arrows: u64,
}

/// A backend: its number, and until when each of its places was in use, in microseconds.
#[derive(Debug)]
struct Lane {
    number: usize,
    until: Vec<u64>,
}

impl Trace {
    /// Begins a trace in a file.
    ///
    /// # Errors
    /// If the file can not be written.
    pub(crate) fn create(path: &Path) -> Result<Trace, Problem> {
        let problem =
            |error| Problem::new(format!("cannot write the trace `{}`", path.display())).because(error);
        let mut file = File::create(path).map_err(problem)?;
        file.write_all(b"[\n").map_err(problem)?;
        Ok(Trace { file, lanes: HashMap::new(), ended: HashMap::new(), arrows: 0 })
    }

    /// Notes an attempt that is over.
    pub(crate) fn note(&mut self, id: &str, dispatch: &Dispatch, elapsed: Duration) -> io::Result<()> {
        let began = dispatch.started_at.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let Some(began) = began.and_then(|at| u64::try_from(at.as_microsecond()).ok()) else { return Ok(()) };
        let backend = dispatch.backend.as_deref().unwrap_or("none");
        let mut events = Vec::new();
        let (pid, tid, began) = self.place(backend, began, elapsed, &mut events);
        let ended = began + u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX / 2);
        let name = if dispatch.attempt > 1 { format!("{id} ({})", dispatch.attempt) } else { id.to_owned() };
        events.push(json!({
            "ph": "X", "name": name, "cat": "attempt", "pid": pid, "tid": tid, "ts": began, "dur": ended - began,
            "args": attributes(id, dispatch),
        }));
        for input in dispatch.inputs.keys() {
            let Some((at, from_pid, from_tid)) = self.ended.get(&IdHash::of(input)) else { continue };
            self.arrows += 1;
            // An arrow belongs to the span around its time, so it begins just before the end of the first.
            let at = (*at).saturating_sub(1).min(began);
            let arrow = |ph: &str, ts: u64, pid: usize, tid: usize| {
                json!({"ph": ph, "id": self.arrows, "name": "result", "cat": "result", "ts": ts, "pid": pid, "tid": tid,
                    "bp": "e"})
            };
            events.push(arrow("s", at, *from_pid, *from_tid));
            events.push(arrow("f", began, pid, tid));
        }
        self.ended.insert(IdHash::of(id), (ended, pid, tid));
        let mut text = Vec::new();
        for event in events {
            serde_json::to_writer(&mut text, &event)?;
            text.extend_from_slice(b",\n");
        }
        self.file.write_all(&text)
    }

    /// Finds the place that an attempt had: the first one that was free.
    fn place(
        &mut self,
        backend: &str,
        began: u64,
        elapsed: Duration,
        events: &mut Vec<Value>,
    ) -> (usize, usize, u64) {
        let next = self.lanes.len() + 1;
        let lane = self.lanes.entry(backend.to_owned()).or_insert_with(|| {
            events.push(
                json!({"ph": "M", "name": "process_name", "pid": next, "tid": 0, "args": {"name": backend}}),
            );
            Lane { number: next, until: Vec::new() }
        });
        let free = lane.until.iter().position(|until| *until <= began + BLUR);
        let tid = free.unwrap_or_else(|| {
            lane.until.push(0);
            let tid = lane.until.len();
            events.push(json!({"ph": "M", "name": "thread_name", "pid": lane.number, "tid": tid,
                "args": {"name": format!("{backend} {tid}")}}));
            tid - 1
        });
        // Spans of one thread must not overlap.
        let began = began.max(lane.until[tid]);
        lane.until[tid] = began + u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX / 2);
        (lane.number, tid + 1, began)
    }
}

/// Returns what is told of an attempt.
fn attributes(id: &str, dispatch: &Dispatch) -> Map<String, Value> {
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    tell("id", id.into());
    tell("attempt", dispatch.attempt.into());
    tell("status", crate::engine::name_of(dispatch.status).into());
    tell("tier", dispatch.tier.number().into());
    tell("executor", dispatch.executor.as_str().into());
    if let Some(reason) = &dispatch.reason {
        tell("reason", reason.as_str().into());
    }
    if let Some(cost) = dispatch.cost_usd {
        tell("cost_usd", cost.into());
    }
    if let Some(commit) = &dispatch.commit {
        tell("commit", commit.as_str().into());
    }
    if dispatch.model.is_none() && dispatch.usage.is_none() {
        return told;
    }
    tell("gen_ai.operation.name", "invoke_agent".into());
    tell("gen_ai.agent.name", dispatch.executor.as_str().into());
    tell("gen_ai.provider.name", dispatch.backend.as_deref().into());
    if let Some(model) = &dispatch.model {
        tell("gen_ai.request.model", model.as_str().into());
    }
    if let Some(reason) = &dispatch.stop_reason {
        tell("gen_ai.response.finish_reasons", json!([reason]));
    }
    if let Some(usage) = &dispatch.usage {
        let Usage { input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, .. } = *usage;
        // Ours leave out what a cache gave or took; in the conventions these are part of the input.
        let input = [input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens];
        tell("gen_ai.usage.input_tokens", input.into_iter().fold(0, u64::saturating_add).into());
        tell("gen_ai.usage.output_tokens", usage.output_tokens.into());
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(at: &str, inputs: &str, elapsed: u64) -> (Dispatch, Duration) {
        let text = format!(
            r#"{{"attempt":1,"status":"ok","backend":"anthropic","model":"m","tier":1,"started_at":"{at}","inputs":{inputs},
                "usage":{{"input_tokens":3,"cache_read_tokens":4,"output_tokens":5}}}}"#
        );
        (serde_json::from_str(&text).unwrap(), Duration::from_millis(elapsed))
    }

    #[test]
    fn spans_have_places_of_their_own_and_arrows_lead_to_what_was_made_from_them() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("trace.json");
        let mut trace = Trace::create(&path).unwrap();
        for (id, at, inputs, elapsed) in [
            ("a", "2026-01-01T00:00:00.000Z", "{}", 20),
            ("b", "2026-01-01T00:00:00.010Z", "{}", 20),
            ("c", "2026-01-01T00:00:00.020Z", r#"{"a":1}"#, 5),
        ] {
            let (dispatch, elapsed) = ran(at, inputs, elapsed);
            trace.note(id, &dispatch, elapsed).unwrap();
        }
        // No end of the array: it is read as a viewer reads it.
        let text = std::fs::read_to_string(&path).unwrap();
        let events: Vec<Value> =
            serde_json::from_str(&format!("{}]", text.trim_end().trim_end_matches(','))).unwrap();
        let of = |ph: &str| events.iter().filter(|event| event["ph"] == ph).collect::<Vec<_>>();
        let spans: Vec<_> = of("X").iter().map(|span| (span["name"].clone(), span["tid"].clone())).collect();
        let expected =
            [("a", 1), ("b", 2), ("c", 1)].map(|(name, tid)| (Value::from(name), Value::from(tid)));
        assert_eq!(spans, expected);
        assert_eq!(of("X")[0]["dur"], 20_000);
        assert_eq!(of("X")[0]["args"]["gen_ai.usage.input_tokens"], 7);
        let ([from], [to]) = (&of("s")[..], &of("f")[..]) else { panic!("{events:?}") };
        assert!(from["id"] == to["id"] && from["ts"].as_u64() <= to["ts"].as_u64());
        assert_eq!(of("M").len(), 3);
    }
}
