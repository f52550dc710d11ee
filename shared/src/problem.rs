//! What can go wrong, in words for a person.

use std::error::Error;
use std::fmt;

/// An error with the words a person needs: what could not be done, the cause, and what to do about it.
///
/// The message is a lowercase fragment without a period. The cause is told after a colon, the hint on a line of
/// its own, so that neither has to be worked into the message.
#[derive(Debug)]
pub struct Problem {
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// Says what could not be done.
    pub fn new(message: impl Into<String>) -> Self {
        Problem { message: message.into(), hint: None, source: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the first hint in this problem or its causes.
    pub fn first_hint(&self) -> Option<&str> {
        let below = || self.source.as_deref().and_then(|source| hint_of(source));
        self.hint.as_deref().or_else(below)
    }

    /// Returns the message with all causes, each after a colon.
    pub fn full_message(&self) -> String {
        chain(self)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Returns an error and its causes, each after a colon. A cause that the message above it ends with is not said twice.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// Returns the first hint in an error or its causes.
pub fn hint_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(hint) = error.downcast_ref::<Problem>().and_then(|problem| problem.hint.as_deref()) {
            return Some(hint);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_after_colons_and_the_nearest_hint_is_found() {
        let cause = Problem::new("no such file").hint("create it");
        let problem = Problem::new("cannot read `a`").because(cause);
        assert_eq!(problem.full_message(), "cannot read `a`: no such file");
        assert_eq!(problem.first_hint(), Some("create it"));
        assert_eq!(problem.hint("look again").first_hint(), Some("look again"));
    }
}
