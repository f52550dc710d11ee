//! Rules about directories: which there are, what is in one, its structure.

use super::file::{counting, lead};
use super::{Rule, scope, slot};
use crate::local::cursor::Cursor;
use crate::local::intent::{Filter, Intent, Place, Scope, Show};
use crate::local::words::Token;

pub(super) const RULES: &[Rule] = &[directories, list, list_contents, tree, find];

/// `find src -name "*.rs" -type f`: what people type in a shell, as far as it only looks.
fn find(cursor: &mut Cursor) -> Option<Intent> {
    cursor.eat("find").then_some(())?;
    let mut scope = Scope::default();
    let place = slot::sure_place(cursor)?;
    if place.path != "." {
        scope.under.push(place);
    }
    let mut directories = false;
    let mut options = 0;
    loop {
        if cursor.eat("-type d") {
            directories = true;
        } else if cursor.eat("-name") {
            let name = cursor.eat_map(|token| match token {
                Token::Word { raw: text, .. } | Token::Quoted(text) => Some(text.clone()),
                _ => None,
            })?;
            scope.filters.push(scope::glob(&name).unwrap_or(Filter::Name(name)));
        } else if !cursor.eat("-type f") {
            break;
        }
        options += 1;
    }
    (options > 0).then_some(())?;
    Some(if directories {
        Intent::Directories { scope, deep: true, show: Show::Files }
    } else {
        Intent::Files { scope, show: Show::Files }
    })
}

pub(super) fn directories(cursor: &mut Cursor) -> Option<Intent> {
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
pub(super) fn list(cursor: &mut Cursor) -> Option<Intent> {
    if cursor.eat("ls") {
        while cursor.eat("-l|-a|-la|-al|-lh|-lah|-1") {}
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
pub(super) fn list_contents(cursor: &mut Cursor) -> Option<Intent> {
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

pub(super) fn tree(cursor: &mut Cursor) -> Option<Intent> {
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
