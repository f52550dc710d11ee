use crate::world::{World, token};

/// The one promise that must hold everywhere: what was found is never shown, not even a part of it.
#[test]
fn no_format_ever_shows_a_secret() {
    let world = World::new();
    let secret = token();
    world.write("start", "").commit();
    world.write("a.py", format!("TOKEN = '{secret}'\n"));
    // On lines that do not parse, in names of tests, in what a program prints.
    world.write("b.py", format!("x = ('{secret}'\ny = '{secret}\n"));
    world.write("c.json", format!("{{\"{secret}\": {secret}}}"));
    world.write("e.sh", format!("echo \"{secret}\n"));
    world.write(
        "specpipe.toml",
        format!(
            "[[gates.commands]]\nname = \"tests\"\nrun = [\"sh\", \"-c\", \"cat out; exit 1\", \"{secret}\"]\n\
             [[gates.commands]]\nname = \"lint\"\nrun = [\"sh\", \"-c\", \"cat a.py >&2; exit 1\"]\n"
        ),
    );
    world.write("out", format!("test {secret} ... FAILED\na.py:1:1: error: use of {secret}\ntest result: FAILED. 0 passed; 1 failed; 0 ignored;\n"));
    let tail = &secret[4..];
    let check = |what: &str, text: &str| {
        for part in 0..=tail.len() - 8 {
            assert!(!text.contains(&tail[part..part + 8]), "{what} shows the secret:\n{text}");
        }
    };
    for format in ["human", "jsonl", "sarif", "github"] {
        for mode in [
            &["."][..],
            &["--diff", "HEAD"],
            &["--diff", "HEAD", "--verbose"],
            &["--diff", "HEAD", "--whole-files"],
        ] {
            let ended = world.gates(&[mode, &["--format", format]].concat());
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            let rules = ended.stdout.matches("secrets/github-token").count()
                + ended.stdout.matches("\"rule\":\"github-token\"").count();
            assert!(rules >= 4, "{format}: {}", ended.stdout);
            check(format, &ended.stdout);
            check("standard error", &ended.stderr);
        }
    }
    let record = r#"{"id":"a","task":"x","dispatch":{"attempt":1,"status":"ok","executor":"implement","tier":2,"files_changed":["a.py","b.py","c.json","e.sh"]}}"#;
    let ended = world.gates_on(&["--verbose"], record);
    check("the record", &ended.stdout);
    check("standard error", &ended.stderr);
    assert!(ended.stdout.contains("the test `[secret]` failed"), "{}", ended.stdout);
}

#[test]
fn help_and_completions_and_the_man_page_are_there() {
    let world = World::bare();
    let help = world.gates(&["--help"]).with(0);
    for word in ["Examples:", "--staged", "--diff <BASE>", "Exit status:", "What to check:", "Gates:"] {
        assert!(help.contains(word), "{word}");
    }
    assert!(world.gates(&["--version"]).with(0).starts_with("gates "));
    assert!(world.gates(&["--generate", "man"]).with(0).contains(".TH gates"));
    assert!(world.gates(&["--generate", "complete-bash"]).with(0).contains("_gates"));
}
