//! `classify index` as a process, and what reflection does with it: one test for each promise of the README.

mod place;

use std::path::PathBuf;

use place::{Place, Ran, said};
use serde_json::{Value, json};

fn index(place: &Place) -> Value {
    place.run(&["index", "--json"]).json()
}

fn index_file(place: &Place) -> PathBuf {
    place.path().join(".specpipe/index/project.bin")
}

fn reflect(place: &Place, text: &str) -> Value {
    place.reflect("block", text).reflection()
}

const PROJECT: [(&str, &str); 6] = [
    (
        "app/core.py",
        "import app.util\n\n\ndef load_rows(path):\n    raise ValueError('no such column in the table')\n",
    ),
    ("app/util.py", "def trim(text):\n    return text\n"),
    ("app/cli.py", "from app import core\n"),
    ("app/__init__.py", ""),
    ("tests/test_core.py", "from app.core import load_rows\n"),
    ("README.md", "# app\n"),
];

#[test]
fn it_is_built_once_and_only_what_changed_is_read_again() {
    let place = Place::repository(&PROJECT);
    let first = index(&place);
    assert_eq!((&first["files"], &first["added"], &first["same"]), (&json!(6), &json!(6), &json!(0)));
    assert_eq!((&first["code"], &first["tests"]), (&json!(5), &json!(1)));
    place.write("app/util.py", "import app.core\n");
    place.write("app/new.py", "from app.util import trim\n");
    std::fs::remove_file(place.path().join("app/cli.py")).unwrap();
    let second = index(&place);
    let counts = ["added", "changed", "removed", "same", "files"].map(|name| second[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1, 4, 6]);
    // What was taken over is what a new reading finds.
    let file =
        |place: &Place| place.run(&["index", "--json", "app/core.py", "app/util.py", "app/new.py"]).output;
    let incremental = file(&place);
    assert_eq!(place.run(&["index", "--full"]).status, Some(0));
    assert_eq!(file(&place), incremental);
    assert!(
        std::fs::read_dir(index_file(&place).parent().unwrap()).unwrap().count() == 1,
        "something was left behind"
    );
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let place = Place::repository(&PROJECT);
    let ran = place.run(&["index", "--dry-run"]);
    assert!(
        ran.output.contains("would be written\n  6 new, 0 changed, 0 gone, 0 as they were\n"),
        "{}",
        ran.output
    );
    assert!(!place.path().join(".specpipe").exists());
    index(&place);
    let before = std::fs::read(index_file(&place)).unwrap();
    place.write("app/new.py", "");
    assert!(place.run(&["index", "--dry-run"]).output.contains("1 new, 0 changed, 0 gone, 6 as they were"));
    assert_eq!(std::fs::read(index_file(&place)).unwrap(), before);
}

#[test]
fn status_says_whether_it_is_what_is_there_by_content() {
    let place = Place::repository(&PROJECT);
    let status = |args: &[&str]| place.run(&[&["index", "--status"], args].concat());
    assert_eq!((status(&[]).status, status(&["-e"]).status), (Some(0), Some(1)));
    assert!(status(&[]).output.contains("there is none; `classify index` builds it"));
    index(&place);
    assert_eq!(status(&["-e"]).status, Some(0));
    assert_eq!(status(&["--json"]).json()["state"], "fresh");
    // Another time is not another content.
    std::fs::write(place.path().join("README.md"), "# app\n").unwrap();
    assert_eq!(status(&["--json"]).json()["state"], "fresh");
    place.write("README.md", "# App\n");
    place.write("new.py", "");
    std::fs::remove_file(place.path().join("app/cli.py")).unwrap();
    let ran = status(&["-e"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.output.contains(": stale\n") && ran.output.contains("  new      new.py\n"), "{}", ran.output);
    let json = status(&["--json"]).json();
    assert_eq!((&json["changed"], &json["removed"]), (&json!(["README.md"]), &json!(["app/cli.py"])));
}

#[test]
fn a_file_is_shown_with_those_that_depend_on_it_and_its_tests() {
    let place = Place::repository(&PROJECT);
    index(&place);
    let ran = place.run(&["index", "app/util.py"]);
    for line in [
        "app/util.py: Python, 2 lines\n",
        "  risk        low: 1 depend on it, 1 more through those\n",
        "  dependents  app/core.py\n",
        "    of those  app/cli.py\n",
        "  coverage    partial\n",
        "  symbols     trim:1\n",
    ] {
        assert!(ran.output.contains(line), "{line}{}", ran.output);
    }
    let json = Ran::of(&place.classify("app").args(["index", "--json", "core.py"]).output().unwrap()).json();
    assert_eq!(
        (&json["path"], &json["coverage"], &json["tests"]),
        (&json!("app/core.py"), &json!("covered"), &json!(["tests/test_core.py"]))
    );
    assert_eq!(json["symbols"], json!([{"name": "load_rows", "kind": "function", "line": 4}]));
    place.write("app/util.py", "x = 1\n");
    assert!(place.run(&["index", "app/util.py"]).output.contains("changed since the index was built"));
    let ran = place.run(&["index", "app/cli.py", "nope.py"]);
    assert_eq!(ran.status, Some(3));
    assert!(
        ran.output.starts_with("app/cli.py: ") && ran.errors.contains("`nope.py` is not in the index"),
        "{}",
        ran.errors
    );
}

#[cfg(unix)]
#[test]
fn the_name_of_a_file_can_neither_forge_a_line_nor_steer_the_terminal() {
    let odd = "app/\u{1b}[2J\nforged.py";
    let place = Place::repository(&[("app/util.py", "x = 1\n"), (odd, "import app.util\n")]);
    index(&place);
    place.write(odd, "import app.util\n\n");
    for args in [["index", odd], ["index", "app/util.py"], ["index", "--status"]] {
        let ran = place.run(&args);
        assert!(!ran.output.contains('\u{1b}') && !ran.output.contains("\nforged"), "{}", ran.output);
        assert!(ran.output.contains(r"app/\u{1b}[2J\nforged.py"), "{args:?}: {}", ran.output);
    }
}

#[test]
fn without_an_index_it_says_how_to_get_one() {
    let place = Place::repository(&PROJECT);
    let ran = place.run(&["index", "app/core.py"]);
    assert_eq!((ran.status, ran.output.as_str()), (Some(4), ""));
    assert!(
        ran.errors.contains("there is no index of ")
            && ran.errors.contains("hint: `classify index` builds it")
    );
}

#[test]
fn a_damaged_index_is_told_and_built_again() {
    let place = Place::repository(&PROJECT);
    index(&place);
    let bytes = std::fs::read(index_file(&place)).unwrap();
    std::fs::write(index_file(&place), &bytes[..bytes.len() / 2]).unwrap();
    let reflection = reflect(&place, "Fix the crash in app/core.py on an empty line");
    assert!(said(&reflection["evidence"]).contains("it is damaged"), "{reflection}");
    let ran = place.run(&["index"]);
    assert_eq!(ran.status, Some(0));
    assert!(ran.errors.contains("it is damaged; all files are read again"), "{}", ran.errors);
    assert_eq!(place.run(&["index", "--status", "-e"]).status, Some(0));
}

#[test]
fn what_git_ignores_and_what_is_ours_is_left_out() {
    let place = Place::repository(&[(".gitignore", "build/\n*.log\n"), ("a.py", ""), (".github/x.yml", "")]);
    for path in ["build/gen.py", "x.log", "node_modules/y/index.js", ".specpipe/worktrees/t-1/a.py"] {
        place.write(path, "x = 1\n");
    }
    assert_eq!(index(&place)["files"], 3);
}

#[test]
fn files_that_are_no_text_are_known_and_not_read() {
    let place = Place::repository(&[("a.py", "def f(): pass\n")]);
    std::fs::write(place.path().join("b.py"), b"def g(): pass\n\0\0").unwrap();
    std::fs::write(place.path().join("c.py"), b"def h(): '\xff\xfe'\n").unwrap();
    std::fs::write(place.path().join("big.js"), "function x() {}\n".repeat(200_000)).unwrap();
    let ran = index(&place);
    assert_eq!((&ran["files"], &ran["symbols"]), (&json!(4), &json!(2)));
}

#[test]
fn with_a_fresh_index_what_is_named_gives_full_context() {
    let place = Place::repository(&PROJECT);
    index(&place);
    let reflection = reflect(&place, "Fix the crash in app/core.py on an empty line");
    assert_eq!((&reflection["context"], &reflection["confidence"]), (&json!(1.0), &json!(0.925)));
    for text in [
        "Fix load_rows() for an empty path please",
        "Why does it say \"ValueError: no such column in the table\" here?",
        "Fix the typo in core.py for good",
    ] {
        let reflection = reflect(&place, text);
        assert_eq!(reflection["context"], 1.0, "{text}: {reflection}");
        assert!(said(&reflection["evidence"]).contains("app/core.py"), "{text}");
    }
    // Who names nothing has not been looked up, and "fix it" is not ready, however well the project is known.
    let reflection = reflect(&place, "fix it");
    assert_eq!(
        (&reflection["context"], &reflection["confidence"], &reflection["decision"]),
        (&json!(0.5), &json!(0.675), &json!("ask"))
    );
    place.write("app/util.py", "x = 2\n");
    assert_eq!(reflect(&place, "Fix the crash in app/core.py on an empty line")["context"], 0.8);
}

#[test]
fn a_file_that_is_not_there_is_asked_about_unless_it_is_to_be_made() {
    let place = Place::repository(&PROJECT);
    // Without an index it may be anywhere: no reason to stop.
    let reflection = reflect(&place, "Fix the function that reads rows in app/cores.py");
    assert_eq!(reflection["decision"], "proceed");
    assert!(said(&reflection["recommendations"]).contains("`app/cores.py` is not where that says"));
    index(&place);
    let ran = place.run(&["--reflect=block", "--text", "Fix the function that reads rows in app/cores.py"]);
    assert_eq!(ran.status, Some(3));
    let reflection = &ran.json()["classify"]["reflection"];
    assert_eq!(reflection["decision"], "ask");
    assert_eq!(reflection["blockers"][0], "`app/cores.py` is not in the repository: which file is meant?");
    assert!(said(&reflection["recommendations"]).contains("Is `app/cores.py` perhaps `app/core.py`?"));
    assert!(ran.json()["errors"][0]["message"].as_str().unwrap().contains("which file is meant?"));
    let reflection = reflect(&place, "Fix the function that sorts the columns of report.csv");
    assert_eq!(reflection["decision"], "proceed");
    let asked = said(&reflection["recommendations"]);
    assert!(asked.contains("`report.csv` is not in the repository: is it made by the program"), "{asked}");
    assert_eq!(reflect(&place, "Fix the function that reads app/config.yml please")["decision"], "ask");
    for text in
        ["Create app/cores.py with a function that reads rows", "Fix the crash of Node.js in app/core.py"]
    {
        assert_eq!(reflect(&place, text)["decision"], "proceed", "{text}");
    }
    // It came after the index was built.
    place.write("app/cores.py", "");
    assert_eq!(reflect(&place, "Fix the function that reads rows in app/cores.py")["decision"], "proceed");
}

#[test]
fn questions_are_about_what_was_found() {
    let place = Place::repository(&PROJECT);
    place.write("other/core.py", "def other(): pass\n");
    index(&place);
    let asked = |text: &str| said(&reflect(&place, text)["recommendations"]);
    assert!(
        asked("Fix the crash in core.py on an empty line")
            .contains("Which of the 2 files called `core.py` is meant: `app/core.py`, `other/core.py`?")
    );
    assert!(
        asked("Fix the crash in app/core.py:99 on an empty line")
            .contains("`app/core.py` has 5 lines: what is meant by line 99?")
    );
    assert!(
        asked("Fix the crash in read_rows() on an empty line")
            .contains("`read_rows` is a function of no file in the project")
    );
    assert!(
        !asked("Fix the crash in `read_rows` and json.loads() here").contains("is a function of no file")
    );
}

#[test]
fn a_change_that_reaches_far_is_a_risk() {
    let users: Vec<(String, String)> =
        (0..7).map(|at| (format!("app/u{at}.py"), "import app.util\n".to_owned())).collect();
    let mut files: Vec<(&str, &str)> =
        users.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.extend([("app/util.py", "x = 1\n"), ("app/__init__.py", "")]);
    let place = Place::repository(&files);
    assert_eq!(index(&place)["risk"]["critical"], 1);
    place.write("task.jsonl", "{\"id\":\"a\",\"task\":{\"text\":\"Rename the function trim to strip\",\"files_touched\":[\"app/util.py\"]}}\n");
    let run =
        |mode: &str| place.run(&[&format!("--reflect={mode}"), "task.jsonl"]).json()["classify"].clone();
    assert_eq!((&run("off")["risk"], &run("warn")["risk"]), (&json!("low"), &json!("medium")));
    assert!(said(&run("warn")["reasons"]).contains("risk medium: 7 files depend on `app/util.py`"));
}

#[test]
fn evidence_upon_evidence_never_lowers_the_score() {
    let texts = [
        "fix it",
        "Fix the crash in app/core.py on an empty line",
        "Fix the crash in app/nowhere.py on an empty line",
        "Fix load_rows() and app/nowhere.py and core.py",
        "Create a parser for the header line",
    ];
    let place = Place::new();
    let contexts = |place: &Place| texts.map(|text| reflect(place, text)["context"].as_f64().unwrap());
    let mut all = vec![contexts(&place)];
    place.git(&["init", "--quiet"]);
    all.push(contexts(&place));
    for (path, text) in PROJECT {
        place.write(path, text);
    }
    all.push(contexts(&place));
    index(&place);
    // One change more makes the index stale, which is less than fresh and no less than none.
    place.write("more.py", "");
    all.push(contexts(&place));
    index(&place);
    all.push(contexts(&place));
    for two in all.windows(2) {
        assert!(two[0].iter().zip(&two[1]).all(|(less, more)| less <= more), "{all:?}");
    }
    assert_eq!((all[0], all[4]), ([0.3; 5], [0.5, 1.0, 0.5, 0.5, 0.5]));
}

#[test]
fn a_home_directory_is_no_project() {
    let place = Place::new();
    let home = place.path().canonicalize().unwrap();
    let run = || Ran::of(&place.classify("").arg("index").env("HOME", &home).output().unwrap());
    let ran = run();
    assert_eq!(ran.status, Some(2));
    assert!(ran.errors.contains("is no project") && !home.join(".specpipe").exists(), "{}", ran.errors);
    place.write("specpipe.toml", "");
    assert_eq!(run().status, Some(0));
}

#[test]
fn what_a_task_may_touch_is_looked_up_too() {
    let place = Place::repository(&PROJECT);
    index(&place);
    let task = r#"{"id":"a","task":{"text":"Fix the crash on an empty line","files_touched":["app/core.py","app/new.py","lib/**"]}}"#;
    let reflection = place.run_on(&["--reflect=block"], task).reflection();
    assert_eq!((&reflection["context"], &reflection["decision"]), (&json!(1.0), &json!("proceed")));
}
