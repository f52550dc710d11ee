//! Do the files, lines and symbols that the answer cites exist where the work was done?
//!
//! A model that makes up a file makes up the rest too, so a cited file that is not there is hard evidence. What the
//! answer says is missing, deleted, or only proposes to create does not have to exist, and does not count for it.

use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use crate::attempt::{Attempt, Kind};
use crate::citation::Citation;
use crate::observation::{Observation, Standing, worst};
use crate::place::Found;

/// How far from the cited line a symbol may be. Answers cite the head of a function and speak of its body.
const NEAR: u64 = 12;

/// The answer says itself that the file is not there (any more).
static ABSENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:(?:does|do|did|has|have|is|was|are|were|could|can) ?(?:not|n't)\b|doesn't|don't|didn't|isn't|wasn't|aren't|cannot|can't|no (?:such|file|longer)|there (?:is|are|was|were) no|not found|missing|absent|without|lacks?|nonexistent|deleted|removed|renamed|moved from|replaced)\b",
    )
    .unwrap()
});

/// The answer proposes a file. The past tense is no proposal: what was created has to be there.
static PROPOSED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:should|could|would|might|can|to) (?:be )?(?:create|add|move|extract|split|live|introduce|put|write|place)[ds]?\b|\b(?:create|consider|suggest|recommend|propose|introduce|extract(?:ing)? (?:\w+ )*(?:in)?to|move (?:\w+ )*(?:in)?to|split (?:\w+ )*into|for example|e\.g\.|such as|imagine|if you|you (?:can|could|may))\b|^\W*(?:add|adding|create)\b",
    )
    .unwrap()
});

/// Looks up everything that is cited.
pub(crate) fn check(attempt: &Attempt<'_>) -> Observation {
    const NAME: &str = "grounded";
    if attempt.is_factual() {
        return Observation::new(NAME, Standing::Skipped, "no model was asked");
    }
    if attempt.kind.is_object() {
        return Observation::new(
            NAME,
            Standing::Skipped,
            "its contract says which of its places have to exist",
        );
    }
    let citations = attempt.citations();
    if !citations.iter().any(|citation| citation.certain) && citations.is_empty() {
        return Observation::new(NAME, Standing::Skipped, "no file is cited");
    }
    if !attempt.place.exists() {
        let detail = format!("`{}` is not there any more", attempt.place.root().display());
        return Observation::new(NAME, Standing::Missing, detail);
    }
    let mut found = Vec::new();
    let mut evidence = 0usize;
    let mut seen = Vec::new();
    for citation in citations {
        match look_up(attempt, citation) {
            Seen::Wrong(standing, detail) => {
                if !found.contains(&(standing, detail.clone())) {
                    found.push((standing, detail));
                }
            }
            Seen::There => {
                if !seen.contains(&&citation.path) {
                    seen.push(&citation.path);
                }
                // What the task named already shows nothing; a line that exists does.
                let named = attempt.task.text.contains(&citation.path);
                evidence += usize::from(!named || citation.lines.is_some());
            }
            Seen::Nothing => {}
        }
    }
    if attempt.kind == Kind::Explore && !seen.is_empty() && !to_the_point(attempt) {
        let detail = "none of the cited places contains what the task asks about";
        found.push((Standing::Missing, detail.to_owned()));
    }
    let there = match seen.as_slice() {
        [] => "no file is cited that has to exist".to_owned(),
        [one] => format!("`{one}` is there, as cited"),
        [one, two] => format!("`{one}` and `{two}` are there, as cited"),
        [one, ..] => format!("`{one}` and {} more are there, as cited", seen.len() - 1),
    };
    let standing = match (seen.is_empty(), evidence) {
        (true, _) => Standing::Skipped,
        // That a writer names the files it wrote is no sign that what is in them is right.
        (false, 1..) if !attempt.kind.writes() => Standing::Supporting,
        (false, _) => Standing::Clean,
    };
    let clean = (standing, there);
    worst(NAME, found, clean)
}

/// Returns how many different files the answer cites that exist.
pub(crate) fn existing(attempt: &Attempt<'_>) -> usize {
    let mut paths: Vec<&str> = attempt
        .citations()
        .iter()
        .filter(|citation| !matches!(attempt.place.find(&citation.path), Found::Nothing | Found::Outside))
        .map(|citation| citation.path.as_str())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths.len()
}

enum Seen {
    There,
    Nothing,
    Wrong(Standing, String),
}

fn look_up(attempt: &Attempt<'_>, citation: &Citation) -> Seen {
    let path = citation.path.as_str();
    let found = match (attempt.place.find(path), path.split_at_checked(2)) {
        // `a/` and `b/` are how diffs name the two sides.
        (Found::Nothing, Some(("a/" | "b/", rest))) => attempt.place.find(rest),
        (found, _) => found,
    };
    match found {
        Found::Files(files) => check_lines(attempt, citation, &files),
        Found::Directory => Seen::There,
        Found::Outside if citation.certain && !attempt.task.text.contains(path) => {
            Seen::Wrong(Standing::Doubt, format!("`{path}` is not inside the work, so nobody looked"))
        }
        Found::Outside => Seen::Nothing,
        Found::Nothing => missing(attempt, citation),
    }
}

fn missing(attempt: &Attempt<'_>, citation: &Citation) -> Seen {
    let path = citation.path.as_str();
    let proposes = attempt.kind != Kind::Explore && attempt.kind != Kind::Validate;
    let excused = !citation.certain
        || attempt.changed(path)
        // The user named it; whether it is there is not the answer's doing.
        || attempt.task.text.contains(path)
        || ABSENT.is_match(&citation.context)
        || (proposes && PROPOSED.is_match(&citation.context));
    if excused {
        return Seen::Nothing;
    }
    // A directory that is not there may be a route or a prefix; no evidence, but no lie either.
    let directory = path.ends_with('/');
    // A bare name may be a file of a library or a build; only where finding files is the task it has to be here.
    let here = path.contains('/') || citation.lines.is_some() || attempt.kind == Kind::Explore;
    let standing = if here && !directory { Standing::Hard } else { Standing::Doubt };
    Seen::Wrong(standing, format!("`{path}` does not exist"))
}

fn check_lines(attempt: &Attempt<'_>, citation: &Citation, files: &[PathBuf]) -> Seen {
    let path = citation.path.as_str();
    let declared = declared_before(citation);
    if citation.lines.is_none() && declared.is_none() {
        return Seen::There;
    }
    let texts: Vec<String> = files.iter().filter_map(|file| attempt.place.read(file)).collect();
    if texts.is_empty() {
        return Seen::There;
    }
    let Some((first, last)) = citation.lines else {
        return match declared {
            Some(name) if !texts.iter().any(|text| holds(text, &name)) => {
                Seen::Wrong(Standing::Hard, format!("`{name}` is said to be in `{path}`, but is not"))
            }
            _ => Seen::There,
        };
    };
    let longest = texts.iter().map(|text| text.lines().count() as u64).max().unwrap_or(0);
    if first == 0 || last > longest {
        let cited = if first == last { first.to_string() } else { format!("{first}-{last}") };
        let detail = format!("`{path}:{cited}` is cited, but the file has {longest} lines");
        return Seen::Wrong(Standing::Hard, detail);
    }
    let stated = match &citation.content {
        Some(content) => vec![content.clone()],
        None => {
            let beside = symbols_beside(citation);
            if beside.is_empty() { declared.into_iter().collect() } else { beside }
        }
    };
    if stated.is_empty() {
        return Seen::There;
    }
    let near = |text: &str, snippet: &str| {
        let before = first.saturating_sub(NEAR + 1);
        let window: Vec<&str> = text.lines().take((last + NEAR) as usize).skip(before as usize).collect();
        holds(&window.join("\n"), snippet)
    };
    if texts.iter().any(|text| stated.iter().any(|snippet| near(text, snippet))) {
        return Seen::There;
    }
    let shown = super::shown(&stated[0]);
    if texts.iter().any(|text| stated.iter().any(|snippet| holds(text, snippet))) {
        return Seen::Wrong(Standing::Small, format!("`{shown}` is in `{path}`, but not near line {first}"));
    }
    // A name that is nowhere in the file is made up; longer code may be shortened or put in other words.
    let name = stated.iter().any(|s| is_name(s)) || citation.content.is_some();
    let standing = if name { Standing::Hard } else { Standing::Small };
    Seen::Wrong(standing, format!("`{shown}` is cited at `{path}:{first}`, but is not in the file"))
}

/// Returns the name of which is said, without quotation, that it is where the citation points to: `f is defined in`.
fn declared_before(citation: &Citation) -> Option<String> {
    static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)(?:^|[.!:]\s+|\b(?i:function|method|class|struct|enum|trait|interface|type|macro|constant|variable|symbol|fn|def)\s+)[-*\s]*
               ([A-Za-z_][\w:]*(?:\(\))?)\s+(?:(?:function|method|class|struct)\s+)?
               (?:(?:is|lives|sits)\s+)?(?:(?:defined|declared|implemented|located|found)\s+)?(?:in|at|on)\s+(?:the\s+file\s+)?[`"*\[]*(?:lines?\s+\d+\s+of\s+[`"*\[]*)?$"#,
        )
        .unwrap()
    });
    let lead = citation.context.get(..citation.at)?;
    let found = DECLARED.captures(lead)?;
    let name = found.get(1)?.as_str();
    let said = found.get(0)?.as_str();
    let told = ["defined", "declared", "implemented", "located"].iter().any(|word| said.contains(word));
    let code = is_code(name);
    // A word that begins a sentence with a capital, or one of everyday speech, is no name.
    let everyday = ["it", "this", "that", "which", "they", "is", "are", "code", "one", "there", "and"];
    let plain = name.chars().all(|c| c.is_ascii_lowercase()) && name.len() > 2 && !everyday.contains(&name);
    (code || (told && plain)).then(|| name.to_owned())
}

/// Tells whether a word can only be a name in a program: `a_b`, `aB`, `A::b`, `f()`.
fn is_code(word: &str) -> bool {
    let inner = word.trim_matches('_');
    let camel = inner.chars().zip(inner.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    inner.len() > 2 && (inner.contains('_') || inner.contains("::") || inner.ends_with("()") || camel)
}

/// Returns what the task asks about by name: what it quotes, what can only be a name in a program, and what it
/// says is a function, a class or the like. Files are looked up as such.
fn asked_about(task: &str) -> Vec<String> {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"`([^`\n]{2,80})`|"([^"\n]{2,80})"|“([^”\n]{2,80})”"#).unwrap());
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x)\b(?:function|method|class|struct|enum|trait|macro|constant|variable|symbol)\s+([A-Za-z_]\w{2,})\b
            | \b(?i:where\s+is)\s+([A-Za-z_]\w{2,})\s+(?:defined|declared|implemented)\b",
        )
        .unwrap()
    });
    const NO_NAMES: [&str; 16] = [
        "the",
        "that",
        "which",
        "named",
        "called",
        "for",
        "and",
        "with",
        "defined",
        "definition",
        "names",
        "does",
        "hierarchy",
        "used",
        "signatures",
        "is",
    ];
    let file = |word: &str| {
        word.contains('/')
            || word.rsplit_once('.').is_some_and(|(_, end)| !end.is_empty() && !end.contains('('))
    };
    let mut asked: Vec<String> = Vec::new();
    let quoted =
        QUOTED.captures_iter(task).filter_map(|found| Some(found.iter().skip(1).flatten().next()?.as_str()));
    asked.extend(quoted.filter(|word| !file(word)).map(str::to_owned));
    let named =
        NAMED.captures_iter(task).filter_map(|found| Some(found.iter().skip(1).flatten().next()?.as_str()));
    asked.extend(named.filter(|word| !NO_NAMES.contains(word)).map(str::to_owned));
    let words = task
        .split(|c: char| c.is_whitespace() || ",;?!`\"'".contains(c))
        .map(|word| word.trim_matches(['.', ':']));
    asked.extend(words.filter(|word| is_code(word) && !file(word)).map(str::to_owned));
    asked
}

/// Tells whether one of the cited places has to do with what the task asks about by name; true if it names nothing.
fn to_the_point(attempt: &Attempt<'_>) -> bool {
    let asked = asked_about(&attempt.task.text);
    let in_place = |citation: &Citation| {
        let Found::Files(files) = attempt.place.find(&citation.path) else { return false };
        let lower = citation.path.to_lowercase();
        files.iter().filter_map(|file| attempt.place.read(file)).any(|text| {
            let shown = match citation.lines {
                None => text,
                Some((first, last)) => {
                    let before = first.saturating_sub(NEAR + 1) as usize;
                    let until = last.saturating_add(NEAR).min(text.lines().count() as u64) as usize;
                    text.lines().take(until).skip(before).collect::<Vec<_>>().join("\n")
                }
            };
            asked.iter().any(|name| holds(&shown, name) || lower.contains(&name.to_lowercase()))
        })
    };
    asked.is_empty() || attempt.citations().iter().any(in_place)
}

/// Returns the code that stands directly beside a citation and is said to be there: `` `f` (src/a.rs:3) `` or
/// `` src/a.rs:3: `f` ``. Code behind "use", "replace with" or a dash is what should be there instead.
fn symbols_beside(citation: &Citation) -> Vec<String> {
    static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`([^`]+)`").unwrap());
    static INSTEAD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)—|–| -{1,2} |->|→|\b(?:use|using|with|replace|should|instead|add|rename|wrap|prefer|consider|fix|suggest\w*|missing|lacks?|no|not|never|without|to|like|via|by|from|than|calls?|uses?)\b").unwrap()
    });
    let path_end = citation.at + citation.path.len();
    let mut found = Vec::new();
    for code in CODE.captures_iter(&citation.context) {
        let (Some(whole), Some(inner)) = (code.get(0), code.get(1)) else { continue };
        let snippet = inner.as_str().trim();
        let own = whole.start() <= citation.at && citation.at < whole.end();
        if own || !snippet.chars().any(char::is_alphabetic) || snippet.len() < 3 || snippet.contains('/') {
            continue;
        }
        let between = match whole.start() >= path_end {
            true => &citation.context[path_end..whole.start()],
            false => citation.context.get(whole.end()..citation.at).unwrap_or_default(),
        };
        let lead = &citation.context[..whole.start().min(citation.at)];
        // The backquote that opens the citation itself may stand between, but no other code.
        let near = between.len() <= 40 && between.matches('`').count() <= 1;
        if near
            && !INSTEAD.is_match(between)
            && (whole.start() >= path_end || !ends_in_instead(lead, &INSTEAD))
        {
            found.push(snippet.to_owned());
        }
    }
    found
}

fn ends_in_instead(lead: &str, instead: &Regex) -> bool {
    let last = lead.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    instead.is_match(last)
}

/// Tells whether a text contains a snippet, whatever the white space; a name counts only as a whole word.
fn holds(text: &str, snippet: &str) -> bool {
    if is_name(snippet) {
        let name = snippet.trim_end_matches("()").trim_end_matches(['(', '!']);
        let last = name.rsplit(['.', ':']).next().unwrap_or(name);
        return [name, last].iter().any(|name| {
            text.match_indices(*name).any(|(at, _)| {
                let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !part(text[..at].chars().next_back()) && !part(text[at + name.len()..].chars().next())
            })
        });
    }
    let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let wanted = squeezed(snippet.trim_end_matches(['…', '.', '{', ' ', ';']));
    squeezed(text).contains(&wanted)
}

fn is_name(snippet: &str) -> bool {
    let name = snippet.trim_end_matches("()").trim_end_matches(['(', '!']);
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_whole_words_and_code_whatever_its_spaces() {
        assert!(holds("fn parse(x: u8) {", "parse"));
        assert!(holds("fn parse(x: u8) {", "parse()"));
        assert!(holds("impl A {\n fn parse() {}", "A::parse"));
        assert!(!holds("fn parse_all()", "parse"));
        assert!(holds("fn  parse(\n  x: u8) {", "fn parse(x: u8)"));
        assert!(!holds("fn parse(x: u8) {", "fn parse(y: u8)"));
    }

    #[test]
    fn what_a_task_names_is_found() {
        assert_eq!(asked_about("where is `run` defined"), ["run"]);
        assert_eq!(asked_about("where is the function run defined?"), ["run"]);
        assert_eq!(asked_about("where is frob defined"), ["frob"]);
        assert_eq!(asked_about("who calls parse_duration?"), ["parse_duration"]);
        for nothing in [
            "find the entry point",
            "what does `src/lib.rs` do",
            "where are durations parsed",
            "find the function that splits",
        ] {
            assert_eq!(asked_about(nothing), [] as [&str; 0], "{nothing}");
        }
    }

    #[test]
    fn a_name_without_quotation_is_held_against_its_place() {
        let declared = |line: &str| {
            let mut all = Vec::new();
            crate::citation::in_line(line, &mut all);
            declared_before(&all[0])
        };
        assert_eq!(declared("frob is defined in src/a.rs on line 3").as_deref(), Some("frob"));
        assert_eq!(declared("The function help_it() in src/a.rs does it").as_deref(), Some("help_it()"));
        assert_eq!(declared("Parsing is defined in src/a.rs:3"), None);
        assert_eq!(declared("The parser is defined in src/a.rs:3"), None);
    }

    #[test]
    fn only_code_beside_the_citation_is_held_against_the_file() {
        let stated = |line: &str| {
            let mut all = Vec::new();
            crate::citation::in_line(line, &mut all);
            symbols_beside(&all[0])
        };
        assert_eq!(stated("`load` is in `src/a.rs:3`"), ["load"]);
        assert_eq!(stated("- `src/a.rs:3` — `load`"), [] as [&str; 0]);
        assert_eq!(stated("- `src/a.rs:3`: `load()` panics"), ["load()"]);
        assert_eq!(stated("- src/a.rs:3 unwrap panics; use `ok_or` instead"), [] as [&str; 0]);
        assert_eq!(stated("`fn load()` (src/a.rs:3)"), ["fn load()"]);
    }
}
