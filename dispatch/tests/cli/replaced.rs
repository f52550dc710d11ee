//! Dependents that started on a draft which was replaced later.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::Place;

/// Says who it is, which attempt this is, and what it was given.
const DERIVING: &str = r#"printf '%s@%s(' "$SPECPIPE_ID" "$SPECPIPE_ATTEMPT"
    [ -z "$SPECPIPE_INPUTS" ] || grep -o '"output":"[^"]*"' "$SPECPIPE_INPUTS" | cut -d'"' -f4 | tr '\n' ' '
    printf ')'; echo "$SPECPIPE_ID@$SPECPIPE_ATTEMPT" >> ran"#;

/// A number that follows from its parts and from nothing else.
fn number(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |sum, part| {
        let mixed = (sum ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    })
}

/// Judges what has not been judged, as `number` says; a rejected draft can be replaced as long as there is a higher tier.
fn judge(record: &mut Value, seed: u64, at: u64) {
    let (attempt, tier) =
        (record["dispatch"]["attempt"].as_u64().unwrap(), record["dispatch"]["tier"].as_u64().unwrap());
    if record["verify"]["attempt"].as_u64() == Some(attempt) {
        return;
    }
    let verdict = match number(&[seed, at, attempt]) % 3 {
        0 => json!({"decision": "accept"}),
        _ if tier == 3 => json!({"decision": "blocked"}),
        1 => json!({"decision": "escalate", "escalate_to": tier + 1}),
        _ => json!({"decision": "fix", "escalate_to": tier + 1}),
    };
    record["verify"] = json!({"attempt": attempt, "confidence": 1, "checks": [], "reason": "r"});
    record["verify"].as_object_mut().unwrap().extend(verdict.as_object().unwrap().clone());
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| record.to_string() + "\n").collect()
}

/// What a task says if it was made from the final results alone.
fn derived(id: &str, records: &BTreeMap<String, Value>) -> String {
    let record = &records[id];
    let needs = record["task"]["depends_on"].as_array().cloned().unwrap_or_default();
    let given: String = needs.iter().map(|need| derived(need.as_str().unwrap(), records) + " ").collect();
    format!("{id}@{}({given})", record["dispatch"]["attempt"])
}

#[test]
fn any_graph_comes_to_rest_made_from_final_results_alone_whatever_is_rejected() {
    for seed in 0..12 {
        let count = 2 + number(&[seed]) % 5;
        let task = |at: u64| {
            let needs: Vec<String> = (0..at)
                .filter(|need| number(&[seed, at, *need, 7]).is_multiple_of(2))
                .map(|need| format!("t{need}"))
                .collect();
            json!({"id": format!("t{at}"), "task": {"text": "x", "depends_on": needs}})
        };
        let mut records: Vec<Value> = (0..count).map(task).collect();
        // Dependencies may come later in the stream.
        records.rotate_left((seed % count) as usize);
        let place = Place::new();
        let mut rounds = 0;
        loop {
            let given = lines(&records);
            records = place.run_script("--no-journal -j 3", DERIVING, &given).exits(0).records();
            assert_eq!(records.len() as u64, count, "n in, n out");
            if rounds > 0 && lines(&records) == given {
                break;
            }
            rounds += 1;
            assert!(rounds < 40, "seed {seed}: {given}");
            for record in &mut records {
                let at = record["id"].as_str().unwrap()[1..].parse().unwrap();
                judge(record, seed, at);
            }
        }
        let all: BTreeMap<String, Value> = records
            .iter()
            .map(|record| (record["id"].as_str().unwrap().to_owned(), record.clone()))
            .collect();
        let ran = place.read("ran");
        let mut most = BTreeMap::new();
        for at in 0..count {
            let id = format!("t{at}");
            let dispatch = &all[&id]["dispatch"];
            assert_eq!(dispatch["output"], derived(&id, &all), "seed {seed}");
            let attempts = dispatch["attempt"].as_u64().unwrap();
            // Three tiers of its own, and one more for each time that something it needs was made again.
            let needs = all[&id]["task"]["depends_on"].as_array().unwrap();
            let bound = needs.iter().map(|need| most[need.as_str().unwrap()] - 1).sum::<u64>() + 3;
            assert!(attempts <= bound, "seed {seed}, {id}: {attempts} attempts, at most {bound}");
            most.insert(id.clone(), attempts);
            // Each attempt was made once, and all that were in vain are in the books.
            assert_eq!(
                ran.lines().filter(|line| line.split('@').next() == Some(&id)).count() as u64,
                attempts
            );
            let earlier = dispatch["earlier"].as_array().map_or(0, Vec::len) as u64;
            assert_eq!(earlier, attempts - 1, "seed {seed}, {id}");
        }
    }
}

/// A task that writes, at an attempt that was judged so.
fn rejected(record: &Value, decision: &str) -> Value {
    let mut record = record.clone();
    let dispatch = &record["dispatch"];
    record["verify"] = json!({"attempt": dispatch["attempt"], "decision": decision, "confidence": 1, "checks": [],
        "reason": "r", "escalate_to": dispatch["tier"].as_u64().unwrap() + 1});
    record
}

#[test]
fn work_on_a_replaced_commit_starts_from_the_new_one_also_where_it_was_to_be_repaired() {
    for decision in ["accept", "fix", "escalate"] {
        let place = Place::repository();
        let writes = |id: &str, needs: Value| json!({"id": id, "task": {"text": "x", "depends_on": needs, "executor": "implement", "min_tier": 1}});
        let records = [writes("a", json!([])), writes("b", json!(["a"])), writes("c", json!(["b"]))];
        let script = "echo $SPECPIPE_ID$SPECPIPE_ATTEMPT >> log; cat log";
        let first = place.run_script("", script, &lines(&records)).exits(0).records();
        assert_eq!(first[2]["dispatch"]["output"], "a1\nb1\nc1\n");
        // The draft that all of it is built on is wrong.
        let judged =
            [rejected(&first[0], "escalate"), rejected(&first[1], decision), rejected(&first[2], decision)];
        let mut judged = judged.to_vec();
        if decision == "accept" {
            judged[1..].iter_mut().for_each(|record| record["verify"]["escalate_to"] = Value::Null);
            judged[1..]
                .iter_mut()
                .for_each(|record| drop(record["verify"].as_object_mut().unwrap().remove("escalate_to")));
        }
        let second = place.run_script("", script, &lines(&judged)).exits(0).records();
        assert_eq!(second[2]["dispatch"]["output"], "a2\nb2\nc2\n", "{decision}");
        let commit = second[2]["dispatch"]["commit"].as_str().unwrap();
        assert_eq!(place.git(&["show", &format!("{commit}:log")]), "a2\nb2\nc2\n", "{decision}");
        assert_eq!(second[2]["dispatch"]["inputs"], json!({"b": 2}));
    }
}

#[test]
fn a_rejected_draft_that_is_not_replaced_makes_nobody_run_again() {
    let place = Place::new();
    let records = [
        json!({"id": "a", "task": {"text": "x", "max_tier": 1}}),
        json!({"id": "b", "task": {"text": "x", "depends_on": ["a"]}}),
    ];
    let first = place.run_script("", DERIVING, &lines(&records)).exits(0).records();
    let judged = [rejected(&first[0], "escalate"), first[1].clone()];
    let second = place.run_script("", DERIVING, &lines(&judged)).exits(0);
    assert_eq!(second.stdout, lines(&judged), "nothing above tier 1 is allowed, so nothing has changed");
    assert_eq!(place.read("ran"), "a@1\nb@1\n");
}
