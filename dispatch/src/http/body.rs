//! Turns the bytes of a successful answer into a reply, whether they are a stream of events or one document.
//!
//! A stream is always asked for, but some gateways answer with a document all the same, and do not always label
//! it. The first character tells them apart: no line of an event stream begins with a brace.

use shared::section::Status;

use super::fault::{Fault, Reach};
use super::protocol::Reader;
use super::sse::{Decoder, Event, TooLong};

/// The largest single event.
const EVENT_BYTES: usize = 16 << 20;

/// The part of an answer that has not been read yet.
#[derive(Debug)]
pub(crate) enum Body {
    /// Nothing but white space has come.
    Unknown,
    /// A stream of events.
    Events(Decoder),
    /// One document.
    Document(Vec<u8>),
}

impl Body {
    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], reader: &mut impl Reader) -> Result<(), Fault> {
        if matches!(self, Body::Unknown) {
            bytes = bytes.trim_ascii_start();
            *self = match bytes.first() {
                None => return Ok(()),
                Some(b'{' | b'[') => Body::Document(Vec::new()),
                Some(b'<') => {
                    return Err(Fault::lasting(
                        Status::Failed,
                        "the server answered with a page for people instead of an answer; check `base_url`",
                        Reach::Backend,
                    ));
                }
                Some(_) => Body::Events(Decoder::new(EVENT_BYTES)),
            };
        }
        match self {
            Body::Unknown => Ok(()),
            Body::Document(document) => {
                document.extend_from_slice(bytes);
                Ok(())
            }
            Body::Events(decoder) => {
                let mut events = Vec::new();
                let fed = decoder.feed(bytes, &mut events);
                // What came whole counts, also before an event that is too long.
                read(&events, reader)?;
                fed.map_err(|TooLong| {
                    Fault::lasting(
                        Status::Failed,
                        format!("one event of the answer is larger than {} MiB", EVENT_BYTES >> 20),
                        Reach::Request,
                    )
                })
            }
        }
    }

    /// Takes the end of the answer; an error if it is not a whole one.
    pub(crate) fn end(self, reader: &mut impl Reader) -> Result<(), Fault> {
        let garbled = || Fault::transient("the server sent something that is no JSON");
        match self {
            Body::Unknown => {}
            Body::Document(document) => {
                reader.document(&serde_json::from_slice(&document).map_err(|_| garbled())?)?;
            }
            Body::Events(mut decoder) => {
                let mut events = Vec::new();
                decoder.finish(&mut events);
                read(&events, reader)?;
            }
        }
        if reader.reply().garbled {
            Err(garbled())
        } else if reader.reply().complete {
            Ok(())
        } else {
            Err(Fault::transient("the answer broke off before its end"))
        }
    }
}

fn read(events: &[Event], reader: &mut impl Reader) -> Result<(), Fault> {
    for event in events {
        // What comes after the end is no part of the answer.
        if reader.reply().complete {
            break;
        }
        reader.event(event)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
