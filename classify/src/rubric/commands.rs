//! What is done by running a command (tier 1).

use super::{PIECE, VISIBLE, verb_is};
use crate::clause::{Clause, Mood};
use crate::flowchart::{Because, because, or_harder};
use crate::lexicon::{About, Act};

/// Flowchart, question 2: is it done by running a command?
pub(crate) fn runs_command(clause: &Clause) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    let act = clause.act?;
    if clause.mood != Mood::Order {
        return None;
    }
    match act {
        Act::Run => {
            let creates = verb_is(clause, &["build", "start", "execute", "launch", "test"])
                && (clause.object_is_new
                    || verb_is(clause, &["build"])
                        && object.any(PIECE)
                        && !object.any(About::CHECKS.or(About::TESTS).or(About::SERVICE).or(About::CI)));
            let writes_test = verb_is(clause, &["test"]) && (clause.has_condition || clause.length > 9);
            if creates || writes_test {
                None
            } else {
                because(0.9, "runs tests, builds, lints or another command")
            }
        }
        Act::Vcs => {
            let is_code = object.any(About::CODE)
                && !object.any(About::VCS)
                && verb_is(clause, &["merge", "merges", "merged", "fork", "tag", "clone"]);
            if is_code || about.any(About::CONFLICT) { None } else { because(0.8, "simple version control") }
        }
        Act::Shell => {
            if object.any(VISIBLE) && !object.any(About::FILE) {
                None
            } else {
                or_harder(0.75, "a shell command does it")
            }
        }
        Act::Deploy => or_harder(0.65, "runs the release or deployment that is there"),
        Act::Upgrade | Act::Setup => {
            let tool =
                object.any(About::LANGUAGE.or(About::FRAMEWORK)) && !object.any(PIECE) && clause.length <= 4;
            let unknown = object == About::NONE || object == About::NUMBER;
            if act == Act::Setup && (tool || unknown && clause.length <= 3) {
                or_harder(0.65, "installs a tool")
            } else if act == Act::Setup && is_tooling(clause) {
                or_harder(0.6, "a step of a pipeline")
            } else {
                None
            }
        }
        Act::Add | Act::Change | Act::Find if is_tooling(clause) => or_harder(0.6, "a step of a pipeline"),
        Act::Remove if clause.length == 2 && clause.names_place && about.any(About::FILE) => {
            or_harder(0.65, "removes a file")
        }
        Act::Add
            if object.any(About::VCS) && !object.any(About::CODE) && verb_is(clause, &["create", "make"]) =>
        {
            because(0.75, "simple version control")
        }
        Act::Add | Act::Remove | Act::Refactor | Act::Change if is_file_work(clause) => {
            or_harder(0.6, "a shell command does it")
        }
        Act::Refactor if verb_is(clause, &["format", "reformat"]) => because(0.75, "a formatter does it"),
        _ => None,
    }
}

/// Two or three words about what pipelines handle: "restore cache", "create release", "use Node 18".
fn is_tooling(clause: &Clause) -> bool {
    let things =
        About::CACHE.or(About::RELEASE).or(About::VCS).or(About::DEPENDENCY).or(About::INFRASTRUCTURE);
    let verbs = [
        "restore",
        "save",
        "create",
        "configure",
        "set up",
        "setup",
        "use",
        "cache",
        "store",
        "prepare",
        "select",
        "load",
        "collect",
    ];
    let runtime = clause.object.any(About::LANGUAGE.or(About::FRAMEWORK)) && clause.object.any(About::NUMBER);
    let other = About::CODE.or(About::INTERFACE).or(About::BUG).or(About::TESTS);
    clause.length <= 3
        && verb_is(clause, &verbs)
        && (clause.object.any(things) || runtime)
        && !clause.object.any(other)
}

/// Works on files and processes as a shell does, not on what they mean.
fn is_file_work(clause: &Clause) -> bool {
    let about = clause.about;
    let other =
        About::CODE.or(About::INTERFACE).or(About::FEATURE).or(About::DOCS).or(About::TESTS).or(About::BUG);
    if clause.has_condition || about.any(other) {
        return false;
    }
    let always = ["delete", "remove", "move", "rename", "create", "make"];
    let on_files = [
        "sort",
        "replace",
        "split",
        "extract",
        "set",
        "send",
        "append",
        "insert",
        "change",
        "prepend",
        "combine",
        "convert",
        "truncate",
        "save",
        "switch",
        "swap",
        "encrypt",
        "decrypt",
        "log",
        "number",
        "reverse",
        "write",
        "add",
        "clean",
        "clear",
        "purge",
        "wipe",
        "turn",
        "assign",
        "export",
        "strip",
        "trim",
        "calculate",
        "compute",
        "enable",
        "disable",
        "force",
        "store",
    ];
    verb_is(clause, &always) && clause.object.any(About::FILE.or(About::SHELL))
        || verb_is(clause, &on_files) && about.any(About::SHELL)
}
