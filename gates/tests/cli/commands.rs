use serde_json::{Value, json};

use crate::world::{World, has};

/// Runs one gate alone and returns what it says as an object.
fn gate(world: &World, name: &str, more: &[&str]) -> Value {
    let ended = world.gates(&[&["--gate", name, "--format", "jsonl", "."], more].concat());
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let findings: Vec<Value> = lines.iter().filter(|line| line["kind"] == "finding").cloned().collect();
    let mut gate = lines
        .into_iter()
        .find(|line| line["kind"] == "gate")
        .unwrap_or_else(|| panic!("{}{}", ended.stdout, ended.stderr));
    gate["findings"] = json!(findings);
    gate
}

fn configured(run: &str, more: &str) -> World {
    let world = World::bare();
    world.write("specpipe.toml", format!("[[gates.commands]]\nname = \"tests\"\nrun = {run}\n{more}\n"));
    world.write("a.py", "x = 1\n");
    world
}

#[test]
fn the_exit_code_and_the_output_both_count() {
    let cargo = |counts: &str| {
        counts
            .split(' ')
            .map(|c| {
                let (passed, failed) = c.split_once('/').unwrap();
                format!("test result: ok. {passed} passed; {failed} failed; 0 ignored; 0 measured\\n")
            })
            .collect::<String>()
    };
    for (output, code, outcome, reason) in [
        (cargo("3/0"), 0, "pass", "3 passed, 0 failed, 0 skipped"),
        // "0 failed" of the last binary hides no failure of the one before.
        (cargo("2/1 3/0"), 0, "fail", "5 passed, 1 failed, 0 skipped, although the exit code is 0"),
        (cargo("2/1 3/0"), 101, "fail", "5 passed, 1 failed, 0 skipped"),
        (cargo("3/0"), 1, "fail", "3 passed, 0 failed, 0 skipped"),
        (cargo("0/0"), 0, "unverifiable", "no test was run (0 passed, 0 failed, 0 skipped)"),
        (
            "no tests ran in 0.01s".to_owned(),
            5,
            "unverifiable",
            "no test was run (0 passed, 0 failed, 0 skipped)",
        ),
        ("fine".to_owned(), 0, "pass", "exit code 0; how many tests ran is not known"),
        ("0 failed".to_owned(), 1, "fail", "exit code 1"),
    ] {
        let world = configured(
            &format!("[\"sh\", \"-c\", \"printf '{}'; exit {code}\"]", output.replace('\\', "\\\\")),
            "",
        );
        let gate = gate(&world, "tests", &[]);
        assert_eq!(
            (&gate["outcome"], &gate["reason"]),
            (&json!(outcome), &json!(reason)),
            "{output} {code}: {gate}"
        );
    }
}

#[test]
fn a_program_that_is_not_there_or_does_not_end_is_unverifiable() {
    let world = configured("[\"no-such-program\"]", "");
    let gone = gate(&world, "tests", &[]);
    assert_eq!(gone["outcome"], "unverifiable");
    assert!(gone["reason"].as_str().unwrap().contains("install it"), "{gone}");
    world.gates(&["."]).with(0);
    world.gates(&["--strict", "."]).with(1);
    let gate = gate(&configured("[\"sleep\", \"60\"]", "timeout = \"200ms\""), "tests", &[]);
    assert_eq!(gate["outcome"], "unverifiable");
    assert!(gate["reason"].as_str().unwrap().starts_with("it did not end in time"), "{gate}");
}

#[test]
fn configured_commands_run_by_themselves_unless_only_fast_ones_are_wanted() {
    let world = configured("[\"sh\", \"-c\", \"touch ran; exit 1\"]", "");
    world.gates(&["--fast", "."]).with(0);
    assert!(!world.path().join("ran").exists());
    world.gates(&["."]).with(1);
    assert!(world.path().join("ran").exists());
    world.gates(&["--skip", "tests", "."]).with(0);
}

#[test]
fn severity_and_files_of_a_command() {
    let world = configured("[\"false\"]", "severity = \"warning\"");
    let soft = gate(&world, "tests", &[]);
    assert_eq!((&soft["outcome"], &soft["findings"][0]["severity"]), (&json!("pass"), &json!("warning")));
    let world = configured("[\"false\"]", "files = [\"**/*.rs\"]");
    let skipped = gate(&world, "tests", &[]);
    assert_eq!(
        (&skipped["outcome"], &skipped["reason"]),
        (&json!("skip"), &json!("no changed file is one of its `files`"))
    );
    world.write("a.rs", "");
    assert_eq!(gate(&world, "tests", &[])["outcome"], "fail");
}

#[test]
fn commands_of_the_project_run_only_when_they_are_asked_for() {
    let world = World::bare();
    world.write("Makefile", "test:\n\ttouch ran\n");
    let text = world.gates(&["."]).with(0);
    assert!(text.ends_with("not run: tests: make test (--full runs them)\n"), "{text}");
    assert!(!world.path().join("ran").exists());
    if has("make") {
        world.gates(&["--full", "."]).with(0);
        assert!(world.path().join("ran").exists());
    }
    let nothing = gate(&World::bare(), "lint", &[]);
    assert_eq!(nothing["outcome"], "skip");
    assert!(nothing["reason"].as_str().unwrap().contains("[[gates.commands]]"), "{nothing}");
}

#[test]
fn failures_that_were_there_before_do_not_count() {
    let world = World::new();
    // A test runner of our own: each line of `failing` is a test that fails.
    let run = "while read -r t; do echo \\\"test $t ... FAILED\\\"; done < failing; n=$(wc -l < failing); \
               echo \\\"test result: FAILED. 2 passed; $n failed; 0 ignored;\\\"; test $n -eq 0";
    world.write(
        "specpipe.toml",
        format!("[[gates.commands]]\nname = \"tests\"\nrun = [\"sh\", \"-c\", \"{run}\"]\n"),
    );
    world.write("failing", "old_1\nold_2\n").commit();
    let at = |failing: &str, more: &[&str]| {
        world.write("failing", failing);
        let ended =
            world.gates(&[&["--diff", "HEAD", "--gate", "tests", "--format", "jsonl"], more].concat());
        let text = ended.stdout;
        let gate = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .find(|line| line["kind"] == "gate");
        (ended.code, gate.unwrap(), text)
    };
    let (code, gate, _) = at("old_2\n", &[]);
    assert_eq!((code, &gate["outcome"]), (Some(0), &json!("pass")), "{gate}");
    assert_eq!(
        gate["reason"],
        "2 passed, 1 failed, 0 skipped; 1 failure there before the change, none is new"
    );
    let (code, gate, text) = at("old_1\nold_3\n", &[]);
    assert_eq!((code, &gate["outcome"]), (Some(1), &json!("fail")), "{gate}");
    assert_eq!(gate["reason"], "2 passed, 2 failed, 0 skipped; 1 of them before the change too");
    assert!(
        text.contains("the test `old_1` failed (was there before the change)")
            && text.contains("the test `old_3` failed\""),
        "{text}"
    );
    assert_eq!(at("old_2\n", &["--whole-files"]).0, Some(1));
    // The working tree of the comparison is gone.
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn what_was_to_be_repaired_counts_although_it_was_broken_before() {
    let world = World::new();
    let run = "echo 'test tests::test_add ... FAILED'; echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored;'; exit 1";
    world.write(
        "specpipe.toml",
        format!("[[gates.commands]]\nname = \"tests\"\nrun = [\"sh\", \"-c\", \"{run}\"]\n"),
    );
    let base = world.write("a.py", "x = (\n").commit();
    world.write("a.py", "y = 1\nx = (\n").commit();
    let judge = |text: &str| {
        let line = json!({"id": "a", "task": text, "dispatch": {"attempt": 1, "status": "ok", "executor": "implement", "tier": 2,
            "base": base, "files_changed": ["a.py"]}});
        let record = world.gates_on(&["--gate", "syntax,tests"], &line.to_string()).record();
        let outcome = |at: usize| record["gates"]["results"][at]["outcome"].as_str().unwrap().to_owned();
        (outcome(0), outcome(1))
    };
    let told = |syntax: &str, tests: &str| (syntax.to_owned(), tests.to_owned());
    assert_eq!(judge("add a constant to a.py"), told("pass", "pass"));
    assert_eq!(judge("fix the failing test"), told("pass", "fail"));
    assert_eq!(judge("fix the bug in add"), told("pass", "fail"));
    assert_eq!(judge("fix the bug in the greeting"), told("pass", "unverifiable"));
    assert_eq!(judge("fix the syntax error in a.py"), told("fail", "unverifiable"));
}

#[test]
fn real_python_tests() {
    if !has("python3") {
        return;
    }
    let world = World::bare();
    world.write(
        "specpipe.toml",
        "[[gates.commands]]\nname = \"tests\"\nrun = [\"python3\", \"-m\", \"unittest\"]\n",
    );
    let none = gate(&world, "tests", &[]);
    assert_eq!(none["outcome"], "unverifiable", "{none}");
    world.write("test_a.py", "import unittest\nclass A(unittest.TestCase):\n    def test_good(self): pass\n");
    assert_eq!(gate(&world, "tests", &[])["reason"], "1 passed, 0 failed, 0 skipped");
    world.write(
        "test_a.py",
        "import unittest\nclass A(unittest.TestCase):\n    def test_bad(self): self.fail()\n",
    );
    let bad = gate(&world, "tests", &[]);
    assert_eq!(bad["outcome"], "fail");
    assert!(bad["findings"][0]["message"].as_str().unwrap().contains("test_bad"), "{bad}");
}

#[test]
fn real_node_tests() {
    if !has("node") {
        return;
    }
    let world = World::bare();
    world.write("specpipe.toml", "[[gates.commands]]\nname = \"tests\"\nrun = [\"node\", \"--test\"]\n");
    world.write(
        "a.test.js",
        "require('node:test')('adds', () => { if (1 + 1 !== 3) throw new Error('no') })\n",
    );
    let bad = gate(&world, "tests", &[]);
    assert_eq!(bad["outcome"], "fail", "{bad}");
    assert!(bad["findings"].to_string().contains("the test `adds` failed"), "{bad}");
    world.write("a.test.js", "require('node:test')('adds', () => {})\n");
    let good = gate(&world, "tests", &[]);
    assert_eq!(good["outcome"], "pass", "{good}");
}

#[test]
fn real_cargo_lint_types_and_tests_in_a_worktree() {
    if !has("cargo") {
        return;
    }
    let world = World::new();
    world.write(
        "Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\ndoctest = false\n",
    );
    world.write(".gitignore", "/target\n/.specpipe\n");
    let old = "pub fn f() -> u8 { 1 }\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() { assert_eq!(super::f(), 1) }\n}\n";
    let base = world.write("src/lib.rs", old).commit();
    let judge = |gates: &str| {
        let line = json!({"id": "a", "task": "x", "dispatch": {"attempt": 1, "status": "ok", "executor": "implement", "tier": 2,
            "base": base, "files_changed": ["src/lib.rs"]}});
        world.gates_on(&["--gate", gates], &line.to_string()).record()["gates"].clone()
    };
    let gates = judge("types,tests");
    assert_eq!(gates["outcome"], "pass", "{gates}");
    assert_eq!(gates["results"][1]["reason"], "1 passed, 0 failed, 0 skipped");
    world.write("src/lib.rs", old.replace("{ 1 }", "{ 2 }"));
    let gates = judge("tests");
    let finding = &gates["results"][0]["findings"][0];
    assert_eq!(finding["message"], "the test `tests::one` failed", "{gates}");
    assert_eq!((&finding["path"], &finding["line"]), (&json!("src/lib.rs"), &json!(5)));
    assert_eq!(gates["outcome"], "fail");
    world.write("src/lib.rs", old.replace("{ 1 }", "{ \"x\" }"));
    let gates = judge("types,tests");
    assert_eq!(gates["results"][0]["findings"][0]["rule"], "E0308", "{gates}");
    assert_eq!(gates["results"][1]["outcome"], "fail", "{gates}");
}

/// Cargo takes what another working tree has built there for its own if the sources here are older.
#[test]
fn a_target_directory_that_others_share_hides_no_failure() {
    if !has("cargo") {
        return;
    }
    let right = "pub fn f() -> u8 { 1 }\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() { assert_eq!(super::f(), 1) }\n}\n";
    let wrong = right.replace("{ 1 }", "{ 2 }");
    for by_file in [false, true] {
        let world = World::new();
        let shared = world.path().join("shared-target");
        world.write(
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\ndoctest = false\n",
        );
        world.write(".gitignore", "target\nshared-target\n.specpipe\nno-config\n.cargo\n");
        let base = world.write("src/lib.rs", right).commit();
        let tree = ".specpipe/worktrees/a-1";
        world.git(&["worktree", "add", "--quiet", "-b", "specpipe/a-1", tree]);
        world.write(format!("{tree}/src/lib.rs"), &wrong);
        let with_shared = |mut command: std::process::Command| {
            if by_file {
                let setting = format!("[build]\ntarget-dir = \"{}\"\n", shared.display());
                world.write(".cargo/config.toml", setting);
                command.env_remove("CARGO_TARGET_DIR");
            } else {
                command.env("CARGO_TARGET_DIR", &shared).env("CARGO_BUILD_TARGET_DIR", &shared);
            }
            command
        };
        let mut cargo = std::process::Command::new("cargo");
        cargo.args(["test", "--quiet"]).current_dir(world.path());
        assert!(with_shared(cargo).output().unwrap().status.success());
        assert!(shared.is_dir());
        let line = json!({"id": "a", "task": "x", "dispatch": {"attempt": 1, "status": "ok", "executor": "implement", "tier": 2,
            "base": base, "worktree": tree, "files_changed": ["src/lib.rs"]}});
        world.write("in.jsonl", line.to_string());
        let mut command = with_shared(world.command());
        command.args(["--gate", "tests", "--records", "in.jsonl"]);
        let record = crate::world::Ended::of(command.output().unwrap()).record();
        assert_eq!(record["gates"]["outcome"], "fail", "by file {by_file}: {record}");
    }
}

#[test]
fn an_exit_code_alone_is_evidence_only_if_somebody_vouches_for_it() {
    if !has("make") {
        return;
    }
    for (says, outcome) in [
        ("true", "unverifiable"),
        ("echo everything is fine", "unverifiable"),
        ("echo 0 tests passed", "unverifiable"),
        ("echo 4 tests passed", "pass"),
        ("echo PASS: 3", "pass"),
        ("echo 'ok 1 - counts'", "pass"),
    ] {
        let world = World::bare();
        world.write("Makefile", format!("test:\n\t@{says}\n"));
        let detected = gate(&world, "tests", &[]);
        assert_eq!(detected["outcome"], outcome, "{says}: {detected}");
        if says == "true" {
            let reason = detected["reason"].as_str().unwrap();
            assert!(reason.starts_with("exit code 0, but nothing says that a test ran"), "{reason}");
            assert!(reason.contains("[[gates.commands]]"), "{reason}");
            world
                .write("specpipe.toml", "[[gates.commands]]\nname = \"tests\"\nrun = [\"make\", \"test\"]\n");
            assert_eq!(gate(&world, "tests", &[])["outcome"], "pass");
        }
    }
}

#[test]
fn what_fails_in_exactly_the_same_way_as_before_says_nothing_about_the_change() {
    let world = World::new();
    let run = "cat says; echo \\\"took 0.$$ s in $PWD\\\" >&2; exit $(cat code)";
    world.write(
        "specpipe.toml",
        format!("[[gates.commands]]\nname = \"tests\"\nrun = [\"sh\", \"-c\", \"{run}\"]\n"),
    );
    let base = world.write("says", "no database\n").write("code", "1").write("a.py", "x = 1\n").commit();
    world.write("a.py", "x = 2\n");
    let judge = |text: &str| {
        let line = json!({"id": "a", "task": text, "dispatch": {"attempt": 1, "status": "ok", "executor": "implement", "tier": 2,
            "base": base, "files_changed": ["a.py"]}});
        world.gates_on(&["--gate", "tests"], &line.to_string()).record()["gates"]["results"][0].clone()
    };
    let same = judge("add a constant");
    assert_eq!(same["outcome"], "unverifiable", "{same}");
    assert!(same["reason"].as_str().unwrap().contains("exactly the same way at the commit before"), "{same}");
    assert_eq!(judge("make the failing tests pass")["outcome"], "fail");
    world.write("code", "2");
    assert_eq!(judge("add a constant")["outcome"], "fail");
    world.write("code", "1").write("says", "no database\nno table\n");
    assert_eq!(judge("add a constant")["outcome"], "fail");
    world.write("code", "0").write("says", "");
    assert_eq!(judge("add a constant")["outcome"], "pass");
}
