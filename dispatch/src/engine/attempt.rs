//! From a released task to a job: whether it is run, what it is told, and where it goes.

use std::collections::BTreeMap;
use std::time::Instant;

use shared::section::{Decision, Dispatch, Earlier, Gates, Race, Rival, Status, Tier};

use super::{Engine, Halt, Held, Run, journal_problem, spill_problem};
use crate::args::Deps;
use crate::backend::Job;
use crate::executors::needs::{self, Placement};
use crate::incoming::{Known, Need, spent_before};
use crate::journal::Key;
use crate::limits::{Asking, BYTES_PER_TOKEN, LONGEST_ANSWER, Leave, TaskBudget};
use crate::perform::{Assignment, Carried};
use crate::prompt::{Rejected, guided, plain, prompt, results};
use crate::queue::Place;
use crate::results::{Ending, Handed, Standing};
use crate::route::{NO_MODEL, Step};
use crate::schedule::{IdHash, Seq};

/// An attempt that is to be made.
pub(super) struct Attempt {
    pub(super) number: u32,
    pub(super) tier: Tier,
    pub(super) executor: String,
    /// Why executor or tier are not those that `classify` has said.
    pub(super) moved: Option<String>,
    pub(super) earlier: Vec<Earlier>,
    pub(super) inputs: BTreeMap<String, u32>,
    pub(super) key: Key,
    /// Where it may go, first choice first.
    pub(super) steps: Vec<Step>,
    /// Why those before have declined it.
    pub(super) declined: Vec<String>,
    /// What is told of its race.
    pub(super) race: Option<Race>,
    /// The drafts that were paid for and lost.
    pub(super) lost: Vec<Rival>,
    /// What somebody wants to be different, after an attempt that this one replaces.
    pub(super) guidance: Vec<String>,
}

impl Attempt {
    /// Returns an attempt that is given to no backend.
    pub(super) fn unmade(
        known: &Known,
        tier: Tier,
        inputs: BTreeMap<String, u32>,
        because: Option<String>,
    ) -> Attempt {
        Attempt {
            number: known.next_attempt(),
            tier,
            executor: known.executor().to_owned(),
            moved: None,
            earlier: known.earlier(because),
            inputs,
            key: Key::of([]),
            steps: Vec::new(),
            declined: Vec::new(),
            race: None,
            lost: Vec::new(),
            guidance: Vec::new(),
        }
    }

    /// Notes that the backend it was given to has declined it.
    pub(super) fn declined(&mut self, why: String) {
        self.steps.remove(0);
        self.declined.push(why);
    }

    /// Notes that it races, or why it does not, and where its drafts go.
    pub(super) fn enter<'s>(&mut self, race: Race, drafts: impl Iterator<Item = &'s Step>) {
        self.race = Some(race);
        for (at, draft) in drafts.enumerate() {
            let known = self.steps.iter().position(|step| step == draft);
            // The first stays where it is: it is the place that the others follow.
            if let Some(known) = known.filter(|known| at > 0 && *known > 0) {
                self.steps.remove(known);
            }
        }
    }

    /// Goes on to the next place that could do it; tells whether there is one.
    pub(super) fn next_place(&mut self) -> bool {
        let has_next = self.steps.len() > 1;
        if has_next {
            self.steps.remove(0);
        }
        has_next
    }

    /// Returns where it goes now.
    pub(super) fn step(&self) -> Option<&Step> {
        self.steps.first()
    }

    /// Returns a section that says how it ended without having run.
    pub(super) fn unrun(&self, status: Status, reason: String) -> Dispatch {
        Dispatch {
            attempt: self.number,
            status,
            executor: self.executor.clone(),
            moved: self.moved.clone(),
            backend: None,
            model: None,
            tier: self.tier,
            output: None,
            output_file: None,
            stderr: None,
            exit_code: None,
            reason: Some(reason),
            usage: None,
            cost_usd: None,
            price_table: None,
            started_at: None,
            elapsed_ms: 0,
            stop_reason: None,
            turns: None,
            action: None,
            retries: None,
            hedged: None,
            worktree: None,
            branch: None,
            base: None,
            commit: None,
            files_changed: None,
            merge: None,
            transcript: None,
            inputs: self.inputs.clone(),
            parts: Vec::new(),
            worker: None,
            race: self.race.clone(),
            rivals: self.lost.clone(),
            earlier: self.earlier.clone(),
        }
    }
}

/// How the dependencies of a task stand, all of which have ended.
enum Inputs {
    Ready(Vec<Handed>),
    /// One has not been done yet, and this is no reason to skip what needs it.
    Waiting,
    /// One did not end well: its id and how.
    Missing(String, Ending),
}

impl Engine {
    /// Decides what happens with a task whose dependencies have ended.
    pub(super) fn consider(&mut self, seq: Seq) -> Result<(), Halt> {
        if self.joins(seq)? {
            return Ok(());
        }
        let inputs = match self.inputs(seq)? {
            Inputs::Ready(inputs) => inputs,
            Inputs::Waiting => return self.leave(seq),
            Inputs::Missing(id, ending) => return self.skip(seq, &id, ending),
        };
        let Some(held) = self.held.get(&seq) else { return Ok(()) };
        let because = match &held.need {
            Need::IfReplaced => match replaced(&held.known, &inputs) {
                Some(because) => Some(because),
                None => return self.leave(seq),
            },
            _ => None,
        };
        let attempt = match self.plan(held, &inputs, because) {
            Ok(attempt) => attempt,
            Err(problem) => {
                let Some(held) = self.take_out(seq) else { return Ok(()) };
                return self.refuse(seq, held.line, held.record, held.id, problem);
            }
        };
        let (mut attempt, finished) = self.made_before(seq, attempt)?;
        if let Some(mut dispatch) = finished {
            let Some(held) = self.take_out(seq) else { return Ok(()) };
            let id = held.record.id().unwrap_or_default();
            self.catch_up(attempt.key, id, &mut dispatch)?;
            self.bar.aside(|| self.diagnostics.verbose(format!("id {id}: finished in an earlier run")));
            self.bar.resumed();
            if let Some(journal) = self.journal()? {
                journal.resumed(id, &dispatch).map_err(journal_problem)?;
            }
            return self.settle(seq, held.line, held.record, held.id, &held.known, Some(dispatch));
        }
        if self.config.resume
            && let Some(journal) = self.journal()?
        {
            attempt.lost = journal.lost_before(attempt.key).map_err(journal_problem)?;
            for rival in &attempt.lost {
                self.count_before(rival.tier, rival.cost_usd, rival.usage.as_ref());
            }
        }
        if let Some(held) = self.held.get_mut(&seq) {
            held.attempt = Some(attempt);
        }
        self.send_on(seq)
    }

    /// Looks up what the dependencies of a task hand over.
    fn inputs(&mut self, seq: Seq) -> Result<Inputs, Halt> {
        let Some(held) = self.held.get(&seq) else { return Ok(Inputs::Waiting) };
        if let Some(given) = &held.given {
            return Ok(Inputs::Ready(given.inputs.clone()));
        }
        let (mut ready, mut is_waiting, mut missing) = (Vec::new(), false, None);
        for id in &held.known.task.depends_on {
            match self.results.standing(IdHash::of(id)) {
                Some(Standing::Done(place)) => {
                    let handed = self.results.handed(place).map_err(spill_problem)?;
                    is_waiting |= self.config.deps == Deps::Accepted && !handed.is_accepted;
                    ready.push(handed);
                }
                Some(Standing::Ended(_, Ending::Waiting)) | Some(Standing::Held(_)) => is_waiting = true,
                Some(Standing::Ended(_, ending)) => missing = missing.or(Some((id.clone(), ending))),
                // Tasks that have not been run are refused; those that have do not need it again.
                None => is_waiting |= held.need == Need::IfPossible,
            }
        }
        Ok(match missing {
            Some((id, ending)) => Inputs::Missing(id, ending),
            None if is_waiting => Inputs::Waiting,
            None => Inputs::Ready(ready),
        })
    }

    /// Returns what the dependencies of a task hand over, if all of them do.
    pub(super) fn ready_inputs(&mut self, seq: Seq) -> Result<Option<Vec<Handed>>, Halt> {
        Ok(match self.inputs(seq)? {
            Inputs::Ready(inputs) => Some(inputs),
            Inputs::Waiting | Inputs::Missing(..) => None,
        })
    }

    /// Lets a task go that needs nothing now: as it is, whether it was run or not.
    pub(super) fn leave(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(held) = self.take_out(seq) else { return Ok(()) };
        self.settle(seq, held.line, held.record, held.id, &held.known, None)
    }

    /// Marks a task as skipped, because something it needs did not end well.
    fn skip(&mut self, seq: Seq, id: &str, ending: Ending) -> Result<(), Halt> {
        let Some(held) = self.take_out(seq) else { return Ok(()) };
        let used = held.known.dispatch.as_ref().is_some_and(|dispatch| dispatch.inputs.contains_key(id));
        let is_news = match held.need {
            Need::First | Need::Again(_) | Need::Escalated(..) => true,
            // A result stays, unless what it was made from has been replaced by a failure.
            Need::IfReplaced => used && matches!(ending, Ending::Status(_)),
            Need::IfPossible | Need::Nothing => false,
        };
        if !is_news {
            return self.settle(seq, held.line, held.record, held.id, &held.known, None);
        }
        let reason = match ending {
            Ending::Status(status) => format!("its dependency `{id}` ended as {}", name_of(status)),
            Ending::Errors | Ending::Waiting => format!("its dependency `{id}` could not be processed"),
        };
        let tier = tier_of(&held.known, &held.need);
        let attempt = Attempt::unmade(&held.known, tier, BTreeMap::new(), None);
        let dispatch = attempt.unrun(Status::Skipped, reason);
        self.settle(seq, held.line, held.record, held.id, &held.known, Some(dispatch))
    }

    /// Works out an attempt: its number, its tier, where it may go, and the key of its result.
    fn plan(
        &self,
        held: &Held,
        inputs: &[Handed],
        because: Option<String>,
    ) -> Result<Attempt, shared::Problem> {
        let known = &held.known;
        let id = held.record.id().unwrap_or_default();
        let number = known.next_attempt();
        let tier = tier_of(known, &held.need);
        let Placement { agent, tier, moved } =
            needs::place(&self.config.agents, &known.task, known.executor(), tier, known.most())?;
        let may_be_local = match held.need {
            Need::First | Need::IfPossible => known.may_be_local(),
            Need::Escalated(..) => false,
            _ => known.dispatch.as_ref().is_some_and(|last| last.tier == Tier::LOCAL) || known.may_be_local(),
        };
        let has_run = known.task.run.is_some();
        let mut steps = self.config.routes.steps(id, number, tier.max(Tier::ONE), may_be_local, has_run);
        if known.task.max_tier == Some(Tier::LOCAL) {
            self.config.routes.retain_free(&mut steps);
        }
        let mut parts: Vec<Vec<u8>> = vec![id.into(), held.record.raw("task").unwrap_or_default().into()];
        parts.push(format!("{number} {tier} {} {} {:?}", agent.name, agent.body, agent.tools).into());
        for step in &steps {
            let lane = &self.config.routes.lanes[step.lane];
            parts.push(format!("{} {} {:?}", lane.name, lane.identity, step.model).into());
        }
        parts.extend(self.config.base.iter().map(|base| format!("base {base}").into()));
        let step = steps.iter().find(|step| step.tier > Tier::LOCAL);
        let drafts = self.config.entrants(known, &held.need, tier, step);
        if drafts.len() > 1 {
            let place = |step: &Step| {
                format!("{} {:?} {}", self.config.routes.lanes[step.lane].name, step.model, step.tier)
            };
            let places: Vec<String> = drafts.iter().map(place).collect();
            parts.push(format!("{places:?} {:?}", self.config.speculation.check).into());
        }
        parts.extend(inputs.iter().map(|input| format!("{} {}", input.id, input.fingerprint).into()));
        if let (Need::Escalated(..), Some(verify)) = (&held.need, &known.verify) {
            parts.push(format!("{} {}", verify.decision, verify.reason).into());
        }
        Ok(Attempt {
            number,
            tier,
            executor: agent.name.clone(),
            moved,
            earlier: known.earlier(because),
            inputs: inputs.iter().map(|input| (input.id.clone(), input.attempt)).collect(),
            key: Key::of(parts.iter().map(Vec::as_slice)),
            steps,
            declined: Vec::new(),
            race: None,
            lost: Vec::new(),
            guidance: Vec::new(),
        })
    }

    /// Lets a task wait for its turn at the next backend, or says that there is none.
    pub(super) fn send_on(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(held) = self.held.get_mut(&seq) else { return Ok(()) };
        let Some(attempt) = &mut held.attempt else { return Ok(()) };
        // What a backend does that is left alone, the next one of the tier does.
        while attempt.steps.len() > 1
            && let Some(step) = attempt.step()
            && let Some(why) = self.limits.is_down(step.lane, Instant::now())
        {
            attempt.declined(why);
        }
        if let Some(place) = attempt.step().map(|step| Place { lane: step.lane, tier: step.tier }) {
            if !self.enters_race(seq)? {
                self.queue.push(place, Run { heat: 0, seq }, self.schedule.chain(seq));
            }
            return Ok(());
        }
        let mut reason = attempt.declined.join("; ");
        let last_word = match held.known.task.max_tier {
            Some(Tier::LOCAL) => NO_MODEL.to_owned(),
            _ => self.config.routes.missing(attempt.tier.max(Tier::ONE)),
        };
        if !self.config.routes.is_replay() || reason.is_empty() {
            reason = if reason.is_empty() {
                last_word
            } else {
                format!("{last_word} (`local` declined: {reason})")
            };
        }
        self.settle_unrun(seq, Status::Unavailable, reason)
    }

    /// Ends an attempt that was not made.
    pub(super) fn settle_unrun(&mut self, seq: Seq, status: Status, reason: String) -> Result<(), Halt> {
        let Some(held) = self.take_out(seq) else { return Ok(()) };
        let dispatch = held.attempt.as_ref().map(|attempt| attempt.unrun(status, reason));
        self.settle(seq, held.line, held.record, held.id, &held.known, dispatch)?;
        if let Some(halted) = self.limits.ended(status) {
            self.halt(&halted);
        }
        Ok(())
    }

    /// Makes the job of a task whose turn has come, or of a draft of it; none if a limit keeps it from starting.
    pub(super) fn assignment(&mut self, place: Place, run: Run) -> Result<Option<Assignment>, Halt> {
        let seq = run.seq;
        let Some(held) = self.held.get(&seq) else { return Ok(None) };
        let races = held.race.is_some();
        if held.race.as_ref().is_some_and(|race| !race.may_start(run.heat)) {
            return Ok(None);
        }
        let lane = std::sync::Arc::clone(&self.config.routes.lanes[place.lane]);
        let Inputs::Ready(inputs) = self.inputs(seq)? else { return Ok(None) };
        let Some(held) = self.held.get(&seq) else { return Ok(None) };
        let Some((attempt, step)) =
            held.attempt.as_ref().and_then(|attempt| Some((attempt, held.step(run.heat)?)))
        else {
            return Ok(None);
        };
        let known = &held.known;
        let id = held.record.id().unwrap_or_default().to_owned();
        let Ok(agent) = self.config.agents.get(&attempt.executor) else { return Ok(None) };
        let gates: Option<Gates> = held.record.get().ok().flatten();
        let rejected = match (&held.need, &known.dispatch, &known.verify) {
            (Need::Escalated(..), Some(dispatch), Some(verify)) => {
                Some(Rejected { dispatch, verify, gates: gates.as_ref() })
            }
            _ => None,
        };
        let allowed = |tool: &&String| {
            known
                .task
                .tools
                .as_ref()
                .is_none_or(|tools| tools.iter().any(|name| name.eq_ignore_ascii_case(tool)))
        };
        let tools: Vec<String> = agent.tools.iter().filter(allowed).cloned().collect();
        let (from, base) = starting_point(known, &held.need, &inputs);
        let builds_on = from.clone();
        let from = from.or_else(|| held.given.as_ref()?.commit.clone());
        let model = step.model.clone().or_else(|| agent.model_on(&lane.backend));
        let prompt = guided(prompt(&known.task, &inputs, rejected.as_ref()), &attempt.guidance);
        let asking = Asking {
            lane: place.lane,
            tier: place.tier,
            executor: &agent.name,
            model: model.as_deref(),
            effort: known.classify.as_ref().and_then(|classify| classify.effort.as_ref()),
            prompt: (agent.body.len() + prompt.len()) as u64,
            max_output_tokens: lane.max_output_tokens,
            task: self.task_budget(held, &id),
        };
        let ticket = match self.limits.ask(&asking, &self.config.prices, Instant::now()) {
            Leave::Granted(ticket) => *ticket,
            Leave::Later => {
                let task = asking.task.is_some_and(|task| self.limits.is_exhausted(task.id));
                match task {
                    true => self.parked.push(run),
                    false => self.queue.push(place, run, self.chain(run)),
                }
                return Ok(None);
            }
            Leave::Refused(status, reason) => {
                match races {
                    true => self.withdraw(run, status, reason)?,
                    false => self.settle_unrun(seq, status, reason)?,
                }
                return Ok(None);
            }
        };
        let allowance = ticket.allowance.clone();
        // Only where it is scarce: servers refuse a limit that is beyond the model.
        let payable = allowance.longest_answer(&[], asking.prompt.div_ceil(BYTES_PER_TOKEN));
        let payable = payable.filter(|tokens| u64::from(*tokens) < LONGEST_ANSWER);
        let max_output_tokens = lane.max_output_tokens.into_iter().chain(payable).min();
        let assignment = Assignment {
            writes: agent.writes() && tools.iter().any(|tool| tool == "Write" || tool == "Edit"),
            replaces: self.config.resume,
            key: held.key(run.heat).unwrap_or(attempt.key).to_hex(),
            races,
            from,
            base,
            borrows: borrowed(&inputs),
            order: held.given.as_ref().map(|given| Carried { bundle: given.bundle.clone(), builds_on }),
            job: Job {
                prompt,
                plain: guided(plain(&known.task, rejected.as_ref()), &attempt.guidance),
                results: results(&inputs),
                attempt: attempt.number,
                tier: step.tier,
                executor: agent.name.clone(),
                system: (!agent.body.is_empty()).then(|| agent.body.clone()),
                tools,
                model,
                workdir: self.config.directory.clone(),
                timeout: known.timeout.or(self.config.timeout).filter(|timeout| !timeout.is_zero()),
                max_output_tokens,
                max_turns: agent.max_turns,
                cancel: held.race.as_ref().map_or_else(|| held.cancel.clone(), |race| race.cancel(run.heat)),
                draft: u32::from(run.heat) + 1,
                allowance,
                task: known.task.clone(),
                id: id.clone(),
            },
            lane,
        };
        let key = held.key(run.heat).unwrap_or(attempt.key);
        if let Some(held) = self.held.get_mut(&seq) {
            held.tickets.insert(run.heat, ticket);
        }
        if let Some(journal) = self.journal()? {
            let Assignment { job, lane, .. } = &assignment;
            let model = job.model.as_deref();
            journal
                .started(key, &id, job.attempt, job.tier, lane.backend.name(), model)
                .map_err(journal_problem)?;
        }
        Ok(Some(assignment))
    }

    /// Returns the budget of a task, which all of its attempts and parts share.
    fn task_budget(&self, held: &Held, id: &str) -> Option<TaskBudget> {
        let known = &held.known;
        let usd = known.task.budget_usd?;
        let owner = known.task.parent.as_deref().map_or(held.id, IdHash::of);
        let earlier =
            held.attempt.as_ref().map_or_else(|| known.spent(), |attempt| spent_before(&attempt.earlier));
        Some(TaskBudget { id: owner, usd, spent_usd: earlier + self.spent_by_others(known, id) })
    }
}

pub(super) fn tier_of(known: &Known, need: &Need) -> Tier {
    match (need, &known.dispatch) {
        (Need::Escalated(tier, _), _) => *tier,
        (Need::First, _) | (_, None) => known.first_tier(),
        (_, Some(last)) => known.at_most(last.tier),
    }
}

/// Says which input of the last attempt was replaced, if one was.
fn replaced(known: &Known, inputs: &[Handed]) -> Option<String> {
    let used = &known.dispatch.as_ref()?.inputs;
    inputs.iter().find_map(|input| {
        let attempt = used.get(&input.id).filter(|attempt| **attempt < input.attempt)?;
        Some(format!("its input `{}` was replaced: attempt {attempt} by attempt {}", input.id, input.attempt))
    })
}

/// Returns the commit that work starts from, and the one that its changes are told against.
///
/// A repair goes on from the commit that it repairs, unless that was made from work which has been replaced. Work that builds on one task's commit starts there; on several, it
/// starts where the user's checkout stands, and is told the branches.
fn starting_point(known: &Known, need: &Need, inputs: &[Handed]) -> (Option<String>, Option<String>) {
    if let (Need::Escalated(_, Decision::Fix), Some(last)) = (need, &known.dispatch)
        && last.commit.is_some()
        && replaced(known, inputs).is_none()
    {
        return (last.commit.clone(), last.base.clone());
    }
    let mut commits = inputs.iter().filter_map(|input| input.commit.clone());
    match (commits.next(), commits.next()) {
        (Some(commit), None) => (Some(commit), None),
        _ => (None, None),
    }
}

/// Returns the worktree that a task looks at which does not write: that of the one task whose work it builds on.
///
/// "Run the tests" after "repair it" is about the repaired tree, not about the user's checkout.
fn borrowed(inputs: &[Handed]) -> Option<std::path::PathBuf> {
    let mut trees = inputs.iter().filter_map(|input| input.worktree.as_ref());
    match (trees.next(), trees.next()) {
        (Some(tree), None) => Some(tree.into()),
        _ => None,
    }
}

/// Returns a status as records have it.
pub(crate) fn name_of(status: Status) -> String {
    serde_json::to_value(status).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
