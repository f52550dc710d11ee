//! Records as the tests read them: as values where a value is asked for, as text where bytes are.

use serde_json::Value;
use shared::Record;

/// Reads one record a line.
///
/// # Panics
/// If a line is no JSON; the message shows it.
pub fn parse(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

/// Returns a line without one of its members, as bytes: what a stage has to leave as it came.
///
/// # Panics
/// If the line is no record or the member is not there.
pub fn without(line: &str, member: &str) -> String {
    let record = Record::parse(line.to_owned()).unwrap_or_else(|error| panic!("{error}: {line}"));
    let raw = record.raw(member).unwrap_or_else(|| panic!("no `{member}` in {line}"));
    let start = raw.as_ptr() as usize - line_of(&record).as_ptr() as usize;
    let line = line_of(&record);
    let key = format!("\"{member}\":");
    let key_start =
        line[..start].rfind(&key).unwrap_or_else(|| panic!("`{member}` has an odd key in {line}"));
    let end = start + raw.len();
    let (before, after) = (&line[..key_start], &line[end..]);
    match (before.strip_suffix(','), after.strip_prefix(',')) {
        (Some(before), _) => format!("{before}{after}"),
        (None, Some(after)) => format!("{before}{after}"),
        (None, None) => format!("{before}{after}"),
    }
}

fn line_of(record: &Record) -> &str {
    match record.to_line() {
        // A record that was only read is the line that was read.
        std::borrow::Cow::Borrowed(line) => line,
        std::borrow::Cow::Owned(line) => panic!("the record was edited: {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_can_be_taken_out_of_the_text() {
        let line = r#"{"id":"a","x":1.10,"classify":{"tier":1,"x":[1,2]}}"#;
        assert_eq!(without(line, "classify"), r#"{"id":"a","x":1.10}"#);
        assert_eq!(without(line, "x"), r#"{"id":"a","classify":{"tier":1,"x":[1,2]}}"#);
        assert_eq!(without(line, "id"), r#"{"x":1.10,"classify":{"tier":1,"x":[1,2]}}"#);
    }
}
