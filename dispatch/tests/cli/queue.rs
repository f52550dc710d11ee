//! Work beyond one machine, with a real NATS server where one is installed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::{Place, Ran, finish, signal, wait_until};

/// A server with JetStream on loopback, in a directory of its own.
struct Server {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
    configuration: Option<PathBuf>,
}

impl Server {
    /// Starts one; none, said on stderr, where `nats-server` is not installed.
    fn start(configuration: &str) -> Option<Server> {
        let directory = tempfile::tempdir().unwrap();
        let configuration = (!configuration.is_empty()).then(|| {
            let path = directory.path().join("nats.conf");
            std::fs::write(&path, configuration.replace("DIR", &directory.path().display().to_string()))
                .unwrap();
            path
        });
        let Some(child) = spawn(directory.path(), -1, configuration.as_deref()) else {
            let said = "SKIPPED: nats-server is not installed, so nothing was tested with a real queue";
            // Past the capture of the test harness: this is to be seen.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{said}\n").as_bytes());
            return None;
        };
        let mut server = Server { child, directory, port: 0, configuration };
        server.port = server.wait();
        Some(server)
    }

    /// Waits until it listens, and returns the port.
    fn wait(&self) -> u16 {
        let ports = self.directory.path().join(format!("nats-server_{}.ports", self.child.id()));
        let read = || {
            let text = std::fs::read_to_string(&ports).ok()?;
            let found: Value = serde_json::from_str(&text).ok()?;
            let url = found["nats"].as_array()?.first()?.as_str()?.to_owned();
            url.rsplit_once(':')?.1.parse::<u16>().ok()
        };
        wait_until("the server listens", || read().is_some());
        read().unwrap()
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}/t", self.port)
    }

    /// Ends it, and starts it again on the same port with what it had on disk. Killed by force it would forget what it has
    /// confirmed in the last moments.
    fn restart(&mut self) {
        signal(&self.child, rustix::process::Signal::TERM);
        let _ = self.child.wait();
        self.child =
            spawn(self.directory.path(), i32::from(self.port), self.configuration.as_deref()).unwrap();
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(directory: &Path, port: i32, configuration: Option<&Path>) -> Option<Child> {
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "--ports_file_dir"]).arg(directory);
    match configuration {
        Some(path) => command.arg("-c").arg(path),
        None => command.arg("-js").arg("-sd").arg(directory.join("store")),
    };
    command.env("PATH", format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
}

/// A worker, ended with the test.
struct Worker {
    child: Child,
}

impl Worker {
    fn start(place: &Place, url: &str, arguments: &str) -> Worker {
        let mut command = place.command(&format!("--worker {url} {arguments}"));
        let log =
            std::fs::File::options().append(true).create(true).open(place.path().join("worker.err")).unwrap();
        let child = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
        Worker { child }
    }

    fn script(place: &Place, url: &str, arguments: &str, script: &str) -> Worker {
        let mut command = place.command(&format!("--worker {url} {arguments}"));
        command.args(["--", "sh", "-c", script]);
        let log =
            std::fs::File::options().append(true).create(true).open(place.path().join("worker.err")).unwrap();
        let child = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
        Worker { child }
    }

    fn send(&self, what: rustix::process::Signal) {
        signal(&self.child, what);
    }

    /// Asks it to stop; returns how it ended and what it printed.
    fn stop(mut self) -> Ran {
        self.send(rustix::process::Signal::TERM);
        let output = std::mem::replace(&mut self.child, Command::new("true").spawn().unwrap());
        Ran::of(output.wait_with_output().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that a worker could make wait for ever, and ends it after a while.
#[track_caller]
fn finish_soon(mut command: Command, input: &str) -> Ran {
    let child = start(&mut command, input);
    ended_soon(child)
}

/// Starts a command with this input.
fn start(command: &mut Command, input: &str) -> Child {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    std::thread::spawn(move || drop(std::io::Write::write_all(&mut stdin, input.as_bytes())));
    child
}

#[track_caller]
fn ended_soon(child: Child) -> Ran {
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    let (ended, ends) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait_with_output().unwrap()));
    let output = ends.recv_timeout(std::time::Duration::from_secs(120)).unwrap_or_else(|_| {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        let output = ends.recv().unwrap();
        panic!("it did not come to an end: {}", String::from_utf8_lossy(&output.stderr));
    });
    Ran::of(output)
}

/// Patience of the queue that tests can wait for.
const SHORT: &str = "[dispatch.queue]\nack_wait = \"1s\"\n";

#[test]
fn tasks_are_done_by_workers_and_come_back_as_the_same_records() {
    let Some(server) = Server::start("") else { return };
    let (here, there) = (Place::new(), Place::new());
    let worker = Worker::script(&there, &server.url(), "-j 2 --worker-name w1", "wc -w; echo >> ran");
    let input = r#"{"x":1.10,"id":"total","task":{"text":"sum up these","depends_on":["a"]}}
{"id":"a","task":"one two"}
"#;
    let ran = finish_soon(here.command(&format!("--queue {}", server.url())), input).exits(0);
    assert_eq!(ran.ids(), ["total", "a"]);
    assert!(ran.stdout.starts_with(r#"{"x":1.10,"id":"total","#), "{}", ran.stdout);
    let total = ran.record("total");
    assert_eq!(total["dispatch"]["output"], "3\n");
    assert_eq!(total["dispatch"]["worker"], "w1");
    assert_eq!(total["dispatch"]["backend"], "command");
    assert_eq!(total["dispatch"]["inputs"]["a"], 1);
    let stopped = worker.stop();
    assert_eq!((stopped.status, stopped.stdout.as_str()), (130, ""), "{}", there.read("worker.err"));
    assert_eq!(there.read("ran").lines().count(), 2);
    let again = here.run(&format!("--queue {} --resume", server.url()), input).exits(0);
    assert_eq!(again.stdout, ran.stdout, "from the journal, with no worker left");
}

#[test]
fn without_a_server_or_without_jetstream_the_error_says_what_to_do() {
    let here = Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ran =
        finish(here.command(&format!("--queue nats://127.0.0.1:{port}")), "{\"id\":\"a\",\"task\":\"x\"}\n");
    let ran = ran.exits(4);
    assert!(ran.stderr.contains("cannot connect to the queue at nats://127.0.0.1:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("is nats-server running there"), "{}", ran.stderr);
    let Some(server) = Server::start("port: -1\n") else { return };
    let ran = here.run(&format!("--worker {}", server.url()), "").exits(4);
    assert!(
        ran.stderr.contains("has no JetStream") && ran.stderr.contains("hint: start it with"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn secrets_stay_out_of_the_command_line_and_out_of_what_is_said() {
    let here = Place::new();
    let ran = here.run("--queue nats://u:hunter22@127.0.0.1:1/x", "").exits(2);
    assert!(
        ran.stderr.contains("SPECPIPE_DISPATCH_QUEUE") && !ran.stderr.contains("hunter22"),
        "{}",
        ran.stderr
    );
    let Some(server) = Server::start(
        "port: -1\njetstream { store_dir: DIR/store }\nauthorization { user: u, password: hunter22 }\n",
    ) else {
        return;
    };
    let line = "{\"id\":\"a\",\"task\":\"x\"}\n";
    let ran = here.run(&format!("--queue {}", server.url()), line).exits(4);
    assert!(ran.stderr.contains("the server does not let us in"), "{}", ran.stderr);
    let secret = format!("nats://u:hunter22@127.0.0.1:{}/t", server.port);
    let mut command = here.command("--worker -j 1");
    command.args(["--", "sh", "-c", "env"]).env("SPECPIPE_DISPATCH_QUEUE", &secret);
    let worker = Worker { child: command.spawn().unwrap() };
    let mut command = here.command("");
    command.env("SPECPIPE_DISPATCH_QUEUE", server.url());
    command.env("SPECPIPE_DISPATCH_QUEUE_USER", "u").env("SPECPIPE_DISPATCH_QUEUE_PASSWORD", "hunter22");
    let ran = finish_soon(command, line).exits(0);
    let journal = here.read(".specpipe/journal/dispatch.jsonl");
    assert!(!journal.is_empty() && !journal.contains("hunter22"));
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter22"), "{}", ran.stdout);
    assert!(ran.record("a")["dispatch"]["output"].as_str().unwrap().contains("SPECPIPE_ID=a"));
    drop(worker);
}

/// A stand-in for an agent program that says what it has spent, and notes it in a file beside it.
fn agent(place: &Place, log: &Path, seconds: &str) {
    let log = log.display();
    place.program(
        "claude",
        &format!(
            "cat > /dev/null\nsleep {seconds}\necho $SPECPIPE_ID >> {log}\n\
             printf '{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"%s done\",\
             \"num_turns\":1,\"total_cost_usd\":0.25,\"usage\":{{\"input_tokens\":3,\"output_tokens\":1}}}}' $SPECPIPE_ID"
        ),
    );
}

/// Hundreds of tasks in layers, each needing two of the layer before.
fn layered(tasks: usize, width: usize) -> String {
    let line = |at: usize| {
        let row = at / width;
        let needs = match row {
            0 => Vec::new(),
            _ => vec![
                format!("t{}", (row - 1) * width + at % width),
                format!("t{}", (row - 1) * width + (at + 1) % width),
            ],
        };
        serde_json::json!({"id": format!("t{at}"), "task": {"text": format!("do {at}"), "depends_on": needs, "min_tier": 1}})
            .to_string()
    };
    (0..tasks).map(|at| line(at) + "\n").collect()
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Returns all that the records say was paid, result or not.
fn paid(records: &[Value]) -> f64 {
    let of = |section: &Value| section["cost_usd"].as_f64().unwrap_or(0.0);
    let rivals =
        |section: &Value| -> f64 { section["rivals"].as_array().into_iter().flatten().map(of).sum() };
    records.iter().map(|record| of(&record["dispatch"]) + rivals(&record["dispatch"])).sum()
}

#[test]
fn three_workers_two_killed_and_one_frozen_and_every_task_is_accepted_once() {
    let Some(server) = Server::start("") else { return };
    let here = Place::new();
    let log = here.path().join("spent");
    let started = |name: &str| {
        let place = Place::new();
        place.write("specpipe.toml", SHORT);
        agent(&place, &log, "0.02");
        let worker =
            Worker::start(&place, &server.url(), &format!("--backend claude -j 4 --worker-name {name}"));
        (place, worker)
    };
    let (one, two, three) = (started("one"), started("two"), started("three"));
    here.write("specpipe.toml", SHORT);
    let (tasks, width) = (240, 12);
    let dispatcher = start(&mut here.command(&format!("--queue {}", server.url())), &layered(tasks, width));
    let done = |count: usize| lines(&log).len() >= count;
    wait_until("some are done", || done(20));
    signal(&one.1.child, rustix::process::Signal::KILL);
    wait_until("more are done", || done(50));
    signal(&three.1.child, rustix::process::Signal::STOP);
    wait_until("still more are done", || done(80));
    signal(&two.1.child, rustix::process::Signal::KILL);
    // Nobody is left who works: a fourth comes, and does what the three have left.
    let four = started("four");
    wait_until("the fourth has gone on", || done(150));
    signal(&three.1.child, rustix::process::Signal::CONT);
    let ran = ended_soon(dispatcher).exits(0);
    let records = ran.records();
    assert_eq!(records.len(), tasks);
    let mut ids = ran.ids();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), tasks, "each leaves once");
    for record in &records {
        let id = record["id"].as_str().unwrap();
        assert_eq!(record["dispatch"]["output"], format!("{id} done"), "{record}");
        assert_eq!(record["dispatch"]["attempt"], 1, "{record}");
    }
    let journal = here.read(".specpipe/journal/dispatch.jsonl");
    for at in 0..tasks {
        let id = format!("t{at}");
        let drafts: std::collections::BTreeSet<String> = journal
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["event"] == "finished" && line["id"] == *id)
            .map(|line| line["dispatch"]["started_at"].to_string())
            .collect();
        assert_eq!(drafts.len(), 1, "t{at} was accepted once");
    }
    for (_, worker) in [three, four] {
        assert_eq!(worker.stop().status, 130);
    }
    // What a killed worker was at has spent nothing that anybody could know of; all else is in the books, result or not.
    let spent = lines(&log).len() as f64 * 0.25;
    let untold = spent - paid(&records);
    assert!(
        (0.0..=3.0 * 4.0 * 0.25).contains(&untold),
        "{untold} of {spent} is not in the books: {}",
        ran.stderr
    );
    if untold > 0.0 {
        // Those were told after the last record had left, or never: with --resume what was told is in the books.
        assert!(ran.stderr.contains("never told of") || ran.stderr.contains("had left"), "{}", ran.stderr);
    }
}

#[test]
fn a_dispatcher_that_was_killed_goes_on_and_a_server_that_was_ended_comes_back() {
    let Some(mut server) = Server::start("") else { return };
    let (here, there) = (Place::new(), Place::new());
    here.write("specpipe.toml", SHORT);
    there.write("specpipe.toml", SHORT);
    let log = there.path().join("spent");
    agent(&there, &log, "0.02");
    let worker = Worker::start(&there, &server.url(), "--backend claude -j 3");
    let input = layered(60, 6);
    let command = || here.command(&format!("--queue {} --resume", server.url()));
    let mut first = start(&mut command(), &input);
    wait_until("some are done", || lines(&log).len() >= 12);
    first.kill().unwrap();
    first.wait().unwrap();
    // What is with the worker or in the queue goes on meanwhile.
    let second = start(&mut command(), &input);
    wait_until("more are done", || lines(&log).len() >= 30);
    server.restart();
    let ran = ended_soon(second).exits(0);
    let records = ran.records();
    assert_eq!(records.len(), 60);
    assert!(records.iter().all(|record| record["dispatch"]["status"] == "ok"), "{}", ran.stdout);
    let mut runs = lines(&log);
    runs.sort_unstable();
    runs.dedup();
    assert_eq!(runs.len(), 60);
    drop(worker);
    let spent = lines(&log).len() as f64 * 0.25;
    let untold = spent - paid(&records);
    assert!(untold >= 0.0, "more is in the books than was spent");
    if untold > 0.0 {
        assert!(
            ran.stderr.contains("never told of") || ran.stderr.contains("had left"),
            "{untold} of {spent} is not in the books: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_stream_with_other_settings_is_told_and_left_alone() {
    let Some(server) = Server::start("") else { return };
    let here = Place::new();
    // The results of the queue `t-tasks` would be the tasks of the queue `t`, but for their subjects.
    drop(Worker::start(&here, &format!("{}-x", server.url()), "--backend local"));
    let mut other = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let body = r#"{"name":"t-tasks","subjects":["t.tasks.>"],"retention":"limits","storage":"memory","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"max_age":0,"num_replicas":1,"discard":"old"}"#;
    let message = format!(
        "CONNECT {{\"verbose\":false}}\r\nSUB x 1\r\nPUB $JS.API.STREAM.CREATE.t-tasks x {}\r\n{body}\r\n",
        body.len()
    );
    std::io::Write::write_all(&mut other, message.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("stream_create_response") {
        let mut part = [0; 4096];
        let count = std::io::Read::read(&mut other, &mut part).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..count]);
    }
    let ran = here.run(&format!("--queue {}", server.url()), "{\"id\":\"a\",\"task\":\"x\"}\n").exits(4);
    assert!(ran.stderr.contains("its retention is Limits and has to be WorkQueue"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: name another one in the address"), "{}", ran.stderr);
}

#[test]
fn what_is_larger_than_a_message_goes_another_way_and_arrives_whole() {
    let Some(server) = Server::start("port: -1\nmax_payload: 65536\njetstream { store_dir: DIR/store }\n")
    else {
        return;
    };
    let (here, there) = (Place::new(), Place::new());
    let worker = Worker::script(&there, &server.url(), "-j 2", "cat; seq 1 60000");
    let text = "x".repeat(200_000);
    let input = format!(
        "{}\n{}\n",
        serde_json::json!({"id": "a", "task": text}),
        serde_json::json!({"id": "b", "task": {"text": "short", "depends_on": ["a"], "context": "y".repeat(90_000)}})
    );
    let ran = finish_soon(here.command(&format!("--queue {}", server.url())), &input).exits(0);
    let section = ran.record("a")["dispatch"].clone();
    let path = section["output_file"]["path"].as_str().unwrap_or_else(|| panic!("{section} {}", ran.stderr));
    let whole = std::fs::read_to_string(path).unwrap();
    assert!(path.starts_with(here.path().to_str().unwrap()), "{path}");
    assert!(whole.starts_with(&text) && whole.ends_with("\n60000\n"));
    assert_eq!(section["output_file"]["bytes"], whole.len());
    assert_eq!(ran.record("b")["dispatch"]["status"], "ok");
    drop(worker);
}

#[test]
fn work_in_a_repository_comes_back_as_a_commit_and_goes_on_elsewhere() {
    let Some(server) = Server::start("") else { return };
    let here = Place::repository();
    let clone = || {
        let there = Place::new();
        let from = here.path().display().to_string();
        there.git(&["clone", "-q", &from, "clone"]);
        there
    };
    let (one, two) = (clone(), clone());
    let start_in = |place: &Place, name: &str, script: &str| {
        let mut command = place.command(&format!("--worker {} -j 1 --worker-name {name}", server.url()));
        command.current_dir(place.path().join("clone")).args(["--", "sh", "-c", script]);
        Worker { child: command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap() }
    };
    let write = |id: &str, needs: &str| {
        format!(
            "{{\"id\":\"{id}\",\"task\":{{\"text\":\"write\",\"executor\":\"implement\",\"depends_on\":[{needs}]}}}}\n"
        )
    };
    let script = "echo $SPECPIPE_ID >> log.txt; cat log.txt";
    let first = start_in(&one, "one", script);
    let ran = finish_soon(here.command(&format!("--queue {}", server.url())), &write("a", "")).exits(0);
    let a = ran.record("a")["dispatch"].clone();
    assert_eq!(a["branch"], "specpipe/a-1", "{a}");
    assert_eq!(here.git(&["show", "specpipe/a-1:log.txt"]), "a\n");
    assert_eq!(here.git(&["status", "--porcelain"]), "");
    assert_eq!(here.git(&["rev-parse", "specpipe/a-1"]).trim(), a["commit"].as_str().unwrap());
    assert!(Path::new(a["worktree"].as_str().unwrap()).join("log.txt").exists());
    // Another worker, which has never seen that commit, builds on it; one that only looks sees it too.
    drop(first);
    let second = start_in(&two, "two", script);
    let look =
        "{\"id\":\"look\",\"task\":{\"text\":\"look\",\"executor\":\"explore\",\"depends_on\":[\"b\"]}}\n";
    let input = ran.stdout.clone() + &write("b", "\"a\"") + look;
    let ran = finish_soon(here.command(&format!("--queue {}", server.url())), &input).exits(0);
    assert_eq!(here.git(&["show", "specpipe/b-1:log.txt"]), "a\nb\n", "{}", ran.stdout);
    assert_eq!(ran.record("look")["dispatch"]["output"], "a\nb\nlook\n");
    drop(second);
    // A worker without the repository leaves such a task to others, and says why when there are none.
    let elsewhere = Place::new();
    let stranger = Worker::script(&elsewhere, &server.url(), "-j 1", script);
    let ran = finish_soon(here.command(&format!("--queue {}", server.url())), &write("c", "")).exits(0);
    let c = ran.record("c")["dispatch"].clone();
    assert_eq!(c["status"], "unavailable");
    assert!(c["reason"].as_str().unwrap().contains("was not started in a clone of it"), "{c}");
    assert_eq!(elsewhere.read("log.txt"), "", "nothing was written where it does not belong");
    drop(stranger);
}

#[test]
fn a_worker_that_is_stopped_gives_back_what_it_is_at() {
    let Some(server) = Server::start("") else { return };
    let (here, there) = (Place::new(), Place::new());
    let slow = Worker::script(&there, &server.url(), "-j 1 --worker-name slow", "echo >> began; sleep 600");
    let child =
        start(&mut here.command(&format!("--queue {}", server.url())), "{\"id\":\"a\",\"task\":\"x\"}\n");
    wait_until("it has begun", || !there.read("began").is_empty());
    assert_eq!(slow.stop().status, 130);
    let quick = Worker::script(&there, &server.url(), "-j 1 --worker-name quick", "echo done");
    let ran = ended_soon(child).exits(0);
    assert_eq!(ran.record("a")["dispatch"]["worker"], "quick");
    drop(quick);
}
