//! When a run stops by itself: the rule of `--halt`, in the grammar of GNU parallel.
//!
//! `never`, or `now|soon` and, after a comma, `fail|success|done=N|N%`. A number counts attempts that have ended in this run.
//! A share is that of the last [`WINDOW`] attempts that have ended, of all while there are fewer: so neither the
//! tasks that have not run yet nor those of a good hour ago hide that everything fails now. An attempt has failed if it was
//! made and did not end well, however: what ran out of time counts as what was refused. What was not attempted (skipped,
//! out of budget, cancelled) is neither.
//!
//! A share needs a minimum of attempts. Before there are so many it decides only if even the lower bound of its
//! one-sided 95 % interval (Clopper and Pearson, 1934) reaches the limit: of three attempts that all failed, that bound is 37 %.
//! Never on fewer than [`FEWEST`], as in GNU parallel. Both ways an attempt more that failed never undoes the decision.

use std::collections::VecDeque;
use std::str::FromStr;

use shared::section::Status;

/// How many of the last attempts a share is about.
const WINDOW: usize = 100;

/// A share is nothing to speak of before so many have failed (or succeeded).
const FEWEST: usize = 3;

/// The probability with which chance alone would show so many failures at the limit.
const DOUBT: f64 = 0.05;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// What becomes of what runs.
    pub(crate) urgency: Urgency,
    what: What,
    limit: Bound,
}

/// What becomes of what runs when a run halts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It is ended.
    Now,
    /// It comes to its end.
    Soon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Fail,
    Success,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Count(u64),
    /// 0 to 1.
    Share(f64),
}

/// `--halt` as it is written: a rule, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Halting(pub(crate) Option<Rule>);

impl FromStr for Halting {
    type Err = String;

    fn from_str(text: &str) -> Result<Halting, String> {
        let wrong = || {
            format!(
                "`{text}` is no halt rule; write `never`, or `now` or `soon`, a comma, and `fail=`, `success=` or `done=` with a number or a percentage, such as `soon,fail=30%`"
            )
        };
        if text == "never" {
            return Ok(Halting(None));
        }
        let (urgency, rest) = text.split_once(',').ok_or_else(wrong)?;
        let urgency = match urgency {
            "now" => Urgency::Now,
            "soon" => Urgency::Soon,
            _ => return Err(wrong()),
        };
        let (what, limit) = rest.split_once('=').ok_or_else(wrong)?;
        let what = match what {
            "fail" => What::Fail,
            "success" => What::Success,
            "done" => What::Done,
            _ => return Err(wrong()),
        };
        let limit = match limit.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.parse().map_err(|_| wrong())?;
                if !(percent > 0.0 && percent <= 100.0) {
                    return Err(format!("`{text}`: a share is above 0 % and at most 100 %"));
                }
                Bound::Share(percent / 100.0)
            }
            None => match limit.parse() {
                Ok(0) => {
                    return Err(format!(
                        "`{text}`: after nothing at all nothing can be halted; the least is 1"
                    ));
                }
                Ok(count) => Bound::Count(count),
                Err(_) => return Err(wrong()),
            },
        };
        Ok(Halting(Some(Rule { urgency, what, limit })))
    }
}

/// How the attempts of a run end, and whether that is reason to stop.
#[derive(Debug)]
pub(crate) struct Watch {
    rule: Option<Rule>,
    /// How many attempts a share is about at least.
    fewest: usize,
    failed: u64,
    succeeded: u64,
    /// Whether each of the last attempts failed.
    last: VecDeque<bool>,
    failed_of_last: usize,
    /// How many tasks there are to run, once that is known.
    total: Option<u64>,
    halted: Option<Halted>,
}

/// That a run has halted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Halted {
    pub(crate) urgency: Urgency,
    /// Whether it was for failures; otherwise what was wanted is there.
    pub(crate) is_failure: bool,
    /// What was counted, for a person.
    pub(crate) reason: String,
}

/// Tells how an attempt counts that ended so: whether it failed; nothing if none was made.
pub(crate) fn has_failed(status: Status) -> Option<bool> {
    match status {
        Status::Ok => Some(false),
        Status::Skipped | Status::Cancelled | Status::Budget => None,
        Status::Failed
        | Status::Refused
        | Status::Truncated
        | Status::Timeout
        | Status::Transport
        | Status::Auth
        | Status::Quota
        | Status::Unavailable => Some(true),
    }
}

impl Watch {
    /// Returns a watch by a rule; a share needs at least `fewest` attempts.
    pub(crate) fn new(rule: Option<Rule>, fewest: usize) -> Watch {
        Watch {
            rule,
            fewest: fewest.max(1),
            failed: 0,
            succeeded: 0,
            last: VecDeque::new(),
            failed_of_last: 0,
            total: None,
            halted: None,
        }
    }

    /// Says how many tasks have not ended, once no more come in, for shares of what is done.
    pub(crate) fn left(&mut self, tasks: u64) {
        self.total = Some(self.failed + self.succeeded + tasks);
    }

    /// Counts how an attempt has ended; tells if the run halts by that.
    pub(crate) fn ended(&mut self, status: Status) -> Option<&Halted> {
        let failed = has_failed(status)?;
        self.failed += u64::from(failed);
        self.succeeded += u64::from(!failed);
        if self.last.len() == WINDOW.max(self.fewest) && self.last.pop_front() == Some(true) {
            self.failed_of_last -= 1;
        }
        self.last.push_back(failed);
        self.failed_of_last += usize::from(failed);
        if self.halted.is_some() {
            return None;
        }
        let rule = self.rule?;
        let reason = self.reason(rule)?;
        self.halted = Some(Halted { urgency: rule.urgency, is_failure: rule.what == What::Fail, reason });
        self.halted.as_ref()
    }

    fn reason(&self, rule: Rule) -> Option<String> {
        let (count, verb) = match rule.what {
            What::Fail => (self.failed, "failed"),
            What::Success => (self.succeeded, "succeeded"),
            What::Done => (self.failed + self.succeeded, "ended"),
        };
        match (rule.limit, rule.what) {
            (Bound::Count(limit), _) => {
                (count >= limit).then(|| format!("{} {verb}", plural(count, "attempt")))
            }
            (Bound::Share(limit), What::Done) => {
                let total = self.total.filter(|total| *total > 0)?;
                (count as f64 >= limit * total as f64).then(|| format!("{count} of {total} tasks {verb}"))
            }
            (Bound::Share(limit), what) => {
                let n = self.last.len();
                let k = if what == What::Fail { self.failed_of_last } else { n - self.failed_of_last };
                reaches(k, n, limit, self.fewest).then(|| match n as u64 == self.failed + self.succeeded {
                    true => format!("{k} of {} {verb}", plural(n as u64, "attempt")),
                    false => format!("{k} of the last {n} attempts {verb}"),
                })
            }
        }
    }
}

/// Tells whether `k` of `n` are a share of at least `limit`.
fn reaches(k: usize, n: usize, limit: f64, fewest: usize) -> bool {
    if k < FEWEST || (k as f64) < limit * n as f64 {
        return false;
    }
    // The lower bound of the exact interval reaches the limit if so many would be a surprise at the limit.
    n >= fewest || at_least(k, n, limit) <= DOUBT
}

/// Returns the probability that of `n` at least `k` happen, each with probability `p`.
fn at_least(k: usize, n: usize, p: f64) -> f64 {
    let q = 1.0 - p;
    let mut term = q.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut below = 0.0;
    for i in 0..k {
        below += term;
        term *= (n - i) as f64 / (i + 1) as f64 * (p / q);
    }
    // With certainty as the limit there is no surprise.
    if q > 0.0 { (1.0 - below).max(0.0) } else { 1.0 }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> Option<Rule> {
        text.parse::<Halting>().unwrap().0
    }

    /// Returns after how many attempts a run halts in which these failed.
    fn halts_at(text: &str, fewest: usize, failed: impl IntoIterator<Item = bool>) -> Option<usize> {
        let mut watch = Watch::new(rule(text), fewest);
        let mut statuses = failed.into_iter().map(|failed| if failed { Status::Failed } else { Status::Ok });
        statuses.position(|status| watch.ended(status).is_some()).map(|at| at + 1)
    }

    fn pattern(text: &str) -> Vec<bool> {
        text.chars().map(|c| c == 'x').collect()
    }

    #[test]
    fn the_grammar_is_that_of_parallel() {
        assert_eq!(rule("never"), None);
        for text in [
            "now,fail=1",
            "soon,fail=30%",
            "soon,success=3",
            "now,done=50%",
            "soon,done=100",
            "soon,fail=2.5%",
        ] {
            assert!(rule(text).is_some(), "{text}");
        }
        for text in [
            "",
            "now",
            "fail=1",
            "later,fail=1",
            "now,fails=1",
            "now,fail",
            "now,fail=",
            "now,fail=x",
            "now,fail=-1",
            "now, fail=1",
        ] {
            let wrong = text.parse::<Halting>().unwrap_err();
            assert!(wrong.contains("is no halt rule") && wrong.contains("soon,fail=30%"), "{text}: {wrong}");
        }
        for text in ["now,fail=0", "now,fail=0%", "now,fail=101%", "now,fail=NaN%"] {
            assert!(text.parse::<Halting>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_counts_all_of_the_run() {
        assert_eq!(halts_at("now,fail=1", 10, pattern("..x.")), Some(3));
        assert_eq!(halts_at("soon,fail=2", 10, pattern(".x..x")), Some(5));
        assert_eq!(halts_at("now,success=2", 10, pattern("x.x.")), Some(4));
        assert_eq!(halts_at("now,done=3", 10, pattern("x..x")), Some(3));
        assert_eq!(halts_at("never", 10, pattern("xxxxxxxxxxxxxxxx")), None);
    }

    #[test]
    fn a_share_needs_a_minimum_unless_it_is_beyond_doubt() {
        // The original halted neither at 3 of 11 (27 %) nor, by dividing by all tasks, when the first three of 20 failed.
        assert_eq!(halts_at("soon,fail=30%", 10, pattern("xxx")), Some(3));
        assert_eq!(halts_at("soon,fail=30%", 10, pattern("...x.x....x")), None, "27 %");
        assert_eq!(halts_at("soon,fail=30%", 10, pattern("..x.x....x")), Some(10), "30 % of the minimum");
        assert_eq!(halts_at("soon,fail=30%", 10, pattern("x.x.xx")), None, "4 of 6 may be chance");
        assert_eq!(halts_at("soon,fail=30%", 10, pattern("x.xxx")), Some(5), "4 of 5 may not");
        assert_eq!(halts_at("soon,fail=1%", 10, pattern("xx")), None, "never on two");
        assert_eq!(halts_at("soon,fail=100%", 10, pattern("xxxxxxxxx")), None);
        assert_eq!(halts_at("soon,fail=100%", 10, pattern("xxxxxxxxxx")), Some(10));
    }

    #[test]
    fn what_fails_late_is_not_hidden_by_what_went_well_before() {
        let mut history = vec![false; 1000];
        history.extend([true; 60]);
        assert_eq!(halts_at("soon,fail=30%", 10, history), Some(1030));
    }

    #[test]
    fn however_an_attempt_did_not_end_well_it_counts_and_what_was_not_made_does_not() {
        let mut watch = Watch::new(rule("soon,fail=8"), 10);
        let failing = [
            Status::Failed,
            Status::Refused,
            Status::Truncated,
            Status::Timeout,
            Status::Transport,
            Status::Auth,
            Status::Quota,
        ];
        for status in
            failing.into_iter().chain([Status::Skipped, Status::Cancelled, Status::Budget, Status::Ok])
        {
            assert_eq!(watch.ended(status), None, "{status:?}");
        }
        let halted = watch.ended(Status::Unavailable).unwrap().clone();
        assert_eq!((halted.is_failure, halted.reason.as_str()), (true, "8 attempts failed"));
        assert_eq!(watch.ended(Status::Failed), None, "it is told once");
    }

    #[test]
    fn a_share_of_what_is_done_is_of_all_once_that_is_known() {
        let mut watch = Watch::new(rule("now,done=50%"), 10);
        for _ in 0..7 {
            assert_eq!(watch.ended(Status::Ok), None);
        }
        watch.left(9);
        let halted = watch.ended(Status::Failed).unwrap();
        assert_eq!((halted.is_failure, halted.reason.as_str()), (false, "8 of 16 tasks ended"));
    }

    #[test]
    fn the_tail_of_the_binomial_distribution_is_exact() {
        for (k, n, p, expected) in
            [(3, 3, 0.3, 0.027), (4, 5, 0.3, 0.03078), (0, 9, 0.5, 1.0), (1, 2, 0.5, 0.75), (1, 1, 1.0, 1.0)]
        {
            assert!((at_least(k, n, p) - expected).abs() < 1e-9, "{k} of {n}");
        }
    }

    proptest! {
        /// Another failure in place of a success never makes a run go on that had halted, nor halt later.
        #[test]
        fn halting_is_monotone(
            history in prop::collection::vec(any::<bool>(), 0..250),
            worse in prop::collection::vec(any::<bool>(), 250),
            percent in 1u32..=100,
            fewest in 1usize..30,
        ) {
            let text = format!("soon,fail={percent}%");
            let bad: Vec<bool> = history.iter().zip(&worse).map(|(failed, worse)| *failed || *worse).collect();
            let (at, at_worse) = (halts_at(&text, fewest, history), halts_at(&text, fewest, bad));
            if let Some(at) = at {
                prop_assert!(at_worse.is_some_and(|worse| worse <= at), "{at:?} {at_worse:?}");
            }
        }
    }
}
