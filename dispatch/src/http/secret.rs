//! A key that is sent and never shown.

use std::fmt;

/// A key of an API. It is printed as `[key]`, and cut out of what a server quotes back.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a key; white space around it (a line end of a file) is no part of it.
    pub(crate) fn new(key: &str) -> Self {
        Secret(key.trim().to_owned())
    }

    /// Returns the key, for the one header that carries it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the text with the key replaced wherever it stands.
    pub(crate) fn redact(&self, text: &str) -> String {
        // A very short "key" (local servers accept anything) would tear words apart; it is no secret either.
        if self.0.len() < 8 { text.to_owned() } else { text.replace(&self.0, "[key]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let secret = Secret::new(" sk-test-0123456789\n");
        assert_eq!(secret.expose(), "sk-test-0123456789");
        assert_eq!(format!("{secret:?}"), "[key]");
        assert_eq!(secret.redact("bad key sk-test-0123456789!"), "bad key [key]!");
        assert_eq!(Secret::new("x").redact("exact"), "exact");
    }
}
