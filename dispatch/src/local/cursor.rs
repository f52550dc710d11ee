//! A cursor over the tokens of a task, that grammar rules eat with.

use std::cell::Cell;

use super::words::Token;

/// A position in the tokens. Rules eat from it; the furthest token that any rule looked at and did not want is
/// what a refusal names.
pub(super) struct Cursor<'a> {
    tokens: &'a [Token],
    at: usize,
    furthest: &'a Cell<usize>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tokens: &'a [Token], furthest: &'a Cell<usize>) -> Self {
        Cursor { tokens, at: 0, furthest }
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn peek_second(&self) -> Option<&'a Token> {
        self.tokens.get(self.at + 1)
    }

    pub(super) fn is_done(&self) -> bool {
        self.mark();
        self.at == self.tokens.len()
    }

    /// Returns the position, for [`Cursor::back_to`].
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn back_to(&mut self, position: usize) {
        self.mark();
        self.at = position;
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn mark(&self) {
        self.furthest.set(self.furthest.get().max(self.at));
    }

    /// Eats the words of a template, or nothing: elements are separated by spaces, `a|b` is either, `a?` and
    /// `a|b?` may be missing.
    pub(super) fn eat(&mut self, template: &str) -> bool {
        let start = self.at;
        for element in template.split(' ') {
            let (words, optional) = match element.strip_suffix('?') {
                Some(words) => (words, true),
                None => (element, false),
            };
            let matches =
                self.peek().and_then(Token::lower).is_some_and(|word| words.split('|').any(|it| it == word));
            if matches {
                self.at += 1;
            } else if !optional {
                self.mark();
                self.at = start;
                return false;
            }
        }
        true
    }

    /// Eats the first of the templates that matches.
    pub(super) fn eat_any(&mut self, templates: &[&str]) -> bool {
        templates.iter().any(|template| self.eat(template))
    }

    /// Eats a word, if `wanted` makes something of it.
    pub(super) fn eat_map<T>(&mut self, wanted: impl FnOnce(&'a Token) -> Option<T>) -> Option<T> {
        let found = self.peek().and_then(wanted);
        if found.is_some() {
            self.at += 1;
        } else {
            self.mark();
        }
        found
    }

    /// Runs a rule; puts the cursor back if it finds nothing.
    pub(super) fn attempt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = self.at;
        let found = rule(self);
        if found.is_none() {
            self.back_to(start);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::words::tokens;

    #[test]
    fn templates_have_alternatives_and_options() {
        let tokens = tokens("show me all files here").expect("tokens");
        let furthest = Cell::new(0);
        let mut cursor = Cursor::new(&tokens, &furthest);
        assert!(!cursor.eat("show all"));
        assert_eq!(cursor.position(), 0);
        assert!(cursor.eat("list|show me|us? all|every? files"));
        assert!(!cursor.is_done());
        assert!(cursor.eat_any(&["there", "here"]));
        assert!(cursor.is_done());
    }
}
