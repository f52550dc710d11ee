//! Rules about what git knows: status, commits, differences, branches, who and when.

use super::{Rule, file, scope, slot};
use crate::local::intent::{Changed, Diff, DiffShow, Git, Intent, Log, Place, Since};
use crate::local::words::Cursor;

pub(super) const RULES: &[Rule] = &[
    |cursor| status(cursor).map(Intent::Git),
    |cursor| clean(cursor).map(Intent::Git),
    |cursor| changed(cursor).map(Intent::Git),
    |cursor| last_commit(cursor).map(Intent::Git),
    |cursor| log(cursor).map(Intent::Git),
    |cursor| count_commits(cursor).map(Intent::Git),
    |cursor| diff(cursor).map(Intent::Git),
    |cursor| changes_since(cursor).map(Intent::Git),
    |cursor| show(cursor).map(Intent::Git),
    |cursor| branch(cursor).map(Intent::Git),
    |cursor| branches_and_tags(cursor).map(Intent::Git),
    |cursor| last_change(cursor).map(Intent::Git),
    |cursor| blame(cursor).map(Intent::Git),
    |cursor| authors(cursor).map(Intent::Git),
    |cursor| tracked(cursor).map(Intent::Git),
];

/// Eats a verb that asks to see something, or nothing.
fn lead(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&[
        "show|give|get|tell me|us?",
        "list|print|display|find|check|run|view|see me?",
        "what is|are",
        "which is|are",
        "look at",
    ])
}

/// Eats the repository as a place, if it is there.
fn here(cursor: &mut Cursor) {
    while scope::whole(cursor) || cursor.eat_any(&["currently", "of|in git", "in git"]) {}
}

/// Eats an option of a command line, such as `--stat`.
fn option(cursor: &mut Cursor, names: &[&str]) -> bool {
    cursor.eat_map(|token| token.lower().filter(|word| names.contains(word)).map(|_| ())).is_some()
}

fn status(cursor: &mut Cursor) -> Option<Git> {
    lead(cursor);
    cursor.eat("current");
    cursor
        .eat_any(&[
            "git status",
            "status of git",
            "git repo|repository|working|worktree? tree? status",
            "status of working tree|directory|copy",
            "repo|repository status",
            "status of this|our? repo|repository",
            "working tree|directory status",
        ])
        .then_some(())?;
    while option(cursor, &["-s", "--short", "-sb", "--porcelain", "-b", "--branch"]) {}
    here(cursor);
    Some(Git::Status)
}

fn clean(cursor: &mut Cursor) -> Option<Git> {
    cursor.eat_any(&["check|see|tell|verify me? if|whether|that"]);
    const TREE: &[&str] =
        &["git? working tree|directory|copy", "git? tree|worktree|checkout|repo|repository|workspace"];
    if cursor.eat("is") {
        cursor.eat("my|our|this");
        cursor.eat_any(TREE).then_some(())?;
        cursor.eat("clean|dirty").then_some(())?;
    } else if cursor.eat_any(&["are|is there any?", "do|does we|i|you have any?", "there are|is any|no?"]) {
        cursor
            .eat_any(&[
                "uncommitted|unstaged|pending|local changes|modifications|files",
                "modifications",
                "anything uncommitted",
            ])
            .then_some(())?;
    } else {
        cursor.eat("my|our|this");
        cursor.eat_any(TREE).then_some(())?;
        cursor.eat("is clean|dirty").then_some(())?;
    }
    here(cursor);
    Some(Git::Clean)
}

fn changed(cursor: &mut Cursor) -> Option<Git> {
    file::lead(cursor).then_some(())?;
    cursor.eat("all|every|any|names");
    cursor.eat("of");
    let state = |cursor: &mut Cursor| {
        cursor.eat_map(|token| match token.lower()? {
            "changed" | "uncommitted" | "dirty" => Some(Changed::Any),
            "modified" => Some(Changed::Modified),
            "staged" => Some(Changed::Staged),
            "untracked" => Some(Changed::Untracked),
            "deleted" => Some(Changed::Deleted),
            "conflicted" | "conflicting" | "unmerged" => Some(Changed::Conflicted),
            _ => None,
        })
    };
    let what = match state(cursor) {
        Some(what) => {
            cursor.eat("file|files").then_some(())?;
            what
        }
        None => {
            cursor.eat("file|files").then_some(())?;
            if cursor.eat_any(&["with|in merge? conflicts", "have|has merge? conflicts"]) {
                Changed::Conflicted
            } else {
                cursor.eat("that|which");
                cursor.eat_any(&["are|is|were currently?", "have|has been", "did i|we"]);
                let what = state(cursor).or_else(|| cursor.eat("change").then_some(Changed::Any))?;
                cursor.eat_any(&["but|and not committed", "in working tree|directory", "locally"]);
                what
            }
        }
    };
    here(cursor);
    Some(Git::Changed(what))
}

/// `the last 5 commits`, `what was the last commit`.
fn last_commit(cursor: &mut Cursor) -> Option<Git> {
    if !lead(cursor) {
        cursor.eat_any(&["what was|were", "summarize|summarise nothing"]);
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
fn log(cursor: &mut Cursor) -> Option<Git> {
    let mut log = Log::default();
    lead(cursor);
    cursor.eat("all|our|full|recent");
    let asked =
        cursor.eat_any(&["git log|history", "git|commit log|logs|history", "history", "log", "commits"]);
    asked.then_some(())?;
    while let Some(known) = cursor.attempt(|cursor| log_option(cursor, &mut log)) {
        known?;
    }
    commits_tail(cursor, &mut log)?;
    Some(Git::Log(log))
}

/// Eats an option of `git log`. `Some(None)` is one that is known but malformed.
fn log_option(cursor: &mut Cursor, log: &mut Log) -> Option<Option<()>> {
    let option =
        cursor.eat_map(|token| token.lower().filter(|word| word.starts_with('-')).map(str::to_owned))?;
    Some(match option.as_str() {
        "--oneline" | "--no-merges" if option == "--oneline" => Some(()),
        "-n" => {
            log.count = slot::number(cursor);
            log.count.map(|_| ())
        }
        "--" => {
            while let Some(place) = slot::sure_place(cursor) {
                log.paths.push(place);
            }
            (!log.paths.is_empty()).then_some(())
        }
        _ => {
            let digits = option.strip_prefix("-n").or_else(|| option.strip_prefix('-')).unwrap_or_default();
            let digits = option.strip_prefix("--max-count=").unwrap_or(digits);
            log.count = digits.parse().ok().filter(|count| (1..=100_000).contains(count));
            log.count.map(|_| ())
        }
    })
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
    use crate::local::words::Token;
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

fn count_commits(cursor: &mut Cursor) -> Option<Git> {
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

fn diff(cursor: &mut Cursor) -> Option<Git> {
    lead(cursor);
    let mut what = None;
    let mut show = DiffShow::Patch;
    let mut paths = Vec::new();
    if cursor.eat("uncommitted|local|current|working|pending all?") {
        what = Some(Diff::Uncommitted);
        cursor.eat_any(&["tree|directory changes|diff", "changes|diff|modifications"]).then_some(())?;
    } else if cursor.eat("unstaged") {
        what = Some(Diff::Unstaged);
        cursor.eat("changes|diff").then_some(())?;
    } else if cursor.eat("staged") {
        what = Some(Diff::Staged);
        cursor.eat("changes|diff").then_some(())?;
    } else {
        cursor.eat("git");
        cursor.eat_any(&["diff|diffs", "difference|differences"]).then_some(())?;
        if cursor.eat("stat|stats|summary") {
            show = DiffShow::Stat;
        }
    }
    loop {
        if option(cursor, &["--stat"]) {
            show = DiffShow::Stat;
        } else if option(cursor, &["--name-only"]) {
            show = DiffShow::Names;
        } else if what.is_none() && option(cursor, &["--cached", "--staged"]) {
            what = Some(Diff::Staged);
        } else if option(cursor, &["--"]) {
            paths = slot::files(cursor)?;
        } else if what.is_none() && cursor.eat_any(&["of staged changes", "of what is staged", "of index"]) {
            what = Some(Diff::Staged);
        } else if what.is_none()
            && cursor.eat_any(&["of uncommitted|local changes", "of working tree|directory"])
        {
            what = Some(Diff::Uncommitted);
        } else if what.is_none()
            && let Some((from, to)) = slot::revisions(cursor)
        {
            what = Some(Diff::Between(from, to));
        } else if what.is_none() && cursor.eat("to|against|with|from|since|vs|versus") {
            what = Some(Diff::Since(slot::revision(cursor)?));
        } else if cursor.eat("of|in|for|to|under") {
            paths.extend(scope::places(cursor)?);
        } else if scope::whole(cursor) {
        } else if paths.is_empty()
            && let Some(place) = slot::sure_place(cursor)
        {
            paths.push(place);
        } else if what.is_none()
            && let Some(revision) = slot::revision(cursor)
        {
            what = Some(Diff::Since(revision));
        } else {
            break;
        }
    }
    Some(Git::Diff { what: what.unwrap_or(Diff::Unstaged), paths, show })
}

/// `what changed since v1.0`, `which files changed between main and HEAD`.
fn changes_since(cursor: &mut Cursor) -> Option<Git> {
    let show = if cursor.eat_any(&["list|show|find|get me? all? files", "which|what files", "what are files"])
    {
        cursor.eat("that|which");
        cursor.eat_any(&["have|has|were|was been?"]);
        DiffShow::Names
    } else {
        cursor.eat_any(&["show|tell me? what", "what"]).then_some(())?;
        cursor.eat("has|have");
        DiffShow::Stat
    };
    cursor.eat("changed|differ|differs|modified|touched").then_some(())?;
    let mut paths = Vec::new();
    let mut what = None;
    loop {
        if what.is_none() && cursor.eat_any(&["in|by last|latest|most|previous recent? commit", "in|by head"])
        {
            return Some(Git::Show { revision: "HEAD".to_owned(), show });
        } else if what.is_none() && cursor.eat("in|by commit") {
            return Some(Git::Show { revision: slot::revision(cursor)?, show });
        } else if what.is_none()
            && let Some((from, to)) = slot::revisions(cursor)
        {
            what = Some(Diff::Between(from, to));
        } else if what.is_none() && cursor.eat_any(&["since last commit", "since head"]) {
            what = Some(Diff::Uncommitted);
        } else if what.is_none() && cursor.eat_any(&["since|against|from", "compared to|with", "relative to"])
        {
            what = Some(Diff::Since(slot::revision(cursor)?));
        } else if cursor.eat("in|under") {
            paths.extend(scope::places(cursor)?);
        } else {
            break;
        }
    }
    Some(Git::Diff { what: what?, paths, show })
}

fn show(cursor: &mut Cursor) -> Option<Git> {
    let mut show = DiffShow::Patch;
    if cursor.eat_any(&["run? git show"]) {
        while option(cursor, &["--stat"]) {
            show = DiffShow::Stat;
        }
        let revision = if cursor.peek().is_none() { "HEAD".to_owned() } else { slot::revision(cursor)? };
        return Some(Git::Show { revision, show });
    }
    lead(cursor).then_some(())?;
    if cursor.eat_any(&[
        "diff|changes|patch of|in last|latest|most recent? commit",
        "last|latest commit diff|changes|patch",
    ]) {
        return Some(Git::Show { revision: "HEAD".to_owned(), show });
    }
    cursor.eat_any(&["diff|changes|patch of|in"]);
    cursor.eat("commit").then_some(())?;
    Some(Git::Show { revision: slot::revision(cursor)?, show })
}

fn branch(cursor: &mut Cursor) -> Option<Git> {
    if cursor.eat_any(&[
        "which|what git? branch am|are|is i|we|you|this|it on|in|using?",
        "on which|what branch am|are i|we",
        "which|what branch is checked|active|current out?",
    ]) {
        cursor.eat("currently");
        return Some(Git::Branch);
    }
    if cursor.eat_any(&["which|what commit am|are i|we on|at", "which|what commit is checked out"]) {
        return Some(Git::Head);
    }
    lead(cursor);
    cursor.eat("name of");
    if cursor.eat_any(&[
        "current|active|checked-out git? branch name?",
        "branch name",
        "git branch --show-current",
    ]) {
        here(cursor);
        return Some(Git::Branch);
    }
    cursor.eat("name|hash|sha|id of");
    cursor
        .eat_any(&["current|head commit|revision hash|sha|id?", "head", "commit hash|sha|id of head"])
        .then_some(())?;
    here(cursor);
    Some(Git::Head)
}

fn branches_and_tags(cursor: &mut Cursor) -> Option<Git> {
    let count = file::counting(cursor);
    if !count && !lead(cursor) {
        cursor.eat("which|what");
    }
    cursor.eat("all|our");
    let latest = cursor.eat_any(&["most recent", "latest|last|newest"]);
    cursor.eat("git");
    let remote = cursor.eat("remote");
    let local = !remote && cursor.eat("local");
    let git = if !latest && cursor.eat("branches") {
        Git::Branches { remote, count }
    } else if !remote && !local && !latest && cursor.eat("tags") {
        Git::Tags { latest: false, count }
    } else if latest && !remote && !local && cursor.eat("tag") {
        Git::Tags { latest: true, count: false }
    } else {
        return None;
    };
    while scope::existence(cursor) || scope::whole(cursor) {}
    Some(git)
}

/// `who last changed src/lib.rs`, `when was build.rs last modified`.
fn last_change(cursor: &mut Cursor) -> Option<Git> {
    const CHANGED: &str = "changed|modified|edited|touched|updated";
    if cursor.eat("who") {
        cursor.eat_any(&["was last|latest", "last|recently|most recently?"]).then_some(())?;
        if cursor.eat_any(&["one|person who|to", "to"]) {
            cursor.eat("last");
        }
        cursor.eat_any(&[CHANGED, "change|modify|edit|touch|update", "committed to"]).then_some(())?;
        return Some(Git::LastChange { file: file_or_directory(cursor)? });
    }
    if cursor.eat("when") {
        cursor.eat("was|were|did").then_some(())?;
        let file = file_or_directory(cursor)?;
        cursor.eat("last").then_some(())?;
        cursor.eat_any(&[CHANGED, "change|modify|committed"]).then_some(())?;
        return Some(Git::LastChange { file });
    }
    if !lead(cursor) {
        cursor.eat("what was");
    }
    cursor
        .eat_any(&["last|latest|most recent? change|commit|modification|edit to|of|in|on|touching"])
        .then_some(())?;
    Some(Git::LastChange { file: file_or_directory(cursor)? })
}

fn file_or_directory(cursor: &mut Cursor) -> Option<Place> {
    scope::directory_or_file(cursor).filter(|place| place.sure)
}

fn blame(cursor: &mut Cursor) -> Option<Git> {
    if cursor.eat_any(&[
        "who wrote|changed|touched|added|introduced last?",
        "who last changed|modified|edited|touched",
    ]) {
        cursor.eat("line|lines").then_some(())?;
        let lines = slot::lines(cursor)?;
        cursor.eat("of|in").then_some(())?;
        return Some(Git::Blame { file: slot::file(cursor)?, lines: Some(lines) });
    }
    lead(cursor);
    cursor.eat("git");
    cursor.eat("blame").then_some(())?;
    let lines_first = cursor.attempt(|cursor| {
        cursor.eat("for|of");
        cursor.eat("line|lines").then_some(())?;
        slot::lines(cursor)
    });
    cursor.eat("for|of|on|in");
    let file = slot::file(cursor)?;
    let lines = lines_first.or_else(|| {
        cursor.attempt(|cursor| {
            cursor.eat_any(&["at|for|from? line|lines"]).then_some(())?;
            slot::lines(cursor)
        })
    });
    Some(Git::Blame { file, lines })
}

fn authors(cursor: &mut Cursor) -> Option<Git> {
    let count = file::counting(cursor);
    if !count {
        if cursor.eat_any(&[
            "who contributed|committed|worked on|to?",
            "who has|have contributed|committed|worked on|to?",
        ]) {
            let paths = if scope::whole(cursor)
                || cursor.eat("this|our? repo|repository|project|codebase")
                || cursor.peek().is_none()
            {
                Vec::new()
            } else {
                scope::places(cursor)?
            };
            return Some(Git::Authors { paths, count: false });
        }
        if !lead(cursor) {
            cursor.eat("who are|is").then_some(())?;
        }
    }
    cursor.eat("all|git");
    cursor.eat("authors|contributors|committers").then_some(())?;
    while scope::existence(cursor) || scope::whole(cursor) {}
    let paths = if cursor.eat("of|to|in|for") {
        if cursor.eat("this|our? repo|repository|project|codebase") {
            Vec::new()
        } else {
            scope::places(cursor)?
        }
    } else {
        Vec::new()
    };
    Some(Git::Authors { paths, count })
}

fn tracked(cursor: &mut Cursor) -> Option<Git> {
    cursor.eat_any(&["check|see if|whether"]);
    let asked = cursor.eat("is");
    let file = slot::file(cursor)?;
    if !asked {
        cursor.eat("is").then_some(())?;
    }
    cursor
        .eat_any(&["tracked|ignored|untracked by|in? git?", "in git", "gitignored", "under version control"])
        .then_some(())?;
    Some(Git::Tracked { file })
}
