//! Who takes part in a race.

use clap::ValueEnum;
use serde::{Deserialize, Deserializer, de};
use shared::section::{Classify, Risk, Tier};

use crate::route::Step;

/// More drafts at once than this help nobody.
const MOST: u8 = 16;

/// The drafts of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Drafts {
    /// So many on the tier of the attempt, on its backends in turn.
    Number(u8),
    /// One on each of these tiers besides that of the attempt.
    Tiers(Vec<Tier>),
}

/// Which tasks race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All of them.
    All,
    /// Those whose tier `classify` was unsure of.
    Unsure,
    /// Those where a mistake is dear: of high risk.
    Risky,
}

impl When {
    /// Tells whether a task is meant. Of one that nobody has classified neither doubt nor risk is known.
    pub(super) fn holds(self, classify: Option<&Classify>) -> bool {
        match self {
            When::All => true,
            When::Unsure => classify.is_some_and(|classify| classify.unsure),
            When::Risky => classify.is_some_and(|classify| classify.risk == Risk::High),
        }
    }
}

/// Reads a number of drafts such as `3`, or a list of tiers such as `1,2`.
pub(crate) fn drafts(text: &str) -> Result<Drafts, String> {
    let numbers: Vec<u8> = text
        .split(',')
        .map(|number| {
            number.trim().parse().map_err(|_| {
                format!("`{text}` is neither a number of drafts nor a list of tiers such as 1,2")
            })
        })
        .collect::<Result<_, _>>()?;
    if let [number] = numbers[..] {
        return match (1..=MOST).contains(&number) {
            true => Ok(Drafts::Number(number)),
            false => Err(format!("from 1 to {MOST} drafts can be made at once, not {number}")),
        };
    }
    let tier = |number: u8| Tier::try_from(number).ok().filter(|tier| *tier > Tier::LOCAL);
    let tiers: Option<Vec<Tier>> = numbers.into_iter().map(tier).collect();
    let mut tiers = tiers.ok_or_else(|| "tiers that can race are 1, 2 and 3".to_owned())?;
    tiers.sort_unstable();
    tiers.dedup();
    Ok(Drafts::Tiers(tiers))
}

impl<'de> Deserialize<'de> for Drafts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Drafts, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u8),
            Tiers(Vec<u8>),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Tiers(tiers) if tiers.len() < 2 => {
                return Err(de::Error::custom("a list of tiers has at least two"));
            }
            Written::Tiers(tiers) => tiers.iter().map(u8::to_string).collect::<Vec<_>>().join(","),
        };
        drafts(&text).map_err(de::Error::custom)
    }
}

/// Returns where the drafts of an attempt on `own` go, the one first that would be made anyway.
///
/// No draft is made on a tier below `bounds.0` or above `bounds.1`, whatever the list says, and none twice at the same place
/// for two tiers.
pub(crate) fn entrants(
    drafts: &Drafts,
    own: Tier,
    bounds: (Tier, Tier),
    of_tier: impl Fn(Tier) -> Vec<Step>,
) -> Vec<Step> {
    let places = of_tier(own);
    match drafts {
        Drafts::Number(number) => places.iter().cycle().take(usize::from(*number)).cloned().collect(),
        Drafts::Tiers(tiers) => {
            let mut steps: Vec<Step> = places.into_iter().take(1).collect();
            let others =
                tiers.iter().filter(|tier| **tier != own && bounds.0 <= **tier && **tier <= bounds.1);
            for step in others.filter_map(|tier| of_tier(*tier).into_iter().next()) {
                if !steps.iter().any(|known| (known.lane, &known.model) == (step.lane, &step.model)) {
                    steps.push(step);
                }
            }
            steps
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(number: u8) -> Tier {
        Tier::try_from(number).unwrap()
    }

    fn step(tier: Tier, lane: usize) -> Step {
        Step { lane, model: None, tier }
    }

    #[test]
    fn a_number_is_of_drafts_and_a_list_is_of_tiers() {
        assert_eq!(drafts("3"), Ok(Drafts::Number(3)));
        assert_eq!(drafts("2, 1,2"), Ok(Drafts::Tiers(vec![tier(1), tier(2)])));
        for bad in ["0", "17", "", "1,", "0,1", "1,4", "two"] {
            assert!(drafts(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn drafts_on_one_tier_take_its_backends_in_turn() {
        let of_tier = |tier| vec![step(tier, 5), step(tier, 6)];
        let lanes = |number| {
            let all = entrants(&Drafts::Number(number), tier(2), (tier(1), tier(3)), of_tier);
            all.into_iter().map(|step| step.lane).collect::<Vec<_>>()
        };
        assert_eq!((lanes(1), lanes(3)), (vec![5], vec![5, 6, 5]));
        assert!(entrants(&Drafts::Number(2), tier(2), (tier(1), tier(3)), |_| Vec::new()).is_empty());
    }

    #[test]
    fn drafts_on_several_tiers_stay_within_what_the_task_allows() {
        let race = |own: u8, low: u8, high: u8| {
            let drafts = Drafts::Tiers(vec![tier(1), tier(2), tier(3)]);
            let all = entrants(&drafts, tier(own), (tier(low), tier(high)), |tier| {
                vec![step(tier, tier.number().into())]
            });
            all.into_iter().map(|step| step.tier.number()).collect::<Vec<_>>()
        };
        assert_eq!(race(2, 1, 3), [2, 1, 3]);
        assert_eq!(race(2, 2, 3), [2, 3], "an escalation never goes down");
        assert_eq!(race(1, 1, 1), [1]);
        // Two tiers with the same backend and model would be the same draft twice.
        let same = |tier| vec![step(tier, 4)];
        let drafts = Drafts::Tiers(vec![tier(1), tier(2)]);
        assert_eq!(entrants(&drafts, tier(1), (tier(1), tier(3)), same).len(), 1);
    }
}
