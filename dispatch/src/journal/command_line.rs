//! The command line of a run, for people to read later: without what looks like a secret.

use std::ffi::OsString;

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";

/// A value that is shorter than this is too common to be looked for elsewhere.
const SHORTEST: usize = 8;

/// Returns the arguments as text, without the values of options and variables that are named like a secret, without what the
/// environment holds under such a name, and without passwords in URLs.
pub(super) fn without_secrets(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<String> {
    let text = |value: OsString| value.to_string_lossy().into_owned();
    let secrets: Vec<String> = environment
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .filter(|(name, value)| is_secret(name) && value.len() >= SHORTEST)
        .map(|(_, value)| value)
        .collect();
    let mut hides_next = false;
    let mut shown = Vec::new();
    for argument in arguments.into_iter().map(text) {
        let hides = std::mem::take(&mut hides_next);
        let (name, value) =
            argument.split_once(['=', ':']).map_or((argument.as_str(), None), |(n, v)| (n, Some(v)));
        let names_secret = !name.contains(char::is_whitespace) && is_secret(name);
        if hides && !argument.starts_with("--") {
            shown.push(HIDDEN.to_owned());
        } else if let (true, Some(_)) = (names_secret, value) {
            shown.push(format!("{}{HIDDEN}", &argument[..=name.len()]));
        } else {
            hides_next = names_secret && argument.starts_with('-');
            let known = secrets.iter().fold(argument, |shown, secret| shown.replace(secret, HIDDEN));
            shown.push(words_without_secrets(&known));
        }
    }
    shown
}

/// Tells whether what is named so is kept secret.
fn is_secret(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_ascii_lowercase();
    let ends =
        |end: &str| name == end || name.strip_suffix(end).is_some_and(|rest| rest.ends_with(['_', '-', '.']));
    ["key", "apikey", "token", "secret", "password", "passwd", "pwd", "auth", "authorization", "credentials"]
        .into_iter()
        .any(ends)
        && !matches!(name.as_str(), "key-env" | "key_env")
}

/// Hides tokens that can be told by their beginning, what follows `Bearer`, and passwords in URLs, wherever they stand.
fn words_without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut after_bearer = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let space = &word[bare.len()..];
        let opens = |c: char| matches!(c, '"' | '\'' | '(' | '=' | ',');
        let start = bare.trim_start_matches(opens);
        let is_token = start.len() >= 16
            && [
                "sk-",
                "ghp_",
                "gho_",
                "ghs_",
                "github_pat_",
                "glpat-",
                "xoxb-",
                "xoxp-",
                "AKIA",
                "AIza",
                "hf_",
            ]
            .iter()
            .any(|beginning| start.starts_with(beginning));
        if after_bearer || is_token {
            shown.push_str(HIDDEN);
        } else if let Some((scheme, rest)) = bare.split_once("://")
            && let Some((user, host)) = rest.split_once('@')
            && !user.contains('/')
        {
            shown.push_str(&format!("{scheme}://{HIDDEN}@{host}"));
        } else {
            shown.push_str(bare);
        }
        shown.push_str(space);
        after_bearer = start.eq_ignore_ascii_case("bearer");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        without_secrets(arguments.iter().map(Into::into), environment).join(" ")
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_stays() {
        let cases: [(&[&str], &str); 10] = [
            (&["dispatch", "-j", "4", "--", "wc", "-w"], "dispatch -j 4 -- wc -w"),
            (&["x", "--api-key", "abc", "y"], "x --api-key [hidden] y"),
            (&["x", "--api-key=abc"], "x --api-key=[hidden]"),
            (&["x", "OPENAI_API_KEY=abc"], "x OPENAI_API_KEY=[hidden]"),
            (&["curl", "-H", "Authorization: Bearer abcdef"], "curl -H Authorization:[hidden]"),
            (&["sh", "-c", "curl -H 'x: Bearer abcdef' u"], "sh -c curl -H 'x: Bearer [hidden] u"),
            (&["x", "https://me:pass@host/a"], "x https://[hidden]@host/a"),
            (&["x", "--key-env", "NEAR_KEY"], "x --key-env NEAR_KEY"),
            (&["x", "sk-abcdefghijklmnop"], "x [hidden]"),
            (&["monkey", "keyboard=1", "--retries", "2"], "monkey keyboard=1 --retries 2"),
        ];
        for (arguments, expected) in cases {
            assert_eq!(shown(arguments, &[]), expected);
        }
    }

    #[test]
    fn what_the_environment_keeps_secret_is_hidden_wherever_it_stands() {
        let environment = [("MY_TOKEN", "swordfish"), ("HOME", "/home/me"), ("A_KEY", "short")];
        assert_eq!(
            shown(&["x", "aswordfishb", "/home/me", "short"], &environment),
            "x a[hidden]b /home/me short"
        );
    }
}
