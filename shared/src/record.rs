//! One record: a line of JSON that is kept as it came, with edits to the members that are ours.
//!
//! A record is never taken apart and put together again. Parsing only finds where the members of the outermost object
//! begin and end; what a stage sets is spliced in when the line is written. So numbers of any size, key order, repeated
//! keys, escapes, lone surrogates and white space leave as they came, and a member that nobody asks for is never decoded.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Problem;
use crate::section::{RecordError, Section};

/// A record of the pipe.
#[derive(Clone, Debug)]
pub struct Record {
    line: String,
    members: Vec<Member>,
    /// Where the outermost object begins and ends in the line, braces included.
    object: Range<usize>,
    id: Option<String>,
    /// Whether the id was given by us and is not in the line.
    id_is_new: bool,
    /// Whether there is an id that can not be one.
    id_is_bad: bool,
    appended: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Member {
    name: Name,
    value: Range<usize>,
    replacement: Option<String>,
}

/// A key: where it stands in the line, or decoded if it is written with escapes.
#[derive(Clone, Debug)]
enum Name {
    Plain(Range<usize>),
    Decoded(String),
}

impl Record {
    /// Reads a line, without its line break.
    ///
    /// # Errors
    /// If the line is no JSON object.
    pub fn parse(line: String) -> Result<Record, Problem> {
        Record::parse_or_return(line).map_err(|(problem, _)| problem)
    }

    /// Reads a line as [`parse`](Record::parse) does, but gives the line back if it is no record.
    pub(crate) fn parse_or_return(line: String) -> Result<Record, (Problem, String)> {
        let members = match Record::members(&line) {
            Ok(members) => members,
            Err(problem) => return Err((problem, line)),
        };
        let begin = line.find('{').unwrap_or_default();
        let end = line.rfind('}').map_or(line.len(), |end| end + 1);
        let mut record = Record {
            line,
            members,
            object: begin..end,
            id: None,
            id_is_new: false,
            id_is_bad: false,
            appended: Vec::new(),
        };
        record.read_id();
        Ok(record)
    }

    fn members(line: &str) -> Result<Vec<Member>, Problem> {
        let no_record = |error: serde_json::Error| {
            let place = format!("at column {}", error.column());
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Problem::new("not a record")
                .because(format!("{message} {place}"))
                .hint("each line must be one JSON object such as {\"id\":\"t1\",\"task\":\"run the tests\"}")
        };
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let members = deserializer.deserialize_map(Members { line }).map_err(no_record)?;
        deserializer.end().map_err(no_record)?;
        Ok(members)
    }

    /// Returns a record with these members, in this order; the values are JSON.
    pub fn from_members<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> Record {
        let mut record = Record {
            line: "{}".to_owned(),
            members: Vec::new(),
            object: 0..2,
            id: None,
            id_is_new: false,
            id_is_bad: false,
            appended: Vec::new(),
        };
        for (name, value) in members {
            record.set_raw(name, value);
        }
        record.read_id();
        record
    }

    /// Returns a record for a line that is none: nothing of it but the error that holds it.
    pub fn of_error(error: &RecordError) -> Record {
        Record::from_members([("errors", json(&[error]))])
    }

    fn read_id(&mut self) {
        let Some(raw) = self.raw("id") else { return };
        let is_integer = || raw.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
        let id = match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            // With a lone surrogate it has no text; as it is written it still tells records apart.
            Some(inside) => Some(serde_json::from_str(raw).unwrap_or_else(|_| inside.to_owned())),
            None => is_integer().then(|| raw.to_owned()),
        };
        self.id_is_bad = id.is_none();
        self.id = id;
    }

    /// Returns what is wrong with the id, if it can not be one.
    pub(crate) fn id_problem(&self) -> Option<Problem> {
        self.id_is_bad.then(|| {
            Problem::new("`id` is neither a string nor an integer")
                .hint("give it a string that no other record has, or leave it out")
        })
    }

    /// Returns the id; a number as its digits.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Gives the record an id, if it has none: the same for the same task at the same place.
    pub fn ensure_id(&mut self, line: u64) {
        if self.id.is_some() || self.id_is_bad {
            return;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.raw("task").unwrap_or(&self.line).as_bytes());
        hasher.update(&line.to_le_bytes());
        let id = format!("t{line}-{}", &hasher.finalize().to_hex()[..8]);
        self.id = Some(id);
        self.id_is_new = true;
    }

    /// Returns a member as the JSON text it is. Of members with the same name, readers take the last.
    pub fn raw(&self, name: &str) -> Option<&str> {
        if let Some((_, value)) = self.appended.iter().find(|(appended, _)| appended == name) {
            return Some(value);
        }
        let member = self.members.iter().rev().find(|member| self.is_named(member, name))?;
        Some(member.replacement.as_deref().unwrap_or(&self.line[member.value.clone()]))
    }

    /// Returns the names of all members, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let there = self.members.iter().map(|member| match &member.name {
            Name::Plain(range) => &self.line[range.clone()],
            Name::Decoded(name) => name,
        });
        there.chain(self.appended.iter().map(|(name, _)| name.as_str()))
    }

    fn is_named(&self, member: &Member, name: &str) -> bool {
        match &member.name {
            Name::Plain(range) => &self.line[range.clone()] == name,
            Name::Decoded(decoded) => decoded == name,
        }
    }

    /// Reads a section. `null` is the same as absent.
    ///
    /// # Errors
    /// If the member is there but not of the section's form; the message names the member and what is wrong in it.
    pub fn get<S: Section>(&self) -> Result<Option<S>, Problem> {
        let Some(raw) = self.raw(S::NAME) else { return Ok(None) };
        if raw.starts_with('[') && S::NAME != "errors" {
            return Err(Problem::new(format!("`{}` can not be read", S::NAME))
                .because("it is a list, and should be an object")
                .hint(format!("PROTOCOL.md has the form of `{}`", S::NAME)));
        }
        serde_json::from_str(raw).map_err(|error| {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            Problem::new(format!("`{}` can not be read", S::NAME))
                .because(message)
                .hint(format!("PROTOCOL.md has the form of `{}`", S::NAME))
        })
    }

    /// Writes a section, in the place of the one that is there or at the end.
    pub fn set<S: Section>(&mut self, section: &S) {
        self.set_raw(S::NAME, json(section));
    }

    /// Writes a member, which has to be JSON on one line.
    pub fn set_raw(&mut self, name: &str, value: String) {
        let line = &self.line;
        let named = |member: &&mut Member| match &member.name {
            Name::Plain(range) => &line[range.clone()] == name,
            Name::Decoded(decoded) => decoded == name,
        };
        if let Some(member) = self.members.iter_mut().rev().find(named) {
            member.replacement = Some(value);
        } else if let Some((_, appended)) = self.appended.iter_mut().find(|(appended, _)| appended == name) {
            *appended = value;
        } else {
            self.appended.push((name.to_owned(), value));
        }
    }

    /// Appends to `errors`, unless this stage has said the same before.
    pub fn push_error(&mut self, error: RecordError) {
        // Foreign entries of any form stay as they are.
        let mut errors: Vec<Box<RawValue>> =
            self.raw("errors").and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let is_known = errors.iter().any(|known| {
            serde_json::from_str::<RecordError>(known.get())
                .is_ok_and(|known| known.stage == error.stage && known.message == error.message)
        });
        if is_known {
            return;
        }
        errors.extend(serde_json::value::to_raw_value(&error));
        self.set_raw("errors", json(&errors));
    }

    /// Tells whether a stage could not do its work on this record. Such a record is let by.
    pub fn has_errors(&self) -> bool {
        self.raw("errors").is_some_and(|raw| !matches!(raw.trim(), "null") && !is_empty_array(raw))
    }

    /// Returns the line, without a line break. Without edits it is the line that was read.
    pub fn to_line(&self) -> Cow<'_, str> {
        let is_edited = self.id_is_new
            || !self.appended.is_empty()
            || self.members.iter().any(|m| m.replacement.is_some());
        if !is_edited {
            return Cow::Borrowed(&self.line);
        }
        let added: usize = self.appended.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let replaced: usize =
            self.members.iter().filter_map(|m| m.replacement.as_ref()).map(String::len).sum();
        let mut text = String::with_capacity(self.line.len() + added + replaced + 64);
        text.push_str(&self.line[..=self.object.start]);
        let mut position = self.object.start + 1;
        let mut is_empty = self.members.is_empty();
        if let (true, Some(id)) = (self.id_is_new, &self.id) {
            push_member(&mut text, "id", &json(id));
            if !is_empty {
                text.push(',');
            }
            is_empty = false;
        }
        for member in &self.members {
            if let Some(replacement) = &member.replacement {
                text.push_str(&self.line[position..member.value.start]);
                text.push_str(replacement);
                position = member.value.end;
            }
        }
        let last = self.members.last().map_or(position, |member| member.value.end);
        text.push_str(&self.line[position..last]);
        for (name, value) in &self.appended {
            if !is_empty {
                text.push(',');
            }
            push_member(&mut text, name, value);
            is_empty = false;
        }
        text.push_str(&self.line[last..]);
        Cow::Owned(text)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_line())
    }
}

fn push_member(text: &mut String, name: &str, value: &str) {
    text.push_str(&json(name));
    text.push(':');
    text.push_str(value);
}

fn is_empty_array(raw: &str) -> bool {
    raw.trim()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inner| inner.trim().is_empty())
}

/// Returns the JSON of a value that has one: our own sections, strings and lists of them.
fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    // Only a map with keys that are no strings or a failing `Serialize` could fail here, and our types have neither.
    serde_json::to_string(value)
        .unwrap_or_else(|error| format!("{{\"unwritable\":\"{}\"}}", error.classify() as u8))
}

/// Finds the members of the outermost object.
struct Members<'a> {
    line: &'a str,
}

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Member>, A::Error> {
        let span = |raw: &'de RawValue| {
            let start = raw.get().as_ptr() as usize - self.line.as_ptr() as usize;
            start..start + raw.get().len()
        };
        let mut members = Vec::with_capacity(8);
        while let Some((key, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            let name = if key.get().contains('\\') {
                // A key with a lone surrogate has no text; it is nobody's name and passes as it is.
                Name::Decoded(serde_json::from_str(key.get()).unwrap_or_default())
            } else {
                let quoted = span(key);
                Name::Plain(quoted.start + 1..quoted.end - 1)
            };
            members.push(Member { name, value: span(value), replacement: None });
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(line: &str) -> Record {
        Record::parse(line.to_owned()).unwrap()
    }

    #[test]
    fn odd_content_leaves_as_it_came() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for x in [
            r#"{"n":1.10,"big":123456789012345678901234567890,"huge":1e999,"neg":-0}"#,
            r#"{"a":1,"a":2}"#,
            r#""\ud800 lone \u0041 \/ é""#,
            r#"[ 1 ,	2 ]"#,
            &deep,
        ] {
            let line = format!(r#" {{ "id" : "a" , "x":{x},"classify":{{"tier":1}} , "y": null }} "#);
            let mut record = record(&line);
            assert_eq!(record.to_line(), line);
            record.set_raw("classify", r#"{"tier":2}"#.to_owned());
            assert_eq!(record.to_line(), line.replace(r#"{"tier":1}"#, r#"{"tier":2}"#));
            record.set_raw("verify", "7".to_owned());
            let expected =
                line.replace(r#"{"tier":1}"#, r#"{"tier":2}"#).replace("null }", r#"null,"verify":7 }"#);
            assert_eq!(record.to_line(), expected);
        }
    }

    #[test]
    fn an_id_is_given_once_and_stands_first() {
        let mut first = record(r#"{"task":"run the tests"}"#);
        first.ensure_id(3);
        let line = first.to_line().into_owned();
        assert!(
            line.starts_with(r#"{"id":"t3-"#) && line.ends_with(r#"","task":"run the tests"}"#),
            "{line}"
        );
        let mut again = record(&line);
        again.ensure_id(9);
        assert_eq!(again.to_line(), line);
        let mut empty = record("{}");
        empty.ensure_id(1);
        empty.set_raw("a", "1".to_owned());
        assert!(empty.to_line().ends_with(r#"","a":1}"#), "{}", empty.to_line());
    }

    #[test]
    fn ids_are_strings_or_integers() {
        assert_eq!(record(r#"{"id":7}"#).id(), Some("7"));
        assert_eq!(record(r#"{"id":"\u0061"}"#).id(), Some("a"));
        assert_eq!(
            record(r#"{"id":123456789012345678901234567890}"#).id(),
            Some("123456789012345678901234567890")
        );
        assert_eq!(record(r#"{"id":-0}"#).id(), Some("-0"));
        assert_eq!(record(r#"{"id":"x\ud800"}"#).id(), Some(r"x\ud800"));
        for line in [r#"{"id":null}"#, r#"{"id":1.5}"#, r#"{"id":1e3}"#, r#"{"id":["a"]}"#, r#"{"id":true}"#]
        {
            let mut record = record(line);
            assert!(record.id().is_none() && record.id_problem().is_some(), "{line}");
            record.ensure_id(1);
            assert_eq!(record.to_line(), line);
        }
    }

    #[test]
    fn lines_that_are_no_records_say_what_is_wrong_and_where() {
        for (line, reason) in [
            ("[1]", "invalid type: sequence, expected a JSON object"),
            (r#"{"a":1"#, "EOF while parsing an object at column 6"),
            (r#"{"a":1} x"#, "trailing characters at column 9"),
            ("nonsense", "expected ident at column 2"),
        ] {
            let problem = Record::parse(line.to_owned()).unwrap_err();
            assert!(problem.full_message().contains(reason), "{line}: {}", problem.full_message());
        }
    }

    #[test]
    fn a_name_written_with_escapes_is_the_same_name_and_the_last_of_equals_counts() {
        let mut record = record(r#"{"\u0063lassify":1,"task":"a","task":"b"}"#);
        assert_eq!(record.raw("classify"), Some("1"));
        assert_eq!(record.raw("task"), Some(r#""b""#));
        record.set_raw("classify", "2".to_owned());
        assert_eq!(record.to_line(), r#"{"\u0063lassify":2,"task":"a","task":"b"}"#);
    }

    #[test]
    fn the_same_error_is_said_once_and_foreign_ones_stay() {
        let mut record = record(r#"{"errors":[ {"odd":1.10}, "text" ]}"#);
        let error = RecordError { stage: "gates".into(), message: "no".into(), ..RecordError::default() };
        record.push_error(error.clone());
        record.push_error(error);
        assert_eq!(record.to_line(), r#"{"errors":[{"odd":1.10},"text",{"stage":"gates","message":"no"}]}"#);
        assert!(record.has_errors());
        assert!(!Record::parse(r#"{"errors":[ ]}"#.to_owned()).unwrap().has_errors());
    }

    fn any_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("1.10".to_owned()),
            Just("1e999".to_owned()),
            Just(r#""\ud800""#.to_owned()),
            "-?[1-9][0-9]{0,40}",
            "\"[a-zäß {}\\[\\]:,]{0,12}\"",
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(" , "))),
                prop::collection::vec(("[a-c]{1,2}", inner), 0..4).prop_map(|members| {
                    let members: Vec<_> = members.iter().map(|(k, v)| format!("\"{k}\": {v}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn setting_one_member_changes_nothing_else(
            members in prop::collection::vec(("[j-z]{1,3}", any_json()), 0..6),
            position in 0usize..7,
            value in any_json(),
        ) {
            let mut all: Vec<(String, String)> = members;
            let at = position.min(all.len());
            all.insert(at, ("OWN".to_owned(), "0".to_owned()));
            let line = |all: &[(String, String)]| {
                let text: Vec<_> = all.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", text.join(","))
            };
            let mut record = Record::parse(line(&all)).unwrap();
            prop_assert_eq!(record.to_line(), line(&all));
            record.set_raw("OWN", value.clone());
            all[at].1 = value.clone();
            prop_assert_eq!(record.to_line(), line(&all));
            record.set_raw("NEW", value.clone());
            all.push(("NEW".to_owned(), value));
            prop_assert_eq!(record.to_line(), line(&all));
        }
    }
}
