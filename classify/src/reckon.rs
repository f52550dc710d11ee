//! Puts on a decision what it will take: effort, prices, and the plan for the whole input.

use shared::section::{Classify, Economics, Scores, Task};

use crate::decide::{Decided, Leeway};
use crate::economics::{Costs, Economy, Refused};
use crate::effort::{self, Work};
use crate::spend::{Case, Spend};

/// No model reads a longer prompt by far.
const MOST_TOKENS: u64 = 100_000_000;

/// What is known of prices and plans.
#[derive(Debug)]
pub(crate) struct Reckoner {
    /// Nothing, where no price is known or none is wanted.
    pub(crate) economy: Option<Economy>,
    /// So many tokens of every prompt are in the cache of this tier's model.
    pub(crate) cached: Option<CachedTokens>,
    /// The tokens of a turn on each tier, where a calibration has measured them.
    pub(crate) tokens_per_turn: [Option<f64>; 3],
    pub(crate) spend: Option<Spend>,
}

/// The tokens of a prompt that a model has read already, and whose model it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedTokens {
    /// How many.
    pub tokens: u64,
    /// The tier of the model that has them.
    pub tier: u8,
}

/// A decision that was looked at by itself, without the others.
pub(crate) struct Weighed {
    pub(crate) classify: Classify,
    scores: Scores,
    leeway: Leeway,
    work: Work,
    costs: Costs,
    refused: Option<Refused>,
    /// A command is given, and no model is asked.
    is_command: bool,
}

impl Reckoner {
    /// Looks at a task by itself: what work it is, and whether a draft of it pays.
    pub(crate) fn weigh(&self, task: &Task, decided: Decided) -> Weighed {
        let Decided { mut classify, leeway, .. } = decided;
        let scores = classify.scores;
        let turn = effort::usual_turn(&classify.executor);
        let mut work =
            Work::new(leeway.median_turns, turn, task.text.len()).with_measured(self.tokens_per_turn);
        if let Some(CachedTokens { tokens, tier }) = self.cached {
            work = work.with_prefix(tokens, tier);
        }
        let is_command = task.run.is_some();
        let economy = self.economy.as_ref().filter(|_| !is_command);
        let costs = economy.map(|economy| economy.costs(&work)).unwrap_or_default();
        let refused = economy.and_then(|economy| economy.refuse_losses(&costs, &mut classify, leeway));
        Weighed { classify, scores, leeway, work, costs, refused, is_command }
    }

    /// Returns what the plan for the whole input has to know of a task.
    pub(crate) fn case<'a>(&'a self, id: Option<&'a str>, weighed: &'a Weighed) -> Case<'a> {
        Case {
            // Every record that has a task has an id when it comes here.
            id: id.unwrap_or_default(),
            scores: weighed.scores,
            leeway: weighed.leeway,
            costs: &weighed.costs,
            economy: self.economy.as_ref().filter(|_| !weighed.is_command),
        }
    }

    /// Completes a decision.
    pub(crate) fn settle(&self, task: &Task, id: Option<&str>, decided: Decided) -> Classify {
        let mut weighed = self.weigh(task, decided);
        let most = self.spend.as_ref().and_then(|spend| {
            let mut classify = weighed.classify.clone();
            let most = spend.apply(&self.case(id, &weighed), &mut classify);
            weighed.classify = classify;
            most
        });
        let Weighed { mut classify, work, costs, refused, is_command, .. } = weighed;
        if is_command {
            classify.effort = Some(effort::of_a_command());
            return classify;
        }
        let tier = classify.tier.number();
        let model = self.economy.as_ref().and_then(|economy| economy.models.of(tier));
        classify.effort = Some(work.told(tier, model.map(|model| model.name.as_str()).zip(costs.on(tier))));
        if let Some(economy) = &self.economy {
            classify.economics = economy
                .told(&costs, &classify, refused)
                .map(|economics| Economics { max_tier: most, ..economics });
        }
        classify
    }
}

impl std::str::FromStr for CachedTokens {
    type Err = String;

    /// Reads `40000`, or `40000@2` for the cache of another tier than the strong one.
    fn from_str(text: &str) -> Result<CachedTokens, String> {
        let (tokens, tier) = text.split_once('@').unwrap_or((text, "3"));
        let problem = || {
            format!(
                "`{text}` is no number of tokens; write one such as 40000, or 40000@2 for the cache of tier 2"
            )
        };
        let tokens =
            tokens.trim().parse().ok().filter(|tokens| *tokens <= MOST_TOKENS).ok_or_else(problem)?;
        let tier = tier.trim().parse().ok().filter(|tier| (1..=3).contains(tier)).ok_or_else(problem)?;
        Ok(CachedTokens { tokens, tier })
    }
}
