//! What is in a file: text or bytes, and where a line and a column are.

use std::borrow::Cow;

/// Tells whether a file looks binary: a NUL byte near its beginning, as git decides it.
pub(crate) fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(8000)].contains(&0)
}

/// Returns the content in UTF-8 where a byte order mark says that it is something else; without the mark.
///
/// Windows tools write UTF-16; its every second byte is NUL, so that a scanner of bytes would see nothing.
pub(crate) fn decode(content: &[u8]) -> Cow<'_, [u8]> {
    let (rest, big_endian) = match content {
        [0xEF, 0xBB, 0xBF, rest @ ..] => return Cow::Borrowed(rest),
        [0xFF, 0xFE, rest @ ..] => (rest, false),
        [0xFE, 0xFF, rest @ ..] => (rest, true),
        _ => return Cow::Borrowed(content),
    };
    let (pairs, _) = rest.as_chunks::<2>();
    let units: Vec<u16> = pairs
        .iter()
        .map(|pair| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) })
        .collect();
    Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
}

/// The beginnings of the lines of a text, to turn offsets into positions.
pub(crate) struct Lines<'a> {
    content: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(content: &'a [u8]) -> Lines<'a> {
        let mut starts = vec![0];
        starts.extend(content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1));
        Lines { content, starts }
    }

    /// Returns the index of the line, from 0, that holds the offset.
    pub(crate) fn index(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// Returns the offset at which a line begins.
    pub(crate) fn start(&self, index: usize) -> usize {
        self.starts[index]
    }

    /// Returns a line without its end.
    pub(crate) fn line(&self, index: usize) -> &'a [u8] {
        let Some(&start) = self.starts.get(index) else { return &[] };
        let end = self.starts.get(index + 1).map_or(self.content.len(), |next| next - 1);
        let line = &self.content[start..end];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Returns line and column, both from 1, the column in characters.
    pub(crate) fn position(&self, offset: usize) -> (u64, u64) {
        let offset = offset.min(self.content.len());
        let index = self.index(offset);
        let before = &self.content[self.starts[index]..offset];
        let characters = before.iter().filter(|byte| !(0x80..0xC0).contains(*byte)).count();
        (index as u64 + 1, characters as u64 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let lines = Lines::new("aé\r\nœ=1".as_bytes());
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(3), (1, 3));
        assert_eq!(lines.position(5), (2, 1));
        assert_eq!(lines.position(7), (2, 2));
        assert_eq!(lines.position(999), (2, 4));
        assert_eq!(lines.line(0), "aé".as_bytes());
        assert_eq!(lines.line(1), "œ=1".as_bytes());
        assert_eq!(lines.line(2), b"");
    }

    #[test]
    fn byte_order_marks_are_taken_off_and_utf_16_is_read() {
        assert_eq!(&*decode(b"\xEF\xBB\xBFa"), b"a");
        assert_eq!(&*decode(b"\xFF\xFEa\0b\0"), b"ab");
        assert_eq!(&*decode(b"\xFE\xFF\0a\0b"), b"ab");
        assert_eq!(&*decode(b"plain"), b"plain");
    }
}
