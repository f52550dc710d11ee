//! `classify train`: makes the model from examples, and says how good it is on those that it was not shown.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Parser;
use rayon::prelude::*;
use shared::{Exit, Io, Problem};

use super::corpus::{self, Example};
use super::{Model, fit};
use crate::decide::{self, Decided, Router};
use crate::features::Features;
use crate::mode::Mode;

/// The command line of `classify train`.
#[derive(Clone, Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub struct TrainArgs {
    /// Files of examples, or directories of them: records with a `label`
    #[arg(value_name = "EXAMPLES", required = true)]
    pub examples: Vec<PathBuf>,

    /// Write the model to this file; without it, only tell how good one would be
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Learn from all but one of N parts and try the rest, N times, and tell how it went
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=50))]
    pub folds: Option<u8>,

    /// Try the model on these examples too, which it does not learn from
    #[arg(long, value_name = "FILE")]
    pub test: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  # how good would a model of these be on what it was not shown?
  classify train --folds 5 examples.jsonl

  # make one, and use it
  classify train classify/corpus examples.jsonl --output own.model
  classify --weights own.model < tasks.jsonl

An example is a record with a label:
  {\"task\":\"bump the lock file\",\"label\":{\"tier\":1,\"risk\":\"low\",\"clear\":true,\"compound\":false,\"turns\":3}}

Exit status: 0 fine, 2 an example or the command line can not be used.";

/// Runs `classify train`.
pub(crate) fn run(args: &TrainArgs, io: &Io) -> Exit {
    match train(args) {
        Ok(told) => {
            io.diagnostics.plain(told);
            Exit::Ok
        }
        Err(problem) => io.diagnostics.usage(&problem),
    }
}

fn train(args: &TrainArgs) -> Result<String, Problem> {
    let examples = corpus::read(&args.examples)?;
    let features: Vec<Features> =
        examples.par_iter().map(|example| fit::features_of(&example.task.text)).collect();
    let rows: Vec<Row> = features.iter().zip(&examples).collect();
    let mut told = format!("{} examples\n", rows.len());
    if let Some(folds) = args.folds {
        let mut tally = Tally::default();
        for fold in 0..usize::from(folds) {
            let is_held_out = |at: usize| at % usize::from(folds) == fold;
            let (held, shown): (Vec<_>, Vec<_>) = (0..rows.len()).partition(|&at| is_held_out(at));
            let model = fitted(&shown.iter().map(|&at| rows[at]).collect::<Vec<_>>());
            for at in held {
                tally.count(rows[at].1, &model)?;
            }
        }
        let _ = write!(told, "on examples not shown, in {folds} folds:\n{}", tally.told());
    }
    if args.output.is_none() && args.test.is_none() {
        return Ok(told);
    }
    let model = fitted(&rows);
    if let Some(path) = &args.test {
        let mut tally = Tally::default();
        for example in &corpus::read(std::slice::from_ref(path))? {
            tally.count(example, &model)?;
        }
        let _ = write!(told, "on {}:\n{}", path.display(), tally.told());
    }
    if let Some(path) = &args.output {
        let bytes = model.to_bytes();
        std::fs::write(path, &bytes).map_err(|error| {
            Problem::new(format!("cannot write the model `{}`", path.display())).because(error)
        })?;
        let _ = writeln!(told, "{}: {} bytes", path.display(), bytes.len());
    }
    Ok(told)
}

type Row<'a> = (&'a Features, &'a Example);

fn fitted(rows: &[Row]) -> Model {
    fit::fit(rows)
}

/// What was got right, of the decisions that a model leads to.
#[derive(Default)]
struct Tally {
    /// By the tier of the label, then by the tier decided.
    tiers: [[u32; 3]; 3],
    /// The same, by risk.
    risks: [[u32; 3]; 3],
    unsure: [u32; 2],
    executor: [u32; 2],
    clear: [[u32; 2]; 2],
    compound: [[u32; 2]; 2],
}

impl Tally {
    fn count(&mut self, example: &Example, model: &Model) -> Result<(), Problem> {
        let router = Router { rules: &[], model, mode: Mode::default() };
        let Decided { classify, opinion, .. } = decide::decide(router, &example.task)?;
        let label = &example.label;
        let column = usize::from(classify.tier.number().clamp(1, 3)) - 1;
        let row = usize::from(label.tier.number()) - 1;
        self.tiers[row][column] += 1;
        self.unsure[usize::from(row == column)] += u32::from(classify.unsure);
        if let Some(risk) = label.risk {
            self.risks[risk as usize][classify.risk as usize] += 1;
        }
        if let Some(executor) = &label.executor {
            self.executor[usize::from(*executor == classify.executor)] += 1;
        }
        if let Some(clear) = label.clear {
            self.clear[usize::from(clear)][usize::from(opinion.reads_clear())] += 1;
        }
        if let Some(compound) = label.compound {
            self.compound[usize::from(compound)][usize::from(!classify.parts.is_empty())] += 1;
        }
        Ok(())
    }

    fn told(&self) -> String {
        let share = |part: u32, all: u32| 100.0 * f64::from(part) / f64::from(all.max(1));
        let all: u32 = self.tiers.iter().flatten().sum();
        let exact: u32 = (0..3).map(|tier| self.tiers[tier][tier]).sum();
        let below = self.tiers[1][0] + self.tiers[2][0] + self.tiers[2][1];
        let mut told = format!(
            "  tier      exact {:.1} %, below the label {:.1} %, tier 3 sent to 1: {}; unsure {:.1} %, of these exact {:.1} %\n",
            share(exact, all),
            share(below, all),
            self.tiers[2][0],
            share(self.unsure[0] + self.unsure[1], all),
            share(self.unsure[1], self.unsure[0] + self.unsure[1]),
        );
        for (name, table) in [("tier", &self.tiers), ("risk", &self.risks)] {
            for (label, row) in ["1 or low", "2 or medium", "3 or high"].iter().zip(table) {
                if table.iter().flatten().all(|count| *count == 0) {
                    break;
                }
                let _ =
                    writeln!(told, "    {name} labelled {label:<12} {:5} {:5} {:5}", row[0], row[1], row[2]);
            }
        }
        let _ = writeln!(
            told,
            "  executor  exact {:.1} %",
            share(self.executor[1], self.executor[0] + self.executor[1])
        );
        for (name, table) in [("clear", &self.clear), ("compound", &self.compound)] {
            let _ = writeln!(
                told,
                "  {name:<9} yes found {} of {}, no found {} of {}",
                table[1][1],
                table[1][0] + table[1][1],
                table[0][0],
                table[0][0] + table[0][1]
            );
        }
        told
    }
}
