use std::fs::File;

use super::*;

fn dispatch(output: &str) -> Dispatch {
    let json = serde_json::json!({
        "attempt": 1, "status": "ok", "executor": "explore", "tier": 1, "output": output,
    });
    serde_json::from_value(json).unwrap()
}

fn key(name: &str) -> Key {
    Key::of([name.as_bytes()])
}

fn open(state: &Path, resume: bool) -> Journal {
    Journal::open(state, &Beginning { directory: state, resume, budget: None }).unwrap()
}

impl Journal {
    fn start(&self, name: &str) {
        self.started(key(name), name, 1, Tier::ONE, "command", None).unwrap();
    }

    fn finish(&self, name: &str, output: &str) {
        self.finished(key(name), name, &dispatch(output)).unwrap();
    }

    fn result(&self, name: &str) -> Option<String> {
        self.lookup(key(name)).unwrap().finished?.output
    }
}

#[test]
fn what_has_finished_is_found_again_and_what_was_only_started_is_not() {
    let state = tempfile::tempdir().unwrap();
    let journal = open(state.path(), false);
    ["a", "b", "c"].iter().for_each(|name| journal.start(name));
    journal.finish("a", "one");
    journal.finish("b", "two");
    journal.start("b");
    drop(journal);
    let journal = open(state.path(), true);
    assert_eq!(journal.result("a").as_deref(), Some("one"));
    assert_eq!(journal.result("b"), None, "started again and not finished");
    assert_eq!(journal.result("c"), None);
    drop(journal);
    assert_eq!(open(state.path(), false).result("a"), None, "not asked to resume");
}

#[test]
fn a_torn_line_is_closed_and_costs_only_itself() {
    let state = tempfile::tempdir().unwrap();
    let journal = open(state.path(), false);
    journal.finish("a", "one");
    let first = journal.lines.file().metadata().unwrap().len() as usize;
    journal.finish("b", "two");
    drop(journal);
    let path = path(state.path());
    let whole = std::fs::read(&path).unwrap();
    for length in first..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let journal = open(state.path(), true);
        assert_eq!(journal.result("a").as_deref(), Some("one"), "{length}");
        // All but the line break is a whole line: what it says happened.
        assert_eq!(journal.result("b").is_some(), length == whole.len() - 1, "{length}");
        journal.finish("c", "three");
        drop(journal);
        assert_eq!(open(state.path(), true).result("c").as_deref(), Some("three"), "{length}");
    }
}

/// A full disk tears the line of one run, and another one appends behind it before anybody could close it.
#[test]
fn a_line_behind_a_torn_one_is_found() {
    let state = tempfile::tempdir().unwrap();
    let journal = open(state.path(), false);
    journal.finish("a", "{\"event\":\"finished\"");
    for length in 1..60 {
        std::fs::OpenOptions::new()
            .append(true)
            .open(path(state.path()))
            .and_then(|mut file| {
                let line = std::fs::read(path(state.path())).unwrap();
                let line = line.split(|byte| *byte == b'\n').nth(1).unwrap();
                std::io::Write::write_all(&mut file, &line[..length])
            })
            .unwrap();
        let name = format!("b{length}");
        journal.finish(&name, &name);
    }
    drop(journal);
    let journal = open(state.path(), true);
    assert_eq!(journal.result("a").as_deref(), Some("{\"event\":\"finished\""));
    for length in 1..60 {
        let name = format!("b{length}");
        assert_eq!(journal.result(&name), Some(name));
    }
}

#[test]
fn what_did_not_get_to_do_its_work_has_not_finished_and_what_it_took_is_known() {
    let state = tempfile::tempdir().unwrap();
    let journal = open(state.path(), false);
    for status in [Status::Transport, Status::Auth, Status::Quota, Status::Cancelled] {
        let name = format!("{status:?}");
        journal.finished(key(&name), &name, &Dispatch { status, ..dispatch("") }).unwrap();
        let paid = Dispatch { status, cost_usd: Some(0.5), ..dispatch("") };
        journal.finished(key("paid"), "paid", &paid).unwrap();
    }
    drop(journal);
    let journal = open(state.path(), true);
    assert_eq!(journal.lookup(key("Transport")).unwrap(), Known::default());
    let paid = journal.lookup(key("paid")).unwrap().unfinished.unwrap();
    assert_eq!((paid.status, paid.cost_usd), (Status::Cancelled, Some(0.5)));
}

#[test]
fn a_wish_to_run_again_stays_until_the_attempt_is_made_anew() {
    let state = tempfile::tempdir().unwrap();
    let journal = open(state.path(), false);
    journal.finish("a", "one");
    drop(journal);
    let retry = Retry { context: Some("look closer".to_owned()), escalate: false };
    ask_for_retry(state.path(), key("a"), "a", &retry).unwrap();
    for _ in 0..2 {
        let known = open(state.path(), true).lookup(key("a")).unwrap();
        assert_eq!((known.retry.as_ref(), known.finished.is_some()), (Some(&retry), true));
    }
    open(state.path(), false).start("a");
    assert_eq!(open(state.path(), true).lookup(key("a")).unwrap(), Known::default());
}

#[test]
fn a_large_journal_is_put_aside_by_a_fresh_run_and_made_smaller_by_one_that_resumes() {
    let state = tempfile::tempdir().unwrap();
    let begin = |resume, large| {
        let beginning = Beginning { directory: state.path(), resume, budget: None };
        Journal::open_as(state.path(), &beginning, "r", large).unwrap()
    };
    let size = || path(state.path()).metadata().unwrap().len();
    let first = begin(false, 1000);
    for _ in 0..100 {
        first.start("a");
        first.finish("a", "one");
    }
    first.start("b");
    let second = begin(true, 1000);
    assert!(size() > 1000, "the first still writes");
    drop((first, second));
    let resumed = begin(true, 1000);
    assert!(size() < 2000, "{}", size());
    assert_eq!((resumed.result("a").as_deref(), resumed.result("b")), (Some("one"), None));
    drop(resumed);
    assert_eq!(begin(true, 1000).result("a").as_deref(), Some("one"));
    let whole = size();
    drop(begin(false, 100));
    assert!(size() < whole);
    assert_eq!(path(state.path()).with_extension("jsonl.old").metadata().unwrap().len(), whole);
}

#[test]
fn many_writers_do_not_mix_their_lines() {
    let state = tempfile::tempdir().unwrap();
    let long = "x".repeat(10_000);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (state, long) = (state.path(), &long);
            scope.spawn(move || {
                let journal = open(state, false);
                (0..50).for_each(|n| journal.finish(&format!("{writer}.{n}"), long));
            });
        }
    });
    let journal = open(state.path(), true);
    assert!(
        (0..4)
            .all(|writer| (0..50).all(|n| journal.result(&format!("{writer}.{n}")).as_ref() == Some(&long)))
    );
}

/// The journal of the first version must be understood for ever.
#[test]
fn a_journal_of_version_1_is_read() {
    let state = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(state.path().join("journal")).unwrap();
    let hex = key("a").to_hex();
    let lines = [
        format!(
            r#"{{"event":"started","run":"r","key":"{hex}","id":"a","attempt":1,"at":"2026-01-01T00:00:00.000Z"}}"#
        ),
        format!(
            r#"{{"event":"finished","run":"r","key":"{hex}","id":"a","dispatch":{{"attempt":1,"status":"ok","output":"one"}}}}"#
        ),
    ];
    std::fs::write(path(state.path()), lines.join("\n") + "\n").unwrap();
    assert_eq!(open(state.path(), true).result("a").as_deref(), Some("one"));
    let runs = runs::Runs::read(&File::open(path(state.path())).unwrap()).unwrap();
    assert_eq!((runs.all().len(), runs.all()[0].name.as_str(), runs.all()[0].tasks.len()), (2, "r", 1));
}
