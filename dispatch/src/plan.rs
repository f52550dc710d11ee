//! Shows what would be run, in which order, where, why and for how much, and runs nothing.

use std::io::Write;

use shared::lines::Lines;
use shared::section::{Tier, Usage};
use shared::writer::{Stopped, cannot_write};
use shared::{Exit, Io, Problem};

use crate::config::Config;
use crate::incoming::{Content, Incoming, Known, Need};
use crate::prompt::prompt;
use crate::queue::Queue;
use crate::route::Backend;
use crate::schedule::{IdHash, Schedule};

/// What an answer is taken to have, as nobody knows.
const OUTPUT_TOKENS: u64 = 1000;

/// About so many bytes of English or code make a token.
const BYTES_PER_TOKEN: u64 = 4;

/// A task that would be run.
struct Row {
    id: String,
    tier: Tier,
    executor: String,
    backends: String,
    model: String,
    cost: Option<f64>,
    why: String,
    needs: Vec<String>,
}

/// Shows the plan.
pub(crate) fn show(config: &Config, io: Io) -> Exit {
    let Io { input, mut output, diagnostics } = io;
    let (mut rows, mut others, mut exit) = (Vec::new(), 0u64, Exit::Ok);
    let mut lines = Lines::new(input, config.max_line);
    loop {
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return diagnostics.fatal(&Problem::new("cannot read the input").because(error)),
        };
        let incoming = Incoming::read(line);
        let id = incoming.record.id();
        let problem = match &incoming.content {
            Content::LetBy => None,
            Content::Unusable(problem) => {
                diagnostics.record(Some(incoming.line), id, problem);
                Some(())
            }
            Content::Task(known) => match row(config, id.unwrap_or_default(), known) {
                Ok(Some(row)) => {
                    rows.push(row);
                    continue;
                }
                Ok(None) => None,
                Err(problem) => {
                    diagnostics.record(Some(incoming.line), id, &problem);
                    Some(())
                }
            },
        };
        exit = if problem.is_some() { exit.worse(Exit::Records) } else { exit };
        others += 1;
    }
    let text = told(config, rows, others);
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Stopped::from) {
        Ok(()) | Err(Stopped::Closed) => exit,
        Err(Stopped::Failed(_)) => {
            let error = std::io::Error::last_os_error();
            diagnostics.fatal(&cannot_write(error))
        }
    }
}

fn row(config: &Config, id: &str, known: &Known) -> Result<Option<Row>, Problem> {
    let (tier, why) = match known.need(&config.rerun) {
        Need::Nothing | Need::IfReplaced | Need::IfPossible => return Ok(None),
        Need::First if known.classify.is_none() => {
            (known.first_tier(), "first attempt, not classified".to_owned())
        }
        Need::First => (known.first_tier(), "first attempt".to_owned()),
        Need::Again(_) => (known.first_tier(), "the last attempt does not count".to_owned()),
        Need::Escalated(tier, decision) => {
            let reason = known.verify.as_ref().map(|verify| verify.reason.as_str()).unwrap_or_default();
            (tier, format!("{decision}: {reason}"))
        }
    };
    let agent = config.agents.get(known.executor())?;
    let may_be_local = known.may_be_local() && known.dispatch.is_none();
    let steps = config.routes.steps(id, known.next_attempt(), tier, may_be_local, known.task.run.is_some());
    let names: Vec<&str> = steps.iter().map(|step| config.routes.lanes[step.lane].name.as_str()).collect();
    let last = steps.last();
    let model = last.and_then(|step| step.model.clone()).or_else(|| agent.model.clone());
    let is_free = last.is_none_or(|step| matches!(config.routes.lanes[step.lane].backend, Backend::Local(_)));
    let text = agent.body.len() + prompt(&known.task, &[], None).len();
    let usage = Usage {
        input_tokens: text as u64 / BYTES_PER_TOKEN,
        output_tokens: OUTPUT_TOKENS,
        requests: 1,
        ..Usage::default()
    };
    let cost = if is_free {
        Some(0.0)
    } else {
        model.as_deref().and_then(|model| config.prices.cost(model, &usage))
    };
    Ok(Some(Row {
        id: id.to_owned(),
        tier,
        executor: agent.name.clone(),
        backends: if names.is_empty() { "none".to_owned() } else { names.join(", then ") },
        model: model.filter(|_| !is_free).unwrap_or_else(|| "-".to_owned()),
        cost,
        why,
        needs: known.task.depends_on.clone(),
    }))
}

fn told(config: &Config, rows: Vec<Row>, others: u64) -> String {
    let mut schedule = Schedule::default();
    let mut queue = Queue::new(rows.len().max(1), [None]);
    let planned: Vec<IdHash> = rows.iter().map(|row| IdHash::of(&row.id)).collect();
    for (seq, row) in rows.iter().enumerate() {
        let needs = row.needs.iter().map(|id| IdHash::of(id)).filter(|id| planned.contains(id));
        if schedule.insert(seq as u64, planned[seq], needs.collect::<Vec<_>>()) {
            queue.push(0, seq as u64, 1);
        }
    }
    schedule.measure_chains();
    let critical = (0..rows.len()).map(|seq| schedule.chain(seq as u64)).max().unwrap_or_default();
    queue.reorder(|seq| schedule.chain(seq));
    let mut order = Vec::new();
    while let Some((lane, seq)) = queue.start() {
        queue.end(lane);
        order.push(seq as usize);
        for released in schedule.complete(planned[seq as usize]) {
            let chain = schedule.chain(released);
            queue.push(0, released, chain);
        }
    }
    let mut table = vec![["", "ID", "TIER", "EXECUTOR", "BACKEND", "MODEL", "USD", "WHY"].map(str::to_owned)];
    for (position, seq) in order.iter().enumerate() {
        let row = &rows[*seq];
        let after =
            if row.needs.is_empty() { String::new() } else { format!("; after {}", row.needs.join(", ")) };
        table.push([
            (position + 1).to_string(),
            row.id.clone(),
            row.tier.to_string(),
            row.executor.clone(),
            row.backends.clone(),
            row.model.clone(),
            row.cost.map_or_else(|| "?".to_owned(), |cost| format!("{cost:.4}")),
            format!("{}{after}", row.why),
        ]);
    }
    let mut text = if order.is_empty() { String::new() } else { aligned(&table) };
    let circular = rows.len() - order.len();
    let cost: f64 = rows.iter().filter_map(|row| row.cost).sum();
    let unpriced = rows.iter().filter(|row| row.cost.is_none()).count();
    text.push_str(&format!("{} to run, {others} as they are", plural(order.len(), "task")));
    if circular > 0 {
        text.push_str(&format!(", {circular} in a circle"));
    }
    text.push_str(&format!(
        "; longest chain {}; {} at once\n",
        plural(critical as usize, "task"),
        config.jobs
    ));
    text.push_str(&format!(
        "about ${cost:.4} by the prices of {}, at {OUTPUT_TOKENS} tokens an answer",
        config.prices.date()
    ));
    if unpriced > 0 {
        text.push_str(&format!(", and {} whose price is not known", plural(unpriced, "task")));
    }
    text.push('\n');
    text
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Returns the cells in columns; the last one is not filled up.
fn aligned<const N: usize>(table: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in table {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
