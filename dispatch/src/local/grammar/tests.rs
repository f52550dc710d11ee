use super::*;
use crate::local::intent::*;

/// Writes every field of an intent, so that a line of the table says all that was understood.
fn notation(intent: &Intent) -> String {
    match intent {
        Intent::Files { scope, show: Show::Count } => format!("count files{}", of_scope(scope)),
        Intent::Files { scope, .. } => format!("files{}", of_scope(scope)),
        Intent::Directories { scope, deep, show } => {
            let count = if *show == Show::Count { "count " } else { "" };
            format!("{count}directories{}{}", if *deep { "" } else { " top" }, of_scope(scope))
        }
        Intent::List { place } => format!("list {}", of_place(place)),
        Intent::Tree { place, depth: None } => format!("tree {}", of_place(place)),
        Intent::Tree { place, depth: Some(depth) } => format!("tree {} depth:{depth}", of_place(place)),
        Intent::Largest { scope, by, count } => format!("largest {count} {by:?}{}", of_scope(scope)),
        Intent::Search { pattern, scope, show } => {
            let kind = match &pattern.kind {
                PatternKind::Definition(Some(what)) => format!("definition({what})"),
                PatternKind::Definition(None) => "definition".to_owned(),
                kind => format!("{kind:?}").to_lowercase(),
            };
            let show = format!("{show:?}").to_lowercase();
            let case = if pattern.insensitive { " anycase" } else { "" };
            let sure = if pattern.sure { "" } else { "?" };
            format!("{show} {kind}:{}{sure}{case}{}", pattern.texts.join("|"), of_scope(scope))
        }
        Intent::Lines { scope } => format!("lines{}", of_scope(scope)),
        Intent::Read { file, part: Part::Whole } => format!("read {}", of_place(file)),
        Intent::Read { file, part } => format!("read {} {part:?}", of_place(file)),
        Intent::Exists { place } => format!("exists {}", of_place(place)),
        Intent::Version { of: Versioned::Project } => "version".to_owned(),
        Intent::Version { of: Versioned::Name { name, sure } } => {
            format!("version of {name}{}", if *sure { "" } else { "?" })
        }
        Intent::Dependencies { of } => format!("dependencies {}", of_place(of)),
        Intent::Git(git) => format!("git {}", of_git(git)),
        Intent::Run(run) => {
            let purposes: Vec<&str> = run.purposes.iter().map(|purpose| purpose.as_str()).collect();
            let mut text = format!("run {}", purposes.join(","));
            for (name, value) in [("tool", &run.tool), ("test", &run.test), ("package", &run.package)] {
                text.extend(value.iter().map(|value| format!(" {name}:{value}")));
            }
            text.push_str(if run.as_available { " as-available" } else { "" });
            text.extend(run.place.iter().map(|place| format!(" in:{}", of_place(place))));
            text
        }
        Intent::Command { argv } => format!("command {argv:?}"),
    }
}

fn of_place(place: &Place) -> String {
    let path = if place.path.is_empty() { "." } else { &place.path };
    format!("{path}{}", if place.sure { "" } else { "?" })
}

fn of_places(places: &[Place]) -> String {
    places.iter().map(of_place).collect::<Vec<_>>().join(",")
}

fn of_scope(scope: &Scope) -> String {
    let mut text = String::new();
    for filter in &scope.filters {
        text.push_str(&match filter {
            Filter::Kind(kind) => format!(" kind:{kind}"),
            Filter::Extension(extension) => format!(" ext:{extension}"),
            Filter::Name(name) => format!(" name:{name}"),
            Filter::Glob(glob) => format!(" glob:{glob}"),
            Filter::NameContains(part) => format!(" name~{part}"),
            Filter::NameStarts(part) => format!(" name^{part}"),
            Filter::NameEnds(part) => format!(" name${part}"),
            Filter::LargerThan(bytes) => format!(" bytes>{bytes}"),
            Filter::LongerThan(lines) => format!(" lines>{lines}"),
            Filter::Empty => " empty".to_owned(),
        });
    }
    if !scope.under.is_empty() {
        text.push_str(&format!(" in:{}", of_places(&scope.under)));
    }
    if !scope.except.is_empty() {
        text.push_str(&format!(" without:{}", of_places(&scope.except)));
    }
    text
}

fn of_git(git: &Git) -> String {
    let of_log = |log: &Log| {
        let mut text = String::new();
        text.extend(log.count.map(|count| format!(" {count}")));
        text.extend(log.author.iter().map(|author| format!(" by:{author}")));
        text.extend(log.since.iter().map(|since| match since {
            Since::Date(date) => format!(" since-date:{date}"),
            Since::Revision(revision) => format!(" since:{revision}"),
        }));
        text.extend(log.revision.iter().map(|revision| format!(" on:{revision}")));
        text.extend(log.message.iter().map(|message| format!(" message:{message}")));
        if !log.paths.is_empty() {
            text.push_str(&format!(" of:{}", of_places(&log.paths)));
        }
        text
    };
    match git {
        Git::Changed(what) => format!("changed {what:?}"),
        Git::Log(log) => format!("log{}", of_log(log)),
        Git::CountCommits(log) => format!("count-commits{}", of_log(log)),
        Git::Diff { what, paths, show } => {
            let what = match what {
                Diff::Since(revision) => format!("since:{revision}"),
                Diff::Between(from, to) => format!("{from}..{to}"),
                other => format!("{other:?}"),
            };
            let paths = if paths.is_empty() { String::new() } else { format!(" of:{}", of_places(paths)) };
            format!("diff {what} {show:?}{paths}")
        }
        Git::Show { revision, show } => format!("show {revision} {show:?}"),
        Git::LastChange { file } => format!("last-change {}", of_place(file)),
        Git::Blame { file, lines } => format!("blame {} {lines:?}", of_place(file)),
        Git::Authors { paths, count } => format!("authors count:{count} {}", of_places(paths)),
        Git::Tracked { file } => format!("tracked {}", of_place(file)),
        other => format!("{other:?}"),
    }
}

/// All texts that are understood.
pub(in crate::local) fn examples() -> impl Iterator<Item = &'static str> {
    [FILES, SEARCHES, READING, HISTORY, COMMANDS].into_iter().flatten().map(|(text, _)| *text)
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(text, expected)| {
            let understood = match understand(text) {
                Ok(intent) => notation(&intent),
                Err(reason) => format!("declined: {reason}"),
            };
            (understood != *expected)
                .then(|| format!("{text}\n  expected {expected}\n  is       {understood}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

const FILES: &[(&str, &str)] = &[
    ("list all Rust files", "files kind:Rust"),
    ("Find every Python file in src.", "files kind:Python in:src?"),
    ("please list all markdown files in the docs directory", "files kind:Markdown in:docs"),
    ("find *.toml", "files ext:toml"),
    ("find all .rs files under dispatch/src", "files ext:rs in:dispatch/src"),
    ("show me all yaml files", "files kind:YAML"),
    ("find all files named mod.rs", "files name:mod.rs"),
    ("find files called `Dockerfile`", "files name:Dockerfile"),
    ("list files with extension json in config/", "files ext:json in:config/"),
    ("list files with the .lock extension", "files ext:lock"),
    ("find files ending in .md", "files ext:md"),
    ("find files whose name contains config", "files name~config"),
    ("list files with parser in their name", "files name~parser"),
    ("find all files matching src/**/*.rs", "files glob:src/**/*.rs"),
    ("find files matching `test_*.py`", "files glob:test_*.py"),
    ("list test files", "files kind:test"),
    ("which Rust test files are there?", "files kind:Rust kind:test"),
    ("what source files are in shared/src", "files kind:source in:shared/src"),
    ("list files in shared/src not in section", "files in:shared/src without:section?"),
    ("list all files in src, tests and docs", "files in:src?,tests?,docs?"),
    ("find all js files excluding the vendor directory", "files ext:js without:vendor"),
    ("list Rust files except in tests/", "files kind:Rust without:tests/"),
    ("find all empty files", "files empty"),
    ("list files larger than 1MB", "files bytes>1048576"),
    ("find files bigger than 100 kb in assets", "files bytes>102400 in:assets?"),
    ("find Rust files with more than 300 lines", "files kind:Rust lines>300"),
    ("find Cargo.toml", "files name:Cargo.toml"),
    ("where is the Dockerfile", "files name:Dockerfile"),
    ("find all Cargo.toml files", "files name:Cargo.toml"),
    ("count the Rust files", "count files kind:Rust"),
    ("how many files are in src?", "count files in:src?"),
    ("How many Python test files do we have?", "count files kind:Python kind:test"),
    ("how many .ts files are there in web/src", "count files ext:ts in:web/src"),
    ("what is the number of markdown files in this repository", "count files kind:Markdown"),
    ("are there any shell files in scripts/", "files kind:shell in:scripts/"),
    ("does README.md exist?", "exists README.md"),
    ("is there a .github/workflows/ci.yml", "exists .github/workflows/ci.yml"),
    ("is there a file named LICENSE", "exists LICENSE"),
    ("list the directories", "directories"),
    ("list the top-level directories", "directories top"),
    ("how many directories are in src", "count directories in:src?"),
    ("ls -la src", "list src?"),
    ("find . -name \"*.rs\"", "files glob:*.rs"),
    ("find src/local -type f -name mod.rs", "files name:mod.rs in:src/local"),
    ("ls src", "list src?"),
    ("list the src directory", "list src"),
    ("what is in src/", "list src/"),
    ("list the contents of the root directory", "list ."),
    ("show the project structure", "tree ."),
    ("show me the directory structure of src, please", "tree src?"),
    ("show the directory tree two levels deep", "tree . depth:2"),
    ("print the file tree of dispatch/src up to depth 3", "tree dispatch/src depth:3"),
    ("what are the 5 largest files", "largest 5 Bytes"),
    ("find the largest file", "largest 1 Bytes"),
    ("list the 10 longest Rust files", "largest 10 Lines kind:Rust"),
    ("what are the biggest files in src by lines", "largest 10 Lines in:src?"),
    ("how many lines does src/lib.rs have", "lines in:src/lib.rs"),
    ("count the lines in src/main.rs", "lines in:src/main.rs"),
    ("how large is README.md", "lines in:README.md"),
    ("how long is README.md", "lines in:README.md"),
    ("count lines of code", "lines kind:source"),
    ("how many lines of Rust code are there in shared", "lines kind:Rust kind:source in:shared?"),
];

#[test]
fn files_and_directories() {
    check(FILES);
}

const SEARCHES: &[(&str, &str)] = &[
    ("find all files importing serde_json", "files import:serde_json"),
    ("which files import tokio?", "files import:tokio?"),
    ("list Rust files that use anyhow", "files word:anyhow? kind:Rust"),
    ("which Python files in app use requests", "files word:requests? kind:Python in:app?"),
    ("find files containing `unsafe`", "files literal:unsafe"),
    ("find all files that contain \"api key\" in config", "files literal:api key in:config?"),
    ("which files call parse_args", "files call:parse_args"),
    ("which file defines `Widget`", "matches definition:Widget"),
    ("how many files use parse_args", "files word:parse_args"),
    ("how many files import tokio", "files import:tokio?"),
    ("search for parse_args", "matches word:parse_args"),
    ("search the codebase for `connection refused`", "matches literal:connection refused"),
    ("search src/ for HashMap", "matches word:HashMap in:src/"),
    ("look for \"hello\" in the tests", "matches literal:hello in:tests?"),
    ("grep for unwrap in src", "matches literal:unwrap in:src?"),
    ("grep -rn TODO src/", "matches literal:TODO in:src/"),
    ("grep -i error logs/", "matches literal:error anycase in:logs/"),
    ("search for /foo|bar/i in src", "matches regex:foo|bar anycase in:src?"),
    ("find `foo` case-insensitively", "matches literal:foo anycase"),
    ("find all occurrences of max_tokens", "matches word:max_tokens"),
    ("find all usages of Config in src", "matches word:Config? in:src?"),
    ("list all references to parse_args in tests", "matches word:parse_args in:tests?"),
    ("find the callers of spawn", "matches call:spawn?"),
    ("find all calls to open() in Python files", "matches call:open kind:Python"),
    ("show all `unwrap()` calls in src/lib.rs", "matches call:unwrap in:src/lib.rs"),
    ("find all TODOs", "matches word:TODO"),
    ("list all TODO comments in src", "matches word:TODO in:src?"),
    ("find TODO and FIXME comments", "matches word:TODO|FIXME"),
    ("count the TODOs", "count word:TODO"),
    ("how many TODO comments are there in this repo?", "count word:TODO"),
    ("how many TODOs and FIXMEs are left", "count word:TODO|FIXME"),
    ("are there any FIXMEs in src?", "matches word:FIXME in:src?"),
    ("where is parse_args defined?", "matches definition:parse_args"),
    ("where is the Widget struct defined", "matches definition(type):Widget?"),
    ("where is the function other defined", "matches definition(function):other?"),
    ("where is the struct HashTable declared", "matches definition(type):HashTable"),
    ("where's `run` implemented", "matches definition:run"),
    ("find the definition of load_config", "matches definition:load_config"),
    ("show me the definition of the function run", "matches definition(function):run?"),
    ("where do we define Exit", "matches definition:Exit?"),
    ("where is parse_args used", "matches word:parse_args"),
    ("find where load_config is called", "matches call:load_config"),
    ("where do we call spawn_blocking", "matches call:spawn_blocking"),
    ("where is serde_json imported", "matches import:serde_json"),
    ("who calls parse_args?", "matches call:parse_args"),
    ("what uses load_config", "matches word:load_config"),
    ("in which files is load_config used", "files word:load_config"),
    ("is parse_args used anywhere", "matches word:parse_args"),
    ("does anything use `old_name`?", "matches word:old_name"),
    ("how many times is parse_args called", "count call:parse_args"),
    ("how often does `panic!` occur in src", "count literal:panic! in:src?"),
    ("count occurrences of \"unwrap()\" in src/", "count literal:unwrap() in:src/"),
    ("how many unwrap() calls are there in src", "count call:unwrap in:src?"),
    ("count the usages of HashMap", "count word:HashMap"),
    ("find parse_args or load_config", "matches word:parse_args|load_config"),
];

#[test]
fn searches() {
    check(SEARCHES);
}

const READING: &[(&str, &str)] = &[
    ("show src/lib.rs", "read src/lib.rs"),
    ("cat README", "read README"),
    ("show me what is in src/lib.rs", "read src/lib.rs"),
    ("print the contents of Cargo.toml", "read Cargo.toml"),
    ("read the file notes", "read notes"),
    ("what's in Cargo.toml?", "read Cargo.toml"),
    ("what does the Makefile contain", "read Makefile"),
    ("show lines 10-20 of src/main.rs", "read src/main.rs Lines(10, 20)"),
    ("show me lines 3 to 9 in src/main.rs", "read src/main.rs Lines(3, 9)"),
    ("show line 42 of src/main.rs", "read src/main.rs Lines(42, 42)"),
    ("print src/lib.rs:10-20", "read src/lib.rs Lines(10, 20)"),
    ("show src/lib.rs lines 5 through 7", "read src/lib.rs Lines(5, 7)"),
    ("show the first 20 lines of README.md", "read README.md First(20)"),
    ("what are the last five lines of CHANGELOG.md", "read CHANGELOG.md Last(5)"),
    ("head README.md", "read README.md First(10)"),
    ("tail -n 30 build.log", "read build.log Last(30)"),
    ("head -5 README.md", "read README.md First(5)"),
    ("which version of serde do we use?", "version of serde?"),
    ("what version of the tokio crate is used", "version of tokio"),
    ("which version of @types/node does this project use", "version of @types/node?"),
    ("what react version are we using", "version of react?"),
    ("what is the Node version", "version of Node?"),
    ("show the version of `left-pad`", "version of left-pad"),
    ("what version is tokio at", "version of tokio?"),
    ("what version of Python does the project require", "version of Python?"),
    ("what is the version of this project", "version"),
    ("show the project version", "version"),
    ("list the dependencies", "dependencies ."),
    ("list the dependencies of the gates crate", "dependencies gates?"),
    ("which crates depend on rayon?", "version of rayon?"),
    ("what dependencies does this crate have", "dependencies ."),
    ("do we depend on openssl", "version of openssl?"),
    ("is regex a dependency of this project", "version of regex?"),
];

#[test]
fn reading_and_versions() {
    check(READING);
}

const HISTORY: &[(&str, &str)] = &[
    ("git status", "git Status"),
    ("show git status", "git Status"),
    ("run git status", "git Status"),
    ("what is the git status of this repository?", "git Status"),
    ("is the working tree clean?", "git Clean"),
    ("are there any uncommitted changes", "git Clean"),
    ("check whether the repo is clean", "git Clean"),
    ("list the modified files", "git changed Modified"),
    ("which files have been changed", "git changed Any"),
    ("what files are staged", "git changed Staged"),
    ("show untracked files", "git changed Untracked"),
    ("git log", "git log"),
    ("git log --oneline -5", "git log 5"),
    ("git log -n 3 -- src/lib.rs", "git log 3 of:src/lib.rs"),
    ("show the last 5 commits", "git log 5"),
    ("what was the last commit?", "git log 1"),
    ("list the 10 most recent commits", "git log 10"),
    ("show the commit history of src/main.rs", "git log of:src/main.rs"),
    ("show the last 3 commits touching shared/src", "git log 3 of:shared/src"),
    ("list commits by Ada Lovelace since 2026-01-01", "git log by:Ada Lovelace since-date:2026-01-01"),
    ("show commits from the last 2 weeks", "git log since-date:2 weeks ago"),
    ("list the commits since v1.0", "git log since:v1.0"),
    ("show the last commit message", "git log 1"),
    ("list commits on branch develop", "git log on:develop"),
    ("list commits mentioning `parser`", "git log message:parser"),
    ("how many commits are there", "git count-commits"),
    (
        "how many commits has Ada made since yesterday",
        "git count-commits by:Ada since-date:yesterday.midnight",
    ),
    ("git diff", "git diff Unstaged Patch"),
    ("show changes in src", "git diff Uncommitted Patch of:src?"),
    ("git log --author=Ada --since=2026-01-01", "git log by:Ada since-date:2026-01-01"),
    ("git branch", "git Branches { remote: false, count: false }"),
    ("git tag -l", "git Tags { latest: false, count: false }"),
    ("git diff --stat", "git diff Unstaged Stat"),
    ("git diff --cached", "git diff Staged Patch"),
    ("show the staged changes", "git diff Staged Patch"),
    ("show uncommitted changes", "git diff Uncommitted Patch"),
    ("show the diff between main and develop", "git diff main..develop Patch"),
    ("git diff main..HEAD --name-only", "git diff main..HEAD Names"),
    ("diff against main", "git diff since:main Patch"),
    ("show the diff of src/lib.rs", "git diff Unstaged Patch of:src/lib.rs"),
    ("what changed since v1.2", "git diff since:v1.2 Stat"),
    ("which files changed between v1.0 and v1.1?", "git diff v1.0..v1.1 Names"),
    ("which files changed in the last commit", "git show HEAD Names"),
    ("show commit a1b2c3d", "git show a1b2c3d Patch"),
    ("git show HEAD~2", "git show HEAD~2 Patch"),
    ("which branch am I on?", "git Branch"),
    ("show the current branch", "git Branch"),
    ("what is the current commit hash", "git Head"),
    ("list all branches", "git Branches { remote: false, count: false }"),
    ("list remote branches", "git Branches { remote: true, count: false }"),
    ("how many branches are there", "git Branches { remote: false, count: true }"),
    ("list the tags", "git Tags { latest: false, count: false }"),
    ("what is the latest tag", "git Tags { latest: true, count: false }"),
    ("who last changed src/lib.rs?", "git last-change src/lib.rs"),
    ("when was Cargo.toml last modified", "git last-change Cargo.toml"),
    ("who was the last person to edit README.md", "git last-change README.md"),
    ("who wrote line 12 of src/lib.rs", "git blame src/lib.rs Some((12, 12))"),
    ("git blame src/lib.rs lines 3-9", "git blame src/lib.rs Some((3, 9))"),
    ("list the contributors", "git authors count:false "),
    ("who contributed to src/parser.rs", "git authors count:false src/parser.rs"),
    ("how many contributors does this repo have", "git authors count:true "),
    ("is src/lib.rs tracked by git", "git tracked src/lib.rs"),
];

#[test]
fn questions_to_git() {
    check(HISTORY);
}

const COMMANDS: &[(&str, &str)] = &[
    ("run the tests", "run test"),
    ("Run the full test suite, please.", "run test"),
    ("run all tests", "run test"),
    ("can you run the unit tests?", "run test"),
    ("execute the project's tests", "run test"),
    ("do the tests pass?", "run test"),
    ("check that all tests pass", "run test"),
    ("are the tests green", "run test"),
    ("which tests fail?", "run test"),
    ("are there any failing tests", "run test"),
    ("run the tests in shared/src", "run test in:shared/src"),
    ("run the tests of the gates crate", "run test package:gates"),
    ("run the test parses_empty_input", "run test test:parses_empty_input"),
    ("run only the test named `adds two numbers`", "run test test:adds two numbers"),
    ("run the test_login test", "run test test:test_login"),
    ("run cargo test", "run test tool:cargo"),
    ("run `cargo test`", "run test tool:cargo"),
    ("please run `git status`", "git Status"),
    ("cargo test -p shared parses_empty", "run test tool:cargo test:parses_empty package:shared"),
    ("run pytest tests/test_api.py", "run test tool:pytest in:tests/test_api.py"),
    ("npm test", "run test tool:npm"),
    ("make test", "run test tool:make"),
    ("run the linter", "run lint"),
    ("lint the code", "run lint"),
    ("run clippy", "run lint tool:clippy"),
    ("are there any lint errors?", "run lint"),
    ("any clippy warnings", "run lint"),
    ("does the code pass lint", "run lint"),
    ("run the type checker", "run types"),
    ("does it type-check?", "run types"),
    ("are there any type errors", "run types"),
    ("run mypy", "run types tool:mypy"),
    ("build the project", "run build"),
    ("does the build pass?", "run build"),
    ("does it compile", "run build"),
    ("check whether the project builds", "run build"),
    ("check the formatting", "run format"),
    ("is the code formatted correctly", "run format"),
    ("cargo fmt --check", "run format tool:rustfmt"),
    ("run the tests and the linter", "run test,lint"),
    ("run lint, type check and tests", "run lint,types,test"),
    ("lint and build the project", "run lint,build"),
    ("validate the project", "run test,lint,types as-available"),
    ("run all checks", "run test,lint,types as-available"),
];

#[test]
fn commands_of_the_project() {
    check(COMMANDS);
}

/// What only looks like a mechanical task, and what would change something.
#[test]
fn declined() {
    let texts = [
        // Verbs that mean something else here.
        "find a better name for parse_args",
        "find a way to make the tests faster",
        "find out why the build fails",
        "find the bug in src/lib.rs",
        "find the slowest test",
        "find bugs",
        "find security issues in src",
        "find all problems",
        "list the reasons why the build fails",
        "list the pros and cons of tokio",
        "list ways to speed up parse_args",
        "count on me to review this",
        "search for a way to speed up the parser",
        "search for bugs in src",
        "search the web for serde_json examples",
        "look for improvements in src/lib.rs",
        "look into the failing tests",
        "look at src/lib.rs and tell me what you think",
        "show me how to refactor src/lib.rs",
        "show that the algorithm terminates",
        "show the user an error when the file is missing",
        "show a spinner while loading",
        "print a warning if the config is invalid",
        "read src/lib.rs and summarize it",
        "read the docs",
        "display the total price in the cart",
        "check the code for race conditions",
        "check the tests for flakiness",
        "build a login form",
        "build an API client for the weather service",
        "compile a list of open questions",
        "test the new login flow in the browser",
        "test whether the cache is faster",
        "lint rule for unused imports",
        "run the app",
        "run the migration",
        "run the server on port 8080",
        "run the benchmarks",
        "run the tests with coverage",
        "run the integration tests",
        "run the tests 10 times",
        "run the tests in production mode",
        "run everything twice",
        "where is the login page implemented and how does it work",
        "where is the best place to add caching",
        "where should the config live",
        "what version should we upgrade to",
        "what is the latest published version of serde",
        "which version of tokio fixed the panic",
        "how many users does the app have",
        "how many functions are in src/lib.rs",
        "how long does the test suite take",
        "how big is the performance impact",
        "who should review this",
        "what changed in React 18",
        "what is the structure of the JSON response",
        "why are the tests failing",
        "explain src/lib.rs",
        "are the tests good enough",
        "is the code clean",
        "does the build server work on weekends",
        // More than one thing.
        "run the tests and fix the failures",
        "run the tests, then commit",
        "run the tests. Then fix what fails",
        "run the tests; rm -rf /",
        "find all files importing serde_json and replace it with simd-json",
        "show src/lib.rs and rewrite the parser",
        "list all TODOs and fix them",
        "list all TODOs sorted by age",
        "find files containing foo_bar and baz_qux",
        "git status && git push",
        "git status | cat",
        "count the Rust files and the lines in them and plot it",
        // Changes.
        "delete all .log files",
        "remove the file src/old.rs",
        "rename parse_args to parse_arguments",
        "create a file named notes.md",
        "commit the changes",
        "git commit -m x",
        "git push origin main",
        "git checkout main",
        "git reset --hard",
        "git stash",
        "git fetch",
        "push the branch",
        "install the dependencies",
        "npm install left-pad",
        "cargo fmt",
        "format the code",
        "cargo update",
        "cargo add serde",
        "update the README with the new endpoints",
        "add tests for the parser",
        "fix the typo in line 42 of README.md",
        "write a test for parse_args",
        "list files and delete the empty ones",
        // What cannot be honoured.
        "run the tests but not the slow ones",
        "run all tests except test_login",
        "do not run the tests",
        "don't list the files",
        "never run the tests",
        "list files that do not use parse_args",
        "list files without tests",
        "find functions without documentation",
        "find unused functions",
        "find dead code",
        // Options that nobody vouches for.
        "git log --output=x",
        "git diff --output=/tmp/x",
        "git diff --ext-diff",
        "git log -p",
        "git log --all --graph",
        "git show --output=x HEAD",
        "git branch new",
        "git branch -D main",
        "git tag v2",
        "git log --author=$(id)",
        "find . -delete",
        "find . -name x -exec rm {}",
        "find . -type f -delete",
        "changes",
        "show the changes that broke the build",
        "git diff -- --output=x",
        "show commit --output=x",
        "show the diff between --output=x and main",
        "cargo test --release",
        "cargo test -- --nocapture",
        "pytest --pdb",
        "grep -e x --include=*.rs src",
        "tail -f build.log",
        "run `rm -rf src`",
        "run `cargo test; rm -rf src`",
        "run `./deploy.sh now`",
        "execute `git push`",
        "grep /fn \\w+/ src",
        // Other languages, fragments, noise.
        "führe die Tests aus",
        "ejecuta las pruebas",
        "テストを実行して",
        "tests",
        "hello",
        "find",
        "list",
        "show",
        "git",
        "run",
        "how many",
        "where is",
        "?!",
        "find the the the",
        "",
    ];
    let understood: Vec<String> = texts
        .iter()
        .filter_map(|text| understand(text).ok().map(|intent| format!("{text}\n  is {}", notation(&intent))))
        .collect();
    assert!(understood.is_empty(), "{} of {}:\n{}", understood.len(), texts.len(), understood.join("\n"));
}

#[test]
fn a_refusal_names_the_word() {
    for (text, reason) in [
        ("run the tests on Tuesdays only", "does not understand `only`"),
        ("list all Rust files quickly", "does not understand `quickly`"),
        ("run the tests and relax", "does not understand `relax`"),
        ("run the tests. Relax", "the text asks for more than one thing"),
        ("delete src/lib.rs", "`delete` may ask for a change, and only what looks is done here"),
        ("list files that are not tests", "does not understand what `not` rules out"),
        ("show", "does not know what is asked for: nothing follows `show`"),
        ("find `x", "a quote ` is not closed"),
        ("", "the task is empty"),
    ] {
        assert_eq!(understand(text).expect_err(text), reason, "for {text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,120}") {
        let _ = understand(&text);
    }

    #[test]
    fn no_mix_of_known_words_makes_it_panic(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "find", "list", "show", "count", "how", "many", "files", "lines", "of", "in", "src", "the", "git", "log",
            "diff", "between", "and", "run", "tests", "where", "is", "used", "defined", "`x`", "/a|b/", "-n", "3",
            "version", "TODO", ",", "or", "last", "commits", "by", "since", "yesterday", "foo_bar", "src/lib.rs:3-9",
            "named", "with", "extension", "rs", "largest", "--", "..", "/etc/passwd", "HEAD~1", "main..dev", "?", "'",
        ]), 0..12,
    )) {
        let _ = understand(&words.join(" "));
    }
}
