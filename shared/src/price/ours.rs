//! The TOML form of a price table, in US dollars per million tokens.

use crate::Problem;
use serde::Deserialize;

use super::{Level, Model, Rates, Table, femto};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    date: String,
    #[serde(default)]
    model: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_1h: Option<f64>,
    #[serde(default)]
    above: Vec<Above>,
    retires: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Above {
    prompt_tokens: u64,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_1h: Option<f64>,
}

pub(super) fn parse(text: &str) -> Result<Table, Problem> {
    let file: File =
        toml::from_str(text).map_err(|error| Problem::new("it is no price table").because(error))?;
    let mut table = Table { date: file.date, ..Table::default() };
    for Entry { name, aliases, input, output, cache_read, cache_write, cache_write_1h, above, retires } in
        file.model
    {
        let first = Above { prompt_tokens: 0, input, output, cache_read, cache_write, cache_write_1h };
        let mut levels = std::iter::once(first)
            .chain(above)
            .map(level)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| Problem::new(format!("in `{name}`")).because(problem))?;
        levels.sort_by_key(|level| level.above);
        table.insert(std::iter::once(name).chain(aliases), Model { levels, retires })?;
    }
    Ok(table)
}

fn level(above: Above) -> Result<Level, Problem> {
    let per_token = |dollars: f64| femto(dollars / 1e6);
    let optional = |dollars: Option<f64>| dollars.map(per_token).transpose();
    Ok(Level {
        above: above.prompt_tokens,
        rates: Rates::new(
            per_token(above.input)?,
            per_token(above.output)?,
            optional(above.cache_read)?,
            optional(above.cache_write)?,
            optional(above.cache_write_1h)?,
        ),
    })
}
