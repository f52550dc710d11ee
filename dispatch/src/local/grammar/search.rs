//! Rules about what is in files: where something occurs, is defined, imported or called.

use super::slot::Plain;
use super::{Rule, file, scope, slot};
use crate::local::cursor::Cursor;
use crate::local::intent::{Intent, Pattern, PatternKind, Place, Scope, Show};

pub(super) const RULES: &[Rule] = &[
    search,
    grep,
    occurrences,
    pattern_then_noun,
    bare,
    where_is,
    definition,
    where_used,
    who_uses,
    is_used,
    how_often,
    count_pattern,
];

/// Eats the clause that says what is in a file: `importing x`, `that use x`, `containing x`.
pub(super) fn content(cursor: &mut Cursor) -> Option<Pattern> {
    cursor.attempt(|cursor| {
        cursor.eat("that|which|where");
        relation(cursor)
    })
}

/// Eats a verb and what it is about.
fn relation(cursor: &mut Cursor) -> Option<Pattern> {
    if cursor.eat("import|imports|importing|require|requires|requiring|include|includes|including|imported") {
        return slot::pattern(cursor, PatternKind::Import, Plain::Any);
    }
    if cursor.eat_any(&["depend|depends|depending on"]) {
        return slot::pattern(cursor, PatternKind::Import, Plain::Any);
    }
    if cursor.eat("call|calls|calling|invoke|invokes|invoking") {
        return slot::pattern(cursor, PatternKind::Call, Plain::Any);
    }
    if cursor.eat("define|defines|defining|declare|declares|declaring") {
        return slot::pattern(cursor, PatternKind::Definition(None), Plain::Any);
    }
    if cursor.eat_any(&[
        "still? use|uses|using|reference|references|referencing|mention|mentions|mentioning",
        "refer|refers|referring to",
        "make|makes|making use of",
    ]) {
        return slot::pattern(cursor, PatternKind::Word, Plain::Any);
    }
    if cursor.eat("contain|contains|containing|match|matches|matching|with|have|has|having") {
        return slot::pattern(cursor, PatternKind::Literal, Plain::Types);
    }
    None
}

/// Eats scopes and ends the search.
fn finish(cursor: &mut Cursor, mut pattern: Pattern, mut scope: Scope, show: Show) -> Intent {
    let mut insensitive = pattern.insensitive;
    scope::tail(cursor, &mut scope, &mut insensitive);
    pattern.insensitive = insensitive;
    Intent::Search { pattern, scope, show }
}

/// `search src for x_y`, `look for "text" in the tests`.
fn search(cursor: &mut Cursor) -> Option<Intent> {
    let mut scope = Scope::default();
    cursor.eat("search|grep|look|scan|check").then_some(())?;
    if !cursor.eat("for") {
        cursor.eat("in|through|at");
        if !cursor.eat_any(&[
            "this|our|my|all? whole|entire? codebase|code|repo|repository|project|source|sources|files|tree|workspace",
            "code base",
            "all? source files",
            "everywhere",
        ]) {
            scope.under = scope::places(cursor)?;
        }
        cursor.eat("for").then_some(())?;
    }
    cursor.eat_any(&["all|every|any"]);
    cursor.eat_any(&["occurrences|occurrence|uses|usages|references|mentions|instances of|to"]);
    let pattern = slot::pattern(cursor, PatternKind::Literal, Plain::Types)?;
    Some(finish(cursor, pattern, scope, Show::Matches))
}

/// `grep x src`: here every word is a pattern, as in a shell.
fn grep(cursor: &mut Cursor) -> Option<Intent> {
    cursor.eat("grep|rg|ripgrep|egrep").then_some(())?;
    let mut show = Show::Matches;
    let mut insensitive = false;
    let mut word = false;
    while let Some(options) = cursor.eat_map(|token| {
        token
            .lower()?
            .strip_prefix('-')
            .filter(|it| !it.is_empty() && it.chars().all(|c| "rnilcwhe".contains(c)))
    }) {
        for option in options.chars() {
            match option {
                'l' => show = Show::Files,
                'c' => show = Show::Count,
                'i' => insensitive = true,
                'w' => word = true,
                _ => {}
            }
        }
    }
    cursor.eat("for");
    let kind = if word { PatternKind::Word } else { PatternKind::Literal };
    let mut pattern = slot::pattern(cursor, kind, Plain::Any)?;
    if !word && pattern.kind == PatternKind::Word {
        pattern.kind = PatternKind::Literal;
    }
    pattern.insensitive |= insensitive;
    pattern.sure = true;
    let mut scope = Scope::default();
    while let Some(place) = slot::sure_place(cursor) {
        scope.under.push(place);
    }
    Some(finish(cursor, pattern, scope, show))
}

/// What kind of occurrence a plural noun names.
fn occurrence_noun(cursor: &mut Cursor) -> Option<PatternKind> {
    if cursor.eat_any(&["call sites|site", "calls|callers|invocations"]) {
        return Some(PatternKind::Call);
    }
    if cursor.eat("imports|importers") {
        return Some(PatternKind::Import);
    }
    if cursor.eat("definition|definitions|declaration|declarations") {
        return Some(PatternKind::Definition(None));
    }
    if cursor.eat("use|uses|usage|usages|reference|references|mention|mentions") {
        return Some(PatternKind::Word);
    }
    cursor
        .eat_any(&["occurrence|occurrences|instance|instances|match|matches|hits", "lines|places"])
        .then_some(PatternKind::Literal)
}

/// `find all usages of x`, `list the callers of x in src`.
fn occurrences(cursor: &mut Cursor) -> Option<Intent> {
    let show = if file::counting(cursor) {
        Show::Count
    } else {
        cursor
            .eat_any(&[
                "find|list|show|get|give|locate|display me|us?",
                "search|look for",
                "what|which are",
                "where are",
            ])
            .then_some(())?;
        Show::Matches
    };
    cursor.eat("all|every|each|any");
    let kind = occurrence_noun(cursor)?;
    cursor
        .eat_any(&["of|to|for|containing|matching|with|mentioning", "that|which contain|match|mention"])
        .then_some(())?;
    let plain = if kind == PatternKind::Literal { Plain::Types } else { Plain::Any };
    let mut pattern = slot::pattern(cursor, kind, plain)?;
    // `all occurrences of x` speaks of the letters themselves.
    pattern.sure |= pattern.kind == PatternKind::Literal;
    Some(finish(cursor, pattern, Scope::default(), show))
}

/// `find all parse_args calls`, `count unwrap() calls in src`.
fn pattern_then_noun(cursor: &mut Cursor) -> Option<Intent> {
    let show = if file::counting(cursor) {
        Show::Count
    } else {
        cursor.eat_any(&["find|list|show|get|locate me?"]).then_some(())?;
        Show::Matches
    };
    cursor.eat("all|every|each|any");
    let mut pattern = slot::pattern(cursor, PatternKind::Word, Plain::Types)?;
    let kind = occurrence_noun(cursor)?;
    if pattern.kind == PatternKind::Word && kind != PatternKind::Literal {
        pattern.kind = kind;
    }
    Some(finish(cursor, pattern, Scope::default(), show))
}

/// `find x_y in src`, `list all TODOs`, `find "some text"`.
fn bare(cursor: &mut Cursor) -> Option<Intent> {
    cursor
        .eat_any(&[
            "find|locate all|every|any?",
            "list|show|get me? all|every|any?",
            "are|is there any?",
            "do we have any",
        ])
        .then_some(())?;
    let position = cursor.position();
    let pattern = slot::pattern(cursor, PatternKind::Literal, Plain::Never)?;
    // A lone path is a file to be found, not a text.
    if pattern.texts.len() == 1 && slot::is_path(&pattern.texts[0]) {
        cursor.back_to(position);
        return None;
    }
    Some(finish(cursor, pattern, Scope::default(), Show::Matches))
}

/// `where is the Foo struct defined`, `where is parse_args`.
fn where_is(cursor: &mut Cursor) -> Option<Intent> {
    cursor
        .eat_any(&[
            "where is|are",
            "find|show|tell me? where",
            "in which|what file is|are",
            "which|what file is",
        ])
        .then_some(())?;
    let mut scope = Scope::default();
    scope::one(cursor, &mut scope);
    let position = cursor.position();
    let sure = cursor.attempt(|cursor| {
        let pattern = slot::pattern(cursor, PatternKind::Definition(None), Plain::Any)?;
        cursor.eat("is|are");
        cursor.eat("defined|declared|implemented").then_some(pattern)
    });
    if let Some(pattern) = sure {
        return Some(finish(cursor, pattern, scope, Show::Matches));
    }
    cursor.back_to(position);
    let pattern = slot::pattern(cursor, PatternKind::Definition(None), Plain::Types)?;
    if pattern.texts.iter().any(|text| slot::is_path(text)) {
        return None;
    }
    cursor.eat("located");
    Some(finish(cursor, pattern, scope, Show::Matches))
}

/// `find the definition of x`, `where do we define x`, `go to x's definition`.
fn definition(cursor: &mut Cursor) -> Option<Intent> {
    let asked = cursor.eat_any(&[
        "find|show|locate|get|give|list me|us? all? definition|definitions|declaration|declarations of|for",
        "where do|did|does we|they|i define|declare",
        "find|show me? where we|they define|declare",
        "who|what|which|where defines|declares",
        "which|what file|module defines|declares",
    ]);
    asked.then_some(())?;
    let pattern = slot::pattern(cursor, PatternKind::Definition(None), Plain::Any)?;
    Some(finish(cursor, pattern, Scope::default(), Show::Matches))
}

/// Eats a participle, and says how the name before it is meant.
fn participle(cursor: &mut Cursor) -> Option<PatternKind> {
    if cursor.eat("called|invoked") {
        return Some(PatternKind::Call);
    }
    if cursor.eat("imported|included|required") {
        return Some(PatternKind::Import);
    }
    cursor.eat_any(&["used|referenced|mentioned", "referred to", "being used"]).then_some(PatternKind::Word)
}

/// `where is x used`, `find where x is called`, `where do we call x`.
fn where_used(cursor: &mut Cursor) -> Option<Intent> {
    let do_we = cursor.eat_any(&[
        "where do|does|did we|i|they|it|you",
        "find|show me? where we|they",
        "find|show me? everywhere we|they",
    ]);
    if do_we {
        let pattern = relation(cursor)?;
        return Some(finish(cursor, pattern, Scope::default(), Show::Matches));
    }
    let files = cursor.eat_any(&["in which|what files is|are", "which|what files is|are"]);
    if !files {
        cursor
            .eat_any(&[
                "where is|are",
                "find|show|list me? where|everywhere",
                "find|show|list me? all|every? places|place where?",
            ])
            .then_some(())?;
    }
    let mut pattern = slot::pattern(cursor, PatternKind::Word, Plain::Any)?;
    cursor.eat("is|are");
    let kind = participle(cursor)?;
    if pattern.kind == PatternKind::Word {
        pattern.kind = kind;
    }
    cursor.eat("from|in");
    let show = if files { Show::Files } else { Show::Matches };
    Some(finish(cursor, pattern, Scope::default(), show))
}

/// `who calls x`, `what uses x`, `which modules import x`.
fn who_uses(cursor: &mut Cursor) -> Option<Intent> {
    let mut scope = Scope::default();
    let files = cursor.eat_any(&["who|what else?", "which|what code|functions?"]);
    files.then_some(())?;
    let pattern = relation(cursor)?;
    matches!(pattern.kind, PatternKind::Call | PatternKind::Import | PatternKind::Word).then_some(())?;
    scope::one(cursor, &mut scope);
    Some(finish(cursor, pattern, scope, Show::Matches))
}

/// `is x used anywhere`, `does anything call x`, `do we still use x`.
fn is_used(cursor: &mut Cursor) -> Option<Intent> {
    cursor.eat_any(&["check|see if|whether", "find out if|whether"]);
    if cursor.eat_any(&["do|does anything|anyone|anybody|something|we|it|any still?", "anything"]) {
        cursor.eat("file|files|code");
        let mut pattern = relation(cursor)?;
        matches!(pattern.kind, PatternKind::Call | PatternKind::Import | PatternKind::Word).then_some(())?;
        cursor.eat("else");
        // `do we use caching` is no question about a word.
        pattern.sure = pattern.sure || pattern.kind == PatternKind::Import;
        return Some(finish(cursor, pattern, Scope::default(), Show::Matches));
    }
    let asked = cursor.eat("is|are");
    let mut pattern = slot::pattern(cursor, PatternKind::Word, Plain::Any)?;
    if !asked {
        cursor.eat("is|are").then_some(())?;
    }
    cursor.eat("still|ever|actually");
    let kind = participle(cursor)?;
    if pattern.kind == PatternKind::Word {
        pattern.kind = kind;
    }
    Some(finish(cursor, pattern, Scope::default(), Show::Matches))
}

/// `how many times is x used`, `how often does "text" occur`.
fn how_often(cursor: &mut Cursor) -> Option<Intent> {
    cursor
        .eat_any(&[
            "how often",
            "how many times",
            "count how often",
            "count how many times",
            "in how many places",
        ])
        .then_some(())?;
    if cursor.eat("is|are") {
        let mut pattern = slot::pattern(cursor, PatternKind::Word, Plain::Any)?;
        let kind = participle(cursor)?;
        if pattern.kind == PatternKind::Word {
            pattern.kind = kind;
        }
        return Some(finish(cursor, pattern, Scope::default(), Show::Count));
    }
    cursor.eat("does|do").then_some(())?;
    if cursor.eat("we|i|they|it") {
        let pattern = relation(cursor)?;
        return Some(finish(cursor, pattern, Scope::default(), Show::Count));
    }
    let mut pattern = slot::pattern(cursor, PatternKind::Literal, Plain::Any)?;
    cursor.eat("occur|appear|show come? up?").then_some(())?;
    pattern.sure = true;
    Some(finish(cursor, pattern, Scope::default(), Show::Count))
}

/// `how many TODOs are there`, `count x_y in src`.
fn count_pattern(cursor: &mut Cursor) -> Option<Intent> {
    file::counting(cursor).then_some(())?;
    cursor.eat("all|every");
    let pattern = slot::pattern(cursor, PatternKind::Literal, Plain::Never)?;
    let mut scope = Scope::default();
    if cursor.eat("does|do") {
        let place: Place = slot::file(cursor)?;
        cursor.eat("have|contain").then_some(())?;
        scope.under.push(place);
    }
    Some(finish(cursor, pattern, scope, Show::Count))
}
