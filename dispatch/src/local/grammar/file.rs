//! Rules about files and directories themselves: which there are, how many, how large.

use super::{Rule, scope, search, slot};
use crate::local::intent::{Filter, Intent, Place, Scope, Show, Size};
use crate::local::words::{Cursor, Token};

pub(super) const RULES: &[Rule] = &[
    files,
    count_files,
    named_directly,
    exists,
    any_files,
    directories,
    list,
    list_contents,
    tree,
    largest,
    lines,
];

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

/// Eats `all Rust test files`; a glob may stand without `files`.
fn files_noun(cursor: &mut Cursor, scope: &mut Scope) -> Option<()> {
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

fn files(cursor: &mut Cursor) -> Option<Intent> {
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

fn directories(cursor: &mut Cursor) -> Option<Intent> {
    let show = if counting(cursor) {
        Show::Count
    } else {
        lead(cursor).then_some(())?;
        Show::Files
    };
    cursor.eat("all|every");
    let top = cursor.eat_any(&["top-level|toplevel", "top level"]);
    cursor.eat("directories|folders|subdirectories|subfolders|dirs").then_some(())?;
    let mut scope = Scope::default();
    let mut deep = !top;
    loop {
        if cursor.eat("recursively") {
            deep = true;
        } else if !scope::name(cursor, &mut scope) {
            let before = cursor.position();
            scope::tail(cursor, &mut scope, &mut false);
            if before == cursor.position() {
                break;
            }
        }
    }
    Some(Intent::Directories { scope, deep, show })
}

/// `ls src`, `list the directory src`, `what is in the src directory`.
fn list(cursor: &mut Cursor) -> Option<Intent> {
    if cursor.eat("ls") {
        let place = if cursor.peek().is_none() { Place::root() } else { slot::place(cursor)? };
        return Some(Intent::List { place });
    }
    if cursor.eat_any(&["what is", "what files are", "what do we have", "what does"]) {
        cursor.eat("there");
        let place = if cursor.eat("in|inside|under") {
            in_directory(cursor)?
        } else {
            let place = in_directory(cursor)?;
            cursor.eat("contain|have").then_some(())?;
            place
        };
        return Some(Intent::List { place });
    }
    cursor.eat_any(&["list|show me?", "show|give me listing of"]).then_some(())?;
    let place = in_directory(cursor)?;
    cursor.eat("contents|content");
    Some(Intent::List { place })
}

/// `list the contents of src`, `show everything in the root directory`, `list the top-level files`.
fn list_contents(cursor: &mut Cursor) -> Option<Intent> {
    lead(cursor).then_some(())?;
    if cursor.eat_any(&[
        "top-level|toplevel files|entries and|or? directories|folders?",
        "top level files|entries and? directories?",
    ]) {
        scope::whole(cursor);
        return Some(Intent::List { place: Place::root() });
    }
    let contents = cursor.eat_any(&[
        "contents|content|entries of|in|inside",
        "everything in|inside|under",
        "directory|folder listing|contents of|for",
        "files and directories|folders|subdirectories in|inside|of",
        "all? files and directories|folders|subdirectories in|inside|of",
    ]);
    contents.then_some(())?;
    Some(Intent::List { place: in_directory(cursor)? })
}

/// Eats a directory: the root, `src/`, or `src` beside the word `directory`.
fn in_directory(cursor: &mut Cursor) -> Option<Place> {
    if cursor.eat_any(&[
        "root|top|project|repo|repository|current|working directory|folder",
        "root|top of this|our? repo|repository|project",
        "this|current directory|folder|repo|repository|project",
        ".",
    ]) {
        return Some(Place::root());
    }
    cursor.attempt(|cursor| {
        let named = cursor.eat("directory|folder|dir");
        let quoted = matches!(cursor.peek(), Some(Token::Quoted(_)));
        let place = slot::place(cursor)?;
        let named = cursor.eat("directory|folder|dir") || named;
        // A path with an extension is read, not listed; see `read`.
        let directory =
            named || place.path.ends_with('/') || !place.path.contains('.') || place.path.starts_with('.');
        (directory && (named || quoted || place.sure || !place.path.is_empty()))
            .then_some(Place { sure: place.sure || named, ..place })
    })
}

fn tree(cursor: &mut Cursor) -> Option<Intent> {
    let mut depth = None;
    if !cursor.eat("tree") {
        lead(cursor).then_some(())?;
        cursor.eat("is|me");
        cursor.eat("overall|whole|full|complete");
        cursor
            .eat_any(&[
                "directory|folder|file|project|repo|repository|codebase|module? structure|tree|layout|hierarchy",
                "structure|tree|layout|hierarchy",
                "directories|files as tree",
            ])
            .then_some(())?;
    }
    let mut place = Place::root();
    loop {
        if scope::whole(cursor) {
            continue;
        }
        if let Some(levels) = cursor.attempt(tree_depth) {
            depth = Some(levels);
        } else if place.is_root()
            && let Some(found) = cursor.attempt(|cursor| {
                cursor.eat("of|in|under|inside|for|below").then_some(())?;
                in_directory(cursor)
            })
        {
            place = found;
        } else if place.is_root()
            && depth.is_none()
            && let Some(found) = slot::sure_place(cursor)
        {
            place = found;
        } else {
            break;
        }
    }
    Some(Intent::Tree { place, depth })
}

fn tree_depth(cursor: &mut Cursor) -> Option<usize> {
    let count = if cursor.eat_any(&[
        "to depth of?",
        "with depth of?",
        "at depth",
        "depth",
        "up to depth",
        "max|maximum depth",
    ]) {
        slot::number(cursor)?
    } else {
        cursor.eat_any(&["up? to", "limited to", "for"]);
        let count = slot::number(cursor)?;
        cursor.eat("level|levels deep|down?").then_some(())?;
        count
    };
    usize::try_from(count).ok()
}

/// `the 5 largest files`, `longest Rust files by lines`.
fn largest(cursor: &mut Cursor) -> Option<Intent> {
    if !lead(cursor) {
        return None;
    }
    cursor.eat("is|are");
    cursor.eat("top");
    let count = slot::number(cursor);
    let mut by = cursor.eat_map(|token| match token.lower()? {
        "largest" | "biggest" => Some(Size::Bytes),
        "longest" => Some(Size::Lines),
        _ => None,
    })?;
    let count = count.or_else(|| slot::number(cursor));
    let mut scope = Scope { filters: scope::kinds(cursor), ..Scope::default() };
    let one = cursor.eat("file");
    if !one {
        cursor.eat("files").then_some(())?;
    }
    loop {
        if cursor.eat_any(&["by lines|length", "by line count", "by number of lines"]) {
            by = Size::Lines;
        } else if cursor.eat_any(&["by size", "by file size", "by bytes"]) {
            by = Size::Bytes;
        } else {
            let before = cursor.position();
            scope::tail(cursor, &mut scope, &mut false);
            if before == cursor.position() {
                break;
            }
        }
    }
    let count = count.unwrap_or(if one { 1 } else { 10 });
    Some(Intent::Largest { scope, by, count: usize::try_from(count).ok()? })
}

fn lines(cursor: &mut Cursor) -> Option<Intent> {
    let mut scope = Scope::default();
    if cursor.eat("wc") {
        // `-l` starts with a dash, which no other slot accepts.
        cursor.eat_map(|token| (token.lower() == Some("-l")).then_some(()))?;
        scope.under = slot::files(cursor)?;
        return Some(Intent::Lines { scope });
    }
    if cursor.eat_any(&["how long is|are", "how big is|are"]) {
        scope.under = slot::files(cursor)?;
        return Some(Intent::Lines { scope });
    }
    if cursor.eat_any(&[
        "what is line count of|for",
        "line count of|for",
        "show|give|get me? line count of|for",
        "what is length of",
    ]) {
        if let Some(filter) = cursor.attempt(|cursor| {
            let mut scope = Scope::default();
            files_noun(cursor, &mut scope)?;
            Some(scope.filters)
        }) {
            scope.filters = filter;
        } else {
            scope.under = slot::files(cursor)?;
        }
        scope::tail(cursor, &mut scope, &mut false);
        return Some(Intent::Lines { scope });
    }
    counting(cursor).then_some(())?;
    cursor.eat("all|total");
    if cursor.eat("lines") {
        cursor.eat("are there");
        if cursor.eat("of") {
            scope.filters = scope::kinds(cursor);
            let noun = cursor.eat("code|text|source|files");
            (noun || !scope.filters.is_empty()).then_some(())?;
            if scope.filters.is_empty() {
                scope.filters.push(Filter::Kind("source"));
            }
        }
    } else {
        scope.filters = scope::kinds(cursor);
        (!scope.filters.is_empty() && cursor.eat("lines")).then_some(())?;
    }
    loop {
        if cursor.eat_any(&["does", "do"]) {
            scope.under = slot::files(cursor)?;
            cursor.eat("have|contain|has").then_some(())?;
            continue;
        }
        if scope.under.is_empty() && cursor.eat("of") {
            scope.under = slot::files(cursor)?;
            continue;
        }
        let before = cursor.position();
        scope::tail(cursor, &mut scope, &mut false);
        if before == cursor.position() {
            break;
        }
    }
    Some(Intent::Lines { scope })
}
