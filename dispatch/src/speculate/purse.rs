//! What drafts beyond the first may cost, all together.

/// The money for them.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    /// The most, in US dollars; no limit if absent.
    most: Option<f64>,
    spent: f64,
    reserved: f64,
}

/// What was granted.
#[derive(Debug, PartialEq)]
pub(crate) struct Grant {
    /// How many of the drafts that were asked for, from the first.
    pub(crate) drafts: usize,
    /// What these are expected to cost in US dollars, which is put aside for them; absent if that is not known.
    pub(crate) expected: Option<f64>,
    /// Why not all.
    pub(crate) reason: Option<String>,
}

impl Purse {
    pub(crate) fn new(most: Option<f64>) -> Purse {
        Purse { most, ..Purse::default() }
    }

    /// Tells how many drafts may be made that are expected to cost so much each, and does not put anything aside.
    pub(crate) fn look(&self, drafts: &[Option<f64>]) -> Grant {
        let (mut granted, mut expected, mut reason) = (0, Some(0.0), None);
        for cost in drafts {
            let (sum, most) = (expected.unwrap_or(0.0) + cost.unwrap_or(0.0), self.most);
            reason = match (most, cost) {
                (Some(_), None) => Some(
                    "the price of another draft is not known, so the budget for races could not be kept"
                        .to_owned(),
                ),
                (Some(most), Some(cost)) if self.spent + self.reserved + sum > most => Some(format!(
                    "another draft is expected to cost ${cost:.4}, and of the ${most} for races ${:.4} are left",
                    (most - self.spent - self.reserved - (sum - cost)).max(0.0)
                )),
                _ => None,
            };
            if reason.is_some() {
                break;
            }
            granted += 1;
            expected = expected.zip(*cost).map(|(sum, cost)| sum + cost);
        }
        Grant { drafts: granted, expected: expected.filter(|_| granted > 0), reason }
    }

    /// The same, and puts aside what the drafts are expected to cost.
    pub(crate) fn take(&mut self, drafts: &[Option<f64>]) -> Grant {
        let grant = self.look(drafts);
        self.reserved += grant.expected.unwrap_or(0.0);
        grant
    }

    /// Puts back what was put aside, and takes what the drafts that lost have cost.
    pub(crate) fn settle(&mut self, expected: Option<f64>, cost: f64) {
        self.reserved = (self.reserved - expected.unwrap_or(0.0)).max(0.0);
        self.spent += cost;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn drafts_are_granted_as_long_as_the_money_lasts() {
        let mut purse = Purse::new(Some(1.0));
        let first = purse.take(&[Some(0.5), Some(0.25), Some(0.5)]);
        assert_eq!((first.drafts, first.expected), (2, Some(0.75)));
        assert!(first.reason.unwrap().contains("$0.2500 are left"));
        assert_eq!(purse.take(&[Some(0.5)]).drafts, 0);
        purse.settle(Some(0.75), 0.5);
        assert_eq!(purse.take(&[Some(0.5)]).drafts, 1);
        assert_eq!(purse.take(&[Some(0.0)]).drafts, 1, "what costs nothing is no question of money");
    }

    #[test]
    fn an_unknown_price_is_no_price_of_zero() {
        assert_eq!(Purse::new(Some(1.0)).take(&[None]).drafts, 0);
        assert_eq!(
            Purse::new(None).take(&[None, Some(1.0)]),
            Grant { drafts: 2, expected: None, reason: None }
        );
    }

    proptest! {
        /// Whatever is asked and however it ends: what is expected never goes beyond the purse.
        #[test]
        fn more_than_there_is_is_never_put_aside(
            races in proptest::collection::vec((proptest::collection::vec(0.0f64..1.0, 0..4), 0.0f64..1.0), 0..30)
        ) {
            let mut purse = Purse::new(Some(2.0));
            for (drafts, share) in races {
                let before = purse.spent + purse.reserved;
                let grant = purse.take(&drafts.into_iter().map(Some).collect::<Vec<_>>());
                prop_assert!(before > 2.0 || purse.spent + purse.reserved <= 2.0 + 1e-9);
                let expected = grant.expected.unwrap_or(0.0);
                purse.settle(grant.expected, expected * share);
            }
            prop_assert!(purse.reserved < 1e-9 && purse.spent <= 2.0 + 1e-9);
        }
    }
}
