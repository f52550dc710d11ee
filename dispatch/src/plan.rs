//! Shows what would be run, in which order, where, why and for how much, and runs nothing.

mod waves;

use std::collections::HashMap;
use std::io::Write;

use shared::lines::Lines;
use shared::process::Cancel;
use shared::section::{Interval, Task, Tier};
use shared::writer::Stopped;
use shared::{Diagnostics, Exit, Io, Problem};

use crate::args::Format;
use crate::backend::Job;
use crate::commands::aligned;
use crate::config::Config;
use crate::estimate::{self, OUTPUT_TOKENS, certain};
use crate::executors::needs::{self, Placement};
use crate::incoming::{Content, Incoming, Known, Need};
use crate::limits::Allowance;
use crate::parts;
use crate::queue::{Place, Queue};
use crate::route::{Backend, NO_MODEL, Step};
use crate::schedule::{IdHash, Schedule};
use crate::speculate::Purse;
use waves::Waves;

/// Where everything waits for the order in which it would start.
const PLACE: Place = Place { lane: 0, tier: Tier::LOCAL };

/// A task that would be run.
struct Row {
    line: u64,
    id: String,
    tier: Tier,
    executor: String,
    backend: String,
    model: String,
    cost: Option<Interval<f64>>,
    /// The cost is what `classify` expects.
    is_expected: bool,
    why: String,
    needs: Vec<String>,
}

/// Shows the plan.
pub(crate) fn show(config: &Config, io: Io) -> Exit {
    let Io { input, mut output, diagnostics } = io;
    let mut plan =
        Plan { config, diagnostics, rows: Vec::new(), ids: HashMap::new(), others: 0, exit: Exit::Ok };
    let mut lines = Lines::new(input, config.max_line);
    loop {
        match lines.next_line() {
            Ok(Some(line)) => plan.add(Incoming::read(line)),
            Ok(None) => break,
            Err(error) => {
                return plan.diagnostics.fatal(&Problem::new("cannot read the input").because(error));
            }
        }
    }
    let text = plan.tell();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Stopped::from) {
        Ok(()) | Err(Stopped::Closed) => plan.exit,
        Err(Stopped::Failed(problem)) => plan.diagnostics.fatal(&problem),
    }
}

struct Plan<'a> {
    config: &'a Config,
    diagnostics: Diagnostics,
    rows: Vec<Row>,
    /// The line of each id.
    ids: HashMap<String, u64>,
    others: usize,
    exit: Exit,
}

impl Plan<'_> {
    fn add(&mut self, mut incoming: Incoming) {
        let parts = self.parts(&mut incoming);
        let joined: Vec<String> =
            parts.iter().filter_map(|part| part.record.id().map(str::to_owned)).collect();
        parts.into_iter().for_each(|part| self.add_one(part, &[]));
        self.add_one(incoming, &joined);
    }

    /// Returns the parts of a compound task that would be run.
    fn parts(&self, incoming: &mut Incoming) -> Vec<Incoming> {
        let Content::Task(known) = &incoming.content else { return Vec::new() };
        let id = incoming.record.id().unwrap_or_default();
        let ids = parts::ids(id, known).filter(|_| self.config.decompose).unwrap_or_default();
        if self.ids.contains_key(id) || ids.is_empty() || ids.iter().any(|part| self.ids.contains_key(part)) {
            return Vec::new();
        }
        match parts::records(id, known, &self.config.agents) {
            Ok(records) => {
                records.into_iter().map(|record| Incoming::of_part(incoming.line, record)).collect()
            }
            Err(problem) => {
                incoming.content = Content::Unusable(problem);
                Vec::new()
            }
        }
    }

    fn add_one(&mut self, incoming: Incoming, joined: &[String]) {
        let Incoming { line, record, content, .. } = incoming;
        let id = record.id().unwrap_or_default().to_owned();
        if !id.is_empty() && !matches!(content, Content::LetBy) {
            if let Some(first) = self.ids.get(&id) {
                let problem = Problem::new(format!("the id `{id}` is taken by the record on line {first}"));
                return self.refuse(line, &id, &problem);
            }
            self.ids.insert(id.clone(), line);
        }
        match content {
            Content::LetBy => self.others += 1,
            Content::Unusable(problem) => self.refuse(line, &id, &problem),
            Content::Task(_) if !joined.is_empty() => self.rows.push(Row {
                line,
                id,
                tier: Tier::LOCAL,
                executor: "-".to_owned(),
                backend: "parts".to_owned(),
                model: "-".to_owned(),
                cost: Some(certain(0.0)),
                is_expected: false,
                why: "joins its parts".to_owned(),
                needs: joined.to_vec(),
            }),
            Content::Task(known) => match self.row(line, &id, &known) {
                Ok(Some(row)) => self.rows.push(row),
                Ok(None) => self.others += 1,
                Err(problem) => self.refuse(line, &id, &problem),
            },
        }
    }

    fn refuse(&mut self, line: u64, id: &str, problem: &Problem) {
        self.others += 1;
        self.exit = self.exit.worse(Exit::Records);
        self.diagnostics.record(Some(line), Some(id).filter(|id| !id.is_empty()), problem);
    }

    fn row(&self, line: u64, id: &str, known: &Known) -> Result<Option<Row>, Problem> {
        let (tier, why) = match known.need(&self.config.rerun) {
            Need::Nothing | Need::IfReplaced | Need::IfPossible => return Ok(None),
            Need::First if known.classify.is_none() => (known.first_tier(), "not classified".to_owned()),
            Need::First => (known.first_tier(), "first attempt".to_owned()),
            Need::Again(_) => (known.first_tier(), "the last attempt does not count".to_owned()),
            Need::Escalated(tier, decision) => {
                let reason = known.verify.as_ref().map(|verify| verify.reason.as_str()).unwrap_or_default();
                (tier, format!("{decision}: {reason}"))
            }
        };
        let Placement { agent, tier, moved } =
            needs::place(&self.config.agents, &known.task, known.executor(), tier, known.most())?;
        let why = moved.map_or(why.clone(), |moved| format!("{why}; {moved}"));
        let may_be_local = known.may_be_local() && known.dispatch.is_none();
        let number = known.next_attempt();
        let has_run = known.task.run.is_some();
        let mut steps = self.config.routes.steps(id, number, tier.max(Tier::ONE), may_be_local, has_run);
        let allows_no_model = known.task.max_tier == Some(Tier::LOCAL);
        if allows_no_model {
            self.config.routes.retain_free(&mut steps);
        }
        let missing = || match allows_no_model {
            true => NO_MODEL.to_owned(),
            false => self.config.routes.missing(tier),
        };
        let (step, declined) = self.first_that_does_it(&steps, id, &known.task);
        let why = declined.map_or(why.clone(), |reason| format!("{why}; `local` declines: {reason}"));
        let lane = step.map(|step| &self.config.routes.lanes[step.lane]);
        let is_free = lane.is_none_or(|lane| matches!(lane.backend, Backend::Local(_)));
        let own = || agent.model_on(&lane?.backend);
        let model = step.and_then(|step| step.model.clone()).or_else(own).filter(|_| !is_free);
        let estimate = estimate::cost(&self.config.prices, known, model.as_deref(), agent.body.len());
        let raced = self.raced(known, tier, &steps, step);
        Ok(Some(Row {
            line,
            id: id.to_owned(),
            tier: step.map_or(tier, |step| step.tier),
            executor: agent.name.clone(),
            backend: lane.map_or_else(|| "none".to_owned(), |lane| lane.name.clone()),
            cost: if is_free { Some(certain(0.0)) } else { estimate.map(|(cost, _)| cost) },
            is_expected: !is_free && estimate.is_some_and(|(_, is_expected)| is_expected),
            model: model.clone().unwrap_or_else(|| "-".to_owned()),
            why: if step.is_none() { format!("{why}; {}", missing()) } else { why + &raced },
            needs: known.task.depends_on.clone(),
        }))
    }

    /// Says how many drafts a task would have besides the first, and what these would cost.
    fn raced(&self, known: &Known, tier: Tier, steps: &[Step], step: Option<&Step>) -> String {
        let need = known.need(&self.config.rerun);
        // What `local` does not decline is done once.
        let step = step
            .filter(|step| step.tier > Tier::LOCAL)
            .and_then(|_| steps.iter().find(|step| step.tier > Tier::LOCAL));
        let drafts = self.config.entrants(known, &need, tier, step);
        let Some(others) = drafts.get(1..).filter(|others| !others.is_empty()) else { return String::new() };
        let prices: Vec<Option<f64>> = others.iter().map(|step| self.config.expected(known, step)).collect();
        let grant = Purse::new(self.config.speculation_budget).look(&prices);
        let price = match grant.expected {
            Some(cost) => format!("${cost:.4} more"),
            None if grant.drafts > 0 => "at a price that is not known".to_owned(),
            None => "nothing more".to_owned(),
        };
        let less =
            grant.reason.map(|reason| format!(", not {}: {reason}", others.len() + 1)).unwrap_or_default();
        format!("; {} at once, {price}{less}", plural(grant.drafts + 1, "draft"))
    }

    /// Returns where a task ends up, and why `local` would not do it, if it was asked.
    fn first_that_does_it<'s>(
        &self,
        steps: &'s [Step],
        id: &str,
        task: &Task,
    ) -> (Option<&'s Step>, Option<String>) {
        let Some(first) = steps.first() else { return (None, None) };
        let Backend::Local(local) = &self.config.routes.lanes[first.lane].backend else {
            return (Some(first), None);
        };
        let job = Job {
            id: id.to_owned(),
            attempt: 1,
            draft: 1,
            tier: Tier::LOCAL,
            task: task.clone(),
            executor: String::new(),
            system: None,
            tools: Vec::new(),
            model: None,
            prompt: task.text.clone(),
            plain: task.text.clone(),
            results: None,
            workdir: self.config.directory.clone(),
            timeout: None,
            max_output_tokens: None,
            max_turns: None,
            cancel: Cancel::default(),
            allowance: Allowance::default(),
        };
        match local.plan(&job) {
            Ok(_) => (Some(first), None),
            Err(reason) => (steps.get(1), Some(reason)),
        }
    }

    /// Drops what could not be run, and returns the rest in the order in which it would start.
    fn sorted(&mut self) -> (Vec<Row>, u32) {
        let rows = std::mem::take(&mut self.rows);
        let (rows, stranded): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|row| row.needs.iter().all(|id| self.ids.contains_key(id)));
        for row in stranded {
            let unknown: Vec<String> = row
                .needs
                .iter()
                .filter(|id| !self.ids.contains_key(*id))
                .map(|id| format!("`{id}`"))
                .collect();
            let problem =
                Problem::new(format!("it depends on {}, which is not in the input", unknown.join(" and ")));
            self.refuse(row.line, &row.id, &problem);
        }
        let mut schedule = Schedule::default();
        let mut queue = Queue::new(rows.len().max(1), [None]);
        let planned: HashMap<IdHash, usize> =
            rows.iter().enumerate().map(|(index, row)| (IdHash::of(&row.id), index)).collect();
        for (index, row) in rows.iter().enumerate() {
            let needs = row.needs.iter().map(|id| IdHash::of(id)).filter(|id| planned.contains_key(id));
            if schedule.insert(index as u64, IdHash::of(&row.id), needs.collect::<Vec<_>>()) {
                queue.push(PLACE, index as u64, 1);
            }
            if let Some(cycle) = schedule.cycle_through(index as u64) {
                let names: Vec<&str> =
                    cycle.iter().chain(cycle.first()).map(|seq| rows[*seq as usize].id.as_str()).collect();
                let message = format!("the tasks depend on each other in a circle: {}", names.join(" → "));
                self.refuse(row.line, &row.id, &Problem::new(message));
            }
        }
        schedule.measure_chains();
        let longest = (0..rows.len()).map(|index| schedule.chain(index as u64)).max().unwrap_or_default();
        let chains: Vec<u32> = (0..rows.len()).map(|index| schedule.chain(index as u64)).collect();
        queue.reorder(|seq| chains[seq as usize]);
        let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
        let mut sorted = Vec::new();
        while let Some((place, seq)) = queue.start(|_| true) {
            queue.end(place);
            let Some(row) = rows[seq as usize].take() else { continue };
            for released in schedule.complete(IdHash::of(&row.id)) {
                queue.push(PLACE, released, chains[released as usize]);
            }
            sorted.push(row);
        }
        (sorted, longest)
    }

    fn tell(&mut self) -> String {
        let (rows, longest) = self.sorted();
        let tasks: Vec<(&str, &[String])> =
            rows.iter().map(|row| (row.id.as_str(), &row.needs[..])).collect();
        let waves = waves::waves(&tasks);
        if self.config.plan_format == Format::Jsonl {
            return as_lines(&rows, &waves);
        }
        let mut table = vec![
            ["", "ID", "TIER", "EXECUTOR", "BACKEND", "MODEL", "USD", "AFTER", "WHY"].map(str::to_owned),
        ];
        for (index, row) in rows.iter().enumerate() {
            table.push([
                (index + 1).to_string(),
                row.id.clone(),
                row.tier.to_string(),
                row.executor.clone(),
                row.backend.clone(),
                row.model.clone(),
                row.cost.map_or_else(|| "?".to_owned(), |cost| format!("{:.4}", cost.expected)),
                if row.needs.is_empty() { "-".to_owned() } else { row.needs.join(",") },
                row.why.clone(),
            ]);
        }
        let mut text = if rows.is_empty() { String::new() } else { aligned(&table).join("\n") + "\n\n" };
        let sum = |of: fn(Interval<f64>) -> f64| {
            rows.iter().filter_map(|row| row.cost).map(of).fold(0.0, |sum, cost| sum + cost)
        };
        let (low, cost, high) = (sum(|cost| cost.low), sum(|cost| cost.expected), sum(|cost| cost.high));
        let unpriced = rows.iter().filter(|row| row.cost.is_none()).count();
        let expected = rows.iter().filter(|row| row.is_expected).count();
        text.push_str(&format!(
            "{} to run, {} to pass as they are; the longest chain has {}; {} at once\n",
            plural(rows.len(), "task"),
            plural(self.others, "record"),
            plural(longest as usize, "task"),
            self.config.jobs
        ));
        if longest > 1 {
            text.push_str(&told_in_waves(&rows, &waves));
        }
        text.push_str(&format!("about ${cost:.4}"));
        if expected > 0 {
            text.push_str(&format!(" (${low:.4} to ${high:.4})"));
        }
        text.push_str(&format!(" by the prices of {}", self.config.prices.date()));
        text.push_str(&match (expected, rows.len()) {
            (0, _) => format!(", if an answer has {OUTPUT_TOKENS} tokens"),
            (some, all) if some == all => " and the effort that classify expects".to_owned(),
            (some, _) => format!(
                " and the effort that classify expects of {}; the others if an answer has {OUTPUT_TOKENS} tokens",
                plural(some, "task")
            ),
        });
        if unpriced > 0 {
            text.push_str(&format!("; the price of {} is not known", plural(unpriced, "task")));
        }
        text.push('\n');
        text
    }
}

/// Says how many tasks would be in each wave, and which ones are on the longest chain.
fn told_in_waves(rows: &[Row], waves: &Waves) -> String {
    const NAMED: usize = 8;
    let last = waves.of.iter().max().copied().unwrap_or_default();
    let size = |wave: usize| waves.of.iter().filter(|of| **of == wave).count().to_string();
    let mut sizes: Vec<String> = (1..=last.min(NAMED)).map(size).collect();
    let mut names: Vec<&str> =
        waves.critical.iter().take(NAMED).map(|index| rows[*index].id.as_str()).collect();
    if last > NAMED {
        sizes.push("…".to_owned());
        names.push("…");
    }
    format!("in waves: {}; the critical path: {}\n", sizes.join(", "), names.join(" → "))
}

/// Returns an object for each task, a line each, in the order of the table.
fn as_lines(rows: &[Row], waves: &Waves) -> String {
    let line = |(index, row): (usize, &Row)| {
        let mut object = serde_json::json!({
            "id": row.id,
            "wave": waves.of[index],
            "critical": waves.critical.contains(&index),
            "tier": row.tier,
            "executor": row.executor,
            "backend": row.backend,
            "depends_on": row.needs,
            "why": row.why,
        });
        if row.model != "-" {
            object["model"] = row.model.as_str().into();
        }
        // A price that is not known is absent, not zero.
        if let Some(cost) = &row.cost {
            object["cost_usd"] =
                serde_json::json!({"low": cost.low, "expected": cost.expected, "high": cost.high});
        }
        object.to_string() + "\n"
    };
    rows.iter().enumerate().map(line).collect()
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
