//! Makes records of the parts that `classify` found in a compound task.
//!
//! A part is a task of its own: `<id>.1`, `<id>.2`, … with `task.parent`. It has the limits of the whole (tiers, budget,
//! time, tools, files) and knows its text. Parts that may write are on one line: each starts from the commit of the one before,
//! so that the last has the work of all.

use shared::section::{Classify, Part, Task};
use shared::{Problem, Record};

use crate::executors::Agents;
use crate::incoming::{Known, Need};
use crate::results::beginning;

/// So much of the whole text is told to each part.
const TOLD: usize = 8 << 10;

/// Returns the ids of the parts of a task that is to be run in parts; none if it is not.
pub(crate) fn ids(id: &str, known: &Known) -> Option<Vec<String>> {
    let parts = &known.classify.as_ref()?.parts;
    let is_whole = parts.len() < 2 || known.task.run.is_some() || known.task.parent.is_some();
    if is_whole || known.task.executor.is_some() || known.need(&[]) != Need::First {
        return None;
    }
    Some((1..=parts.len()).map(|number| format!("{id}.{number}")).collect())
}

/// Returns the records of the parts, in order.
///
/// # Errors
/// If a part depends on one that does not come before it.
pub(crate) fn records(id: &str, known: &Known, agents: &Agents) -> Result<Vec<Record>, Problem> {
    let (Some(ids), Some(classify)) = (ids(id, known), &known.classify) else { return Ok(Vec::new()) };
    let parts = &classify.parts;
    let mut records = Vec::with_capacity(parts.len());
    let mut last_writer: Option<usize> = None;
    for (at, part) in parts.iter().enumerate() {
        if let Some(bad) = part.depends_on.iter().find(|need| **need >= at) {
            let message =
                format!("`classify.parts[{at}]` depends on part {bad}, which does not come before it");
            return Err(Problem::new(message).hint("number parts from 0, each after those that it needs"));
        }
        let mut needs = part.depends_on.clone();
        let writes = agents.get(&part.executor).is_ok_and(|agent| agent.writes());
        if writes {
            // Only the last one: it has the work of those before it.
            needs.retain(|need| !agents.get(&parts[*need].executor).is_ok_and(|agent| agent.writes()));
            needs.extend(last_writer.replace(at));
        }
        needs.sort_unstable();
        needs.dedup();
        let depends_on = match needs.is_empty() {
            true => known.task.depends_on.clone(),
            false => needs.iter().map(|need| ids[*need].clone()).collect(),
        };
        let task = task(id, &known.task, part, depends_on);
        let number = format!("part {} of {} of `{id}`", at + 1, parts.len());
        records.push(Record::from_members([
            ("id", serde_json::json!(ids[at]).to_string()),
            ("task", serde_json::to_string(&task).unwrap_or_default()),
            ("classify", section(classify, part, &number)),
        ]));
    }
    Ok(records)
}

fn task(id: &str, whole: &Task, part: &Part, depends_on: Vec<String>) -> Task {
    Task {
        text: part.text.clone(),
        parent: Some(id.to_owned()),
        depends_on,
        // What has to hold in the end holds for the whole.
        accept: Vec::new(),
        whole: Some(beginning(&whole.text, TOLD).to_owned()),
        ..whole.clone()
    }
}

fn section(classify: &Classify, part: &Part, reason: &str) -> String {
    let weight = |tier: u8| u8::from(part.tier.number().clamp(1, 3) == tier);
    serde_json::json!({
        "tier": part.tier,
        "executor": part.executor,
        "confidence": classify.confidence,
        "risk": classify.risk,
        "reasons": [reason],
        "scores": { "1": weight(1), "2": weight(2), "3": weight(3) },
    })
    .to_string()
}
