//! What a filter of the pipe is, and the loop that all filters share.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::lines::{Line, Lines};
use crate::record::Record;
use crate::section::RecordError;
use crate::writer::{Stopped, Writer};
use crate::{Exit, Io, Problem, interrupt, ordered};

/// A program that looks at one record at a time.
pub trait Stage: Sync {
    /// The name of the program and of the member that it writes.
    const NAME: &'static str;

    /// How many records are handed to a worker at once. More than one for work of microseconds.
    const BATCH: usize = 1;

    /// Does the work on a record, in place.
    ///
    /// # Errors
    /// If the work can not be done on this record. The record leaves with the reason in its `errors`.
    fn process(&self, record: &mut Record) -> Result<(), Problem>;

    /// Does the work on records that came together, at most [`BATCH`](Stage::BATCH) of them, and returns a result for
    /// each. One after the other, unless something about them can be done at once. After an interrupt they are let by.
    fn process_all(&self, records: &mut [&mut Record]) -> Vec<Result<(), Problem>> {
        let let_by =
            |record: &mut &mut Record| if interrupt::requested() { Ok(()) } else { self.process(record) };
        records.iter_mut().map(let_by).collect()
    }

    /// Looks at a record once more when its turn to leave has come, in the order of the input; tells whether it changed it.
    ///
    /// For what depends on records before it. One thread does this for all, so it has to be quick.
    fn settle(&self, _record: &mut Record) -> bool {
        false
    }

    /// Tells whether the record counts as a yes for `--exit-status`.
    fn is_yes(&self, _record: &Record) -> bool {
        true
    }
}

/// How a filter runs.
#[derive(Clone, Copy, Debug)]
pub struct FilterOptions {
    /// How many records are worked on at the same time.
    pub workers: usize,
    /// The longest line that is read, in bytes.
    pub max_line: u64,
    /// Whether a "no" becomes the exit status 1.
    pub exit_status: bool,
}

impl Default for FilterOptions {
    fn default() -> Self {
        FilterOptions { workers: processors(), max_line: crate::common::MAX_LINE, exit_status: false }
    }
}

/// Returns how many processors this process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// After an interrupt, records are let by untouched for so long: the stage before us may still be ending its children, and
/// what it hands over then must not be lost.
const LET_BY: Duration = Duration::from_secs(5);

/// Reads records, lets the stage work on them, writes them in the order they came.
///
/// Every line leaves: a broken one as a record of its error, one that the stage can not work on with the reason, one
/// that has errors already as it came.
pub fn filter<S: Stage>(stage: &S, io: Io, options: FilterOptions) -> Exit {
    interrupt::hold();
    let Io { input, output, diagnostics } = io;
    let batches = read(input, options.max_line, S::BATCH);
    let stop = AtomicBool::new(false);
    let input = Batches { receiver: batches, stop: &stop, since: None };
    let mut writer = Writer::new(output);
    let mut exit = Exit::Ok;
    let window = options.workers * 4;
    let work = |batch: std::io::Result<Batch>| batch.map(|batch| batch.process(stage));
    let stopped = ordered::map(options.workers, window, input, work, |done| {
        let written = match done {
            // Nobody behind us waits for a record because it stands in our buffer.
            None => writer.flush(),
            Some(Err(error)) => {
                Err(Stopped::Failed(Problem::new("cannot read standard input").because(error)))
            }
            Some(Ok(mut done)) => {
                for record in &mut done.records {
                    if stage.settle(record) {
                        done.any_no |= !stage.is_yes(record);
                    }
                }
                for (line, id, problem) in &done.problems {
                    exit = exit.worse(Exit::Records);
                    diagnostics.record(Some(*line), id.as_deref(), problem);
                }
                if done.any_no && options.exit_status {
                    exit = exit.worse(Exit::No);
                }
                done.records.iter().try_for_each(|record| writer.write(record))
            }
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(stopped) => {
                stop.store(true, Ordering::Relaxed);
                ControlFlow::Break(stopped)
            }
        }
    });
    match stopped.map_or_else(|| writer.flush(), Err) {
        Ok(()) => exit,
        Err(Stopped::Closed) => Exit::Ok,
        Err(Stopped::Failed(problem)) => {
            // What is finished must not be lost because the input broke.
            let _ = writer.flush();
            diagnostics.fatal(&problem)
        }
    }
}

/// Reads lines on a thread that nobody waits for: a read that waits for a line can not be called off.
fn read(
    input: Box<dyn std::io::Read + Send>,
    max_line: u64,
    batch: usize,
) -> Receiver<std::io::Result<Batch>> {
    let (sender, receiver) = sync_channel(4);
    std::thread::spawn(move || {
        let mut lines = Lines::new(input, max_line);
        loop {
            match lines.next_line() {
                Ok(None) => return,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return;
                }
                Ok(Some(line)) => {
                    let mut all = vec![line];
                    // Only lines that are here already: nobody waits for a batch to fill.
                    while all.len() < batch && lines.has_line() {
                        match lines.next_line() {
                            Ok(Some(line)) => all.push(line),
                            _ => break,
                        }
                    }
                    if sender.send(Ok(Batch { lines: all })).is_err() {
                        return;
                    }
                }
            }
        }
    });
    receiver
}

struct Batch {
    lines: Vec<Line>,
}

struct Done {
    records: Vec<Record>,
    problems: Vec<(u64, Option<String>, Problem)>,
    any_no: bool,
}

impl Batch {
    fn process<S: Stage>(self, stage: &S) -> Done {
        let mut done =
            Done { records: Vec::with_capacity(self.lines.len()), problems: Vec::new(), any_no: false };
        // The line of each record that the stage works on; the others leave as they are.
        let mut numbers = Vec::with_capacity(self.lines.len());
        for line in self.lines {
            let number = line.number;
            let record = match line.into_record(S::NAME) {
                Ok(record) => {
                    numbers.push((!record.has_errors()).then_some(number));
                    record
                }
                Err((problem, record)) => {
                    done.problems.push((number, None, problem));
                    numbers.push(None);
                    *record
                }
            };
            done.records.push(record);
        }
        let at_work = done.records.iter_mut().zip(&numbers).filter(|(_, number)| number.is_some());
        let mut at_work: Vec<&mut Record> = at_work.map(|(record, _)| record).collect();
        let results = stage.process_all(&mut at_work);
        for ((record, number), result) in at_work.into_iter().zip(numbers.iter().flatten()).zip(results) {
            if let Err(problem) = result {
                record.push_error(problem.to_record_error(S::NAME, Some(*number)));
                done.problems.push((*number, record.id().map(str::to_owned), problem));
            }
        }
        done.problems.sort_by_key(|(number, ..)| *number);
        done.any_no = done.records.iter().any(|record| record.has_errors() || !stage.is_yes(record));
        done
    }
}

impl Problem {
    /// Returns the problem as an entry of `errors`.
    pub fn to_record_error(&self, stage: &str, line: Option<u64>) -> RecordError {
        RecordError {
            stage: stage.to_owned(),
            line,
            message: self.full_message(),
            hint: self.first_hint().map(str::to_owned),
            ..RecordError::default()
        }
    }
}

/// The batches, until there are no more or nobody wants them.
struct Batches<'a> {
    receiver: Receiver<std::io::Result<Batch>>,
    stop: &'a AtomicBool,
    /// When the interrupt was seen.
    since: Option<Instant>,
}

impl Iterator for Batches<'_> {
    type Item = std::io::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if interrupt::requested() {
                let since = *self.since.get_or_insert_with(Instant::now);
                // Whoever types at a terminal is the one who wants us to end.
                if since.elapsed() > LET_BY || std::io::stdin().is_terminal() {
                    return None;
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            match self.receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(batch) => return Some(batch),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::Task;

    struct Count;

    impl Stage for Count {
        const NAME: &'static str = "classify";
        const BATCH: usize = 3;

        fn process(&self, record: &mut Record) -> Result<(), Problem> {
            let task = record.get::<Task>()?.ok_or_else(|| Problem::new("no `task`").hint("add one"))?;
            record.set_raw("classify", task.text.len().to_string());
            Ok(())
        }

        fn is_yes(&self, record: &Record) -> bool {
            record.raw("classify") != Some("1")
        }
    }

    fn run(input: &[u8], exit_status: bool) -> (Exit, String, String) {
        let (io, memory) = Io::in_memory(input);
        let exit = filter(&Count, io, FilterOptions { workers: 3, exit_status, ..FilterOptions::default() });
        (exit, memory.output(), memory.errors())
    }

    #[test]
    fn every_line_leaves_in_order_in_whatever_state() {
        let input = b"{\"id\":\"a\",\"task\":\"xyz\"}\nbroken\n\n{\"id\":\"b\"}\n{\"id\":\"c\",\"errors\":[1],\"x\":1.10}\n{\"id\":\"d\",\"task\":{\"text\":\"y\"}}";
        let (exit, output, errors) = run(input, true);
        let lines: Vec<_> = output.lines().collect();
        assert_eq!(lines.len(), 5, "{output}");
        assert_eq!(lines[0], r#"{"id":"a","task":"xyz","classify":3}"#);
        assert!(lines[1].starts_with(r#"{"errors":[{"stage":"classify","line":2,"#), "{}", lines[1]);
        assert_eq!(
            lines[2],
            r#"{"id":"b","errors":[{"stage":"classify","line":4,"message":"no `task`","hint":"add one"}]}"#
        );
        assert_eq!(lines[3], r#"{"id":"c","errors":[1],"x":1.10}"#);
        assert_eq!(lines[4], r#"{"id":"d","task":{"text":"y"},"classify":1}"#);
        assert_eq!(exit, Exit::Records);
        assert!(errors.contains("test: error: line 4, id b: no `task`\ntest: hint: add one\n"), "{errors}");
    }

    #[test]
    fn a_no_is_a_status_only_when_it_is_asked_for() {
        assert_eq!(run(b"{\"task\":\"x\"}\n", false).0, Exit::Ok);
        assert_eq!(run(b"{\"task\":\"x\"}\n", true).0, Exit::No);
        assert_eq!(run(b"{\"task\":\"xx\"}\n", true).0, Exit::Ok);
        assert_eq!(run(b"", true).0, Exit::Ok);
    }
}
