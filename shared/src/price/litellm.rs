//! The JSON price file that LiteLLM publishes, taken as it is: dollars per token, in keys whose names say all.

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::Problem;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Level, Model, Rates, Table, femto};

/// The prices that we know, each the beginning of the keys for longer prompts.
const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const CACHE_READ: &str = "cache_read_input_token_cost";
const CACHE_WRITE: &str = "cache_creation_input_token_cost";
const CACHE_WRITE_1H: &str = "cache_creation_input_token_cost_above_1hr";

pub(super) fn parse(text: &str, modified: Option<SystemTime>) -> Result<Table, Problem> {
    let file: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| Problem::new("it is no JSON object").because(error))?;
    // The file itself has no date.
    let date =
        modified.and_then(|modified| Timestamp::try_from(modified).ok()).unwrap_or_else(Timestamp::now);
    let mut table = Table { date: date.strftime("%Y-%m-%d").to_string(), ..Table::default() };
    for (name, entry) in file {
        // Entries without a price per token are of another kind (images, searches), or the sample of the format.
        let speaks = matches!(entry["mode"].as_str(), None | Some("chat" | "completion" | "responses"));
        if let Some(entry) = entry.as_object().filter(|_| speaks && name != "sample_spec")
            && let Some(model) =
                model(entry).map_err(|problem| Problem::new(format!("in `{name}`")).because(problem))?
        {
            table.insert([name], model)?;
        }
    }
    if table.models.is_empty() {
        return Err(Problem::new("it has no model with a price per token"));
    }
    Ok(table)
}

fn model(entry: &Map<String, Value>) -> Result<Option<Model>, Problem> {
    let price = |key: &str| match entry.get(key) {
        Some(Value::Number(number)) => number.as_f64().map(femto).transpose(),
        Some(Value::String(text)) => text.parse().ok().map(femto).transpose(),
        _ => Ok(None),
    };
    // What has no price of its own for long prompts costs the same as in short ones.
    let mut known = [None; 5];
    let mut level = |above: u64, suffix: &str| {
        for (known, base) in known.iter_mut().zip([INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H]) {
            *known = price(&format!("{base}{suffix}"))?.or(*known);
        }
        let [Some(input), Some(output), cache_read, cache_write, cache_write_1h] = known else {
            return Ok(None);
        };
        Ok(Some(Level { above, rates: Rates::new(input, output, cache_read, cache_write, cache_write_1h) }))
    };
    let Some(first) = level(0, "")? else { return Ok(None) };
    let mut levels = vec![first];
    for thousands in entry.keys().filter_map(|key| thousands(key)).collect::<BTreeSet<_>>() {
        levels.extend(level(thousands * 1000, &format!("_above_{thousands}k_tokens"))?);
    }
    let retires = entry.get("deprecation_date").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Model { levels, retires }))
}

/// Returns the 272 of `input_cost_per_token_above_272k_tokens`.
fn thousands(key: &str) -> Option<u64> {
    let rest = [INPUT, OUTPUT, CACHE_READ, CACHE_WRITE_1H, CACHE_WRITE]
        .iter()
        .find_map(|base| key.strip_prefix(base))?;
    rest.strip_prefix("_above_")?.strip_suffix("k_tokens")?.parse().ok()
}
