//! Whether a value is a credential or stands in for one.

/// In what kind of file a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Settings and shell scripts: values have no quotes.
    Settings,
    /// Notes, documentation, logs: `NAME=value` is copied from settings.
    Text,
    /// Program text, and all that is not known: a value without quotes is mostly an expression.
    Program,
}

/// Words that say that the value beside them is no real one.
const STAND_INS: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "your_",
    "your-",
    "yourkey",
    "yourtoken",
    "yourpassword",
    "dummy",
    "redacted",
    "xxxx",
    "****",
    "....",
    ">",
    "<",
    "insert",
    "replace",
    "todo",
    "fixme",
    "not-a-real",
    "notareal",
    "sample",
    // `user:`, `username:` and the examples of RFC 7617 and RFC 6749 in base64
    "czzcagrsa3f0mzpn",
    "dxnlcjp",
    "dxnlcm5hbwu6",
    "qwxhzgrpbjpvcgvu",
];

/// What people write where any password will do; compared with the letters of the value alone.
const DUMMIES: &[&str] = &[
    "",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "mypassword",
    "mypass",
    "userpassword",
    "secret",
    "mysecret",
    "secretkey",
    "topsecret",
    "mytoken",
    "token",
    "test",
    "testing",
    "testpassword",
    "testpass",
    "testtoken",
    "testsecret",
    "testkey",
    "fake",
    "foo",
    "foobar",
    "bar",
];

/// Returns the Shannon entropy of the bytes, in bits per byte.
pub(super) fn entropy(value: &[u8]) -> f64 {
    if value.is_empty() {
        return 0.0;
    }
    let mut counts = [0u32; 256];
    for byte in value {
        counts[*byte as usize] += 1;
    }
    let total = value.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Tells whether the value says of itself that it is no real credential.
pub(super) fn is_stand_in(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    STAND_INS.iter().any(|word| lower.contains(word)) || is_reference(value)
}

/// Tells whether the value is taken from elsewhere when the program runs: a variable, a template, a look-up.
pub(super) fn is_reference(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let begins = [
        "$",
        "%(",
        "%{",
        "{{",
        "{",
        "#{",
        "<%",
        "&",
        "*",
        "@",
        "env.",
        "env:",
        "env[",
        "var.",
        "vault:",
        "op://",
        "ref+",
        "arn:",
        "!",
        "secretsmanager:",
    ];
    let holds = [
        "${",
        "$(",
        "{{",
        "%s",
        "%d",
        "%v",
        "{}",
        "{0}",
        "getenv",
        "environ",
        "process.env",
        "secrets.",
        "env(",
        "\\u",
        "\\(",
    ];
    begins.iter().any(|start| lower.starts_with(start)) || holds.iter().any(|part| lower.contains(part))
        // `{name}` inside an f-string or a format string
        || value.split('{').skip(1).any(|rest| rest.split_once('}').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || "_.:?#>$".contains(c))))
}

/// Tells whether the value is one of those that people use in tests and documentation.
pub(super) fn is_dummy(value: &str) -> bool {
    let letters: String = value.chars().filter(char::is_ascii_alphabetic).collect();
    DUMMIES.contains(&letters.to_ascii_lowercase().as_str())
}

/// Tells whether the value names content rather than grants access: SHA-1 and SHA-256 in hexadecimal, a UUID.
pub(super) fn is_identifier(value: &str) -> bool {
    let value = value.rsplit_once(':').map_or(value, |(_, digits)| digits);
    let hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && matches!(value.len(), 40 | 64 | 96 | 128) {
        return true;
    }
    let parts: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Tells whether a value that is assigned to something named like a credential looks like one itself.
pub(super) fn is_credential(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let password = name.contains("passw") || name.contains("pwd") || name.contains("passphrase");
    if names_something_else(&name) || is_words(value, !password) || is_place(value) {
        return false;
    }
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    let marks = value.bytes().any(|byte| b"!@#$%^&*?+=~|".contains(&byte));
    if password {
        return letters && (digits || marks);
    }
    letters && digits && value.len() >= 12 && entropy(value.as_bytes()) >= 3.0
}

/// Tells whether the name speaks of something about a credential: `token_url`, `secretName`, `password_hash`.
fn names_something_else(name: &str) -> bool {
    let name = name.trim_end_matches('s');
    let endings = [
        "name",
        "file",
        "path",
        "url",
        "uri",
        "ref",
        "type",
        "header",
        "field",
        "regex",
        "pattern",
        "prefix",
        "suffix",
        "length",
        "len",
        "count",
        "size",
        "ttl",
        "expiry",
        "expire",
        "timeout",
        "endpoint",
        "label",
        "title",
        "hint",
        "placeholder",
        "policy",
        "format",
        "version",
        "column",
        "param",
        "arn",
        "_env",
        "envvar",
        "_var",
        "index",
        "limit",
        "hash",
        "digest",
        "checksum",
        "algorithm",
        "_id",
        "kind",
        "class",
        "error",
        "message",
        "description",
        "text",
        "help",
        "selector",
        "variable",
        "mode",
        "scope",
        "_at",
        "_ms",
        "_alg",
        "provider",
        "issuer",
    ];
    let beginnings = [
        "public",
        "max_token",
        "maxtoken",
        "csrf_field",
        "tokenize",
        "primary_key",
        "foreign_key",
        "sort_key",
        "keyword",
    ];
    endings.iter().any(|ending| name.ends_with(ending)) || beginnings.iter().any(|start| name.contains(start))
}

/// Tells whether the value is made of words, as names in programs are: `oauth2-token`, `V1SecretRef`, `v1.secret`.
pub(super) fn is_words(value: &str, digits_inside: bool) -> bool {
    let separators = ['_', '-', '.', '/', ':', ',', '[', ']', '#'];
    let several = value.contains(separators);
    let is_word = |part: &str| {
        let letters: Vec<u8> = part.bytes().filter(u8::is_ascii_alphabetic).collect();
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        if letters.len() + digits != part.len() {
            return false;
        }
        // Random base64 goes up and down in case far more often than words do.
        let humps =
            letters.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase()).count();
        let few_digits = match digits {
            0 => true,
            1 | 2 => several || letters.len() <= 3 || (digits_inside && letters.len() >= 12),
            3 | 4 => letters.len() <= 3,
            _ => false,
        };
        few_digits && letters.len() <= 40 && humps * 4 <= letters.len().max(4)
    };
    value.split(separators).all(|part| part.is_empty() || is_word(part))
}

/// Tells whether the value says where something is, or is a piece of program text.
fn is_place(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let ends = [
        ".pem", ".key", ".crt", ".json", ".yaml", ".yml", ".toml", ".txt", ".env", ".py", ".js", ".ts",
        ".rs", ".go", ".html",
    ];
    value.starts_with(['/', '.', '~', '#', '\\', '(', '[', '^', '-', '='])
        || value.contains("://")
        || value.contains("::")
        || value.contains("->")
        || value.contains("()")
        || value.contains("](")
        || value.contains("?.")
        || ends.iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_shannons() {
        assert_eq!(entropy(b""), 0.0);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abab"), 1.0);
        assert_eq!(entropy(b"abcdefgh"), 3.0);
    }

    #[test]
    fn what_names_content_is_no_secret() {
        assert!(is_identifier("da39a3ee5e6b4b0d3255bfef95601890afd80709"));
        assert!(is_identifier("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        assert!(is_identifier("123e4567-e89b-12d3-a456-426614174000"));
        assert!(!is_identifier("deadbeef"));
    }

    #[test]
    fn names_and_values_that_only_look_the_part() {
        for (name, value) in [
            ("secretName", "my-app-tls2x9"),
            ("token_url", "https4242abcd"),
            ("password", "user-password"),
            ("password", "UserPassword"),
            ("auth_token", "oauth2-token"),
            ("token", "identifier"),
            ("private_key", "/etc/ssl/key9.pem"),
            ("secret", "config.secret.v1"),
            ("max_tokens", "100000"),
            ("secret", "V1SecretProjection"),
            ("image_pull_secrets", "list[V1LocalObjectReference]"),
            ("SECRET_NAMESPACE", "oauth2client:secrets#ns"),
        ] {
            assert!(!is_credential(name, value), "{name} = {value}");
        }
        for (name, value) in
            [("password", "hunter2!x"), ("db_pwd", "Tr0ub4dor&3"), ("api_key", "f83kd92jcns8w1")]
        {
            assert!(is_credential(name, value), "{name} = {value}");
        }
    }

    #[test]
    fn stand_ins_say_so() {
        for value in [
            "AKIAIOSFODNN7EXAMPLE",
            "${TOKEN}",
            "your-api-key-123",
            "xxxxxxxx",
            "{{ token }}",
            "<token>",
            "os.environ['A']",
            "a{user}b",
        ] {
            assert!(is_stand_in(value), "{value}");
        }
        for value in ["s3cr3tV4lue!", "hunter2"] {
            assert!(!is_stand_in(value), "{value}");
        }
        assert!(is_dummy("password123"));
        assert!(!is_dummy("hunter2"));
    }
}
