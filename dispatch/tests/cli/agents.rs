//! `dispatch agents`: executors as files.

use crate::harness::Place;

#[test]
fn executors_are_listed_by_name() {
    let place = Place::new();
    let ran = place.run("agents list", "").exits(0);
    for name in ["explore", "validate", "document", "implement", "review"] {
        assert!(ran.stdout.lines().any(|line| line.starts_with(name)), "{}", ran.stdout);
    }
    assert_eq!(ran.stderr, "");
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
