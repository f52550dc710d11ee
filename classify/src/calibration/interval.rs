//! How much so many observations tell: Wilson's and Clopper and Pearson's intervals, and the exact tails of counts.
//!
//! Counts are real numbers here, because old evidence weighs less than one.

/// The quantile of the normal distribution for two-sided intervals of 95 %.
pub(crate) const Z95: f64 = 1.959_963_984_540_054;

/// The same for 80 %.
pub(crate) const Z80: f64 = 1.281_551_565_544_6;

/// A lower and an upper bound on a share, both from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Bounds {
    /// Nothing is known.
    pub(crate) const ANY: Bounds = Bounds { low: 0.0, high: 1.0 };
}

/// Returns the score interval of Wilson (1927) for `hits` out of `n`; `z` is 1.96 for 95 %.
pub(crate) fn wilson(hits: f64, n: f64, z: f64) -> Bounds {
    if n <= 0.0 {
        return Bounds::ANY;
    }
    let share = (hits / n).clamp(0.0, 1.0);
    let zz = z * z;
    let middle = share + zz / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + zz / (4.0 * n * n)).sqrt();
    let scale = 1.0 + zz / n;
    // At both ends the interval reaches the end; rounding must not put it a hair beside.
    let low = if share == 0.0 { 0.0 } else { ((middle - half) / scale).max(0.0) };
    let high = if share == 1.0 { 1.0 } else { ((middle + half) / scale).min(1.0) };
    Bounds { low, high }
}

/// Returns the exact interval of Clopper and Pearson (1934) for `hits` out of `n`, with `alpha / 2` on either side.
pub(crate) fn clopper_pearson(hits: f64, n: f64, alpha: f64) -> Bounds {
    if n <= 0.0 {
        return Bounds::ANY;
    }
    Bounds { low: lower_limit(hits, n, alpha / 2.0), high: upper_limit(hits, n, alpha / 2.0) }
}

/// Returns the largest share under which no more than `hits` out of `n` are seen with a probability of `alpha`.
pub(crate) fn upper_limit(hits: f64, n: f64, alpha: f64) -> f64 {
    if n <= 0.0 || hits >= n {
        return 1.0;
    }
    // P(X ≤ k) falls from 1 to 0 as the share grows.
    bisect(|share| binomial_at_most(hits, n, share) > alpha)
}

/// Returns the smallest share under which at least `hits` out of `n` are seen with a probability of `alpha`.
pub(crate) fn lower_limit(hits: f64, n: f64, alpha: f64) -> f64 {
    if n <= 0.0 || hits <= 0.0 {
        return 0.0;
    }
    1.0 - upper_limit(n - hits, n, alpha)
}

/// Returns where a condition that holds at 0 ceases to hold.
fn bisect(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if holds(middle) { low = middle } else { high = middle }
    }
    high
}

/// Returns the probability of at most `k` hits in `n` trials that hit with probability `p`.
///
/// By the regularised incomplete beta function, `I₁₋ₚ(n−k, k+1)`, which also holds between whole numbers.
pub(crate) fn binomial_at_most(k: f64, n: f64, p: f64) -> f64 {
    if k >= n {
        1.0
    } else if k < 0.0 {
        0.0
    } else {
        beta_share(1.0 - p, n - k, k + 1.0)
    }
}

/// Returns the probability of at most `k` marked ones in a draw of `n` without replacement from `total`, of which
/// `marked` are marked.
pub(crate) fn hypergeometric_at_most(k: u64, total: u64, marked: u64, n: u64) -> f64 {
    let least = (marked + n).saturating_sub(total);
    let most = k.min(marked).min(n);
    if most < least {
        return 0.0;
    }
    let all = ln_choose(total, n);
    let sum: f64 =
        (least..=most).map(|i| (ln_choose(marked, i) + ln_choose(total - marked, n - i) - all).exp()).sum();
    sum.min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| ln_gamma(n as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Returns the logarithm of the gamma function, by the approximation of Lanczos (1964) with g = 7.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Euler's reflection formula.
        let pi = std::f64::consts::PI;
        return (pi / (pi * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let base = x + 7.5;
    let series = COEFFICIENTS
        .iter()
        .zip(1u8..)
        .fold(0.999_999_999_999_809_9, |sum, (c, i)| sum + c / (x + f64::from(i)));
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * base.ln() - base + series.ln()
}

/// Returns the regularised incomplete beta function `Iₓ(a, b)`, by its continued fraction (Lentz's method).
fn beta_share(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges fast on this side of the middle.
    let share = if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    };
    share.clamp(0.0, 1.0)
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let step = d * c;
        fraction *= step;
        if (step - 1.0).abs() < 1e-14 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 5e-7
    }

    #[test]
    fn wilson_by_hand() {
        // 8 of 10: (0.8 + 0.19207) / 1.38415 ∓ 1.96·√(0.016 + 0.0096037) / 1.38415
        let bounds = wilson(8.0, 10.0, Z95);
        assert!(close(bounds.low, 0.490_162_5) && close(bounds.high, 0.943_317_8), "{bounds:?}");
        // 0 of n: the upper bound is z² / (n + z²).
        assert!(close(wilson(0.0, 73.0, Z95).high, 3.841_459 / 76.841_459));
        assert_eq!(wilson(0.0, 0.0, Z95), Bounds::ANY);
    }

    #[test]
    fn clopper_and_pearson_by_hand() {
        // 0 of n: 1 − (α/2)^(1/n).
        let none = clopper_pearson(0.0, 20.0, 0.05);
        assert!(none.low == 0.0 && close(none.high, 1.0 - 0.025f64.powf(1.0 / 20.0)), "{none:?}");
        // The textbook's 8 of 10.
        let bounds = clopper_pearson(8.0, 10.0, 0.05);
        assert!((bounds.low - 0.4439).abs() < 1e-4 && (bounds.high - 0.9748).abs() < 1e-4, "{bounds:?}");
    }

    #[test]
    fn the_tails_are_exact() {
        assert!(close(binomial_at_most(1.0, 3.0, 0.5), 0.5));
        assert!(close(binomial_at_most(0.0, 45.0, 0.05), 0.95f64.powi(45)));
        // The first sample that is large enough for 5 % at 90 %.
        assert!(binomial_at_most(0.0, 45.0, 0.05) <= 0.1 && binomial_at_most(0.0, 44.0, 0.05) > 0.1);
        // Two of four are marked; of two that are drawn none is: C(2,2) / C(4,2).
        assert!(close(hypergeometric_at_most(0, 4, 2, 2), 1.0 / 6.0));
        assert!(close(hypergeometric_at_most(1, 4, 2, 2), 5.0 / 6.0));
        assert!(close(hypergeometric_at_most(2, 4, 2, 2), 1.0));
    }

    proptest! {
        #[test]
        fn another_hit_never_lowers_a_bound(hits in 0u32..400, misses in 0u32..400) {
            let (k, n) = (f64::from(hits), f64::from(hits + misses));
            for of in [
                (|k, n| wilson(k, n, Z95)) as fn(f64, f64) -> Bounds,
                |k, n| clopper_pearson(k, n, 0.05),
            ] {
                let (before, after) = (of(k, n), of(k + 1.0, n + 1.0));
                prop_assert!(after.low >= before.low - 1e-9 && after.high >= before.high - 1e-9);
                let missed = of(k, n + 1.0);
                prop_assert!(missed.low <= before.low + 1e-9 && missed.high <= before.high + 1e-9);
            }
        }

        #[test]
        fn the_binomial_tail_is_the_sum_of_its_terms(n in 1u64..60, k in 0u64..60, p in 0.01f64..0.99) {
            let k = k.min(n);
            let sum: f64 = (0..=k)
                .map(|i| (ln_choose(n, i) + i as f64 * p.ln() + (n - i) as f64 * (1.0 - p).ln()).exp())
                .sum();
            prop_assert!((binomial_at_most(k as f64, n as f64, p) - sum).abs() < 1e-9);
        }
    }
}
