//! `dispatch agents list` and `show`: what is used, and from where.

use serde_json::{Value, json};
use shared::Problem;

use crate::executors::{Agent, Agents, built_in};

/// Returns a line for each executor that is used.
pub(super) fn all(agents: &Agents, as_json: bool) -> Vec<String> {
    if as_json {
        return agents.iter().map(|agent| object(agents, agent).to_string()).collect();
    }
    let mut rows = vec![["NAME", "TIER", "MODEL", "FROM", "TOOLS"].map(str::to_owned)];
    rows.extend(agents.iter().map(|agent| {
        let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        [
            agent.name.clone(),
            or_dash(agent.tier.map(|tier| tier.to_string()).unwrap_or_default()),
            or_dash(agent.model.clone().unwrap_or_default()),
            agent.level.name().replace('_', " "),
            or_dash(agent.tools.join(", ")),
        ]
    }));
    super::super::aligned(&rows)
}

/// Returns the file of an executor, or what is known of it.
pub(super) fn one(agents: &Agents, name: &str, as_json: bool) -> Result<String, Problem> {
    let agent = agents.get(name)?;
    if as_json {
        let mut object = object(agents, agent);
        object["prompt"] = agent.body.clone().into();
        return Ok(object.to_string());
    }
    let text = match &agent.path {
        Some(path) => crate::executors::text(path)?,
        None => built_in::file(name).unwrap_or_default(),
    };
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

fn object(agents: &Agents, agent: &Agent) -> Value {
    let place = |agent: &Agent| {
        let mut place = json!({"source": agent.level.name()});
        if let Some(path) = &agent.path {
            place["path"] = path.display().to_string().into();
        }
        place
    };
    let mut object = place(agent);
    for (key, value) in [
        ("name", json!(agent.name)),
        ("description", json!(agent.description)),
        ("tools", json!(agent.tools)),
        ("writes", json!(agent.writes())),
        ("tier", json!(agent.tier)),
        ("model", json!(agent.model)),
        ("max_turns", json!(agent.max_turns)),
    ] {
        // Absent rather than null, as in records.
        if !value.is_null() {
            object[key] = value;
        }
    }
    let hidden: Vec<Value> = agents.hidden_by(agent).map(place).collect();
    if !hidden.is_empty() {
        object["hides"] = hidden.into();
    }
    object
}
