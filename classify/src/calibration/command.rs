//! `classify calibrate`: reads verified records and writes what they teach.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use shared::lines::Lines;
use shared::writer::{Stopped, Writer};
use shared::{Diagnostics, Exit, Io, Problem, state, units};

use super::evidence::{Collection, Evidence};
use super::file::{self, File};
use super::learn::{Settings, learn};
use super::promise::Terms;
use super::report;

/// How `classify calibrate` was called.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Calibrate {
    /// Files of records that went through dispatch and verify; none or `-` is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Where the calibration is written [default: .specpipe/calibration.json of the project]
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// Say what was learned and what would change, and write nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,

    /// Print the calibration as JSON instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,

    /// End with status 1 if the promise that was asked for can not be made
    #[arg(short, long, help_heading = "Output")]
    pub exit_status: bool,

    /// Add to the evidence of earlier calibrations instead of beginning anew
    #[arg(long, help_heading = "Evidence")]
    pub merge: bool,

    /// After this time evidence weighs half [default: 90d]
    #[arg(long, value_name = "TIME", value_parser = half_life, help_heading = "Evidence")]
    pub half_life: Option<Duration>,

    /// Fewer verdicts than this move nothing [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Evidence")]
    pub min_evidence: Option<u32>,

    /// Promise that no more than this share of all tasks is delegated and then rejected, such as 5%
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "Promise")]
    pub max_bad_accept: Option<f64>,

    /// The confidence of the promise [default: 90%]
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "max_bad_accept", help_heading = "Promise")]
    pub confidence: Option<f64>,

    /// The tier whose drafts the promise speaks of, 1 or 2 [default: the lowest with verdicts]
    #[arg(long, value_name = "TIER", value_parser = clap::value_parser!(u8).range(1..=2), requires = "max_bad_accept",
          help_heading = "Promise")]
    pub tier: Option<u8>,
}

const EXAMPLES: &str = "\
Examples:
  # learn from a run; the next `classify` in this project uses it
  classify tasks.jsonl | dispatch | gates | verify > results.jsonl
  classify calibrate results.jsonl

  # what would change?
  classify calibrate --dry-run results.jsonl

  # add this week to what is known already
  classify calibrate --merge monday.jsonl tuesday.jsonl

  # with 90% confidence, no more than 5% of all tasks are drafted cheaply and then rejected
  classify calibrate --max-bad-accept 5% --confidence 90% results.jsonl

  # without it, once
  classify --calibration off tasks.jsonl

Exit status: 0 fine, 1 the promise can not be made (with -e), 2 usage, 3 some records could not be read,
4 could not go on.";

fn half_life(text: &str) -> Result<Duration, String> {
    let duration = units::parse_duration(text)?;
    if duration.is_zero() {
        Err("evidence that weighs nothing teaches nothing".to_owned())
    } else {
        Ok(duration)
    }
}

/// Reads a share such as `5%` or `0.05`, above 0 and below 1.
fn share(text: &str) -> Result<f64, String> {
    let no = || format!("`{text}` is no share; write one such as 5% or 0.05");
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), 100.0),
        None => (text.trim(), 1.0),
    };
    let share = number.parse::<f64>().map_err(|_| no())? / scale;
    if share > 0.0 && share < 1.0 {
        Ok(share)
    } else if scale == 1.0 && (1.0..100.0).contains(&share) {
        Err(format!("`{text}` is more than everything; did you mean {text}%?"))
    } else {
        Err(format!("`{text}` is not above 0 and below 100 %"))
    }
}

/// Runs `classify calibrate`.
pub(crate) fn run(args: &Calibrate, directory: &Path, max_line: u64, mut io: Io) -> Exit {
    if let Err(problem) = io.read_files(&args.files) {
        return io.diagnostics.usage(&problem);
    }
    let path = match &args.output {
        Some(path) => path.clone(),
        None => super::project_file(directory),
    };
    let store = store(&path);
    let Io { input, output, diagnostics } = io;
    let mut collection = Collection::default();
    let (exit, read) = match read(Lines::new(input, max_line), &mut collection, &diagnostics) {
        Ok(read) => read,
        Err(problem) => return diagnostics.fatal(&problem),
    };
    // Who merges at the same time must find our evidence, or we theirs.
    let _held = match &args.output {
        Some(_) => path.parent().and_then(|parent| state::hold(&Path::new(".").join(parent))),
        None => state::hold(&state::Root::find(directory).path),
    };
    if args.merge
        && let Err(problem) = read_store(&store, &mut collection)
    {
        return diagnostics.fatal(&problem);
    }
    let before = File::read(&path).ok();
    let evidence = collection.into_sorted();
    let settings = Settings {
        half_life_days: args.half_life.map_or(90.0, |time| time.as_secs_f64() / 86_400.0),
        min_evidence: f64::from(args.min_evidence.unwrap_or(20)),
        terms: args
            .max_bad_accept
            .map(|max_bad_accept| Terms { max_bad_accept, confidence: args.confidence.unwrap_or(0.9) }),
        tier: args.tier,
        now: units::now(),
    };
    let calibration = learn(&evidence, &settings);
    if calibration.tasks == 0 {
        let hint = "a record counts if `verify` has judged what `dispatch` made of it: classify | dispatch | gates | verify";
        let problem = Problem::new(format!("none of {read} records has a verdict")).hint(hint);
        return exit.worse(diagnostics.fatal(&problem));
    }
    let text = if args.json {
        serde_json::to_string_pretty(&calibration).unwrap_or_default()
    } else {
        report::render(&calibration, before.as_ref())
    };
    if !args.dry_run
        && let Err(problem) = write(&path, args.output.is_none(), &calibration, &store, &evidence, directory)
    {
        return diagnostics.fatal(&problem);
    }
    let mut writer = Writer::new(output);
    match writer.write_line(text.trim_end()).and_then(|()| writer.flush()) {
        Ok(()) | Err(Stopped::Closed) => {}
        Err(Stopped::Failed(problem)) => return diagnostics.fatal(&problem),
    }
    diagnostics.note(if args.dry_run {
        format!("nothing was written; without --dry-run it would be `{}`", path.display())
    } else {
        format!("written to `{}`; `classify` uses it from now on", path.display())
    });
    let is_refused = calibration.promise.as_ref().is_some_and(|promise| promise.threshold.is_none());
    if is_refused {
        diagnostics.warning(report::refusal(&calibration));
    }
    if is_refused && args.exit_status { exit.worse(Exit::No) } else { exit }
}

/// The evidence stands beside the calibration, for `--merge`.
pub(super) fn store(path: &Path) -> PathBuf {
    path.with_extension("evidence.jsonl")
}

/// Adds the evidence of earlier calibrations, if there is any.
pub(super) fn read_store(path: &Path, collection: &mut Collection) -> Result<(), Problem> {
    let cannot = || {
        Problem::new(format!("cannot read the evidence `{}`", path.display()))
            .hint("without --merge it is replaced by that of these records")
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot().because(error)),
    };
    for line in text.lines() {
        let evidence: Evidence = serde_json::from_str(line).map_err(|error| cannot().because(error))?;
        collection.add(evidence);
    }
    Ok(())
}

/// Adds the evidence of records, and returns how many there were.
pub(crate) fn read(
    mut lines: Lines,
    collection: &mut Collection,
    diagnostics: &Diagnostics,
) -> Result<(Exit, u64), Problem> {
    let (mut exit, mut count) = (Exit::Ok, 0);
    let cannot = |error| Problem::new("cannot read the records").because(error);
    while let Some(line) = lines.next_line().map_err(cannot)? {
        let number = line.number;
        count += 1;
        let added = line.into_record("classify").map_err(|(problem, _)| (None, problem)).and_then(|record| {
            let id = record.id().map(str::to_owned);
            let problem = |problem| (id, problem);
            Evidence::of(&record).map_err(problem).map(|evidence| evidence.map(|one| collection.add(one)))
        });
        if let Err((id, problem)) = added {
            exit = exit.worse(Exit::Records);
            diagnostics.record(Some(number), id.as_deref(), &problem);
        }
    }
    Ok((exit, count))
}

fn write(
    path: &Path,
    in_project: bool,
    calibration: &File,
    store: &Path,
    evidence: &[Evidence],
    directory: &Path,
) -> Result<(), Problem> {
    if in_project {
        state::Root::find(directory)
            .state()
            .map_err(|error| Problem::new("cannot make the state directory").because(error))?;
    }
    let lines: String =
        evidence.iter().filter_map(|one| Some(serde_json::to_string(one).ok()? + "\n")).collect();
    file::replace(store, lines.as_bytes())?;
    calibration.write(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_people_write_them() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.05"), Ok(0.05));
        assert_eq!(share(" 12.5 % "), Ok(0.125));
        assert!(share("5").unwrap_err().ends_with("did you mean 5%?"));
        for text in ["", "%", "0", "0%", "100%", "-1%", "five", "NaN", "inf"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
