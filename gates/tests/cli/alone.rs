use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;

use crate::world::{World, token};

#[test]
fn paths_are_checked_and_the_answer_is_the_exit_status() {
    let world = World::bare();
    world.write("good.py", "x = 1\n").write("sub/notes.txt", "anything ((\n");
    let text = world.gates(&["."]).with(0);
    assert_eq!(text, "pass: 2 files (syntax pass, secrets pass)\n");
    world.write("sub/bad.rs", "fn main() {\n    let x = (1;\n}\n");
    let text = world.gates(&["."]).with(1);
    assert_eq!(
        text,
        "sub/bad.rs:2:15: error[syntax/syntax-error]: Rust: `)` is missing for the `(` of line 2\n\
         fail: 1 error in 3 files (syntax fail, secrets pass)\n"
    );
    world.gates(&["good.py"]).with(0);
    world.gates(&["--exit-zero", "."]).with(0);
    world.gates(&["--gate", "secrets", "."]).with(0);
    world.gates(&["--skip", "syntax", "sub"]).with(0);
}

#[test]
fn what_git_ignores_is_left_out_unless_it_is_tracked_named_or_asked_for() {
    let world = World::new();
    world.write(".gitignore", "secret/\n.env\n").write(".env", format!("TOKEN={}\n", token()));
    world.write("secret/a.txt", token());
    world.gates(&["."]).with(0);
    assert!(world.gates(&["--no-ignore", "."]).with(1).starts_with(".env:1:7: error[secrets/github-token]"));
    world.gates(&[".env"]).with(1);
    world.git(&["add", "--force", "secret/a.txt"]);
    assert!(world.gates(&["."]).with(1).starts_with("secret/a.txt:1:1: error[secrets/github-token]"));
    assert!(world.gates(&["secret"]).with(1).contains("secret/a.txt:1:1: "));
    // What ignores the worktree of an attempt does not ignore what is in it.
    let world = World::new();
    world.write("a.py", "x = 1\n").write(".specpipe/.gitignore", "*\n").commit();
    world.git(&["worktree", "add", "--quiet", ".specpipe/worktrees/a-1"]);
    world.write(".specpipe/worktrees/a-1/new.py", "((");
    assert!(world.gates(&[".specpipe/worktrees/a-1"]).with(1).contains("a-1/new.py:1:2: "));
    assert!(world.gates(&["."]).with(0).contains("pass: 1 file "));
    // Outside of git, .gitignore is heeded all the same.
    let world = World::bare();
    world.write(".gitignore", "a.py\n").write("a.py", "((");
    world.gates(&["."]).with(0);
    // Hidden files are files.
    let world = World::new();
    world.write(".github/x.yml", token());
    world.gates(&["."]).with(1);
}

#[test]
fn the_index_is_checked_and_not_the_disk() {
    let world = World::new();
    world.write("a.py", "x = (\n");
    world.git(&["add", "a.py"]);
    world.write("a.py", "x = 1\n");
    // There is no commit yet.
    assert!(world.gates(&["--staged"]).with(1).starts_with("a.py:1:5: error[syntax/syntax-error]"));
    world.git(&["add", "a.py"]);
    world.write("a.py", "x = (\n");
    world.gates(&["--staged"]).with(0);
    world.commit();
    world.git(&["rm", "--quiet", "--cached", "a.py"]);
    assert_eq!(world.gates(&["--staged"]).with(0), "skip: 0 files (syntax skip, secrets skip)\n");
}

#[test]
fn a_commit_hook_that_has_another_index_sees_that_one() {
    let world = World::new();
    world.write("a.txt", "a").commit();
    world.write(
        ".git/hooks/pre-commit",
        format!("#!/bin/sh\nexec '{}' --staged --fast\n", env!("CARGO_BIN_EXE_gates")),
    );
    std::fs::set_permissions(
        world.path().join(".git/hooks/pre-commit"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    world.write("a.txt", token());
    // `git commit --all` stages into an index of its own.
    let refused = std::process::Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--all", "--message", "x"])
        .current_dir(world.path())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&refused.stdout).into_owned() + &String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("a.txt:1:1: error[secrets/github-token]"), "{said}");
    world.write("a.txt", "b");
    world.git(&["commit", "--quiet", "--all", "--message", "x"]);
}

#[test]
fn only_what_the_branch_made_worse_counts() {
    let world = World::new();
    let old = format!("# notes\nTOKEN = '{}'\nx = = 1\n", token());
    world.write("a.py", &old).write("moved.py", &old).write("gone.py", &old).commit();
    world.git(&["checkout", "--quiet", "-b", "work"]);
    world.write("a.py", format!("import os\n\n{old}"));
    world.git(&["mv", "moved.py", "there.py"]);
    world.git(&["rm", "--quiet", "gone.py"]);
    world.commit();
    // main goes on; what it adds is not ours.
    world.git(&["checkout", "--quiet", "main"]);
    world.write("theirs.py", "((").commit();
    world.git(&["checkout", "--quiet", "work"]);
    let text = world.gates(&["--diff", "main"]).with(0);
    assert_eq!(text, "pass: 4 that were there before in 2 files (syntax pass, secrets pass)\n");
    assert!(
        world
            .gates(&["--diff", "main", "--verbose"])
            .with(0)
            .contains("a.py:4:10: note[secrets/github-token]")
    );
    world.gates(&["--diff", "main", "--whole-files"]).with(1);
    // A second one like it is new, in a file that is not committed as well as in one that git does not know yet.
    world.write("a.py", format!("{old}TOKEN = '{}'\n", token()));
    assert!(world.gates(&["--diff", "main"]).with(1).starts_with("a.py:4:10: error[secrets/github-token]"));
    world.write("a.py", &old).write("new.py", "((");
    assert!(world.gates(&["--diff", "main"]).with(1).starts_with("new.py:1:2: error[syntax/syntax-error]"));
    world.gates(&["--diff", "main", "a.py"]).with(0);
}

#[test]
fn a_base_that_is_not_there_is_a_usage_error_with_a_remedy() {
    let world = World::new();
    world.write("a", "a").commit();
    let error = world.gates(&["--diff", "mian"]).error(2);
    assert!(error.contains("there is no commit `mian`") && error.contains("hint: name a branch"), "{error}");
    let error = world.gates(&["--diff=--output=x"]).error(2);
    assert!(error.contains("there is no commit `--output=x`") && !world.path().join("x").exists(), "{error}");
    world.git(&["checkout", "--quiet", "--orphan", "other"]);
    world.write("a", "b").commit();
    let error = world.gates(&["--diff", "main"]).error(2);
    assert!(error.contains("no commit in common"), "{error}");
    let error = World::bare().gates(&["--staged"]).error(2);
    assert!(error.contains("is in no git repository"), "{error}");
}

#[test]
fn names_are_data_whatever_they_hold() {
    let world = World::new();
    world.write("start", "").commit();
    let names: [&[u8]; 7] = [
        b"a b.py",
        b"line\nbreak.py",
        b"quo\"te'.py",
        b"$(touch hit).py",
        b"-rf.py",
        b"\xFFodd.py",
        b";touch hit;.py",
    ];
    for name in names {
        world.write(Path::new(std::ffi::OsStr::from_bytes(name)), "x = (\n");
    }
    for arguments in [&["."][..], &["--diff", "HEAD"], &["--staged"]] {
        if arguments == ["--staged"] {
            world.git(&["add", "--all"]);
        }
        let text = world.gates(arguments).with(1);
        assert!(
            text.ends_with("7 errors in 8 files (syntax fail, secrets pass)\n")
                || text.ends_with("7 errors in 7 files (syntax fail, secrets pass)\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 8, "{text}");
    }
    assert!(!world.path().join("hit").exists());
}

#[test]
fn what_can_not_be_read_is_no_pass() {
    let world = World::bare();
    world.write("a.py", "x = 1\0");
    let text = world.gates(&["."]).with(0);
    assert!(
        text.starts_with("a.py: warning[syntax/not-checked]") && text.contains("\nunverifiable: "),
        "{text}"
    );
    world.gates(&["--strict", "."]).with(1);
    let error = world.gates(&["nowhere"]).error(2);
    assert!(error.contains("cannot read `nowhere`"), "{error}");
    std::os::unix::fs::symlink("nowhere", world.path().join("link.py")).unwrap();
    // A link that is met is not followed; one that is named is meant.
    assert!(!world.gates(&["."]).with(0).contains("link.py"));
    assert!(world.gates(&["link.py"]).with(0).contains("link.py: warning"));
}

#[test]
fn a_declared_scope_is_held_against_the_change() {
    let world = World::new();
    world.write("src/a", "").commit();
    world.write("src/a", "1").write("b", "").write("c", "");
    assert!(
        world
            .gates(&["--diff", "HEAD", "--declare", "src"])
            .with(0)
            .contains("b: warning[scope/undeclared_file]")
    );
    world.gates(&["--diff", "HEAD", "--declare", "src", "--scope", "strict"]).with(1);
    let strict = world
        .command()
        .args(["--diff", "HEAD", "--declare", "src"])
        .env("SCOPE_STRICT", "strict")
        .status()
        .unwrap();
    assert_eq!(strict.code(), Some(1));
    let odd = world.command().args(["."]).env("SCOPE_STRICT", "no").output().unwrap();
    assert_eq!(odd.status.code(), Some(2));
    world.write("d", "");
    assert!(
        world
            .gates(&["--diff", "HEAD", "--declare", "src"])
            .with(1)
            .contains("error[scope/decomposition_error]")
    );
    world.gates(&["--diff", "HEAD", "--declare", "src", "--scope", "disabled"]).with(0);
    world.write("specpipe.toml", "[gates]\nscope = \"disabled\"\n");
    world.gates(&["--diff", "HEAD", "--declare", "src"]).with(0);
    world.gates(&["--diff", "HEAD", "--declare", "src", "--scope", "strict"]).with(1);
}

#[test]
fn mistakes_on_the_command_line_and_in_the_configuration_name_the_remedy() {
    let world = World::bare();
    for (arguments, message) in [
        (&["--gate", "syntx", "."][..], "there is no gate `syntx`"),
        (&["--format", "sarif"], "--format is for use without records"),
        (&["--declare", "src", "."], "--declare needs a change"),
        (&["--staged", "--diff", "main"], "cannot be used with"),
        (&["--fast", "--full", "."], "cannot be used with"),
        (&["--nonsense"], "unexpected argument"),
    ] {
        let error = world.gates(arguments).error(2);
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
    assert!(world.gates(&["--gate", "syntx", "."]).error(2).contains("did you mean `syntax`?"));
    for (config, message) in [
        ("[gates]\nskipp = []\n", "specpipe.toml:2: unknown field `skipp`"),
        ("[[gates.commands]]\nname = \"lint\"\nrun = []\n", "gates.commands `lint`: `run` is empty"),
        ("[[gates.commands]]\nname = \"syntax\"\nrun = [\"x\"]\n", "this gate is built in"),
        ("[[gates.commands]]\nname = \"lint\"\nrun = [\"x\"]\ntimeout = \"5\"\n", "`5` has no unit"),
        ("[gates.secrets]\nexclude = [\"{\"]\n", "`{` is no glob"),
    ] {
        world.write("specpipe.toml", config);
        let error = world.gates(&["."]).error(2);
        assert!(error.contains(message), "{config}: {error}");
    }
}

#[test]
fn excluded_files_are_left_to_the_other_gates() {
    let world = World::bare();
    world.write("specpipe.toml", "[gates]\nskip = [\"scope\"]\n[gates.syntax]\nexclude = [\"bad/**\"]\n[gates.secrets]\nexclude = [\"**/*.pem\"]\n");
    world.write("bad/a.py", "((").write("b.pem", token());
    world.gates(&["."]).with(0);
    world.write("bad/a.py", format!("(( {}", token()));
    assert!(world.gates(&["."]).with(1).contains("bad/a.py:1:4: error[secrets/github-token]"));
}

#[test]
fn a_closed_output_is_fine_and_a_full_one_is_told() {
    let world = World::bare();
    world.write("a.py", "((");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = world.command().arg(".").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = world.command().arg(".").stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(0), true));
}

#[test]
fn its_own_sources_pass() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_gates"))
        .args(["--strict", "."])
        .current_dir(here)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_token_in_the_name_of_a_file_is_found_and_never_written() {
    let world = World::new();
    let token = token();
    world.write("a.py", "x = 1\n").commit();
    world.write(format!("notes-{token}.py"), "x = (\n");
    world.git(&["add", "--all"]);
    for format in ["human", "jsonl", "sarif", "github"] {
        for how in [&["."][..], &["--staged", "--declare", "src"], &["--diff", "HEAD", "--verbose"]] {
            let ended = world.gates(&[&["--format", format], how].concat());
            assert_eq!(ended.code, Some(1), "{format} {how:?}: {}", ended.stderr);
            assert!(ended.stdout.contains("github-token"), "{format} {how:?}: {}", ended.stdout);
            for written in [&ended.stdout, &ended.stderr] {
                assert!(!written.contains(&token[4..]), "{format} {how:?}: {written}");
            }
        }
    }
}

#[test]
fn quiet_says_nothing_unless_a_gate_fails() {
    let world = World::new();
    world.write("a.h", "#define BEGIN {\nvoid f(void) BEGIN\n  x(1 2);\n}\n").write("b.py", "x = 1\n");
    world.write(
        "specpipe.toml",
        "[[gates.commands]]\nname = \"lint\"\nrun = [\"sh\", \"-c\", \"echo 'b.py:1:1: error: no'\"]\n",
    );
    assert_eq!(world.gates(&["--quiet", "."]).with(0), "");
    world.write("b.py", "x = (\n");
    assert_eq!(world.gates(&["--quiet", "."]).with(1).lines().count(), 1);
    world.write("a.h", "void f(void);\n");
    // Whoever lets missing evidence count is told what is missing.
    world
        .write("b.py", "x = 1\n")
        .write("specpipe.toml", "[[gates.commands]]\nname = \"lint\"\nrun = [\"no-such-program\"]\n");
    assert_eq!(world.gates(&["--quiet", "."]).with(0), "");
    let text = world.gates(&["--quiet", "--strict", "."]).with(1);
    assert!(text.starts_with("lint unverifiable: ") && text.lines().count() == 1, "{text}");
}

#[test]
fn both_names_of_renamed_files_are_counted_as_files() {
    let world = World::new();
    for name in ["a", "b"] {
        world.write(format!("old/{name}.py"), format!("{name} = 1\n{name}{name} = 2\n"));
    }
    world.write("old/c.py", "c = 1\n").commit();
    std::fs::create_dir(world.path().join("new")).unwrap();
    for name in ["a", "b"] {
        world.git(&["mv", &format!("old/{name}.py"), &format!("new/{name}.py")]);
    }
    let text = world.gates(&["--staged", "--gate", "scope", "--declare", "x"]).with(1);
    assert!(text.contains("fail: 4 errors in 4 files"), "{text}");
}
