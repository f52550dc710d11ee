//! The head of an executor's file: YAML between two lines of `---`, each key with the line that it stands on.
//!
//! What the keys mean is not known here. Heads that people write for agent programs are often no YAML, because a description
//! holds a colon; those are read as they were meant.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// A file, taken apart.
#[derive(Debug, PartialEq)]
pub(crate) struct Document {
    /// In the order of the file.
    pub(crate) entries: Vec<Entry>,
    /// What follows the head, without white space around it.
    pub(crate) body: String,
}

/// A key and its value.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The line in the file, from 1.
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// A value, as far as it can be one for an executor.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    /// `key:` and no more, `~` or `null`.
    Empty,
    Text(String),
    List(Vec<String>),
    /// Tables, lists of lists and whatever else other programs want to know.
    Other,
}

/// What is wrong with a file, and in which line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Fault {
        Fault { line, message: message.into() }
    }
}

/// Returns a text with the line ends of Unix and without a byte order mark.
pub(crate) fn normal(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n")
}

/// Takes a file apart.
pub(crate) fn read(text: &str) -> Result<Document, Fault> {
    let text = normal(text);
    let mut lines = text.split_inclusive('\n');
    let opening = lines.next().unwrap_or_default();
    if opening.trim_end() != "---" {
        return Err(Fault::new(
            1,
            "there is no front matter: begin with a line `---`, keys, and a line `---`",
        ));
    }
    let head_begin = opening.len();
    let mut head_end = None;
    let mut position = head_begin;
    for line in lines {
        if line.trim_end() == "---" {
            head_end = Some((position, position + line.len()));
            break;
        }
        position += line.len();
    }
    let Some((head_end, body_begin)) = head_end else {
        return Err(Fault::new(1, "the front matter does not end: put a line `---` after its last key"));
    };
    let head = &text[head_begin..head_end];
    let entries = match entries(head) {
        Ok(entries) => entries,
        Err(fault) => self::entries(&quoted(head)).map_err(|_| fault)?,
    };
    for (index, entry) in entries.iter().enumerate() {
        if entries[..index].iter().any(|earlier| earlier.key == entry.key) {
            return Err(Fault::new(entry.line, format!("the key `{}` is there twice", entry.key)));
        }
    }
    Ok(Document { entries, body: text[body_begin..].trim().to_owned() })
}

/// Reads the keys of a head, which begins on the second line of its file.
fn entries(head: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut depth = 0;
    let mut key: Option<(String, usize)> = None;
    let mut list: Option<Vec<String>> = None;
    let mut is_flat = true;
    for event in Parser::new_from_str(head) {
        let (event, span) = event.map_err(|error| {
            Fault::new(error.marker().line() + 1, format!("this is no YAML: {}", error.info()))
        })?;
        let line = span.start.line() + 1;
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let is_list = matches!(event, Event::SequenceStart(..));
                if depth == 0 && is_list {
                    return Err(Fault::new(
                        line,
                        "the front matter is a list; it has to be keys with values",
                    ));
                }
                if depth == 1 && key.is_none() {
                    return Err(Fault::new(line, "a key has to be a word"));
                }
                match (depth, is_list) {
                    (0, _) => {}
                    (1, true) => (list, is_flat) = (Some(Vec::new()), true),
                    _ => is_flat = false,
                }
                if depth == 1 && !is_list {
                    is_flat = false;
                }
                depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                depth -= 1;
                if depth == 1
                    && let Some((name, line)) = key.take()
                {
                    let value = match list.take() {
                        Some(items) if is_flat => Value::List(items),
                        _ => Value::Other,
                    };
                    is_flat = true;
                    entries.push(Entry { key: name, line, value });
                }
            }
            Event::Scalar(text, style, ..) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                match (depth, key.take()) {
                    (0, _) if is_null => {}
                    (0, _) => return Err(Fault::new(line, "the front matter has no keys")),
                    (1, None) => key = Some((text.into_owned(), line)),
                    (1, Some((name, line))) => {
                        let value = if is_null { Value::Empty } else { Value::Text(text.into_owned()) };
                        entries.push(Entry { key: name, line, value });
                    }
                    (_, open) => {
                        key = open;
                        if let Some(list) = list.as_mut().filter(|_| depth == 2 && !is_null) {
                            list.push(text.into_owned());
                        }
                    }
                }
            }
            Event::Alias(_) if depth == 1 => {
                if let Some((name, line)) = key.take() {
                    entries.push(Entry { key: name, line, value: Value::Other });
                }
            }
            Event::Alias(_) => is_flat = false,
            _ => {}
        }
    }
    Ok(entries)
}

/// Quotes the values that stand on the line of their key and are no YAML by themselves.
fn quoted(head: &str) -> String {
    let quote = |line: &str| -> Option<String> {
        let (key, value) = line.split_once(": ")?;
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        let value = value.trim();
        let is_plain = !value.is_empty() && !value.starts_with(['"', '\'', '|', '>']);
        // What begins like a list is meant to be one, but for a remark before a description.
        let is_list = value.starts_with(['[', '{']) && key != "description";
        (is_key && is_plain && !is_list).then(|| format!("{key}: '{}'", value.replace('\'', "''")))
    };
    let lines = head.split('\n').map(|line| quote(line).map_or(Cow::Borrowed(line), Cow::Owned));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(head: &str, key: &str) -> Value {
        let document = read(&format!("---\n{head}\n---\nBody\n")).unwrap();
        document.entries.into_iter().find(|entry| entry.key == key).map_or(Value::Empty, |entry| entry.value)
    }

    fn list(items: &[&str]) -> Value {
        Value::List(items.iter().map(|item| (*item).to_owned()).collect())
    }

    #[test]
    fn values_are_texts_lists_or_something_that_others_want() {
        assert_eq!(value("tools: [Read, \"Grep\"]", "tools"), list(&["Read", "Grep"]));
        assert_eq!(value("tools:\n  - Read\n  - 'Grep'\nmodel: x", "tools"), list(&["Read", "Grep"]));
        assert_eq!(value("tools:\n- Read\nmodel: x", "model"), Value::Text("x".into()));
        assert_eq!(value("tools: Read, Grep", "tools"), Value::Text("Read, Grep".into()));
        assert_eq!(value("tools:", "tools"), Value::Empty);
        assert_eq!(value("tools: []", "tools"), list(&[]));
        assert_eq!(value("hooks:\n  Stop:\n    - matcher: x\nname: y", "hooks"), Value::Other);
        assert_eq!(value("hooks:\n  Stop:\n    - matcher: x\nname: y", "name"), Value::Text("y".into()));
        assert_eq!(
            value("description: >\n  two\n  lines\nname: y", "description"),
            Value::Text("two lines\n".into())
        );
        assert_eq!(
            value("description: 'it''s: one' # a remark", "description"),
            Value::Text("it's: one".into())
        );
    }

    #[test]
    fn a_head_that_is_no_yaml_because_of_a_colon_is_read_as_it_was_meant() {
        let head = "name: x\ndescription: Use it so. Example: user: 'hi' \\n<commentary>\ntools: Read";
        let expected = "Use it so. Example: user: 'hi' \\n<commentary>";
        assert_eq!(value(head, "description"), Value::Text(expected.into()));
        assert_eq!(value(head, "tools"), Value::Text("Read".into()));
    }

    #[test]
    fn faults_name_their_line() {
        for (text, line, part) in [
            ("name: x", 1, "no front matter"),
            ("", 1, "no front matter"),
            ("---\nname: x\n", 1, "does not end"),
            ("---\nname: x\nmodel: a\nname: y\n---\n", 4, "twice"),
            ("---\n- a\n- b\n---\n", 2, "is a list"),
            ("---\njust words\n---\n", 2, "no keys"),
            ("---\nname: x\ntools: [Read\n---\n", 3, "no YAML"),
            ("---\nname: x\n\tmodel: y\n---\n", 3, "no YAML"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(part), "{text:?}: {fault:?}");
            assert!(fault.line.abs_diff(line) <= 1, "{text:?}: {fault:?}");
        }
        assert_eq!(read("---\n---\n").unwrap(), Document { entries: vec![], body: String::new() });
    }

    #[test]
    fn line_ends_and_byte_order_marks_of_other_systems_do_not_matter() {
        let unix = "---\nname: x\ntools:\n  - Read\n---\n\nBody\nmore\n";
        let expected = read(unix).unwrap();
        for text in [unix.replace('\n', "\r\n"), unix.replace('\n', "\r"), format!("\u{feff}{unix}")] {
            assert_eq!(read(&text).unwrap(), expected);
        }
        assert_eq!(expected.body, "Body\nmore");
        assert_eq!(expected.entries[1].line, 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused_with_a_line_that_it_has(head in "[-a-z:\\[\\]{},'\"|>&*!#~ \\n\\t]{0,80}") {
            let text = format!("---\n{head}\n---\nBody");
            if let Err(fault) = read(&text) {
                prop_assert!((1..=text.lines().count() + 1).contains(&fault.line), "{text:?} {fault:?}");
            }
        }

        #[test]
        fn a_description_is_what_was_written(description in "[A-Za-z][A-Za-z0-9,.;:()<>'\" -]{0,60}[a-z.]") {
            let text = format!("---\nname: x\ndescription: {description}\nmodel: y\n---\n");
            let read = read(&text).unwrap();
            let found = &read.entries[1].value;
            prop_assert_eq!(found, &Value::Text(description.trim().to_owned()));
            prop_assert_eq!(read.entries.len(), 3);
        }
    }
}
