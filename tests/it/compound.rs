//! Compound tasks on their way through all five programs.

use serde_json::Value;
use tests::Shell;

/// Does each part; the first attempt at the change is not the work.
const AGENT: &str = r##"#!/bin/sh
echo "$SPECPIPE_ID $SPECPIPE_ATTEMPT" >> "$LOG"
case $SPECPIPE_ID.$SPECPIPE_ATTEMPT in
*.1.*) echo "double.sh:1 is the place" ;;
*.2.1) echo "TODO: implement this" ;;
*.2.*) sed -i 's/+ 1/\* 2/' double.sh; echo "changed double.sh" ;;
*.4.*) echo "double.sh prints twice its argument" > README.md; echo "changed README.md" ;;
*) echo "what is this?" ;;
esac
"##;

fn project() -> Shell {
    let shell = Shell::new();
    shell.write("double.sh", "echo $(( $1 + 1 ))\n");
    shell.write("test.sh", "[ \"$(sh double.sh 4)\" = 8 ] || exit 1\necho '1 passed, 0 failed'\n");
    shell.write("Makefile", "test:\n\t@sh test.sh\n");
    let agent = shell.home().join("agent.sh");
    std::fs::write(&agent, AGENT).expect("agent");
    let tiers: String =
        (1..=3).map(|tier| format!("[dispatch.tiers.{tier}]\nbackend = \"agent\"\n")).collect();
    let backend = format!("[dispatch.backends.agent]\ncommand = [\"sh\", \"{}\"]\n", agent.display());
    shell.write("specpipe.toml", backend + &tiers);
    shell.run("git init -q . && git add . && git commit -qm begin").succeeds();
    shell
}

fn record<'r>(records: &'r [Value], id: &str) -> &'r Value {
    records.iter().find(|record| record["id"] == id).unwrap_or_else(|| panic!("no {id} in {records:#?}"))
}

#[test]
fn a_compound_task_is_parted_escalated_in_part_and_joined() {
    let shell = project();
    let home = shell.home().display().to_string();
    let log = format!("{home}/log");
    let input = "{\"id\":\"p\",\"task\":\"Refactor double.sh and update the docs\"}\n";
    let output = shell
        .run_on(input, &format!("export LOG={log}; classify | converge -n 6 -c 'dispatch | gates | verify'"))
        .succeeds();
    let records = output.records();
    assert_eq!(records.len(), 5, "{output}");
    let of = |id: &str| record(&records, id);
    assert_eq!(of("p.2")["dispatch"]["attempt"], 2, "{output}");
    assert_eq!(of("p.1")["dispatch"]["attempt"], 1);
    assert_eq!(of("p.2")["verify"]["decision"], "accept", "{output}");
    let whole = of("p");
    assert_eq!(whole["dispatch"]["commit"], of("p.4")["dispatch"]["commit"]);
    assert_eq!(whole["dispatch"]["files_changed"], serde_json::json!(["README.md", "double.sh"]));
    assert_eq!(whole["verify"]["decision"], "accept", "{output}");
    let runs = std::fs::read_to_string(&log).expect("log");
    assert_eq!(runs.matches("p.1 ").count(), 1, "{runs}");
    let report = shell.run_on(&output.stdout, "verify report --format json").succeeds();
    let report: Value = serde_json::from_str(&report.stdout).expect("a report");
    assert_eq!(report["tasks"], 4, "the whole is no task beside its parts");
}
