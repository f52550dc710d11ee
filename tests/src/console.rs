//! Console blocks of documents: what is typed, what is answered, and whether that is still true.
//!
//! A block is a fence with the word `console`. A line that begins with `$ ` is a command, `> ` goes on with it (so does
//! every line of a here-document, and a line after a backslash); the lines after it are its output, both streams
//! together. `[..]` stands for anything within a line, a line of `[...]` for any number of lines. A last line `? 3` states the
//! exit status, which is 0 otherwise. All commands of a block run one after the other in the same new directory.

use crate::{Output, Shell};

/// A console block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// What is typed, in order.
    pub commands: Vec<Typed>,
}

/// A command as a document shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Typed {
    /// The script.
    pub script: String,
    /// The lines that it answers.
    pub answer: Vec<String>,
    /// Its exit status.
    pub status: i32,
}

/// Returns the console blocks of a document.
pub fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(fence) = fence(line) else { continue };
        let is_console = line.trim_start()[fence.len()..].trim() == "console";
        let indent = line.len() - line.trim_start().len();
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != fence);
        let inside: Vec<&str> = inside.map(|line| line.get(indent..).unwrap_or_default()).collect();
        if is_console {
            blocks.push(Block { line: index + 1, commands: commands(&inside) });
        }
    }
    blocks
}

fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let length = line.bytes().take_while(|byte| *byte == b'`').count();
    (length >= 3).then(|| &line[..length])
}

fn commands(lines: &[&str]) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    let mut open: Option<String> = None;
    for line in lines {
        let Some(typed) = commands.last_mut().filter(|_| !line.starts_with("$ ")) else {
            let script = line.strip_prefix("$ ").unwrap_or(line).to_owned();
            open = here_document(&script);
            commands.push(Typed { script, ..Typed::default() });
            continue;
        };
        let continued =
            line.strip_prefix("> ").or_else(|| line.strip_prefix('>').filter(|rest| rest.is_empty()));
        if let Some(end) = &open {
            let line = continued.unwrap_or(line);
            typed.script.push('\n');
            typed.script.push_str(line);
            if line == end {
                open = None;
            }
        } else if typed.script.ends_with('\\') && typed.answer.is_empty() {
            typed.script.push('\n');
            typed.script.push_str(continued.unwrap_or(line));
        } else if let (Some(line), true) = (continued, typed.answer.is_empty()) {
            typed.script.push('\n');
            typed.script.push_str(line);
        } else if let Some(status) = line.strip_prefix("? ").and_then(|status| status.trim().parse().ok()) {
            typed.status = status;
        } else {
            typed.answer.push((*line).to_owned());
        }
    }
    for typed in &mut commands {
        while typed.answer.last().is_some_and(|line| line.trim().is_empty()) {
            typed.answer.pop();
        }
    }
    commands
}

/// Returns the word that ends the here-document of a command, if it has one.
fn here_document(script: &str) -> Option<String> {
    let (_, rest) = script.split_once("<<")?;
    let word = rest.trim_start_matches('-').trim_start();
    let quoted = |quote: char| Some(word.strip_prefix(quote)?.split(quote).next()?.to_owned());
    let word = quoted('\'').or_else(|| quoted('"')).unwrap_or_else(|| {
        word.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    });
    (!word.is_empty()).then_some(word)
}

impl Block {
    /// Runs the block in the shell, and returns what is not as the document says.
    pub fn run(&self, shell: &Shell) -> Vec<String> {
        let mut wrong = Vec::new();
        for typed in &self.commands {
            let output = shell.run(&format!("exec 2>&1\n{}", typed.script));
            if let Some(difference) = typed.difference(&output) {
                wrong.push(difference);
            }
        }
        wrong
    }
}

impl Typed {
    fn difference(&self, output: &Output) -> Option<String> {
        let answer: Vec<&str> = output.stdout.trim_end().lines().collect();
        let expected: Vec<&str> = self.answer.iter().map(String::as_str).collect();
        if matches(&expected, &answer) && output.status == self.status {
            return None;
        }
        let mut text = format!("$ {}\n", self.script);
        let shown = |lines: &[&str]| lines.iter().map(|line| format!("    {line}\n")).collect::<String>();
        text += &format!("  the document says (status {}):\n{}", self.status, shown(&expected));
        text += &format!("  the program says (status {}):\n{}", output.status, shown(&answer));
        Some(text)
    }
}

/// Tells whether lines are as expected, where `[..]` stands for anything in a line and `[...]` for any lines.
fn matches(expected: &[&str], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first.trim() == "[...]" => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        Some((first, rest)) => match actual.split_first() {
            Some((line, others)) => matches_line(first.trim_end(), line.trim_end()) && matches(rest, others),
            None => false,
        },
    }
}

fn matches_line(expected: &str, actual: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == actual,
        Some((before, after)) => actual.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|skipped| rest.get(skipped..).is_some_and(|rest| matches_line(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_commands_answers_and_statuses() {
        let document = "Text\n\n```console\n$ cat > a <<'EOF'\n{\"id\":1}\nEOF\n$ classify \\\n>   a\nx [..] z\n? 3\n$ true\n\n```\n\n```sh\n$ not this\n```\n  ```console\n  $ echo a\n  a\n  ```\n";
        let found = blocks(document);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, found[1].line), (3, 18));
        let typed = |script: &str, answer: &[&str], status| Typed {
            script: script.to_owned(),
            answer: answer.iter().map(|line| (*line).to_owned()).collect(),
            status,
        };
        assert_eq!(
            found[0].commands,
            [
                typed("cat > a <<'EOF'\n{\"id\":1}\nEOF", &[], 0),
                typed("classify \\\n  a", &["x [..] z"], 3),
                typed("true", &[], 0)
            ]
        );
        assert_eq!(found[1].commands, [typed("echo a", &["a"], 0)]);
    }

    #[test]
    fn wildcards_stand_for_anything() {
        assert!(matches(&["a [..] c", "[...]", "z"], &["a b c", "1", "2", "z"]));
        assert!(matches(&["[...]"], &[]));
        assert!(!matches(&["a"], &["a", "b"]));
        assert!(!matches(&["a [..]c"], &["a b d"]));
    }
}
