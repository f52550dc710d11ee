//! What an attempt is expected to cost, before it is made.

use shared::price::Table;
use shared::section::{Effort, Interval, Usage};

use crate::incoming::{Known, is_amount};
use crate::prompt::prompt;

/// What an answer is taken to have, as nobody knows.
pub(crate) const OUTPUT_TOKENS: u64 = 1000;

/// About so many bytes of English or code make a token.
const BYTES_PER_TOKEN: usize = 4;

/// A cost, and whether it is what `classify` expects of the work and not only of the text.
pub(crate) type Estimate = (Interval<f64>, bool);

/// Returns what an attempt is expected to cost on a model with instructions of this length; nothing if its price is not known.
///
/// What `classify` expects of the work is nearer than a fixed length, if it is about the same model.
pub(crate) fn cost(
    prices: &Table,
    known: &Known,
    model: Option<&str>,
    instructions: usize,
) -> Option<Estimate> {
    let model = model?;
    let effort = known.classify.as_ref().and_then(|classify| classify.effort.as_ref());
    if let Some(cost) = effort.filter(|effort| effort.model.as_deref() == Some(model)).and_then(expected) {
        return Some((cost, true));
    }
    let bytes = instructions + prompt(&known.task, &[], None).len();
    let usage = Usage {
        input_tokens: (bytes / BYTES_PER_TOKEN) as u64,
        output_tokens: OUTPUT_TOKENS,
        requests: 1,
        ..Usage::default()
    };
    prices.cost(model, &usage).map(|cost| (certain(cost), false))
}

fn expected(effort: &Effort) -> Option<Interval<f64>> {
    effort.cost_usd.filter(|cost| [cost.low, cost.expected, cost.high].into_iter().all(is_amount))
}

/// Returns a cost of which no interval is known.
pub(crate) fn certain(cost: f64) -> Interval<f64> {
    Interval { low: cost, expected: cost, high: cost }
}
