//! Did the model decline?
//!
//! Phrases count only where the executor speaks for itself: at the beginning of a sentence, outside quotations,
//! code and block quotes. A report about a program that says "I cannot help" is no refusal.

use std::sync::LazyLock;

use regex::Regex;
use shared::section::Status;

use crate::attempt::Attempt;
use crate::observation::{Observation, Standing};

const STOPS: [&str; 6] =
    ["refusal", "content_filter", "safety", "prohibited_content", "blocklist", "recitation"];

static REFUSAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^[-*\ ]*(?:(?:i'm|i\ am|we're)\ (?:very\ |really\ |so\ )?(?:sorry|afraid)[,.;]?\ (?:but\ |that\ )?|sorry[,.;]?\ (?:but\ )?|
           i\ apologi[sz]e[,.;]?\ (?:but\ )?|my\ apologies[,.;]?\ (?:but\ )?|unfortunately[,;]?\ |however[,;]?\ |
           as\ an?\ (?:ai|artificial|large\ language|language)\b[^,.]*,?\ )*
        (?: i\ (?:can't|cannot|can\ not|won't|will\ not|am\ unable\ to|am\ not\ able\ to|'m\ unable\ to|'m\ not\ able\ to|must\ decline\ to|
               have\ to\ decline\ to|am\ not\ going\ to|do\ not\ feel\ comfortable|don't\ feel\ comfortable|am\ not\ comfortable|decline\ to)\ 
            (?:in\ good\ conscience\ )?
            (?:help|assist|comply|provide|fulfil?l|complete\ th|do\ (?:that|this|so)|create|generate|produce|write|answer|respond|engage|
               support|participate|continue|proceed|discuss|share|offer|process\ th|with|creating|writing|providing|helping|perform|execute|carry)
          | i\ (?:must|have\ to)\ (?:respectfully\ )?(?:decline|refuse)\b
          | i'm\ (?:unable|not\ able)\ to\ (?:help|assist|comply|provide|fulfil?l|do|create|generate|write|answer|perform|execute)
          | (?:this|that|your)\ (?:request|task)\ (?:violates|goes\ against|is\ against|conflicts\ with)
          | as\ an?\ (?:ai|language\ model)\b.*\bi\ (?:can't|cannot|do\ not|don't)
          | (?:it|that)\ (?:would\ be|is)\ against\ my\ (?:guidelines|policy|policies|principles)
          | (?:no\ puedo\ ayudar|lo\ siento,\ (?:pero\ )?no\ puedo|je\ ne\ peux\ pas\ (?:vous\ )?aider|désolé,\ (?:mais\ )?je\ ne\ peux|
               ich\ kann\ (?:dabei|damit|ihnen\ dabei)\ nicht\ helfen|es\ tut\ mir\ leid,\ (?:aber\ )?ich\ kann|desculpe,\ (?:mas\ )?não\ posso|
               申し訳ありません|抱歉[，,]\ ?我(?:无法|不能)|对不起[，,]\ ?我(?:无法|不能)|извините,\ (?:но\ )?я\ не\ могу)
        )",
    )
    .unwrap()
});

/// A refusal to look, wherever in the sentence it stands: whoever has no access or no tools has seen nothing.
static UNABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)\b(?:i|we)\ (?:currently\ |really\ |also\ |simply\ )*(?:do\ not|don't|did\ not|didn't)\ (?:currently\ |actually\ |really\ )*have\ 
              (?:any\ |direct\ |the\ |a\ |real\ |your\ |file\ )*(?:access|tools?|ability|permissions?|means|way|visibility)\b
        | \b(?:i|we)\ (?:have|had)\ no\ (?:\w+\ )?(?:access|tools?|ability|permissions?|means|way)\b
        | \b(?:i|we)\ (?:lack|lacked)\ (?:the\ )?(?:access|tools?|ability|permissions?)\b
        | \b(?:i|we)\ (?:can't|cannot|can\ not|could\ not|couldn't|(?:am|was|were|are)\ (?:not\ able|unable)\ to)\ (?:directly\ |actually\ )?
              (?:access|see|view|look|open|read|browse|inspect|examine|find\ out|tell|say|determine|review|run|execute|help|assist|comply|verify\ it)\b
        | \bi'm\ (?:unable|not\ able)\ to\ (?:access|see|view|look|open|read|browse|inspect|examine|find\ out|tell|say|determine|review|run|execute)\b
        | \bwithout\ (?:any\ )?access\ to\ (?:the|your|this)\b
        | \bi\ (?:won't|will\ not|refuse\ to|decline\ to|must\ decline)\b
        | \b(?:would|will|may|does)\ (?:violate|be\ against|go\ against|breach)\ (?:my|our|the)\ (?:guidelines|polic\w+|principles|rules)\b
        | \b(?:request|task|question)\ (?:was|is|has\ been)\ (?:declined|refused|rejected|denied)\b
        | ^sorry[,.!]?\ (?:no|but\ no|i)\b
        | \bich\ (?:kann|konnte|darf)\b[^.]*\b(?:nicht|kein\w*|leider)\b[^.]*\b(?:helfen|zugreifen|einsehen|lesen|öffnen|prüfen|sehen|ausführen|finden|sagen|beantworten|beurteilen)\b
        | \bich\ habe\ (?:leider\ )?kein\w*\ (?:\w+\ )?(?:zugriff|zugang|werkzeuge?|möglichkeit|berechtigung)\b
        | \bich\ (?:bin|war)\ (?:leider\ )?nicht\ (?:in\ der\ lage|imstande|befugt)\b
        | \b(?:das|dies|diese\ anfrage)\ (?:lehne\ ich|muss\ ich)\b[^.]*\bab(?:lehnen)?\b",
    )
    .unwrap()
});

/// Looks for a refusal in what the server says and in the executor's own words.
pub(crate) fn check(attempt: &Attempt<'_>) -> Observation {
    const NAME: &str = "refusal";
    if attempt.dispatch.status == Status::Refused {
        return Observation::new(NAME, Standing::Hard, "the model refused");
    }
    if attempt.is_factual() {
        return Observation::new(NAME, Standing::Skipped, "no model was asked");
    }
    let stop = attempt.dispatch.stop_reason.as_deref().map(str::to_ascii_lowercase);
    if let Some(stop) = stop.filter(|stop| STOPS.contains(&stop.as_str())) {
        return Observation::new(NAME, Standing::Hard, format!("the model stopped with `{stop}`"));
    }
    let sentences = attempt.answer.sentences();
    // A writer whose change is there has looked, and says what else it could not do; a report that an "I" in the
    // user's program cannot do something is quoted. Findings of a long report may name a gap.
    let wrote = attempt.dispatch.files_changed.as_ref().is_some_and(|files| !files.is_empty());
    let refuses = |bare: &str| REFUSAL.is_match(bare) || (!wrote && UNABLE.is_match(bare));
    match sentences.iter().position(|sentence| refuses(&sentence.bare)) {
        None => Observation::new(NAME, Standing::Clean, ""),
        Some(at) => {
            let said = super::shown(&sentences[at].text);
            // One thing declined at the end of long work is a gap in it, not a refusal of it.
            let whole = at < 3 || sentences.len() <= 6;
            let (standing, what) =
                if whole { (Standing::Hard, "it refuses") } else { (Standing::Doubt, "it declines a part") };
            Observation::new(NAME, standing, format!("{what}: “{said}”"))
        }
    }
}
