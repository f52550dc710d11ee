//! How fast, against whom: `make bench`.
//!
//! Everything is measured as ratios in one run on one machine, each figure the least of several interleaved runs; nothing
//! here fails because a machine is slow. The table goes to standard output, the figures to `target/bench/`.
//!
//! * What a trivial task costs through `dispatch`, against `xargs`, GNU parallel (if installed) and a bare loop that
//!   does nothing but start processes. Processor time of the whole tree, system and user, as `wait4` counts it.
//! * Records per second and peak memory of each program, against `jq -c .` (if installed) and `cat`.
//! * What a request to a model costs the client, with 2000 of them at once to a server in another process; and what memory it holds.
//! * The makespan of random graphs of sleeping tasks, against the least that any scheduler needs.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tests::graph::Graph;
use tests::random::Random;
use tests::{Shell, Usage, tools};

/// How often each is run.
const RUNS: usize = 3;
/// How many trivial tasks.
const TASKS: usize = 5000;
/// How many at once.
const JOBS: usize = 8;
/// How many requests to a model, all at once.
const REQUESTS: usize = 2000;
/// How many records stream.
const RECORDS: usize = 1_000_000;

/// The argument that makes this program the bare loop.
const LOOP: &str = "__loop";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == LOOP) {
        return bare_loop();
    }
    let wanted =
        |name: &str| arguments.is_empty() || arguments.iter().any(|argument| name.contains(argument));
    let mut report = Report { text: String::new(), figures: json!({"machine": machine()}) };
    for (name, part) in [
        ("tasks", tasks as fn(&mut Report)),
        ("requests", requests),
        ("records", records),
        ("makespan", makespan),
    ] {
        if wanted(name) {
            part(&mut report);
        }
    }
    match report.keep() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "bench: error: cannot keep the results: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What was measured, for people and for programs.
struct Report {
    text: String,
    figures: Value,
}

impl Report {
    /// Adds a line and shows it at once: the next figure may take its time.
    fn line(&mut self, line: &str) {
        let _ = writeln!(std::io::stdout(), "{line}");
        let _ = writeln!(self.text, "{line}");
    }

    fn keep(&self) -> std::io::Result<()> {
        let target = tools::program("x");
        let directory = target.ancestors().nth(2).unwrap_or(&target).join("bench");
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join("peers.txt"), &self.text)?;
        std::fs::write(directory.join("peers.json"), format!("{:#}\n", self.figures))?;
        writeln!(std::io::stdout(), "\nkept in {}", directory.display())
    }
}

fn machine() -> Value {
    let said = |script: &str| Shell::new().run(script).stdout.trim().to_owned();
    json!({
        "processors": std::thread::available_parallelism().map_or(1, usize::from),
        "system": said("uname -srm"),
        "rustc": said("rustc --version 2>/dev/null"),
        "xargs": said("xargs --version 2>/dev/null | head -1"),
        "parallel": said("parallel --version 2>/dev/null | head -1"),
        "jq": said("jq --version 2>/dev/null"),
        "specpipe": said("dispatch --version"),
    })
}

/// Runs all of them in turn, several times, and returns the least of each: what else runs here only ever adds.
fn least(shell: &Shell, scripts: &[(String, String)]) -> Vec<(String, Usage)> {
    let mut found: Vec<(String, Option<Usage>)> =
        scripts.iter().map(|(name, _)| (name.clone(), None)).collect();
    for _ in 0..RUNS {
        for ((_, script), (name, best)) in scripts.iter().zip(&mut found) {
            let output = shell.run(script);
            if output.status != 0 {
                let _ = writeln!(std::io::stderr(), "bench: {name} failed:\n{output}");
                continue;
            }
            let usage = shell.usage("usage");
            let least = |a: Usage, b: Usage| Usage {
                cpu: a.cpu.min(b.cpu),
                wall: a.wall.min(b.wall),
                peak_bytes: a.peak_bytes.max(b.peak_bytes),
            };
            *best = Some(best.map_or(usage, |best| least(best, usage)));
        }
    }
    found.into_iter().filter_map(|(name, best)| Some((name, best?))).collect()
}

fn has(program: &str) -> bool {
    Shell::new().run(&format!("command -v {program}")).status == 0
}

fn tasks(report: &mut Report) {
    let shell = Shell::new().limit(Duration::from_secs(1800));
    let line = |number: usize, task: &str| format!("{{\"id\":\"{number}\",\"task\":{task}}}\n");
    shell.write("text", (0..TASKS).map(|number| line(number, "\"x\"")).collect::<String>());
    let run = r#"{"text":"x","run":["true"]}"#;
    shell.write("run", (0..TASKS).map(|number| line(number, run)).collect::<String>());
    shell.write("words", "x\n".repeat(TASKS));
    let own = std::env::current_exe().unwrap_or_default();
    let script = |name: &str, command: String| (name.to_owned(), format!("measure usage {command} > out"));
    let mut scripts = vec![
        script("dispatch, the same program for every task", format!("dispatch -q -j {JOBS} -- true < text")),
        script("dispatch, task.run", format!("dispatch -q -j {JOBS} < run")),
        script("xargs", format!("xargs -a words -P{JOBS} -n1 true")),
        script("a bare loop of std::process", format!("'{}' {LOOP} {TASKS} {JOBS}", own.display())),
    ];
    let with_parallel = has("parallel");
    if with_parallel {
        scripts.push(script("GNU parallel", format!("parallel -j{JOBS} -a words true")));
    }
    report.line(&format!("{TASKS} trivial tasks, {JOBS} at once: processor time of the whole tree"));
    report.line(&format!(
        "{:<46}{:>12}{:>13}{:>11}{:>13}",
        "", "CPU ms/task", "wall ms/task", "peak MiB", "CPU / xargs"
    ));
    let found = least(&shell, &scripts);
    let per_task = |time: Duration| time.as_secs_f64() * 1e3 / TASKS as f64;
    let of = |wanted: &str| {
        found.iter().find(|(name, _)| name == wanted).map(|(_, usage)| usage.cpu.as_secs_f64())
    };
    let xargs = of("xargs").unwrap_or(f64::NAN);
    for (name, usage) in &found {
        let (cpu, wall) = (per_task(usage.cpu), per_task(usage.wall));
        let ratio = usage.cpu.as_secs_f64() / xargs;
        report.line(&format!("  {name:<44}{cpu:>12.3}{wall:>13.3}{:>11.1}{ratio:>13.2}", usage.peak_mib()));
        report.figures["tasks"][name] = json!({"cpu_ms_per_task": cpu, "wall_ms_per_task": wall, "peak_mib": usage.peak_mib(), "cpu_ratio_to_xargs": ratio});
    }
    match (of("GNU parallel"), of("dispatch, task.run")) {
        (Some(parallel), Some(dispatch)) => {
            report.line(&format!(
                "  GNU parallel takes {:.1} times the processor time of dispatch",
                parallel / dispatch
            ));
        }
        _ if !with_parallel => report.line("  GNU parallel is not installed: not compared"),
        _ => {}
    }
}

fn requests(report: &mut Report) {
    let shell = Shell::new()
        .env("ANTHROPIC_API_KEY", "sk-none")
        .env("OPENAI_API_KEY", "sk-none")
        .limit(Duration::from_secs(600));
    shell.write(
        "script",
        r#"{"when": "", "text": "It is fine.", "delay_ms": 300, "usage": {"input": 900, "output": 40}}"#,
    );
    let task = |number: usize| {
        format!(
            "{{\"id\":\"{number}\",\"task\":{{\"text\":\"explain {number}\",\"executor\":\"answer\"}}}}\n"
        )
    };
    shell.write("in", (0..REQUESTS).map(task).collect::<String>());
    let server = tools::program("fake-model");
    let start = format!(
        "'{}' --script script --port-file port > /dev/null & server=$!; while [ ! -s port ]; do sleep 0.05; done",
        server.display()
    );
    let ask = |variable: &str, path: &str, rest: &str| {
        format!(
            "{start}; export {variable}=http://127.0.0.1:$(cat port){path}; measure usage dispatch -q --no-local --no-journal {rest} \
             < in > out; code=$?; kill $server; rm port; test $(grep -c '\"status\":\"ok\"' out) = {REQUESTS} && exit $code"
        )
    };
    let mut scripts = Vec::new();
    for jobs in [100, REQUESTS] {
        scripts.push((
            format!("anthropic, {jobs} at once"),
            ask("ANTHROPIC_BASE_URL", "", &format!("-j {jobs} --backend anthropic --model claude-haiku-4-5")),
        ));
        scripts.push((
            format!("openai, {jobs} at once"),
            ask("OPENAI_BASE_URL", "/v1", &format!("-j {jobs} --backend openai --model gpt-5-mini")),
        ));
    }
    report.line(&format!(
        "\n{REQUESTS} requests to a model that takes 0.3 s: processor time of dispatch alone"
    ));
    report.line(&format!("{:<46}{:>12}{:>13}{:>11}", "", "CPU ms/req", "wall s", "peak MiB"));
    for (name, usage) in least(&shell, &scripts) {
        let (cpu, wall) = (usage.cpu.as_secs_f64() * 1e3 / REQUESTS as f64, usage.wall.as_secs_f64());
        report.line(&format!("  {name:<44}{cpu:>12.3}{wall:>13.3}{:>11.1}", usage.peak_mib()));
        report.figures["requests"][&name] =
            json!({"cpu_ms_per_request": cpu, "wall_s": wall, "peak_mib": usage.peak_mib()});
    }
}

fn records(report: &mut Report) {
    let shell = Shell::new().limit(Duration::from_secs(1800));
    let texts = [
        "run the tests",
        "find all files importing serde_json",
        "design the retry policy of the payment service",
        "rename parse to read in src/lib.rs",
        "why does the login test fail on Mondays",
    ];
    let extra = r#""x":{"n":1.10,"big":123456789012345678901234567890},"tags":["a","b"]"#;
    let mut random = Random::new(7);
    let mut plain = String::with_capacity(RECORDS * 140);
    for number in 0..RECORDS {
        let _ =
            writeln!(plain, r#"{{"id":"n{number}","task":"{}",{extra}}}"#, texts[random.below(texts.len())]);
    }
    let dispatch = r#""dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1,"output":"There are 3.","elapsed_ms":1},"tags""#;
    shell.write("done", plain.replace("\"tags\"", dispatch)).write("plain", &plain);
    drop(plain);
    let script = |name: &str, command: &str| (name.to_owned(), format!("measure usage {command} > out"));
    let mut scripts = vec![
        script("classify", "classify < plain"),
        script("dispatch (nothing to do)", "dispatch -q < done"),
        script("gates", "gates < done"),
        script("verify", "verify < done"),
        script("cat", "cat plain"),
    ];
    if has("jq") {
        scripts.push(script("jq -c .", "jq -c . plain"));
    }
    report.line(&format!("\n{RECORDS} records through each program alone"));
    report.line(&format!("{:<46}{:>12}{:>13}{:>11}", "", "records/s", "CPU us/rec", "peak MiB"));
    for (name, usage) in least(&shell, &scripts) {
        let rate = RECORDS as f64 / usage.wall.as_secs_f64();
        let cpu = usage.cpu.as_secs_f64() * 1e6 / RECORDS as f64;
        report.line(&format!("  {name:<44}{rate:>12.0}{cpu:>13.2}{:>11.1}", usage.peak_mib()));
        report.figures["records"][&name] =
            json!({"records_per_s": rate, "cpu_us_per_record": cpu, "peak_mib": usage.peak_mib()});
    }
}

fn makespan(report: &mut Report) {
    report.line("\nsleeping tasks in a random graph: makespan against the longest chain or the shared work");
    report.line(&format!("{:<46}{:>12}{:>13}{:>11}", "", "bound s", "makespan s", "ratio"));
    for (seed, jobs, reach, count) in
        [(1, 8, 200, 1000), (2, 16, 100, 1000), (3, 32, 40, 1000), (4, 64, 500, 10_000)]
    {
        let graph = Graph::random(seed, count, reach, Duration::from_millis(400));
        let shell = Shell::new().limit(Duration::from_secs(600));
        shell.write("in", graph.records(&mut Random::new(seed + 100)));
        let output = shell.run(&format!("measure usage dispatch -q -j {jobs} < in > out"));
        if output.status != 0 {
            report.line(&format!("  failed: {output}"));
            continue;
        }
        let (bound, wall) = (graph.bound(jobs).as_secs_f64(), shell.usage("usage").wall.as_secs_f64());
        let name = format!("{count} tasks, {jobs} at once, seed {seed}");
        report.line(&format!("  {name:<44}{bound:>12.3}{wall:>13.3}{:>11.3}", wall / bound));
        report.figures["makespan"][&name] =
            json!({"bound_s": bound, "makespan_s": wall, "ratio": wall / bound});
    }
}

/// Starts so many processes, so many at once, and does nothing else: `__loop TASKS JOBS`.
fn bare_loop() -> ExitCode {
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let [tasks, jobs] = numbers[..] else { return ExitCode::from(2) };
    let left = AtomicUsize::new(tasks);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let take = |left: usize| left.checked_sub(1);
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    let _ = Command::new("true").status();
                }
            });
        }
    });
    ExitCode::SUCCESS
}
