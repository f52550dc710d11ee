//! Rules about what git knows: status, commits, differences, branches, who and when.

mod commits;
mod diff;
mod people;
mod refs;
mod status;

use super::{Rule, scope};
use crate::local::cursor::Cursor;
use crate::local::intent::Intent;
use commits::{count_commits, last_commit, log};
use diff::{changes_since, diff, show};
use people::{authors, blame, last_change};
use refs::{branch, branches_and_tags};
use status::{changed, clean, status, tracked};

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
