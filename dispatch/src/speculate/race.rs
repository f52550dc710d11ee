//! One race: its drafts, how far each is, and which of them is kept.

use shared::process::Cancel;
use shared::section::{Dispatch, Rival, Status};

use super::check::Verdict;
use crate::journal::Key;
use crate::queue::Place;
use crate::route::Step;

/// The number of a draft in its race; 0 is the one that would be made anyway.
pub(crate) type Heat = u8;

/// The drafts of one attempt.
#[derive(Debug)]
pub(crate) struct Race {
    drafts: Vec<Draft>,
    winner: Option<usize>,
    ended: u32,
    /// What the drafts beyond the first are expected to cost, as it was put aside for them.
    pub(crate) expected: Option<f64>,
    /// Whether its drafts wait for places already.
    pub(crate) is_queued: bool,
    /// Whether the work of the drafts that lost is being removed, and whether it is or was.
    pub(crate) is_clearing: bool,
    pub(crate) is_cleared: bool,
}

/// A draft of a race.
#[derive(Debug)]
struct Draft {
    step: Step,
    key: Key,
    cancel: Cancel,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It waits for a place.
    Waiting,
    /// It runs at this place.
    Running(Place),
    /// It is being checked, and keeps its place meanwhile if it had one.
    Judged(Option<Place>, Box<Dispatch>),
    /// It has come to its end, as the so-manieth.
    Ended(u32, Box<Dispatch>, Verdict),
    /// It was not made, and how that is told.
    Out(Option<(Status, String)>),
}

/// What a race has come to.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The draft that is kept; none if none was made.
    pub(crate) kept: Option<Box<Dispatch>>,
    /// What the books say of the others that were made, in the order in which they ended.
    pub(crate) rivals: Vec<Rival>,
    /// Whether the one that is kept was accepted.
    pub(crate) accepted: bool,
    /// How many were made.
    pub(crate) started: u32,
    /// Why one was not made.
    pub(crate) out: Option<(Status, String)>,
}

/// What a draft has left on the disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Left {
    /// Its worktree and its branch.
    pub(crate) tree: Option<(String, String)>,
    /// The file with its large output.
    pub(crate) output: Option<String>,
}

impl Left {
    fn of(dispatch: &Dispatch) -> Left {
        // A tree without a branch of its own is somebody else's that it has looked at.
        let tree = dispatch.worktree.clone().zip(dispatch.branch.clone());
        Left { tree, output: dispatch.output_file.as_ref().map(|file| file.path.clone()) }
    }
}

impl Race {
    /// Returns a race of these drafts, each with the key of its result.
    pub(crate) fn new(drafts: impl IntoIterator<Item = (Step, Key)>, expected: Option<f64>) -> Race {
        let draft = |(step, key)| Draft { step, key, cancel: Cancel::default(), state: State::Waiting };
        Race {
            drafts: drafts.into_iter().map(draft).collect(),
            winner: None,
            ended: 0,
            expected,
            is_queued: false,
            is_clearing: false,
            is_cleared: false,
        }
    }

    /// Returns the numbers of those that wait for a place.
    pub(crate) fn waiting(&self) -> Vec<Heat> {
        let all = (0..).zip(&self.drafts);
        all.filter(|(_, draft)| matches!(draft.state, State::Waiting)).map(|(heat, _)| heat).collect()
    }

    /// Returns where a draft goes.
    pub(crate) fn step(&self, heat: Heat) -> Option<&Step> {
        self.drafts.get(usize::from(heat)).map(|draft| &draft.step)
    }

    /// Returns the key of a draft's result.
    pub(crate) fn key(&self, heat: Heat) -> Option<Key> {
        self.drafts.get(usize::from(heat)).map(|draft| draft.key)
    }

    /// Returns what ends a draft.
    pub(crate) fn cancel(&self, heat: Heat) -> Cancel {
        self.drafts.get(usize::from(heat)).map(|draft| draft.cancel.clone()).unwrap_or_default()
    }

    /// Tells whether a draft may be begun: none is once another one has won.
    pub(crate) fn may_start(&self, heat: Heat) -> bool {
        let draft = self.drafts.get(usize::from(heat));
        self.winner.is_none() && draft.is_some_and(|draft| matches!(draft.state, State::Waiting))
    }

    /// Lets a draft run at a place, if it may.
    pub(crate) fn start(&mut self, heat: Heat, place: Place) -> bool {
        let may_start = self.may_start(heat);
        if let Some(draft) = self.drafts.get_mut(usize::from(heat)).filter(|_| may_start) {
            draft.state = State::Running(place);
        }
        may_start
    }

    /// Takes a draft out that is not made; returns the place that is free then.
    pub(crate) fn withdraw(&mut self, heat: Heat, status: Status, why: String) -> Option<Place> {
        let draft = self.drafts.get_mut(usize::from(heat))?;
        match std::mem::replace(&mut draft.state, State::Out(Some((status, why)))) {
            State::Running(place) => Some(place),
            _ => None,
        }
    }

    /// Notes that a draft is there and about to be checked.
    pub(crate) fn drafted(&mut self, heat: Heat, dispatch: Dispatch) {
        let Some(draft) = self.drafts.get_mut(usize::from(heat)) else { return };
        let place = if let State::Running(place) = draft.state { Some(place) } else { None };
        draft.state = State::Judged(place, Box::new(dispatch));
    }

    /// Returns a draft that is being checked.
    pub(crate) fn to_judge(&self, heat: Heat) -> Option<&Dispatch> {
        match &self.drafts.get(usize::from(heat))?.state {
            State::Judged(_, dispatch) => Some(dispatch),
            _ => None,
        }
    }

    /// Notes the verdict on a draft; the first that is accepted wins, and all others are ended. Returns the place that
    /// is free now.
    pub(crate) fn judged(&mut self, heat: Heat, verdict: Verdict) -> Option<Place> {
        let at = usize::from(heat);
        let draft = self.drafts.get_mut(at)?;
        let State::Judged(place, dispatch) = std::mem::replace(&mut draft.state, State::Out(None)) else {
            return None;
        };
        let is_accepted = verdict == Verdict::Accepted;
        draft.state = State::Ended(self.ended, dispatch, verdict);
        self.ended += 1;
        if is_accepted && self.winner.is_none() {
            self.winner = Some(at);
            self.call_off(at);
        }
        place
    }

    fn call_off(&mut self, winner: usize) {
        self.close();
        let others = self.drafts.iter().enumerate().filter(|(at, _)| *at != winner);
        others.for_each(|(_, draft)| draft.cancel.cancel());
    }

    /// Begins nothing more.
    pub(crate) fn close(&mut self) {
        for draft in self.drafts.iter_mut().filter(|draft| matches!(draft.state, State::Waiting)) {
            draft.state = State::Out(None);
        }
    }

    /// Ends everything that runs, and begins nothing more.
    pub(crate) fn end(&mut self) {
        self.close();
        self.drafts.iter().for_each(|draft| draft.cancel.cancel());
    }

    /// Tells whether a draft has won.
    pub(crate) fn is_won(&self) -> bool {
        self.winner.is_some()
    }

    /// Tells whether anything runs or is being checked.
    pub(crate) fn is_busy(&self) -> bool {
        self.drafts.iter().any(|draft| matches!(draft.state, State::Running(_) | State::Judged(..)))
    }

    /// Tells whether a draft is there.
    pub(crate) fn has_drafts(&self) -> bool {
        self.drafts.iter().any(|draft| matches!(draft.state, State::Judged(..) | State::Ended(..)))
    }

    /// Tells whether there is nothing left to wait for.
    pub(crate) fn is_over(&self) -> bool {
        !self.is_clearing
            && self.drafts.iter().all(|draft| matches!(draft.state, State::Ended(..) | State::Out(_)))
    }

    /// Returns what the drafts that are not kept have left on the disk.
    pub(crate) fn lost_work(&self) -> Vec<Left> {
        let Some(kept) = self.kept() else { return Vec::new() };
        let of = |draft: &Draft| match &draft.state {
            State::Ended(_, dispatch, _) => Left::of(dispatch),
            _ => Left::default(),
        };
        let kept_file = of(&self.drafts[kept]).output;
        let others = self.drafts.iter().enumerate().filter(|(at, _)| *at != kept).map(|(_, draft)| of(draft));
        // Files are named for what is in them: two drafts that say the same share one.
        let left = others.map(|left| match left.output == kept_file {
            true => Left { output: None, ..left },
            false => left,
        });
        left.filter(|left| left.output.is_some() || left.tree.is_some()).collect()
    }

    /// Returns the draft that is kept: the accepted one; if there is none, that which has ended best, on the highest tier, first.
    fn kept(&self) -> Option<usize> {
        let ended = self.drafts.iter().enumerate().filter_map(|(at, draft)| match &draft.state {
            State::Ended(order, dispatch, _) => {
                let says = dispatch.output.as_deref().is_some_and(|output| !output.trim().is_empty());
                let rank = (worth(dispatch.status), says || dispatch.commit.is_some(), dispatch.tier);
                Some((at, (rank, std::cmp::Reverse(*order))))
            }
            _ => None,
        });
        self.winner.or_else(|| ended.max_by_key(|(_, rank)| *rank).map(|(at, _)| at))
    }

    /// Returns what it has come to.
    pub(crate) fn settle(self) -> Settled {
        let kept_at = self.kept();
        let accepted = self.winner.is_some();
        let (mut kept, mut lost, mut out) = (None, Vec::<(u32, Rival)>::new(), None);
        let of = self.drafts.len();
        for (at, draft) in self.drafts.into_iter().enumerate() {
            match draft.state {
                State::Ended(_, dispatch, _) if Some(at) == kept_at => kept = Some(dispatch),
                State::Ended(order, dispatch, verdict) => {
                    let why = match verdict {
                        Verdict::Rejected(why) if dispatch.status != Status::Cancelled => why,
                        _ if accepted => "another draft was accepted first".to_owned(),
                        Verdict::Rejected(why) => why,
                        Verdict::Accepted => "another draft was better".to_owned(),
                    };
                    lost.push((order, rival(&dispatch, Some(format!("draft {} of {of}: {why}", at + 1)))));
                }
                State::Out(why) => out = out.or(why),
                _ => {}
            }
        }
        lost.sort_by_key(|(order, _)| *order);
        let started = lost.len() as u32 + u32::from(kept.is_some());
        let rivals = lost.into_iter().map(|(_, rival)| rival).collect();
        Settled { kept, rivals, accepted, started, out }
    }
}

/// Returns what the books say of a draft that is not kept.
pub(crate) fn rival(dispatch: &Dispatch, reason: Option<String>) -> Rival {
    Rival {
        tier: dispatch.tier,
        backend: dispatch.backend.clone(),
        model: dispatch.model.clone(),
        status: dispatch.status,
        usage: dispatch.usage,
        cost_usd: dispatch.cost_usd,
        elapsed_ms: dispatch.elapsed_ms,
        reason,
    }
}

/// Orders the ways to end: what says more about the task is better.
fn worth(status: Status) -> u8 {
    match status {
        Status::Ok => 9,
        Status::Truncated => 8,
        Status::Failed => 7,
        Status::Refused => 6,
        Status::Timeout => 5,
        Status::Quota | Status::Auth => 4,
        Status::Transport => 3,
        Status::Budget | Status::Unavailable | Status::Skipped => 2,
        Status::Cancelled => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::section::Tier;

    use super::*;

    fn dispatch(tier: u8, status: &str, cost: u32) -> Dispatch {
        let json = serde_json::json!({
            "attempt": 1, "executor": "e", "tier": tier, "status": status, "output": "said", "cost_usd": cost,
        });
        serde_json::from_value(json).unwrap()
    }

    fn race(tiers: &[u8]) -> Race {
        let draft = |tier: &u8| {
            let tier = Tier::try_from(*tier).unwrap();
            (Step { lane: 0, model: None, tier }, Key::of([&b"k"[..]]))
        };
        Race::new(tiers.iter().map(draft), None)
    }

    fn here() -> Place {
        Place { lane: 7, tier: Tier::ONE }
    }

    fn no() -> Verdict {
        Verdict::Rejected("no".to_owned())
    }

    #[test]
    fn the_first_accepted_draft_wins_and_the_others_are_ended() {
        let mut race = race(&[1, 1, 1, 1]);
        assert!((0..3).all(|heat| race.start(heat, here())));
        race.drafted(1, dispatch(1, "ok", 1));
        assert_eq!(race.judged(1, Verdict::Accepted), Some(here()));
        assert!(race.is_won() && race.cancel(0).is_cancelled() && race.cancel(2).is_cancelled());
        assert!(!race.cancel(1).is_cancelled() && !race.start(3, here()), "none is begun after that");
        assert!(!race.is_over(), "what the others have used is not known yet");
        race.drafted(0, dispatch(1, "cancelled", 2));
        race.judged(0, no());
        // One that ends well after all is paid for and not used.
        race.drafted(2, dispatch(1, "ok", 4));
        race.judged(2, Verdict::Accepted);
        assert!(race.is_over());
        let settled = race.settle();
        assert_eq!((settled.kept.unwrap().cost_usd, settled.accepted, settled.started), (Some(1.0), true, 3));
        let rivals: Vec<_> = settled.rivals.iter().map(|rival| (rival.status, rival.cost_usd)).collect();
        assert_eq!(rivals, [(Status::Cancelled, Some(2.0)), (Status::Ok, Some(4.0))]);
        assert!(settled.rivals[0].reason.as_ref().unwrap().contains("another draft was accepted first"));
    }

    #[test]
    fn without_an_accepted_draft_the_best_is_kept() {
        for (ends, kept) in [
            (&[(1, "failed"), (1, "ok"), (1, "timeout")][..], 1),
            (&[(1, "ok"), (2, "ok")], 1),
            (&[(1, "ok"), (1, "ok")], 0),
            (&[(3, "transport"), (1, "refused")], 1),
            (&[(1, "cancelled")], 0),
        ] {
            let mut race = race(&ends.iter().map(|(tier, _)| *tier).collect::<Vec<_>>());
            for (heat, (at, (tier, status))) in (0..).zip(ends.iter().enumerate()) {
                assert!(race.start(heat, here()));
                race.drafted(heat, dispatch(*tier, status, at as u32));
                race.judged(heat, no());
            }
            let settled = race.settle();
            assert_eq!(settled.kept.unwrap().cost_usd, Some(kept as f64), "{ends:?}");
            assert!(!settled.accepted);
        }
    }

    proptest! {
        /// Whatever happens in whatever order: nothing that was paid is missing, one draft is kept, and a draft that was accepted
        /// is never given up for one that was not.
        #[test]
        fn what_was_paid_is_kept_or_told(
            count in 1usize..6,
            acts in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..5), 0..40),
        ) {
            let mut race = race(&vec![1; count]);
            let (mut paid, mut accepted) = (0u32, false);
            let act = |race: &mut Race, heat: Heat, act: u8, paid: &mut u32, accepted: &mut bool| match act {
                0 | 1 => { race.start(heat, here()); }
                2 => {
                    let runs = matches!(race.drafts[usize::from(heat)].state, State::Running(_));
                    if runs {
                        *paid += 1;
                        race.drafted(heat, dispatch(1, "ok", 1));
                    }
                }
                verdict => if race.to_judge(heat).is_some() {
                    *accepted |= verdict == 3;
                    race.judged(heat, if verdict == 3 { Verdict::Accepted } else { no() });
                },
            };
            for (at, what) in acts {
                act(&mut race, at.index(count) as Heat, what, &mut paid, &mut accepted);
            }
            race.end();
            for heat in 0..count as Heat {
                for what in [2, 4] {
                    act(&mut race, heat, what, &mut paid, &mut accepted);
                }
            }
            prop_assert!(race.is_over() && !race.is_busy());
            let settled = race.settle();
            prop_assert_eq!(settled.rivals.len() as u32 + u32::from(settled.kept.is_some()), paid);
            prop_assert_eq!((settled.accepted, settled.kept.is_some()), (accepted, paid > 0));
        }
    }
}
