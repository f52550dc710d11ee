//! What is uncommitted: `git status`, `is the tree clean`, `list the staged files`.

use super::{here, lead, option};
use crate::local::cursor::Cursor;
use crate::local::grammar::{file, slot};
use crate::local::intent::{Changed, Git};

pub(super) fn status(cursor: &mut Cursor) -> Option<Git> {
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

pub(super) fn clean(cursor: &mut Cursor) -> Option<Git> {
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

pub(super) fn changed(cursor: &mut Cursor) -> Option<Git> {
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

pub(super) fn tracked(cursor: &mut Cursor) -> Option<Git> {
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
