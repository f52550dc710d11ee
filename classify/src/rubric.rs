//! The rubric of seed 000: its categories of the three tiers, as answers to the questions of the flowchart.
//!
//! Each answer is a reason with a weight. The weights are judgements of how often such a sentence means what it
//! seems to mean; they are not fitted to any set of tasks.

use crate::clause::{Clause, Mood};
use crate::flowchart::{Because, because, or_easier, or_harder};
use crate::lexicon::{About, Act, same};

const DEEP_FAULT: About = About::SUBTLE.or(About::CONCURRENCY);
const VISIBLE: About = About::INTERFACE;
/// Things that code consists of and that are added one at a time.
const PIECE: About = About::CODE.or(About::INTERFACE).or(About::FIELD).or(About::FEATURE);

fn verb_is(clause: &Clause, words: &[&str]) -> bool {
    words.iter().any(|word| same(clause.verb, word))
}

/// Flowchart, question 1: does the task leave all files as they are?
pub(crate) fn only_reads(clause: &Clause) -> bool {
    match clause.mood {
        Mood::Lookup
        | Mood::Exists
        | Mood::Holds
        | Mood::Judge
        | Mood::Why
        | Mood::How
        | Mood::HowTo
        | Mood::Decide => true,
        Mood::Order | Mood::Wish => match clause.act {
            Some(Act::Find) => !shows_to_users(clause) && !asks_for_snippet(clause),
            Some(Act::Explain) => {
                !clause.about.any(About::DOCS) || verb_is(clause, &["summarize", "summarise"])
            }
            Some(Act::Review | Act::Debug) => true,
            Some(Act::Check) => !is_input_validation(clause),
            // A design is text; only that it is about to be decided makes it hard.
            Some(Act::Design) => true,
            _ => false,
        },
        Mood::Report | Mood::Forbid | Mood::Title => false,
    }
}

/// "show the avatar in the header" wants code, "show the header file" does not.
fn shows_to_users(clause: &Clause) -> bool {
    let shows = verb_is(
        clause,
        &[
            "show", "display", "list", "print", "output", "open", "read", "get", "see", "view", "retrieve",
            "query", "show me",
        ],
    );
    shows
        && !verb_is(clause, &["show me"])
        && (clause.object.any(VISIBLE)
            || clause.mood == Mood::Wish
            || clause.has_condition && !clause.about.any(About::FILE.or(About::VCS).or(About::LOOKUP)))
}

/// "get the keys of a map in Python" asks for a piece of code, "find the Python files" for files.
fn asks_for_snippet(clause: &Clause) -> bool {
    let language = About::LANGUAGE.or(About::FRAMEWORK);
    let gets = ["get", "print", "read", "open", "count", "display", "retrieve", "output", "query"];
    verb_is(clause, &gets)
        && clause.about.any(language)
        && !clause.object.any(language)
        && !clause.names_place
}

/// "validate the e-mail field" wants code, "validate the build" does not.
fn is_input_validation(clause: &Clause) -> bool {
    verb_is(clause, &["validate"])
        && !clause.about.any(About::TESTS.or(About::CHECKS).or(About::CI))
        && clause.object.any(About::FIELD.or(About::CODE).or(About::INTERFACE).or(About::PERSONAL))
}

/// Tier 3 though nothing is written: what has to be thought through.
pub(crate) fn deep_question(clause: &Clause, context: About) -> Option<Because> {
    let about = clause.about;
    let analyses_security = about.any(About::SECURITY.or(About::VULNERABILITY))
        && (about.any(About::ANALYSIS)
            || verb_is(clause, &["audit", "assess", "analyze", "analyse", "audits"]));
    if analyses_security {
        return because(
            0.85,
            "a security analysis weighs what an attacker could do (precedence: an analysis or audit is \
                              tier 3, a direct question about named code is review)",
        );
    }
    match (clause.mood, clause.act) {
        (Mood::Decide, _) => {
            if clause.act == Some(Act::Run) {
                None
            } else {
                or_easier(0.72, "asks how something should be: a decision, not a look-up")
            }
        }
        (_, Some(Act::Design)) => {
            if is_small_design(clause) {
                None
            } else {
                or_easier(
                    0.85,
                    "designs or decides: system architecture and design stay with the orchestrator",
                )
            }
        }
        (_, Some(Act::Find)) if about.any(About::VULNERABILITY) && about.any(About::WHOLE) => {
            because(0.7, "a vulnerability assessment of a whole code base")
        }
        (Mood::Why | Mood::Judge, _) | (_, Some(Act::Debug | Act::Find)) if wants_cause(clause) => {
            if about.any(About::CONCURRENCY) || about.any(About::SUBTLE) && !about.any(About::TRACE) {
                or_easier(0.7, "a subtle fault without a clear trace")
            } else if about.any(About::ENVIRONMENT) && about.any(About::PRODUCTION) {
                or_easier(0.7, "differs between environments, and no trace says why")
            } else if context.any(About::SUBTLE) && !context.any(About::TRACE) && !about.any(About::TESTS) {
                or_easier(0.6, "a subtle fault without a clear trace")
            } else {
                None
            }
        }
        (_, Some(Act::Review)) => {
            if about.any(About::ARCHITECTURE.or(About::DISTRIBUTED))
                || about.any(About::CONCURRENCY) && about.any(About::WHOLE)
            {
                or_easier(0.75, "judges an architecture")
            } else {
                None
            }
        }
        (Mood::Judge, _) if about.any(About::ARCHITECTURE) => or_easier(0.7, "judges an architecture"),
        (Mood::How, _) if about.any(About::ARCHITECTURE) && about.any(About::APPROACH) => {
            or_easier(0.6, "asks for an architecture")
        }
        _ => None,
    }
}

/// A button, a test plan, some improvements at the end of a review: proposed, but nothing is decided by it.
fn is_small_design(clause: &Clause) -> bool {
    let about = clause.about;
    if about.any(About::ARCHITECTURE.or(About::DISTRIBUTED).or(About::APPROACH)) {
        return false;
    }
    let suggests = verb_is(clause, &["suggest", "propose", "recommend"]) && !about.any(About::WHOLE);
    suggests || about.any(VISIBLE) && !about.any(About::PROTOCOL) || about.any(About::TESTS)
}

/// Asks for the reason of something, not for the place of something.
fn wants_cause(clause: &Clause) -> bool {
    match (clause.mood, clause.act) {
        (Mood::Why, _) | (_, Some(Act::Debug)) => true,
        (_, Some(Act::Find)) => {
            clause.about.any(About::CAUSE)
                && !verb_is(clause, &["list", "grep", "search", "count", "show", "print", "view"])
                || clause.object.any(About::BUG)
                    && verb_is(
                        clause,
                        &["find", "identify", "locate", "pinpoint", "look for", "look at", "see"],
                    )
        }
        _ => false,
    }
}

/// Tier 1, validate: a question that a command of the project answers.
pub(crate) fn checks_by_command(clause: &Clause) -> Option<Because> {
    match (clause.mood, clause.act) {
        (Mood::Holds, _) => because(0.85, "a command of the project answers this"),
        (Mood::Lookup | Mood::Exists, _)
            if clause.about.any(About::VCS) && clause.about.any(About::LOOKUP) && clause.length < 8 =>
        {
            because(0.6, "git answers this")
        }
        (_, Some(Act::Check)) => {
            if clause.about.any(About::QUALITY.or(About::VULNERABILITY))
                && !clause.about.any(About::TESTS.or(About::CHECKS))
            {
                None
            } else if clause.object.any(
                About::TESTS
                    .or(About::CHECKS)
                    .or(About::SERVICE)
                    .or(About::CI)
                    .or(About::TRIVIAL)
                    .or(About::VCS),
            ) || clause.about.any(About::WORKING)
            {
                because(0.8, "runs the project's own checks")
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Tier 1, explore: search, list, count, read, summarise, facts about the code.
pub(crate) fn looks_up(clause: &Clause) -> Option<Because> {
    let about = clause.about;
    if wants_cause(clause) {
        return None;
    }
    match (clause.mood, clause.act) {
        (Mood::Exists | Mood::Lookup, _) => because(0.85, "a factual look-up"),
        (Mood::How, _) => {
            if about.any(About::ARCHITECTURE.or(About::CROSS).or(About::LOW_LEVEL).or(About::DISTRIBUTED)) {
                None
            } else {
                or_harder(0.6, "reads code and tells how it works")
            }
        }
        (Mood::HowTo, Some(Act::Run | Act::Vcs)) => or_harder(0.6, "asks for a command"),
        (Mood::HowTo, _) => None,
        (_, Some(Act::Find)) if verb_is(clause, &["see"]) => or_harder(0.45, "points somewhere"),
        (_, Some(Act::Find)) => because(0.9, "searches, lists, counts or reads"),
        (_, Some(Act::Explain)) => {
            if about.any(About::CAUSE.or(About::APPROACH))
                || about.any(About::ARCHITECTURE) && about.any(About::WHOLE)
            {
                None
            } else {
                or_harder(0.75, "reads and summarises")
            }
        }
        (_, Some(Act::Check)) => or_harder(0.6, "looks something up"),
        _ => None,
    }
}

/// Tier 2, review: judges code, or finds the cause of something with a clue.
pub(crate) fn judges(clause: &Clause, context: About) -> Option<Because> {
    let about = clause.about;
    match (clause.mood, clause.act) {
        (Mood::Judge, _) if about.any(About::SECURITY.or(About::VULNERABILITY)) => or_harder(
            0.75,
            "a direct question about the security of named code (precedence: a question about named code is review, \
             an analysis or audit is tier 3)",
        ),
        (Mood::Judge, _) => or_harder(0.8, "judges code that is there"),
        (Mood::Why, _) => or_harder(if context.any(About::TRACE) { 0.85 } else { 0.75 }, "finds a cause"),
        (Mood::HowTo, _) => because(0.7, "asks for a standard way to do something"),
        (Mood::Decide, _) => or_harder(0.6, "asks which command to use"),
        (_, Some(Act::Debug)) => {
            or_harder(if about.any(About::TRACE) || clause.names_place { 0.85 } else { 0.65 }, "debugs")
        }
        (_, Some(Act::Review)) if about.any(About::WHOLE) => or_harder(0.6, "reviews a whole code base"),
        (_, Some(Act::Review)) => because(0.85, "reviews code"),
        (_, Some(Act::Find)) => or_harder(0.75, "finding a fault is diagnosis, not search"),
        (_, Some(Act::Explain)) | (Mood::How, _) => {
            because(0.65, "explains something that has to be understood first")
        }
        (_, Some(Act::Check)) => or_harder(0.65, "judges code that is there"),
        (_, Some(Act::Design)) => or_harder(0.6, "designs something small"),
        _ => or_harder(0.55, "reads and judges"),
    }
}

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

/// Technical writing that needs the code to be understood: tier 2.
pub(crate) fn documents_with_insight(clause: &Clause) -> Option<Because> {
    documents(clause)?;
    let about = clause.about;
    if about.any(About::TYPO) {
        return None;
    }
    if about.any(About::INSIGHT.or(About::ARCHITECTURE).or(About::PROTOCOL)) && about.any(About::DOCS)
        || clause.object.any(About::ARCHITECTURE)
    {
        return because(0.7, "technical documentation needs the code to be understood");
    }
    if about.any(About::WHOLE) {
        return or_easier(0.6, "documentation of all of it needs the code to be understood");
    }
    None
}

/// Flowchart, question 3: are docs and comments all that changes?
pub(crate) fn documents(clause: &Clause) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    if object.any(About::TYPO)
        || about.any(About::TYPO) && matches!(clause.act, Some(Act::Fix | Act::Change) | None)
    {
        return because(0.9, "corrects words, not logic");
    }
    match clause.act {
        Some(Act::Document) => because(0.85, "writes documentation"),
        Some(Act::Explain) if about.any(About::DOCS) => because(0.8, "writes documentation"),
        Some(
            Act::Add
            | Act::Change
            | Act::Fix
            | Act::Remove
            | Act::Improve
            | Act::Refactor
            | Act::Upgrade
            | Act::Setup
            | Act::Check
            | Act::Run,
        ) if object.any(About::DOCS) && !is_doc_feature(clause) => {
            because(0.85, "writes or updates documentation")
        }
        Some(Act::Add | Act::Change | Act::Fix | Act::Remove | Act::Improve | Act::Refactor)
            if clause.is_in_docs =>
        {
            because(0.75, "changes what stands in documentation")
        }
        None if object.any(About::DOCS) && clause.mood == Mood::Title => {
            or_harder(0.65, "is about documentation")
        }
        _ => None,
    }
}

/// "add a comment form": comments as a feature.
fn is_doc_feature(clause: &Clause) -> bool {
    clause.object.any(About::INTERFACE.or(About::TESTS).or(About::BUG).or(About::CI))
        || clause.object.has(About::DOCS.or(About::CODE))
            && !clause.object.any(About::FILE)
            && !clause.object.any(About::LOOKUP)
}

/// Tier 1 that writes: boilerplate, chores, well-known small edits.
///
/// Seed 000 has no executor of tier 1 that may write code, though its tier 1 names boilerplate and typos. Here
/// that is `implement` on tier 1: the tools of the one, the price of the other.
pub(crate) fn is_mechanical(clause: &Clause) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    let deep = about.any(DEEP_FAULT.or(About::ARCHITECTURE).or(About::VULNERABILITY));
    if deep {
        return None;
    }
    match clause.act {
        Some(Act::Add | Act::Setup) if about.any(About::MIGRATION) && about.any(About::FIELD) => {
            because(0.75, "a migration that adds a column follows a template")
        }
        Some(Act::Upgrade) => {
            if verb_is(clause, &["bump", "bumps", "bumped", "bumping", "pin", "pinned", "pins", "roll"]) {
                or_harder(0.8, "sets another version number")
            } else if about.any(About::FRAMEWORK) || about.any(About::WHOLE.or(About::BREAKING)) {
                None
            } else if about.any(About::NUMBER) || object.any(About::TRIVIAL) {
                or_harder(0.6, "sets another version number")
            } else {
                None
            }
        }
        Some(Act::Change)
            if verb_is(clause, &["update", "updates", "updated", "updating", "set"])
                && is_version_bump(clause) =>
        {
            or_harder(0.65, "sets another version number")
        }
        Some(Act::Add | Act::Change | Act::Remove | Act::Fix | Act::Refactor)
            if object.any(About::TRIVIAL) && !object.any(About::BUG.or(About::TESTS)) =>
        {
            or_harder(0.7, "a chore without an effect on what the program does")
        }
        Some(Act::Remove | Act::Fix) if object.any(About::TRIVIAL) && !about.any(About::TESTS) => {
            or_harder(0.6, "a chore without an effect on what the program does")
        }
        Some(Act::Change | Act::Refactor) if sets_one_property(clause) => {
            or_harder(0.55, "sets one property of what is seen")
        }
        Some(Act::Add) if object.any(About::DEPENDENCY) && !object.any(PIECE) && about.any(About::FILE) => {
            or_harder(0.55, "adds a line to a manifest")
        }
        None if about.any(About::SMALL) && clause.mood == Mood::Title && clause.length <= 3 => {
            or_harder(0.6, "its author calls it small")
        }
        None if object.any(About::TRIVIAL) && !about.any(About::BUG) && clause.length <= 6 => {
            or_harder(0.6, "a chore without an effect on what the program does")
        }
        None if about.any(About::NUMBER)
            && (about.any(About::RELEASE) || clause.length <= 2)
            && clause.mood == Mood::Title =>
        {
            or_harder(0.65, "marks a release")
        }
        None if about.any(About::VCS)
            && !about.any(About::BUG.or(About::CODE).or(About::FEATURE))
            && clause.mood == Mood::Title
            && clause.length <= 5 =>
        {
            or_harder(0.6, "simple version control")
        }
        _ => None,
    }
}

/// "change the title to …", "center the label": one value, one place.
fn sets_one_property(clause: &Clause) -> bool {
    let verbs = [
        "change", "set", "update", "rename", "replace", "center", "centre", "align", "reduce", "increase",
        "lower", "raise",
    ];
    let other = About::BUG
        .or(About::WHOLE)
        .or(About::TESTS)
        .or(About::DATA)
        .or(About::SECURITY)
        .or(About::PERFORMANCE);
    verb_is(clause, &verbs)
        && clause.object.any(About::LOOKS)
        && clause.length <= 12
        && !clause.has_condition
        && !clause.about.any(other)
}

fn is_version_bump(clause: &Clause) -> bool {
    let about = clause.about;
    !about.any(About::FRAMEWORK.or(About::WHOLE).or(About::BREAKING))
        && (about.has(About::DEPENDENCY.or(About::NUMBER))
            || clause.object.any(About::NUMBER)
            || clause.object.any(About::DEPENDENCY) && clause.length <= 4)
}

/// Flowchart, question 5, and the eight categories of tier 3.
pub(crate) fn needs_judgement(clause: &Clause, context: About) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    let repairs = matches!(clause.act, Some(Act::Fix)) || clause.mood == Mood::Report;
    let builds = matches!(
        clause.act,
        Some(
            Act::Add
                | Act::Change
                | Act::Setup
                | Act::Run
                | Act::Refactor
                | Act::Migrate
                | Act::Improve
                | Act::Optimize
                | Act::Fix
        )
    ) || matches!(clause.mood, Mood::Wish | Mood::Title);
    if clause.mood == Mood::Order
        && clause.act == Some(Act::Add)
        && object.any(About::TESTS)
        && !object.any(About::ARCHITECTURE)
    {
        return None;
    }
    if repairs || clause.mood == Mood::Title {
        if about.any(About::CONCURRENCY) && !about.any(About::TESTS) {
            return or_easier(if repairs { 0.7 } else { 0.65 }, "a fault of concurrency");
        }
        if about.any(About::SUBTLE) && !(context.any(About::TRACE) && clause.names_place) {
            return or_easier(0.65, "a subtle fault without a clear trace");
        }
        if about.any(About::VULNERABILITY) {
            return or_easier(0.65, "closes a hole that an attacker could use");
        }
        if repairs && about.any(About::PERFORMANCE) && !clause.names_means {
            return or_easier(0.6, "performance needs insight into the algorithm");
        }
        if repairs && about.any(About::WHOLE) && clause.lacks_object {
            return or_easier(0.6, "it is not said what is wanted");
        }
    }
    if clause.mood == Mood::Report {
        if about.any(About::PRODUCTION) && about.any(About::ENVIRONMENT) {
            return or_easier(0.65, "differs between environments, and no trace says why");
        }
        if about.any(About::MONEY.or(About::LOSS)) {
            return or_easier(0.6, "an error here would be costly to recover from");
        }
        if about.any(About::LOW_LEVEL.or(About::DISTRIBUTED)) {
            return or_easier(0.5, "a fault deep in the system");
        }
        if context.any(About::SUBTLE) && !context.any(About::TRACE) {
            return or_easier(0.55, "a subtle fault without a clear trace");
        }
    }
    let reduces = verb_is(clause, &["reduce", "decrease", "lower", "minimize", "minimise", "cut"]);
    if reduces && about.any(About::PERFORMANCE) && !clause.names_means {
        return or_easier(0.6, "performance needs insight into the algorithm");
    }
    if verb_is(clause, &["make"])
        && !clause.object_is_new
        && about.any(About::WHOLE)
        && !about.any(About::DOCS.or(About::TESTS))
    {
        return or_easier(0.6, "it is not said what is wanted");
    }
    if clause.act == Some(Act::Optimize) || clause.act == Some(Act::Improve) && about.any(About::PERFORMANCE)
    {
        return if clause.names_means {
            None
        } else {
            or_easier(0.6, "performance needs insight into the algorithm")
        };
    }
    if clause.act == Some(Act::Improve)
        && (clause.lacks_object || about.any(About::WHOLE) && !about.any(VISIBLE))
    {
        return or_easier(0.6, "it is not said what is wanted");
    }
    if clause.act == Some(Act::Upgrade) {
        return if about.any(About::FRAMEWORK) && !verb_is(clause, &["bump"]) {
            or_easier(0.7, "a framework's new major version changes code in many places")
        } else if about.any(About::WHOLE.or(About::BREAKING)) {
            or_easier(0.6, "upgrades all of it at once")
        } else {
            None
        };
    }
    if clause.act == Some(Act::Change)
        && about.any(About::FRAMEWORK)
        && about.any(About::NUMBER)
        && verb_is(clause, &["update"])
    {
        return or_easier(0.6, "a framework's new major version changes code in many places");
    }
    if clause.act == Some(Act::Migrate) {
        let small = about.any(About::TESTS.or(About::CI).or(About::DOCS))
            || clause.names_place && !about.any(About::WHOLE);
        return if small { None } else { or_easier(0.65, "a migration changes code in many places") };
    }
    if clause.act == Some(Act::Setup) && about.any(About::CI) && !clause.names_means && names_ci_cd(about) {
        return or_easier(0.6, "a pipeline has to be designed before it is built");
    }
    if !builds {
        return None;
    }
    if about.any(About::LOW_LEVEL.or(About::DISTRIBUTED))
        && !about.any(VISIBLE.or(About::TESTS).or(About::DOCS))
    {
        return or_easier(0.5, "work deep in the system");
    }
    if object.any(About::CACHE)
        && clause.act == Some(Act::Add)
        && !clause.names_means
        && !clause.names_place
        && !object.any(PIECE)
    {
        return or_easier(0.65, "caching asks what may be stale, and for how long");
    }
    if object.any(About::ARCHITECTURE)
        || about.any(About::ARCHITECTURE)
            && matches!(clause.act, Some(Act::Refactor | Act::Change | Act::Migrate))
    {
        return or_easier(0.7, "system architecture");
    }
    if object.any(About::DISTRIBUTED.or(About::NOVEL))
        || about.any(About::DISTRIBUTED) && about.any(About::DATA)
    {
        return or_easier(0.65, "distributed or novel: no standard approach to follow");
    }
    if object.any(About::ALGORITHM) && matches!(clause.act, Some(Act::Add | Act::Change | Act::Run)) {
        return or_easier(0.55, "an algorithm to be worked out");
    }
    if object.any(About::CONCURRENCY) && !about.any(About::TESTS) {
        return or_easier(0.6, "things that happen at the same time");
    }
    if about.any(About::CROSS) {
        return or_easier(0.6, "coordinated changes in several parts");
    }
    if about.any(About::WHOLE) && matches!(clause.act, Some(Act::Refactor)) {
        return or_easier(0.6, "a restructuring of all of it");
    }
    if about.any(About::WHOLE) && clause.act == Some(Act::Run) && about.any(About::CODE) {
        return or_easier(0.55, "a whole system from the beginning");
    }
    if object.any(About::BREAKING) && about.any(About::PROTOCOL.or(About::CODE)) {
        return or_easier(0.55, "others have to change with it");
    }
    if object.any(About::SECURITY)
        && !object.any(PIECE)
        && matches!(clause.act, Some(Act::Add | Act::Change | Act::Setup))
        && !clause.names_means
    {
        return or_easier(0.55, "who may do what has to be thought through");
    }
    if object.any(About::LOW_LEVEL)
        && matches!(clause.act, Some(Act::Add | Act::Optimize))
        && !object.any(VISIBLE)
    {
        return or_easier(0.5, "work deep in the system");
    }
    let grave = About::ALGORITHM.or(About::ARCHITECTURE).or(About::SUBTLE).or(About::MONEY).or(About::SECRET);
    let tame = About::TRACE.or(About::INTERFACE).or(About::TESTS).or(About::DOCS);
    if (about | context).any(grave) && !(about | context).any(tame) && !clause.names_means {
        return or_easier(0.55, "it touches what is hard to get right, or costly to get wrong");
    }
    None
}

fn names_ci_cd(about: About) -> bool {
    about.any(About::CI)
}

/// Flowchart, question 6: standard engineering, tier 2.
pub(crate) fn is_standard(clause: &Clause, context: About) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    if let Some(act) = clause.act {
        return match act {
            Act::Add if object.any(About::TESTS) => {
                because(0.85, "tests that need the logic to be understood")
            }
            Act::Fix if clause.lacks_object => or_harder(0.45, "it is not said what is to be fixed"),
            Act::Fix if about.any(About::TRACE) || clause.names_place || context.any(About::TRACE) => {
                because(0.85, "a fault with a clue")
            }
            Act::Fix => or_harder(0.75, "a fault to be repaired"),
            Act::Improve => or_harder(0.55, "better is not said how"),
            Act::Remove => or_easier(0.65, "takes something out of the code"),
            Act::Refactor => because(0.8, "refactoring along known lines"),
            Act::Change => or_easier(0.7, "a change that is said"),
            Act::Setup | Act::Upgrade | Act::Migrate | Act::Deploy => {
                because(0.6, "configuration along known lines")
            }
            Act::Optimize => or_harder(0.65, "an optimisation that is said"),
            Act::Vcs if about.any(About::CONFLICT) => because(0.7, "a merge conflict"),
            _ if object.any(PIECE) => because(0.85, "a feature along known lines"),
            _ => because(0.7, "a feature along known lines"),
        };
    }
    match clause.mood {
        Mood::Report if context.any(About::TRACE) => because(0.8, "a fault with a clue"),
        Mood::Report => or_harder(0.6, "a fault to be repaired"),
        Mood::Wish => because(0.7, "a feature along known lines"),
        Mood::Forbid => because(0.6, "something is not to happen any more"),
        Mood::Title if about.any(About::TESTS) => because(0.65, "is about tests"),
        Mood::Title if about.any(PIECE.or(About::BUG)) => {
            because(0.55, "names a part of the code, not what is to be done")
        }
        _ => None,
    }
}
