//! Finds the steps of a text: where somebody begins to say what else is to be done.

use super::kinds::{self, Kind};
use crate::lexicon::{Act, Form, Role, same};
use crate::words::{Cut, Kind as TokenKind, Token};

/// No more tokens than this stand before the verb of a step.
const OPENING: usize = 9;
/// More steps than these nobody counts.
const MOST: usize = 64;

/// How a step is joined to what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Joined {
    /// A comma.
    Comma,
    /// "and"
    And,
    /// ", and"
    CommaAnd,
    /// A semicolon.
    Semicolon,
    /// "then", "after that", "finally"
    Then,
    /// "also", "separately", "while you are at it"
    Also,
    /// A sentence or a line of its own.
    Sentence,
    /// An item of a list.
    Item,
    /// An item with a number, a letter or an ordinal.
    Numbered,
}

/// Something to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The first token, the verb, and the token after the last.
    pub(super) from: usize,
    pub(super) verb: usize,
    pub(super) to: usize,
    pub(super) kind: Kind,
    pub(super) joined: Joined,
    pub(super) sentence: usize,
    /// Comes after a colon: it says how, and not what else.
    pub(super) is_detail: bool,
}

/// Finds the steps, in order.
pub(super) fn steps(text: &str, tokens: &[Token]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut finder =
        Finder { sentence: 0, begun: 0, style: None, is_detail: false, describes: false, asks: false };
    for at in 0..tokens.len() {
        finder.pass(text, tokens, at, &steps);
        let Some((verb, joined)) = finder.head(tokens, at, &steps) else {
            finder.asks |= tokens[at].is(Role::ASKS) && !same(tokens[at].text, "when")
                || ["whether", "that", "if"].iter().any(|word| same(tokens[at].text, word));
            continue;
        };
        if steps.last().is_some_and(|last| last.verb == verb) {
            continue;
        }
        if let Some(last) = steps.last_mut() {
            last.to = at;
        }
        let end = tokens.len();
        finder.asks = false;
        steps.push(Step {
            from: at,
            verb,
            to: end,
            kind: Kind::Look,
            joined,
            sentence: finder.sentence,
            is_detail: finder.is_detail,
        });
        if steps.len() == MOST {
            break;
        }
    }
    for step in &mut steps {
        step.kind = kinds::of(&tokens[step.verb..step.to]);
    }
    steps
}

struct Finder {
    sentence: usize,
    /// Where the sentence begins.
    begun: usize,
    /// The form of the first verb, if that is how commits are told: "Added", "Adds".
    style: Option<Form>,
    is_detail: bool,
    /// The list that is read describes what stands before it.
    describes: bool,
    /// Something is asked or told in the clause: what comes after "and" goes on with that.
    asks: bool,
}

impl Finder {
    fn pass(&mut self, text: &str, tokens: &[Token], at: usize, steps: &[Step]) {
        let cut = tokens[at].cut;
        if cut >= Cut::Line {
            let gap = &text[tokens[at.saturating_sub(1)].end().min(tokens[at].at)..tokens[at].at];
            let goes_on = steps.last().is_some_and(|last| last.sentence == self.sentence);
            if cut >= Cut::Item && gap.contains(':') {
                // "Add a form:", and then what it has to have.
                self.describes = goes_on && !is_lead_in(&tokens[self.begun..at]);
            } else if cut < Cut::Item {
                self.describes = false;
            }
            self.sentence += 1;
            self.begun = at;
            self.is_detail = self.describes;
            self.asks = false;
        } else if cut == Cut::Colon
            && steps.last().is_some_and(|last| last.sentence == self.sentence)
            && !is_lead_in(&tokens[self.begun..at])
        {
            self.is_detail = true;
        } else if cut == Cut::Semicolon {
            self.asks = false;
        }
    }

    /// Returns the verb of the step that begins here, if one does.
    fn head(&mut self, tokens: &[Token], at: usize, steps: &[Step]) -> Option<(usize, Joined)> {
        let token = &tokens[at];
        let cut = if at == 0 { Cut::Paragraph } else { token.cut };
        if !(cut >= Cut::Comma
            || cut == Cut::Paren
            || token.is(Role::JOIN)
            || is_marker(token)
            || aside(&tokens[at..]).is_some())
        {
            return None;
        }
        let mut joined = match cut {
            Cut::Numbered => Joined::Numbered,
            Cut::Item => Joined::Item,
            Cut::Line | Cut::Sentence | Cut::Paragraph => Joined::Sentence,
            Cut::Semicolon => Joined::Semicolon,
            Cut::None | Cut::Paren => Joined::And,
            Cut::Comma | Cut::Colon => Joined::Comma,
        };
        let mut head = at;
        let mut is_ordered = false;
        while let Some(token) = tokens.get(head).filter(|_| head - at < OPENING) {
            if head > at && token.cut >= Cut::Line {
                return None;
            }
            if let Some(length) = aside(&tokens[head..]) {
                joined = Joined::Also;
                head += length;
                continue;
            }
            match opening(token) {
                Some(found) => joined = joined.max(found),
                None if (token.kind == TokenKind::Number || is_letter(token))
                    && tokens.get(head + 1).is_some_and(|next| next.cut == Cut::Paren)
                    || is_letter(token) && token.cut == Cut::Paren =>
                {
                    is_ordered = true;
                }
                None => break,
            }
            head += 1;
        }
        if is_ordered {
            joined = Joined::Numbered;
        } else if joined == Joined::Comma && token.is(Role::JOIN) {
            joined = Joined::CommaAnd;
        }
        let verb = tokens.get(head)?;
        if !kinds::is_verb(verb) || head > at && verb.cut >= Cut::Line {
            return None;
        }
        let begins = joined >= Joined::Then;
        let form = verb.meaning.form;
        match form {
            Form::Base => {}
            Form::Past | Form::Third if steps.is_empty() && begins && at == self.begun => {
                self.style = Some(form)
            }
            Form::Past | Form::Third if self.style == Some(form) => {}
            _ => return None,
        }
        let next = tokens.get(head + 1).filter(|next| next.cut < Cut::Comma);
        if form == Form::Base && verb.is(Role::NOUN_TOO) || form != Form::Base {
            let is_said = next.is_some_and(|next| {
                next.is(Role::DETERMINER)
                    || next.is(Role::PERSON)
                    || matches!(next.kind, TokenKind::Name | TokenKind::Quote | TokenKind::Number)
                    || form != Form::Base && !next.is(Role::PREPOSITION)
                    || (begins
                        || joined == Joined::Semicolon
                        || matches!(verb.meaning.act, Some(Act::Upgrade | Act::Fix)))
                        && !next.is(Role::AUXILIARY)
                        && !next.is(Role::PREPOSITION)
                        && next.cut == Cut::None
            });
            if !is_said {
                return None;
            }
        }
        if next.is_none() && joined < Joined::Sentence {
            return None;
        }
        // "and", a comma: only after another order in the same sentence, and not within a question.
        if joined <= Joined::Semicolon {
            let before = steps.last().filter(|last| last.sentence == self.sentence)?;
            let shares_object = head > 0 && before.verb + 1 >= at;
            // "… where it crashes and add tests": what is left of that is no part of what is asked.
            let goes_on = self.asks
                && joined < Joined::Semicolon
                && !matches!(kinds::of(&tokens[head..]), Kind::Test | Kind::Docs | Kind::Ship | Kind::Tell);
            if goes_on || shares_object {
                return None;
            }
        }
        if joined >= Joined::Item {
            self.is_detail = self.describes;
        }
        Some((head, joined))
    }
}

/// Says that a step begins, or how.
fn opening(token: &Token) -> Option<Joined> {
    if is_marker(token) {
        return Some(Joined::Also);
    }
    let is = |words: &[&str]| words.iter().any(|word| same(token.text, word));
    if is(&["then", "and then", "after that", "afterwards", "next", "finally", "lastly", "followed by"]) {
        return Some(Joined::Then);
    }
    if is(&["second", "third", "secondly", "thirdly"]) {
        return Some(Joined::Then);
    }
    (token.is(Role::FILLER) || token.is(Role::JOIN) || is(&["first"])).then_some(Joined::Comma)
}

/// "also", "separately": what comes next has its own result.
fn is_marker(token: &Token) -> bool {
    ["also", "separately", "additionally", "unrelated", "meanwhile", "besides", "afterwards", "plus"]
        .iter()
        .any(|word| same(token.text, word))
}

/// "while you are at it", "in the same go", as so many tokens.
fn aside(tokens: &[Token]) -> Option<usize> {
    [
        &["while", "you", "are", "at", "it"][..],
        &["while", "you're", "at", "it"],
        &["while", "you", "are", "there"],
        &["while", "you're", "there"],
        &["while", "at", "it"],
        &["in", "the", "same", "go"],
        &["in", "parallel"],
        &["don't", "forget", "to"],
        &["do", "not", "forget", "to"],
    ]
    .iter()
    .find(|words| {
        words.len() < tokens.len() && words.iter().zip(tokens).all(|(word, token)| same(token.text, word))
    })
    .map(|words| words.len())
}

fn is_letter(token: &Token) -> bool {
    token.kind == TokenKind::Word
        && token.text.len() == 1
        && token.text.as_bytes()[0].is_ascii_alphabetic()
        && !same(token.text, "i")
}

/// "Do the following:", "Two things:", "TODO:": what comes after the colon is all there is.
fn is_lead_in(tokens: &[Token]) -> bool {
    tokens.len() <= 8
        && tokens.iter().any(|token| {
            [
                "following",
                "things",
                "steps",
                "tasks",
                "todo",
                "remaining",
                "these",
                "do",
                "plan",
                "housekeeping",
            ]
            .iter()
            .any(|word| same(token.text, word))
        })
}
