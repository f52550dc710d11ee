//! What the error pages of the providers say, row by row.

use super::*;

fn context(bare_429_is_final: bool) -> Context {
    Context {
        address: "http://h/v1".to_owned(),
        key_source: "THE_KEY".to_owned(),
        has_key: true,
        bare_429_is_final,
    }
}

fn fault(anthropic: bool, status: u16, body: &str, wait: Option<u64>) -> Fault {
    let wait = wait.map(Duration::from_secs);
    from_response(&context(anthropic), "m", status, &HeaderMap::new(), body, wait)
}

#[test]
fn every_status_ends_as_the_providers_say() {
    use Reach::*;
    use Status::*;
    for (anthropic, status, body, wait, expected, transient, reach) in [
        (
            true,
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#,
            None,
            Failed,
            false,
            Request,
        ),
        (
            true,
            400,
            r#"{"error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-12-01."}}"#,
            None,
            Quota,
            false,
            Backend,
        ),
        (
            true,
            400,
            r#"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
            None,
            Quota,
            false,
            Backend,
        ),
        (
            true,
            401,
            r#"{"error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            None,
            Auth,
            false,
            Backend,
        ),
        (true, 402, r#"{"error":{"type":"billing_error"}}"#, None, Quota, false, Backend),
        (true, 403, r#"{"error":{"type":"permission_error"}}"#, None, Auth, false, Model),
        (true, 404, r#"{"error":{"type":"not_found_error"}}"#, None, Failed, false, Model),
        (true, 408, "", None, Transport, true, Request),
        (true, 409, r#"{"error":{"type":"conflict_error"}}"#, None, Transport, true, Request),
        (true, 413, r#"{"error":{"type":"request_too_large"}}"#, None, Failed, false, Request),
        (true, 429, r#"{"error":{"type":"rate_limit_error"}}"#, Some(7), Transport, true, Request),
        (true, 429, r#"{"error":{"type":"rate_limit_error"}}"#, None, Quota, false, Model),
        (
            true,
            429,
            r#"{"error":{"type":"rate_limit_error","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
            Some(7),
            Quota,
            false,
            Backend,
        ),
        (true, 500, r#"{"error":{"type":"api_error"}}"#, None, Transport, true, Request),
        (true, 502, "<html>bad gateway</html>", None, Transport, true, Request),
        (true, 504, r#"{"error":{"type":"timeout_error"}}"#, None, Transport, true, Request),
        (true, 529, r#"{"error":{"type":"overloaded_error"}}"#, None, Transport, true, Request),
        (
            false,
            400,
            r#"{"error":{"message":"x","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            None,
            Failed,
            false,
            Request,
        ),
        (
            false,
            429,
            r#"{"error":{"message":"x","type":"requests","code":"rate_limit_exceeded"}}"#,
            None,
            Transport,
            true,
            Request,
        ),
        (
            false,
            429,
            r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Some(1),
            Quota,
            false,
            Backend,
        ),
        (
            false,
            429,
            r#"{"error":{"type":"insufficient_quota","code":"credit_balance_exhausted"}}"#,
            None,
            Quota,
            false,
            Backend,
        ),
        (
            false,
            429,
            r#"{"error":{"code":"organization_spend_limit_exceeded"}}"#,
            None,
            Quota,
            false,
            Backend,
        ),
        (false, 429, r#"{"error":{"code":"project_spend_limit_exceeded"}}"#, None, Quota, false, Backend),
        (
            false,
            429,
            r#"{"error":{"code":"organization_usage_limit_exceeded"}}"#,
            None,
            Quota,
            false,
            Backend,
        ),
        (
            false,
            429,
            r#"{"error":{"message":"x","type":"throttling_error","code":"429"}}"#,
            None,
            Transport,
            true,
            Request,
        ),
        (false, 503, r#"{"error":{"code":"slow_down"}}"#, None, Transport, true, Request),
        (false, 501, "", None, Failed, false, Request),
        (false, 422, r#"{"detail":[{"loc":["body"]}]}"#, None, Failed, false, Request),
    ] {
        let fault = fault(anthropic, status, body, wait);
        assert_eq!(
            (fault.status, fault.transient, fault.reach),
            (expected, transient, reach),
            "{status} {body}"
        );
        assert_eq!(fault.wait, wait.filter(|_| transient).map(Duration::from_secs), "{status} {body}");
    }
}

#[test]
fn a_reason_says_what_the_server_said_and_what_to_do() {
    let mut headers = HeaderMap::new();
    headers.insert("request-id", "req_1".parse().unwrap());
    let body = r#"{"error":{"type":"authentication_error","message":"invalid\n x-api-key"}}"#;
    let fault = from_response(&context(true), "m", 401, &headers, body, None);
    assert_eq!(
        fault.reason,
        "the server does not accept the key (401 authentication_error: invalid x-api-key, request req_1); \
         check the key in THE_KEY"
    );
    assert_eq!(
        fault_reason(404, r#"{"error":"model 'm' not found"}"#),
        "there is no model `m` at http://h/v1 (404: model 'm' not found); check `model` and `base_url`"
    );
}

fn fault_reason(status: u16, body: &str) -> String {
    fault(false, status, body, None).reason
}

#[test]
fn the_server_may_say_itself_whether_to_try_again() {
    let with = |status: u16, value: &str, body: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-should-retry", value.parse().unwrap());
        from_response(&context(false), "m", status, &headers, body, None).transient
    };
    assert!(!with(500, "false", ""));
    assert!(with(400, "true", ""));
    assert!(!with(401, "true", ""));
    assert!(!with(429, "true", r#"{"error":{"code":"credit_balance_exhausted"}}"#));
}

#[test]
fn a_redirect_is_an_error_that_names_the_target_without_its_query() {
    let mut headers = HeaderMap::new();
    headers.insert("location", "https://other/v1?token=secret".parse().unwrap());
    let fault = from_response(&context(false), "m", 307, &headers, "", None);
    assert_eq!((fault.status, fault.transient), (Status::Failed, false));
    assert!(fault.reason.contains("https://other/v1 (307)"), "{}", fault.reason);
}

#[test]
fn errors_inside_a_stream_are_told_apart_by_type_and_code() {
    for (event, status, transient) in [
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Status::Transport,
            true,
        ),
        (r#"{"type":"error","error":{"type":"rate_limit_error"}}"#, Status::Transport, true),
        (r#"{"type":"error","error":{"type":"authentication_error"}}"#, Status::Auth, false),
        (r#"{"error":{"message":"x","code":502}}"#, Status::Transport, true),
        (r#"{"error":{"message":"x","code":"429"}}"#, Status::Transport, true),
        (r#"{"error":{"message":"x","type":"BadRequestError","code":400}}"#, Status::Failed, false),
        (r#"{"error":{"message":"x","code":"insufficient_quota"}}"#, Status::Quota, false),
        (r#"{"error":{"message":"who knows"}}"#, Status::Transport, true),
        (r#"{"error":"who knows"}"#, Status::Transport, true),
    ] {
        let fault = from_event(&context(true), "m", &serde_json::from_str(event).unwrap());
        assert_eq!((fault.status, fault.transient), (status, transient), "{event}");
    }
}

#[test]
fn what_a_server_says_is_one_bounded_line() {
    assert_eq!(one_line(" a\r\n\tb\u{1b}[31mc\u{0}"), "a b [31mc");
    assert_eq!(one_line(&"é".repeat(1000)).chars().count(), 401);
}
