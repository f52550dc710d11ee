//! Finds the address of a request from the base address that a user wrote.

use reqwest::Url;
use shared::Problem;

/// Returns `base` with the path of the request, whether or not `base` already ends with a part of it.
///
/// People write `http://localhost:8080`, `https://api.openai.com/v1/` or the whole address; all of them are
/// meant. An address without any path gets `bare`, because the two APIs differ in who writes the version: it
/// belongs to the base URL of OpenAI's clients and to the path of Anthropic's. A query is kept.
pub(crate) fn resolve(base: &str, path: &[&str], bare: &[&str]) -> Result<Url, Problem> {
    let hint = "write it like `https://api.example.com` or `http://localhost:8080/v1`";
    let mut url = Url::parse(base.trim())
        // The text is not repeated: it may hold a password.
        .map_err(|error| Problem::new("the base URL is no address").because(error).hint(hint))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Problem::new("the base URL is neither http nor https").hint(hint));
    }
    url.set_fragment(None);
    let given: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let missing = if given.is_empty() {
        bare
    } else {
        let there =
            (0..=path.len()).rev().find(|&n| given.len() >= n && given[given.len() - n..] == path[..n]);
        &path[there.unwrap_or(0)..]
    };
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(missing);
    }
    Ok(url)
}

/// Returns the address without what may be secret: user, password and query.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses that can have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// Tells whether the address is this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback() || address.is_unspecified()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_completed_whatever_part_of_the_path_it_has() {
        let chat: [&[&str]; 2] = [&["chat", "completions"], &["v1", "chat", "completions"]];
        let messages: [&[&str]; 2] = [&["v1", "messages"], &["v1", "messages"]];
        for (base, [path, bare], expected) in [
            ("https://api.openai.com/v1", chat, "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/", chat, "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com", chat, "https://api.openai.com/v1/chat/completions"),
            ("http://localhost:8080/", chat, "http://localhost:8080/v1/chat/completions"),
            ("http://h/v1/chat/completions", chat, "http://h/v1/chat/completions"),
            ("http://h/v1/chat", chat, "http://h/v1/chat/completions"),
            ("https://h/v1beta/openai/", chat, "https://h/v1beta/openai/chat/completions"),
            ("https://h/openai/v1?api-version=7", chat, "https://h/openai/v1/chat/completions?api-version=7"),
            ("https://api.anthropic.com", messages, "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/v1", messages, "https://api.anthropic.com/v1/messages"),
            ("http://127.0.0.1:11434", messages, "http://127.0.0.1:11434/v1/messages"),
            ("http://gateway/anthropic", messages, "http://gateway/anthropic/v1/messages"),
        ] {
            assert_eq!(resolve(base, path, bare).unwrap().as_str(), expected, "{base}");
        }
    }

    #[test]
    fn what_is_no_http_address_is_refused() {
        for base in ["", "api.openai.com", "ftp://h/", "localhost:8080", "/v1", "http://"] {
            assert!(resolve(base, &["v1"], &["v1"]).is_err(), "{base}");
        }
    }

    #[test]
    fn a_shown_address_has_no_password() {
        let url = Url::parse("https://me:secret@h:1/v1/x?key=secret#f").unwrap();
        assert_eq!(shown(&url), "https://h:1/v1/x");
    }

    #[test]
    fn this_machine_is_known_by_name_and_number() {
        for (base, expected) in [
            ("http://localhost:1/", true),
            ("http://127.0.0.1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:80/", true),
            ("http://10.0.0.1/", false),
            ("https://api.anthropic.com/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(base).unwrap()), expected, "{base}");
        }
    }
}
