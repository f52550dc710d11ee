//! Rules about versions and dependencies.

use super::{Rule, scope, slot};
use crate::local::cursor::Cursor;
use crate::local::intent::{Intent, Place, Versioned};

pub(super) const RULES: &[Rule] = &[project, of_name, name_first, dependencies, is_dependency, dependents];

/// `what is the version of this project`, `show the project's version`.
fn project(cursor: &mut Cursor) -> Option<Intent> {
    asking(cursor).then_some(())?;
    let asked = cursor.eat_any(&[
        "current? project|repo|package|crate version",
        "version of this|our|my? project|repo|repository|package|crate|program|app|application",
        "current version",
        "version is this|our? project|repo|repository|package|crate",
        "version is this",
    ]);
    asked.then_some(())?;
    scope::whole(cursor);
    Some(Intent::Version { of: Versioned::Project })
}

fn asking(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&[
        "what is",
        "which is",
        "what|which",
        "find out? which|what",
        "find|show|check|get|tell|give|print|look me? up?",
        "tell me which|what",
        "check which|what",
    ])
}

/// `which version of serde do we use`, `find the version of the tokio dependency`.
fn of_name(cursor: &mut Cursor) -> Option<Intent> {
    asking(cursor).then_some(())?;
    cursor.eat("current|exact|locked|installed|pinned");
    cursor.eat("version|versions of|for").then_some(())?;
    let (name, sure) = name(cursor)?;
    used(cursor);
    scope::whole(cursor);
    Some(Intent::Version { of: Versioned::Name { name, sure } })
}

/// `what serde version do we use`, `show the react version`, `what version is tokio at`.
fn name_first(cursor: &mut Cursor) -> Option<Intent> {
    asking(cursor).then_some(())?;
    if cursor.eat("version is|are") {
        let (name, sure) = name(cursor)?;
        cursor.eat_any(&["at|on", "pinned|locked|set to|at"]);
        scope::whole(cursor);
        return Some(Intent::Version { of: Versioned::Name { name, sure } });
    }
    cursor.eat("current|exact|locked|installed|pinned");
    let (name, sure) = name(cursor)?;
    cursor.eat("version").then_some(())?;
    used(cursor);
    scope::whole(cursor);
    Some(Intent::Version { of: Versioned::Name { name, sure } })
}

/// Languages have versions too, and `the Node version` is that of Node.
const LANGUAGES: &[&str] = &["go", "golang", "node", "node.js", "nodejs", "python", "ruby", "rust", "rustc"];

/// Eats a dependency; beside the word `crate` or `package` it is sure to be one.
fn name(cursor: &mut Cursor) -> Option<(String, bool)> {
    cursor.attempt(|cursor| {
        let before = cursor.eat("crate|package|library|dependency|module|gem");
        let (name, quoted, article) = slot::package(cursor)?;
        let after = cursor.eat("crate|package|library|dependency|module|gem");
        // `the schema` is a thing in the world, `the serde crate` a dependency.
        let sure = quoted || before || after;
        let article = article && !LANGUAGES.contains(&name.to_lowercase().as_str());
        (sure || !article).then_some((name, sure))
    })
}

fn used(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&[
        "do|does we|i|you|they|it use|have|require|need|want|depend|pin on?",
        "do|does this|our? project|repo|repository|codebase|crate|package|app|workspace use|have|require|need|depend on?",
        "are|is we|it using|on|running",
        "are|is this|our? project|repo|repository|codebase|crate|package|app using|on|running",
        "is|are being? used|installed|pinned|locked|required|declared|in",
        "are|is we depending on",
        "in use",
    ])
}

fn dependencies(cursor: &mut Cursor) -> Option<Intent> {
    let asked = cursor.eat_any(&[
        "list|show|find|get|give|print me? all? our|its|direct? dependencies",
        "what|which are our|its|direct? dependencies",
        "what|which dependencies|crates|packages|libraries do|does we|it|they have|use",
        "what|which dependencies|crates|packages|libraries do|does this|our? project|repo|repository|crate|package have|use|depend on?",
        "what|which dependencies are there",
        "what do|does we|it depend on",
        "what does this? project|repo|repository|crate|package depend on",
        "list|show me? project dependencies",
        "list|show me? project all? dependencies",
    ]);
    asked.then_some(())?;
    let mut place = Place::root();
    if !scope::whole(cursor) && cursor.eat("of|in|for") {
        cursor.eat("crate|package");
        place = scope::directory_or_file(cursor)?;
        cursor.eat("crate|package");
    }
    Some(Intent::Dependencies { of: place })
}

/// `which crates depend on serde`: every manifest that names it.
fn dependents(cursor: &mut Cursor) -> Option<Intent> {
    cursor.eat_any(&["which|what", "find|list|show me? all?"]);
    cursor.eat_any(&["workspace? crates|crate|packages|package|members|manifests"]).then_some(())?;
    cursor.eat("that|which");
    cursor.eat_any(&["depend|depends|depending on", "directly? use|uses|using|need|needs"]).then_some(())?;
    let (name, sure) = name(cursor)?;
    scope::whole(cursor);
    Some(Intent::Version { of: Versioned::Name { name, sure } })
}

/// `do we depend on serde`, `is serde a dependency`.
fn is_dependency(cursor: &mut Cursor) -> Option<Intent> {
    if cursor.eat("is") {
        let (name, sure, article) = slot::package(cursor)?;
        (sure || !article).then_some(())?;
        cursor
            .eat_any(&[
                "one? of? our? dependency|dependencies",
                "already? dependency",
                "already? in our? dependencies",
            ])
            .then_some(())?;
        scope::whole(cursor);
        cursor.eat_any(&["of this|our? project"]);
        return Some(Intent::Version { of: Versioned::Name { name, sure } });
    }
    cursor
        .eat_any(&[
            "do|does we|it depend on",
            "do|does this|our? project|repo|repository|crate|package depend on",
            "do we have dependency on",
        ])
        .then_some(())?;
    let (name, sure) = name(cursor)?;
    scope::whole(cursor);
    Some(Intent::Version { of: Versioned::Name { name, sure } })
}
