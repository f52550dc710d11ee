//! What the gates say, in the form that was asked for. A file for each format; none of them decides anything.

mod github;
mod human;
mod jsonl;
mod sarif;

use std::io::IsTerminal;

use clap::ValueEnum;

use crate::found::Found;
use crate::gate::Gate;

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line for each finding, and what it adds up to
    Human,
    /// One JSON object a line: findings, gates, summary
    Jsonl,
    /// SARIF 2.1.0, for code scanning services
    Sarif,
    /// Workflow commands that GitHub shows beside the lines
    Github,
}

/// How much people want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// What fails, and nothing else.
    Errors,
    Normal,
    /// Also notes, what was there before, and every gate.
    All,
}

/// Everything there is to tell.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) gates: Vec<Gate>,
    /// How many files were looked at.
    pub(crate) files: usize,
    /// What could have been run and was not asked for.
    pub(crate) not_run: Vec<String>,
    /// Whether missing evidence counts as a failure.
    pub(crate) strict: bool,
}

impl Report {
    /// Returns every finding with its gate, in the order of the files; existing ones only if they are asked for.
    fn findings(&self, existing: bool) -> Vec<(&Gate, &Found)> {
        let mut all: Vec<(&Gate, &Found)> = self
            .gates
            .iter()
            .flat_map(|gate| gate.found.iter().map(move |found| (gate, found)))
            .filter(|(_, found)| existing || !found.existing)
            .collect();
        all.sort_by(|(_, a), (_, b)| {
            let place =
                |found: &Found| (found.finding.path.clone(), found.finding.line, found.finding.column);
            place(a).cmp(&place(b))
        });
        all
    }
}

/// Returns the report as text.
pub(crate) fn write(report: &Report, format: Format, color: bool, detail: Detail) -> String {
    match format {
        Format::Human => human::write(report, color, detail),
        Format::Jsonl => jsonl::write(report),
        Format::Sarif => sarif::write(report),
        Format::Github => github::write(report),
    }
}

/// Tells whether a person reads this on a terminal that shows colours.
pub(crate) fn wants_color(format: Format, choice: shared::Color) -> bool {
    let terminal = || {
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    };
    format == Format::Human
        && match choice {
            shared::Color::Always => true,
            shared::Color::Never => false,
            shared::Color::Auto => terminal(),
        }
}

#[cfg(test)]
mod tests;
