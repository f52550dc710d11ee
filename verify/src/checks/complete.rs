//! Is there an answer, and is it the work rather than a plan for it?

use std::sync::LazyLock;

use regex::Regex;
use shared::section::Status;

use crate::attempt::{Attempt, Kind};
use crate::observation::{Observation, Standing, worst};

/// An announcement, in the first person and the future.
static INTENTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^(?:(?:okay|ok|sure|certainly|great|alright|of\ course|now|next|first|then|so)[,.!]?\ +){0,3}
        (?: i\ ?(?:'ll|\ will|\ am\ going\ to|'m\ going\ to|\ plan\ to|\ intend\ to)\ (?:now\ |first\ |then\ |next\ |start\ by\ |begin\ by\ )*
            (?:start|begin|look|check|read|search|find|explore|examine|inspect|review|analy[sz]e|investigate|grep|report|run|execute|
               create|add|write|implement|update|modify|fix|refactor|edit|make|open|list|use|do|go|proceed|work|need|gather|scan|verify|test)
          | let\ me\ (?:now\ |first\ |start\ |begin\ |just\ |quickly\ )*
            (?:start|begin|look|check|read|search|find|explore|examine|inspect|review|analy[sz]e|investigate|grep|report|run|execute|
               create|add|write|implement|update|modify|fix|refactor|edit|make|open|list|see|take|try|go|gather|scan|verify|test|by)
          | (?:here(?:'s|\ is)|this\ is)\ (?:my|the|a)\ (?:plan|approach)
          | (?:my|the)\ (?:plan|approach|next\ step)\ (?:is|would\ be|will\ be)
          | (?:(?:next|first|further|remaining|proposed|suggested)\ steps?|plan|to-?do|approach)\ *(?::|$)
          | i\ (?:would|'d|should|could|need\ to|have\ to|want\ to)\ (?:now\ |first\ |then\ |next\ |start\ by\ |begin\ by\ |also\ )*
            (?:start|begin|look|check|read|search|grep|find|explore|examine|inspect|review|analy[sz]e|investigate|run|execute|open|list|see|scan)
          | to\ \w+[^,.]*,\ (?:one|you|we|i)\ (?:should|would|could|can|must|need\ to|have\ to)\ (?:first|start|begin|open|look|read|search)
          | (?:ich\ (?:werde|würde|beginne|fange)\b|zuerst\ (?:würde|werde|muss|sollte)\b|als\ (?:nächstes|erstes)\b|nächste\ schritte|mein\ plan\b)
        )",
    )
    .unwrap()
});

/// The executor says itself that it did not do it.
static GAVE_UP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)\b(?:i|we)\ (?:was|were|am|are)?\ ?(?:could\ not|couldn't|was\ not\ able\ to|wasn't\ able\ to|were\ not\ able\ to|
        unable\ to|not\ able\ to|did\ not\ manage\ to|failed\ to|have\ not\ been\ able\ to|haven't\ been\ able\ to|ran\ out\ of)\b\ 
        (?:\w+\ )?(?:complete|finish|implement|access|open|run|read|execute|start|do|time|turns|context|perform|make|apply|connect|install)\b
        | \b(?:work|task|implementation|change)\ (?:is|remains|was\ left)\ (?:incomplete|unfinished|only\ partially|partially)\b
        | \b(?:i|we)\ (?:only\ )?(?:did\ part|partially\ (?:completed|implemented))\b",
    )
    .unwrap()
});

/// It says where the answer may be, and that is all.
static GUESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^[-*\ ]*(?:it(?:'s|\ is)\ |that(?:'s|\ is)\ |this\ is\ )?(?:probably|presumably|possibly|perhaps|maybe|likely|supposedly|i\ (?:guess|suppose|assume|suspect|would\ guess|imagine|expect)|my\ (?:best\ )?guess
            |wahrscheinlich|vermutlich|vielleicht|ich\ (?:vermute|glaube|denke|nehme\ an)|i\ (?:think|believe))\b
        | \b(?:i\ (?:have\ not|haven't|did\ not|didn't)\ (?:actually\ |yet\ )?(?:look(?:ed)?|check(?:ed)?|open(?:ed)?|read|search(?:ed)?|see|seen|verif(?:y|ied)))\b
        | \b(?:is|are|lives?|sits?)\ (?:usually|typically|commonly|normally|most\ likely|probably|presumably)\b
        | \b(?:might|may|could)\ (?:well\ )?be\ (?:it|in|at|the\ one)\b
        | \bbased\ on\ (?:\w+\ )?conventions?\b | \b(?:please|bitte)\ (?:check|look|see|verify|prüfen)\b.*\b(?:yourself|selbst)\b",
    )
    .unwrap()
});

/// The executor asks instead of answering.
static QUESTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:could|can|would) you (?:please )?(?:clarify|specify|provide|tell|share|confirm|paste|point)\b|\bplease (?:clarify|specify|provide|share|confirm|paste)\b|\b(?:which|what) (?:\w+ ){1,4}(?:do|did|would|should) (?:you|i)\b.*\?",
    )
    .unwrap()
});

/// A file that the executor looked at and found to be a question to the user is not what was asked for.
pub(crate) fn check(attempt: &Attempt<'_>) -> Observation {
    const NAME: &str = "complete";
    let dispatch = attempt.dispatch;
    if attempt.has_result() {
        let detail = match attempt.own_exit_code() {
            Some(code) => format!("the command ran to its end with exit code {code}"),
            None => "done without a model".to_owned(),
        };
        return Observation::new(NAME, Standing::Clean, detail);
    }
    let mut found = Vec::new();
    if dispatch.status != Status::Ok {
        found.push((Standing::Hard, status_detail(attempt)));
    }
    if let (Status::Ok, Some(code @ 1..)) = (dispatch.status, dispatch.exit_code)
        && !attempt.expects_exit_code(code)
    {
        // A reporter may end so because of what it reports; for everybody else it is a contradiction.
        let standing = if attempt.kind == Kind::Validate { Standing::Doubt } else { Standing::Hard };
        found.push((standing, format!("it says that all is well, but ended with exit code {code}")));
    }
    if let Some(unread) = &attempt.unread {
        found.push((Standing::Missing, unread.clone()));
    }
    if attempt.answer.is_empty() {
        found.push((Standing::Hard, "there is no output".to_owned()));
    }
    if !attempt.is_factual() && !attempt.kind.is_object() {
        found.extend(evasions(attempt));
    }
    worst(NAME, found, (Standing::Clean, String::new()))
}

fn status_detail(attempt: &Attempt<'_>) -> String {
    let status = serde_json::to_value(attempt.dispatch.status).unwrap_or_default();
    let mut detail = format!("the attempt ended as {}", status.as_str().unwrap_or_default());
    if let Some(code) = attempt.dispatch.exit_code {
        detail += &format!(" with exit code {code}");
    }
    if let Some(reason) = &attempt.dispatch.reason {
        detail += &format!(": {reason}");
    }
    detail
}

fn evasions(attempt: &Attempt<'_>) -> Vec<(Standing, String)> {
    let sentences = attempt.answer.sentences();
    let wrote = attempt.dispatch.files_changed.as_ref().is_some_and(|files| !files.is_empty());
    let mut found = Vec::new();
    if !asks_for_plan(&attempt.task.text) {
        let intends = |s: &str| INTENTION.is_match(s.trim_start_matches(['-', '*', ' ']));
        let intentions = sentences.iter().filter(|s| intends(&s.bare)).count();
        let last = sentences.last().is_some_and(|s| intends(&s.bare)) && ends_in_prose(attempt);
        if last && !wrote {
            found.push((Standing::Hard, "it ends by announcing work instead of doing it".to_owned()));
        } else if intentions > 0
            && (intentions * 2 >= sentences.len() || sentences.first().is_some_and(|s| intends(&s.bare)))
            && attempt.answer.blocks.is_empty()
            && !wrote
        {
            found.push((Standing::Hard, "it is a plan, not the work".to_owned()));
        }
    }
    if !wrote && matches!(attempt.kind, Kind::Explore | Kind::Validate | Kind::Review) {
        let guesses = sentences.iter().filter(|s| GUESS.is_match(&s.bare)).collect::<Vec<_>>();
        // A guess beside a finding is a remark, and a reviewer may suspect; alone, or as its first word, it is
        // the answer.
        let leads = sentences.first().is_some_and(|first| GUESS.is_match(&first.bare));
        if let Some(guess) = guesses.first()
            && (leads || guesses.len() * 2 >= sentences.len())
        {
            found.push((Standing::Missing, format!("it guesses: “{}”", super::shown(&guess.text))));
        }
        let asked = |s: &crate::answer::Sentence| s.text.trim_end().ends_with('?');
        if !sentences.is_empty() && sentences.iter().all(asked) && attempt.answer.blocks.is_empty() {
            let text = super::shown(&sentences[0].text);
            found.push((Standing::Hard, format!("it only asks: “{text}”")));
        }
    }
    if let Some(sentence) = sentences.iter().find(|s| GAVE_UP.is_match(&s.bare)) {
        // "I could not run the linter" beside finished work is a gap; alone it is the whole answer.
        let standing = if wrote || attempt.kind == Kind::Review { Standing::Doubt } else { Standing::Hard };
        found.push((
            standing,
            format!("the executor says that it did not finish: “{}”", super::shown(&sentence.text)),
        ));
    }
    let asks = sentences.last().filter(|s| QUESTION.is_match(&s.bare));
    if let Some(sentence) =
        asks.filter(|_| !wrote && sentences.len() <= 6 && attempt.answer.blocks.is_empty())
    {
        found.push((
            Standing::Hard,
            format!("it asks instead of answering: “{}”", super::shown(&sentence.text)),
        ));
    }
    found
}

fn ends_in_prose(attempt: &Attempt<'_>) -> bool {
    let last = attempt.answer.last_line().unwrap_or_default();
    attempt
        .answer
        .prose
        .iter()
        .rev()
        .find(|line| !line.text.trim().is_empty())
        .is_some_and(|line| line.text == last)
}

fn asks_for_plan(task: &str) -> bool {
    static PLAN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:plan|design|propose|proposal|approach|outline|roadmap|strategy)\b").unwrap()
    });
    PLAN.is_match(task)
}
