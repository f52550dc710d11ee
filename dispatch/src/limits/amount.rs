//! What an attempt takes, in whole numbers, so that what was reserved and settled adds up to the unit.

use shared::section::Usage;

/// Nanodollars in a dollar.
const NANO: f64 = 1e9;

/// An amount of money and of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Nanodollars (10⁻⁹ US dollars).
    pub(crate) nanos: u64,
    pub(crate) tokens: u64,
}

impl Amount {
    /// Returns the sum, or the most that there is.
    pub(crate) fn plus(self, other: Amount) -> Amount {
        Amount {
            nanos: self.nanos.saturating_add(other.nanos),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }

    /// Returns the difference, or nothing.
    pub(crate) fn minus(self, other: Amount) -> Amount {
        Amount {
            nanos: self.nanos.saturating_sub(other.nanos),
            tokens: self.tokens.saturating_sub(other.tokens),
        }
    }
}

/// Returns US dollars in nanodollars; absurd amounts are the most that there is.
pub(crate) fn nanos(dollars: f64) -> u64 {
    // The conversion saturates, and no number is nothing.
    (dollars * NANO).round() as u64
}

/// Returns nanodollars in US dollars.
pub(crate) fn dollars(nanos: u64) -> f64 {
    nanos as f64 / NANO
}

/// Returns all tokens of a usage: those that a cache gave or took count like any other against a limit of tokens.
pub(crate) fn tokens(usage: &Usage) -> u64 {
    [
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
    ]
    .into_iter()
    .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_kept_to_the_nanodollar() {
        for (given, expected) in
            [(0.0, 0), (0.25, 250_000_000), (1e-9, 1), (1e-10, 0), (f64::MAX, u64::MAX), (-1.0, 0)]
        {
            assert_eq!(nanos(given), expected, "{given}");
        }
        assert_eq!(nanos(f64::NAN), 0);
        assert_eq!(dollars(nanos(0.0005)), 0.0005);
    }

    #[test]
    fn all_tokens_count() {
        let usage = Usage {
            input_tokens: 1,
            cache_read_tokens: 20,
            cache_write_tokens: 300,
            cache_write_1h_tokens: 4000,
            output_tokens: 50_000,
            reasoning_tokens: 7,
            requests: 9,
            untold_requests: 1,
        };
        assert_eq!(tokens(&usage), 54_321);
    }
}
