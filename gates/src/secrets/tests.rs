//! Credentials are put together when the tests run, so that this repository holds none.

use super::*;

/// Returns characters that look random and are the same every time.
fn random(length: usize, alphabet: &str) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut state = 0x9E37_79B9_7F4A_7C15u64 ^ length as u64;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            alphabet[(state >> 33) as usize % alphabet.len()]
        })
        .collect()
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LOWER_HEX: &str = "0123456789abcdef";

/// Every kind of credential: the rule that should tell, the secret, and a line that holds it as `{}`.
fn samples() -> Vec<(&'static str, String, &'static str)> {
    let alnum = |length| random(length, ALNUM);
    let hex = |length| random(length, LOWER_HEX);
    vec![
        ("aws-access-key-id", format!("AK{}{}", "IA", random(16, UPPER)), "key = {}"),
        ("aws-secret-access-key", random(40, &format!("{ALNUM}/+")), "aws_secret_access_key = {}"),
        ("aws-secret-access-key", random(40, &format!("{ALNUM}/+")), r#"  "SecretAccessKey": "{}","#),
        ("github-token", format!("gh{}_{}", "p", alnum(36)), "TOKEN={}"),
        ("github-token", format!("gh{}_{}", "s", alnum(36)), "curl -H 'Authorization: token {}'"),
        ("github-fine-grained-token", format!("github_{}_{}_{}", "pat", alnum(22), alnum(59)), "x({})"),
        ("github-old-token", hex(40), r#"github_token = "{}""#),
        ("gitlab-token", format!("gl{}-{}", "pat", alnum(20)), "{}"),
        ("slack-token", format!("xo{}-{}-{}-{}", "xb", "1234567890", "1234567890", alnum(24)), "'{}'"),
        (
            "slack-webhook",
            format!("hooks.slack.{}/services/T{}/B{}/{}", "com", alnum(9), alnum(9), alnum(24)),
            "https://{}",
        ),
        ("stripe-key", format!("sk_{}_{}", "live", alnum(24)), "stripe.api_key = \"{}\""),
        ("google-api-key", format!("AI{}{}", "za", alnum(35)), "?key={}&x=1"),
        (
            "anthropic-key",
            format!("sk-{}-api03-{}_{}-{}AA", "ant", alnum(40), alnum(30), alnum(20)),
            "export ANTHROPIC_API_KEY={}",
        ),
        (
            "openai-key",
            format!("sk-{}-{}-{}_{}", "proj", alnum(30), alnum(30), alnum(20)),
            "OpenAI(api_key='{}')",
        ),
        ("openai-key", format!("s{}{}", "k-", alnum(48)), "key: {}"),
        ("api-key", format!("sk-{}-v1-{}", "or", hex(64)), "key: {}"),
        ("npm-token", format!("np{}_{}", "m", alnum(36)), "//registry.example/:_authToken={}"),
        ("npm-token", alnum(36), "//registry.example.org/:_authToken={}"),
        ("pypi-token", format!("py{}{}{}", "pi-AgE", "IcHlwaS5vcmc", alnum(60)), "password = {}"),
        (
            "json-web-token",
            format!("ey{}{}.ey{}{}.{}", "J", alnum(20), "J", alnum(40), alnum(43)),
            "Bearer {}",
        ),
        ("url-password", format!("{}X9!", alnum(10)), "postgres://app:{}@db.internal:5432/main"),
        ("hard-coded-credential", "hunt".to_owned() + "er2!", r#"password = "{}""#),
        ("hard-coded-credential", alnum(24), r#"    "api_key": "{}","#),
        ("hard-coded-credential", alnum(24), "let client_secret: &str = \"{}\";"),
        ("hard-coded-credential", alnum(24), "config['auth_token'] = '{}'"),
        ("hard-coded-credential", alnum(24), "const apiKey = `{}`"),
        ("hard-coded-credential", alnum(24), "SecretKey := \"{}\""),
    ]
}

fn rules_of(path: &str, text: &str) -> Vec<String> {
    scan(Path::new(path), text.as_bytes()).into_iter().map(|found| found.finding.rule).collect()
}

#[test]
fn each_kind_is_found_and_never_repeated() {
    for (rule, secret, line) in samples() {
        let text = format!("first\n{}\nlast\n", line.replace("{}", &secret));
        let found = scan(Path::new("any.txt"), text.as_bytes());
        let rules: Vec<_> = found.iter().map(|found| found.finding.rule.as_str()).collect();
        assert_eq!(rules, [rule], "{line}");
        assert_eq!(found[0].finding.line, Some(2));
        assert_eq!(found[0].finding.column, Some(line.find("{}").unwrap() as u64 + 1));
        let json = serde_json::to_string(&found[0].finding).unwrap();
        // What an issuer puts before every key of its own is no secret, and may be in the name of the rule.
        let prefix = if secret.len() < 20 { 0 } else { 12 };
        for part in prefix..=secret.len() - 6 {
            assert!(!json.contains(&secret[part..part + 6]), "{rule}: the message holds part of the secret");
        }
        let clean = redact(&text);
        assert!(!clean.contains(&secret) && clean.contains("[secret]"), "{rule}");
    }
}

/// A scanner that asks `file -b` skips what it calls "executable" or "data": scripts and JSON among them.
#[test]
fn no_kind_of_file_is_skipped() {
    let secret = format!("gh{}_{}", "p", random(36, ALNUM));
    for (path, before) in [
        ("run.py", "#!/usr/bin/env python3\n"),
        ("run.sh", "#!/bin/sh\n"),
        ("run", "#!/usr/bin/perl\n"),
        ("data.json", "{\"a\":\n"),
        (".env", ""),
        (".env.example", ""),
        ("package-lock.json", "{\n"),
        ("Cargo.lock", ""),
        ("tests/fixtures/a.txt", ""),
        ("image.png", "\u{89}PNG\0\0"),
        ("a.min.js", &"x".repeat(5000)),
    ] {
        let text = format!("{before}token {secret}\n");
        assert_eq!(rules_of(path, &text), ["github-token"], "{path}");
    }
    let utf16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(secret.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(scan(Path::new("a.ps1"), &utf16).len(), 1);
}

#[test]
fn a_private_key_is_a_header_with_a_key_after_it() {
    let header = format!("-----BEGIN RSA {} KEY-----", "PRIVATE");
    let body = random(64, ALNUM);
    for text in [
        format!("{header}\n{body}\n"),
        format!("key = \"{header}\\n{body}\\n\""),
        format!("{header}\nProc-Type: 4,ENCRYPTED\n"),
        format!("  {header}\r\n  {body}\r\n"),
        format!("a = \"{header}\\n\" +\n  \"{body}\\n\""),
        format!("{header}\n"),
    ] {
        assert_eq!(rules_of("a", &text), ["private-key"], "{text}");
    }
    for text in [
        format!("if line == \"{header}\" {{"),
        format!("The file begins with `{header}`."),
        format!("{header}\n...\n"),
        format!("{header}\n<your key>\n"),
        header.replace("PRIVATE", "PUBLIC") + "\n" + &body,
    ] {
        assert_eq!(rules_of("a", &text), [""; 0], "{text}");
    }
}

#[test]
fn a_comment_on_the_line_allows_it_and_a_note_says_so() {
    let secret = format!("gh{}_{}", "p", random(36, ALNUM));
    let found =
        scan(Path::new("a.py"), format!("T = '{secret}'  # gates:allow secret (revoked)\n").as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].finding.severity, Severity::Note);
    let found = scan(Path::new("a.py"), format!("# gates:allow secret\nT = '{secret}'\n").as_bytes());
    assert_eq!(found[0].finding.severity, Severity::Error);
}

#[test]
fn what_is_no_secret() {
    for line in [
        "AKIAIOSFODNN7EXAMPLE",
        "token = ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "token = ghp_000000000000000000000000000000000000",
        "password = os.environ[\"DB_PASSWORD_9\"]",
        "password = \"${DB_PASSWORD_1}\"",
        "password: \"{{ db_password1 }}\"",
        "token: ${{ secrets.GITHUB_TOKEN_2 }}",
        "postgres://user:password@localhost/db",
        "postgres://postgres:postgres@localhost/db",
        "https://user:${PASSWORD}@host/",
        "http://localhost:8080/@scope/pkg",
        "rev = \"da39a3ee5e6b4b0d3255bfef95601890afd80709\"",
        "secret_commit = \"da39a3ee5e6b4b0d3255bfef95601890afd80709\"",
        "token = \"123e4567-e89b-12d3-a456-426614174000\"",
        "checksum = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        "\"integrity\": \"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\"",
        "<input type=\"password\" name=\"password1\">",
        "password_hash = \"$2b$12$abcdefghijklmnopqrstuv\"",
        "let token = parser.next_token();",
        "fn token(&self) -> Token2 {",
        "secretName: my-app-tls",
        "max_tokens: 4096",
        "PASSWORD_FIELD = \"user_password\"",
        "password = \"test1234\"",
        ".sk-folding-cube-animation-container-wrapper {",
        "git@github.com:user/repo.git",
    ] {
        assert_eq!(rules_of("a.yml", line), [""; 0], "{line}");
    }
}

#[test]
fn values_without_quotes_count_in_settings_and_not_in_programs() {
    let line = format!("API_TOKEN={}\n", random(30, ALNUM));
    assert_eq!(rules_of(".env", &line).len(), 1);
    assert_eq!(rules_of("deploy.sh", &line).len(), 1);
    assert_eq!(rules_of("Dockerfile", &format!("ENV {line}")).len(), 1);
    let password = random(12, ALNUM) + "!7a";
    assert_eq!(rules_of("settings.xml", &format!("<password>{password}</password>")).len(), 1);
    assert_eq!(rules_of("page.html", "<label for=password>Password8to12characters</label>").len(), 0);
    assert_eq!(rules_of("a.rs", "let api_token = tokenizer2.next_one;").len(), 0);
}

proptest::proptest! {
    /// Wherever a token stands, it is found at its place, and nothing of it is left after cleaning.
    #[test]
    fn a_token_is_found_wherever_it_stands(
        before in "[a-z \"'(=\n\u{e9}]{0,40}",
        after in "[ \"')\n,;]{1,20}[a-z \n]{0,20}",
        long in 0usize..3000,
    ) {
        let secret = format!("gh{}_{}", "p", random(36, ALNUM));
        let text = format!("{}{before} {secret}{after}", "y".repeat(long));
        let found = scan(Path::new("a.txt"), text.as_bytes());
        let at: Vec<_> = found.iter().filter(|found| found.finding.rule == "github-token").collect();
        proptest::prop_assert_eq!(at.len(), 1, "{}", text);
        let line = text.lines().nth(at[0].finding.line.unwrap() as usize - 1).unwrap();
        let column = at[0].finding.column.unwrap() as usize - 1;
        proptest::prop_assert!(line.chars().skip(column).collect::<String>().starts_with(&secret));
        proptest::prop_assert!(!redact(&text).contains(&secret[4..]));
    }
}

#[test]
fn rule_names_are_unique_and_every_expression_compiles() {
    let names: BTreeSet<_> = rules().map(|(id, _)| id).collect();
    assert_eq!(names.len(), RULES.len());
    for rule in RULES {
        let groups = rule.regex();
        assert!(groups.capture_names().flatten().any(|name| name == "secret"), "{}", rule.id);
        assert!(rule.keywords.iter().all(|keyword| *keyword == keyword.to_lowercase()), "{}", rule.id);
    }
}

#[test]
fn an_assignment_copied_from_settings_counts_in_any_file() {
    let value = random(14, ALNUM) + "7a";
    for path in ["notes.txt", "README.md", "a.log", "main.rs", "a.py", "x.unknown", "a.html"] {
        assert_eq!(rules_of(path, &format!("DB_PASSWORD={value}\n")), ["hard-coded-credential"], "{path}");
        assert_eq!(rules_of(path, &format!("  run API_TOKEN={value} make\n")).len(), 1, "{path}");
    }
    assert_eq!(rules_of("notes.txt", &format!("db_password={value}\n")).len(), 1);
    for line in [
        "DB_PASSWORD=secret",
        "DB_PASSWORD=<your password>",
        "DB_PASSWORD=changeme123456",
        "DB_PASSWORD=$DB_PASSWORD2",
        "DB_PASSWORD=xxxxxxxx1234",
        "the password: Password8to12characters",
        "set DB_PASSWORD=... before you start",
        "API_TOKEN=token12345678",
        "TOKEN=node2.first_child_3",
    ] {
        for path in ["notes.txt", "a.md", "a.rs"] {
            assert_eq!(rules_of(path, line), [""; 0], "{path}: {line}");
        }
    }
}

#[test]
fn command_lines_and_headers_hold_credentials_too() {
    let password = random(12, ALNUM) + "4x";
    for line in [
        format!("curl -u admin:{password} https://api.internal/x"),
        format!("curl -sSu 'admin:{password}' https://api.internal/x"),
        format!("curl -X POST --user \"admin:{password}\" https://api.internal/x"),
        format!("curl https://api.internal/x --user=admin:{password}"),
    ] {
        assert_eq!(rules_of("a.md", &line), ["command-line-password"], "{line}");
        assert!(!redact(&line).contains(&password));
    }
    let token = random(32, ALNUM);
    for line in [
        format!("Authorization: Bearer {token}"),
        format!("curl -H \"Authorization: Basic {token}==\" x"),
        format!("headers = {{'Authorization': 'Bearer {token}'}}"),
        format!("headers[\"Authorization\"] = \"Bearer {token}\""),
        format!("req.setHeader('authorization', 'Bearer {token}')"),
    ] {
        for path in ["a.md", "a.js", "a.py"] {
            assert_eq!(rules_of(path, &line), ["authorization-header"], "{path}: {line}");
        }
        assert!(!redact(&line).contains(&token));
    }
    for line in [
        "curl -u user:password https://x",
        "curl -u $USER:$PASSWORD https://x",
        "curl -u \"$USER:${PASSWORD}\" https://x",
        "curl -u <user>:<password> https://x",
        "curl -u admin:{{ password }} https://x",
        "curl -u your-name:your-token https://x",
        "Authorization: Bearer $TOKEN",
        "Authorization: Bearer ${ACCESS_TOKEN_2}",
        "Authorization: Bearer <access-token>",
        "Authorization: Bearer YOUR_ACCESS_TOKEN_1",
        "Authorization: Bearer authentication",
        "Authorization: Basic dXNlcjpwYXNzd29yZDE=",
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "format!(\"Authorization: Bearer {token1234567}\")",
        "'Authorization': 'Bearer ' + token",
    ] {
        for path in ["a.md", "a.sh"] {
            assert_eq!(rules_of(path, line), [""; 0], "{path}: {line}");
        }
    }
}

#[test]
fn the_name_of_a_file_is_looked_at_and_cleaned() {
    let secret = format!("gh{}_{}", "p", random(36, ALNUM));
    let name = format!("notes/{secret}.txt");
    assert_eq!(in_name(&name)[0].finding.rule, "github-token");
    assert_eq!(clean_name(&name), "notes/[secret].txt");
    assert!(in_name("src/password=hunter22x.rs").is_empty());
}
