//! Finds the clauses of a text, and in each what is asked: its mood, its verb, what it is about.
//!
//! Negation and subordination are understood here: "do not run the tests, explain why they fail" asks for
//! an explanation, and `find the code that deletes users` deletes nobody. How hard it is, is left to `rubric`.

use crate::lexicon::{About, Act, Form, Role, same};
use crate::words::{Cut, Kind, Token};

/// How something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// "add a button", "added a button", "could you add a button"
    Order,
    /// "it should have a button", "support for buttons"
    Wish,
    /// "what", "where", "which", "how many"
    Lookup,
    /// "is there a button", "do we use buttons"
    Exists,
    /// "does the build pass", "any lint errors"
    Holds,
    /// "is this safe", "how well tested is it"
    Judge,
    /// "why does it fail", "what causes this"
    Why,
    /// "how does it work"
    How,
    /// "how do I sort a list"
    HowTo,
    /// "how should we", "which approach is best"
    Decide,
    /// "the button does not work"
    Report,
    /// "do not touch the button"
    Forbid,
    /// "buttons": nothing is said about them
    Title,
}

/// A clause of a text.
#[derive(Clone, Debug)]
pub(crate) struct Clause<'t> {
    pub(crate) mood: Mood,
    pub(crate) act: Option<Act>,
    /// The verb as it stands in the text, or the word that decided the mood.
    pub(crate) verb: &'t str,
    /// What the clause is about.
    pub(crate) about: About,
    /// What its verb is done to, without what follows prepositions.
    pub(crate) object: About,
    /// Says how it is to be done.
    pub(crate) names_means: bool,
    /// Names a place: a file, an identifier, a number, something in quotes.
    pub(crate) names_place: bool,
    /// The object is nothing but "it", "this", "everything".
    pub(crate) object_is_pronoun: bool,
    /// Speaks of what was named before: "it", "their", "each".
    pub(crate) refers_back: bool,
    /// Its object is a pronoun, and nothing before says what that is.
    pub(crate) lacks_object: bool,
    /// What is changed stands in documentation: "… in the README".
    pub(crate) is_in_docs: bool,
    /// The object is new: "a parser", not "the parser".
    pub(crate) object_is_new: bool,
    /// Speaks of "when", "if" or "after" something happens.
    pub(crate) has_condition: bool,
    /// How many tokens it has, and how many of them are words that are known or things that need not be.
    pub(crate) length: usize,
    /// What separates it from the clause before.
    pub(crate) cut: Cut,
    /// Comes after "then", "after that", or in a numbered list.
    pub(crate) is_next: bool,
    /// Where it begins and ends in the text.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The position of its sentence.
    pub(crate) sentence: usize,
}

/// Finds the clauses of a text.
pub(crate) fn clauses<'t>(tokens: &[Token<'t>]) -> Vec<Clause<'t>> {
    let mut clauses = Vec::new();
    for (number, sentence) in sentences(tokens).enumerate() {
        let mut from = 0;
        for at in 1..=sentence.len() {
            if at == sentence.len() || begins_clause(&sentence[from..], at - from) {
                clauses.push(read(&sentence[from..at], number));
                from = at;
            }
        }
    }
    clauses
}

/// A sentence ends with a mark, an empty line, a list item, and with the first line of a text.
fn sentences<'a, 't>(tokens: &'a [Token<'t>]) -> impl Iterator<Item = &'a [Token<'t>]> {
    let mut first_line = true;
    let mut rest = tokens;
    std::iter::from_fn(move || {
        let end = (1..rest.len()).find(|&at| {
            let cut = rest[at].cut;
            cut >= Cut::Sentence || cut == Cut::Line && (first_line || is_order_at(&rest[at..]))
        });
        let (sentence, others) = rest.split_at(end.unwrap_or(rest.len()));
        first_line &= others.first().is_none_or(|next| next.cut < Cut::Line);
        rest = others;
        (!sentence.is_empty()).then_some(sentence)
    })
}

/// Tells whether an order begins here, after fillers.
fn is_order_at(tokens: &[Token]) -> bool {
    let at = tokens.iter().position(|token| !is_skipped(token)).unwrap_or(0);
    tokens.get(at).is_some_and(|token| {
        token.meaning.act.is_some()
            && token.meaning.form == Form::Base
            && !(token.is(Role::NOUN_TOO) && is_noun(&tokens[at..]))
    })
}

/// Tells whether a clause of its own begins at a token: something else to do, or to ask.
fn begins_clause(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let joins = token.is(Role::JOIN);
    if !(joins || token.cut >= Cut::Comma) || token.kind != Kind::Word {
        return false;
    }
    // After a colon comes what the words before are about: "note: …". It is read on its own.
    let before_is_said =
        tokens[..at].iter().any(|token| token.meaning.act.is_some() || token.is(Role::AUXILIARY));
    let Some(head) = (at..tokens.len()).find(|&i| !is_skipped(&tokens[i])) else { return false };
    let next = &tokens[head];
    if head > at
        && tokens[at + 1..=head].iter().any(|token| token.cut >= Cut::Comma && !token.is(Role::FILLER))
        && joins
    {
        return false;
    }
    if !before_is_said && token.cut < Cut::Colon {
        return false;
    }
    if is_prohibition(&tokens[head..])
        || next.is(Role::ASKS) && (joins || token.cut >= Cut::Comma) && head + 1 < tokens.len()
    {
        return true;
    }
    if next.meaning.act.is_none() || next.meaning.form != Form::Base {
        return false;
    }
    if !next.is(Role::NOUN_TOO) {
        return true;
    }
    // "build and test the app" has two verbs, "the build and test scripts" none.
    match tokens.get(head + 1) {
        None => {
            tokens[..at].iter().filter(|token| !is_skipped(token)).count() <= 1
                || !has_determiner(&tokens[..at])
        }
        Some(after) => {
            after.is(Role::DETERMINER)
                || after.is(Role::PERSON)
                || matches!(after.kind, Kind::Name | Kind::Quote)
                || tokens[..at].iter().filter(|token| !is_skipped(token)).count() <= 1
        }
    }
}

fn has_determiner(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| token.is(Role::DETERMINER))
}

/// What stands before the first word that matters.
fn is_skipped(token: &Token) -> bool {
    token.is(Role::FILLER) || token.is(Role::JOIN) || token.kind == Kind::Number && token.cut >= Cut::Line
}

/// "do not …", "don't …", "never …", "avoid …"
fn is_prohibition(tokens: &[Token]) -> bool {
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
fn is_noun(tokens: &[Token]) -> bool {
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

/// Reads one clause.
fn read<'t>(tokens: &[Token<'t>], sentence: usize) -> Clause<'t> {
    let head = tokens.iter().position(|token| !is_skipped(token)).unwrap_or(0);
    let said = &tokens[head..];
    let first = said[0];
    let mut clause = Clause {
        mood: Mood::Title,
        act: None,
        verb: first.text,
        about: about(said),
        object: About::NONE,
        names_means: said.iter().skip(1).any(|token| token.is(Role::MEANS)),
        names_place: said.iter().skip(1).any(|token| matches!(token.kind, Kind::Name | Kind::Quote)),
        object_is_pronoun: false,
        lacks_object: false,
        refers_back: said.iter().skip(1).any(|token| {
            is_one_of(
                token,
                &["it", "them", "their", "its", "each", "those", "these", "ones", "results", "result"],
            )
        }),
        is_in_docs: is_in_docs(said),
        object_is_new: false,
        has_condition: said.iter().skip(1).any(|token| {
            ["when", "if", "after", "once", "while", "whenever", "instead", "instead of", "on"]
                .iter()
                .any(|word| same(token.text, word))
        }),
        length: said.len(),
        cut: tokens[0].cut,
        is_next: tokens[0].cut == Cut::Numbered
            || tokens[..head].iter().any(|token| {
                ["then", "and then", "after that", "afterwards", "next", "finally", "lastly"]
                    .iter()
                    .any(|word| same(token.text, word))
            }),
        from: tokens[0].at,
        to: tokens[tokens.len() - 1].end(),
        sentence,
    };
    let asks_politely =
        head > 0 && tokens[..head].iter().any(|token| token.is(Role::FILLER) && token.text.contains(' '));
    mood(&mut clause, said, asks_politely);
    if clause.mood == Mood::Order {
        // What the verb itself is about: "checkout" as an order is no shop, "comment out" no comment.
        let verb = first.meaning.about.without(
            About::MONEY
                | About::INTERFACE
                | About::CODE
                | About::FILE
                | About::DOCS
                | About::TESTS
                | About::FEATURE,
        );
        clause.about = about(&said[1..]) | verb;
    }
    if clause.act.is_some() {
        let verb = said.iter().position(|token| token.at >= offset_of(clause.verb, said)).unwrap_or(0);
        object(&mut clause, &said[verb + 1..]);
    } else {
        object(&mut clause, said);
    }
    let does = match clause.act {
        Some(Act::Run) => clause.object_is_new || clause.object.any(About::SECURITY | About::VULNERABILITY),
        Some(Act::Add | Act::Change | Act::Find) => true,
        _ => false,
    };
    if does && clause.object.any(About::ANALYSIS) {
        // "do a code review", "perform an analysis": the noun says what is done.
        clause.act = Some(Act::Review);
    }
    clause
}

/// Tells whether the clause ends in a place in documentation. Comments are no such place: programs have them too.
fn is_in_docs(said: &[Token]) -> bool {
    let Some(at) = said.iter().rposition(|token| is_one_of(token, &["in", "from", "of", "to"])) else {
        return false;
    };
    let place = &said[at + 1..];
    let names = [
        "readme",
        "docs",
        "documentation",
        "changelog",
        "docstring",
        "docstrings",
        "guide",
        "tutorial",
        "wiki",
        "faq",
    ];
    let is_source =
        said.iter().any(|token| is_one_of(token, &["as", "described", "documented", "specified", "per"]));
    !is_source
        && place.len() <= 3
        && place.iter().any(|token| {
            is_one_of(token, &names)
                || token.kind == Kind::Name && token.meaning.about.has(About::DOCS.or(About::FILE))
        })
}

fn is_one_of(token: &Token, words: &[&str]) -> bool {
    words.iter().any(|word| same(token.text, word))
}

/// Returns where the verb stands in the text.
fn offset_of(verb: &str, tokens: &[Token]) -> usize {
    tokens.iter().find(|token| std::ptr::eq(token.text.as_ptr(), verb.as_ptr())).map_or(0, |token| token.at)
}

/// Decides how the clause is said.
fn mood<'t>(clause: &mut Clause<'t>, said: &[Token<'t>], asks_politely: bool) {
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
        let is_statement = match first.meaning.form {
            // "Building on Windows", "Running without a network": the title of a complaint.
            Form::Ing => first.meaning.act == Some(Act::Run) && said.len() > 2 || finite(),
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

/// Collects what the words are about, but for those that are denied.
fn about(said: &[Token]) -> About {
    let mut about = About::NONE;
    let mut denied = false;
    for (at, token) in said.iter().enumerate() {
        if token.cut >= Cut::Comma || token.is(Role::JOIN) {
            denied = false;
        }
        if token.is(Role::NEGATION) {
            // "does not work" is a fault, "without tests" an absence.
            if token.is(Role::AUXILIARY)
                || at > 0 && said[at - 1].is(Role::AUXILIARY)
                || same(token.text, "not")
                || same(token.text, "never")
            {
                let fails = said[at + 1..].iter().take(3).any(|next| next.meaning.about.any(About::WORKING));
                if fails && at > 0 {
                    about |= About::BUG;
                }
            }
            denied = same(token.text, "without")
                || at == 0
                || same(said[at - 1].text, "do")
                || same(token.text, "instead of")
                || same(token.text, "rather than");
            continue;
        }
        if !denied {
            about |= token.meaning.about;
        }
    }
    about
}

/// Finds what the verb is done to.
fn object(clause: &mut Clause, after: &[Token]) {
    let mut words = 0;
    let mut denied = false;
    let mut pronouns = 0;
    for (at, token) in after.iter().enumerate() {
        if token.is(Role::NEGATION) {
            denied = true;
        }
        let ends = token.is(Role::PREPOSITION) && words + pronouns > 0
            || token.is(Role::SUBORDINATE) && words > 0 && !token.is(Role::DETERMINER)
            || at > 0 && token.cut >= Cut::Colon;
        if ends || denied {
            break;
        }
        if token.is(Role::PREPOSITION) {
            continue;
        }
        if token.is(Role::DETERMINER) {
            clause.object_is_new |=
                words == 0 && ["a", "an", "another"].iter().any(|word| same(token.text, word));
            if ["this", "that", "these", "those", "all"].iter().any(|word| same(token.text, word)) {
                pronouns += 1;
            }
            continue;
        }
        if token.is(Role::PERSON)
            || ["everything", "something", "things", "stuff", "anything", "it", "them"]
                .iter()
                .any(|word| same(token.text, word))
        {
            pronouns += 1;
        } else {
            words += 1;
        }
        clause.object |= token.meaning.about;
    }
    clause.object_is_pronoun = words == 0 && pronouns > 0;
    clause.lacks_object = clause.object_is_pronoun;
}
