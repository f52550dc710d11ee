//! Has something like this gone wrong before? The second stage (seed 003, facts §4.1 and the defects of §4.4).
//!
//! It begins at 1 and loses 0.3 for each similar failure, three at the most. The source took any two common words for
//! similar, so that after some dozen failures nearly every task was. Here words weigh by how rare they are in the
//! memory (inverse document frequency), small words and those that stand in every other failure weigh nothing, what has
//! been fixed does not count, and what lies back fades: in full for a week, then half of it every thirty days.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::LazyLock;

use shared::failures::{Failure, Memory, normalized};

/// What a similar failure takes off.
const EACH: f64 = 0.3;
/// So many count.
const COUNTED: usize = 3;
/// The score where there is a memory that can not be read: something may be in it.
const UNREADABLE: f64 = 0.7;
/// Two texts are similar from this cosine on, and with at least two words in common.
const SIMILAR: f64 = 0.4;
const COMMON: usize = 2;
/// A failure counts in full for so many seconds.
const FRESH: f64 = 7.0 * DAY;
/// After that, half of it is gone in every so many seconds.
const HALF_LIFE: f64 = 30.0 * DAY;
/// What is left of less than this is forgotten: after about 107 days.
const FADED: f64 = 0.1;
const DAY: f64 = 86_400.0;
/// A message is looked for by so many first words.
const BEGINNING: usize = 3;
/// So many words of a text are compared.
const WORDS: usize = 200;

/// The failures of a project, ready to be compared with.
#[derive(Debug, Default)]
pub(crate) struct Past {
    documents: Vec<Document>,
    /// For each word, the documents that have it, in order.
    postings: HashMap<String, Vec<u32>>,
    /// The documents by the beginning of their message.
    messages: HashMap<String, Vec<u32>>,
    /// How many failures there are in all, those that are fixed or faded included.
    total: usize,
    /// What could not be read.
    concern: Option<String>,
}

#[derive(Debug)]
struct Document {
    failure: Failure,
    /// The length of its vector.
    length: f64,
    /// What is left of it today, 0 to 1.
    weight: f64,
    /// The message as its signature has it.
    message: String,
}

/// What the past says about a task.
#[derive(Debug)]
pub(crate) struct Found<'p> {
    pub(crate) score: f64,
    /// The similar failures that count, the freshest first.
    pub(crate) similar: Vec<&'p Failure>,
    /// Similar ones that have been fixed.
    pub(crate) fixed: Vec<&'p Failure>,
    pub(crate) total: usize,
    pub(crate) concern: Option<&'p str>,
}

impl Past {
    /// Reads the memory of a project. `now` is in seconds since 1970.
    pub(crate) fn read(path: &Path, now: i64) -> Past {
        match Memory::read(path) {
            Ok(memory) => Past::new(memory, now),
            Err(error) => Past { concern: Some(unreadable(path, &error)), ..Past::default() },
        }
    }

    pub(crate) fn new(memory: Memory, now: i64) -> Past {
        let total = memory.failures.len();
        let concern = (!memory.broken.is_empty()).then(|| {
            let lines: Vec<String> = memory.broken.iter().take(3).map(u64::to_string).collect();
            let more = if memory.broken.len() > 3 { " and others" } else { "" };
            format!("the memory of failures can not be read in line {}{more}", lines.join(", "))
        });
        let words: Vec<HashSet<String>> = memory.failures.iter().map(words_of).collect();
        let mut postings: HashMap<String, Vec<u32>> = HashMap::new();
        for (at, words) in words.iter().enumerate() {
            for word in words {
                postings.entry(word.clone()).or_default().push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        let mut past = Past { documents: Vec::new(), postings, messages: HashMap::new(), total, concern };
        for (failure, words) in memory.failures.into_iter().zip(words) {
            let length = words.iter().map(|word| past.rarity(word).powi(2)).sum::<f64>().sqrt();
            let weight = faded(now.saturating_sub(failure.last));
            let message = normalized(&failure.message);
            let words: Vec<&str> = message.split(' ').collect();
            // A shorter one says too little to be recognised by.
            if let Some(words) = words.get(..BEGINNING) {
                let at = u32::try_from(past.documents.len()).unwrap_or(u32::MAX);
                past.messages.entry(beginning(words)).or_default().push(at);
            }
            past.documents.push(Document { failure, length, weight, message });
        }
        past
    }

    /// Returns how much a word tells: the rarer, the more; nothing if every other failure has it.
    fn rarity(&self, word: &str) -> f64 {
        let all = self.total as f64;
        let with = self.postings.get(word).map_or(0.5, |list| list.len() as f64);
        if self.total >= 8 && with * 2.0 > all { 0.0 } else { (1.0 + all / with).ln() }
    }

    /// Looks for failures like what the text asks for.
    pub(crate) fn about(&self, text: &str) -> Found<'_> {
        let mut found = Found {
            score: 1.0,
            similar: Vec::new(),
            fixed: Vec::new(),
            total: self.total,
            concern: self.concern.as_deref(),
        };
        if self.total > 0 {
            let mut counting: Vec<(&Document, f64)> = Vec::new();
            for (document, likeness) in self.similar(text) {
                if document.failure.fixed {
                    found.fixed.push(&document.failure);
                } else if document.weight >= FADED {
                    counting.push((document, likeness));
                }
            }
            counting.sort_by(|(a, a_like), (b, b_like)| {
                let order = b.weight.total_cmp(&a.weight).then(b_like.total_cmp(a_like));
                order.then_with(|| a.failure.signature.cmp(&b.failure.signature))
            });
            counting.truncate(COUNTED);
            found.score -= EACH * counting.iter().map(|(document, _)| document.weight).sum::<f64>();
            found.similar = counting.iter().map(|(document, _)| &document.failure).collect();
            found.fixed.truncate(COUNTED);
        }
        if self.concern.is_some() {
            found.score = found.score.min(UNREADABLE);
        }
        found.score = super::rounded(found.score);
        found
    }

    fn similar(&self, text: &str) -> Vec<(&Document, f64)> {
        let words = words_in(text);
        let mut common: HashMap<u32, (usize, f64)> = HashMap::new();
        let mut squares = 0.0;
        for word in &words {
            let rarity = self.rarity(word);
            squares += rarity * rarity;
            if rarity > 0.0 {
                for &at in self.postings.get(word).map_or(&[][..], Vec::as_slice) {
                    let entry = common.entry(at).or_default();
                    entry.0 += 1;
                    entry.1 += rarity * rarity;
                }
            }
        }
        let length = squares.sqrt();
        let mut all: HashMap<u32, f64> = HashMap::new();
        for (at, (count, product)) in common {
            let own = self.documents.get(at as usize).map_or(0.0, |document| document.length);
            let cosine = if own > 0.0 { product / (length * own) } else { 0.0 };
            if count >= COMMON && cosine >= SIMILAR {
                all.insert(at, cosine);
            }
        }
        // The very error that was seen then.
        all.extend(self.said_in(text).map(|at| (at, 1.0)));
        all.into_iter().filter_map(|(at, like)| Some((self.documents.get(at as usize)?, like))).collect()
    }

    /// Returns the failures whose message stands in a text.
    fn said_in(&self, text: &str) -> impl Iterator<Item = u32> {
        let said = if text.contains([':', '"', '`']) { normalized(text) } else { String::new() };
        let words: Vec<&str> = said.split(' ').collect();
        let mut candidates: Vec<u32> = words
            .windows(BEGINNING)
            .filter_map(|words| self.messages.get(&beginning(words)))
            .flatten()
            .copied()
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().filter(move |at| {
            let message = self.documents.get(*at as usize).map_or("", |document| &document.message);
            !message.is_empty() && said.contains(message)
        })
    }
}

/// Returns the first words of a message, without what may stand around them.
fn beginning(words: &[&str]) -> String {
    let bare = words.iter().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '#'));
    bare.collect::<Vec<_>>().join(" ")
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    format!("the memory of failures (`{name}`) can not be read: {error}")
}

/// Returns what is left of a failure that was seen so many seconds ago.
fn faded(age: i64) -> f64 {
    let age = (age as f64).max(0.0);
    if age <= FRESH { 1.0 } else { 0.5_f64.powf((age - FRESH) / HALF_LIFE) }
}

fn words_of(failure: &Failure) -> HashSet<String> {
    failure.tasks.iter().flat_map(|task| words_in(task)).collect()
}

/// Returns the words of a text that tell something, without their endings.
fn words_in(text: &str) -> HashSet<String> {
    crate::words::plain(text)
        .take(WORDS)
        .map(|word| stem(&word.to_lowercase()).to_owned())
        .filter(|word| word.chars().count() > 1 && !SMALL_WORDS.contains(word.as_str()))
        .collect()
}

/// Takes the common endings off a word, so that "validating", "validation" and "validates" are one.
fn stem(word: &str) -> &str {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word;
    }
    for ending in [
        "ations", "ation", "ating", "ated", "ates", "ate", "ings", "ing", "ors", "or", "ers", "er", "ies",
        "es", "ed", "s", "e", "y",
    ] {
        if let Some(rest) = word.strip_suffix(ending)
            && rest.len() >= 4
        {
            return rest;
        }
    }
    word
}

/// Words that hold a sentence together, and those that every other task begins with; as stems.
const SMALL: &str = " a an the this that these those it its they them their we our you your i my me he she his her and or but \
if then else so as at by for from in into of off on onto out over per to up with without within about after again all also \
any are be been being both can could did do does done each few had has have how is just like may might more most must no not \
now only other own same should some such than too under until very was were what when where which while who whom why will \
would there here please let lets us new make use using used get set need want try sure way thing stuff fix add updat updates \
update creat create delet delete remov remove chang change implement refactor writ write run improv improve check handl \
handle support allow work task code ";

static SMALL_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| SMALL.split_ascii_whitespace().collect());

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::failures::{Entry, append, signature};

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn failure(task: &str, message: &str, days_ago: i64) -> Failure {
        Failure {
            signature: signature(task, "exception", message),
            tasks: vec![task.to_owned()],
            kind: "exception".to_owned(),
            message: message.to_owned(),
            last: NOW - days_ago * 86_400,
            ..Failure::default()
        }
    }

    fn past(failures: Vec<Failure>) -> Past {
        Past::new(Memory { failures, broken: Vec::new() }, NOW)
    }

    #[test]
    fn each_similar_failure_takes_three_tenths_and_three_count() {
        let tasks = [
            "import the customer list",
            "importing customer lists",
            "customer list importer",
            "Import customers list!",
        ];
        for (count, expected) in [(0, 1.0), (1, 0.7), (2, 0.4), (3, 0.1), (4, 0.1)] {
            let failures = tasks[..count].iter().map(|task| failure(task, "no such column", 0)).collect();
            let past = past(failures);
            let found = past.about("Fix the import of the customer list");
            assert_eq!(found.score, expected, "{count}");
            assert_eq!(found.similar.len(), count.min(3));
        }
    }

    #[test]
    fn small_words_and_words_of_every_task_are_no_likeness() {
        let subjects = [
            "invoice",
            "avatar",
            "websocket",
            "thumbnail",
            "calendar",
            "tooltip",
            "locale",
            "webhook",
            "sitemap",
            "cookie",
        ];
        let failures = (0..200)
            .map(|at| {
                failure(
                    &format!("Fix the bug in the {} of the shop and then run it", subjects[at % 10]),
                    "it failed",
                    0,
                )
            })
            .collect();
        let past = past(failures);
        let found = past.about("Fix the bug in the scheduler of the shop and then run the linter");
        assert_eq!((found.score, found.similar.len()), (1.0, 0));
    }

    #[test]
    fn what_is_fixed_is_told_and_takes_nothing() {
        let fixed = Failure { fixed: true, ..failure("import the customer list", "no such column", 0) };
        let past = past(vec![fixed]);
        let found = past.about("import the customer list again");
        assert_eq!((found.score, found.fixed.len()), (1.0, 1));
    }

    #[test]
    fn what_lies_back_fades_and_is_forgotten() {
        let score = |days| {
            past(vec![failure("import the customer list", "x", days)]).about("import the customer list").score
        };
        assert_eq!((score(0), score(7)), (0.7, 0.7));
        assert_eq!(score(37), 0.85);
        assert!(score(60) > score(37) && score(60) < 1.0);
        assert_eq!(score(120), 1.0);
        // A clock that went wrong makes nothing worse than fresh.
        assert_eq!(score(-5), 0.7);
    }

    #[test]
    fn the_same_error_is_recognised_whatever_its_numbers() {
        let past = past(vec![failure("nightly job", "no such column: customer_id in line 17", 0)]);
        let found = past.about("The export says \"no such column: customer_id in line 230\", why?");
        assert_eq!(found.score, 0.7);
        assert_eq!(past.about("The export says nothing at all, why?").score, 1.0);
    }

    #[test]
    fn a_memory_that_cannot_be_read_is_a_concern() {
        let directory = tempfile::tempdir().unwrap();
        let missing = Past::read(&directory.path().join("none"), NOW);
        assert_eq!((missing.about("x").score, missing.about("x").concern), (1.0, None));
        let past = Past::read(directory.path(), NOW);
        let found = past.about("anything");
        assert_eq!(found.score, 0.7);
        assert!(found.concern.is_some_and(|concern| concern.contains("can not be read")));
        // One broken line: what it said may have been about this task.
        let path = directory.path().join("failures.jsonl");
        let entry =
            Entry { at: "2026-01-01T00:00:00Z".to_owned(), signature: "s".to_owned(), ..Entry::default() };
        append(&path, &entry).unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        text += "oops\n";
        std::fs::write(&path, text).unwrap();
        let past = Past::read(&path, NOW);
        let found = past.about("anything");
        assert_eq!(
            (found.score, found.concern),
            (0.7, Some("the memory of failures can not be read in line 2"))
        );
    }

    proptest! {
        #[test]
        fn one_failure_more_never_makes_it_better(
            tasks in proptest::collection::vec("(import|export|parse) (the )?(customer|invoice) (list|table|file)", 1..12),
            days in proptest::collection::vec(0i64..200, 12),
            text in "(import|export|parse) (the )?(customer|invoice) (list|table|file)",
        ) {
            // Copies of the same failures: the words keep their rarity in proportion, only the number changes.
            let all: Vec<Failure> = tasks.iter().zip(&days).map(|(task, days)| failure(task, "x", *days)).collect();
            let mut fixed = all.clone();
            for failure in fixed.iter_mut().step_by(2) {
                failure.fixed = true;
            }
            let (open, fixed) = (past(all), past(fixed));
            let score = open.about(&text).score;
            prop_assert!(score <= fixed.about(&text).score);
            prop_assert!((0.1..=1.0).contains(&score));
        }
    }
}
