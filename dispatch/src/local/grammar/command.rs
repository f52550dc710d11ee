//! Rules about the project's own commands: its tests, linters, type checkers, builds and format checks.

use shared::project::Purpose::{self, Build, Format, Lint, Test, Types};

use super::{Rule, scope, slot};
use crate::local::cursor::Cursor;
use crate::local::intent::{Intent, Place, Run};
use crate::local::words::Token;

pub(super) const RULES: &[Rule] = &[run, question, tool, everything];

/// What each purpose is called.
const NAMES: [(Purpose, &[&str]); 5] = [
    (
        Test,
        &[
            "project|unit|whole|full|complete|entire|existing|rust|python|go|javascript? unit? test suite|suites",
            "project|unit|whole|full|complete|entire|existing|rust|python|go|javascript? unit? tests|testsuite",
        ],
    ),
    (
        Types,
        &[
            "static? type checks|check|checker|checking",
            "type-check|type-checks|type-checker|type-checking|typecheck|typechecks|typechecker|typechecking",
        ],
    ),
    (
        Format,
        &[
            "code? format|formatting|fmt check|checks|checker",
            "code? format-check|fmt-check",
            "code? formatting",
        ],
    ),
    (Lint, &["project|code? linter|linters|linting|lint|lints check|checks?", "static code? analysis"]),
    (Build, &["project|debug? build", "compilation"]),
];

fn purpose(cursor: &mut Cursor) -> Option<Purpose> {
    cursor.eat("all|our|my");
    NAMES.into_iter().find(|(_, names)| cursor.eat_any(names)).map(|(purpose, _)| purpose)
}

/// Eats `tests, lint and type check`.
fn purposes(cursor: &mut Cursor, found: &mut Vec<Purpose>) -> Option<()> {
    push(found, purpose(cursor)?);
    while let Some(next) = cursor.attempt(|cursor| {
        slot::separator(cursor).then_some(())?;
        cursor.eat("run|check|execute");
        purpose(cursor).or_else(|| verb(cursor))
    }) {
        push(found, next);
    }
    Some(())
}

fn push(found: &mut Vec<Purpose>, purpose: Purpose) {
    if !found.contains(&purpose) {
        found.push(purpose);
    }
}

/// Eats a purpose said as a verb: `lint the code`, `build the project`.
fn verb(cursor: &mut Cursor) -> Option<Purpose> {
    let found = cursor.eat_map(|token| match token.lower()? {
        "lint" => Some(Lint),
        "build" | "compile" => Some(Build),
        "typecheck" | "type-check" => Some(Types),
        "test" => Some(Test),
        _ => None,
    });
    let found = found.or_else(|| cursor.eat("type check").then_some(Types))?;
    object(cursor);
    Some(found)
}

/// Eats the project as an object.
fn object(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&[
        "this|our|my|whole|entire? project|code|codebase|repo|repository|workspace|sources|everything",
        "code base",
        "everything|it",
    ])
}

/// `run the tests`, `lint and type-check the code`, `check the formatting`, `run the test "name"`.
fn run(cursor: &mut Cursor) -> Option<Intent> {
    let mut run = Run::default();
    let looking = cursor.eat("check|verify");
    if looking || cursor.eat("run|re-run|rerun|execute|perform|start") {
        if let Some(one) = cursor.attempt(one_test) {
            run.purposes.push(Test);
            run.test = Some(one);
            only_in(cursor, &mut run)?;
            return Some(Intent::Run(run));
        }
        purposes(cursor, &mut run.purposes)?;
        // To check the tests is to read them.
        (!looking || !run.purposes.contains(&Test)).then_some(())?;
    } else {
        push(&mut run.purposes, verb(cursor)?);
        while let Some(next) = cursor.attempt(|cursor| {
            slot::separator(cursor).then_some(())?;
            if cursor.eat("run|check|execute") { purpose(cursor) } else { verb(cursor) }
        }) {
            push(&mut run.purposes, next);
        }
    }
    only_in(cursor, &mut run)?;
    Some(Intent::Run(run))
}

/// Eats the one test that is meant.
fn one_test(cursor: &mut Cursor) -> Option<String> {
    cursor.eat("only|just");
    cursor.eat("single");
    if cursor.eat_any(&["test|tests named|called|matching", "test case|function named|called?"]) {
        return test_name(cursor, true);
    }
    if cursor.eat("test") {
        return test_name(cursor, false);
    }
    let name = test_name(cursor, false)?;
    cursor.eat_any(&["test|tests case|function?"]).then_some(name)
}

/// Eats the name of a test: quoted, or written as only a name can be.
fn test_name(cursor: &mut Cursor, any: bool) -> Option<String> {
    cursor.eat_map(|token| {
        let (Token::Word { raw: text, .. } | Token::Quoted(text)) = token else { return None };
        let quoted = matches!(token, Token::Quoted(_));
        let formed = text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && text.chars().all(|c| c.is_alphanumeric() || "_:.-[]/".contains(c) || (quoted && c == ' '));
        let name = any || quoted || text.contains('_') || text.contains("::");
        let camel = text.starts_with("Test")
            && text.len() > 5
            && text.chars().filter(|c| c.is_uppercase()).count() > 1;
        (formed && (name || camel)).then(|| text.trim_end_matches("()").to_owned())
    })
}

/// Eats where the tests are, and other things that limit nothing.
fn only_in(cursor: &mut Cursor, run: &mut Run) -> Option<()> {
    loop {
        if scope::whole(cursor)
            || cursor.eat_any(&[
                "of|for|on this|our|my? whole|entire? project|codebase|code|repo|repository|workspace",
                "on everything",
                "suite",
            ])
        {
            continue;
        }
        if run.package.is_none()
            && run.place.is_none()
            && let Some(package) = cursor.attempt(package)
        {
            run.package = Some(package);
            continue;
        }
        if run.place.is_none() && run.package.is_none() {
            let position = cursor.position();
            let any = cursor.eat("in|under");
            if any || cursor.eat("of|for|from|on") {
                if let Some(place) = scope::directory_or_file(cursor).filter(|place| place.sure || any) {
                    run.place = Some(place);
                    continue;
                }
                cursor.back_to(position);
            }
        }
        // A report is what every run ends with.
        if cursor.eat_any(&[
            "and then? report|tell|show|list me|us? results|result|failures",
            "and then? report|tell|show|list me|us? failing|failed tests|ones",
            "and then? report|tell me|us? what fails|failed",
        ]) {
            continue;
        }
        return Some(());
    }
}

fn package(cursor: &mut Cursor) -> Option<String> {
    cursor.eat("in|of|for|on").then_some(())?;
    let before = cursor.eat("crate|package");
    let (name, _, _) = slot::package(cursor)?;
    let after = cursor.eat("crate|package");
    (before || after).then_some(name)
}

/// `do the tests pass`, `does it compile`, `are there any lint errors`, `is the code formatted`.
fn question(cursor: &mut Cursor) -> Option<Intent> {
    cursor.eat_any(&["check|verify|see|tell|find out? me? if|whether|that"]);
    let mut run = Run::default();
    if cursor.eat("do|does|did|will") {
        if object(cursor) {
            cursor.eat("still");
            run.purposes.push(pass_verb(cursor)?);
        } else {
            purposes(cursor, &mut run.purposes)?;
            cursor.eat("still|all|currently");
            cursor
                .eat_any(&["pass|passes|succeed|succeeds|work|works", "run clean|through?"])
                .then_some(())?;
        }
    } else if cursor.eat_any(&[
        "are|is there any|some?",
        "any",
        "do|does we|i have any?",
        "list|show|find|give|get me? all? any?",
    ]) {
        run.purposes.push(complaints(cursor)?);
    } else if cursor.eat("is|are") {
        if cursor.attempt(|cursor| object(cursor).then_some(())).is_some() {
            let found =
                cursor.eat_any(&["correctly|properly|well? formatted correctly|properly?"]).then_some(Format);
            run.purposes
                .push(found.or_else(|| cursor.eat_any(&["lint clean|free", "lint-clean"]).then_some(Lint))?);
        } else if let Some(what) = cursor.attempt(complaints_subject) {
            run.purposes.push(what);
        } else {
            purposes(cursor, &mut run.purposes)?;
            cursor.eat("still|all|currently");
            cursor
                .eat_any(&["passing|green|succeeding|working|broken|failing|red|clean|ok|okay|correct"])
                .then_some(())?;
        }
    } else if cursor.eat("which|what") {
        cursor.eat_any(&["tests fail|failed|break", "tests are failing|broken|red"]).then_some(())?;
        run.purposes.push(Test);
    } else if object(cursor) {
        run.purposes.push(pass_verb(cursor)?);
    } else {
        purposes(cursor, &mut run.purposes)?;
        cursor.eat("still|all");
        cursor.eat("pass|passes|succeed|succeeds|work|works").then_some(())?;
    }
    only_in(cursor, &mut run)?;
    Some(Intent::Run(run))
}

fn pass_verb(cursor: &mut Cursor) -> Option<Purpose> {
    if cursor.eat("compile|compiles|build|builds") {
        return Some(Build);
    }
    if cursor.eat_any(&["typecheck|typechecks|type-check|type-checks", "type check|checks"]) {
        return Some(Types);
    }
    if cursor.eat_any(&["pass|passes its|our|all? tests"]) {
        return Some(Test);
    }
    if cursor.eat_any(&["pass|passes lint|linting|linter checks?", "lint cleanly?"]) {
        return Some(Lint);
    }
    None
}

/// Eats what tools complain of, and so names the tool.
fn complaints(cursor: &mut Cursor) -> Option<Purpose> {
    if cursor.eat_any(&["lint|linter|linting|clippy errors|warnings|issues|problems|violations|findings"]) {
        return Some(Lint);
    }
    if cursor.eat_any(&["type|typing checker? errors|problems|issues"]) {
        return Some(Types);
    }
    if cursor.eat_any(&["compile|compiler|compilation|build errors|failures|warnings"]) {
        return Some(Build);
    }
    if cursor.eat_any(&["failing|failed|broken tests", "test failures", "tests failing"]) {
        return Some(Test);
    }
    if cursor.eat_any(&["format|formatting errors|issues|problems|violations"]) {
        return Some(Format);
    }
    None
}

/// `any lint errors` without a verb before it.
fn complaints_subject(cursor: &mut Cursor) -> Option<Purpose> {
    cursor.eat("any|there").then_some(())?;
    complaints(cursor)
}

/// A tool by its own name: `run clippy`, `run cargo test`, `cargo fmt --check`, `run pytest`.
fn tool(cursor: &mut Cursor) -> Option<Intent> {
    /// What is typed, the purpose, the tool as detection names it.
    const TOOLS: &[(&str, Purpose, &str)] = &[
        ("cargo test|t", Test, "cargo"),
        ("cargo clippy", Lint, "clippy"),
        ("cargo check", Types, "cargo"),
        ("cargo build", Build, "cargo"),
        ("clippy", Lint, "clippy"),
        ("pytest", Test, "pytest"),
        ("unittest", Test, "unittest"),
        ("ruff check?", Lint, "ruff"),
        ("flake8", Lint, "flake8"),
        ("pylint", Lint, "pylint"),
        ("mypy", Types, "mypy"),
        ("pyright", Types, "pyright"),
        ("eslint", Lint, "eslint"),
        ("tsc", Types, "tsc"),
        ("prettier check", Format, "prettier"),
        ("npm run? test|tests", Test, "npm"),
        ("npm run lint", Lint, "npm"),
        ("npm run build", Build, "npm"),
        ("pnpm run? test", Test, "pnpm"),
        ("pnpm run? lint", Lint, "pnpm"),
        ("pnpm run? build", Build, "pnpm"),
        ("yarn run? test", Test, "yarn"),
        ("yarn run? lint", Lint, "yarn"),
        ("yarn run? build", Build, "yarn"),
        ("bun run test", Test, "bun"),
        ("go vet", Lint, "go"),
        ("go test", Test, "go"),
        ("go build", Build, "go"),
        ("golangci-lint run?", Lint, "golangci-lint"),
        ("rspec", Test, "rspec"),
        ("rubocop", Lint, "rubocop"),
        ("phpunit", Test, "phpunit"),
        ("phpstan", Types, "phpstan"),
        ("make test|check", Test, "make"),
        ("make lint", Lint, "make"),
        ("make build|all", Build, "make"),
        ("just test", Test, "just"),
        ("just lint", Lint, "just"),
        ("just build", Build, "just"),
        ("mvn test", Test, "maven"),
        ("gradle test", Test, "gradle"),
        ("ctest", Test, "ctest"),
        ("mix test", Test, "mix"),
        ("dotnet test", Test, "dotnet"),
        ("swift test", Test, "swift"),
    ];
    cursor.eat("run|execute|check|does|do");
    let mut run = Run::default();
    if cursor.eat("cargo fmt") {
        cursor.eat("--all");
        cursor.eat("--check|check").then_some(())?;
        run.purposes.push(Format);
        run.tool = Some("rustfmt".to_owned());
        return Some(Intent::Run(run));
    }
    let (_, purpose, tool) = TOOLS.iter().find(|(words, _, _)| cursor.eat(words))?;
    run.purposes.push(*purpose);
    run.tool = Some((*tool).to_owned());
    cursor.eat("pass|passes|succeed|succeeds|still pass?");
    while cursor.eat("--workspace|--all|--all-targets|./...") {}
    if *purpose == Test && matches!(*tool, "cargo" | "pytest" | "go") {
        run.package = cursor.attempt(|cursor| {
            cursor.eat("-p|--package").then_some(())?;
            slot::package(cursor).map(|(name, _, _)| name)
        });
        run.test = cursor.attempt(|cursor| match *tool {
            "cargo" => test_name(cursor, true),
            "pytest" => cursor.eat("-k").then(|| test_name(cursor, true)).flatten(),
            _ => cursor.eat("-run").then(|| test_name(cursor, true)).flatten(),
        });
        if *tool == "pytest" && run.test.is_none() {
            run.place = slot::sure_place(cursor).map(|place| Place { sure: true, ..place });
        }
    }
    only_in(cursor, &mut run)?;
    Some(Intent::Run(run))
}

/// `validate the project`: tests, lint and types together (the contract of the `validate` executor).
fn everything(cursor: &mut Cursor) -> Option<Intent> {
    if cursor.eat("validate") {
        object(cursor);
    } else {
        cursor
            .eat_any(&[
                "run|execute|perform do? all|every|full project|code|quality? checks|validation|validations",
                "run|perform full? validation",
                "check everything",
                "run everything",
            ])
            .then_some(())?;
    }
    let mut run = Run { purposes: vec![Test, Lint, Types], as_available: true, ..Run::default() };
    only_in(cursor, &mut run)?;
    Some(Intent::Run(run))
}
