//! The table of exit statuses in PROTOCOL.md, row by row, for each program.

use tests::Shell;

/// A record that has been done and judged well; nobody has anything against it.
const FINE: &str = r#"{"id":"a","task":"say hello","classify":{"tier":1,"executor":"explore","confidence":1.0,"risk":"low","reasons":[],"scores":{"1":1.0,"2":0.0,"3":0.0}},"dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1,"output":"hello","elapsed_ms":1},"gates":{"attempt":1,"outcome":"pass","results":[]},"verify":{"attempt":1,"decision":"accept","confidence":1.0,"checks":[],"reason":"fine"}}
"#;

/// Commands and records to which the answer is "no".
fn noes() -> Vec<(&'static str, String)> {
    let failed = FINE.replace(r#""outcome":"pass""#, r#""outcome":"fail""#).replace("accept", "blocked");
    let not_done = FINE.replace(r#""status":"ok""#, r#""status":"failed""#).replace("accept", "blocked");
    let vague = "{\"id\":\"a\",\"task\":\"frobnicate the quux\"}\n".to_owned();
    vec![
        ("classify", vague),
        ("dispatch", not_done.clone()),
        ("gates", failed.clone()),
        ("verify", not_done),
        ("converge -n 1 -c cat", failed),
    ]
}

#[test]
fn status_0_is_fine_and_so_is_nothing_at_all() {
    for command in ["classify", "dispatch", "gates", "verify", "converge -n 1 -c cat"] {
        for input in ["", "\n\n", FINE] {
            for flag in ["", "-e", "--exit-status"] {
                let (tool, rest) = command.split_once(' ').unwrap_or((command, ""));
                let output =
                    Shell::new().run_on(input, &format!("{tool} {flag} {rest}")).succeeds().tells_nothing();
                assert_eq!(output.records().len(), usize::from(input == FINE), "{output}");
            }
        }
    }
}

#[test]
fn status_1_is_a_no_for_those_who_ask() {
    for (command, input) in noes() {
        let (tool, rest) = command.split_once(' ').unwrap_or((command, ""));
        let shell = Shell::new();
        let without = shell.run_on(&input, command).succeeds();
        let with = shell.run_on(&input, &format!("{tool} --exit-status {rest}")).exits(1);
        assert_eq!(with.records(), without.records(), "{tool}: the records are the same either way");
    }
}

#[test]
fn gates_alone_is_a_linter() {
    let shell = Shell::with_git();
    shell.write("fine.json", "{\"a\": 1}\n");
    shell.run("gates .").succeeds();
    shell.write("broken.json", "{\"a\": }\n");
    shell.run("gates .").exits(1);
    shell.run("gates --exit-zero .").succeeds();
    shell.run("git add broken.json && gates --staged").exits(1);
    shell.run("git commit -qm broken && gates --diff HEAD~1").exits(1);
}

#[test]
fn converge_over_a_tree_says_whether_it_settled() {
    let shell = Shell::with_git();
    shell.run("converge --tree -n 3 -- true < /dev/null").succeeds();
    let changing =
        r#"converge --tree -n 2 -- sh -c 'date +%N%s >> changing.txt; echo $$ >> changing.txt' < /dev/null"#;
    shell.run(changing).exits(1);
}

#[test]
fn status_2_is_usage_and_nothing_was_read() {
    for (tool, rest) in
        [("classify", ""), ("dispatch", ""), ("gates", ""), ("verify", ""), ("converge", "-n 1 -c cat")]
    {
        for wrong in ["--no-such-option", "--max-line", "--config nowhere.toml", "--generate nothing"] {
            let output = Shell::new().run_on(FINE, &format!("{tool} {wrong} {rest}")).exits(2);
            assert_eq!(output.stdout, "", "{output}");
        }
    }
    Shell::new().run_on(FINE, "converge").exits(2).tells(&["nothing to run", "hint: "]);
}

#[test]
fn status_3_is_a_record_that_could_not_be_processed() {
    for command in ["classify", "dispatch", "gates", "verify", "converge -n 1 -c cat"] {
        let (tool, rest) = command.split_once(' ').unwrap_or((command, ""));
        let input = format!("oops\n{FINE}");
        let output = Shell::new().run_on(&input, command).exits(3);
        assert_eq!(output.records().len(), 2, "{output}");
        output.tells(&[&format!("{tool}: error: line 1: not a record"), "hint: "]);
        // It is graver than a no.
        Shell::new().run_on(&input, &format!("{tool} -e {rest}")).exits(3);
    }
}

// Status 4 is in pipes.rs (a_full_disk_is_told_and_ends_with_4), and so is 130 (an_interrupt_ends_each_with_130).
