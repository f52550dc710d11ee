//! What a task is known by, whatever its place in the input: a hash of all that its result depends on.

/// What a result depends on, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 16]);

impl Key {
    /// Returns the key of these parts, in this order.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Key {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // With its length, so that two parts can not pass for one.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Key(key)
    }

    /// Returns the key of a draft of the attempt with this key.
    pub(crate) fn of_draft(self, number: u8) -> Key {
        Key::of([&self.0[..], b"draft", &[number]])
    }

    /// Returns the key of the attempt that takes the place of this one, for a reason.
    pub(crate) fn after(self, reason: &str) -> Key {
        Key::of([&self.0[..], reason.as_bytes()])
    }

    /// Returns it in hexadecimal.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads it from hexadecimal.
    pub(crate) fn from_hex(text: &str) -> Option<Key> {
        let digits = text
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let bytes: Vec<u8> = digits.collect::<Option<_>>()?;
        Some(Key(bytes.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_its_parts_and_where_they_end() {
        let key = Key::of([&b"ab"[..], b"c"]);
        assert_eq!(key, Key::of([&b"ab"[..], b"c"]));
        assert_ne!(key, Key::of([&b"a"[..], b"bc"]));
        assert_eq!(Key::from_hex(&key.to_hex()), Some(key));
        assert_eq!(Key::from_hex("zz"), None);
        assert_ne!(key.after("one reason"), key.after("another"));
    }
}
