//! Settings in files: found where people put them, wrong ones named with their place, and who wins over whom.

use tests::Shell;
use tests::tools::TOOLS;

/// A command that reads its configuration and has something to do, for each tool.
const COMMANDS: [(&str, &str); 5] = [
    ("classify", "classify"),
    ("dispatch", "dispatch"),
    ("gates", "gates"),
    ("verify", "verify"),
    ("converge", "converge -n 1 -c cat"),
];

const RECORD: &str = "{\"id\":\"a\",\"task\":{\"text\":\"x\",\"run\":[\"true\"]}}\n";

#[test]
fn an_unknown_key_is_told_with_file_line_and_the_nearest_known_one() {
    // One letter off from a key that each tool has.
    let keys = [("classify", "rule", "rules"), ("dispatch", "jbos", "jobs"), ("gates", "timeot", "timeout")];
    let more = [("verify", "timeot", "timeout"), ("converge", "round", "rounds")];
    for (tool, typed, meant) in keys.into_iter().chain(more) {
        let (_, command) = COMMANDS.into_iter().find(|(name, _)| *name == tool).expect("a command");
        let shell = Shell::new();
        shell.write("specpipe.toml", format!("# settings\n\n[{tool}]\n{typed} = 1\n"));
        let output = shell.run_on(RECORD, command).exits(2);
        assert_eq!(output.stdout, "", "something was done\n{output}");
        output.tells(&[
            &format!("{tool}: error: "),
            "specpipe.toml:4: ",
            &format!("`{typed}`"),
            "hint: did you mean",
            &format!("`{meant}`"),
        ]);
    }
}

#[test]
fn an_unknown_table_and_broken_toml_are_told_with_their_place() {
    for (tool, command) in COMMANDS {
        let shell = Shell::new();
        shell.write("specpipe.toml", "\n[classifi]\nx = 1\n");
        shell.run_on(RECORD, command).exits(2).tells(&[
            "specpipe.toml:2: ",
            "`classifi`",
            "did you mean `classify`",
        ]);
        shell.write("specpipe.toml", format!("[{tool}]\nx = = 1\n"));
        shell.run_on(RECORD, command).exits(2).tells(&["specpipe.toml:2: "]);
        shell.write("specpipe.toml", format!("{tool} = 3\n"));
        shell.run_on(RECORD, command).exits(2).tells(&["specpipe.toml", tool]);
        // The table of another tool is that tool's business.
        let other = if tool == "gates" { "verify" } else { "gates" };
        shell.write("specpipe.toml", format!("[{other}]\nwhatever = 1\n"));
        shell.run_on(RECORD, command).succeeds();
    }
}

#[test]
fn a_configuration_that_is_asked_for_has_to_be_there() {
    for (_, command) in COMMANDS {
        let shell = Shell::new();
        let (tool, rest) = command.split_once(' ').unwrap_or((command, ""));
        shell
            .run_on(RECORD, &format!("{tool} --config nowhere.toml {rest}"))
            .exits(2)
            .tells(&["nowhere.toml", "No such file"]);
        shell
            .run_on(RECORD, &format!("SPECPIPE_CONFIG=nowhere.toml {command}"))
            .exits(2)
            .tells(&["nowhere.toml"]);
        shell.write("other.toml", format!("[{tool}]\nno_such_key = 1\n"));
        shell
            .run_on(RECORD, &format!("{tool} --config other.toml {rest}"))
            .exits(2)
            .tells(&["other.toml:2: ", "no_such_key"]);
        // --config takes the place of the project's file.
        shell.write("specpipe.toml", "broken");
        shell.write("other.toml", "");
        shell.run_on(RECORD, &format!("{tool} --config other.toml {rest}")).succeeds();
    }
}

#[test]
fn the_nearest_file_upward_counts() {
    for (tool, command) in COMMANDS {
        let shell = Shell::new();
        shell.write("specpipe.toml", format!("[{tool}]\nno_such_key = 1\n")).write("a/b/file", "");
        shell.run_on(RECORD, &format!("cd a/b && {command}")).exits(2).tells(&["specpipe.toml:2: "]);
        shell.write("a/specpipe.toml", "");
        shell.run_on(RECORD, &format!("cd a/b && {command}")).succeeds();
    }
}

#[test]
fn the_user_s_own_file_is_read_too_and_its_mistakes_are_told_as_well() {
    for (tool, command) in COMMANDS {
        let shell = Shell::new();
        let directory = shell.home().join(".config/specpipe");
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join("config.toml"), format!("[{tool}]\nno_such_key = 1\n"))
            .expect("a file");
        shell.run_on(RECORD, command).exits(2).tells(&["specpipe/config.toml:2: ", "no_such_key"]);
        std::fs::write(directory.join("config.toml"), "").expect("a file");
        shell.run_on(RECORD, command).succeeds();
    }
}

/// Returns how many rounds `converge` made of a pipeline that never settles.
fn rounds(shell: &Shell, environment: &str, flags: &str) -> u64 {
    let record = "{\"id\":\"a\",\"task\":\"x\",\"n\":\"\"}\n";
    let command = format!(r#"{environment} converge {flags} -c 'sed "s/\"n\":\"/&x/"'"#);
    let output = shell.run_on(record, &command);
    assert!(matches!(output.status, 0 | 1), "{output}");
    output.records()[0]["converge"]["rounds"].as_u64().unwrap_or_else(|| panic!("{output}"))
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_project_s_file_and_that_over_the_user_s() {
    let shell = Shell::new();
    let default = rounds(&shell, "", "");
    assert!(default > 5, "{default}");
    let directory = shell.home().join(".config/specpipe");
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("config.toml"), "[converge]\nrounds = 5\n").expect("a file");
    assert_eq!(rounds(&shell, "", ""), 5);
    shell.write("specpipe.toml", "[converge]\nrounds = 4\n");
    assert_eq!(rounds(&shell, "", ""), 4);
    assert_eq!(rounds(&shell, "SPECPIPE_CONVERGE_ROUNDS=3", ""), 3);
    assert_eq!(rounds(&shell, "SPECPIPE_CONVERGE_ROUNDS=3", "-n 2"), 2);
}

#[test]
fn a_wrong_value_in_the_environment_is_told_as_one() {
    for tool in TOOLS {
        let output = Shell::new().run_on(RECORD, &format!("SPECPIPE_MAX_LINE=lots {tool}")).exits(2);
        output.tells(&["lots", "--max-line"]);
    }
    Shell::new().run_on(RECORD, "SCOPE_STRICT=perhaps gates").exits(2).tells(&[
        "SCOPE_STRICT",
        "perhaps",
        "strict",
    ]);
}
