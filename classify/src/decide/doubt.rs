//! What becomes of a tier that is in doubt: one up, or what somebody says who was asked.

use super::Draft;
use super::vote::{Doubt, Vote};
use crate::ask::Advice;
use crate::executor::Executor;
use crate::risk::Assessed;

/// How often a small model that is asked is taken to be right about the tier. A judgement, no measurement.
const ADVICE: f64 = 0.8;

impl Draft {
    /// Settles the doubt that the vote has left, if any: by advice, or one tier up.
    pub(super) fn settled(mut self, vote: Vote, advice: Option<&Advice>) -> Draft {
        match (vote.doubt, advice) {
            (Some(_), Some(advice)) => self.hear(advice),
            (Some(doubt), None) => {
                self.unsure = true;
                self.doubt(doubt, &vote);
            }
            (None, _) => {}
        }
        self
    }

    /// Better the middle executor for an easy task than the cheap one for a hard one (seed 000).
    pub(super) fn doubt(&mut self, doubt: Doubt, vote: &Vote) {
        let why = match doubt {
            Doubt::Split => "the vote is split",
            Doubt::Unknown => "most of the words are not known here",
        };
        let told = if vote.tier > vote.pointed {
            let lifted = self.tier.max(vote.tier);
            self.lift_parts(lifted, |part, tier| part.tier.number() == tier - 1);
            self.tier = lifted;
            format!("uncertain, {why} → one tier up ({lifted})")
        } else {
            format!("uncertain, {why}")
        };
        self.reasons.push(told);
    }

    /// Lets advice settle the doubt. Who advises may be wrong or have been talked into something by the text of the task, so
    /// nothing becomes laxer by it: not the tier, not the risk, and not that which spares what only reads.
    pub(super) fn hear(&mut self, advice: &Advice) {
        let Advice { by, answer } = advice;
        let pointed = self.tier;
        self.unsure = false;
        self.reasons.push(format!("asked {by}: tier {}, because {}", answer.tier, answer.because));
        self.weigh(answer.tier.number());
        let tier = answer.tier.number().max(pointed);
        if tier > pointed {
            self.lift_parts(tier, |part, _| part.tier.number() == pointed);
            self.tier = tier;
        } else if answer.tier.number() < pointed {
            self.reasons.push(format!("an answer goes no lower than what the words point at ({pointed})"));
        }
        if answer.risk > self.risk.risk {
            self.risk = Assessed { risk: answer.risk, why: "so says who was asked" };
        }
        if self.parts.is_empty() {
            self.executor.clone_from(&answer.executor);
            self.only_reads &= Executor::named(&answer.executor).is_some_and(Executor::only_reads);
        }
        if !answer.clear {
            self.reasons.push(format!("not clear enough to begin, says {by}"));
        }
        if answer.compound && self.parts.is_empty() {
            self.reasons.push(format!("several separate jobs, says {by}"));
        }
    }

    /// Weighs an answer against what there was: by Bayes' rule, with one that is right as often as [`ADVICE`] says.
    pub(super) fn weigh(&mut self, told: u8) {
        let likelihood = |at: usize| if at + 1 == usize::from(told) { ADVICE } else { (1.0 - ADVICE) / 2.0 };
        let weights = [0, 1, 2].map(|at| self.weights[at] * likelihood(at));
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 {
            self.weights = weights.map(|weight| weight / sum);
        }
    }
}
