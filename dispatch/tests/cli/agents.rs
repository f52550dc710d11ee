//! `dispatch agents`: executors as files.

use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::harness::{Place, Ran};

const MINE: &str =
    "---\nname: poet\ndescription: Writes verse.\ntools: Read\nmodel: haiku\n---\nWrite in verse.\n";

fn objects(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns what is in the place of an executor.
#[track_caller]
fn state(place: &Place, level: &str, name: &str) -> String {
    let ran = place.run(&format!("agents status --{level} --json"), "").exits(0);
    let found = objects(&ran).into_iter().find(|object| object["name"] == name && object["place"] == level);
    found.unwrap()["state"].as_str().unwrap().to_owned()
}

#[test]
fn executors_are_listed_by_name_with_where_they_come_from() {
    let place = Place::new();
    place.write(".claude/agents/poet.md", MINE);
    place.write(".claude/agents/explore.md", "---\nname: explore\n---\nMine.\n");
    let ran = place.run("agents list", "").exits(0);
    for name in ["explore", "validate", "document", "implement", "review", "architect", "coherence", "poet"] {
        assert!(ran.stdout.lines().any(|line| line.starts_with(name)), "{}", ran.stdout);
    }
    assert_eq!(ran.stderr, "");
    let objects = objects(&place.run("agents list --json", "").exits(0));
    let find = |name: &str| objects.iter().find(|object| object["name"] == name).unwrap();
    assert_eq!(find("poet")["source"], "project");
    assert_eq!(find("poet")["tier"], 1);
    assert_eq!(find("explore")["hides"][0]["source"], "built_in");
    assert_eq!(find("review")["tools"].as_array().unwrap().len(), 4);
    assert_eq!(objects.len(), 14);
}

#[test]
fn a_file_that_is_named_like_a_command_is_read_by_its_path() {
    let place = Place::new();
    place.write("agents", "{\"id\":\"a\",\"task\":\"count the rust files\"}\n");
    assert_eq!(place.run("./agents", "").exits(0).ids(), ["a"]);
    let help = place.run("--help", "").exits(0).stdout;
    assert!(help.contains("Commands:") && help.contains("./agents"), "{help}");
    place.run("agents", "").exits(2);
}

#[test]
fn what_is_shown_can_be_used_as_a_file() {
    let place = Place::new();
    let shown = place.run("agents show review", "").exits(0).stdout;
    place.write(".claude/agents/review.md", &shown);
    place.run("agents check", "").exits(0);
    assert_eq!(place.run("agents show review", "").exits(0).stdout, shown);
    let object: Value = serde_json::from_str(&place.run("agents show review --json", "").stdout).unwrap();
    assert_eq!(object["source"], "project");
    assert!(object["prompt"].as_str().unwrap().len() > 200);
    let ran = place.run("agents show reviw", "").exits(2);
    assert!(ran.stderr.contains("did you mean `review`?"), "{}", ran.stderr);
}

#[test]
fn faults_are_told_with_file_and_line() {
    let place = Place::new();
    place.write("good.md", MINE);
    place.write("unclosed.md", "---\nname: x\n");
    place.write("turns.md", "---\nname: y\ndescription: d\nmaxTurns: all\n---\nbody\n");
    place.write("tool.md", "---\nname: z\ndescription: d\ntools: Raed\n---\nbody\n");
    place.write("again.md", MINE);
    place.run("agents check good.md", "").exits(0);
    let ran = place.run("agents check good.md unclosed.md turns.md tool.md again.md", "").exits(1);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.stdout);
    assert!(lines[0].starts_with("unclosed.md:1: "), "{}", ran.stdout);
    assert!(lines[1].starts_with("turns.md:4: "), "{}", ran.stdout);
    assert!(lines[2].starts_with("tool.md:4: ") && lines[2].contains("`Read`"), "{}", ran.stdout);
    assert!(lines[3].starts_with("again.md:1: ") && lines[3].contains("good.md"), "{}", ran.stdout);
    place.run("agents check nothing.md", "").exits(2);
    // A run says it too, and goes on with those that can be used.
    place.write(".claude/agents/unclosed.md", "---\nname: x\n");
    let ran = place.run("", "{\"id\":\"a\",\"task\":\"count the rust files\"}\n").exits(0);
    assert!(ran.stderr.contains("unclosed.md`: line 1"), "{}", ran.stderr);
    let ran = place.run("agents list", "").exits(3);
    assert!(ran.stderr.contains("unclosed.md`: line 1"), "{}", ran.stderr);
}

#[test]
fn installing_says_what_it_does_and_does_it_once() {
    let place = Place::new();
    let ran = place.run("agents install --project --dry-run", "").exits(0);
    assert!(ran.stdout.starts_with("would be installed "), "{}", ran.stdout);
    assert!(!place.path().join(".claude").exists());
    let ran = place.run("agents install --both", "").exits(0);
    assert_eq!(ran.stdout.lines().count(), 26, "{}", ran.stdout);
    assert!(ran.stderr.contains("commit .claude/agents"), "{}", ran.stderr);
    assert_eq!(state(&place, "project", "review"), "current");
    assert_eq!(state(&place, "user", "architect"), "current");
    let file = place.path().join(".claude/agents/review.md");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o444, 0o444, "others can read it");
    let left: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 13, "nothing is left of how they were written");
    place.run("agents check", "").exits(0);
    assert_eq!(place.run("agents list", "").exits(0).stderr, "");
    let again = place.run("agents install --both", "").exits(0);
    assert_eq!(again.stdout, "");
    let ran = place.run("agents uninstall --both --dry-run", "").exits(0);
    assert_eq!(ran.stdout.lines().count(), 26);
    assert!(file.exists());
    place.run("agents uninstall --both", "").exits(0);
    assert!(!file.exists());
    assert_eq!(state(&place, "user", "architect"), "absent");
}

#[test]
fn one_executor_goes_where_it_is_wanted() {
    let place = Place::new();
    place.run("agents install --user review", "").exits(0);
    assert_eq!(state(&place, "user", "review"), "current");
    assert_eq!(state(&place, "user", "explore"), "absent");
    assert_eq!(state(&place, "project", "review"), "absent");
    let ran = place.run("agents install review", "").exits(2);
    assert!(ran.stderr.contains("--project"), "{}", ran.stderr);
    place.run("agents install --user reviw", "").exits(2);
    place.run("agents install --user --everywhere", "").exits(2);
}

#[test]
fn what_somebody_has_edited_or_written_is_left() {
    let place = Place::new();
    place.run("agents install --project", "").exits(0);
    let file = ".claude/agents/review.md";
    let edited = place.read(file) + "And be kind.\n";
    place.write(file, &edited);
    place.write(".claude/agents/explore.md", MINE);
    assert_eq!(state(&place, "project", "review"), "edited");
    assert_eq!(state(&place, "project", "explore"), "foreign");
    // Not done is not fine.
    let ran = place.run("agents install --project", "").exits(3);
    assert!(ran.stderr.contains("review.md` is not replaced: it was edited"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("explore.md` is not replaced: it was written by somebody else"),
        "{}",
        ran.stderr
    );
    let ran = place.run("agents uninstall --project", "").exits(3);
    assert!(ran.stderr.contains("review.md` is not removed"), "{}", ran.stderr);
    assert_eq!((place.read(file), place.read(".claude/agents/explore.md")), (edited, MINE.to_owned()));
    assert_eq!(state(&place, "project", "validate"), "absent", "the others are removed nevertheless");
    place.run("agents install --project --force", "").exits(0);
    assert_eq!(state(&place, "project", "review"), "current");
    place.write(file, "---\nname: review\n---\nMine.\n");
    place.run("agents uninstall --project --force", "").exits(0);
    assert!(place.read(file).contains("Mine."), "what was never ours is not removed");
}

#[test]
fn an_older_version_is_brought_up_to_date() {
    let place = Place::new();
    let old = "---\nname: review\n---\nAs it was.\n";
    let hash = &blake3::hash(old.as_bytes()).to_hex()[..16];
    place.write(
        ".claude/agents/review.md",
        &old.replace("\n---\nAs", &format!("\nspecpipe: 0.0.1 {hash}\n---\nAs")),
    );
    let ran = place.run("agents status --project --json", "").exits(0);
    let review = objects(&ran).into_iter().find(|object| object["name"] == "review").unwrap();
    assert_eq!((&review["state"], &review["version"]), (&"outdated".into(), &"0.0.1".into()));
    let ran = place.run("agents install --project review", "").exits(0);
    assert!(ran.stdout.starts_with("updated "), "{}", ran.stdout);
    assert_eq!(state(&place, "project", "review"), "current");
}

#[test]
fn a_link_is_not_written_through() {
    let place = Place::new();
    place.write("elsewhere.md", MINE);
    place.write(".claude/agents/keep", "");
    symlink(place.path().join("elsewhere.md"), place.path().join(".claude/agents/review.md")).unwrap();
    assert_eq!(state(&place, "project", "review"), "foreign");
    place.run("agents install --project review", "").exits(3);
    place.run("agents install --project review --force", "").exits(0);
    assert_eq!(place.read("elsewhere.md"), MINE);
    assert_eq!(state(&place, "project", "review"), "current");
}

#[test]
fn what_can_not_be_written_is_no_success() {
    let place = Place::new();
    place.write(".claude", "a file where a directory has to be");
    let ran = place.run("agents install --project", "").exits(3);
    assert!(ran.stderr.contains("explore.md`"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    place.run("agents status", "").exits(3);
    let place = Place::new();
    place.write(".claude/agents/review.md/inside", "");
    let ran = place.run("agents install --project --force", "").exits(3);
    assert!(ran.stderr.contains("cannot write"), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 12, "the others are installed: {}", ran.stdout);
    let mut command = place.command("agents install --user");
    command.env_remove("HOME");
    let ran = crate::harness::finish(command, "").exits(2);
    assert!(ran.stderr.contains("set HOME"), "{}", ran.stderr);
}

#[test]
fn a_task_that_asks_for_tools_which_its_tier_has_not_moves_up() {
    let place = Place::new();
    let classify = r#""classify":{"tier":1,"executor":"explore","confidence":0.9,"risk":"low","scores":{"1":1,"2":0,"3":0}}"#;
    let input = format!(
        "{{\"id\":\"a\",\"task\":{{\"text\":\"think of it\",\"tools\":[\"Read\",\"Edit\"]}},{classify}}}\n\
         {{\"id\":\"b\",\"task\":{{\"text\":\"think of it\"}},{classify}}}\n\
         {{\"id\":\"c\",\"task\":{{\"text\":\"think of it\",\"tools\":[\"Edit\"],\"max_tier\":1}},{classify}}}\n"
    );
    let ran = place.run_script("", "cat", &input).exits(0);
    let a = &ran.record("a")["dispatch"];
    assert_eq!((&a["executor"], &a["tier"]), (&"implement".into(), &2.into()), "{a}");
    assert!(a["moved"].as_str().unwrap().contains("`Edit`"), "{a}");
    let b = &ran.record("b")["dispatch"];
    assert_eq!((&b["executor"], &b["tier"], b.get("moved")), (&"explore".into(), &1.into(), None), "{b}");
    let c = &ran.record("c")["dispatch"];
    assert_eq!((&c["executor"], &c["tier"]), (&"explore".into(), &1.into()), "{c}");
    assert!(c["moved"].as_str().unwrap().ends_with("it goes without"), "{c}");
    let mut command = place.command("--dry-run");
    command.args(["--", "cat"]);
    let plan = crate::harness::finish(command, &input).exits(0).stdout;
    assert!(plan.contains("implement") && plan.contains("the task asks for `Edit`"), "{plan}");
}
