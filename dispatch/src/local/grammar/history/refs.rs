//! Where the history stands: branches, tags, the current commit.

use super::{here, lead};
use crate::local::cursor::Cursor;
use crate::local::grammar::{file, scope};
use crate::local::intent::Git;

pub(super) fn branch(cursor: &mut Cursor) -> Option<Git> {
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

pub(super) fn branches_and_tags(cursor: &mut Cursor) -> Option<Git> {
    if cursor.eat("git branch") {
        let remote = cursor.eat("-r|--remotes");
        cursor.eat("--list");
        return Some(Git::Branches { remote, count: false });
    }
    if cursor.eat("git tag") {
        cursor.eat("-l|--list");
        return Some(Git::Tags { latest: false, count: false });
    }
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
