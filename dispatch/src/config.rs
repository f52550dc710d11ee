//! The command line as it is understood: flags over environment over specpipe.toml over what is usual.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::price::Table;
use shared::section::{Status, Tier};
use shared::state::{DIRECTORY, Root};
use shared::{Diagnostics, Problem, config, processors};

use crate::args::{Args, Deps, Ended, Format, Merging, Worktrees};
use crate::broker::address::{Queue, without_secret};
use crate::estimate;
use crate::executors::Agents;
use crate::incoming::{Known, Need};
use crate::limits::Rules;
use crate::progress::Wanted;
use crate::replay::Recorder;
use crate::reports::Reports;
use crate::route::{Routes, Step, Surroundings, Wishes};
use crate::settings::{NativeSettings, QueueSettings, Settings};
use crate::speculate::{Check, Speculation};
use crate::trace::Trace;
use crate::worktree::dependencies::Wish;
use crate::worktree::{check_base, is_bare};

/// How long one attempt may take, if nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// How much of an output stays in its record.
const OUTPUT_LIMIT: u64 = 64 << 10;

/// How much a program may print, if nobody says otherwise.
const OUTPUT_MAX: u64 = 256 << 20;

/// Fewer tasks at once would leave a machine idle that mostly waits for others.
const FEWEST_JOBS: usize = 4;

/// How many tasks are with workers at once, if nobody says otherwise.
const GIVEN_OUT: usize = 256;

/// All that a run has to know.
pub(crate) struct Config {
    pub(crate) jobs: usize,
    pub(crate) deps: Deps,
    pub(crate) as_completed: bool,
    pub(crate) window: usize,
    pub(crate) rerun: Vec<Status>,
    pub(crate) dry_run: bool,
    pub(crate) plan_format: Format,
    /// Whether compound tasks are run in parts.
    pub(crate) decompose: bool,
    pub(crate) resume: bool,
    pub(crate) journal: bool,
    pub(crate) worktrees: bool,
    /// The commit that worktrees start from, if not where the checkout stands.
    pub(crate) base: Option<String>,
    /// What is made available in them.
    pub(crate) dependencies: Wish,
    /// Which work is merged, and into which branch if the user has named one.
    pub(crate) merge: Option<Merging>,
    pub(crate) merge_into: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) limits: Rules,
    pub(crate) output_limit: usize,
    pub(crate) max_line: u64,
    pub(crate) exit_status: bool,
    pub(crate) root: Root,
    /// Where dispatch was started.
    pub(crate) directory: PathBuf,
    pub(crate) routes: Routes,
    pub(crate) agents: Agents,
    pub(crate) prices: Table,
    pub(crate) native: NativeSettings,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) trace: Option<Trace>,
    pub(crate) speculation: Speculation,
    /// What drafts beyond the first may cost together, in US dollars.
    pub(crate) speculation_budget: Option<f64>,
    pub(crate) reports: Reports,
    pub(crate) shown: Wanted,
    /// The queue that tasks are given to.
    pub(crate) queue: Option<Queue>,
    /// The queue that tasks come from.
    pub(crate) worker: Option<Queue>,
    pub(crate) worker_name: Option<String>,
}

impl Config {
    /// Puts all layers together.
    pub(crate) fn resolve(args: &Args, diagnostics: &Diagnostics) -> Result<Config, Problem> {
        let directory = std::env::current_dir()
            .map_err(|error| Problem::new("cannot find the working directory").because(error))?;
        let root = Root::find(&directory);
        let mut settings: Settings = config::load("dispatch", args.common.config.as_deref(), &directory)?;
        let limits = Rules::resolve(args, &settings)?;
        let (queue, worker) = queues(args, &settings.queue)?;
        let race = &settings.race;
        let speculation_budget = args.race_budget.or(race.budget_usd);
        if speculation_budget.is_some_and(|budget| !budget.is_finite() || budget < 0.0) {
            return Err(Problem::new("the budget for races is no amount of money")
                .hint("write US dollars such as 5 or 0.25"));
        }
        let check = args.check.clone().or_else(|| race.check.clone());
        let speculation = Speculation {
            // With a queue it is the workers who race.
            drafts: args.race.clone().or_else(|| race.drafts.clone()).filter(|_| queue.is_none()),
            when: if args.race_if.is_empty() { race.when.clone() } else { args.race_if.clone() },
            check: check.map_or(Check::Plain, Check::Command),
        };
        if args.check.is_some() && speculation.drafts.is_none() && queue.is_none() {
            return Err(Problem::new("--check chooses among the drafts of a race, and there is no race")
                .hint("add --race 2, or put `verify` behind dispatch to judge single drafts"));
        }
        if speculation.drafts.is_some() && args.record.is_some() {
            return Err(Problem::new(
                "answers can not be recorded of a race: there would be several for one attempt",
            )
            .hint("leave out --record, or say --race 1"));
        }
        let output_limit = args.output_limit.or(settings.output_limit).unwrap_or(OUTPUT_LIMIT);
        let output_limit = usize::try_from(output_limit).unwrap_or(usize::MAX).max(1);
        let place = Surroundings {
            root: root.path.clone(),
            outputs: root.path.join(DIRECTORY).join("outputs"),
            output_limit,
            output_max: args
                .output_max
                .or(settings.output_max)
                .map_or(OUTPUT_MAX, |most| if most == 0 { u64::MAX } else { most }),
        };
        let wishes = Wishes {
            argv: &args.argv,
            backend: args.backend.as_deref(),
            model: args.model.as_deref(),
            replay: args.replay.as_deref(),
            no_local: args.no_local,
            retries: args.retries.or(settings.retries),
            queue: queue.is_some(),
        };
        let routes = Routes::resolve(&wishes, &settings, &place)?;
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let (agents, broken) = Agents::load(&root.path, home.as_deref());
        for problem in broken {
            diagnostics.warning(problem.full_message());
        }
        let deps = args.deps.or(settings.deps).unwrap_or_default();
        let prices = args.prices.as_deref().or(settings.prices.as_deref());
        // How many workers there are is not known here; their own limits hold there.
        let usual = || if queue.is_some() { GIVEN_OUT } else { processors().max(FEWEST_JOBS) };
        let jobs = args.jobs.or(settings.jobs).map_or_else(usual, usize::from);
        let worktrees = args.worktrees.or(settings.worktrees).unwrap_or_default();
        let worktrees = worktrees == Worktrees::Auto && (root.git || is_bare(&root.path));
        let base = args.base.clone().or(settings.worktree.base.take()).filter(|_| worktrees);
        if args.merge.is_none() && args.merge_into.is_some() {
            return Err(Problem::new("there is a branch to merge into, and nothing is merged")
                .hint("say --merge for accepted work, or --merge=finished"));
        }
        if args.merge.is_some() && !worktrees {
            return Err(Problem::new("there is nothing to merge without worktrees")
                .hint("run dispatch in a git repository, and without --worktrees never"));
        }
        if let Some(base) = &base {
            check_base(&root.path, base)?;
        }
        let mut rerun: Vec<Status> = args.rerun.iter().copied().map(Status::from).collect();
        if rerun.is_empty() {
            rerun.push(Status::Cancelled);
        }
        Ok(Config {
            jobs: jobs.max(1),
            deps,
            as_completed: args.as_completed || worker.is_some(),
            window: args.window as usize,
            rerun,
            reports: match args.dry_run {
                true => Reports::default(),
                false => Reports::open(args.joblog.as_deref(), args.results.as_deref(), args.resume)?,
            },
            shown: Wanted { only_line: args.bar, eta: args.eta },
            dry_run: args.dry_run,
            plan_format: args.format,
            // Who waits for verdicts between two tasks goes through the pipe task by task.
            decompose: worker.is_none()
                && !args.no_decompose
                && settings.decompose.unwrap_or(true)
                && deps == Deps::Finished,
            resume: args.resume,
            journal: !args.no_journal,
            worktrees,
            base,
            dependencies: settings.worktree.into(),
            merge: args.merge,
            merge_into: args.merge_into.clone(),
            timeout: Some(args.timeout.or(settings.timeout).unwrap_or(TIMEOUT))
                .filter(|timeout| !timeout.is_zero()),
            limits,
            output_limit,
            max_line: args.common.max_line,
            exit_status: args.exit_status,
            speculation,
            speculation_budget,
            root,
            directory,
            routes,
            agents,
            native: settings.native.clone(),
            prices: prices.map_or_else(|| Ok(Table::built_in()), Table::load)?,
            trace: args.trace.as_deref().filter(|_| !args.dry_run).map(Trace::create).transpose()?,
            recorder: args.record.as_deref().map(|path: &Path| Recorder::create(path)).transpose()?,
            queue,
            worker,
            worker_name: args.worker_name.clone(),
        })
    }
}

impl Config {
    /// Returns where the drafts of an attempt go that is to be made on a tier; fewer than two if it does not race.
    pub(crate) fn entrants(&self, known: &Known, need: &Need, tier: Tier, step: Option<&Step>) -> Vec<Step> {
        self.speculation.entrants(&self.routes, known, need, tier, step)
    }

    /// Returns what a draft is expected to cost in US dollars, if its price is known.
    pub(crate) fn expected(&self, known: &Known, step: &Step) -> Option<f64> {
        if self.routes.is_free(step.lane) {
            return Some(0.0);
        }
        let agent = self.agents.get(known.executor()).ok()?;
        let own = || agent.model_on(&self.routes.lanes[step.lane].backend);
        let model = step.model.clone().or_else(own);
        estimate::cost(&self.prices, known, model.as_deref(), agent.body.len()).map(|(cost, _)| cost.expected)
    }
}

/// Returns the queue that tasks are given to, and the one that they come from.
fn queues(args: &Args, settings: &QueueSettings) -> Result<(Option<Queue>, Option<Queue>), Problem> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let from_env = variable("SPECPIPE_DISPATCH_QUEUE");
    let resolve = |text: &str| {
        without_secret(Some(text), from_env.as_deref())?;
        Queue::resolve(text, settings, variable)
    };
    let Some(worker) = &args.worker else {
        let chooses =
            !args.argv.is_empty() || args.replay.is_some() || args.record.is_some() || args.no_local;
        if args.queue.is_some() && chooses {
            return Err(Problem::new("with a queue, what does the tasks is said to the workers")
                .hint("leave out the program, --replay, --record and --no-local here, and give them to `dispatch --worker`"));
        }
        return Ok((args.queue.as_deref().map(resolve).transpose()?, None));
    };
    // Who is a worker gives nothing out; the variable says then where the tasks come from.
    let named = if worker.is_empty() { from_env.clone() } else { Some(worker.clone()) };
    match (named, settings.url.as_deref()) {
        (Some(text), _) => Ok((None, Some(resolve(&text)?))),
        (None, Some(text)) => Ok((None, Some(Queue::resolve(text, settings, variable)?))),
        (None, None) => Err(Problem::new("--worker has no address of a queue")
            .hint("write --worker nats://HOST, or set SPECPIPE_DISPATCH_QUEUE or `url` in [dispatch.queue]")),
    }
}

impl From<Ended> for Status {
    fn from(ended: Ended) -> Status {
        match ended {
            Ended::Failed => Status::Failed,
            Ended::Refused => Status::Refused,
            Ended::Truncated => Status::Truncated,
            Ended::Timeout => Status::Timeout,
            Ended::Transport => Status::Transport,
            Ended::Auth => Status::Auth,
            Ended::Quota => Status::Quota,
            Ended::Budget => Status::Budget,
            Ended::Unavailable => Status::Unavailable,
            Ended::Cancelled => Status::Cancelled,
        }
    }
}
