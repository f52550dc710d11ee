//! Which commits: `the last 5 commits`, `git log -3 -- src`, `how many commits by Ada since yesterday`.

use super::{here, lead};
use crate::local::cursor::Cursor;
use crate::local::grammar::{file, scope, slot};
use crate::local::intent::{Git, Log, Place, Since};
use crate::local::words::Token;

/// `the last 5 commits`, `what was the last commit`.
pub(super) fn last_commit(cursor: &mut Cursor) -> Option<Git> {
    if !lead(cursor) {
        cursor.eat("what was|were");
    }
    cursor.eat("our|my");
    let mut log = Log::default();
    if let Some(count) = slot::number(cursor) {
        cursor.eat("last|latest|recent|newest|previous|most recent?").then_some(())?;
        log.count = Some(count);
    } else {
        cursor.eat_any(&["most recent", "last|latest|newest|recent|previous"]).then_some(())?;
        log.count = slot::number(cursor);
    }
    cursor.eat("git");
    if cursor.eat("commits") {
        log.count = log.count.or(Some(10));
    } else {
        cursor.eat("commit").then_some(())?;
        (log.count.unwrap_or(1) == 1).then_some(())?;
        log.count = Some(1);
        if cursor.eat("message|subject|hash|sha|id|author|date") {
            here(cursor);
            return Some(Git::Log(log));
        }
    }
    commits_tail(cursor, &mut log)?;
    Some(Git::Log(log))
}

/// `git log -5 --oneline`, `the commit history of src/lib.rs`, `list the commits by Ada since yesterday`.
pub(super) fn log(cursor: &mut Cursor) -> Option<Git> {
    let mut log = Log::default();
    lead(cursor);
    cursor.eat("all|our|full|recent");
    let asked =
        cursor.eat_any(&["git log|history", "git|commit log|logs|history", "history", "log", "commits"]);
    asked.then_some(())?;
    while cursor.attempt(|cursor| log_option(cursor, &mut log)).is_some() {}
    commits_tail(cursor, &mut log)?;
    Some(Git::Log(log))
}

pub(super) fn count_commits(cursor: &mut Cursor) -> Option<Git> {
    file::counting(cursor).then_some(())?;
    cursor.eat("all|git");
    cursor.eat("commit|commits").then_some(())?;
    let mut log = Log::default();
    loop {
        if cursor.eat_any(&["did|does|do|has|have"]) {
            log.author = Some(author(cursor)?);
            cursor.eat_any(&["make|made|write|author|have|has"]);
        } else if !scope::existence(cursor) {
            break;
        }
    }
    commits_tail(cursor, &mut log)?;
    while scope::existence(cursor) {}
    Some(Git::CountCommits(log))
}

/// Eats an option of `git log` that only chooses commits. Any other stays, and is what a refusal names.
fn log_option(cursor: &mut Cursor, log: &mut Log) -> Option<()> {
    let option = cursor.eat_map(|token| match token {
        Token::Word { raw, .. } if raw.starts_with('-') => Some(raw.clone()),
        _ => None,
    })?;
    match option.as_str() {
        "--oneline" => {}
        "-n" => log.count = Some(slot::number(cursor)?),
        "--" => {
            log.paths.push(slot::sure_place(cursor)?);
            while let Some(place) = slot::sure_place(cursor) {
                log.paths.push(place);
            }
        }
        _ if value_option(&option, log) => {}
        _ => {
            let digits =
                ["--max-count=", "-n", "-"].into_iter().find_map(|prefix| option.strip_prefix(prefix))?;
            log.count = Some(digits.parse().ok().filter(|count| (1..=100_000).contains(count))?);
        }
    }
    Some(())
}

/// Takes `--author=x`, `--grep=x` or `--since=x`, if x is plain.
fn value_option(option: &str, log: &mut Log) -> bool {
    let Some((name, value)) = option.split_once('=') else { return false };
    let plain = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "@._-".contains(c));
    match name {
        _ if !plain => return false,
        "--author" => log.author = Some(value.to_owned()),
        "--grep" => log.message = Some(value.to_owned()),
        "--since" | "--after" => match value {
            "yesterday" => log.since = Some(Since::Date("yesterday.midnight".to_owned())),
            "today" | "midnight" => log.since = Some(Since::Date("midnight".to_owned())),
            _ if slot::is_date(value) => log.since = Some(Since::Date(value.to_owned())),
            _ => return false,
        },
        _ => return false,
    }
    true
}

/// Eats what limits commits: paths, authors, dates, revisions, messages. Fails on a limit that it cannot keep.
fn commits_tail(cursor: &mut Cursor, log: &mut Log) -> Option<()> {
    loop {
        if scope::whole(cursor) {
            continue;
        }
        if cursor.eat_any(&["by|from author|user?", "authored|made|written by", "of author"]) {
            if log.since.is_none()
                && let Some(date) = slot::date(cursor)
            {
                log.since = Some(Since::Date(date));
                continue;
            }
            log.author = Some(author(cursor)?);
        } else if cursor.eat_any(&["since|after", "made|done? since|after"]) {
            log.since = Some(match slot::date(cursor) {
                Some(date) => Since::Date(date),
                None => Since::Revision(slot::revision(cursor)?),
            });
        } else if let Some(date) = cursor.attempt(|cursor| {
            cursor.eat_any(&["of|from|in|over|during|within|made"]);
            slot::date(cursor)
        }) {
            // `yesterday` alone would need an end too.
            (date != "yesterday.midnight").then_some(())?;
            log.since = Some(Since::Date(date));
        } else if cursor.eat_any(&[
            "touching|affecting|changing|modifying",
            "that|which touch|touched|affect|affected|change|changed|modify|modified",
            "to|for|of|in|on file",
        ]) {
            log.paths.extend(scope::places(cursor)?.into_iter().map(|place| Place { sure: true, ..place }));
        } else if cursor.eat_any(&["on|in|of|from branch", "on"]) {
            let revision = slot::revision(cursor)?;
            cursor.eat("branch");
            log.revision = Some(revision);
        } else if cursor.eat_any(&[
            "mentioning|containing",
            "that mention|contain",
            "whose message contains|mentions",
            "with message containing",
        ]) {
            let pattern =
                slot::pattern(cursor, crate::local::intent::PatternKind::Literal, slot::Plain::Any)?;
            let [text] = pattern.texts.as_slice() else { return None };
            log.message = Some(text.clone());
        } else if cursor.eat_any(&["to|for|of|in under|inside?"]) {
            log.paths.extend(scope::places(cursor)?);
        } else if log.paths.is_empty()
            && let Some(place) = slot::sure_place(cursor)
        {
            log.paths.push(place);
        } else if cursor.eat("-p|--patch|--stat") {
            return None;
        } else {
            return Some(());
        }
    }
}

/// Eats a person's name: one quoted text, or one or two words that are written like a name.
fn author(cursor: &mut Cursor) -> Option<String> {
    let word = |token: &Token| match token {
        Token::Quoted(text) => Some((text.clone(), true)),
        Token::Word { raw, article: false, .. }
            if raw.chars().all(|c| c.is_alphanumeric() || "@._-+".contains(c)) && !raw.starts_with('-') =>
        {
            Some((raw.clone(), false))
        }
        _ => None,
    };
    let (mut name, quoted) = cursor.eat_map(word)?;
    let capital = |text: &str| text.starts_with(char::is_uppercase);
    if !quoted
        && capital(&name)
        && let Some(more) = cursor.eat_map(|token| match token {
            Token::Word { raw, article: false, .. }
                if capital(raw) && raw.chars().all(char::is_alphabetic) =>
            {
                Some(raw.clone())
            }
            _ => None,
        })
    {
        name = format!("{name} {more}");
    }
    (!matches!(name.to_lowercase().as_str(), "me" | "us" | "anyone" | "everyone" | "all" | "date" | "hand"))
        .then_some(name)
}
