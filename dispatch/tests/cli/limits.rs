//! Budgets, pace and halting, as somebody sees them who runs the program.

use serde_json::Value;

use crate::harness::{Place, Ran};

#[path = "../http/server.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod server;

/// Returns a message of Anthropic's API that counts so many tokens.
fn message(input: u64, output: u64) -> Vec<server::Act> {
    let document = format!(
        "{{\"type\":\"message\",\"model\":\"claude-haiku-5-5\",\"content\":[{{\"type\":\"text\",\"text\":\"done\"}}],\"stop_reason\":\"end_turn\",\"usage\":{{\"input_tokens\":{input},\"output_tokens\":{output}}}}}"
    );
    server::answer(200, &[("content-type", "application/json")], &document)
}

/// Runs against a server.
fn against(place: &Place, server: &server::Server, arguments: &str, input: &str) -> Ran {
    let mut command = place.command(arguments);
    command.env("SPECPIPE_DISPATCH_BACKEND", "anthropic").env("ANTHROPIC_API_KEY", "k");
    command.env("ANTHROPIC_BASE_URL", server.url());
    crate::harness::finish(command, input)
}

#[test]
fn a_model_is_asked_for_no_longer_answer_than_can_be_paid() {
    let place = Place::new();
    let server = server::Server::start((0..40).map(|_| message(100, 400)));
    let command = "--no-local -j 8 --model claude-haiku-5-5 --budget 0.005";
    let ran = against(&place, &server, command, &tasks(40)).exits(0);
    let cost = |record: &Value| record["dispatch"]["cost_usd"].as_f64().unwrap_or(0.0);
    let spent: f64 = ran.records().iter().map(cost).sum();
    let requests = server.requests();
    assert_eq!(requests.len(), count(&ran, "ok"), "{}", ran.stderr);
    assert!(count(&ran, "budget") > 0 && spent <= 0.005 && spent > 0.004, "{spent} for {}", requests.len());
    let longest = |request: &server::Request| {
        serde_json::from_str::<Value>(&request.body).unwrap()["max_tokens"].as_u64().unwrap()
    };
    let longest: Vec<u64> = requests.iter().map(longest).collect();
    assert!(longest.iter().all(|tokens| *tokens < 16_384), "{longest:?}");
    assert!(!ran.stderr.contains("exceeded"), "{}", ran.stderr);
}

#[test]
fn requests_over_the_wire_are_sent_at_a_pace() {
    let place = Place::new();
    place.write("specpipe.toml", "[dispatch.backends.anthropic]\nrequests_per_minute = 600\n");
    let server = server::Server::start((0..66).map(|_| message(1, 1)));
    let started = std::time::Instant::now();
    let ran = against(&place, &server, "--no-local -j 66", &tasks(66)).exits(0);
    assert_eq!(count(&ran, "ok"), 66, "{}", ran.stderr);
    // Sixty may come at once, the rest one in an eighth of a second.
    assert!(started.elapsed().as_millis() >= 700, "{:?}", started.elapsed());
    // Who would have to wait longer than it may says so at once, and is not sent.
    place.write("specpipe.toml", "[dispatch.backends.anthropic]\nrequests_per_minute = 1\n");
    let server = server::Server::start((0..3).map(|_| message(1, 1)));
    let ran = against(&place, &server, "--no-local -j 3 --timeout 20s", &tasks(3)).exits(0);
    assert_eq!((count(&ran, "ok"), count(&ran, "transport")), (1, 2), "{:?}", statuses(&ran));
    assert_eq!(server.requests().len(), 1);
}

fn tasks(count: usize) -> String {
    (0..count).map(|n| format!("{{\"id\":\"t{n}\",\"task\":\"think\"}}\n")).collect()
}

fn statuses(ran: &Ran) -> Vec<String> {
    let status = |record: &Value| record["dispatch"]["status"].as_str().unwrap_or("untouched").to_owned();
    ran.records().iter().map(status).collect()
}

fn count(ran: &Ran, status: &str) -> usize {
    statuses(ran).iter().filter(|other| *other == status).count()
}

fn reason(ran: &Ran, id: &str) -> String {
    ran.record(id)["dispatch"]["reason"].as_str().unwrap_or_default().to_owned()
}

/// Runs with the configuration instead of the backend that the harness sets.
fn configured(place: &Place, arguments: &str, input: &str) -> Ran {
    let mut command = place.command(arguments);
    command.env_remove("SPECPIPE_DISPATCH_BACKEND");
    crate::harness::finish(command, input)
}

/// An agent program that says what it costs, how much it may, and how many of it there are at the same time.
fn claude(place: &Place, cost: &str) {
    place.program(
        "claude",
        &format!(
            "echo \"$*\" >> asked; mkdir -p here; touch here/$$; ls here | wc -l >> at_once; sleep 0.05; rm here/$$\n\
             echo '{{\"type\":\"result\",\"is_error\":false,\"result\":\"done\",\"total_cost_usd\":{cost}}}'"
        ),
    );
}

#[test]
fn a_budget_is_exceeded_by_no_more_than_what_was_under_way_and_that_is_told() {
    let place = Place::new();
    claude(&place, "0.3");
    let ran = place.run("--no-local -j 8 --backend claude --budget 1", &tasks(12)).exits(0);
    // Nothing is known of the first three, so they go one after the other; then one more is expected to take 0.3 of 0.1.
    assert_eq!((count(&ran, "ok"), count(&ran, "budget")), (3, 9), "{}", ran.stderr);
    assert!(place.read("at_once").lines().all(|line| line.trim() == "1"), "{}", place.read("at_once"));
    let caps: Vec<&str> = place
        .read("asked")
        .leak()
        .lines()
        .filter_map(|line| line.split("--max-budget-usd ").nth(1))
        .collect();
    assert_eq!(caps, ["1", "0.7", "0.4"], "each is told what is left");
    let refused: Vec<String> =
        (0..12).map(|n| reason(&ran, &format!("t{n}"))).filter(|reason| !reason.is_empty()).collect();
    assert_eq!(refused.len(), 9);
    let expected = "the run's budget of $1 has $0.1000 left, and this is expected to cost $0.3000";
    assert!(refused.iter().all(|reason| reason == expected), "{refused:?}");
    assert!(!ran.stderr.contains("exceeded"), "{}", ran.stderr);
    // One that takes more than it was told.
    let place = Place::new();
    claude(&place, "1.5");
    let ran = place.run("--no-local -j 8 --backend claude --budget 1", &tasks(3)).exits(0);
    assert_eq!((count(&ran, "ok"), count(&ran, "budget")), (1, 2));
    assert!(ran.stderr.contains("the run's budget of $1 is exceeded by $0.5000"), "{}", ran.stderr);
}

#[test]
fn what_classify_expects_is_set_aside_so_that_many_run_at_once() {
    let place = Place::new();
    claude(&place, "0.1");
    let routed: String = (0..12)
        .map(|n| {
            format!(
                "{{\"id\":\"t{n}\",\"task\":\"think\",\"classify\":{{\"tier\":2,\"executor\":\"review\",\"confidence\":1,\"risk\":\"low\",\"scores\":{{\"1\":0,\"2\":1,\"3\":0}},\
                 \"effort\":{{\"turns\":{{\"low\":1,\"expected\":1,\"high\":1}},\"tokens\":{{\"low\":1,\"expected\":1,\"high\":1}},\"cost_usd\":{{\"low\":0.05,\"expected\":0.1,\"high\":0.2}},\"model\":\"sonnet\"}}}}}}\n"
            )
        })
        .collect();
    let ran = place.run("--no-local -j 12 --backend claude --budget 1", &routed).exits(0);
    assert_eq!((count(&ran, "ok"), count(&ran, "budget")), (10, 2), "{}", ran.stderr);
    let most = place.read("at_once").lines().filter_map(|line| line.trim().parse::<usize>().ok()).max();
    assert!(most.is_some_and(|most| most <= 6), "five are set aside $0.2 each: {most:?}");
}

#[test]
fn a_budget_of_nothing_lets_only_what_is_free_run() {
    let place = Place::new();
    claude(&place, "0.3");
    place.write("here.txt", "x\n");
    let input = "{\"id\":\"a\",\"task\":\"think\"}\n{\"id\":\"b\",\"task\":\"read here.txt\"}\n{\"id\":\"c\",\"task\":{\"text\":\"x\",\"run\":[\"true\"]}}\n";
    let ran = place.run("--backend claude --budget 0", input).exits(0);
    assert_eq!(statuses(&ran), ["budget", "ok", "ok"]);
    assert_eq!(reason(&ran, "a"), "the run's budget is $0, and this may cost something");
    assert_eq!(place.read("asked"), "");
    let ran = place.run_script("--budget 0", "true", &tasks(2)).exits(0);
    assert_eq!(statuses(&ran), ["ok", "ok"], "a program that the user has named is not taken to cost money");
}

#[test]
fn what_nobody_can_price_is_not_started_under_a_budget() {
    let place = Place::new();
    place.program("mine", "echo $SPECPIPE_ID >> asked; echo done");
    let mine = |rest: &str| {
        format!(
            "[dispatch]\nlocal = false\n[dispatch.tiers.1]\nbackend = \"mine\"\n[dispatch.backends.mine]\nkind = \"command\"\ncommand = [\"mine\"]\n{rest}"
        )
    };
    place.write("specpipe.toml", &mine(""));
    let ran = configured(&place, "--budget 5", &tasks(1)).exits(0);
    assert_eq!(statuses(&ran), ["budget"]);
    let told = reason(&ran, "t0");
    assert!(
        told.contains("is not known")
            && told.contains("attempt_usd")
            && told.contains("[dispatch.backends.mine]"),
        "{told}"
    );
    let ran = configured(&place, "--budget-tokens 5000", &tasks(1)).exits(0);
    assert!(reason(&ran, "t0").contains("does not say how many it uses"), "{}", reason(&ran, "t0"));
    assert_eq!(place.read("asked"), "");
    assert_eq!(statuses(&configured(&place, "", &tasks(1)).exits(0)), ["ok"]);
    place.write("specpipe.toml", &mine("attempt_usd = 0.5\n"));
    let ran = configured(&place, "--budget 1.2 -j 4", &tasks(4)).exits(0);
    assert_eq!((count(&ran, "ok"), count(&ran, "budget")), (2, 2));
    let costs: f64 = ran.records().iter().filter_map(|record| record["dispatch"]["cost_usd"].as_f64()).sum();
    assert_eq!(costs, 1.0, "what the user has said that it costs is in the books");
    place.write("specpipe.toml", &mine("attempt_usd = 0\n"));
    let ran = configured(&place, "--budget 0 --budget-tokens 0", &tasks(4)).exits(0);
    assert_eq!(count(&ran, "ok"), 4);
}

#[test]
fn tokens_tiers_and_backends_have_budgets_too() {
    let place = Place::new();
    let answer = |n: usize| {
        format!(
            "{{\"id\":\"t{n}\",\"output\":\"o\",\"cost_usd\":0.4,\"usage\":{{\"input_tokens\":300,\"cache_read_tokens\":200,\"output_tokens\":100}}}}\n"
        )
    };
    place.write("answers.jsonl", &(0..4).map(answer).collect::<String>());
    let ran = place.run("-j 1 --budget-tokens 1000 --replay answers.jsonl", &tasks(4)).exits(0);
    assert_eq!(statuses(&ran), ["ok", "ok", "budget", "budget"]);
    assert_eq!(reason(&ran, "t2"), "the run's budget of 1000 tokens is spent (1200)");
    assert!(ran.stderr.contains("budget of 1000 tokens is exceeded by 200"), "{}", ran.stderr);
    let settings = |tier: &str, backend: &str| {
        format!(
            "[dispatch]\nlocal = false\njobs = 1\n[dispatch.tiers.1]\nbackend = \"past\"\n{tier}[dispatch.backends.past]\nkind = \"replay\"\nfile = \"answers.jsonl\"\n{backend}"
        )
    };
    for (tier, backend, owner) in [
        ("budget_usd = 0.5\n", "", "tier 1's budget of $0.5"),
        ("", "budget_usd = 0.5\n", "the backend `past`'s budget of $0.5"),
        ("budget_tokens = 900\n", "", "tier 1's budget of 900 tokens"),
        ("", "budget_tokens = 900\n", "the backend `past`'s budget of 900 tokens"),
    ] {
        place.write("specpipe.toml", &settings(tier, backend));
        let ran = configured(&place, "", &tasks(4)).exits(0);
        assert_eq!(statuses(&ran), ["ok", "ok", "budget", "budget"], "{owner}");
        assert!(reason(&ran, "t3").starts_with(owner), "{}", reason(&ran, "t3"));
    }
}

#[test]
fn a_tier_runs_no_more_at_once_than_it_may() {
    let place = Place::new();
    place.program("mine", "mkdir -p here; touch here/$$; ls here | wc -l >> at_once; sleep 0.02; rm here/$$");
    place.write(
        "specpipe.toml",
        "[dispatch]\nlocal = false\njobs = 8\n[dispatch.tiers.1]\nbackend = \"mine\"\njobs = 2\n[dispatch.backends.mine]\nkind = \"command\"\ncommand = [\"mine\"]\n",
    );
    let ran = configured(&place, "", &tasks(12)).exits(0);
    assert_eq!(count(&ran, "ok"), 12);
    let at_once: Vec<usize> =
        place.read("at_once").lines().map(|line| line.trim().parse().unwrap()).collect();
    assert!(at_once.len() == 12 && at_once.iter().all(|number| *number <= 2), "{at_once:?}");
}

#[test]
fn programs_are_started_at_a_pace() {
    let place = Place::new();
    place.program("mine", "date +%s%N >> started");
    place.write(
        "specpipe.toml",
        "[dispatch]\nlocal = false\njobs = 8\n[dispatch.tiers.1]\nbackend = \"mine\"\n[dispatch.backends.mine]\nkind = \"command\"\ncommand = [\"mine\"]\nrequests_per_minute = 600\n",
    );
    // Sixty may come at once; then there is one in an eighth of a second.
    let ran = configured(&place, "", &tasks(66)).exits(0);
    assert_eq!(count(&ran, "ok"), 66);
    let mut started: Vec<u64> = place.read("started").lines().map(|line| line.parse().unwrap()).collect();
    started.sort_unstable();
    let took = (started[65] - started[0]) / 1_000_000;
    // A child takes a while to write down when it began, so the first may have written late.
    assert!(took >= 350, "{took} ms");
}

#[test]
fn a_run_halts_and_the_same_command_goes_on() {
    let place = Place::new();
    let script = "echo $SPECPIPE_ID >> ran; [ -e repaired ]";
    let ran = place.run_script("-j 1 --halt soon,fail=3", script, &tasks(20)).exits(4);
    assert_eq!((count(&ran, "failed"), count(&ran, "untouched")), (3, 17));
    assert!(ran.stderr.contains("error: the run halts, because 3 attempts failed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: what has not started leaves as it came"), "{}", ran.stderr);
    assert_eq!(ran.ids().len(), 20, "nothing is lost");
    place.write("repaired", "");
    let ran = place.run_script("-j 1 --resume --halt soon,fail=3", script, &tasks(20));
    assert_eq!((count(&ran, "failed"), count(&ran, "ok")), (3, 17), "{}", ran.stderr);
    assert_eq!(place.read("ran").lines().count(), 20, "what has finished is not run again");
}

#[test]
fn a_share_of_failures_halts_early_if_all_fail() {
    let place = Place::new();
    let ran = place.run_script("-j 1 --halt soon,fail=30%", "exit 1", &tasks(50)).exits(4);
    assert_eq!((count(&ran, "failed"), count(&ran, "untouched")), (3, 47));
    assert!(ran.stderr.contains("because 3 of 3 attempts failed"), "{}", ran.stderr);
    // Every fifth fails: no reason to halt, whatever comes first.
    let script = "case $SPECPIPE_ID in *0|*5) exit 1;; esac";
    let ran = place.run_script("-j 1 --halt soon,fail=30%", script, &tasks(50)).exits(0);
    assert_eq!((count(&ran, "failed"), count(&ran, "ok")), (10, 40));
    place.write("specpipe.toml", "[dispatch]\nhalt = \"soon,fail=30%\"\nhalt_min = 4\n");
    let ran = place.run_script("-j 1", "exit 1", &tasks(50)).exits(4);
    assert_eq!(count(&ran, "failed"), 3);
}

#[test]
fn a_run_that_halts_now_ends_what_runs() {
    let place = Place::new();
    let script = "case $SPECPIPE_ID in t0) touch waiting; sleep 600;; t1) while [ ! -e waiting ]; do sleep 0.01; done; exit 1;; esac";
    let ran = place.run_script("-j 2 --halt now,fail=1", script, &tasks(5)).exits(4);
    assert_eq!(
        statuses(&ran),
        ["cancelled", "failed", "untouched", "untouched", "untouched"],
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("what runs is ended"), "{}", ran.stderr);
}

#[test]
fn enough_that_went_well_is_no_failure() {
    let place = Place::new();
    let ran = place.run_script("-j 1 --halt soon,success=2", "true", &tasks(9)).exits(0);
    assert_eq!((count(&ran, "ok"), count(&ran, "untouched")), (2, 7));
    assert!(ran.stderr.contains("note: the run halts, because 2 attempts succeeded"), "{}", ran.stderr);
    let ran = place.run_script("-j 1 --halt soon,done=50%", "true", &tasks(9)).exits(0);
    assert!(count(&ran, "ok") >= 5 && count(&ran, "untouched") > 0, "{:?}", statuses(&ran));
}

#[test]
fn a_backend_that_does_not_answer_is_left_alone_and_then_given_up() {
    let place = Place::new();
    place.program(
        "claude",
        "echo x >> asked; echo '{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"api_error_status\":529,\"result\":\"API Error: 529 overloaded\"}'",
    );
    place.write(
        "specpipe.toml",
        "[dispatch]\nlocal = false\njobs = 1\n[dispatch.tiers.1]\nbackend = \"claude\"\n[dispatch.backends.claude]\nbreaker_failures = 2\nbreaker_cool_down = \"50ms\"\npatience = \"300ms\"\n",
    );
    let ran = configured(&place, "", &tasks(30)).exits(0);
    assert_eq!(count(&ran, "transport"), 30, "{:?}", statuses(&ran));
    let asked = place.read("asked").lines().count();
    assert!((3..=6).contains(&asked), "two, and a probe after 50, 100 and 200 ms: {asked}");
    assert!(ran.stderr.contains("the backend `claude` is left alone for a while"), "{}", ran.stderr);
    assert!(reason(&ran, "t29").contains("has been failing for 300ms"), "{}", reason(&ran, "t29"));
}

#[test]
fn a_backend_that_comes_back_is_used_again() {
    let place = Place::new();
    place.program(
        "claude",
        "echo x >> asked; if [ $(wc -l < asked) -le 3 ]; then echo '{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"api_error_status\":529,\"result\":\"overloaded\"}'; \
         else echo '{\"type\":\"result\",\"is_error\":false,\"result\":\"done\"}'; fi",
    );
    place.write(
        "specpipe.toml",
        "[dispatch]\nlocal = false\njobs = 1\n[dispatch.tiers.1]\nbackend = \"claude\"\n[dispatch.backends.claude]\nbreaker_failures = 2\nbreaker_cool_down = \"20ms\"\n",
    );
    let ran = configured(&place, "", &tasks(10)).exits(0);
    assert_eq!((count(&ran, "transport"), count(&ran, "ok")), (3, 7), "{}", ran.stderr);
}

#[test]
fn who_refuses_again_and_again_is_not_asked_any_more() {
    let place = Place::new();
    place.program(
        "claude",
        "echo x >> asked; echo '{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"api_error_status\":401,\"result\":\"invalid x-api-key\"}'",
    );
    let ran = place.run("--no-local -j 1 --backend claude", &tasks(30)).exits(0);
    assert_eq!(count(&ran, "auth"), 30, "{:?}", statuses(&ran));
    assert_eq!(place.read("asked").lines().count(), 3);
    assert!(
        reason(&ran, "t29").starts_with("not sent, because the backend `claude` refuses"),
        "{}",
        reason(&ran, "t29")
    );
}

#[test]
fn wrong_limits_are_named() {
    let place = Place::new();
    for (toml, message) in [
        ("[dispatch]\nbudget_usd = -1\n", "the budget is no amount of money"),
        ("[dispatch]\nbudget_usd = 1e12\n", "the budget is no amount of money"),
        ("[dispatch]\nhalt = \"often\"\n", "`halt` can not be read: `often` is no halt rule"),
        (
            "[dispatch.tiers.1]\nbackend = \"claude\"\nbudget_usd = nan\n",
            "`budget_usd` in [dispatch.tiers.1] is no amount of money",
        ),
        ("[dispatch.tiers.1]\nbackend = \"claude\"\njobs = 0\n", "`jobs` in [dispatch.tiers.1] is 0"),
        (
            "[dispatch.tiers.1]\nbackend = \"claude\"\n[dispatch.backends.claude]\nrequests_per_minute = 0\n",
            "`requests_per_minute` in [dispatch.backends.claude] is 0",
        ),
        (
            "[dispatch.tiers.1]\nbackend = \"claude\"\n[dispatch.backends.claude]\nattempt_usd = -0.5\n",
            "`attempt_usd` in [dispatch.backends.claude] is no amount of money",
        ),
        (
            "[dispatch.tiers.1]\nbackend = \"claude\"\n[dispatch.backends.claude]\npatience = \"0s\"\n",
            "`patience` in [dispatch.backends.claude] is no time",
        ),
        (
            "[dispatch.tiers.1]\nbackend = \"claude\"\n[dispatch.backends.claude]\nrequest_per_minute = 5\n",
            "did you mean `requests_per_minute`?",
        ),
    ] {
        place.write("specpipe.toml", toml);
        let ran = configured(&place, "", &tasks(1)).exits(2);
        assert!(ran.stderr.contains(message), "{toml}: {}", ran.stderr);
    }
    place.write("specpipe.toml", "");
    for (arguments, message) in [
        ("--halt fail=1", "is no halt rule"),
        ("--halt now,fail=0", "the least is 1"),
        ("--halt-min 0", "0 is not in 1.."),
        ("--budget-tokens x", "invalid value 'x'"),
        ("--budget inf", "the budget is no amount of money"),
    ] {
        let ran = place.run(arguments, &tasks(1)).exits(2);
        assert!(ran.stderr.contains(message), "{arguments}: {}", ran.stderr);
    }
}

#[test]
fn a_request_is_repeated_as_often_as_was_said() {
    let place = Place::new();
    let busy = || server::answer(503, &[("content-type", "application/json")], "{}");
    for (arguments, answers, status) in [
        ("--retries 0", vec![busy(), message(1, 1)], "transport"),
        ("--retries 2", vec![busy(), message(1, 1)], "ok"),
    ] {
        let expected = if status == "ok" { 2 } else { 1 };
        let server = server::Server::start(answers);
        let ran = against(&place, &server, &format!("--no-local {arguments}"), &tasks(1)).exits(0);
        assert_eq!(statuses(&ran), [status], "{arguments}: {}", ran.stdout);
        assert_eq!(server.requests().len(), expected, "{arguments}");
    }
}
