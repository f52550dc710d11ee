//! What a single attempt may still spend, for whoever makes it.

use std::sync::Arc;

use shared::price::Model;
use shared::section::Usage;

/// What is left for an attempt of all the budgets that it is under. What is not said is not limited.
#[derive(Clone, Debug, Default)]
pub struct Allowance {
    /// US dollars.
    pub usd: Option<f64>,
    /// Tokens, those of caches included.
    pub tokens: Option<u64>,
    /// The prices of the attempt's model, where they are known.
    pub price: Option<Arc<Model>>,
}

impl Allowance {
    /// Returns which limit is reached by these requests, in words; nothing if another request may be sent.
    ///
    /// `told_usd` is what the server itself says that they cost, for models without a price.
    pub fn spent(&self, requests: &[Usage], told_usd: Option<f64>) -> Option<String> {
        let used = requests.iter().map(super::amount::tokens).fold(0, u64::saturating_add);
        if let Some(tokens) = self.tokens.filter(|tokens| used >= *tokens) {
            return Some(format!("the {tokens} tokens that this attempt may use are used ({used})"));
        }
        let usd = self.usd?;
        let cost = self.cost(requests).or(told_usd)?;
        (cost >= usd).then(|| format!("the ${usd:.4} that this attempt may cost are spent (${cost:.4})"))
    }

    /// Returns the longest answer, in tokens, that can still be paid after these requests and a prompt of so many tokens.
    pub fn longest_answer(&self, requests: &[Usage], prompt_tokens: u64) -> Option<u32> {
        let used = requests.iter().map(super::amount::tokens).fold(0, u64::saturating_add);
        let by_tokens = self.tokens.map(|tokens| tokens.saturating_sub(used.saturating_add(prompt_tokens)));
        let longest = match self.by_money(requests, prompt_tokens) {
            Some(by_money) => Some(by_tokens.map_or(by_money, |tokens| tokens.min(by_money))),
            None => by_tokens,
        };
        longest.map(|tokens| u32::try_from(tokens).unwrap_or(u32::MAX).max(1))
    }

    fn by_money(&self, requests: &[Usage], prompt_tokens: u64) -> Option<u64> {
        let (usd, price) = (self.usd?, self.price.as_ref()?);
        let with = |output_tokens| Usage { input_tokens: prompt_tokens, output_tokens, ..Usage::default() };
        let left = usd - self.cost(requests)? - price.cost(&with(0));
        // A million tokens, so that rounding does not matter.
        let token = (price.cost(&with(1_000_000)) - price.cost(&with(0))) / 1e6;
        (token > 0.0).then(|| (left / token) as u64)
    }

    fn cost(&self, requests: &[Usage]) -> Option<f64> {
        let price = self.price.as_ref()?;
        Some(requests.iter().map(|usage| price.cost(usage)).sum())
    }
}

#[cfg(test)]
mod tests {
    use shared::price::Table;

    use super::*;

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, ..Usage::default() }
    }

    #[test]
    fn an_attempt_without_limits_has_none() {
        let none = Allowance::default();
        assert_eq!(none.spent(&[usage(u64::MAX, u64::MAX)], Some(1e9)), None);
        assert_eq!(none.longest_answer(&[], 1000), None);
    }

    #[test]
    fn money_and_tokens_end_an_attempt() {
        let price = Table::built_in().model("claude-haiku-5-5");
        let cost = price.as_ref().unwrap().cost(&usage(1000, 1000));
        let allowance = Allowance { usd: Some(2.0 * cost), tokens: Some(10_000), price };
        let one = usage(1000, 1000);
        assert_eq!(allowance.spent(&[one], None), None);
        assert!(allowance.spent(&[one, one], None).unwrap().contains("may cost are spent"));
        let longest = allowance.longest_answer(&[one], 1000).unwrap();
        assert!((999..=1000).contains(&longest), "{longest}");
        assert_eq!(
            allowance.longest_answer(&[one, one], 1000),
            Some(1),
            "never none at all: the APIs refuse it"
        );
        let many = Allowance { usd: None, price: None, ..allowance };
        assert!(many.spent(&[usage(9000, 1000)], None).unwrap().contains("10000 tokens"));
        assert_eq!(many.longest_answer(&[one], 1000), Some(7000));
        let told = Allowance { usd: Some(0.5), ..Allowance::default() };
        assert_eq!(told.spent(&[one], None), None, "nobody says what it cost");
        assert!(told.spent(&[one], Some(0.5)).is_some());
    }
}
