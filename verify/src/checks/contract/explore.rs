//! An explorer cites a file that exists, states a count, or says that nothing was found.

use std::sync::LazyLock;

use regex::Regex;

use super::NAME;
use crate::attempt::Attempt;
use crate::checks::grounded;
use crate::observation::{Observation, Standing};

static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:\d[\d,. ]*|one|two|three|four|five|six|seven|eight|nine|ten)\s+(?:\w+\s+){0,3}(?:files?|match(?:es)?|occurrences?|lines?|results?|times|entries|directories|folders|modules|tests?|functions?|commits?|usages?|references?|places|classes|definitions?|imports?|dependencies|endpoints?|routes?)\b|^\W*\d[\d,]*\W*$|\b(?:count|total)\W+\d").unwrap()
});

static NONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:no|zero|0)\s+(?:\w+\s+){0,3}(?:match(?:es)?|results?|files?|occurrences?|usages?|references?|such|hits|definitions?|imports?|instances)\b|\bnot? (?:found|present|used|defined)\b|\bnothing (?:was )?(?:found|matche[sd])\b|\b(?:does not|doesn't|do not|don't) (?:exist|appear|contain|occur|use)\b|\b(?:could not|couldn't|did not|didn't) find (?:any|a|an)\b|\bthere (?:is|are) no\b|\bnone\b").unwrap()
});

pub(super) fn check(attempt: &Attempt<'_>) -> Observation {
    let cited = grounded::existing(attempt);
    if cited > 0 {
        return Observation::new(NAME, Standing::Clean, "");
    }
    // A count or an absence has the right form, but nothing shows that anybody looked.
    if attempt.answer.sentences().iter().any(|s| NONE.is_match(&s.text))
        || COUNT.is_match(attempt.answer.text)
    {
        return Observation::new(
            NAME,
            Standing::Open,
            "it states a count or an absence, and cites nothing for it",
        );
    }
    if !attempt.place.exists() && !attempt.citations().is_empty() {
        return Observation::new(NAME, Standing::Missing, "the place it cites is not there any more");
    }
    let detail = "it cites no existing file, states no count, and does not say that nothing was found";
    Observation::new(NAME, Standing::Small, detail)
}
