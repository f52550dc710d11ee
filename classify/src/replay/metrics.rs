//! How well a score tells which drafts will be rejected, and what routing by it would bring.
//!
//! All of them look at a *risk*: the higher, the sooner a task goes to the strong tier.

/// Returns the area under the ROC curve: the probability that a rejected draft has a higher risk than an accepted one,
/// where a tie counts half (Hanley and McNeil 1982). `None` if all drafts came out alike.
pub(crate) fn auroc(risks: &[f64], rejected: &[bool]) -> Option<f64> {
    let mut order: Vec<usize> = (0..risks.len()).collect();
    order.sort_by(|a, b| risks[*a].total_cmp(&risks[*b]));
    let bad = rejected.iter().filter(|rejected| **rejected).count() as f64;
    let good = risks.len() as f64 - bad;
    if bad == 0.0 || good == 0.0 {
        return None;
    }
    let (mut wins, mut below) = (0.0, 0.0);
    for same in order.chunk_by(|a, b| risks[*a] == risks[*b]) {
        let here = same.iter().filter(|at| rejected[**at]).count() as f64;
        let good_here = same.len() as f64 - here;
        wins += here * (below + good_here / 2.0);
        below += good_here;
    }
    Some(wins / (bad * good))
}

/// The curve of recovered quality: how much of the way from the cheap tier's quality to the strong tier's is gone when so
/// many tasks, the riskiest first, go to the strong tier.
///
/// Both qualities are the shares of accepted results (RouteLLM, Ong et al. 2024: "performance gap recovered").
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recovery {
    /// After each group of equal risk: the share of strong calls, the share of the gap.
    points: Vec<(f64, f64)>,
}

impl Recovery {
    /// `gains` has for each task what the strong tier's result is worth more than the cheap one's: 1, 0 or −1. `None` if
    /// the strong tier is no better, so that there is no gap.
    pub(crate) fn of(risks: &[f64], gains: &[f64]) -> Option<Recovery> {
        let gap: f64 = gains.iter().sum();
        if gap <= 0.0 {
            return None;
        }
        let mut order: Vec<usize> = (0..risks.len()).collect();
        order.sort_by(|a, b| risks[*b].total_cmp(&risks[*a]));
        let mut points = vec![(0.0, 0.0)];
        let (mut calls, mut gained) = (0.0, 0.0);
        // Equal risks are a straight line: which of them goes first is chance.
        for same in order.chunk_by(|a, b| risks[*a] == risks[*b]) {
            calls += same.len() as f64;
            gained += same.iter().map(|at| gains[*at]).sum::<f64>();
            points.push((calls / risks.len() as f64, gained / gap));
        }
        Some(Recovery { points })
    }

    /// APGR: the area under the curve, 0.5 for a random order.
    pub(crate) fn area(&self) -> f64 {
        self.points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * f64::midpoint(pair[0].1, pair[1].1)).sum()
    }

    /// CPT: the least share of strong calls that recovers this share of the gap.
    pub(crate) fn calls_for(&self, share: f64) -> f64 {
        for pair in self.points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            if y1 >= share - 1e-12 {
                let part = if y1 > y0 { ((share - y0) / (y1 - y0)).clamp(0.0, 1.0) } else { 0.0 };
                return x0 + part * (x1 - x0);
            }
        }
        1.0
    }

    /// The points of the curve, at most so many of them.
    pub(crate) fn curve(&self, most: usize) -> Vec<(f64, f64)> {
        let step = (self.points.len().saturating_sub(1)).div_ceil(most.max(2) - 1).max(1);
        let mut points: Vec<_> = self.points.iter().copied().step_by(step).collect();
        points.extend(self.points.last().filter(|last| points.last() != Some(last)));
        points
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn auroc_by_hand() {
        // Rejected: .9 and .4; accepted: .6, .4, .1. Pairs won: 3 + (½ + 1) of 6.
        let risks = [0.9, 0.4, 0.6, 0.4, 0.1];
        let rejected = [true, true, false, false, false];
        assert_eq!(auroc(&risks, &rejected), Some(4.5 / 6.0));
        assert_eq!(auroc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(auroc(&[], &[]), None);
    }

    #[test]
    fn apgr_and_cpt_by_hand() {
        // Four tasks; the strong tier is better at the riskiest and at the third: 0, 1/2, 1/2, 1, 1.
        let recovery = Recovery::of(&[4.0, 3.0, 2.0, 1.0], &[1.0, 0.0, 1.0, 0.0]).unwrap();
        // ¼·(¼ + ½ + ¾ + 1)
        assert_eq!(recovery.area(), 0.625);
        assert_eq!(recovery.calls_for(0.5), 0.25);
        assert_eq!(recovery.calls_for(0.8), 0.65);
        // All equal: a straight line, whatever the order.
        let flat = Recovery::of(&[1.0; 4], &[0.0, 1.0, 0.0, 1.0]).unwrap();
        assert_eq!((flat.area(), flat.calls_for(0.5)), (0.5, 0.5));
        assert_eq!(Recovery::of(&[1.0, 2.0], &[1.0, -1.0]), None);
        // The strong tier can be worse at some, so a part of the strong calls can be better than all of them.
        let beyond = Recovery::of(&[3.0, 2.0, 1.0], &[1.0, 1.0, -1.0]).unwrap();
        assert!((beyond.area() - (0.5 + 1.5 + 1.5) / 3.0).abs() < 1e-12);
        assert!((beyond.calls_for(1.0) - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_curve_keeps_its_ends() {
        let gains: Vec<f64> = (0..1000).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
        let risks: Vec<f64> = (0..1000).map(f64::from).collect();
        let curve = Recovery::of(&risks, &gains).unwrap().curve(11);
        assert_eq!((curve.len(), curve[0], curve[10]), (11, (0.0, 0.0), (1.0, 1.0)));
    }

    proptest! {
        #[test]
        fn the_reverse_order_is_the_complement(pairs in prop::collection::vec((0u8..20, any::<bool>()), 2..80)) {
            let risks: Vec<f64> = pairs.iter().map(|(risk, _)| f64::from(*risk)).collect();
            let rejected: Vec<bool> = pairs.iter().map(|(_, rejected)| *rejected).collect();
            let turned: Vec<f64> = risks.iter().map(|risk| -risk).collect();
            match (auroc(&risks, &rejected), auroc(&turned, &rejected)) {
                (Some(one), Some(other)) => prop_assert!((one + other - 1.0).abs() < 1e-9),
                (one, other) => prop_assert_eq!(one, other),
            }
            let gains: Vec<f64> = rejected.iter().map(|bad| f64::from(u8::from(*bad))).collect();
            if let (Some(one), Some(other)) = (Recovery::of(&risks, &gains), Recovery::of(&turned, &gains)) {
                prop_assert!((one.area() + other.area() - 1.0).abs() < 1e-9);
            }
        }
    }
}
