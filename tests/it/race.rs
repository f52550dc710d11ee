//! Races and hedged requests against a server that keeps books: what was ended early is paid for, and never counted as nothing.

use serde_json::Value;
use tests::fake_model::{Script, Server, Tokens};
use tests::{Output, Shell};

fn server(script: &str) -> Server {
    Server::start(Script::parse(script).unwrap()).unwrap()
}

fn shell(server: &Server) -> Shell {
    Shell::new()
        .env("ANTHROPIC_API_KEY", "sk-test")
        .env("ANTHROPIC_BASE_URL", server.url())
        .env("OPENAI_API_KEY", "sk-test")
        .env("OPENAI_BASE_URL", format!("{}/v1", server.url()))
}

const DISPATCH: &str = "dispatch --no-local --no-journal --backend";

fn questions(count: usize) -> String {
    (0..count)
        .map(|n| {
            format!("{{\"id\":\"q{n}\",\"task\":{{\"text\":\"Explain {n}\",\"executor\":\"answer\"}}}}\n")
        })
        .collect()
}

/// What the records say that was paid: requests, those of which no server told the tokens, tokens, and dollars.
#[derive(Debug, Default)]
struct Books {
    requests: u64,
    untold: u64,
    tokens: Tokens,
    usd: f64,
    /// How many requests may have been given up in the middle.
    given_up: u64,
}

fn books(records: &[Value]) -> Books {
    let mut books = Books::default();
    for record in records {
        let dispatch = &record["dispatch"];
        let lists = ["rivals", "earlier"].iter().filter_map(|list| dispatch[*list].as_array()).flatten();
        for paid in lists.chain([dispatch]) {
            let count = |name: &str| paid["usage"][name].as_u64().unwrap_or(0);
            books.requests += count("requests");
            books.untold += count("untold_requests");
            books.given_up += u64::from(paid["status"] == "cancelled") + paid["hedged"].as_u64().unwrap_or(0);
            books.usd += paid["cost_usd"].as_f64().unwrap_or(0.0);
            books.tokens.add(&Tokens {
                input: count("input_tokens"),
                cache_read: count("cache_read_tokens"),
                cache_write: count("cache_write_tokens"),
                cache_write_1h: count("cache_write_1h_tokens"),
                output: count("output_tokens"),
                reasoning: count("reasoning_tokens"),
            });
        }
    }
    books
}

/// Expects that the books say what the server says; tokens of a request that was given up may have been told and not read.
fn agree(output: &Output, server: &Server, most_untold: u64) -> Books {
    let (books, told) = (books(&output.records()), server.totals());
    // A request may be given up before it has left.
    assert!(
        (told.requests..=told.requests + books.untold).contains(&books.requests),
        "{books:?} {told:?}\n{output}"
    );
    let spare = books.untold.max(books.given_up) * most_untold;
    for (ours, theirs) in [(books.tokens.input, told.tokens.input), (books.tokens.output, told.tokens.output)]
    {
        assert!((ours..=ours + spare).contains(&theirs), "{books:?} {told:?}\n{output}");
    }
    books
}

#[test]
fn drafts_that_lose_a_race_are_ended_and_what_the_server_told_them_is_paid() {
    for (backend, model, told) in [("anthropic", "claude-haiku-5-5", true), ("openai", "gpt-6-luna", false)] {
        // Two begin their answer and never end it, the third answers.
        let server = server(
            "{\"stall_after\": 3, \"times\": 2, \"usage\": {\"input\": 700, \"output\": 90}}\n{\"text\": \"Paris\", \"usage\": {\"input\": 1000, \"output\": 50}}",
        );
        let shell = shell(&server);
        let output = shell
            .run_on(questions(1), &format!("{DISPATCH} {backend} --model {model} --race 3 -j 3"))
            .succeeds();
        let record = output.records().remove(0);
        let dispatch = &record["dispatch"];
        assert_eq!((&dispatch["status"], &dispatch["output"]), (&"ok".into(), &"Paris".into()), "{output}");
        let rivals = dispatch["rivals"].as_array().unwrap();
        assert!(rivals.len() == 2 && rivals.iter().all(|rival| rival["status"] == "cancelled"), "{output}");
        let books = agree(&output, &server, 1000);
        assert_eq!(books.requests, 3, "{output}");
        match told {
            true => assert!(books.untold <= 2, "{output}"),
            // Chat completions tell their tokens at the end, and there was none.
            false => assert_eq!(books.untold, 2, "{output}"),
        }
        for rival in rivals.iter().filter(|rival| rival["usage"]["untold_requests"] == 1) {
            assert!(rival["cost_usd"].is_null(), "an unknown number of tokens has no price\n{output}");
        }
        let told = shell.run_on(&output.stdout, "verify report --format json").succeeds();
        let report: Value = serde_json::from_str(&told.stdout).unwrap();
        assert!((report["cost_usd"].as_f64().unwrap() - books.usd).abs() < 1e-9, "{told}\n{output}");
        assert_eq!(report["rivals"], 2, "{told}");
    }
}

#[test]
fn a_storm_of_faults_over_races_and_hedges_leaves_the_books_right() {
    let server = server(
        "{\"when\": \"Explain [0-4]\", \"status\": 529, \"error\": {\"type\": \"overloaded_error\"}, \"times\": 6}\n\
         {\"when\": \"Explain [5-9]\", \"status\": 500, \"times\": 4}\n\
         {\"when\": \"Explain [1-6]\", \"cut_after\": 4, \"times\": 3, \"usage\": {\"input\": 300, \"output\": 20}}\n\
         {\"text\": \"fine\", \"when\": \".\", \"delay_ms\": 30, \"usage\": {\"input\": 300, \"output\": 20}}",
    );
    let shell = shell(&server);
    shell.write("specpipe.toml", "[dispatch.backends.anthropic]\nhedge = \"10ms\"\nhedge_share = 0.5\n");
    let command = format!("{DISPATCH} anthropic --model claude-haiku-5-5 --race 2 -j 8");
    let output = shell.run_on(questions(24), &command).succeeds();
    let records = output.records();
    assert_eq!(records.len(), 24);
    assert!(records.iter().all(|record| record["dispatch"]["output"] == "fine"), "{output}");
    let hedged = records.iter().any(|record| record["dispatch"]["hedged"].is_u64());
    let raced = records.iter().any(|record| record["dispatch"]["rivals"].is_array());
    assert!(hedged || raced, "{output}");
    agree(&output, &server, 320);
}

#[test]
fn a_hedged_request_takes_the_slow_one_out_of_the_way() {
    let server = server(
        "{\"delay_ms\": 60000, \"times\": 1}\n{\"text\": \"fine\", \"usage\": {\"input\": 300, \"output\": 20}}",
    );
    let shell = shell(&server);
    shell.write("specpipe.toml", "[dispatch.backends.anthropic]\nhedge = \"100ms\"\nhedge_share = 1.0\n");
    let output =
        shell.run_on(questions(1), &format!("{DISPATCH} anthropic --model claude-haiku-5-5")).succeeds();
    let record = output.records().remove(0);
    assert_eq!(
        (&record["dispatch"]["output"], &record["dispatch"]["hedged"]),
        (&"fine".into(), &1.into()),
        "{output}"
    );
    assert!(record["dispatch"]["elapsed_ms"].as_u64().unwrap() < 60_000);
    let books = agree(&output, &server, 0);
    assert_eq!((books.requests, books.untold, books.tokens.input), (2, 1, 300), "{output}");
}
