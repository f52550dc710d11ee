//! Puts the tasks that `classify` is unsure of to a cheap model, and only those.
//!
//! The tasks of a batch of records that are in doubt go into as few questions as they fit in; `dispatch` asks them. What comes
//! back is judged strictly (`answer`) and never makes a decision laxer than it was before the doubt
//! ([`decide_with`](crate::decide::decide_with)). Nothing is read, started or written before the first task in doubt.
//!
//! One question is under way after the other, whatever the number of workers, so that the budget holds; as soon as it is known
//! what a question costs, as many at once as the budget surely pays.

mod answer;
mod backend;
mod memory;
mod question;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::section::{Asked, Dispatch, Usage};
use shared::state::{DIRECTORY, Root};
use shared::{Diagnostics, Problem, interrupt};

pub(crate) use answer::{Advice, Answer};
use backend::Came;
use memory::{Entry, Key, Memory};
use question::Question;

/// How many questions are asked at once at the most.
const AT_ONCE: usize = 4;

/// After so many questions in a row without a usable answer no more are asked.
const FRUITLESS: u32 = 3;

/// Whom to ask, and within which limits.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) backend: String,
    pub(crate) model: Option<String>,
    pub(crate) budget: Budget,
    /// How many tasks go into one question.
    pub(crate) batch: usize,
    /// How long one question may take.
    pub(crate) timeout: Duration,
    /// The configuration file that was named.
    pub(crate) config: Option<PathBuf>,
}

/// How much may be spent on asking, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) usd: f64,
    /// The user has said so, and wants it kept also where a price is not known.
    pub(crate) is_explicit: bool,
}

impl Settings {
    /// # Errors
    /// If there is no such backend or budget.
    pub(crate) fn checked(self) -> Result<Settings, Problem> {
        backend::check(&self.backend)?;
        if !self.budget.usd.is_finite() || self.budget.usd < 0.0 {
            return Err(Problem::new("the budget for asking is no amount of money")
                .hint("write US dollars such as 1 or 0.05"));
        }
        Ok(self)
    }
}

/// What came of asking about one task.
pub(crate) struct Reply {
    /// What was advised; or why nothing was.
    pub(crate) advice: Result<Advice, String>,
    /// What is noted of it, if somebody was asked.
    pub(crate) asked: Option<Asked>,
}

/// Asks.
pub(crate) struct Asker {
    settings: Settings,
    root: Root,
    diagnostics: Diagnostics,
    state: Mutex<State>,
}

/// What asking has come to so far.
#[derive(Default)]
struct State {
    memory: Option<Memory>,
    spent: f64,
    /// What the dearest question has cost, once one has been asked.
    dearest: Option<f64>,
    fruitless: u32,
    /// Why no more is asked.
    over: Option<String>,
    has_warned: bool,
    has_warned_of_price: bool,
    tasks: u64,
    answered: u64,
    remembered: u64,
}

/// A task to ask about.
struct Open<'a> {
    at: usize,
    key: &'a Key,
    text: &'a str,
}

impl Asker {
    pub(crate) fn new(settings: Settings, directory: &Path, diagnostics: Diagnostics) -> Asker {
        Asker { settings, root: Root::find(directory), diagnostics, state: Mutex::default() }
    }

    /// Asks about these texts, and returns what came of each.
    pub(crate) fn ask(&self, texts: &[&str]) -> Vec<Reply> {
        if texts.is_empty() {
            return Vec::new();
        }
        let shown: Vec<String> = texts.iter().map(|text| question::shown(text)).collect();
        let Settings { backend, model, .. } = &self.settings;
        let keys: Vec<Key> = shown.iter().map(|text| memory::key(backend, model.as_deref(), text)).collect();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.tasks += texts.len() as u64;
        let mut memory = state.memory.take().unwrap_or_else(|| Memory::read(&self.root.path.join(DIRECTORY)));
        // The same text is asked about once.
        let mut first: HashMap<&Key, usize> = HashMap::new();
        let mut open = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            if memory.get(key).is_none() && *first.entry(key).or_insert(at) == at {
                open.push(Open { at, key, text: &shown[at] });
            }
        }
        let mut fresh: Vec<Option<Reply>> = texts.iter().map(|_| None).collect();
        self.ask_anew(&open, &mut fresh, &mut memory, state);
        let mut replies = Vec::with_capacity(texts.len());
        for (at, reply) in fresh.into_iter().enumerate() {
            let reply = reply.unwrap_or_else(|| match memory.get(&keys[at]) {
                Some(entry) => {
                    state.remembered += 1;
                    self.remembered(entry)
                }
                // The same text stands further up, and got no answer there.
                None => Reply { advice: Err("the same task has just got no answer".to_owned()), asked: None },
            });
            state.answered += u64::from(reply.advice.is_ok());
            replies.push(reply);
        }
        state.memory = Some(memory);
        replies
    }

    /// Asks about what is not known yet.
    fn ask_anew(&self, open: &[Open], replies: &mut [Option<Reply>], memory: &mut Memory, state: &mut State) {
        let texts: Vec<&str> = open.iter().map(|open| open.text).collect();
        let mut begin = 0;
        let mut portions = Vec::new();
        for end in question::portions(&texts, self.settings.batch) {
            portions.push(&open[begin..end]);
            begin = end;
        }
        let mut portions = portions.as_slice();
        while !portions.is_empty() {
            if let Some(why) = self.is_over(state) {
                for open in portions.iter().copied().flatten() {
                    replies[open.at] =
                        Some(Reply { advice: Err(format!("not asked: {}", brief(&why))), asked: None });
                }
                return;
            }
            let left = self.settings.budget.usd - state.spent;
            let (now, later) = portions.split_at(at_once(left, state).min(portions.len()));
            portions = later;
            let questions: Vec<Question> = now
                .iter()
                .map(|portion| Question::about(&portion.iter().map(|open| open.text).collect::<Vec<_>>()))
                .collect();
            let came = backend::ask(&questions, &self.settings, left);
            let mut entries = Vec::new();
            for ((portion, question), came) in now.iter().zip(&questions).zip(came) {
                entries.extend(self.take(portion, question, &came, replies, state));
            }
            // Made here, so that it ignores itself in git.
            let kept = self.root.state().and_then(|_| memory.keep(entries));
            if let Err(error) = kept {
                self.diagnostics.verbose(format!("answers can not be kept in {DIRECTORY}: {error}"));
            }
        }
    }

    /// Takes what came of a question: a reply to each of its tasks, the accounts, and what is to be remembered.
    fn take(
        &self,
        portion: &[Open],
        question: &Question,
        came: &Came,
        replies: &mut [Option<Reply>],
        state: &mut State,
    ) -> Vec<Entry> {
        let ids: Vec<String> = (0..question.size).map(|at| question::id(&question.mark, at)).collect();
        let answers = match &came.output {
            Ok(output) => answer::read(output, &ids),
            Err(_) => vec![None; ids.len()],
        };
        let has_answers = answers.iter().any(Option::is_some);
        let dispatch = came.dispatch.as_ref();
        let by = dispatch.and_then(|dispatch| dispatch.model.clone());
        let by = by.unwrap_or_else(|| self.settings.backend.clone());
        let why = match &came.output {
            Err(why) => why.trim().to_owned(),
            Ok(_) => "no usable answer".to_owned(),
        };
        self.count(dispatch, &by, state);
        state.fruitless = if has_answers { 0 } else { state.fruitless + 1 };
        if state.over.is_none() && !has_answers {
            state.over = match (came.is_final, state.fruitless >= FRUITLESS) {
                (true, _) => Some(why.clone()),
                (false, true) => Some(format!("{FRUITLESS} questions in a row got no usable answer")),
                (false, false) => None,
            };
        }
        if !has_answers && !interrupt::requested() && (!state.has_warned || state.over.is_some()) {
            let rest = if state.over.is_some() { "; no more is asked, and" } else { ";" };
            let is_news = !std::mem::replace(&mut state.has_warned, true);
            if is_news {
                self.diagnostics.warning(format!(
                    "asking `{}`: {why}{rest} the tasks stay uncertain",
                    self.settings.backend
                ));
            }
        }
        let mut entries = Vec::new();
        // A race is configured for whoever asks, too, and its other drafts are paid for.
        let (usage, cost_usd) = dispatch.map(Dispatch::paid_now).unwrap_or_default();
        for (at, (open, answer)) in portion.iter().zip(answers).enumerate() {
            let asked = dispatch.map(|dispatch| Asked {
                backend: self.settings.backend.clone(),
                model: dispatch.model.clone(),
                usage: usage.map(|usage| share(usage, at, question.size)),
                cost_usd: cost_usd.map(|cost| cost / question.size as f64),
                ..Asked::default()
            });
            // Nothing is noted where nobody has been reached.
            let asked =
                asked.filter(|asked| answer.is_some() || asked.usage.is_some() || asked.cost_usd.is_some());
            let reply = match answer {
                Some(answer) => {
                    let model = dispatch.and_then(|dispatch| dispatch.model.clone());
                    entries.push(Entry::now(open.key.clone(), model, answer.clone()));
                    let asked = asked.map(|asked| with(asked, &answer));
                    Reply { advice: Ok(Advice { by: by.clone(), answer }), asked }
                }
                None => Reply { advice: Err(format!("asked {by}, in vain: {}", brief(&why))), asked },
            };
            replies[open.at] = Some(reply);
        }
        entries
    }

    /// Counts what a question has cost.
    fn count(&self, dispatch: Option<&Dispatch>, by: &str, state: &mut State) {
        let Some(dispatch) = dispatch else { return };
        let cost = dispatch.paid_now().1.unwrap_or(0.0);
        state.spent += cost;
        state.dearest = Some(state.dearest.unwrap_or(0.0).max(cost));
        let has_tokens =
            dispatch.usage.is_some_and(|usage| usage.input_tokens > 0 || usage.output_tokens > 0);
        if dispatch.cost_usd.is_some() || !has_tokens {
            return;
        }
        if self.settings.budget.is_explicit {
            state.over.get_or_insert_with(|| {
                format!("the price of `{by}` is not known, so the budget could not be kept")
            });
        }
        if !std::mem::replace(&mut state.has_warned_of_price, true) {
            let rest = if self.settings.budget.is_explicit {
                "the budget can not be kept and no more is asked"
            } else {
                "what it costs does not count"
            };
            self.diagnostics.warning(format!("the price of the model `{by}` is not known, so {rest}"));
        }
    }

    /// Says why nothing more is asked, if that is so.
    fn is_over(&self, state: &mut State) -> Option<String> {
        if interrupt::requested() {
            return Some("interrupted".to_owned());
        }
        let budget = self.settings.budget.usd;
        if state.over.is_none() && state.spent >= budget {
            state.over = Some(format!("the budget of ${budget} for asking is spent"));
            self.diagnostics.warning(format!(
                "the budget of ${budget} for asking is spent; the other tasks stay uncertain (--ask-budget)"
            ));
        }
        state.over.clone()
    }

    fn remembered(&self, entry: &Entry) -> Reply {
        let asked = Asked {
            backend: self.settings.backend.clone(),
            model: entry.model.clone(),
            cached: true,
            ..Asked::default()
        };
        let by = entry.model.clone().unwrap_or_else(|| self.settings.backend.clone());
        Reply {
            asked: Some(with(asked, &entry.answer)),
            advice: Ok(Advice { by, answer: entry.answer.clone() }),
        }
    }

    /// Tells what asking came to. Called once, at the end.
    pub(crate) fn finish(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.tasks > 0 {
            self.diagnostics.note(format!(
                "asked `{}` about {} uncertain tasks: {} answered, {} of them from memory; ${:.4}",
                self.settings.backend, state.tasks, state.answered, state.remembered, state.spent
            ));
        }
    }
}

/// Returns how many questions may be under way at once: one until there is an answer, and then as many as surely cost no more
/// than is left, by what they have cost so far.
fn at_once(left: f64, state: &State) -> usize {
    match state.dearest {
        None => 1,
        Some(_) if state.fruitless > 0 => 1,
        // Twice the dearest, as the next one may be longer.
        Some(cost) if cost > 0.0 => ((left / (2.0 * cost)) as usize).clamp(1, AT_ONCE),
        Some(_) => AT_ONCE,
    }
}

/// What is told to a person once, with what to do about it, is noted in each record without.
fn brief(why: &str) -> &str {
    why.split(['\n', ';']).next().unwrap_or(why)
}

fn with(asked: Asked, answer: &Answer) -> Asked {
    Asked { tier: Some(answer.tier), clear: Some(answer.clear), compound: Some(answer.compound), ..asked }
}

/// Returns the share of one of so many tasks; all shares together are the whole, to the token.
fn share(usage: Usage, at: usize, of: usize) -> Usage {
    let (at, of) = (at as u64, of.max(1) as u64);
    let part = |total: u64| total / of + u64::from(at < total % of);
    Usage {
        input_tokens: part(usage.input_tokens),
        cache_read_tokens: part(usage.cache_read_tokens),
        cache_write_tokens: part(usage.cache_write_tokens),
        cache_write_1h_tokens: part(usage.cache_write_1h_tokens),
        output_tokens: part(usage.output_tokens),
        reasoning_tokens: part(usage.reasoning_tokens),
        requests: part(usage.requests),
        untold_requests: part(usage.untold_requests),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole() {
        let whole = Usage { input_tokens: 1001, output_tokens: 7, requests: 1, ..Usage::default() };
        let shares: Vec<Usage> = (0..20).map(|at| share(whole, at, 20)).collect();
        let sum = |of: fn(&Usage) -> u64| shares.iter().map(of).sum::<u64>();
        assert_eq!(sum(|usage| usage.input_tokens), 1001);
        assert_eq!(sum(|usage| usage.output_tokens), 7);
        assert_eq!(sum(|usage| usage.requests), 1);
    }

    #[test]
    fn the_first_question_goes_alone_and_later_ones_as_the_budget_pays() {
        let at_once =
            |left, dearest, fruitless| at_once(left, &State { dearest, fruitless, ..State::default() });
        assert_eq!(at_once(1.0, None, 0), 1);
        assert_eq!(at_once(1.0, Some(0.0), 0), AT_ONCE);
        assert_eq!(at_once(1.0, Some(0.0), 1), 1);
        assert_eq!(at_once(1.0, Some(0.01), 0), AT_ONCE);
        assert_eq!(at_once(0.05, Some(0.01), 0), 2);
        assert_eq!(at_once(0.001, Some(0.01), 0), 1);
    }
}
