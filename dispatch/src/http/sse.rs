//! Cuts a stream of bytes into server-sent events (WHATWG HTML, "Server-sent events", parsing).
//!
//! The bytes may arrive in any portions: one at a time, or with a character or a line end cut in two. What an
//! event means is left to the protocols.

/// One event: its name, if it has one, and its data lines joined by line feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The last `event` field.
    pub name: String,
    /// The `data` fields.
    pub data: String,
}

/// An event is larger than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Collects bytes until they make an event.
#[derive(Debug)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    name: String,
    data: String,
    has_data: bool,
    after_cr: bool,
    first_line: bool,
    limit: usize,
}

impl Decoder {
    /// Returns a decoder that refuses events of more than `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Decoder {
            line: Vec::new(),
            name: String::new(),
            data: String::new(),
            has_data: false,
            after_cr: false,
            first_line: true,
            limit,
        }
    }

    /// Takes the next bytes and appends the events that they complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            if self.line.len() + self.data.len() > self.limit {
                return Err(TooLong);
            }
            let Some(end) = end else { break };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line(events);
        }
        Ok(())
    }

    /// Appends what is left when the stream ends.
    ///
    /// The standard drops an event without its blank line. Servers do close right after `data: [DONE]`, though,
    /// and whether the answer is whole is for the protocol to tell.
    pub(crate) fn finish(&mut self, events: &mut Vec<Event>) {
        if !self.line.is_empty() {
            self.end_line(events);
        }
        self.end_event(events);
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let line = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&line);
        if std::mem::take(&mut self.first_line)
            && let Some(rest) = line.strip_prefix('\u{feff}')
        {
            line = rest.to_owned().into();
        }
        if line.is_empty() {
            return self.end_event(events);
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "event" => value.clone_into(&mut self.name),
            // A comment has an empty field name; `id` and `retry` are for clients that reconnect.
            _ => {}
        }
    }

    fn end_event(&mut self, events: &mut Vec<Event>) {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            events.push(Event { name, data });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode<'a>(portions: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, String)> {
        let mut decoder = Decoder::new(1 << 20);
        let mut events = Vec::new();
        for portion in portions {
            decoder.feed(portion, &mut events).unwrap();
        }
        decoder.finish(&mut events);
        events.into_iter().map(|event| (event.name, event.data)).collect()
    }

    fn event(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_of_every_shape_are_read() {
        for (text, expected) in [
            ("data: a\n\n", vec![event("", "a")]),
            ("data:a\n\n", vec![event("", "a")]),
            ("data:  a\n\n", vec![event("", " a")]),
            ("event: ping\ndata: {}\n\n", vec![event("ping", "{}")]),
            ("data: a\ndata: b\n\n", vec![event("", "a\nb")]),
            ("data\ndata\n\n", vec![event("", "\n")]),
            (": keep alive\n\ndata: a\n\n", vec![event("", "a")]),
            ("event: x\n\ndata: a\n\n", vec![event("", "a")]),
            ("id: 7\nretry: 10\nother: z\ndata: a\n\n", vec![event("", "a")]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec![event("", "a"), event("", "b")]),
            ("data: a\r\rdata: b\r\r", vec![event("", "a"), event("", "b")]),
            ("\u{feff}data: a\n\n", vec![event("", "a")]),
            ("data: a: b\n\n", vec![event("", "a: b")]),
            ("data: [DONE]\n", vec![event("", "[DONE]")]),
            ("data: [DONE]", vec![event("", "[DONE]")]),
            ("\n\n\n", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(decode([text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_the_rest_is_kept() {
        assert_eq!(decode([&b"data: a\xffb\n\n"[..]]), [event("", "a\u{fffd}b")]);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut decoder = Decoder::new(10);
        assert_eq!(decoder.feed(b"data: 0123456789", &mut Vec::new()), Err(TooLong));
        let mut decoder = Decoder::new(10);
        let many = "data: 1\n".repeat(20);
        assert_eq!(decoder.feed(many.as_bytes(), &mut Vec::new()), Err(TooLong));
    }

    proptest! {
        #[test]
        fn portions_never_change_the_events(
            text in "(data: [aé€😀:]{0,4}|event: x|: c|id: 1)?(\r\n|\n|\r)((data: [aé€😀]{0,6}|event: y)?(\r\n|\n|\r)){0,12}",
            cuts in proptest::collection::vec(0usize..200, 0..20),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let portions = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
            prop_assert_eq!(decode(portions), decode([bytes]));
            prop_assert_eq!(decode(bytes.chunks(1)), decode([bytes]));
        }
    }
}
