//! An executor's answer taken apart: prose and code blocks, and sentences apart from what they quote.
//!
//! A phrase means something else when it is quoted, stands in code or is reported from elsewhere. The checks
//! that read words read [`Sentence::bare`], where all of that is blank. What the words mean is left to them.

use std::cell::OnceCell;

/// Of a longer prose the sentences in the middle are left out.
const PROSE_LIMIT: usize = 2 << 20;
/// A longer paragraph is data rather than sentences; its rest is left out.
const PARAGRAPH_LIMIT: usize = 64 << 10;
/// A mark that finds no partner within so many characters opens no quotation.
const QUOTATION_LIMIT: usize = 2_000;

/// What an executor said.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) text: &'a str,
    pub(crate) prose: Vec<Line<'a>>,
    pub(crate) blocks: Vec<Block<'a>>,
    sentences: OnceCell<Vec<Sentence>>,
}

/// A line outside code blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) shape: Shape,
}

/// What a line of prose is in Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Blank,
    Plain,
    Heading,
    Item,
    Quote,
    Table,
}

/// A fenced code block.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    pub(crate) info: &'a str,
    pub(crate) lines: Vec<&'a str>,
    pub(crate) closed: bool,
}

/// A sentence of the prose.
#[derive(Debug)]
pub(crate) struct Sentence {
    /// As it stands.
    pub(crate) text: String,
    /// The same with quotations and inline code blanked out.
    pub(crate) bare: String,
}

impl<'a> Answer<'a> {
    pub(crate) fn parse(text: &'a str) -> Answer<'a> {
        let mut prose = Vec::new();
        let mut blocks: Vec<Block<'a>> = Vec::new();
        let mut open: Option<(char, usize)> = None;
        for line in text.lines() {
            let fence = fence(line);
            match (open, fence) {
                (Some((mark, length)), Some((m, n, ""))) if m == mark && n >= length => {
                    open = None;
                    if let Some(block) = blocks.last_mut() {
                        block.closed = true;
                    }
                }
                (Some(_), _) => {
                    if let Some(block) = blocks.last_mut() {
                        block.lines.push(line);
                    }
                }
                (None, Some((mark, length, info))) => {
                    open = Some((mark, length));
                    blocks.push(Block { info, lines: Vec::new(), closed: false });
                    prose.push(Line { text: "", shape: Shape::Blank });
                }
                (None, None) => prose.push(Line { text: line, shape: shape(line) }),
            }
        }
        Answer { text, prose, blocks, sentences: OnceCell::new() }
    }

    /// Returns the sentences of the prose.
    pub(crate) fn sentences(&self) -> &[Sentence] {
        self.sentences.get_or_init(|| sentences(&self.prose))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Returns the code block that ends the answer without having ended itself. An opening fence with nothing
    /// after it is what a block nested in another leaves over, not a cut.
    pub(crate) fn open_block(&self) -> Option<&Block<'a>> {
        self.blocks.last().filter(|b| !b.closed && b.lines.iter().any(|line| !line.trim().is_empty()))
    }

    /// Returns the last line that is not blank.
    pub(crate) fn last_line(&self) -> Option<&'a str> {
        self.text.lines().rev().find(|line| !line.trim().is_empty())
    }
}

/// Returns the mark, length and info string of a line that may open or close a block (CommonMark 4.5).
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    let info = line[length..].trim();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((mark, length, info))
}

fn shape(line: &str) -> Shape {
    let text = line.trim_start();
    let after_number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if text.is_empty() {
        Shape::Blank
    } else if text.starts_with('#') {
        Shape::Heading
    } else if text.starts_with('>') {
        Shape::Quote
    } else if text.starts_with('|') {
        Shape::Table
    } else if text.starts_with("- ")
        || text.starts_with("* ")
        || text.starts_with("+ ")
        || text.starts_with("• ")
        || (after_number.len() < text.len()
            && (after_number.starts_with(". ") || after_number.starts_with(") ")))
    {
        Shape::Item
    } else {
        Shape::Plain
    }
}

fn sentences(prose: &[Line<'_>]) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut paragraph = String::new();
    let size: usize = prose.iter().map(|line| line.text.len()).sum();
    let mut at = 0;
    for line in prose {
        at += line.text.len();
        if at > PROSE_LIMIT && at + PROSE_LIMIT < size {
            continue;
        }
        // A wrapped sentence goes on in the next plain line; everything else starts afresh.
        if line.shape != Shape::Plain {
            split(&mut paragraph, &mut sentences);
        }
        match line.shape {
            Shape::Plain | Shape::Item if paragraph.len() < PARAGRAPH_LIMIT => {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                for c in line.text.trim().chars().take(PARAGRAPH_LIMIT) {
                    paragraph.push(if c == '\u{2019}' { '\'' } else { c });
                }
            }
            _ => {}
        }
    }
    split(&mut paragraph, &mut sentences);
    sentences
}

/// Moves the sentences of a paragraph into the list. What is quoted never ends a sentence.
fn split(paragraph: &mut String, sentences: &mut Vec<Sentence>) {
    let bare = blank_quotations(paragraph);
    let bytes = bare.as_bytes();
    let mut start = 0;
    for end in 1..=bytes.len() {
        let stop = end == bytes.len()
            || (matches!(bytes[end - 1], b'.' | b'!' | b'?')
                && bytes[end].is_ascii_whitespace()
                && !abbreviation(&bare[start..end]));
        if stop {
            let text = paragraph[start..end].trim();
            if !text.is_empty() {
                sentences.push(Sentence { text: text.to_owned(), bare: bare[start..end].trim().to_owned() });
            }
            start = end;
        }
    }
    paragraph.clear();
}

fn abbreviation(sentence: &str) -> bool {
    let word = sentence.rsplit(char::is_whitespace).next().unwrap_or_default().to_ascii_lowercase();
    let word = word.trim_start_matches(['(', '[']);
    // The number of a list item stands alone at its beginning.
    let number = sentence.trim().len() == word.len() && word.len() > 1;
    matches!(word, "e.g." | "i.e." | "etc." | "vs." | "cf." | "approx.")
        || (number && word[..word.len() - 1].bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the text, byte for byte as long, with blanks for inline code and quotations.
fn blank_quotations(text: &str) -> String {
    let mut bare = text.as_bytes().to_vec();
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let mut at = 0;
    while at < characters.len() {
        let (start, open) = characters[at];
        let close = match open {
            '`' => '`',
            '"' => '"',
            '\u{201c}' => '\u{201d}',
            '\u{201e}' => '\u{201c}',
            '\u{2018}' => '\u{2019}',
            '«' => '»',
            // An apostrophe is no quotation mark: one opens after a blank and closes before one.
            '\'' if at == 0 || characters[at - 1].1.is_whitespace() || characters[at - 1].1 == '(' => '\'',
            _ => {
                at += 1;
                continue;
            }
        };
        let end = (at + 1..characters.len().min(at + QUOTATION_LIMIT)).find(|&i| {
            characters[i].1 == close
                && (close != '\'' || characters.get(i + 1).is_none_or(|(_, c)| !c.is_alphanumeric()))
        });
        if let Some(end) = end {
            let stop = characters.get(end + 1).map_or(text.len(), |(i, _)| *i);
            bare[start..stop].fill(b' ');
            at = end + 1;
        } else {
            at += 1;
        }
    }
    // Whole characters were replaced by blanks, so it is still UTF-8.
    String::from_utf8(bare).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> Vec<String> {
        Answer::parse(text).sentences().iter().map(|s| s.bare.clone()).collect()
    }

    #[test]
    fn sentences_wrap_over_lines_and_end_at_items() {
        assert_eq!(
            bare("One that\nwraps. Two!\n- item one\n- item two"),
            ["One that wraps.", "Two!", "- item one", "- item two"]
        );
    }

    #[test]
    fn paths_versions_and_abbreviations_do_not_end_a_sentence() {
        assert_eq!(
            bare("See src/a.rs for 1.2.3, e.g. the top. Done."),
            ["See src/a.rs for 1.2.3, e.g. the top.", "Done."]
        );
    }

    #[test]
    fn what_is_quoted_is_blank_and_does_not_end_a_sentence() {
        let found = bare("The bot says \"I can't help. Sorry.\" and `panic!` follows. I don't know.");
        assert_eq!(found.len(), 2);
        assert!(!found[0].contains("help") && !found[0].contains("panic"));
        assert_eq!(found[1], "I don't know.");
    }

    #[test]
    fn blocks_are_apart_from_prose() {
        let answer = Answer::parse("a\n```rust\nfn f() {}\n```\nb\n~~~\nx\n");
        assert_eq!(answer.blocks.len(), 2);
        assert_eq!(answer.blocks[0].info, "rust");
        assert!(answer.blocks[0].closed && !answer.blocks[1].closed);
        assert!(answer.open_block().is_some());
    }

    #[test]
    fn a_nested_block_leaves_no_open_one() {
        assert!(Answer::parse("```markdown\n# x\n```sh\nls\n```\nmore\n```\n").open_block().is_none());
    }
}
