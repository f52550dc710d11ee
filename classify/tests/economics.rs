//! Prices, budgets and shares, as a process: one test for each promise of the README's section on them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The models of three tiers of one provider.
const TIERS: &str = "[dispatch.tiers.1]\nbackend = \"anthropic\"\nmodel = \"claude-haiku-5-5\"\n\
                     [dispatch.tiers.2]\nbackend = \"anthropic\"\nmodel = \"claude-sonnet-5-5\"\n\
                     [dispatch.tiers.3]\nbackend = \"anthropic\"\nmodel = \"claude-opus-5-5\"\n";

/// Tasks of all tiers.
const TASKS: [&str; 8] = [
    "run the tests",
    "add pagination to the list of users",
    "design the multi-tenant schema",
    "fix the typo in the title",
    "add validation to the signup form",
    "fix the race condition in checkout",
    "find all files importing serde_json",
    "delete the users table on production",
];

struct Ended {
    status: Option<i32>,
    output: String,
    errors: String,
}

impl Ended {
    /// Returns the `classify` member of every record.
    fn sections(&self) -> Vec<Value> {
        let section = |line: &str| serde_json::from_str::<Value>(line).unwrap()["classify"].clone();
        self.output.lines().map(section).collect()
    }

    fn tiers(&self) -> Vec<u64> {
        self.sections().iter().map(|section| section["tier"].as_u64().unwrap()).collect()
    }

    fn reasons(&self) -> String {
        self.sections().iter().map(|section| section["reasons"].to_string()).collect()
    }
}

/// Runs the program in a directory with this configuration and nothing of the user's.
fn run_with(config: &str, args: &[&str], input: &str, environment: &[(&str, &str)]) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("specpipe.toml"), config).unwrap();
    run_in(directory.path(), args, input, environment)
}

fn run_in(directory: &Path, args: &[&str], input: &str, environment: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classify"));
    command.args(args).current_dir(directory).env("XDG_CONFIG_HOME", directory);
    for name in ["MODE", "STRONG_RATE", "BUDGET", "ECONOMICS", "PRICES", "CACHED_TOKENS"] {
        command.env_remove(format!("SPECPIPE_CLASSIFY_{name}"));
    }
    for name in
        ["SPECPIPE_CONFIG", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"]
    {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { status: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
}

fn run(args: &[&str], input: &str) -> Ended {
    run_with("", args, input, &[])
}

/// Returns so many records, with tasks of all tiers in turn.
fn records(count: usize) -> String {
    (0..count).map(|at| format!("{{\"id\":\"{at}\",\"task\":\"{}\"}}\n", TASKS[at % TASKS.len()])).collect()
}

#[test]
fn effort_is_always_expected_and_prices_are_where_models_are_named() {
    let ended = run(&[], &records(3));
    for section in ended.sections() {
        for kind in ["turns", "tokens"] {
            let interval = &section["effort"][kind];
            let [low, expected, high] =
                ["low", "expected", "high"].map(|bound| interval[bound].as_u64().unwrap());
            assert!(1 <= low && low <= expected && expected <= high, "{section}");
        }
        assert_eq!((&section["effort"]["cost_usd"], &section["economics"]), (&Value::Null, &Value::Null));
    }
    assert_eq!(ended.errors, "");
    for ended in [run_with(TIERS, &[], &records(3), &[]), run(&["--economics", "always"], &records(3))] {
        let sections = ended.sections();
        let plan = |at: usize| sections[at]["economics"]["plan"].as_str().unwrap();
        assert_eq!([plan(0), plan(1), plan(2)], ["direct_cheap", "cheap_then_verify", "direct_strong"]);
        assert_eq!(sections[0]["effort"]["model"], "claude-haiku-5-5");
        assert_eq!(sections[1]["economics"]["draft"]["break_even"], 0.6);
        assert_eq!(sections[2]["economics"]["draft"], Value::Null);
        assert_eq!((ended.status, ended.errors.as_str()), (Some(0), ""));
    }
    let never = run_with(TIERS, &["--economics", "never"], &records(3), &[]);
    assert_eq!(never.sections()[1]["economics"], Value::Null);
}

#[test]
fn a_command_that_is_given_takes_one_turn_and_no_token() {
    let task = r#"{"id":"a","task":{"text":"build it","run":["make"]}}"#;
    let section = run_with(TIERS, &[], task, &[]).sections().remove(0);
    assert_eq!(section["effort"]["turns"]["high"], 1);
    assert_eq!(
        (&section["effort"]["tokens"]["high"], &section["economics"]),
        (&Value::from(0), &Value::Null)
    );
}

#[test]
fn a_draft_that_costs_more_than_it_saves_is_not_made() {
    // The middle model at nine tenths of the price of the best.
    let prices = "date = \"2026-11-20\"\n\
        [[model]]\nname = \"small\"\ninput = 1\noutput = 5\n[[model]]\nname = \"middle\"\ninput = 9\noutput = 45\n\
        [[model]]\nname = \"best\"\ninput = 10\noutput = 50\n";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("prices.toml"), prices).unwrap();
    let tiers: String = ["small", "middle", "best"]
        .iter()
        .enumerate()
        .map(|(at, model)| format!("[dispatch.tiers.{}]\nbackend = \"x\"\nmodel = \"{model}\"\n", at + 1))
        .collect();
    let config = format!("[dispatch]\nprices = \"prices.toml\"\n{tiers}");
    std::fs::write(directory.path().join("specpipe.toml"), config).unwrap();
    let ended = run_in(directory.path(), &["--explain"], &records(2), &[]);
    assert_eq!(ended.tiers(), [1, 3], "{}", ended.errors);
    let reasons = ended.reasons();
    assert!(reasons.contains("draft $") && reasons.contains("+ check $"), "{reasons}");
    assert!(reasons.contains("at once (acceptance 0.925 expected, break-even 1) → tier 3"), "{reasons}");
    assert_eq!(ended.sections()[1]["economics"]["plan"], "direct_strong");
    assert!(ended.errors.contains("plan: the strong tier at once; at once on best $"), "{}", ended.errors);
    // What the task says comes first.
    let capped = r#"{"id":"a","task":{"text":"add pagination","max_tier":2}}"#;
    assert_eq!(run_in(directory.path(), &[], capped, &[]).tiers(), [2]);
}

#[test]
fn what_was_measured_takes_the_place_of_what_is_expected() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("specpipe.toml"), TIERS).unwrap();
    // Half of the drafts of tier 2 were rejected, which is below its break-even of 0.6; each took 10 turns of 2,000 tokens.
    let verified = |count: usize| -> String {
        let record = |at: usize| {
            let decision = if at.is_multiple_of(2) { "accept" } else { "escalate" };
            format!(
                "{{\"id\":\"{at}\",\"task\":\"add pagination to the list of number {at}\",\
                 \"classify\":{{\"tier\":2,\"executor\":\"implement\"}},\
                 \"dispatch\":{{\"attempt\":1,\"status\":\"ok\",\"executor\":\"implement\",\"tier\":2,\"turns\":10,\
                 \"usage\":{{\"input_tokens\":19000,\"output_tokens\":1000}}}},\
                 \"verify\":{{\"attempt\":1,\"decision\":\"{decision}\",\"confidence\":1,\"checks\":[],\"reason\":\"r\"}}}}\n"
            )
        };
        (0..count).map(record).collect()
    };
    let task = "{\"id\":\"a\",\"task\":\"add pagination to the list of users\"}\n";
    let before = run_in(directory.path(), &[], task, &[]);
    // Too few verdicts move nothing, in no mode.
    assert_eq!(run_in(directory.path(), &["calibrate"], &verified(6), &[]).status, Some(0));
    let few = run_in(directory.path(), &["--mode", "conservative"], task, &[]);
    assert_eq!(few.tiers(), [2], "{}", few.output);
    assert_eq!(few.sections()[0]["economics"]["draft"]["measured_on"], 0);
    assert_eq!(run_in(directory.path(), &["calibrate"], &verified(60), &[]).status, Some(0));
    let after = run_in(directory.path(), &[], task, &[]);
    assert_eq!((before.tiers(), after.tiers()), (vec![2], vec![3]), "{}", after.output);
    let draft = after.sections()[0]["economics"]["draft"].clone();
    assert_eq!(draft["measured_on"], 60);
    assert!(draft["acceptance"].as_f64() < draft["break_even"].as_f64(), "{draft}");
    assert!(after.reasons().contains("measured on 60"), "{}", after.reasons());
    let kept = run_in(directory.path(), &["--economics", "never"], task, &[]).sections().remove(0);
    assert_eq!(kept["tier"], 2);
    let tokens_of_a_turn = |effort: &Value| {
        effort["tokens"]["expected"].as_f64().unwrap() / effort["turns"]["expected"].as_f64().unwrap()
    };
    let measured = tokens_of_a_turn(&kept["effort"]);
    assert!((1_800.0..2_200.0).contains(&measured), "2,000 tokens a turn were measured: {measured}");
    assert!(tokens_of_a_turn(&before.sections()[0]["effort"]) > 5_000.0);
}

#[test]
fn what_has_no_price_is_told_once_and_nothing_is_reckoned() {
    let tiers = "[dispatch.tiers.3]\nbackend = \"mine\"\nmodel = \"home-made-70b\"\n";
    let ended = run_with(tiers, &[], &records(100), &[]);
    assert_eq!(
        ended.errors.matches("the price of `home-made-70b` (tier 3) is not known").count(),
        1,
        "{}",
        ended.errors
    );
    assert!(ended.errors.contains("no prices are reckoned"), "{}", ended.errors);
    assert!(ended.sections().iter().all(|section| section["economics"].is_null()));
    assert_eq!(ended.status, Some(0));
    // Who names no models has not asked for prices.
    let ended = run_with("[dispatch.tiers.3]\nbackend = \"mine\"\n", &[], &records(3), &[]);
    assert_eq!(ended.errors, "");
    let ended = run_with(tiers, &["--budget", "5"], &records(3), &[]);
    assert_eq!((ended.status, ended.output.as_str()), (Some(2), ""));
    assert!(
        ended.errors.contains("a budget needs prices") && ended.errors.contains("--prices"),
        "{}",
        ended.errors
    );
}

#[test]
fn a_share_of_the_tasks_is_on_the_strong_tier_whatever_their_order_and_the_workers() {
    let input = records(800);
    for (share, expected) in [("25%", 200), ("0.5", 400), ("100%", 800), ("0.3%", 100)] {
        let ended = run(&["--strong-rate", share], &input);
        let strong = ended.tiers().iter().filter(|tier| **tier == 3).count();
        // One of eight may not be lower, because its risk is high.
        assert_eq!(strong, expected, "{share}: {}", ended.errors);
        assert!(
            ended.errors.starts_with(&format!("classify: note: {expected} of 800 tasks are on tier 3")),
            "{}",
            ended.errors
        );
        for (at, line) in ended.output.lines().enumerate() {
            assert!(line.starts_with(&format!("{{\"id\":\"{at}\",")), "{line}");
        }
    }
    let ended = run(&["--strong-rate", "25%", "--jobs", "1"], &input);
    let backwards: String = input.lines().rev().map(|line| line.to_owned() + "\n").collect();
    let again = run(&["--strong-rate", "25%", "--jobs", "4"], &backwards);
    let mut lines: Vec<_> = again.output.lines().collect();
    lines.reverse();
    assert_eq!(ended.output.lines().collect::<Vec<_>>(), lines);
    let reasons = run(&["--strong-rate", "60%"], &input).reasons();
    assert!(reasons.contains("among the 60 % that most need the strong tier → tier 3"), "{reasons}");
    let reasons = run(&["--strong-rate", "0"], &input).reasons();
    assert!(reasons.contains("not among the 0 % that most need the strong tier → tier 2"), "{reasons}");
}

#[test]
fn a_budget_is_planned_over_the_whole_input() {
    let input = records(80);
    let planned = |ended: &Ended| -> f64 {
        let (_, rest) = ended.errors.split_once("planned $").expect(&ended.errors);
        rest.split_once(' ').unwrap().0.parse().unwrap()
    };
    let free = run(&["--budget", "1000"], &input);
    assert!(free.errors.contains("80 of 80 tasks go as advised, 0 are capped"), "{}", free.errors);
    assert_eq!(free.tiers(), run(&[], &input).tiers());
    let wanted = planned(&free);
    let (mut before, mut capped_before) = (f64::INFINITY, 0);
    for share in [0.9, 0.8, 0.7] {
        let budget = format!("{:.2}", wanted * share);
        let ended = run(&["--budget", &budget], &input);
        let cost = planned(&ended);
        assert!(cost <= budget.parse().unwrap() && cost > 0.9 * wanted * share, "{budget}: {}", ended.errors);
        assert!(ended.errors.contains("classify: note: "), "{}", ended.errors);
        let sections = ended.sections();
        let capped: Vec<&Value> =
            sections.iter().filter(|section| !section["economics"]["max_tier"].is_null()).collect();
        assert!(
            capped
                .iter()
                .all(|section| section["tier"].as_u64() <= section["economics"]["max_tier"].as_u64())
        );
        assert!(capped.iter().all(|section| section["risk"] != "high"), "{capped:#?}");
        assert!(capped.len() >= capped_before && cost <= before, "{}", ended.errors);
        (before, capped_before) = (cost, capped.len());
        assert!(
            ended.reasons().contains(&format!(
                "the budget of ${} allows no more than tier",
                budget.trim_end_matches('0')
            )),
            "{}",
            ended.reasons()
        );
    }
    assert!(capped_before > 0);
    let poor = run(&["--budget", "0"], &input);
    assert!(
        poor.errors.contains("classify: warning: ") && poor.errors.contains("the least these tasks allow"),
        "{}",
        poor.errors
    );
    assert_eq!(poor.status, Some(0));
}

#[test]
fn what_can_not_be_worked_on_leaves_as_it_came_with_a_plan_too() {
    let done = r#"{"id":"d","task":"design the schema","classify":{"tier":3,"executor":"mine","x":1}}"#;
    let input = format!("broken\n{done}\n{{\"id\":\"e\"}}\n{{\"id\":\"f\",\"task\":\"run the tests\"}}\n");
    for args in [["--strong-rate", "100%"], ["--budget", "5"]] {
        let ended = run(&args, &input);
        let lines: Vec<&str> = ended.output.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1], done);
        assert_eq!(ended.errors.matches("error: line 1:").count(), 1, "{}", ended.errors);
        assert_eq!(ended.errors.matches("error: line 3,").count(), 1, "{}", ended.errors);
        assert_eq!(ended.errors.matches("error: line ").count(), 2, "{}", ended.errors);
        assert!(ended.errors.contains("1 of 1 tasks"), "{}", ended.errors);
        assert_eq!(ended.status, Some(3));
    }
}

#[test]
fn an_input_without_tasks_is_planned_as_well() {
    for args in [["--strong-rate", "20%"], ["--budget", "5"]] {
        let ended = run(&args, "");
        assert_eq!((ended.status, ended.output.as_str()), (Some(0), ""));
        assert!(ended.errors.contains("0 of 0 tasks"), "{}", ended.errors);
        assert_eq!(run(&[args[0], args[1], "--quiet"], "").errors, "");
    }
}

#[test]
fn an_input_that_can_not_be_kept_is_told() {
    let ended = run_with("", &["--strong-rate", "20%"], &records(3), &[("TMPDIR", "/nowhere")]);
    assert_eq!((ended.status, ended.output.as_str()), (Some(4), ""));
    assert!(ended.errors.contains("temporary file") && ended.errors.contains("TMPDIR"), "{}", ended.errors);
}

#[test]
fn a_mode_is_said_on_the_command_line_in_the_environment_or_in_a_file() {
    // Evidence that is neither clear nor thin.
    let task = "{\"id\":\"a\",\"task\":\"make the parser faster\"}\n";
    let tier = |ended: Ended| ended.tiers()[0];
    let [careful, usual, bold] =
        ["conservative", "balanced", "aggressive"].map(|mode| tier(run(&["--mode", mode], task)));
    assert!(careful >= usual && usual >= bold, "{careful} {usual} {bold}");
    for mode in ["conservative", "balanced", "aggressive"] {
        let input = records(8);
        let flag = run(&["--mode", mode], &input).output;
        assert_eq!(run_with("", &[], &input, &[("SPECPIPE_CLASSIFY_MODE", mode)]).output, flag);
        assert_eq!(run_with(&format!("[classify]\nmode = \"{mode}\"\n"), &[], &input, &[]).output, flag);
    }
    let ended = run_with("[classify]\nmode = \"bold\"\n", &[], task, &[]);
    assert!(
        ended.errors.contains("specpipe.toml:2") && ended.errors.contains("aggressive"),
        "{}",
        ended.errors
    );
}

#[test]
fn a_file_may_name_one_aim_and_the_command_line_another() {
    let input = records(8);
    let rate = "[classify]\nstrong_rate = \"50%\"\n";
    assert_eq!(run_with(rate, &[], &input, &[]).tiers().iter().filter(|tier| **tier == 3).count(), 4);
    assert_eq!(
        run_with("[classify]\nstrong_rate = 0.5\n", &[], &input, &[]).tiers(),
        run_with(rate, &[], &input, &[]).tiers()
    );
    assert!(run_with(rate, &["--budget", "9"], &input, &[]).errors.contains("planned $"));
    let both = run_with("[classify]\nstrong_rate = 0.5\nbudget_usd = 2\n", &[], &input, &[]);
    assert_eq!(both.status, Some(2));
    assert!(both.errors.contains("both `budget_usd` and `strong_rate`"), "{}", both.errors);
    let checks = |share: &str| {
        let config = format!("{TIERS}[classify]\ncheck_share = {share}\n");
        run_with(&config, &[], &input, &[]).sections()[1]["economics"]["draft"]["break_even"].as_f64()
    };
    assert_eq!((checks("0.0"), checks("\"20%\"")), (Some(0.5), Some(0.7)));
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_write() {
    for (args, says) in [
        (vec!["--strong-rate", "20"], "20% or 0.2"),
        (vec!["--strong-rate", "120%"], "20% or 0.2"),
        (vec!["--budget=-1"], "US dollars"),
        (vec!["--budget", "NaN"], "US dollars"),
        (vec!["--budget", "5", "--strong-rate", "20%"], "cannot be used with"),
        (vec!["--budget", "5", "--economics", "never"], "a budget needs prices"),
        (vec!["--cached-tokens", "many"], "40000@2"),
        (vec!["--cached-tokens", "1@7"], "40000@2"),
        (vec!["--cached-tokens", "18446744073709551615"], "40000@2"),
        (vec!["--budget", "1e300"], "US dollars"),
        (vec!["--mode", "bold"], "aggressive"),
        (vec!["--prices", "/nowhere"], "/nowhere"),
    ] {
        let ended = run(&args, &records(1));
        assert_eq!((ended.status, ended.output.as_str()), (Some(2), ""), "{args:?}: {}", ended.errors);
        assert!(ended.errors.contains(says), "{args:?}: {}", ended.errors);
    }
}

#[test]
fn a_cache_that_a_switch_would_lose_is_counted() {
    let draft = |args: &[&str]| {
        run_with(TIERS, args, &records(1), &[]).sections()[0]["economics"]["draft"]["cost_usd"]
            .as_f64()
            .unwrap()
    };
    let (plain, lost, kept) =
        (draft(&[]), draft(&["--cached-tokens", "50000"]), draft(&["--cached-tokens", "50000@1"]));
    assert!(plain < kept && kept < lost, "{plain} {kept} {lost}");
}

#[test]
fn the_arithmetic_is_explained_in_three_lines() {
    let ended = run_with(TIERS, &["--explain"], &records(2), &[]);
    let lines: Vec<&str> = ended
        .errors
        .lines()
        .filter(|line| ["  effort: ", "  price: ", "  plan: "].iter().any(|begin| line.starts_with(begin)))
        .collect();
    assert_eq!(lines.len(), 6, "{}", ended.errors);
    let dollars: Vec<f64> = lines[4]
        .split('$')
        .skip(1)
        .map(|rest| rest.split([' ', ';']).next().unwrap().parse().unwrap())
        .collect();
    let [draft, check, strong, expected] = dollars[..] else { panic!("{}", lines[4]) };
    assert!((draft + check + 0.075 * strong - expected).abs() < 0.01 * expected, "{}", lines[4]);
    assert!(
        lines[4].contains("0.075 rejected × $")
            && lines[4].contains("; acceptance 0.925 expected, not measured, break-even 0.6"),
        "{}",
        lines[4]
    );
    assert!(
        lines[5]
            .contains(&format!("plan: a cheap draft, then a check; at once on claude-opus-5-5 ${strong}")),
        "{}",
        lines[5]
    );
    let again = run_with("", &["--explain"], &ended.output, &[]);
    assert_eq!((again.errors, again.output), (ended.errors, ended.output));
}
