//! Budgets by reservation: an attempt starts only if what it may take is still there, and that is set aside until it has ended.
//!
//! An attempt is under several budgets at once: that of the run, of its tier, of its backend and of its task. Each is a
//! [`Purse`]. What an attempt needs must fit into all of them; of what it may take at most, as much is set aside as is left.
//! If too little is left only because others have it set aside, it waits for them; if too little is left for good, it is
//! refused. So a budget is exceeded by no more than what an attempt under way takes beyond what was set aside for it,
//! and [`Purses::settle`] tells when that has happened.

use std::collections::HashMap;
use std::hash::Hash;

use super::amount::{Amount, dollars};

/// What may be spent; what is not said is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) nanos: Option<u64>,
    pub(crate) tokens: Option<u64>,
}

impl Limit {
    /// Returns the money, in US dollars.
    pub(crate) fn usd(&self) -> Option<f64> {
        self.nanos.map(|nanos| nanos as f64 / 1e9)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.nanos.is_none() && self.tokens.is_none()
    }
}

/// One budget.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    /// Whose it is, as in "the run's" or "the task's".
    owner: String,
    limit: Limit,
    spent: Amount,
    reserved: Amount,
}

/// What an attempt is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Without this much left it is not started.
    pub(crate) least: Amount,
    /// What it is not expected to exceed.
    pub(crate) most: Amount,
}

/// What was set aside for an attempt. It has to be settled.
#[derive(Debug, PartialEq)]
#[must_use = "what is set aside stays so until it is settled"]
pub(crate) struct Reservation<K> {
    keys: Vec<K>,
    amount: Amount,
    /// The most that the attempt may take before a budget is exceeded.
    pub(crate) cap: Limit,
}

/// Whether an attempt may start.
#[derive(Debug, PartialEq)]
pub(crate) enum Grant<K> {
    Reserved(Reservation<K>),
    /// Once this budget has back what others have set aside there.
    Wait(K),
    /// Never; says why.
    Refused(String),
}

/// All budgets of a run, by key.
#[derive(Debug)]
pub(crate) struct Purses<K> {
    purses: HashMap<K, Purse>,
}

impl<K: Clone + Eq + Hash> Purses<K> {
    pub(crate) fn new() -> Self {
        Purses { purses: HashMap::new() }
    }

    /// Adds a budget, or says anew what is left of one.
    pub(crate) fn set(&mut self, key: K, owner: &str, limit: Limit, spent: Amount) {
        let reserved = self.purses.get(&key).map_or(Amount::default(), |purse| purse.reserved);
        self.purses.insert(key, Purse { owner: owner.to_owned(), limit, spent, reserved });
    }

    /// Drops a budget that nobody has anything set aside in.
    pub(crate) fn forget(&mut self, key: &K) {
        if self.purses.get(key).is_some_and(|purse| purse.reserved == Amount::default()) {
            self.purses.remove(key);
        }
    }

    /// Tells whether money is limited by one of these.
    pub(crate) fn limits_money(&self, keys: &[K]) -> bool {
        self.of(keys).any(|purse| purse.limit.nanos.is_some())
    }

    /// Tells whether tokens are limited by one of these.
    pub(crate) fn limits_tokens(&self, keys: &[K]) -> bool {
        self.of(keys).any(|purse| purse.limit.tokens.is_some())
    }

    /// Sets aside what an attempt may take, in all these budgets or in none.
    pub(crate) fn reserve(&mut self, keys: &[K], need: Need) -> Grant<K> {
        let (mut amount, mut cap, mut wait) = (need.most, Limit::default(), None);
        for key in keys {
            let Some(purse) = self.purses.get(key) else { continue };
            if let Some(reason) = purse.refusal(need) {
                return Grant::Refused(reason);
            }
            let left = purse.left();
            if left.nanos.is_some_and(|left| left < need.least.nanos)
                || left.tokens.is_some_and(|left| left < need.least.tokens)
            {
                wait = wait.or_else(|| Some(key.clone()));
            }
            cap = Limit { nanos: least(cap.nanos, left.nanos), tokens: least(cap.tokens, left.tokens) };
        }
        if let Some(key) = wait {
            return Grant::Wait(key);
        }
        amount.nanos = cap.nanos.map_or(amount.nanos, |left| amount.nanos.min(left));
        amount.tokens = cap.tokens.map_or(amount.tokens, |left| amount.tokens.min(left));
        let keys: Vec<K> = keys.iter().filter(|key| self.purses.contains_key(key)).cloned().collect();
        for key in &keys {
            if let Some(purse) = self.purses.get_mut(key) {
                purse.reserved = purse.reserved.plus(amount);
            }
        }
        Grant::Reserved(Reservation { keys, amount, cap })
    }

    /// Gives back what was set aside, and counts what was taken; returns what to tell of budgets that are exceeded by it.
    pub(crate) fn settle(&mut self, reservation: Reservation<K>, taken: Amount) -> Vec<String> {
        let mut told = Vec::new();
        for key in &reservation.keys {
            let Some(purse) = self.purses.get_mut(key) else { continue };
            let before = purse.overshoot();
            purse.reserved = purse.reserved.minus(reservation.amount);
            purse.spent = purse.spent.plus(taken);
            let after = purse.overshoot();
            if after.nanos > before.nanos || after.tokens > before.tokens {
                told.push(purse.tell_overshoot(after));
            }
        }
        told
    }

    /// Counts what was taken without having been set aside, such as by an earlier run.
    pub(crate) fn spend(&mut self, key: &K, taken: Amount) {
        if let Some(purse) = self.purses.get_mut(key) {
            purse.spent = purse.spent.plus(taken);
        }
    }

    /// Returns what was spent of a budget, what is set aside, and its limit.
    #[cfg(test)]
    pub(crate) fn standing(&self, key: &K) -> Option<(Amount, Amount, Limit)> {
        self.purses.get(key).map(|purse| (purse.spent, purse.reserved, purse.limit))
    }

    fn of<'a>(&'a self, keys: &'a [K]) -> impl Iterator<Item = &'a Purse> {
        keys.iter().filter_map(|key| self.purses.get(key))
    }
}

impl Purse {
    /// Returns what is neither spent nor set aside.
    fn left(&self) -> Limit {
        let gone = self.spent.plus(self.reserved);
        Limit {
            nanos: self.limit.nanos.map(|limit| limit.saturating_sub(gone.nanos)),
            tokens: self.limit.tokens.map(|limit| limit.saturating_sub(gone.tokens)),
        }
    }

    /// Says why this can never be paid, if it can not.
    fn refusal(&self, need: Need) -> Option<String> {
        let owner = &self.owner;
        if let Some(limit) = self.limit.nanos {
            let (limit_usd, spent, least) = (dollars(limit), dollars(self.spent.nanos), need.least.nanos);
            let left = limit.saturating_sub(self.spent.nanos);
            if left == 0 && need.most.nanos > 0 {
                return Some(match limit {
                    0 => format!("{owner} budget is $0, and this may cost something"),
                    _ => format!("{owner} budget of ${limit_usd} is spent (${spent:.4})"),
                });
            }
            if least > left {
                return Some(format!(
                    "{owner} budget of ${limit_usd} has ${:.4} left, and this is expected to cost ${:.4}",
                    dollars(left),
                    dollars(least)
                ));
            }
        }
        if let Some(limit) = self.limit.tokens {
            let left = limit.saturating_sub(self.spent.tokens);
            if left == 0 && need.most.tokens > 0 {
                return Some(match limit {
                    0 => format!("{owner} budget is 0 tokens, and this may use some"),
                    _ => format!("{owner} budget of {limit} tokens is spent ({})", self.spent.tokens),
                });
            }
            if need.least.tokens > left {
                return Some(format!(
                    "{owner} budget of {limit} tokens has {left} left, and this is expected to use {}",
                    need.least.tokens
                ));
            }
        }
        None
    }

    fn overshoot(&self) -> Amount {
        Amount {
            nanos: self.limit.nanos.map_or(0, |limit| self.spent.nanos.saturating_sub(limit)),
            tokens: self.limit.tokens.map_or(0, |limit| self.spent.tokens.saturating_sub(limit)),
        }
    }

    fn tell_overshoot(&self, over: Amount) -> String {
        let mut parts = Vec::new();
        if let Some(limit) = self.limit.nanos.filter(|_| over.nanos > 0) {
            parts.push(format!("of ${} is exceeded by ${:.4}", dollars(limit), dollars(over.nanos)));
        }
        if let Some(limit) = self.limit.tokens.filter(|_| over.tokens > 0) {
            parts.push(format!("of {limit} tokens is exceeded by {}", over.tokens));
        }
        format!(
            "{} budget {}: what was under way took more than was set aside",
            self.owner,
            parts.join(" and ")
        )
    }
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(nanos: u64) -> Amount {
        Amount { nanos, tokens: 0 }
    }

    fn need(least: u64, most: u64) -> Need {
        Need { least: money(least), most: money(most) }
    }

    fn purses(limits: &[(u8, u64)]) -> Purses<u8> {
        let mut purses = Purses::new();
        for (key, limit) in limits {
            let limit = Limit { nanos: Some(*limit), tokens: None };
            purses.set(*key, "the run's", limit, Amount::default());
        }
        purses
    }

    fn reserved(grant: Grant<u8>) -> Reservation<u8> {
        match grant {
            Grant::Reserved(reservation) => reservation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_set_aside_is_not_there_for_others() {
        let mut purses = purses(&[(0, 100)]);
        let first = reserved(purses.reserve(&[0], need(10, 60)));
        assert_eq!((first.amount, first.cap.nanos), (money(60), Some(100)));
        let second = reserved(purses.reserve(&[0], need(10, 60)));
        assert_eq!((second.amount, second.cap.nanos), (money(40), Some(40)), "as much as is left");
        assert_eq!(purses.reserve(&[0], need(10, 60)), Grant::Wait(0));
        assert!(purses.settle(first, money(20)).is_empty());
        let third = reserved(purses.reserve(&[0], need(10, 60)));
        assert_eq!(third.amount, money(40));
        assert!(purses.settle(second, money(40)).is_empty());
        assert!(purses.settle(third, money(40)).is_empty());
        let Grant::Refused(reason) = purses.reserve(&[0], need(1, 1)) else { panic!() };
        assert_eq!(reason, "the run's budget of $0.0000001 is spent ($0.0000)");
    }

    #[test]
    fn what_does_not_fit_into_one_budget_is_set_aside_in_none() {
        let mut purses = purses(&[(0, 100), (1, 5)]);
        assert!(matches!(purses.reserve(&[0, 1], need(10, 10)), Grant::Refused(_)));
        assert_eq!(purses.standing(&0).unwrap().1, Amount::default());
        let small = reserved(purses.reserve(&[0, 1], need(5, 10)));
        assert_eq!(small.amount, money(5));
        assert_eq!(purses.reserve(&[0, 1], need(5, 10)), Grant::Wait(1));
        assert_eq!(purses.standing(&0).unwrap().1, money(5));
        let other = reserved(purses.reserve(&[0], need(5, 10)));
        let _ = (purses.settle(small, money(5)), purses.settle(other, money(0)));
    }

    #[test]
    fn what_costs_nothing_is_never_refused() {
        let mut purses = purses(&[(0, 0)]);
        let free = reserved(purses.reserve(&[0], need(0, 0)));
        assert!(purses.settle(free, money(0)).is_empty());
        let Grant::Refused(reason) = purses.reserve(&[0], need(0, 1)) else { panic!() };
        assert_eq!(reason, "the run's budget is $0, and this may cost something");
    }

    #[test]
    fn what_is_exceeded_is_told_each_time_it_gets_more() {
        let mut purses = purses(&[(0, 1_000_000_000)]);
        let first = reserved(purses.reserve(&[0], need(1, 400_000_000)));
        let second = reserved(purses.reserve(&[0], need(1, 400_000_000)));
        assert!(
            purses.settle(first, money(900_000_000)).is_empty(),
            "more than expected is not more than there is"
        );
        assert_eq!(
            purses.settle(second, money(350_000_000)),
            [
                "the run's budget of $1 is exceeded by $0.2500: what was under way took more than was set aside"
            ]
        );
    }

    #[test]
    fn tokens_are_a_budget_like_money() {
        let mut purses: Purses<u8> = Purses::new();
        purses.set(0, "the tier's", Limit { nanos: None, tokens: Some(1000) }, Amount::default());
        let tokens = |tokens| Amount { nanos: 7, tokens };
        let first = reserved(purses.reserve(&[0], Need { least: tokens(100), most: tokens(900) }));
        assert_eq!(purses.reserve(&[0], Need { least: tokens(101), most: tokens(900) }), Grant::Wait(0));
        assert!(purses.settle(first, tokens(950)).is_empty());
        let Grant::Refused(reason) = purses.reserve(&[0], Need { least: tokens(51), most: tokens(900) })
        else {
            panic!()
        };
        assert_eq!(reason, "the tier's budget of 1000 tokens has 50 left, and this is expected to use 51");
    }

    #[derive(Clone, Debug)]
    enum Move {
        Reserve { which: Vec<u8>, least: u64, more: u64 },
        Settle { at: usize, taken: u64 },
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let reserve = (prop::collection::vec(0u8..4, 1..4), 0u64..50, 0u64..200)
            .prop_map(|(which, least, more)| Move::Reserve { which, least, more });
        let settle = (0usize..16, 0u64..300).prop_map(|(at, taken)| Move::Settle { at, taken });
        prop::collection::vec(prop_oneof![reserve, settle], 0..60)
    }

    proptest! {
        /// Whatever happens: what is set aside never makes a budget exceed its limit, and what was settled is what was spent.
        #[test]
        fn what_is_set_aside_is_always_there(limits in prop::collection::vec(0u64..500, 4), moves in moves()) {
            let limits: Vec<(u8, u64)> = (0..).zip(limits).collect();
            let mut purses = purses(&limits);
            let mut open: Vec<Reservation<u8>> = Vec::new();
            let mut settled = [0u64; 4];
            for step in moves {
                match step {
                    Move::Reserve { mut which, least, more } => {
                        which.sort_unstable();
                        which.dedup();
                        let before: Vec<u64> = which.iter().map(|key| over(&purses, *key)).collect();
                        if let Grant::Reserved(reservation) = purses.reserve(&which, need(least, least + more)) {
                            for (key, before) in which.iter().zip(before) {
                                prop_assert_eq!(over(&purses, *key), before, "it does not exceed a budget, nor more");
                            }
                            prop_assert!(reservation.amount.nanos >= least);
                            open.push(reservation);
                        }
                    }
                    Move::Settle { at, taken } => {
                        if at < open.len() {
                            let reservation = open.swap_remove(at);
                            let keys = reservation.keys.clone();
                            let before: Vec<u64> = keys.iter().map(|key| over(&purses, *key)).collect();
                            let excess = taken.saturating_sub(reservation.amount.nanos);
                            purses.settle(reservation, money(taken));
                            for (key, before) in keys.iter().zip(before) {
                                settled[usize::from(*key)] += taken;
                                prop_assert!(over(&purses, *key) <= before + excess, "only by what it took beyond");
                            }
                        }
                    }
                }
                for key in 0..4u8 {
                    prop_assert_eq!(purses.standing(&key).unwrap().0.nanos, settled[usize::from(key)]);
                }
            }
            for reservation in open {
                purses.settle(reservation, money(0));
            }
            for key in 0..4u8 {
                prop_assert_eq!(purses.standing(&key).unwrap().1, Amount::default());
            }
        }
    }

    fn over(purses: &Purses<u8>, key: u8) -> u64 {
        let (spent, set_aside, limit) = purses.standing(&key).unwrap();
        (spent.nanos + set_aside.nanos).saturating_sub(limit.nanos.unwrap())
    }
}
