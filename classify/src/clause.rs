//! Finds the clauses of a text, and in each what is asked: its mood, its verb, what it is about.
//!
//! Negation and subordination are understood here: "do not run the tests, explain why they fail" asks for
//! an explanation, and `find the code that deletes users` deletes nobody. How hard it is, is left to `rubric`.

mod mood;
mod object;

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
    #[allow(dead_code)] // What the model reads of a clause.
    pub(crate) refers_back: bool,
    /// Its object is a pronoun, and nothing before says what that is.
    pub(crate) lacks_object: bool,
    /// What is changed stands in documentation: "… in the README".
    pub(crate) is_in_docs: bool,
    /// The object is new: "a parser", not "the parser".
    pub(crate) object_is_new: bool,
    /// Speaks of "when", "if" or "after" something happens.
    pub(crate) has_condition: bool,
    /// How many tokens it has, from the first that matters.
    pub(crate) length: usize,
    /// What separates it from the clause before.
    pub(crate) cut: Cut,
    /// Where it begins in the text.
    pub(crate) from: usize,
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
            && !(token.is(Role::NOUN_TOO) && mood::is_noun(&tokens[at..]))
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
    if mood::is_prohibition(&tokens[head..])
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

/// Reads one clause.
fn read<'t>(tokens: &[Token<'t>], sentence: usize) -> Clause<'t> {
    let head = tokens.iter().position(|token| !is_skipped(token)).unwrap_or(0);
    let said = &tokens[head..];
    let first = said[0];
    let mut clause = Clause {
        mood: Mood::Title,
        act: None,
        verb: first.text,
        about: object::about(said),
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
        is_in_docs: object::is_in_docs(said),
        object_is_new: false,
        has_condition: said.iter().skip(1).any(|token| {
            ["when", "if", "after", "once", "while", "whenever", "instead", "instead of", "on"]
                .iter()
                .any(|word| same(token.text, word))
        }),
        length: said.len(),
        cut: tokens[0].cut,
        from: tokens[0].at,
        sentence,
    };
    let asks_politely =
        head > 0 && tokens[..head].iter().any(|token| token.is(Role::FILLER) && token.text.contains(' '));
    mood::decide(&mut clause, said, asks_politely);
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
        clause.about = object::about(&said[1..]) | verb;
    }
    if clause.act.is_some() {
        let verb = said.iter().position(|token| token.at >= offset_of(clause.verb, said)).unwrap_or(0);
        object::find(&mut clause, &said[verb + 1..]);
    } else {
        object::find(&mut clause, said);
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

fn is_one_of(token: &Token, words: &[&str]) -> bool {
    words.iter().any(|word| same(token.text, word))
}

/// Returns where the verb stands in the text.
fn offset_of(verb: &str, tokens: &[Token]) -> usize {
    tokens.iter().find(|token| std::ptr::eq(token.text.as_ptr(), verb.as_ptr())).map_or(0, |token| token.at)
}
