//! Rules about files: which there are, how many, whether there is one.

use super::{Rule, scope, search, slot};
use crate::local::cursor::Cursor;
use crate::local::intent::{Filter, Intent, Place, Scope, Show};

pub(super) const RULES: &[Rule] = &[files, count_files, named_directly, exists, any_files];

/// Eats a verb that asks to see things.
pub(super) fn lead(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&[
        "find|list|locate|display|print|enumerate|name me|us?",
        "show|give|get|tell me|us?",
        "search|look for",
        "which are",
        "what are",
        "which",
        "what",
    ])
}

/// Eats a verb that asks for a number.
pub(super) fn counting(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&[
        "count how many",
        "count up?",
        "how many",
        "tell me how many",
        "find out? how many",
        "what is total? number|count of",
        "show|give|get|tell me? total? number|count of",
        "find|determine|compute number|count of",
        "total? number|count of",
    ])
}

pub(super) fn files(cursor: &mut Cursor) -> Option<Intent> {
    lead(cursor).then_some(())?;
    cursor.eat("names|paths|list of");
    let mut scope = Scope::default();
    files_noun(cursor, &mut scope)?;
    files_tail(cursor, scope, Show::Files)
}

fn count_files(cursor: &mut Cursor) -> Option<Intent> {
    counting(cursor).then_some(())?;
    let mut scope = Scope::default();
    files_noun(cursor, &mut scope)?;
    match files_tail(cursor, scope, Show::Count)? {
        // How many files have it, not how often it occurs in them.
        Intent::Search { pattern, scope, .. } => Some(Intent::Search { pattern, scope, show: Show::Files }),
        intent => Some(intent),
    }
}

/// `find main.rs`, `where is the Dockerfile`, `locate the file build.rs in tools`.
fn named_directly(cursor: &mut Cursor) -> Option<Intent> {
    cursor
        .eat_any(&["find|locate", "where is|are", "find|locate all|every", "look for", "search for"])
        .then_some(())?;
    let place = slot::file(cursor)?;
    let mut scope = Scope { filters: vec![Filter::Name(place.path)], ..Scope::default() };
    cursor.eat("located|stored|kept");
    scope::tail(cursor, &mut scope, &mut false);
    Some(Intent::Files { scope, show: Show::Files })
}

fn any_files(cursor: &mut Cursor) -> Option<Intent> {
    cursor
        .eat_any(&[
            "are|is there any|some?",
            "check if|whether there are any|some?",
            "do|does we|project|repo|repository have any|some",
        ])
        .then_some(())?;
    let mut scope = Scope::default();
    files_noun(cursor, &mut scope)?;
    files_tail(cursor, scope, Show::Files)
}

fn exists(cursor: &mut Cursor) -> Option<Intent> {
    if cursor.eat("does|do") {
        let place = existing_place(cursor)?;
        cursor.eat("exist").then_some(())?;
        scope::whole(cursor);
        return Some(Intent::Exists { place });
    }
    cursor
        .eat_any(&["is there", "check that|if|whether there is", "do|does we|project|repo|repository have"])
        .then_some(())?;
    cursor.eat("any");
    let place = existing_place(cursor)?;
    cursor.eat("already");
    scope::whole(cursor);
    Some(Intent::Exists { place })
}

fn existing_place(cursor: &mut Cursor) -> Option<Place> {
    cursor.attempt(|cursor| {
        let named = cursor.eat_any(&["file|directory|folder named|called", "file|directory|folder"]);
        let place = slot::place(cursor)?;
        let named = cursor.eat("file|directory|folder") || named;
        (place.sure || named).then_some(Place { sure: true, ..place })
    })
}

/// Eats `all Rust test files`; a glob may stand without `files`.
pub(super) fn files_noun(cursor: &mut Cursor, scope: &mut Scope) -> Option<()> {
    cursor.attempt(|cursor| {
        cursor.eat("all|every|each|any|total");
        cursor.eat("of");
        cursor.eat("our|my|its|these|those");
        scope.filters.extend(scope::kinds(cursor));
        let name = cursor.attempt(|cursor| {
            // `Cargo.toml files`
            let place = slot::sure_place(cursor)?;
            (!place.path.contains('/')).then_some(place.path)
        });
        scope.filters.extend(name.map(Filter::Name));
        let noun = cursor.eat("file|files");
        let glob = matches!(scope.filters.last(), Some(Filter::Glob(_) | Filter::Extension(_)));
        (noun || glob).then_some(())
    })
}

/// Eats what follows `files`, in any order; a clause about their content makes it a search.
fn files_tail(cursor: &mut Cursor, mut scope: Scope, show: Show) -> Option<Intent> {
    let mut pattern = None;
    let mut insensitive = false;
    loop {
        if scope::name(cursor, &mut scope) {
            continue;
        }
        let before = cursor.position();
        scope::tail(cursor, &mut scope, &mut insensitive);
        if cursor.position() != before {
            continue;
        }
        if pattern.is_none() {
            pattern = search::content(cursor);
            if pattern.is_some() {
                continue;
            }
        }
        break;
    }
    Some(match pattern {
        Some(mut pattern) => {
            pattern.insensitive |= insensitive;
            let show = if show == Show::Count { Show::Count } else { Show::Files };
            Intent::Search { pattern, scope, show }
        }
        None if insensitive => return None,
        None => Intent::Files { scope, show },
    })
}
