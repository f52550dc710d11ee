//! What the sources say about single tasks, as tables: the worked examples of seed 000's routing guide, its traps
//! and compound tasks, and strings that fooled other routers.

use shared::section::{Classify, Risk, Task, Tier};

use crate::decide::{self, Router};

fn decided(task: &Task) -> Classify {
    decide::decide(Router::default(), task).unwrap().classify
}

fn of(text: &str) -> Classify {
    decided(&Task { text: text.to_owned(), ..Task::default() })
}

/// Tells every case that is wrong, not only the first.
fn check(cases: &[(&str, u8, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|&(text, tier, executor)| {
            let got = of(text);
            let is_right = got.tier.number() == tier && got.executor == executor;
            (!is_right).then(|| {
                format!(
                    "{text}\n    want {tier} {executor}, got {} {} {:?}",
                    got.tier, got.executor, got.reasons
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_routing_guide_is_followed() {
    check(&[
        ("What framework does this project use?", 1, "explore"),
        ("Find where the login endpoint is defined", 1, "explore"),
        ("How many files are in the src directory?", 1, "explore"),
        ("Count the files in src/handlers", 1, "explore"),
        ("Show me the database schema", 1, "explore"),
        ("What does the User model look like?", 1, "explore"),
        ("Is there a rate limiter anywhere?", 1, "explore"),
        ("Which version of tokio do we depend on?", 1, "explore"),
        ("Run the tests", 1, "validate"),
        ("Does the build pass?", 1, "validate"),
        ("Are there any lint errors?", 1, "validate"),
        ("any lint errors", 1, "validate"),
        ("Git status", 1, "validate"),
        ("Run the migration", 1, "validate"),
        ("Does the server start?", 1, "validate"),
        ("Add docstrings to utils.py", 1, "document"),
        ("Update the README with the new endpoints", 1, "document"),
        ("Write a changelog entry for this release", 1, "document"),
        ("Explain this function in comments", 1, "document"),
        ("Add a password-reset endpoint", 2, "implement"),
        ("Refactor the Report class to use composition", 2, "implement"),
        ("Write tests for the parser module", 2, "implement"),
        ("Fix the TypeError: cannot read property 'id' of undefined", 2, "implement"),
        ("Add pagination to the orders list", 2, "implement"),
        ("Convert this file from JavaScript to TypeScript", 2, "implement"),
        ("Add input validation to the signup form", 2, "implement"),
        ("Review this PR", 2, "review"),
        ("Why is this test flaky?", 2, "review"),
        ("Are there any security issues in the auth code?", 2, "review"),
        ("What causes this memory leak?", 2, "review"),
        ("How well tested is the billing module?", 2, "review"),
        ("Design a schema for multi-tenant data", 3, "orchestrate"),
        ("The app works in staging but not in production and nobody knows why", 3, "orchestrate"),
        ("How should we structure the microservices?", 3, "orchestrate"),
        ("The algorithm is too slow for large inputs", 3, "orchestrate"),
        ("We need to support both REST and GraphQL. How?", 3, "orchestrate"),
        ("Review the overall architecture", 3, "orchestrate"),
        ("There is a race condition somewhere in checkout", 3, "orchestrate"),
    ]);
}

#[test]
fn what_is_looked_for_is_not_taken_for_what_is_wrong() {
    check(&[
        ("count the number of lines in all rust files", 1, "explore"),
        ("find all files that mention overflow", 1, "explore"),
        ("find files mentioning a deadlock", 1, "explore"),
        ("which files mention the deadlock?", 1, "explore"),
        ("is the working tree clean?", 1, "validate"),
        ("is this branch merged?", 1, "validate"),
        ("is this code clean?", 2, "review"),
        ("find the overflow in the parser", 2, "review"),
        ("find the file that causes the crash", 2, "review"),
    ]);
}

#[test]
fn the_six_traps_are_not_fallen_into() {
    check(&[
        ("Add a simple button", 2, "implement"),
        ("Read the logs and find the error", 2, "review"),
        ("Fix the typo in line 42", 1, "document"),
        ("Add caching", 3, "orchestrate"),
        ("Write a migration to add a column", 1, "implement"),
        ("Upgrade React from 17 to 18", 3, "orchestrate"),
        ("upgrade React 17→18", 3, "orchestrate"),
    ]);
}

#[test]
fn every_category_of_the_rubric_has_its_tier() {
    check(&[
        // tier 1
        ("grep for uses of `unwrap` across all files", 1, "explore"),
        ("find all files importing serde_json", 1, "explore"),
        ("summarize src/lib.rs", 1, "explore"),
        ("run the test suite", 1, "validate"),
        ("check the formatting", 1, "validate"),
        ("lint and build the project", 1, "validate"),
        ("list the directories under crates", 1, "explore"),
        ("find files by the pattern *.proto", 1, "explore"),
        ("show the git log of the last week", 1, "explore"),
        ("git diff against main", 1, "validate"),
        ("generate the boilerplate for a new crate", 1, "implement"),
        ("write docstrings for the public functions", 1, "document"),
        ("where is the retry limit configured?", 1, "explore"),
        // tier 2
        ("implement the export command as described in docs/export.md", 2, "implement"),
        ("write a function that parses RFC 3339 dates", 2, "implement"),
        ("rename the Session class and extract its storage", 2, "implement"),
        ("create test cases for the discount rules", 2, "implement"),
        ("debug the panic in the stack trace below", 2, "review"),
        ("review the changes in src/queue.rs and suggest improvements", 2, "review"),
        ("write technical documentation of the wire protocol", 2, "document"),
        ("resolve the merge conflicts in Cargo.toml", 2, "implement"),
        ("integrate the weather API using their SDK", 2, "implement"),
        // tier 3
        ("design the architecture of the plugin system", 3, "orchestrate"),
        ("debug why the worker sometimes hangs, there is no stack trace", 3, "orchestrate"),
        ("optimize the path search", 3, "orchestrate"),
        ("do a security analysis of the upload service", 3, "orchestrate"),
        ("perform a vulnerability assessment", 3, "orchestrate"),
        ("audit the authentication for security holes", 3, "orchestrate"),
        ("change the message format across all services", 3, "orchestrate"),
        ("improve everything", 3, "orchestrate"),
        ("implement a novel compression algorithm", 3, "orchestrate"),
        ("split the monolith into microservices", 3, "orchestrate"),
    ]);
}

#[test]
fn words_count_and_not_what_is_inside_of_them() {
    // Strings that fooled routers which look for "fix", "api", "file", "format", "scan", "auth".
    let got = of("Make everything nicer, prefix the capital address profile.");
    assert!(got.tier.number() >= 2, "{got:?}");
    let got = of("Read the information about the scandal");
    assert_eq!((got.tier.number(), got.executor.as_str()), (1, "explore"), "{got:?}");
    check(&[
        ("list the authors", 1, "explore"),
        ("fix it", 3, "orchestrate"),
        ("Fix typo in README.md line 42", 1, "document"),
    ]);
    for text in ["Do something", "make it better", "delete everything now please ok"] {
        let got = of(text);
        assert!(got.tier.number() >= 2, "{text}: {got:?}");
    }
}

#[test]
fn what_is_denied_or_quoted_is_not_asked() {
    check(&[
        ("do not run the tests, explain the parser", 1, "explore"),
        ("Don't change any code. Why does the build fail?", 2, "review"),
        ("find the text \"design the architecture\" in the docs", 1, "explore"),
        ("where is `fix the race condition` mentioned?", 1, "explore"),
        ("list the files that contain 'delete all users'", 1, "explore"),
        ("rename the variable without changing behaviour", 2, "implement"),
        ("run `cargo test`", 1, "validate"),
        ("Summarize this:\n```\nrefactor the whole architecture\n```", 1, "explore"),
        ("\"fix the typo in the title\"", 1, "document"),
    ]);
}

#[test]
fn it_does_not_matter_how_it_is_said() {
    check(&[
        ("could you please run the linter?", 1, "validate"),
        ("I want you to add a logout button to the navbar", 2, "implement"),
        ("fix: handle empty input in the tokenizer", 2, "implement"),
        ("docs: describe the new flags", 1, "document"),
        ("fix typo in README", 1, "document"),
        ("chore: bump serde from 1.0.1 to 1.0.2", 1, "implement"),
        ("Bump actions/checkout from 3 to 4", 1, "implement"),
        ("Merge pull request #12 from someone/branch", 1, "validate"),
        ("Revert \"add the cache\"", 1, "validate"),
        ("Checkout code", 1, "validate"),
        ("Install dependencies", 1, "validate"),
        ("Set up Python 3.12", 1, "validate"),
        ("Run clippy", 1, "validate"),
        ("The export button does not work on Safari", 2, "implement"),
        (
            "Crash when opening an empty project\n\n```\nthread 'main' panicked at src/open.rs:3\n```",
            2,
            "implement",
        ),
        ("find all files larger than 10 MB in the current directory", 1, "explore"),
        ("delete all .o files in the current directory", 1, "validate"),
        ("kill the process that listens on port 8080", 1, "validate"),
        ("How do I sort a vector of structs by two keys?", 2, "review"),
        ("Should we use Kafka or NATS?", 3, "orchestrate"),
        ("Support for dark mode", 2, "implement"),
        ("It would be nice to have a progress bar", 2, "implement"),
        ("never return null from find()", 2, "implement"),
    ]);
}

#[test]
fn doubt_goes_one_tier_up_and_says_so() {
    for text in ["frobnicate the quux", "ολοκλήρωσε την εργασία που ξεκίνησες", "???", "🎉", "asdf"]
    {
        let got = of(text);
        assert!(got.unsure && got.tier.number() >= 2, "{text}: {got:?}");
        assert!(got.confidence < 0.6, "{text}: {got:?}");
    }
    for text in [
        "Behebe den Fehler im Anmeldeformular und prüfe danach alles",
        "コードを修正してください",
        "исправь ошибку в парсере",
    ] {
        let got = of(text);
        assert!(got.tier.number() >= 2, "not blindly to the cheapest: {text}: {got:?}");
    }
}

#[test]
fn risk_is_an_axis_of_its_own() {
    for (text, risk) in [
        ("run the migration", Risk::Medium),
        ("run the migration on production", Risk::High),
        ("drop the users table", Risk::High),
        ("force-push the rewritten history", Risk::High),
        ("rotate the signing keys", Risk::High),
        ("add a login form", Risk::Low),
        ("change the password hashing", Risk::High),
        ("review the auth code for security issues", Risk::Medium),
        ("fix the typo in the security docs", Risk::Low),
        ("find the code that deletes users", Risk::Low),
        ("list the files", Risk::Low),
        ("list the admin users", Risk::Low),
        ("which files configure the access token?", Risk::Medium),
        ("deploy to staging", Risk::Medium),
    ] {
        let got = of(text);
        assert_eq!(got.risk, risk, "{text}: {got:?}");
        if risk == Risk::High {
            assert!(got.tier.number() >= 2, "{text}: {got:?}");
        }
    }
}

#[test]
fn compound_tasks_are_parted_as_the_guide_does() {
    type Step<'a> = (&'a str, u8, &'a [usize]);
    let cases: &[(&str, &[Step])] = &[
        (
            "Fix the bug in user registration and add tests for it",
            &[("explore", 1, &[]), ("implement", 2, &[0]), ("validate", 1, &[1])],
        ),
        (
            "Refactor the payment module and update the docs",
            &[("explore", 1, &[]), ("implement", 2, &[0]), ("validate", 1, &[1]), ("document", 1, &[1])],
        ),
        (
            "Review the codebase and suggest architecture improvements",
            &[("explore", 1, &[]), ("review", 2, &[0]), ("orchestrate", 3, &[1])],
        ),
        (
            "Set up CI/CD",
            &[("explore", 1, &[]), ("orchestrate", 3, &[0]), ("implement", 2, &[1]), ("validate", 1, &[2])],
        ),
        ("Read the codebase and redesign the auth system", &[("explore", 1, &[]), ("orchestrate", 3, &[0])]),
        (
            "Fix the bug in auth.py and add tests for the API module",
            &[("explore", 1, &[]), ("implement", 2, &[0]), ("validate", 1, &[1])],
        ),
        (
            "Run the tests, then fix what fails",
            &[("validate", 1, &[]), ("implement", 2, &[0]), ("validate", 1, &[1])],
        ),
    ];
    for (text, expected) in cases {
        let got = of(text);
        let parts: Vec<Step> = got
            .parts
            .iter()
            .map(|part| (part.executor.as_str(), part.tier.number(), &part.depends_on[..]))
            .collect();
        assert_eq!(parts, *expected, "{text}: {got:?}");
        let hardest = expected.iter().map(|part| part.1).max();
        assert_eq!(Some(got.tier.number()), hardest, "{text}");
        assert!(got.parts.iter().all(|part| !part.text.is_empty()));
    }
}

#[test]
fn risk_and_bounds_reach_the_parts() {
    let tiers = |task: &Task| decided(task).parts.iter().map(|part| part.tier.number()).collect::<Vec<_>>();
    let text = "Refactor the importer and update the docs".to_owned();
    let task = Task { text, ..Task::default() };
    assert_eq!(tiers(&task), [1, 2, 1, 1]);
    assert_eq!(tiers(&Task { min_tier: Some(Tier::TWO), ..task.clone() }), [2, 2, 2, 2]);
    assert_eq!(tiers(&Task { max_tier: Some(Tier::ONE), ..task.clone() }), [1, 1, 1, 1]);
    let text = "Run the migration on production, then update the changelog".to_owned();
    assert_eq!(tiers(&Task { text, ..Task::default() }), [2, 1]);
}

#[test]
fn one_coherent_change_stays_one() {
    for text in [
        "Add a `created_at` field to the model and its serializer",
        "Rename `load` to `read` and update all callers",
        "Find all uses of `foo` and replace them with `bar`",
        "Find and fix the bug in the date parser",
        "Lint and test the project",
        "Add a search box and a filter to the orders page",
        "Read the logs and find the error",
        "Fix the crash when the list is empty and log a warning instead",
        "Update the build and test scripts",
        "Copy the file and rename it",
        "fix: search and replace in long files",
        "Extract the parser and move it to its own module",
    ] {
        let got = of(text);
        assert!(got.parts.is_empty(), "{text}: {:?}", got.parts);
    }
}

#[test]
fn commits_questions_shell_requests_and_pipeline_steps_have_their_tiers() {
    let tiers: [(u8, &[&str]); 3] = [
        (
            1,
            &[
                "Find all *.txt files under current directory",
                "Print the current user's mail file path",
                "Add a number before each line in file.txt",
                "Assign permissions 755 to directory /var/www",
                "Archive /data to /backup excluding the cache",
                "Display the last 10 lines of server.log",
                "Force create a symbolic link named foo to bar",
                "Gets IP address of \"eth0\"",
                "Log in to host example.org as user admin via ssh",
                "Make directory \"$HOME/tmp\"",
                "Output the word count of each file",
                "Read a line from standard input into variable x",
                "Remotely run uptime on server1",
                "Save the current time in variable now",
                "Unset the variable PATH",
                "Counts all non-blank lines of *.py",
                "Change group of all files in the current directory to staff",
                "Recursively remove all files ending in .bak",
                "Replace spaces with underscores in all file names",
                "Prints the process tree of user bob",
                "Copies all files with \"foo\" in the name to /tmp",
                "Enable shell option nullglob",
                "Run make quietly in background",
                "Wait 5 seconds and then kill the process",
                "Convert file.txt to uppercase",
                "Query and print the name servers of example.com",
                "Checks if the file exists",
                "Update all packages on the system",
                "List all users logged in",
                "Redirect stderr to /dev/null",
                "Move files older than 30 days to archive",
                "Clear the terminal",
                "Start the nginx server",
                "Checkout repository",
                "Upload coverage to Codecov",
                "Setup Node.js",
                "Cache cargo registry",
                "Install deps",
                "Build",
                "Test",
                "Run tests",
                "Lint with flake8",
                "Set up JDK 17",
                "Publish to PyPI",
                "Login to Docker Hub",
                "Build and push image",
                "Deploy to GitHub Pages",
                "Upload artifact",
                "Configure git",
                "Check formatting",
                "Create release",
                "Generate docs",
                "Restore cache",
                "Get version",
                "Install dependencies",
                "Download artifacts",
                "Print versions",
                "Use Node 18",
                "Initial commit",
                "Update README.md",
                "v1.2.3",
                "Version bump",
                "Release 2.0.1",
                "1.0.4",
                "Merge branch 'master' of github.com:x/y",
                "bump version",
                "Fix typo",
                "fixed typos",
                "whitespace",
                "Remove unused imports",
                "Update dependencies",
                "Add license",
                "Update changelog",
                "Create LICENSE",
                "Delete old.html",
                "Add .gitignore",
                "remove console.log",
                "minor changes",
                "Bump lodash from 4.17.15 to 4.17.21",
                "Update dependency eslint to v8.1",
                "Upgrade to 1.2.4",
                "remove debug print",
                "add comments",
                "Rename file",
                "Added screenshots to readme",
                "commit the changes",
                "commit and push",
                "start the dev server",
                "read CLAUDE.md and summarize it",
                "what does this function do?",
                "show me the last error",
                "open the file src/app.ts",
                "list all todos",
                "run the app",
                "create a new branch called feature/login",
            ],
        ),
        (
            2,
            &[
                "Add search feature",
                "fixed bug in login",
                "Handle null pointer in parser",
                "Refactored tests",
                "Add unit tests for parser",
                "use a hash map for lookups",
                "Make header sticky",
                "Added user model",
                "updated styles",
                "Allow multiple recipients",
                "wip",
                "Improve error messages",
                "Support python 3.9",
                "Fix #123",
                "Remove deprecated method foo()",
                "Move config loading into its own class",
                "How do I convert a string to a number in JavaScript?",
                "Python list index out of range",
                "jQuery selector does not match dynamic elements",
                "Getting the current date in Java",
                "Why does my loop not end?",
                "Regex for matching phone numbers",
                "The sidebar overlaps the content on small screens",
                "Option to hide completed items",
                "Cannot read property 'x' of undefined when saving",
                "Dark mode",
                "Create a REST endpoint that returns the list of users",
                "Make the tests pass",
                "Write a script that downloads the images",
                "the button is not aligned, fix it",
                "please add error handling to the upload function",
                "now do the same for the settings page",
                "it still does not work",
            ],
        ),
        (
            3,
            &[
                "make the whole app production ready",
                "Redesign the storage layer to support replication",
                "Memory corruption under load with multiple threads",
                "Data loss when two nodes write at the same time",
                "Implement consensus between the nodes",
                "Rework the type inference to handle recursive generics",
                "Intermittent 502 errors, cannot reproduce",
                "Rewrite the scheduler to be work-stealing",
                "Support multi-tenancy",
                "Migrate from MySQL to PostgreSQL",
                "Implement end-to-end encryption for messages",
                "Reduce memory usage of the indexer",
                "Make the compiler incremental",
                "Users get logged out randomly",
                "Move to a plugin based architecture",
                "Should we drop support for Python 2?",
                "How can we scale this to a million users?",
            ],
        ),
    ];
    let wrong: Vec<String> = tiers
        .iter()
        .flat_map(|&(tier, texts)| texts.iter().map(move |&text| (tier, text, of(text))))
        .filter(|(tier, _, got)| got.tier.number() != *tier)
        .map(|(tier, text, got)| format!("{text}: want {tier}, got {} {:?}", got.tier, got.reasons))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_complaint_is_read_by_its_title() {
    check(&[
        (
            "Export button is greyed out\n\nSteps to reproduce:\n1. Open a project\n2. Run the export\n\nExpected: a file",
            2,
            "implement",
        ),
        ("Build on Windows\n\nIt fails with `error: linker not found`.", 2, "implement"),
        (
            "Jobs are lost\n\nIt happens randomly, and only under load. There is nothing in the logs.",
            3,
            "orchestrate",
        ),
        ("parser: check the length before reading", 2, "implement"),
        ("Task 3: check the length of src/lib.rs", 1, "explore"),
        ("The page is slow. Add an index on users.email.", 2, "implement"),
        ("the label is cut off, fix it", 2, "implement"),
    ]);
}
