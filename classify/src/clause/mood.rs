//! How a clause is said: ordered, asked, wished, reported or forbidden.

use super::{Clause, Mood};
use crate::lexicon::{About, Act, Form, Role, same};
use crate::words::{Cut, Kind, Token};

/// Decides how the clause is said.
pub(super) fn decide<'t>(clause: &mut Clause<'t>, said: &[Token<'t>], asks_politely: bool) {
    let first = said[0];
    let second = said.get(1);
    let last = said[said.len() - 1];
    if said.len() > 1 && last.cut >= Cut::Comma && same(last.text, "how") {
        // "support both, how?"
        clause.mood = Mood::Decide;
        return;
    }
    if is_prohibition(said) {
        clause.mood = Mood::Forbid;
        // What is forbidden, in case nothing else is asked: "never return null".
        set_act(clause, said.iter().find(|token| token.meaning.act.is_some() && !same(token.text, "do")));
        return;
    }
    if first.is(Role::ASKS)
        && !(same(first.text, "when") && second.is_some_and(|next| !next.is(Role::AUXILIARY)))
    {
        return question(clause, said);
    }
    if first.meaning.act.is_some() {
        let finite = || {
            said[1..]
                .iter()
                .take_while(|token| !token.is(Role::SUBORDINATE))
                .any(|token| token.is(Role::AUXILIARY) || token.is(Role::HAPPENS))
        };
        let runs = matches!(first.meaning.act, Some(Act::Run | Act::Shell));
        let is_statement = match first.meaning.form {
            // "Building on Windows", "Running without a network": the title of a complaint.
            Form::Ing => runs && said.len() > 2 || finite(),
            // "Started work on the parser": told, not ordered.
            Form::Past => runs,
            _ => first.is(Role::NOUN_TOO) && !asks_politely && is_noun(said),
        };
        if !is_statement {
            let is_title = first.meaning.form == Form::Ing && first.meaning.act == Some(Act::Find);
            // "Getting all elements of a list": the title of a question about how to do it.
            clause.mood = if is_title { Mood::HowTo } else { Mood::Order };
            set_act(clause, Some(&first));
            return;
        }
    }
    let contracted = first.text.contains(['\'', '’']) && !first.is(Role::NEGATION) || first.is(Role::PERSON);
    if contracted {
        // "it's broken", "we're not closing it": nobody asks.
        return statement(clause, said);
    }
    let is_question = second.is_some_and(|next| next.is(Role::PERSON) || next.is(Role::DETERMINER))
        || !first.is(Role::NEGATION);
    if !is_question {
        // "cannot read the file", "doesn't work": nobody asks.
        return statement(clause, said);
    }
    if same(first.text, "any")
        || first.is(Role::AUXILIARY) && !same(first.text, "do")
        || same(first.text, "do")
            && second.is_some_and(|next| next.is(Role::PERSON) || next.is(Role::DETERMINER))
    {
        return yes_or_no(clause, said);
    }
    statement(clause, said);
}

fn set_act<'t>(clause: &mut Clause<'t>, verb: Option<&Token<'t>>) {
    if let Some(verb) = verb {
        clause.act = verb.meaning.act;
        clause.verb = verb.text;
    }
}

/// "what …", "why …", "how …"
fn question<'t>(clause: &mut Clause<'t>, said: &[Token<'t>]) {
    let first = said[0].text;
    let at = |at: usize, words: &[&str]| {
        said.get(at).is_some_and(|token| words.iter().any(|word| same(token.text, word)))
    };
    let any = |words: &[&str]| said.iter().any(|token| words.iter().any(|word| same(token.text, word)));
    let verb = said.iter().skip(1).find(|token| token.meaning.act.is_some());
    clause.mood = if same(first, "why") {
        Mood::Why
    } else if same(first, "how") {
        if said.len() == 1 || at(1, &["should", "would", "shall"]) || at(1, &["best"]) {
            Mood::Decide
        } else if at(1, &["many", "much", "often", "big", "large", "long", "old"]) {
            Mood::Lookup
        } else if at(
            1,
            &["well", "good", "safe", "secure", "robust", "complete", "reliable", "thoroughly", "bad"],
        ) {
            Mood::Judge
        } else if at(1, &["to", "do", "can", "could"]) {
            set_act(clause, verb);
            let decides =
                clause.act == Some(Act::Design) || any(&["best", "scale", "organize", "organise", "migrate"]);
            // "how do the workers find each other" asks how it is, "how do I sort a list" how to do it.
            let is_told = at(1, &["do"]) && !at(2, &["i", "we", "you", "one", "people", "users"]);
            if decides {
                Mood::Decide
            } else if is_told {
                Mood::How
            } else {
                Mood::HowTo
            }
        } else {
            Mood::How
        }
    } else if clause.about.any(About::CAUSE) && !same(first, "who") {
        Mood::Why
    } else if any(&[
        "should",
        "best",
        "better",
        "recommend",
        "recommended",
        "best way",
        "right way",
        "best practice",
    ]) || clause.about.any(About::APPROACH)
    {
        Mood::Decide
    } else if any(&["happens", "happen", "break", "breaks", "wrong", "missing", "impact", "affected"]) {
        Mood::Judge
    } else {
        Mood::Lookup
    };
}

/// What git says of a branch or a working tree, and nobody has to judge.
const STATES: [&str; 7] = ["clean", "dirty", "ahead", "behind", "up-to-date", "merged", "pushed"];

/// "is there …", "does it …", "any …"
fn yes_or_no<'t>(clause: &mut Clause<'t>, said: &[Token<'t>]) {
    let first = said[0].text;
    let is = |at: usize, words: &[&str]| {
        said.get(at).is_some_and(|token| words.iter().any(|word| same(token.text, word)))
    };
    let about = clause.about;
    if is(0, &["should", "shall"]) {
        clause.mood = Mood::Decide;
        return;
    }
    if is(0, &["can", "could", "would", "will", "may", "might", "must"]) {
        let verb = said.iter().skip(1).find(|token| token.meaning.act.is_some());
        set_act(clause, verb);
        clause.mood = if verb.is_some() { Mood::Wish } else { Mood::Report };
        return;
    }
    let possible =
        said.iter().any(|token| ["possible", "way", "ways"].iter().any(|word| same(token.text, word)));
    clause.mood = if possible {
        set_act(clause, said.iter().skip(2).find(|token| token.meaning.act.is_some()));
        Mood::HowTo
    } else if about.any(About::VULNERABILITY) || about.any(About::SECURITY) && about.any(About::BUG) {
        Mood::Judge
    } else if about.any(About::CHECKS) && about.any(About::BUG.or(About::TRIVIAL).or(About::WORKING))
        || about.any(About::TESTS.or(About::SERVICE))
            && about.any(About::WORKING.or(About::BUG))
            && !is(1, &["there"])
        || about.any(About::CHECKS) && same(first, "any")
        || about.any(About::VCS) && said.iter().any(|token| STATES.iter().any(|word| same(token.text, word)))
    {
        Mood::Holds
    } else if about.any(About::QUALITY)
        || about.any(About::BUG)
        || about.any(About::CONCURRENCY) && !is(1, &["there"])
    {
        Mood::Judge
    } else if about.any(About::WORKING) && !is(1, &["there"]) {
        Mood::Holds
    } else {
        Mood::Exists
    };
}

/// A sentence that neither orders nor asks.
fn statement<'t>(clause: &mut Clause<'t>, said: &[Token<'t>]) {
    let ends_with_how = said.len() > 1 && same(said[said.len() - 1].text, "how");
    let negated = said.iter().any(|token| token.is(Role::NEGATION));
    let happens = said.iter().any(|token| token.is(Role::HAPPENS));
    let wants = said.iter().position(|token| token.is(Role::WANTS) || token.is(Role::DEMANDS));
    let broken = clause.about.any(About::BUG.or(About::SUBTLE).or(About::CONCURRENCY).or(About::LOSS));
    let finite = said.iter().any(|token| token.is(Role::AUXILIARY));
    if ends_with_how {
        clause.mood = Mood::Decide;
    } else if let Some(at) = wants {
        clause.mood = Mood::Wish;
        set_act(clause, said[at..].iter().find(|token| token.meaning.act.is_some()));
    } else if broken
        || negated && (finite || happens)
        || happens && finite
        || clause.about.any(About::PERFORMANCE) && (finite || happens)
    {
        clause.mood = Mood::Report;
    } else if said.iter().any(|token| token.is(Role::PERSON)) && clause.length > 2 && finite {
        // "we have two teams": told, not asked.
        clause.mood = if negated { Mood::Report } else { Mood::Title };
    }
}

/// "do not …", "don't …", "never …", "avoid …"
pub(super) fn is_prohibition(tokens: &[Token]) -> bool {
    let Some(first) = tokens.first() else { return false };
    if same(first.text, "do") {
        return tokens.get(1).is_some_and(|next| next.is(Role::NEGATION));
    }
    first.is(Role::NEGATION)
        && ["don't", "don’t", "dont", "never", "avoid", "not", "no need to", "without"]
            .iter()
            .any(|word| same(first.text, word))
}

/// Tells whether the verb at the beginning is a noun here: "test suite is red", "support for tabs".
pub(super) fn is_noun(tokens: &[Token]) -> bool {
    let Some(next) = tokens.get(1) else { return tokens[0].meaning.form == Form::Third };
    if next.cut >= Cut::Comma {
        return tokens[0].meaning.form == Form::Third;
    }
    if next.is(Role::AUXILIARY) || next.is(Role::NEGATION) || next.is(Role::HAPPENS) || next.is(Role::DEMANDS)
    {
        return true;
    }
    if same(next.text, "of")
        || same(next.text, "for")
            && !["search", "check", "look"].iter().any(|word| same(tokens[0].text, word))
    {
        return true;
    }
    if next.is(Role::DETERMINER) || next.is(Role::PERSON) {
        return false;
    }
    // A finite verb in the main clause makes a statement of it.
    for (at, token) in tokens[1..].iter().enumerate() {
        if token.is(Role::SUBORDINATE)
            || token.is(Role::PREPOSITION)
            || token.cut >= Cut::Comma
            || token.is(Role::DETERMINER)
        {
            break;
        }
        if token.is(Role::AUXILIARY) || at > 0 && token.is(Role::HAPPENS) {
            return true;
        }
    }
    tokens[0].meaning.form == Form::Third && !matches!(next.kind, Kind::Name | Kind::Quote)
}
