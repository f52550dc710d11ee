//! Which backend drafts a task: the table of tiers, or what is there if nobody has written one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::section::Tier;
use shared::tiers::{self, TierSettings};
use shared::{Problem, config, process};

use crate::backend::{Answer, Job};
use crate::command::{Preset, Program};
use crate::http::{Anthropic, Client, OpenAi, Protocol, Retry};
use crate::limits::{Terms, charge};
use crate::local::Local;
use crate::native::{self, Desk};
use crate::replay::Replay;
use crate::settings::{BackendSettings, Settings};
use crate::speculate::Hedge;

/// A token for Anthropic's API, which is used where there is no key.
const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";

/// Why a task has nobody left to run it whose `max_tier` is 0.
pub(crate) const NO_MODEL: &str =
    "max_tier 0 allows no model: raise it, or say in `task.run` what is to be run";

/// An agent program that prints nothing for so long has hung (seen with several of them).
const IDLE: Duration = Duration::from_secs(15 * 60);

/// A way to get a job done.
#[derive(Debug)]
pub(crate) enum Backend {
    /// Without a model.
    Local(Local),
    /// By a program.
    Command(Program),
    /// By Anthropic's Messages API.
    Anthropic(Anthropic),
    /// By chat completions.
    OpenAi(OpenAi),
    /// From a file.
    Replay(Replay),
    /// By a worker, who has backends of its own.
    Queue,
}

impl Backend {
    /// Returns the name that `dispatch.backend` has.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Backend::Local(_) => "local",
            Backend::Command(_) => "command",
            Backend::Anthropic(_) => "anthropic",
            Backend::OpenAi(_) => "openai",
            Backend::Replay(_) => "replay",
            Backend::Queue => "queue",
        }
    }

    /// Tells whether it waits for a network, and not for a child or a file.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Backend::Anthropic(_) | Backend::OpenAi(_))
    }

    /// Does a job on this thread.
    pub(crate) fn run(&self, job: &Job) -> Answer {
        match self {
            Backend::Local(local) => local.run(job),
            Backend::Command(program) => program.run(job),
            Backend::Replay(replay) => replay.run(job),
            Backend::Anthropic(_) | Backend::OpenAi(_) => {
                Answer::Declined("it waits for a network".to_owned())
            }
            Backend::Queue => Answer::Declined("it is for a worker".to_owned()),
        }
    }

    /// Does a job by waiting for a network, until it is called off: with the tools on the desk, if there is one.
    pub(crate) async fn ask(&self, job: &Job, desk: Option<Desk>) -> Answer {
        match self {
            Backend::Anthropic(client) => converse(client, job, desk).await,
            Backend::OpenAi(client) => converse(client, job, desk).await,
            other => other.run(job),
        }
    }
}

async fn converse<P: Protocol>(client: &Client<P>, job: &Job, desk: Option<Desk>) -> Answer {
    let draft = match (client.begin(job), desk) {
        (Err(draft), _) => draft,
        (Ok(conversation), None) => conversation.ask_once().await,
        (Ok(conversation), Some(desk)) => native::work(conversation, job, desk).await,
    };
    Answer::Draft(draft)
}

/// A backend with its name and its limits.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The name in the configuration.
    pub(crate) name: String,
    pub(crate) backend: Backend,
    /// How many of its jobs run at once.
    pub(crate) limit: Option<usize>,
    pub(crate) max_output_tokens: Option<u32>,
    /// What else bounds it.
    pub(crate) terms: Terms,
    /// What tells it from another backend of the same name, in the key of a result.
    pub(crate) identity: String,
}

/// Where a job goes: the position of the lane, and the model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) lane: usize,
    pub(crate) model: Option<String>,
    pub(crate) tier: Tier,
}

/// The lanes and the models of tiers 1 to 3, first choice first.
type Tiers = [Vec<(usize, Option<String>)>; 3];

/// The lanes, and which tier uses which.
#[derive(Debug)]
pub(crate) struct Routes {
    pub(crate) lanes: Vec<std::sync::Arc<Lane>>,
    local: usize,
    local_is_on: bool,
    replay: Option<usize>,
    /// The lane of the queue, which takes every task where there is one.
    queue: Option<usize>,
    /// The lanes that ask no model.
    is_free: Vec<usize>,
    tiers: Tiers,
    /// What was found, if nobody had said what to use.
    pub(crate) found: Option<String>,
}

/// What was asked for on the command line.
#[derive(Debug, Default)]
pub(crate) struct Wishes<'a> {
    pub(crate) argv: &'a [String],
    pub(crate) backend: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) replay: Option<&'a Path>,
    pub(crate) no_local: bool,
    /// How often a request is repeated after a transient fault.
    pub(crate) retries: Option<u16>,
    /// Whether workers do everything.
    pub(crate) queue: bool,
}

/// What backends need to know of the run.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) root: PathBuf,
    pub(crate) outputs: PathBuf,
    pub(crate) output_limit: usize,
    pub(crate) output_max: u64,
}

impl Routes {
    /// Puts the lanes together from flags, configuration and what is there.
    pub(crate) fn resolve(
        wishes: &Wishes,
        settings: &Settings,
        place: &Surroundings,
    ) -> Result<Routes, Problem> {
        let mut retry = Retry::default();
        if let Some(retries) = wishes.retries {
            retry.tries = u32::from(retries) + 1;
        }
        let mut builder = Builder { settings, place, lanes: Vec::new(), retry };
        let local = builder.push(
            "local",
            Backend::Local(Local::new(place.root.clone())),
            &BackendSettings::default(),
            true,
        )?;
        let mut routes = Routes {
            lanes: Vec::new(),
            local,
            // A program for every task is a program for every task.
            local_is_on: !wishes.no_local && settings.local.unwrap_or(true) && wishes.argv.is_empty(),
            replay: None,
            queue: None,
            is_free: vec![local],
            tiers: Tiers::default(),
            found: None,
        };
        if let Some(path) = wishes.replay {
            let backend = Backend::Replay(Replay::load(path)?);
            let lane = builder.push("replay", backend, &BackendSettings::default(), true)?;
            routes.replay = Some(lane);
            routes.is_free.push(lane);
        }
        if wishes.queue {
            let lane = builder.push("queue", Backend::Queue, &BackendSettings::default(), false)?;
            routes.queue = Some(lane);
            routes.is_free.push(lane);
            routes.lanes = builder.lanes.into_iter().map(std::sync::Arc::new).collect();
            return Ok(routes);
        }
        let all = |lane: usize| [1, 2, 3].map(|_| vec![(lane, None)]);
        if !wishes.argv.is_empty() {
            let lane = builder.program(wishes.argv)?;
            if !is_agent(&wishes.argv[0]) {
                routes.is_free.push(lane);
            }
            routes.tiers = all(lane);
        } else if let Some(name) = wishes.backend {
            if name != "local" {
                routes.tiers = builder.everywhere(name)?;
            }
        } else if wishes.replay.is_some() {
            // Recorded answers, and nothing that could cost money.
        } else if settings.tiers.is_empty() {
            if let Some((name, because)) = found() {
                routes.tiers = builder.everywhere(name)?;
                routes.found = Some(format!("using `{name}` for tiers 1 to 3, because {because}"));
            }
        } else {
            routes.tiers = builder.configured()?;
        }
        if let Some(model) = wishes.model {
            for (_, tier_model) in routes.tiers.iter_mut().flatten() {
                *tier_model = Some(model.to_owned());
            }
        }
        routes.lanes = builder.lanes.into_iter().map(std::sync::Arc::new).collect();
        Ok(routes)
    }

    /// Returns where an attempt goes, first choice first.
    pub(crate) fn steps(
        &self,
        id: &str,
        attempt: u32,
        tier: Tier,
        may_be_local: bool,
        has_run: bool,
    ) -> Vec<Step> {
        if let Some(lane) = self.replay
            && let Backend::Replay(replay) = &self.lanes[lane].backend
            && replay.has(id, attempt)
        {
            return vec![Step { lane, model: None, tier }];
        }
        if let Some(lane) = self.queue {
            return vec![Step { lane, model: None, tier }];
        }
        let local = Step { lane: self.local, model: None, tier: Tier::LOCAL };
        if has_run {
            return vec![local];
        }
        let mut steps = Vec::new();
        if may_be_local && self.local_is_on {
            steps.push(local);
        }
        let places = self.of_tier(tier);
        if places.is_empty() {
            steps.extend(self.replay.map(|lane| Step { lane, model: None, tier }));
        }
        steps.extend(places);
        steps
    }

    /// Returns the backends of a tier, first choice first.
    pub(crate) fn of_tier(&self, tier: Tier) -> Vec<Step> {
        let places = &self.tiers[usize::from(tier.number()).saturating_sub(1).min(2)];
        places.iter().map(|(lane, model)| Step { lane: *lane, model: model.clone(), tier }).collect()
    }

    /// Tells whether a lane asks no model.
    pub(crate) fn is_free(&self, lane: usize) -> bool {
        self.is_free.contains(&lane)
    }

    /// Tells whether a lane gives recorded answers.
    pub(crate) fn is_recorded(&self, lane: usize) -> bool {
        matches!(self.lanes[lane].backend, Backend::Replay(_))
    }

    /// Leaves only the steps that ask no model: `local`, recorded answers, and the program that the user has named for
    /// every task, unless it is a known agent program. What a program of the configuration does is not known here.
    pub(crate) fn retain_free(&self, steps: &mut Vec<Step>) {
        steps.retain(|step| self.is_free.contains(&step.lane));
        for step in steps {
            step.tier = Tier::LOCAL;
        }
    }

    /// Returns the models that may be asked.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        self.tiers.iter().flatten().filter_map(|(_, model)| model.as_deref())
    }

    /// Tells whether answers come from a file.
    pub(crate) fn is_replay(&self) -> bool {
        self.replay.is_some()
    }

    /// Says what to do where no backend is left for a tier.
    pub(crate) fn missing(&self, tier: Tier) -> String {
        format!(
            "no backend is configured for tier {tier}: set ANTHROPIC_API_KEY or OPENAI_API_KEY, install an agent program \
             such as claude or codex, or name one in [dispatch.tiers.{tier}] of specpipe.toml"
        )
    }
}

/// Returns the backend that is there, and what shows it.
fn found() -> Option<(&'static str, String)> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    for (variable, backend) in [
        ("ANTHROPIC_API_KEY", "anthropic"),
        (AUTH_TOKEN, "anthropic"),
        ("OPENAI_API_KEY", "openai"),
        ("OPENAI_BASE_URL", "openai"),
    ] {
        if is_set(variable) {
            return Some((backend, format!("{variable} is set")));
        }
    }
    // Programs whose names nobody else has.
    let agents = [Preset::Claude, Preset::Codex, Preset::Gemini, Preset::OpenCode, Preset::Aider];
    let agent = agents.into_iter().find(|preset| process::is_installed(preset.program()))?;
    Some((
        agent.name(),
        format!("`{}` is on PATH; [dispatch.tiers] in specpipe.toml chooses otherwise", agent.program()),
    ))
}

/// Tells whether a program is a known agent program, and asks a model then.
fn is_agent(program: &str) -> bool {
    let name = Path::new(program).file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| Preset::named(name).is_some())
}

struct Builder<'a> {
    settings: &'a Settings,
    place: &'a Surroundings,
    lanes: Vec<Lane>,
    retry: Retry,
}

impl Builder<'_> {
    fn push(
        &mut self,
        name: &str,
        backend: Backend,
        settings: &BackendSettings,
        is_free: bool,
    ) -> Result<usize, Problem> {
        let charge = charge(&backend, is_free);
        let terms = Terms::of(name, charge, backend.is_remote(), settings)?;
        let identity = match &backend {
            Backend::Command(program) => {
                // What was cut off is another result where more may be printed.
                let most = program.preset.is_none().then_some(program.output_max);
                format!("{:?}", (program.preset, &program.argv, &program.env, most))
            }
            Backend::Replay(replay) => replay.fingerprint().to_owned(),
            _ => settings.base_url.clone().unwrap_or_default(),
        };
        self.lanes.push(Lane {
            name: name.to_owned(),
            backend,
            limit: settings.jobs.map(usize::from),
            max_output_tokens: settings.max_output_tokens,
            terms,
            identity,
        });
        Ok(self.lanes.len() - 1)
    }

    fn program(&mut self, argv: &[String]) -> Result<usize, Problem> {
        let program = Program {
            argv: argv.to_vec(),
            output_limit: self.place.output_limit,
            output_max: self.place.output_max,
            outputs: self.place.outputs.clone(),
            ..Program::default()
        };
        // Its limits can be configured like those of any other backend.
        let settings = self.settings.backends.get("command").cloned().unwrap_or_default();
        self.push("command", Backend::Command(program), &settings, !is_agent(&argv[0]))
    }

    /// Returns one backend for all tiers, with its usual models.
    fn everywhere(&mut self, name: &str) -> Result<Tiers, Problem> {
        let lane = self.lane(name)?;
        let settings = self.settings.backends.get(name);
        let kind = settings.and_then(|settings| settings.kind.as_deref()).unwrap_or(name);
        let variable = if kind == "anthropic" { "ANTHROPIC_BASE_URL" } else { "OPENAI_BASE_URL" };
        let is_own = settings.is_some_and(|settings| settings.base_url.is_some())
            || std::env::var_os(variable).is_some();
        let own = |index: usize| {
            let places = &self.settings.tiers.get(&(index + 1).to_string())?.places;
            places.iter().find(|(backend, _)| backend == name).and_then(|(_, model)| model.clone())
        };
        let models = tiers::usual_models(kind, is_own);
        Ok([0, 1, 2].map(|index| {
            let model = own(index).or_else(|| models[index].map(str::to_owned));
            vec![(lane, model)]
        }))
    }

    /// Returns the backends of the table of tiers. A tier without one uses that of the next tier that has one.
    fn configured(&mut self) -> Result<Tiers, Problem> {
        let mut tiers = Tiers::default();
        for (name, TierSettings { places, .. }) in &self.settings.tiers {
            let Some(index) = ["1", "2", "3"].iter().position(|tier| tier == name) else {
                return Err(Problem::new(format!("there is no tier `{name}` for [dispatch.tiers]"))
                    .hint("tiers that ask a model are 1, 2 and 3"));
            };
            for (backend, model) in places.iter().filter(|(backend, _)| backend != "local") {
                let place = (self.lane(backend)?, model.clone());
                if !tiers[index].contains(&place) {
                    tiers[index].push(place);
                }
            }
        }
        for index in (0..2).rev() {
            if tiers[index].is_empty() && !self.settings.tiers.contains_key(&(index + 1).to_string()) {
                tiers[index] = tiers[index + 1].clone();
            }
        }
        Ok(tiers)
    }

    /// Returns the lane of a backend by its name, and makes it if need be.
    fn lane(&mut self, name: &str) -> Result<usize, Problem> {
        if let Some(index) = self.lanes.iter().position(|lane| lane.name == name) {
            return Ok(index);
        }
        let settings = self.settings.backends.get(name).cloned().unwrap_or_default();
        let default =
            if settings.command.is_empty() || Preset::named(name).is_some() { name } else { "command" };
        let kind = settings.kind.as_deref().unwrap_or(default).to_owned();
        let backend = match kind.as_str() {
            "anthropic" => Backend::Anthropic(self.anthropic(&settings)?),
            "openai" => Backend::OpenAi(self.openai(&settings)?),
            "replay" => {
                let file = settings.file.as_deref().ok_or_else(|| self.lacks(name, "file"))?;
                Backend::Replay(Replay::load(file)?)
            }
            "command" if settings.command.is_empty() => return Err(self.lacks(name, "command")),
            other => match (Preset::named(other), other) {
                (None, "command") | (Some(_), _) => {
                    Backend::Command(self.agent(Preset::named(other), &settings))
                }
                (None, _) => return Err(self.unknown(other)),
            },
        };
        self.push(name, backend, &settings, false)
    }

    fn agent(&self, preset: Option<Preset>, settings: &BackendSettings) -> Program {
        Program {
            argv: settings.command.clone(),
            env: settings.env.clone().into_iter().collect(),
            preset,
            idle_timeout: settings.idle_timeout.or(preset.map(|_| IDLE)).filter(|timeout| !timeout.is_zero()),
            output_limit: self.place.output_limit,
            output_max: self.place.output_max,
            outputs: self.place.outputs.clone(),
        }
    }

    fn anthropic(&self, settings: &BackendSettings) -> Result<Anthropic, Problem> {
        let (url, key, variable) = server(settings, "ANTHROPIC", "https://api.anthropic.com");
        // A gateway in front of the API gives out tokens, which have a header of their own.
        let token = || std::env::var(AUTH_TOKEN).ok().filter(|token| !token.is_empty());
        let token = if key.is_none() && settings.key_env.is_none() { token() } else { None };
        let client = match token {
            Some(token) => {
                let client = Anthropic::new(&url, Some(&token), None, self.retry.clone())?;
                client.bearer()?.key_from(AUTH_TOKEN)
            }
            None => Anthropic::new(&url, key.as_deref(), None, self.retry.clone())?.key_from(&variable),
        };
        let client = client.paced(settings.requests_per_minute, settings.tokens_per_minute);
        let client = match settings.hedge {
            Some(late) => client.hedged(Hedge::new(late, settings.hedge_share)),
            None => client,
        };
        match settings.idle_timeout {
            Some(idle) => Ok(client.idle_timeout(idle)),
            None => Ok(client),
        }
    }

    fn openai(&self, settings: &BackendSettings) -> Result<OpenAi, Problem> {
        let (url, key, variable) = server(settings, "OPENAI", "https://api.openai.com/v1");
        let client = OpenAi::new(&url, key.as_deref(), None, self.retry.clone())?.key_from(&variable);
        let client = client.paced(settings.requests_per_minute, settings.tokens_per_minute);
        let client = match settings.hedge {
            Some(late) => client.hedged(Hedge::new(late, settings.hedge_share)),
            None => client,
        };
        match settings.idle_timeout {
            Some(idle) => Ok(client.idle_timeout(idle)),
            None => Ok(client),
        }
    }

    fn lacks(&self, name: &str, key: &str) -> Problem {
        Problem::new(format!("the backend `{name}` has no `{key}`"))
            .hint(format!("set it in [dispatch.backends.{name}] of specpipe.toml"))
    }

    fn unknown(&self, name: &str) -> Problem {
        let mut known: Vec<&str> = vec!["local", "anthropic", "openai"];
        known.extend(Preset::ALL.map(Preset::name));
        let own = self.settings.backends.keys().map(String::as_str);
        known.extend(
            own.filter(|own| !["local", "anthropic", "openai"].contains(own) && Preset::named(own).is_none()),
        );
        let list = known.join(", ");
        // Whoever mistypes a name mostly begins it well; a name that begins otherwise is a bad guess.
        let near = config::nearest(name, &known).filter(|near| near.chars().next() == name.chars().next());
        let hint = match near {
            Some(nearest) => format!("did you mean `{nearest}`? known are {list}"),
            None => format!("known are {list}; [dispatch.backends.{name}] in specpipe.toml adds one"),
        };
        Problem::new(format!("there is no backend `{name}`")).hint(hint)
    }
}

/// Returns the address, the key and where the key comes from.
fn server(settings: &BackendSettings, prefix: &str, default: &str) -> (String, Option<String>, String) {
    let from_env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let variable = settings.key_env.clone().unwrap_or_else(|| format!("{prefix}_API_KEY"));
    let url = settings.base_url.clone().or_else(|| from_env(&format!("{prefix}_BASE_URL")));
    (url.unwrap_or_else(|| default.to_owned()), from_env(&variable), variable)
}
