use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::SystemTime;

use shared::process::Cancel;
use shared::section::{Status, Task, Tier};
use tempfile::TempDir;

use super::*;
use crate::backend::Draft;
use crate::limits::Allowance;

/// Paths, contents and times of all files.
type Fingerprint = Vec<(PathBuf, Vec<u8>, SystemTime)>;

/// A repository with two commits by two people, something ignored, and something uncommitted.
struct Repository {
    dir: TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Repository { dir: tempfile::tempdir().expect("a temporary directory") };
        repository.git(&["init", "-q", "-b", "main"]);
        for (name, text) in [
            (".gitignore", "/target\n*.log\n"),
            (
                "Cargo.toml",
                "[package]\nname = \"sample\"\nversion = \"0.3.0\"\n\n[dependencies]\nserde_json = \"1\"\n",
            ),
            ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"serde_json\"\nversion = \"1.0.99\"\n"),
            ("README.md", "# sample\n\nUses serde_json.\n"),
            (
                "src/lib.rs",
                "//! sample\nuse serde_json::Value;\n\npub struct Widget;\n\n// TODO: more\npub fn parse_args(_: &str) -> Option<Value> {\n    None\n}\n",
            ),
            (
                "src/main.rs",
                "fn main() {\n    sample::parse_args(\"a\");\n    sample::parse_args(\"b\"); // FIXME\n}\n",
            ),
            ("src/deep/mod.rs", "// caching is hard\n"),
            ("tests/it.py", "import json\nimport serde_json\n"),
            ("web/app.ts", "import { x } from './serde_json';\nexport const widget = 1;\n"),
            ("docs/notes.txt", "parse_args\n"),
            ("target/debug/x.rs", "use serde_json;\n"),
            ("run.log", "parse_args\n"),
        ] {
            repository.write(name, text);
        }
        fs::write(repository.path("image.png"), b"\x89PNG\0parse_args").expect("written");
        repository.commit("Ada Lovelace", "start", "2026-01-02T03:04:05Z");
        repository.git(&["tag", "v1.0"]);
        repository.write("README.md", "# sample\n\nUses serde_json.\nMore.\n");
        repository.commit("Grace Hopper", "readme: say more", "2026-02-03T04:05:06Z");
        repository.git(&["branch", "other"]);
        repository.write("src/deep/mod.rs", "// caching is harder\n");
        repository.write("new file.txt", "");
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs::write(path, text).expect("written");
    }

    fn git(&self, arguments: &[&str]) {
        let output = std::process::Command::new("git")
            .args(["-c", "user.email=x@example.org", "-c", "user.name=x", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.dir.path())
            .output()
            .expect("git");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, author: &str, message: &str, date: &str) {
        self.git(&["add", "."]);
        let author = format!("{author} <x@example.org>");
        self.git(&["commit", "-q", "-m", message, "--author", &author, "--date", date]);
    }

    fn job(&self, task: Task) -> Job {
        job(task, self.dir.path())
    }

    fn ask(&self, text: &str) -> Answer {
        Local::new(self.dir.path().to_owned())
            .run(&self.job(Task { text: text.to_owned(), ..Task::default() }))
    }

    #[track_caller]
    fn draft(&self, text: &str) -> Draft {
        match self.ask(text) {
            Answer::Draft(draft) => draft,
            Answer::Declined(reason) => panic!("{text}: declined: {reason}"),
        }
    }

    #[track_caller]
    fn says(&self, rows: &[(&str, &str)]) {
        let wrong: Vec<String> = rows
            .iter()
            .filter_map(|(text, expected)| {
                let said = match self.ask(text) {
                    Answer::Draft(draft) if draft.status == Status::Ok => draft.output,
                    Answer::Draft(draft) => format!("{:?}: {:?}", draft.status, draft.reason),
                    Answer::Declined(reason) => format!("declined: {reason}"),
                };
                (said != *expected).then(|| format!("{text}\n--- expected\n{expected}\n--- is\n{said}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n=====\n"));
    }

    /// Returns all files, their content and their times, git's own included.
    fn fingerprint(&self) -> Fingerprint {
        let mut found: Vec<_> = walkdir::WalkDir::new(self.dir.path())
            .into_iter()
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let modified = entry.metadata().expect("metadata").modified().expect("a time");
                (entry.path().to_owned(), fs::read(entry.path()).expect("content"), modified)
            })
            .collect();
        found.sort();
        found
    }
}

fn job(task: Task, workdir: &Path) -> Job {
    Job {
        id: "t".to_owned(),
        attempt: 1,
        draft: 1,
        tier: Tier::LOCAL,
        prompt: task.text.clone(),
        plain: task.text.clone(),
        results: None,
        task,
        executor: "explore".to_owned(),
        system: None,
        tools: Vec::new(),
        model: None,
        workdir: workdir.to_owned(),
        timeout: None,
        max_output_tokens: None,
        max_turns: None,
        cancel: Cancel::default(),
        allowance: Allowance::default(),
    }
}

#[test]
fn files_are_found_listed_and_counted() {
    Repository::new().says(&[
        ("list all Rust files", "3 Rust files\nsrc/deep/mod.rs\nsrc/lib.rs\nsrc/main.rs"),
        ("list Rust files in src excluding src/deep", "2 Rust files in `src`, without `src/deep`\nsrc/lib.rs\nsrc/main.rs"),
        ("how many Rust files are in src", "3 Rust files in `src`:\nsrc/deep/mod.rs\nsrc/lib.rs\nsrc/main.rs"),
        ("find *.go", "none found: there are no .go files (12 files searched, ignored files left out)"),
        ("find the file mod.rs", "1 file named `mod.rs`\nsrc/deep/mod.rs"),
        ("where is the README", "1 file named `README`\nREADME.md"),
        ("find all empty files", "1 empty file\nnew file.txt"),
        ("is there a file named lib.rs", "there is no `lib.rs` at that path; of that name there are:\nsrc/lib.rs"),
        ("does README.md exist", "yes, there is a file README.md"),
        ("list the directories in src", "1 directory in `src`\nsrc/deep/"),
        ("list the top-level directories", "4 directories\ndocs/\nsrc/\ntests/\nweb/"),
        ("ls src", "src: 1 directory and 2 files\nsrc/deep/\nsrc/lib.rs\nsrc/main.rs"),
        ("show the structure of src", "src/ (3 files)\n  deep/ (1 file)\n    mod.rs\n  lib.rs\n  main.rs"),
        ("find the largest file in src", "the 1 largest of 3 files in `src`\nsrc/lib.rs (126 bytes)"),
        ("how many lines does README.md have", "README.md: 4 lines, 33 bytes"),
        ("list Rust files in src not in deep", "2 Rust files in `src`, without `deep`\nsrc/lib.rs\nsrc/main.rs"),
        ("list files in nowhere/at/all", "none found: there are no files in `nowhere/at/all` (0 files searched, ignored files left out)\nnote: there is no `nowhere/at/all`"),
    ]);
}

#[test]
fn contents_are_searched() {
    Repository::new().says(&[
        (
            "find all files importing serde_json",
            "3 files with an import of `serde_json` (11 files searched)\nsrc/lib.rs:2: use serde_json::Value;\n\
             tests/it.py:2: import serde_json\nweb/app.ts:1: import { x } from './serde_json';",
        ),
        (
            "where is parse_args defined",
            "1 occurrence of a definition of `parse_args` in 1 file (11 files searched)\nlines:\n\
             src/lib.rs:7: pub fn parse_args(_: &str) -> Option<Value> {",
        ),
        (
            "who calls parse_args",
            "2 occurrences of a call of `parse_args` in 1 file (11 files searched)\nlines:\n\
             src/main.rs:2: sample::parse_args(\"a\");\nsrc/main.rs:3: sample::parse_args(\"b\"); // FIXME",
        ),
        (
            "find all occurrences of parse_args",
            "4 occurrences of the word `parse_args` in 3 files (11 files searched)\nby file:\n1 docs/notes.txt\n1 src/lib.rs\n\
             2 src/main.rs\nlines:\ndocs/notes.txt:1: parse_args\n\
             src/lib.rs:7: pub fn parse_args(_: &str) -> Option<Value> {\n\
             src/main.rs:2: sample::parse_args(\"a\");\nsrc/main.rs:3: sample::parse_args(\"b\"); // FIXME",
        ),
        ("how many TODOs and FIXMEs are there", "2 occurrences of the word `TODO` or `FIXME` in 2 files (11 files searched)\n1 src/lib.rs\n1 src/main.rs"),
        ("search for `no such text`", "none found: the text `no such text` is nowhere (11 files searched, ignored files left out)"),
        ("where is the struct Widget defined", "1 occurrence of a definition of the type `Widget` in 1 file (11 files searched)\nlines:\nsrc/lib.rs:4: pub struct Widget;"),
        ("search for /use|import/ in src", "1 occurrence of the pattern `use|import` in 1 file in `src` (3 files searched)\nlines:\nsrc/lib.rs:2: use serde_json::Value;"),
        // A word in a comment is no name in the code.
        ("which files use caching", "declined: does not understand `caching`: no name of that kind is in the files (quote it to search for the text)"),
    ]);
}

#[test]
fn files_are_read() {
    Repository::new().says(&[
        ("cat README", "README.md (4 lines)\n# sample\n\nUses serde_json.\nMore."),
        ("show lines 2-3 of src/main.rs", "src/main.rs:2-3 (of 4 lines)\n    sample::parse_args(\"a\");\n    sample::parse_args(\"b\"); // FIXME"),
        ("show line 9 of src/main.rs", "none found: src/main.rs has only 4 lines"),
        ("show the last line of src/main.rs", "src/main.rs:4 (of 4 lines)\n}"),
        ("show image.png", "image.png is a binary file of 15 bytes"),
        ("show nowhere.rs", "none found: there is no file `nowhere.rs` (12 files searched, ignored files left out)"),
        ("which version of serde_json do we use", "serde_json 1.0.99\nCargo.lock:4: locks serde_json 1.0.99\nCargo.toml:6: wants serde_json 1"),
        ("what is the project version", "the project's version\nCargo.toml:3: version = \"0.3.0\""),
        ("what version of the left-pad package is used", "none found: `left-pad` is no dependency in Cargo.lock, Cargo.toml"),
        ("what version of happiness do we use", "declined: does not understand `happiness`: it is no dependency in Cargo.lock, Cargo.toml"),
        ("list the dependencies", "1 dependency declared\nCargo.toml:6: wants serde_json 1"),
    ]);
}

#[test]
fn git_is_asked() {
    let repository = Repository::new();
    repository.says(&[
        ("git status", "on main: 2 paths with changes\n M src/deep/mod.rs\n?? \"new file.txt\""),
        ("is the working tree clean", "no, the working tree is not clean: 2 changes uncommitted\n M src/deep/mod.rs\n?? new file.txt"),
        ("list the untracked files", "1 file untracked in the working tree\n?? new file.txt"),
        ("which files are staged", "none found: no file is staged in the working tree"),
        ("which branch am I on", "on branch main"),
        ("how many commits are there", "2 commits"),
        ("how many commits has Ada made", "1 commit by `Ada`"),
        ("list commits by Nobody", "none found: there are no commits by `Nobody`"),
        ("list the tags", &format!("1 tag\nv1.0 {}", today())),
        ("which files changed since v1.0", "differences between `v1.0` and the working tree: 2 files changed, 2 insertions(+), 1 deletion(-)\nM\tREADME.md\nM\tsrc/deep/mod.rs\nnote: 1 untracked file not in this diff"),
        ("git diff --cached", "none found: no differences between the last commit and the index"),
        ("who contributed", "2 authors, with their number of commits\n1 Ada Lovelace\n1 Grace Hopper"),
        ("is run.log tracked by git", "run.log is ignored by git"),
        ("show the diff between main and nowhere", "declined: does not understand `nowhere`: git knows no such revision"),
    ]);
    let last = repository.draft("who last changed README.md").output;
    assert!(last.starts_with("README.md was last changed by Grace Hopper <x@example.org> on "), "{last}");
    assert!(last.ends_with(" readme: say more"), "{last}");
    let log = repository.draft("show the last commit").output;
    assert!(
        log.starts_with("the newest 1 of 2 commits\n") && log.ends_with(" Grace Hopper: readme: say more"),
        "{log}"
    );
    let diff = repository.draft("git diff").output;
    assert!(diff.contains("\n-// caching is hard\n+// caching is harder"), "{diff}");
}

/// Tags without a message bear the date of their commit, which is when this test ran.
fn today() -> String {
    shared::units::now()[..10].to_owned()
}

#[test]
fn outside_a_repository_git_is_not_asked() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let task = Task { text: "git status".to_owned(), ..Task::default() };
    match Local::new(dir.path().to_owned()).run(&job(task, dir.path())) {
        Answer::Draft(draft) => {
            assert_eq!(draft.status, Status::Failed);
            assert_eq!(draft.reason.as_deref(), Some("the working directory is in no git repository"));
        }
        Answer::Declined(reason) => panic!("{reason}"),
    }
}

#[test]
fn paths_stay_inside() {
    let repository = Repository::new();
    repository.write("docs/secret-link", "");
    fs::remove_file(repository.path("docs/secret-link")).expect("removed");
    std::os::unix::fs::symlink("/etc", repository.path("docs/outside")).expect("linked");
    for text in [
        "show /etc/passwd",
        "show ../other/file.txt",
        "show src/../../x.rs",
        "list files in /etc/",
        "list files in ..",
        "find `x` in ../",
        "show docs/outside/passwd",
        "list files in docs/outside",
        "show .git/config",
        "show ./.GIT/config",
        "show the last 3 commits touching ../x.rs",
        "count lines in /etc/passwd",
        "run the tests in /etc/",
    ] {
        match repository.ask(text) {
            Answer::Declined(_) => {}
            Answer::Draft(draft) => panic!("{text}: {}", draft.output),
        }
    }
}

#[test]
fn a_context_is_left_to_a_model_and_tools_are_honoured() {
    let repository = Repository::new();
    let local = Local::new(repository.dir.path().to_owned());
    let declined = |task: Task| match local.run(&repository.job(task)) {
        Answer::Declined(reason) => reason,
        Answer::Draft(draft) => panic!("{}", draft.output),
    };
    let context = serde_json::value::RawValue::from_string("{\"only\":\"src\"}".to_owned()).expect("JSON");
    let task = Task { text: "list all Rust files".to_owned(), context: Some(context), ..Task::default() };
    assert_eq!(declined(task), "the task has a context, which only a model can read");
    let task =
        Task { text: "run the tests".to_owned(), tools: Some(vec!["Read".to_owned()]), ..Task::default() };
    assert_eq!(declined(task), "the task does not allow to run commands (`tools` is without Bash)");
    let task = Task { text: "list all files".to_owned(), tools: Some(Vec::new()), ..Task::default() };
    assert_eq!(declined(task), "the task does not allow to read files (`tools`)");
}

#[test]
fn a_named_program_is_run_as_it_stands() {
    let repository = Repository::new();
    let local = Local::new(repository.dir.path().to_owned());
    let run = |argv: &[&str]| {
        let run = Some(argv.iter().map(|&argument| argument.to_owned()).collect());
        match local.run(&repository.job(Task { text: "whatever".to_owned(), run, ..Task::default() })) {
            Answer::Draft(draft) => draft,
            Answer::Declined(reason) => panic!("{reason}"),
        }
    };
    let draft = run(&["printf", "%s|", "a b", "$HOME", "`id`", ";"]);
    assert_eq!((draft.status, draft.exit_code), (Status::Ok, Some(0)));
    assert_eq!(draft.output, "a b|$HOME|`id`|;|");
    let draft = run(&["sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!((draft.status, draft.exit_code), (Status::Failed, Some(3)));
    assert_eq!((draft.output.as_str(), draft.stderr.as_deref()), ("out\n", Some("err\n")));
    assert_eq!(draft.reason.as_deref(), Some("`sh -c echo out; echo err >&2; exit 3`: exit code 3"));
    let draft = run(&["no-such-program-anywhere"]);
    assert_eq!((draft.status, draft.exit_code), (Status::Failed, None));
    assert!(draft.reason.expect("a reason").starts_with("cannot start `no-such-program-anywhere`"));
}

#[test]
fn the_projects_commands_are_run() {
    let repository = Repository::new();
    fs::remove_file(repository.path("Cargo.toml")).expect("removed");
    repository
        .write("Makefile", "test:\n\t@echo '  2 passing'; echo '  1 failing'; exit 1\nlint:\n\t@echo fine\n");
    let draft = repository.draft("run the tests");
    assert_eq!((draft.status, draft.exit_code), (Status::Ok, Some(2)));
    let start = "tests failed: 1 failed, 2 passed\ncommand: make test (because of Makefile), exit code 2\noutput:\n  2 passing\n  1 failing\n";
    assert!(draft.output.starts_with(start), "{}", draft.output);

    let draft = repository.draft("run the linter");
    assert_eq!((draft.status, draft.exit_code), (Status::Ok, Some(0)));
    assert_eq!(
        draft.output,
        "lint passed\ncommand: make lint (because of Makefile), exit code 0\noutput:\nfine"
    );

    // What fails leads.
    let draft = repository.draft("run the linter and the tests");
    assert!(draft.output.starts_with("tests failed: 1 failed"), "{}", draft.output);
    assert_eq!(draft.exit_code, Some(2));

    for (text, reason) in [
        ("run the type checker", "no file of the project says how to run its types command"),
        ("run cargo test", "no file of the project says how to run its test command with cargo"),
        ("run the test adds_two", "does not know how to limit `make test` to one test"),
        ("run the tests in src", "does not know how to limit `make test` to `src`"),
    ] {
        match repository.ask(text) {
            Answer::Declined(said) => assert_eq!(said, reason),
            Answer::Draft(draft) => panic!("{text}: {}", draft.output),
        }
    }
}

#[test]
fn a_command_that_takes_too_long_is_ended() {
    let repository = Repository::new();
    let run = Some(vec!["sleep".to_owned(), "600".to_owned()]);
    let mut job = repository.job(Task { text: "wait".to_owned(), run, ..Task::default() });
    job.timeout = Some(Duration::from_millis(50));
    match Local::new(repository.dir.path().to_owned()).run(&job) {
        Answer::Draft(draft) => assert_eq!(draft.status, Status::Timeout),
        Answer::Declined(reason) => panic!("{reason}"),
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    /// What a hostile text puts in the place of a name reaches no shell, and git and tools as data only.
    #[test]
    fn nothing_is_written_for_hostile_texts(
        example in proptest::sample::select(grammar::tests::examples().collect::<Vec<_>>()),
        word in 0usize..12,
        hostile in proptest::sample::select(vec![
            "--output=pwned", "`--output=pwned`", "`-o`", "$(touch pwned)", "`$(touch pwned)`", "`; touch pwned`",
            "`x | tee pwned`", "../pwned", "`../../pwned`", ">pwned", "`HEAD --output=pwned`", "HEAD..--output=pwned",
            "-Xtouch", "`--exec=touch pwned`", "/tmp/pwned", "`\\n`", "%s", "*", "`*`", "/(/", "/x*/i", "HEAD", "src",
        ]),
    ) {
        static REPOSITORY: LazyLock<(Repository, Fingerprint)> =
            LazyLock::new(|| {
                let repository = quick_repository();
                let before = repository.fingerprint();
                (repository, before)
            });
        let mut words: Vec<&str> = example.split(' ').collect();
        let at = word % words.len();
        words[at] = hostile;
        let _ = REPOSITORY.0.ask(&words.join(" "));
        proptest::prop_assert!(REPOSITORY.0.fingerprint() == REPOSITORY.1, "after {}", words.join(" "));
    }
}

/// A repository whose commands do nothing.
fn quick_repository() -> Repository {
    let repository = Repository::new();
    fs::remove_file(repository.path("Cargo.toml")).expect("removed");
    repository.write("Makefile", "test lint build types fmt-check:\n\t@true\n");
    repository
}

/// Every ability, on a real repository: nothing on disk may change, not even git's index.
#[test]
fn nothing_is_ever_written() {
    let repository = quick_repository();
    let before = repository.fingerprint();
    let mut answered = 0;
    for text in grammar::tests::examples() {
        if matches!(repository.ask(text), Answer::Draft(_)) {
            answered += 1;
        }
    }
    assert!(answered > 100, "only {answered} were answered");
    let after = repository.fingerprint();
    for (a, b) in before.iter().zip(&after) {
        assert_eq!(a, b, "changed: {}", a.0.display());
    }
    assert_eq!(before.len(), after.len());
}

/// cargo would rewrite a lock file that does not fit.
#[test]
fn a_lock_file_is_not_rewritten() {
    let repository = Repository { dir: tempfile::tempdir().expect("a temporary directory") };
    repository.write("Cargo.toml", "[package]\nname = \"sample\"\nversion = \"0.2.0\"\nedition = \"2021\"\n");
    let lock = "version = 3\n\n[[package]]\nname = \"sample\"\nversion = \"0.1.0\"\n";
    repository.write("Cargo.lock", lock);
    repository.write("src/lib.rs", "#[test]\nfn one() {}\n#[test]\nfn two() {\n    assert_eq!(1, 2);\n}\n");
    let draft = repository.draft("run the tests");
    assert_eq!(fs::read_to_string(repository.path("Cargo.lock")).expect("a lock file"), lock);
    assert_eq!(draft.status, Status::Failed);
    assert!(draft.reason.is_some_and(|reason| reason.starts_with("Cargo.lock does not fit Cargo.toml")));

    repository.write("Cargo.lock", &lock.replace("0.1.0", "0.2.0"));
    let draft = repository.draft("run the tests");
    assert_eq!((draft.status, draft.exit_code), (Status::Ok, Some(101)), "{}", draft.output);
    let start = "tests failed: 1 failed, 1 passed\n\
                 command: cargo test --locked (because of Cargo.toml), exit code 101\n\
                 failed: two at src/lib.rs:5: assertion `left == right` failed\noutput:\n";
    assert!(draft.output.starts_with(start), "{}", draft.output);
    let draft = repository.draft("run the test named one");
    assert!(draft.output.starts_with("tests passed: 1 passed, 0 failed\n"), "{}", draft.output);
    let draft = repository.draft("run only the test named three");
    assert_eq!((draft.status, draft.reason.as_deref()), (Status::Failed, Some("no test is called `three`")));
}
