//! What is to be done about what failed, on the record.

use crate::harness::Place;

#[test]
fn what_failed_says_what_to_do_and_what_several_have_failed_of_alike() {
    let place = Place::new();
    let script = "case $SPECPIPE_ID in a|b) echo \"No module named 'billing'\" >&2; exit 1;; c) exit 127;; d) sleep 600;; esac";
    let input = "{\"id\":\"a\",\"task\":\"x\"}\n{\"id\":\"b\",\"task\":{\"text\":\"x\",\"depends_on\":[]}}\n{\"id\":\"c\",\"task\":\"x\"}\n\
                 {\"id\":\"d\",\"task\":{\"text\":\"x\",\"timeout\":\"100ms\"}}\n{\"id\":\"e\",\"task\":{\"text\":\"x\",\"depends_on\":[\"c\"]}}\n{\"id\":\"f\",\"task\":\"x\"}\n";
    let ran = place.run_script("-j 1", script, input).exits(0);
    let action = |id: &str| ran.record(id)["dispatch"]["action"].clone();
    assert_eq!(action("c")["kind"], "escalate");
    assert_eq!(action("d")["kind"], "retry_escalated");
    assert_eq!(action("e")["kind"], "retry_dependency");
    assert!(action("f").is_null(), "it went well");
    let cause = &action("b")["root_cause"];
    assert_eq!(action("b")["kind"], "fix_root_cause");
    assert_eq!((&cause["kind"], &cause["subject"]), (&"missing_foundation".into(), &"billing".into()));
    assert_eq!(cause["tasks"], serde_json::json!(["a", "b"]));
    // Read again, both are known from the beginning.
    let again = place.run_script("-j 1 --rerun failed", script, &ran.stdout).exits(0);
    for id in ["a", "b"] {
        let dispatch = &again.record(id)["dispatch"];
        assert_eq!(dispatch["action"]["root_cause"]["count"], 2, "{dispatch}");
        assert_eq!(dispatch["earlier"][0]["action"]["kind"], "fix_root_cause", "{dispatch}");
    }
}

#[test]
fn what_gates_and_verify_found_is_on_the_attempt_that_it_is_about() {
    let place = Place::new();
    let record = |id: &str| {
        format!(
            "{{\"id\":\"{id}\",\"task\":\"x\",\"dispatch\":{{\"attempt\":1,\"status\":\"ok\",\"executor\":\"implement\",\"tier\":1}},\
             \"gates\":{{\"attempt\":1,\"outcome\":\"fail\",\"results\":[{{\"gate\":\"tests\",\"type\":\"fact\",\"outcome\":\"fail\",\"findings\":[{{\"rule\":\"t\",\"severity\":\"error\",\"message\":\"no such table: invoices\"}}]}}]}},\
             \"verify\":{{\"attempt\":1,\"decision\":\"escalate\",\"confidence\":1,\"checks\":[],\"reason\":\"r\",\"escalate_to\":2,\"failure\":{{\"class\":\"complexity\",\"subclass\":\"implementation_error\",\"evidence\":[\"gate tests failed\"]}}}}}}\n"
        )
    };
    let one = place.run_script("", "true", &record("a")).exits(0);
    let earlier = &one.record("a")["dispatch"]["earlier"][0];
    assert_eq!(earlier["action"]["kind"], "retry_escalated");
    assert_eq!(
        earlier["action"]["evidence"],
        serde_json::json!(["verify: implementation_error", "gate tests failed"])
    );
    assert!(one.record("a")["dispatch"]["action"].is_null());
    let two = place.run_script("-j 1", "sleep 0.3", &(record("a") + &record("b"))).exits(0);
    for id in ["a", "b"] {
        let action = two.record(id)["dispatch"]["earlier"][0]["action"].clone();
        assert_eq!(
            (&action["kind"], &action["root_cause"]["kind"]),
            (&"fix_root_cause".into(), &"wrong_migration".into()),
            "{id}"
        );
        assert_eq!(action["root_cause"]["tasks"], serde_json::json!(["a", "b"]));
    }
}
