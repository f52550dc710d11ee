//! Faults at any moment: kills, a full disk, files that may not grow. After each, and after the run that resumes it: nothing is
//! lost, nothing that had finished is run twice, nobody and nothing is left behind, and the user's checkout is as it was.
//!
//! `SPECPIPE_CAMPAIGN` says how many kills there are; `make campaign` makes it 200.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Place, Ran, wait_until};

const TASKS: usize = 30;

/// Notes when it begins and when it is done; every third task changes a file.
const SCRIPT: &str = r#"echo "$SPECPIPE_ID $$" >> "$NOTES/began"
    sleep "0.0$((${SPECPIPE_ID#t} % 5 + 1))"
    case $SPECPIPE_EXECUTOR in implement) echo "$SPECPIPE_ID" > "made-by-$SPECPIPE_ID"; echo more >> a.txt;; esac
    echo "result of $SPECPIPE_ID"
    echo "$SPECPIPE_ID $$" >> "$NOTES/done""#;

fn tasks() -> String {
    let task = |n: usize| {
        let executor = if n.is_multiple_of(3) { "implement" } else { "explore" };
        let needs = if n % 5 == 4 { format!("\"t{}\"", n - 1) } else { String::new() };
        format!(
            "{{\"id\":\"t{n}\",\"task\":{{\"text\":\"do {n}\",\"executor\":\"{executor}\",\"depends_on\":[{needs}]}}}}\n"
        )
    };
    (0..TASKS).map(task).collect()
}

/// A repository in which somebody is in the middle of work.
struct Ground {
    place: Place,
    notes: tempfile::TempDir,
    marker: String,
}

impl Ground {
    fn new(seed: u64) -> Ground {
        let place = Place::repository();
        let git = |arguments: &[&str]| {
            let name = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
            place.git(&name.iter().chain(arguments).copied().collect::<Vec<_>>())
        };
        place.write("a.txt", "stashed\n");
        git(&["stash", "-q"]);
        place.write("staged.txt", "staged\n");
        git(&["add", "staged.txt"]);
        place.write("a.txt", "being edited\n");
        place.write("untracked", "mine\n");
        place.write(
            ".git/hooks/post-checkout",
            "#!/bin/sh\ntouch \"$(git rev-parse --git-common-dir)/hook-ran\"\n",
        );
        let marker = format!("{}-{seed}", std::process::id());
        Ground { place, notes: tempfile::tempdir().unwrap(), marker }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.place.command(arguments);
        command
            .args(["--", "sh", "-c", SCRIPT])
            .env("NOTES", self.notes.path())
            .env("CAMPAIGN", &self.marker);
        command.stdin(Stdio::null());
        command
    }

    fn notes(&self, name: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in std::fs::read_to_string(self.notes.path().join(name)).unwrap_or_default().lines() {
            let id = line.split(' ').next().unwrap_or_default();
            *counts.entry(id.to_owned()).or_default() += 1;
        }
        counts
    }

    /// Returns the ids that the journal knows as finished.
    fn finished(&self) -> BTreeSet<String> {
        let journal = self.place.read(".specpipe/journal/dispatch.jsonl");
        let lines = journal.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["event"] == "finished")
            .map(|line| line["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns all that is the user's: files, index, stash, hooks, configuration, references.
    fn users(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let root = self.place.path();
        let is_ours = |path: &Path| {
            let path = path.strip_prefix(&root).unwrap();
            // What git itself adds for objects and worktrees, and what we keep.
            [
                "in",
                "out",
                ".specpipe",
                ".git/objects",
                ".git/worktrees",
                ".git/specpipe",
                ".git/refs/heads/specpipe",
                ".git/logs/refs/heads/specpipe",
            ]
            .iter()
            .any(|ours| path.starts_with(ours))
        };
        let entries = walkdir::WalkDir::new(&root).into_iter().filter_entry(|entry| !is_ours(entry.path()));
        let files = entries.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        files.map(|entry| (entry.path().to_owned(), std::fs::read(entry.path()).unwrap())).collect()
    }

    /// Expects that nobody runs any more who was started here.
    #[track_caller]
    fn nobody_is_left(&self) {
        if !Path::new("/proc/self/environ").exists() {
            return;
        }
        let needle = format!("CAMPAIGN={}", self.marker);
        wait_until("nobody is left of the run", || {
            let entries = std::fs::read_dir("/proc").unwrap().flatten();
            !entries.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok()).any(|entry| {
                let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|variable| variable == needle.as_bytes())
            })
        });
    }

    /// Resumes to the end, and looks at everything.
    #[track_caller]
    fn comes_to_its_end(&self, users: &BTreeMap<PathBuf, Vec<u8>>, before: &BTreeMap<String, usize>) {
        self.comes_to_its_end_but_for(0, users, before);
    }

    /// As [`comes_to_its_end`](Ground::comes_to_its_end), where so many trees may be left whose work could not be noted.
    fn comes_to_its_end_but_for(
        &self,
        strays: usize,
        users: &BTreeMap<PathBuf, Vec<u8>>,
        before: &BTreeMap<String, usize>,
    ) {
        let finished = self.finished();
        let ran = Ran::of(self.command("-j 4 --resume in").output().unwrap()).exits(0);
        let ids: Vec<String> = (0..TASKS).map(|n| format!("t{n}")).collect();
        assert_eq!(ran.ids(), ids, "n records in, n records out");
        let after = self.notes("began");
        for id in &finished {
            assert_eq!(after[id], before[id], "{id} had finished and was run again");
        }
        for record in ran.records() {
            let dispatch = &record["dispatch"];
            assert_eq!(dispatch["status"], "ok", "{record}");
            assert_eq!(dispatch["output"], format!("result of {}\n", record["id"].as_str().unwrap()));
        }
        let told = |name: &str| -> BTreeSet<String> {
            let records = ran.records();
            let values = records.iter().filter(|record| record["dispatch"]["commit"].is_string());
            values.map(|record| record["dispatch"][name].as_str().unwrap().to_owned()).collect()
        };
        let branches = self.place.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads/specpipe"]);
        let branches: BTreeSet<String> = branches.lines().map(str::to_owned).collect();
        let unknown = |there: &BTreeSet<String>, told: &BTreeSet<String>| {
            assert!(told.is_subset(there), "{told:?} are told, {there:?} are there");
            there.difference(told).count()
        };
        assert!(
            unknown(&branches, &told("branch")) <= strays,
            "no branch is left that no record knows: {branches:?}"
        );
        assert_eq!(told("branch").len(), TASKS.div_ceil(3));
        let trees = self.place.git(&["worktree", "list", "--porcelain"]);
        let trees = trees.lines().filter_map(|line| line.strip_prefix("worktree ")).skip(1);
        let trees = trees.map(str::to_owned).collect::<BTreeSet<_>>();
        assert!(unknown(&trees, &told("worktree")) <= strays, "{trees:?}");
        self.place.git(&["fsck", "--no-dangling"]);
        self.nobody_is_left();
        assert!(
            !self.place.path().join(".specpipe/run").read_dir().is_ok_and(|mut left| left.next().is_some())
        );
        let now = self.users();
        let changed: Vec<_> = users
            .iter()
            .filter(|(path, bytes)| now.get(*path) != Some(*bytes))
            .map(|(path, _)| path)
            .collect();
        let added: Vec<_> = now.keys().filter(|path| !users.contains_key(*path)).collect();
        assert!(changed.is_empty() && added.is_empty(), "changed: {changed:?}, added: {added:?}");
        let again = Ran::of(self.command("-j 4 --resume in").output().unwrap()).exits(0);
        assert_eq!((again.stdout, self.notes("began")), (ran.stdout, after), "twice is the same as once");
    }
}

/// A sequence of numbers that looks random and is the same for the same seed.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn kills_at_any_moment() {
    let kills: u64 = std::env::var("SPECPIPE_CAMPAIGN").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let (mut done, mut seed, mut twice) = (0, 0u64, 0);
    while done < kills {
        seed += 1;
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let ground = Ground::new(seed);
        ground.place.write("in", &tasks());
        let users = ground.users();
        for _ in 0..4.min(kills - done) {
            let mut child = ground.command("-j 4 --resume in").stdout(Stdio::null()).spawn().unwrap();
            let started = Instant::now();
            let began = |ground: &Ground| ground.notes("began").values().sum::<usize>();
            // Some at their very beginning, the others when a few tasks more have begun, and a little later.
            let target = began(&ground) + (random(&mut state) % 8) as usize;
            let is_over = |child: &mut std::process::Child| child.try_wait().unwrap().is_some();
            while began(&ground) < target
                && !is_over(&mut child)
                && started.elapsed() < Duration::from_secs(30)
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_micros(random(&mut state) % 60_000));
            child.kill().unwrap();
            child.wait().unwrap();
            ground.nobody_is_left();
            done += 1;
        }
        let before = ground.notes("began");
        ground.comes_to_its_end(&users, &before);
        let (began, ended) = (ground.notes("began"), ground.notes("done"));
        assert_eq!(ended.len(), TASKS);
        // Done, and killed before anybody could note it.
        twice += ended.values().filter(|count| **count > 1).count();
        assert!(began.values().all(|count| *count <= 5), "seed {seed}: {began:?}");
    }
    eprintln!("{done} kills: {twice} tasks were done, not yet noted, and done again");
    // No more than what ran at each of these moments.
    assert!(twice as u64 <= 4 * kills, "{twice} tasks in {kills} kills");
}

/// Nothing may grow beyond a size: the journal, outputs, git's objects, the records themselves.
#[test]
fn a_disk_that_is_full_loses_nothing() {
    for blocks in [1, 4, 12] {
        let ground = Ground::new(1000 + blocks);
        ground.place.write("in", &tasks());
        let users = ground.users();
        let limited = ground.command("-j 4 --resume in");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\" > out")]);
        command.arg(limited.get_program()).args(limited.get_args()).current_dir(ground.place.path());
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(limited.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.status, 4, "{blocks}: {}", ran.stderr);
        assert!(ran.stderr.contains("dispatch: error: "), "{}", ran.stderr);
        ground.nobody_is_left();
        let before = ground.notes("began");
        // Work that is committed and can be noted nowhere keeps its branch: it may be all that is left of it.
        ground.comes_to_its_end_but_for(4, &users, &before);
    }
}

#[test]
fn records_that_can_not_be_written_can_be_resumed() {
    if !Path::new("/dev/full").exists() {
        return eprintln!("there is no /dev/full here: nothing was checked");
    }
    let ground = Ground::new(2000);
    ground.place.write("in", &tasks());
    let users = ground.users();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = ground.command("-j 4 in").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(ran.status.code(), Some(4), "{}", String::from_utf8_lossy(&ran.stderr));
    ground.nobody_is_left();
    let before = ground.notes("began");
    ground.comes_to_its_end(&users, &before);
}

#[test]
fn a_trace_of_a_killed_run_can_be_read() {
    let ground = Ground::new(3000);
    ground.place.write("in", &tasks());
    let trace = ground.notes.path().join("trace.json");
    let arguments = format!("-j 4 --trace {} in", trace.display());
    let mut child = ground.command(&arguments).stdout(Stdio::null()).spawn().unwrap();
    let text = || std::fs::read_to_string(&trace).unwrap_or_default();
    wait_until("some spans are there", || text().matches("\"ph\":\"X\"").count() >= 5);
    child.kill().unwrap();
    child.wait().unwrap();
    ground.nobody_is_left();
    let text = text();
    let whole = text.rsplit_once(",\n").unwrap().0;
    let events: Vec<Value> = serde_json::from_str(&format!("{whole}]")).unwrap();
    let mut threads: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for span in events.iter().filter(|event| event["ph"] == "X") {
        let number = |name: &str| span[name].as_u64().unwrap();
        let until = threads.entry((number("pid"), number("tid"))).or_default();
        assert!(number("ts") >= *until, "spans of a thread overlap");
        *until = number("ts") + number("dur");
    }
    assert!(threads.len() > 1, "nothing ran at the same time");
}
