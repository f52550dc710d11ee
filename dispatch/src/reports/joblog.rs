//! The log of jobs, with the columns that GNU parallel gives it and ours behind them, separated by tabs.
//!
//! `Command` is what runs the task again, never its text: there are programs that give this column to a shell.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use shared::Problem;
use shared::section::{Dispatch, Status};

use crate::engine::name_of;

const HEADER: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\t\
                      Id\tAttempt\tStatus\tTier\tExecutor\tBackend\tModel\tCostUsd\n";

#[derive(Debug)]
pub(super) struct Joblog {
    path: PathBuf,
    file: File,
    seq: u64,
}

impl Joblog {
    /// Makes a log, or goes on with one.
    pub(super) fn open(path: &Path, goes_on: bool) -> Result<Joblog, Problem> {
        let problem =
            |error| Problem::new(format!("cannot write the job log `{}`", path.display())).because(error);
        let mut seq = 0;
        if goes_on && path.exists() {
            let lines = BufReader::new(File::open(path).map_err(problem)?).split(b'\n').count();
            seq = lines.saturating_sub(1) as u64;
        }
        let mut options = OpenOptions::new();
        let mut file = options.create(true).append(true).open(path).map_err(problem)?;
        if !goes_on {
            // Appending, so that whoever rotates it loses nothing.
            file.set_len(0).map_err(problem)?;
        }
        if seq == 0 {
            file.write_all(HEADER.as_bytes()).map_err(problem)?;
        }
        Ok(Joblog { path: path.to_owned(), file, seq })
    }

    /// Adds a line.
    pub(super) fn note(&mut self, id: &str, text: &str, dispatch: &Dispatch) -> Result<(), Problem> {
        self.seq += 1;
        let line = line(self.seq, id, text, dispatch);
        self.file.write_all(line.as_bytes()).map_err(|error| {
            Problem::new(format!("cannot write the job log `{}`", self.path.display())).because(error)
        })
    }
}

fn line(seq: u64, id: &str, text: &str, dispatch: &Dispatch) -> String {
    let output = dispatch.output.as_ref().map_or(0, String::len) as u64;
    let received = dispatch.output_file.as_ref().map_or(output, |file| file.bytes);
    // Whoever looks for failures looks for what is not 0 here.
    let exit = match (dispatch.status, dispatch.exit_code) {
        (Status::Ok, code) => code.unwrap_or(0),
        (_, Some(code)) if code != 0 => code,
        _ => 1,
    };
    let or_dash = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), escaped);
    let cells = [
        seq.to_string(),
        ":".to_owned(),
        format!("{:.3}", dispatch.started_at.as_deref().map_or(0.0, seconds)),
        format!("{:.3}", dispatch.elapsed_ms as f64 / 1000.0),
        text.len().to_string(),
        received.to_string(),
        exit.to_string(),
        "0".to_owned(),
        escaped(&format!("dispatch retry {}", quoted(id))),
        escaped(id),
        dispatch.attempt.to_string(),
        name_of(dispatch.status),
        dispatch.tier.to_string(),
        escaped(&dispatch.executor),
        or_dash(dispatch.backend.as_deref()),
        or_dash(dispatch.model.as_deref()),
        dispatch.cost_usd.map_or_else(|| "-".to_owned(), |cost| format!("{cost:.6}")),
    ];
    cells.join("\t") + "\n"
}

/// Returns a time as seconds since 1970.
fn seconds(time: &str) -> f64 {
    time.parse::<jiff::Timestamp>().map_or(0.0, |time| time.as_millisecond() as f64 / 1000.0)
}

/// Returns a text as one cell.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

/// Returns an id as a shell has to be given it.
fn quoted(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | ':');
    let is_bare = !id.is_empty() && id.chars().all(|c| is_plain(c) || c == '-') && !id.starts_with('-');
    if is_bare { id.to_owned() } else { format!("-- '{}'", id.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_as_many_cells_as_the_header_whatever_is_in_it() {
        let dispatch: Dispatch = serde_json::from_str(
            r#"{"attempt":2,"status":"timeout","executor":"a\tb","tier":1,"output":"xyz","exit_code":0,"elapsed_ms":1500,
            "started_at":"2026-11-20T12:00:00.250Z","cost_usd":0.25}"#,
        )
        .unwrap();
        let line = line(7, "it's\n$(id)\t", "text", &dispatch);
        assert_eq!(line.matches('\n').count(), 1);
        let cells: Vec<&str> = line.trim_end_matches('\n').split('\t').collect();
        assert_eq!(cells.len(), HEADER.split('\t').count());
        assert_eq!(cells[..8], ["7", ":", "1795176000.250", "1.500", "4", "3", "1", "0"]);
        assert_eq!(cells[8], "dispatch retry -- 'it'\\\\''s\\n$(id)\\t'");
        assert_eq!(cells[10..], ["2", "timeout", "1", "a\\tb", "-", "-", "0.250000"]);
        assert_eq!((quoted("t-1"), quoted("-x")), ("t-1".to_owned(), "-- '-x'".to_owned()));
    }
}
