//! `classify` decides how hard each task is, and who should draft it.
//!
//! It reads the member `task` of each record and writes `classify`: a task and the user's rules go in, a decision with its
//! reasons comes out. Only if `--ask` says so, a model is asked about what is in doubt; only if `--reflect` says so, it looks at
//! a project and at what failed there before. What the decision leads to is left to `dispatch`.
//!
//! On the way from text to decision: `words` takes the text apart, `lexicon` knows what words mean, `subject` takes
//! off labels, `clause` finds who asks for what, `flowchart` and `rubric` place each clause, `reading` finds the one
//! that decides, `features` makes a vector of all this, of which `model` has an opinion, `risk` says what an error would cost,
//! `compound` finds the steps, and `decide` puts it all together. What comes after a decision has a room of its own each:
//! `calibration` and `replay` (what became of tasks), `effort`, `economics` and `spend` (what they cost), `reflection` and
//! `index` (whether they are ready), `ask` (who else could be asked).

mod args;
mod ask;
mod calibration;
mod clause;
mod compound;
mod config;
mod decide;
mod economics;
mod effort;
mod executor;
mod explain;
mod features;
mod flowchart;
mod fnv;
mod index;
mod lexicon;
mod linear;
mod mode;
mod model;
mod plain;
mod reading;
mod reckon;
mod reflection;
mod replay;
mod risk;
mod rubric;
mod rules;
mod spend;
mod subject;
mod words;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod properties;

use std::io::Cursor;
use std::path::PathBuf;

pub use args::{Args, Command};
use ask::{Advice, Asker};
pub use calibration::Calibrate;
use calibration::Calibration;
use config::Config;
use decide::Decided;
pub use index::IndexArgs;
pub use model::train::TrainArgs;
use reckon::Reckoner;
pub use reflection::Mode as Reflect;
use reflection::Reflector;
pub use replay::Replay;
use shared::section::{Asked, Classify, Readiness, Reflection, Task};
use shared::{Diagnostics, Exit, Io, Problem, Record, Stage, interrupt};

/// Runs the program.
pub fn run(args: Args, mut io: Io) -> Exit {
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    match &args.command {
        Some(Command::Index(args)) => return index::run(args, &directory, io),
        Some(Command::Train(args)) => return model::train::run(args, &io),
        Some(Command::Calibrate(_) | Command::Replay(_)) | None => {}
    }
    let config = match Config::new(&args, &directory) {
        Ok(config) => config,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    let max_line = args.common.max_line;
    match &args.command {
        Some(Command::Calibrate(args)) => return calibration::run(args, &directory, max_line, io),
        Some(Command::Replay(args)) => return replay::run(args, &config, &directory, max_line, io),
        Some(Command::Index(_) | Command::Train(_)) | None => {}
    }
    let calibration = match Calibration::load(&config.calibration, &directory) {
        Ok(calibration) => calibration,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    if !args.text.is_empty() {
        io.input = Box::new(Cursor::new(records(&args.text)));
    } else if let Err(problem) = io.read_files(&args.files) {
        return io.diagnostics.usage(&problem);
    }
    if args.lines {
        io.input = Box::new(plain::Plain::new(io.input));
    }
    let diagnostics = io.diagnostics.clone();
    let mut reckoner = match config.reckoner(&args, &directory, &diagnostics) {
        Ok(reckoner) => reckoner,
        Err(problem) => return diagnostics.usage(&problem),
    };
    if let Some(calibration) = &calibration {
        let measured = [1, 2, 3].map(|tier| calibration.tokens_per_turn(tier));
        reckoner.tokens_per_turn = effort::by_nearest(measured);
        if let Some(economy) = &mut reckoner.economy {
            economy.min_evidence = calibration.min_evidence();
        }
    }
    let (filter, target) = (config.filter, config.target);
    let asker = config.ask.clone().map(|settings| Asker::new(settings, &directory, diagnostics.clone()));
    let reflector = Reflector::new(config.reflect, config.explain, directory);
    let mut classifier =
        Classifier { config, reckoner, reflector, calibration, asker, diagnostics: diagnostics.clone() };
    if let Some(target) = target {
        match spend::survey(&classifier, target, io.input, filter) {
            Ok((spend, again)) => {
                classifier.reckoner.spend = Some(spend);
                io.input = again;
            }
            Err(problem) => return diagnostics.fatal(&problem),
        }
    }
    let exit = shared::filter(&classifier, io, filter);
    // Of a run that was broken off, no total is true.
    if let Some(spend) = &classifier.reckoner.spend
        && exit != Exit::Fatal
        && !interrupt::requested()
    {
        spend.tell(&diagnostics);
    }
    if let Some(reflector) = &classifier.reflector {
        reflector.finish(&diagnostics);
    }
    if let Some(asker) = &classifier.asker {
        asker.finish();
    }
    exit
}

/// Returns a record for each text of the command line.
fn records(texts: &[String]) -> Vec<u8> {
    let line = |text: &String| serde_json::json!({ "task": text }).to_string() + "\n";
    texts.iter().map(line).collect::<String>().into_bytes()
}

struct Classifier {
    config: Config,
    reckoner: Reckoner,
    /// Looks whether a task is ready, if that is asked for.
    reflector: Option<Reflector>,
    /// What verified outcomes have taught, if anything.
    calibration: Option<Calibration>,
    /// Asks a model where there is doubt, if that is asked for.
    asker: Option<Asker>,
    diagnostics: Diagnostics,
}

impl Classifier {
    /// Tells whether there is nothing to be decided any more.
    fn is_done(&self, record: &Record) -> bool {
        !self.config.force && record.raw(Self::NAME).is_some_and(|raw| raw != "null")
    }

    /// Decides about a task by itself.
    fn decide(&self, task: &Task) -> Result<Decided, Problem> {
        self.decide_with(task, None)
    }

    /// Decides about a task by itself, with the advice of who was asked about it, if anybody was.
    fn decide_with(&self, task: &Task, advice: Option<&Advice>) -> Result<Decided, Problem> {
        let mut decided = decide::decide_with(self.config.router(), task, advice)?;
        if let Some(reflector) = &self.reflector {
            reflector.weigh(task, &mut decided.classify);
        }
        if let Some(calibration) = &self.calibration {
            let rule = self.config.rules.iter().find(|rule| rule.holds(task, &task.text));
            let is_settled = rule.is_some_and(|rule| rule.tier.is_some());
            calibration.apply(&mut decided.classify, task, is_settled);
            decided.keep_promise();
        }
        Ok(decided)
    }
}

impl Stage for Classifier {
    const NAME: &'static str = "classify";
    /// A decision takes microseconds; handing over a record takes as long.
    const BATCH: usize = 256;

    fn process(&self, record: &mut Record) -> Result<(), Problem> {
        match self.consider(record)? {
            Some(considered) => self.conclude(record, considered),
            None => Ok(()),
        }
    }

    fn process_all(&self, records: &mut [&mut Record]) -> Vec<Result<(), Problem>> {
        if interrupt::requested() {
            return records.iter().map(|_| Ok(())).collect();
        }
        let Some(asker) = &self.asker else {
            return records.iter_mut().map(|record| self.process(record)).collect();
        };
        let mut all: Vec<_> = records.iter().map(|record| self.consider(record)).collect();
        self.ask(asker, &mut all);
        let conclude = |(record, considered): (&mut &mut Record, _)| match considered {
            Ok(Some(considered)) => self.conclude(record, considered),
            Ok(None) => Ok(()),
            Err(problem) => Err(problem),
        };
        records.iter_mut().zip(all).map(conclude).collect()
    }

    fn is_yes(&self, record: &Record) -> bool {
        self.config.filter.exit_status
            && matches!(record.get::<Classify>(), Ok(Some(decision)) if !decision.unsure)
    }
}

/// A task, and what is known of it before what it will take is reckoned.
struct Considered {
    task: Task,
    decided: Decided,
    reflection: Option<Reflection>,
    asked: Option<Asked>,
}

impl Classifier {
    /// Decides about the task of a record; nothing if that was done before.
    fn consider(&self, record: &Record) -> Result<Option<Considered>, Problem> {
        if self.is_done(record) {
            if self.config.explain
                && let (Some(task), Some(decision)) = (record.get::<Task>()?, record.get::<Classify>()?)
            {
                self.diagnostics.plain(explain::explanation(record.id(), &task, &decision));
            }
            return Ok(None);
        }
        let task = record.get::<Task>()?.ok_or_else(|| {
            Problem::new("no `task`")
                .hint("a record says what is to be done in `task`: a string, or an object with `text`")
        })?;
        let decided = self.decide(&task)?;
        let clear = Some(decided.opinion.clear);
        let reflection = self.reflector.as_ref().map(|reflector| reflector.reflect(&task, clear));
        Ok(Some(Considered { task, decided, reflection, asked: None }))
    }

    /// Asks about the tasks that are in doubt, but for those that are not to be worked on anyway.
    fn ask(&self, asker: &Asker, all: &mut [Result<Option<Considered>, Problem>]) {
        let is_blocked = |considered: &Considered| {
            let asks = considered.reflection.as_ref().map(|reflection| reflection.decision);
            self.config.reflect == Reflect::Block && asks == Some(Readiness::Ask)
        };
        let in_doubt = all.iter_mut().filter_map(|considered| considered.as_mut().ok()?.as_mut());
        let mut in_doubt: Vec<&mut Considered> = in_doubt
            .filter(|considered| considered.decided.classify.unsure && !is_blocked(considered))
            .collect();
        let texts: Vec<&str> = in_doubt.iter().map(|considered| considered.task.text.as_str()).collect();
        let replies = asker.ask(&texts);
        for (considered, reply) in in_doubt.iter_mut().zip(replies) {
            let before = &mut considered.decided.classify;
            match reply.advice {
                // It has been decided about before, so it can be again.
                Ok(advice) => {
                    if let Ok(mut advised) = self.decide_with(&considered.task, Some(&advice)) {
                        if advised.classify.risk < before.risk {
                            advised.classify.risk = before.risk;
                            advised.classify.reasons.push("an answer lowers no risk".to_owned());
                        }
                        considered.decided = advised;
                    }
                }
                Err(why) => before.reasons.push(why),
            }
            considered.asked = reply.asked;
        }
    }

    /// Writes the decision into the record, and does what follows from it.
    fn conclude(&self, record: &mut Record, considered: Considered) -> Result<(), Problem> {
        let Considered { task, decided, reflection, asked } = considered;
        let mut decision = self.reckoner.settle(&task, record.id(), decided);
        decision.reflection = reflection;
        decision.cost_usd = asked.as_ref().and_then(|asked| asked.cost_usd);
        decision.asked = asked;
        if self.config.explain {
            self.diagnostics.plain(explain::explanation(record.id(), &task, &decision));
        }
        record.set(&decision);
        match (&self.reflector, &decision.reflection) {
            (Some(reflector), Some(reflection)) => reflector.act(record.id(), reflection, &self.diagnostics),
            _ => Ok(()),
        }
    }
}
