//! Real agent CLIs against the scripted model: what they do in a worktree, how each of their ends is understood, and that the books
//! of a record are those of the server to the unit.
//!
//! A CLI is run for real if `SPECPIPE_TEST_CLAUDE`, `…_CODEX`, `…_GEMINI`, `…_OPENCODE`, `…_AIDER`, `…_LLM` or `…_MINI` says where
//! it is, which `make peers` does; `SPECPIPE_TEST_RECORD=1` records what it prints in `fixtures/peers`. Otherwise what was recorded
//! is printed again, and compared to the books of that time.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tests::Shell;
use tests::fake_model::{Script, Server, Tokens, Totals};
use tests::recording::{self, Line};

const TASK: &str =
    r#"{"id":"a","task":{"text":"repair the typo in greeting.txt","executor":"implement"BUDGET}}"#;
const USAGE: &str = r#""usage":{"input":1000,"cache_read":200,"output":17}"#;

/// An agent CLI.
struct Cli {
    name: &'static str,
    model: &'static str,
    /// The tokens it tells: all, or nothing of some of them.
    knows: Knows,
    /// The answers that read the file and repair it, as calls of its own tools.
    edits: [&'static str; 2],
    /// How the scenarios end that do not end like those of others.
    ends: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Knows {
    Tokens,
    /// It rounds, or tells only what it costs.
    Little,
}

/// What the server does, and how an attempt ends then.
const SCENARIOS: [(&str, &str); 10] = [
    ("answer", "ok"),
    ("edit", "ok"),
    ("bad-request", "failed"),
    ("bad-key", "auth"),
    ("limited", "ok"),
    ("limited-for-ever", "transport"),
    ("overloaded", "ok"),
    ("cut", "ok"),
    ("hang", "timeout"),
    ("loop", "ok"),
];

/// Returns the script of a scenario.
fn script(cli: &Cli, scenario: &str) -> String {
    let [look, repair] = cli.edits;
    let answer = format!("{{\"when\":\"typo\",\"text\":\"all is done\",{USAGE}}}");
    // Google's streams have fewer events.
    let middle = if cli.name == "gemini" { 1 } else { 4 };
    let limited = r#""status":429,"error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"slow down"}"#;
    match scenario {
        "answer" => answer,
        "edit" => format!(
            "{{\"when\":\"typo\",\"turns\":[{{\"text\":\"looking\",\"calls\":[{look}],{USAGE}}},\
             {{\"calls\":[{repair}],\"usage\":{{\"input\":300,\"cache_read\":1200,\"output\":40,\"reasoning\":8}}}},\
             {{\"text\":\"all is done\",\"usage\":{{\"input\":20,\"cache_read\":1500,\"output\":5}}}}]}}"
        ),
        "bad-request" => r#"{"when":"typo","status":400,"error":{"type":"invalid_request_error","message":"the prompt is not good"}}"#.to_owned(),
        "bad-key" => r#"{"when":"typo","status":401,"error":{"type":"authentication_error","message":"this key is not good"}}"#.to_owned(),
        "limited" => format!("{{\"when\":\"typo\",\"times\":1,\"headers\":{{\"retry-after\":\"1\"}},{limited}}}\n{answer}"),
        "limited-for-ever" => format!("{{\"when\":\"typo\",{limited}}}"),
        "overloaded" => format!(
            "{{\"when\":\"typo\",\"times\":1,\"status\":529,\"error\":{{\"type\":\"overloaded_error\",\"message\":\"overloaded\"}}}}\n{answer}"
        ),
        "cut" => format!("{{\"when\":\"typo\",\"times\":1,\"cut_after\":{middle},\"text\":\"half an answer\",{USAGE}}}\n{answer}"),
        "hang" => format!(
            "{{\"when\":\"typo\",\"turn\":1,\"stall_after\":{middle},\"text\":\"half an answer\",{USAGE}}}\n\
             {{\"when\":\"typo\",\"turn\":0,\"text\":\"looking\",\"calls\":[{look}],{USAGE}}}"
        ),
        "loop" | "budget" => format!("{{\"when\":\"typo\",\"turns\":[{}]}}", vec![format!("{{\"text\":\"again\",\"calls\":[{look}],{USAGE}}}"); 6].join(",")),
        other => panic!("no scenario is called {other}"),
    }
}

/// Returns where the real program is, if somebody says so.
fn installed(cli: &Cli) -> Option<PathBuf> {
    let name = cli.name.to_uppercase();
    std::env::var_os(format!("SPECPIPE_TEST_{name}")).map(PathBuf::from).filter(|path| path.exists())
}

/// Returns a shell with a repository in which the CLI finds the server, or the recording.
fn shell(cli: &Cli, url: &str, recording: &Path, program: Option<&Path>) -> Shell {
    let mut shell = Shell::with_git()
        .env("ANTHROPIC_BASE_URL", url)
        .env("ANTHROPIC_API_KEY", "sk-ant-dummy")
        .env("OPENAI_API_KEY", "sk-dummy")
        .env("OPENAI_API_BASE", format!("{url}/v1"))
        .env("OPENAI_BASE_URL", format!("{url}/v1"))
        .env("GEMINI_API_KEY", "dummy")
        .env("GOOGLE_GEMINI_BASE_URL", url)
        // Claude Code does not skip permissions for root without it; the others would look for news.
        .env("IS_SANDBOX", "1")
        .env("OPENCODE_DISABLE_MODELS_FETCH", "1")
        .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        .env("MSWEA_SILENT_STARTUP", "1")
        .env("MSWEA_CONFIGURED", "true")
        .env("RECORDER_FILE", recording.display().to_string())
        .env("RECORDER_PATH", std::env::var("PATH").unwrap_or_default())
        .limit(Duration::from_secs(300));
    if let Some(program) = program {
        shell = shell.env("RECORDER_PROGRAM", program.display().to_string());
    }
    let link = shell.path().join("../bin").join(cli.name);
    std::os::unix::fs::symlink(tests::tools::program("recorder"), link).expect("a link");
    let codex = format!(
        "model_provider = \"loop\"\n[model_providers.loop]\nname = \"loop\"\nbase_url = \"{url}/v1\"\nenv_key = \"OPENAI_API_KEY\"\n\
         wire_api = \"responses\"\nrequest_max_retries = 2\nstream_max_retries = 2\n"
    );
    let opencode = json!({ "autoupdate": false, "share": "disabled", "provider": { "loop": {
        "npm": "@ai-sdk/openai-compatible", "name": "loop",
        "options": { "baseURL": format!("{url}/v1"), "apiKey": "sk-dummy" },
        "models": { "claude-haiku-4-5": { "name": "m", "cost": { "input": 1, "output": 5, "cache_read": 0.1 },
            "limit": { "context": 200_000, "output": 8000 } } } } } });
    let gemini = json!({ "security": { "auth": { "selectedType": "gemini-api-key" } },
        "general": { "disableAutoUpdate": true }, "privacy": { "usageStatisticsEnabled": false } });
    for (path, text) in [
        ("../home/.codex/config.toml", codex),
        ("../home/.config/opencode/opencode.json", opencode.to_string()),
        ("../home/.gemini/settings.json", gemini.to_string()),
        ("greeting.txt", "helo world\n".to_owned()),
    ] {
        shell.write(path, text);
    }
    shell.run("git add greeting.txt && git commit -q -m greeting").succeeds();
    shell
}

/// Runs a scenario, for real or from its recording; returns the `dispatch` member and the books of the server.
fn run(cli: &Cli, scenario: &str) -> Option<(Shell, Value, Totals)> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/peers")
        .join(cli.name)
        .join(format!("{scenario}.jsonl"));
    let program = installed(cli);
    let made = tempfile::tempdir().expect("a directory");
    let recording = if program.is_some() { made.path().join("recording") } else { fixture.clone() };
    if !recording.exists() && program.is_none() {
        let _ = writeln!(std::io::stderr(), "{} {scenario}: neither program nor recording is here", cli.name);
        return None;
    }
    let server = Server::start(Script::parse(&script(cli, scenario)).expect("a script")).expect("a server");
    let shell = shell(cli, &server.url(), &recording, program.as_deref());
    let turns = if scenario == "loop" && cli.name == "claude" { r#", "--max-turns", "3""# } else { "" };
    shell.write(
        "specpipe.toml",
        format!("[dispatch.backends.{}]\ncommand = [\"{}\"{turns}]\n", backend(cli), cli.name),
    );
    // Starting takes its time where much else runs; what ends in time is not slowed down by this.
    let limit = match (scenario, &program) {
        ("hang", None) => "2s",
        ("hang", Some(_)) => "25s",
        ("limited-for-ever", None) if cli.ends.contains(&("limited-for-ever", "timeout")) => "2s",
        _ => "60s",
    };
    let task =
        TASK.replace("BUDGET", if scenario == "budget" { ",\"budget_usd\":0.0015" } else { "" }) + "\n";
    let line =
        format!("dispatch --no-local --backend {} --model {} --timeout {limit}", backend(cli), cli.model);
    let dispatch = shell.run_on(task, &line).succeeds().records().remove(0)["dispatch"].take();
    let mut books = server.books().models.into_values().fold(Totals::default(), |mut sum, model| {
        sum.requests += model.requests;
        sum.tokens.add(&model.tokens);
        sum
    });
    let mut lines = recording::read(&recording).expect("a recording");
    if let Some(program) = &program {
        if std::env::var_os("SPECPIPE_TEST_RECORD").is_some() {
            let version = shell.run(&format!("PATH=\"$RECORDER_PATH\" {} --version", program.display()));
            lines.insert(0, Line::Made { version: version.stdout.trim().to_owned(), books });
            let text: Vec<String> =
                lines.iter().map(|line| serde_json::to_string(line).expect("JSON")).collect();
            std::fs::create_dir_all(fixture.parent().expect("a directory")).expect("a directory");
            std::fs::write(fixture, text.join("\n") + "\n").expect("a file");
        }
    } else if let Some(Line::Made { books: then, .. }) = lines.first() {
        books = *then;
    }
    Some((shell, dispatch, books))
}

fn backend(cli: &Cli) -> &'static str {
    if cli.name == "mini" { "mini-swe-agent" } else { cli.name }
}

fn check(cli: &Cli) {
    let mut wrong = Vec::new();
    let more: &[(&str, &str)] = if cli.name == "claude" { &[("budget", "budget")] } else { &[] };
    for (scenario, expected) in SCENARIOS.iter().chain(more) {
        let ends = cli.ends.iter().find(|(name, _)| name == scenario);
        let expected = ends.map_or(*expected, |(_, expected)| expected);
        if expected.is_empty() {
            continue;
        }
        let Some((shell, dispatch, books)) = run(cli, scenario) else { continue };
        let mut note = |what: String| {
            wrong.push(format!("{} {scenario}: {what}\n{dispatch:#}\nserver: {books:?}", cli.name))
        };
        if dispatch["status"] != expected {
            note(format!("status {} and not {expected}", dispatch["status"]));
        }
        if dispatch["reason"].is_null() != (expected == "ok") {
            note("a reason is missing, or there is one too many".to_owned());
        }
        let count = |name: &str| dispatch["usage"][name].as_u64().unwrap_or(0);
        let told = Tokens {
            input: count("input_tokens"),
            cache_read: count("cache_read_tokens"),
            cache_write: count("cache_write_tokens"),
            cache_write_1h: count("cache_write_1h_tokens"),
            output: count("output_tokens"),
            reasoning: count("reasoning_tokens"),
        };
        // Of a run that was ended Codex tells tokens only in its session file, which is no part of a recording, and Gemini nowhere.
        let is_told =
            *scenario != "hang" || cli.name != "gemini" && (cli.name != "codex" || installed(cli).is_some());
        if !is_told && !dispatch["usage"].is_null() {
            note("what is not known is not told".to_owned());
        }
        if cli.knows == Knows::Tokens && is_told && told != books.tokens {
            note(format!("tokens {told:?}"));
        }
        if dispatch["usage"]["requests"].is_u64() && count("requests") != books.requests {
            note("requests".to_owned());
        }
        if *scenario == "edit" && installed(cli).is_some() {
            let branch = dispatch["branch"].as_str().unwrap_or("none");
            let file = shell.run(&format!("git show {branch}:greeting.txt")).stdout;
            if file != "hello world\n" || shell.read("greeting.txt") != "helo world\n" {
                note(format!("the file on the branch says {file:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn claude() {
    check(&Cli {
        name: "claude",
        model: "claude-haiku-4-5",
        knows: Knows::Tokens,
        edits: [
            r#"{"name":"Read","input":{"file_path":"greeting.txt"}}"#,
            r#"{"name":"Edit","input":{"file_path":"greeting.txt","old_string":"helo","new_string":"hello"}}"#,
        ],
        ends: &[("loop", "truncated")],
    });
}

#[test]
fn codex() {
    check(&Cli {
        name: "codex",
        model: "claude-haiku-4-5",
        knows: Knows::Tokens,
        edits: [
            r#"{"name":"exec_command","input":{"cmd":"cat greeting.txt"}}"#,
            r#"{"name":"exec_command","input":{"cmd":"sed -i s/helo/hello/ greeting.txt"}}"#,
        ],
        ends: &[],
    });
}

#[test]
fn gemini() {
    check(&Cli {
        name: "gemini",
        model: "gemini-2.5-flash",
        knows: Knows::Tokens,
        edits: [
            r#"{"name":"read_file","input":{"file_path":"greeting.txt"}}"#,
            r#"{"name":"replace","input":{"file_path":"greeting.txt","instruction":"repair it","old_string":"helo","new_string":"hello"}}"#,
        ],
        // It waits longer than a minute for a server that is busy, does not ask again after half an answer, and asks once more,
        // uncounted, when it sees a loop.
        ends: &[("limited-for-ever", "timeout"), ("cut", "transport"), ("loop", "")],
    });
}

#[test]
fn opencode() {
    check(&Cli {
        name: "opencode",
        model: "loop/claude-haiku-4-5",
        knows: Knows::Tokens,
        edits: [
            r#"{"name":"read","input":{"filePath":"greeting.txt"}}"#,
            r#"{"name":"edit","input":{"filePath":"greeting.txt","oldString":"helo","newString":"hello"}}"#,
        ],
        ends: &[("limited-for-ever", "timeout")],
    });
}

#[test]
fn aider() {
    // It rounds to thousands what it tells of tokens, and reads and writes files by itself.
    check(&Cli {
        name: "aider",
        model: "openai/gpt-5-mini",
        knows: Knows::Little,
        edits: ["", ""],
        ends: &[("edit", ""), ("hang", ""), ("loop", "")],
    });
}

#[test]
fn llm() {
    check(&Cli {
        name: "llm",
        model: "gpt-5-mini",
        knows: Knows::Little,
        edits: ["", ""],
        ends: &[("edit", ""), ("hang", ""), ("loop", "")],
    });
}
