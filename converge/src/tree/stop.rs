//! When a loop over a tree stops, and what that means. Nothing here looks at a tree or a clock.
//!
//! The size of a change is no reason to stop: on recorded agent loops, rules such as "fewer than 20 lines twice" lost most
//! of the work that was still to come. What counts is where the tree has been, what the checks say, and whether the
//! work itself changed at all. Reasons that mean success are looked at before limits, so that a limit never hides it, and
//! what an agent says about itself is not looked at.

use std::time::Duration;

use blake3::Hash;

use crate::cycle::{History, Visit};

/// Iterations in a row without any change that make a tree without checks stable: an idle agent changes nothing either.
pub(crate) const STABLE: u32 = 2;
/// Iterations in a row without a change of the work, while nothing is green, that are enough. On recorded loops, 3 lost up
/// to all of the work that followed, 5 at most 2 %.
pub(crate) const SPINNING: u32 = 5;
/// Iterations in a row with the very same failure: warned about, and enough.
pub(crate) const STALLING: u32 = 3;
pub(crate) const STALLED: u32 = 5;
/// Of the last so many iterations …
const THRASH_WINDOW: usize = 4;
/// … so many in which half of the changed files came back to an earlier content.
const THRASH: usize = 2;
/// Or one file that came back so often.
const THRASH_FILE: u32 = 3;
/// Iterations in a row that ran out of time and changed nothing of the work.
const TIMEOUTS: u32 = 2;
/// Iterations in a row in which the command failed at once and changed nothing.
const DEAD: u32 = 3;
/// What "at once" is.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(10);

/// What the checks said about the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// There are none.
    None,
    /// All are satisfied.
    Green,
    /// Some are not; the hash stands for which, and for what they said. None of them said anything: no hash, because
    /// it can not be known whether the failure is the same.
    Red(Option<Hash>),
}

/// How the command of an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself, well.
    Done,
    /// By itself, with an error.
    Failed,
    /// The same, in no time.
    FailedAtOnce,
    /// By us, after its time.
    TimedOut,
}

/// What there is to know about an iteration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Iteration {
    /// The fingerprint of the work after it.
    pub(crate) work: Hash,
    /// Whether the work is another than before.
    pub(crate) work_changed: bool,
    /// Whether the work or the notes about it are others than before.
    pub(crate) anything_changed: bool,
    /// How the command ended.
    pub(crate) ending: Ending,
    /// What the checks say about the tree as it is now.
    pub(crate) check: Check,
    /// How many files of the work changed.
    pub(crate) files: usize,
    /// How many of them came back to an earlier content.
    pub(crate) returned: usize,
    /// How often the file that came back most often did so, in all iterations.
    pub(crate) most_returns: u32,
}

/// Why a loop ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The checks are green, and the work does not change any more.
    Converged,
    /// Nothing changes any more; no check says whether that is good.
    Stable,
    /// The work goes in a circle.
    Oscillation {
        /// Of so many iterations.
        period: u32,
    },
    /// Files keep coming back to what they were.
    Thrash,
    /// The same failure again and again.
    Stalled,
    /// The work does not change, and nothing says that it is done.
    Spinning,
    /// The command does not get ready in its time.
    Timeouts,
    /// The command does not work.
    DeadTool,
    /// So many iterations were allowed.
    Iterations(u32),
    /// So much time was allowed.
    Time(Duration),
    /// The user or the system asked for it.
    Interrupted,
}

impl Verdict {
    /// Tells whether the loop came to its own end.
    pub(crate) fn is_settled(self) -> bool {
        matches!(self, Verdict::Converged | Verdict::Stable)
    }

    /// Returns the name, as the report has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Converged => "converged",
            Verdict::Stable => "stable",
            Verdict::Oscillation { .. } => "oscillation",
            Verdict::Thrash => "thrash",
            Verdict::Stalled => "stalled",
            Verdict::Spinning => "spinning",
            Verdict::Timeouts => "timeouts",
            Verdict::DeadTool => "dead_tool",
            Verdict::Iterations(_) => "iterations",
            Verdict::Time(_) => "time",
            Verdict::Interrupted => "interrupted",
        }
    }
}

/// The limits of a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many iterations; `None` is any number.
    pub(crate) iterations: Option<u32>,
    /// How many iterations in a row without a change make a green tree converged.
    pub(crate) unchanged: u32,
}

/// Judges one iteration after the other.
#[derive(Debug)]
pub(crate) struct Judge {
    limits: Limits,
    iterations: u32,
    work: History,
    /// Changes in a row that went back to where the work had been.
    returns: u32,
    unchanged_work: u32,
    unchanged_all: u32,
    idle: u32,
    thrashing: Vec<bool>,
    timeouts: u32,
    dead: u32,
    failure: Option<Hash>,
    same_failure: u32,
}

impl Judge {
    /// Begins with the work as it is before the first iteration.
    pub(crate) fn new(limits: Limits, work: Hash) -> Judge {
        let mut history = History::default();
        history.visit(work);
        Judge {
            limits,
            iterations: 0,
            work: history,
            returns: 0,
            unchanged_work: 0,
            unchanged_all: 0,
            idle: 0,
            thrashing: Vec::new(),
            timeouts: 0,
            dead: 0,
            failure: None,
            same_failure: 0,
        }
    }

    /// Takes in an iteration and returns the reason to stop after it, if there is one.
    pub(crate) fn judge(&mut self, iteration: &Iteration) -> Option<Verdict> {
        self.iterations += 1;
        let run = |count: &mut u32, goes_on: bool| *count = if goes_on { *count + 1 } else { 0 };
        let Iteration { ending, check, work_changed, anything_changed, .. } = *iteration;
        // Only an iteration that did its work shows that there is none left.
        let is_done = ending == Ending::Done;
        run(&mut self.unchanged_work, is_done && !work_changed);
        run(&mut self.unchanged_all, is_done && !anything_changed);
        run(&mut self.idle, !work_changed && check != Check::Green);
        run(&mut self.timeouts, ending == Ending::TimedOut && !work_changed);
        run(&mut self.dead, ending == Ending::FailedAtOnce && !anything_changed);
        let failure = if let Check::Red(failure) = check { failure } else { None };
        self.same_failure = match failure {
            None => 0,
            Some(_) if self.failure == failure => self.same_failure + 1,
            Some(_) => 1,
        };
        self.failure = failure;
        self.thrashing.push(iteration.returned > 0 && 2 * iteration.returned >= iteration.files);

        let circle = if work_changed { self.circle(iteration.work) } else { None };
        let thrashing =
            self.thrashing.iter().rev().take(THRASH_WINDOW).filter(|thrashing| **thrashing).count();
        if check == Check::Green && self.unchanged_work >= self.limits.unchanged {
            Some(Verdict::Converged)
        } else if check == Check::None && self.unchanged_all >= STABLE {
            Some(Verdict::Stable)
        } else if let Some(period) = circle {
            Some(Verdict::Oscillation { period })
        } else if thrashing >= THRASH || (iteration.returned > 0 && iteration.most_returns >= THRASH_FILE) {
            Some(Verdict::Thrash)
        } else if self.dead >= DEAD {
            Some(Verdict::DeadTool)
        } else if self.timeouts >= TIMEOUTS {
            Some(Verdict::Timeouts)
        } else if self.idle >= SPINNING {
            Some(Verdict::Spinning)
        } else if self.same_failure >= STALLED {
            Some(Verdict::Stalled)
        } else {
            self.limits.iterations.filter(|most| self.iterations >= *most).map(Verdict::Iterations)
        }
    }

    /// Returns the period, once the work has come back twice in a row: once is a change of mind.
    fn circle(&mut self, work: Hash) -> Option<u32> {
        match self.work.visit(work) {
            Visit::Again { period } => {
                self.returns += 1;
                (self.returns >= 2).then_some(period)
            }
            Visit::New | Visit::Unchanged => {
                self.returns = 0;
                None
            }
        }
    }

    /// Tells whether the same failure has been there so often that the user should know.
    pub(crate) fn is_stalling(&self) -> bool {
        self.same_failure == STALLING
    }

    /// Returns how many iterations in a row the command failed at once.
    pub(crate) fn failures_at_once(&self) -> u32 {
        self.dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script of iterations and returns the verdict and after how many iterations it came.
    ///
    /// Each word is an iteration: a letter for the work after it, then marks: `+` green, `-` red, `~` red without a word, `=1` red with failure 1,
    /// `n` only the notes changed, `f` failed, `x` failed at once, `t` timed out, `r` all files came back.
    fn verdict_with(limits: Limits, script: &str) -> (Option<Verdict>, u32) {
        let hash = |text: &str| blake3::hash(text.as_bytes());
        let mut words = script.split_whitespace();
        let mut work = words.next().unwrap().to_owned();
        let mut judge = Judge::new(limits, hash(&work));
        let mut count = 0;
        for word in words {
            count += 1;
            let (now, marks) = word.split_at(1);
            let has = |mark: char| marks.contains(mark);
            let work_changed = now != work;
            work = now.to_owned();
            let verdict = judge.judge(&Iteration {
                work: hash(now),
                work_changed,
                anything_changed: work_changed || has('n'),
                ending: match () {
                    () if has('t') => Ending::TimedOut,
                    () if has('x') => Ending::FailedAtOnce,
                    () if has('f') => Ending::Failed,
                    () => Ending::Done,
                },
                check: match () {
                    () if has('+') => Check::Green,
                    () if has('-') => Check::Red(Some(hash(&count.to_string()))),
                    () if has('~') => Check::Red(None),
                    () if has('=') => Check::Red(Some(hash(marks))),
                    () => Check::None,
                },
                files: usize::from(work_changed),
                returned: usize::from(has('r')),
                most_returns: u32::from(has('r')),
            });
            if verdict.is_some() {
                return (verdict, count);
            }
        }
        (None, count)
    }

    fn verdict(script: &str) -> (Option<Verdict>, u32) {
        verdict_with(Limits { iterations: Some(10), unchanged: 1 }, script)
    }

    #[test]
    fn each_rule_fires_when_it_should_and_not_before() {
        use Verdict::*;
        for (script, expected) in [
            // Green and unchanged is the end; green alone is not, unchanged alone is not.
            ("a b- c+ c+", (Some(Converged), 3)),
            ("a a+", (Some(Converged), 1)),
            ("a b+ c+ d+", (None, 3)),
            ("a b- b- b-", (None, 3)),
            // Notes may go on changing.
            ("a b+ b+n", (Some(Converged), 2)),
            // An iteration that failed or ran out of time shows nothing.
            ("a b+ b+f", (None, 2)),
            ("a b+ b+t", (None, 2)),
            ("a b b", (None, 2)),
            ("a b b b", (Some(Stable), 3)),
            ("a b b bn b", (None, 4)),
            ("a b bf bf bf", (None, 4)),
            // Once back is a change of mind, twice is a circle.
            ("a b a", (None, 2)),
            ("a b a b", (Some(Oscillation { period: 2 }), 3)),
            ("a b c d b c", (Some(Oscillation { period: 3 }), 5)),
            ("a b c a d b", (None, 5)),
            ("a b+ a+ b+", (Some(Oscillation { period: 2 }), 3)),
            ("a b a a+", (Some(Converged), 3)),
            // Files that come back.
            ("a b cr d er", (Some(Thrash), 4)),
            ("a b cr d e f gr", (None, 6)),
            // The same failure.
            ("a b=1 c=1 d=1 e=1 f=1", (Some(Stalled), 5)),
            ("a b=1 c=1 d=2 e=1 f=1 g=1 h=1", (None, 7)),
            ("a b=1 c=1 d=1 e=1 f+ g=1", (None, 6)),
            ("a b~ c~ d~ e~ f~ g~", (None, 6)),
            // Nothing but notes.
            ("a an an an an an", (Some(Spinning), 5)),
            ("a a-n a-n a-n a-n a-n", (Some(Spinning), 5)),
            ("a an an an an b an", (None, 6)),
            // A command that does not work.
            ("a ax ax ax", (Some(DeadTool), 3)),
            ("a ax ax bx ax", (None, 4)),
            ("a at at", (Some(Timeouts), 2)),
            ("a bt ct dt", (None, 3)),
            // Limits come last.
            ("a b- c- d- e- f- g- h- i- j- k- l-", (Some(Iterations(10)), 10)),
            ("a b- c- d- e- f- g- h- i- j+ j+", (Some(Converged), 10)),
        ] {
            assert_eq!(verdict(script), expected, "{script}");
        }
    }

    #[test]
    fn strict_asks_for_one_more_iteration() {
        let strict = |script| verdict_with(Limits { iterations: None, unchanged: 2 }, script);
        assert_eq!(strict("a a+"), (None, 1));
        assert_eq!(strict("a a+ a+"), (Some(Verdict::Converged), 2));
        assert_eq!(strict("a a- a+"), (Some(Verdict::Converged), 2));
    }

    proptest::proptest! {
        /// Whatever happens, a loop with a limit ends at the limit, and a red tree is never called settled.
        #[test]
        fn it_always_ends_and_red_is_never_settled(
            words in proptest::collection::vec("[a-d](\\+|-|~|=1|)(f|x|t|n|r|)", 10..20),
        ) {
            let (verdict, count) = verdict(&format!("a {}", words.join(" ")));
            proptest::prop_assert!(verdict.is_some() && count <= 10);
            let last = &words[count as usize - 1];
            if verdict == Some(Verdict::Converged) {
                proptest::prop_assert!(last.contains('+'));
            }
            if last.contains(['-', '=', '~']) {
                proptest::prop_assert!(!verdict.is_some_and(Verdict::is_settled));
            }
        }
    }
}
