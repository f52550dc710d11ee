//! What differs: `git diff --stat`, `what changed since v1.0`, `show commit a1b2c3d`.

use super::{lead, option};
use crate::local::cursor::Cursor;
use crate::local::grammar::{scope, slot};
use crate::local::intent::{Diff, DiffShow, Git};

pub(super) fn diff(cursor: &mut Cursor) -> Option<Git> {
    let led = lead(cursor);
    let mut what = None;
    let mut show = DiffShow::Patch;
    let mut paths = Vec::new();
    if cursor.eat("uncommitted|local|current|working|pending all?") {
        what = Some(Diff::Uncommitted);
        cursor.eat_any(&["tree|directory changes|diff", "changes|diff|modifications"]).then_some(())?;
    } else if led && cursor.eat("my|our? changes") {
        what = Some(Diff::Uncommitted);
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
pub(super) fn changes_since(cursor: &mut Cursor) -> Option<Git> {
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

pub(super) fn show(cursor: &mut Cursor) -> Option<Git> {
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
