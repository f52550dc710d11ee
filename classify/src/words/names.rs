//! What a piece of text is that is no plain word: a path, a number, an identifier, a quotation.

use super::{Kind, QUOTE, floor};
use crate::lexicon::{self, About, Meaning, Role};

pub(super) fn what_is(chunk: &str) -> (Kind, Meaning) {
    let word = chunk.trim_start_matches(['\'', '~', '*', '#']);
    if word.is_empty() {
        return (Kind::Name, Meaning::default());
    }
    let mut known = lexicon::word(word);
    let is_adverb = word.len() > 4 && ends_with_ignore_case(word, "ly");
    if is_adverb && known.act.is_none() && known.about.without(About::SHELL) == About::NONE {
        // "recursively remove", "automatically add": what is done comes after.
        known.role |= Role::FILLER | Role::ENGLISH;
    }
    if !known.is_unknown() {
        return (Kind::Word, known);
    }
    let bytes = word.as_bytes();
    if is_number(word) {
        return (Kind::Number, Meaning { about: About::NUMBER, ..Meaning::default() });
    }
    if bytes[0] == b'.' {
        return (Kind::Name, Meaning { about: named(word), ..Meaning::default() });
    }
    if bytes[0] == b'$' {
        return (Kind::Name, Meaning { about: About::SHELL, ..Meaning::default() });
    }
    if bytes.iter().any(|byte| matches!(byte, b'_' | b'$' | b'=' | b'@' | b'\\' | b'%' | b'&'))
        || word.starts_with('-')
    {
        return (Kind::Name, Meaning { about: About::CODE, ..Meaning::default() });
    }
    if bytes.contains(&b'/') || bytes.contains(&b':') || bytes.contains(&b'.') {
        return (Kind::Name, Meaning { about: named(word), ..Meaning::default() });
    }
    if bytes.contains(&b'-') {
        // "multi-step", "re-check": what the parts are about counts, what they do does not.
        let mut meaning = Meaning { role: Role::ENGLISH, ..Meaning::default() };
        for part in word.split('-') {
            let known = lexicon::word(part);
            meaning.about |= known.about;
            if known.is_unknown() && part.len() > 2 {
                meaning.role = Role::NONE;
            }
        }
        return (Kind::Word, meaning);
    }
    // `TypeError`, `NullPointerException`: the names of errors end like this in most languages.
    if word.len() > 7 && ["error", "exception"].iter().any(|end| ends_with_ignore_case(word, end)) {
        return (
            Kind::Word,
            Meaning { about: About::TRACE | About::BUG, role: Role::ENGLISH, ..Meaning::default() },
        );
    }
    (Kind::Word, Meaning::default())
}

fn ends_with_ignore_case(word: &str, end: &str) -> bool {
    word.len() >= end.len() && word.as_bytes()[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// `42`, `3.11`, `v2`, `17.x`, `50px` are numbers.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

/// What a path or file name says about the task.
fn named(name: &str) -> About {
    let shell = if name.starts_with(['/', '~']) { About::SHELL } else { About::NONE };
    shell | named_file(name)
}

/// Files that are worked on, but are no code.
const DATA_FILES: [&str; 24] = [
    "txt", "csv", "tsv", "dat", "jpg", "jpeg", "png", "gif", "pdf", "zip", "tar", "gz", "tgz", "bz2", "xz",
    "7z", "mp3", "mp4", "avi", "mov", "bak", "tmp", "out", "iso",
];

fn named_file(name: &str) -> About {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let Some((stem, ending)) = file.rsplit_once('.') else {
        return if lexicon::word(file).about.any(About::DOCS) {
            About::DOCS | About::FILE
        } else {
            About::FILE
        };
    };
    let is = |list: &[&str]| list.iter().any(|known| ending.eq_ignore_ascii_case(known));
    if stem.is_empty() || stem == "*" {
        return About::FILE | About::SHELL; // .o, *.log
    }
    if is(&["md", "rst", "adoc"]) || lexicon::word(stem).about.any(About::DOCS) {
        About::DOCS | About::FILE
    } else if DATA_FILES.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        About::FILE
    } else if is(&["log", "trace"]) {
        About::TRACE | About::FILE
    } else if let Some((line, _)) = ending.split_once(':')
        && line.len() <= 5
    {
        About::FILE | About::CODE // auth.rs:17
    } else if ending.len() <= 5 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        About::FILE | About::CODE
    } else {
        About::CODE
    }
}

/// What a quotation says about the task: a file, an error. Never what to do.
pub(super) fn mentioned(quote: &str) -> About {
    let quote = quote.trim();
    if !quote.contains(' ') && quote.len() < 200 {
        return match what_is(quote) {
            (Kind::Word, known) => {
                known.about.only(About::TRACE | About::DOCS | About::TESTS | About::CHECKS) | About::CODE
            }
            (_, known) => known.about,
        };
    }
    shown(quote)
}

/// What a block of code or output says about the task: that it shows an error, at the best with its trace.
pub(super) fn shown(block: &str) -> About {
    let end = floor(block, block.len().min(QUOTE));
    let shows_error = block[..end].lines().take(40).any(|line| {
        let line = line.trim_start();
        let begins =
            |sign: &str| line.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign));
        begins("at ") && (line.contains(':') || line.contains('('))
            || begins("file \"")
            || [
                "error",
                "exception",
                "panicked at",
                "traceback",
                "undefined reference",
                "segmentation fault",
                "warning:",
            ]
            .iter()
            .any(|sign| contains_ignore_case(line, sign))
    });
    if shows_error { About::TRACE } else { About::CODE }
}

fn contains_ignore_case(line: &str, sign: &str) -> bool {
    line.as_bytes().windows(sign.len()).any(|window| window.eq_ignore_ascii_case(sign.as_bytes()))
}
