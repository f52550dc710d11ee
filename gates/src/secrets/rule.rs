//! What credentials look like, one rule for each kind.
//!
//! A rule is a regular expression with the credential in the group `secret` (or the whole match), and a few
//! keywords, one of which stands in every match: only lines that hold one are looked at. The formats are those
//! that the issuers document.

use regex::bytes::Regex;

/// How one kind of credential is recognised.
pub(super) struct Rule {
    pub(super) id: &'static str,
    /// What it is, as the message names it.
    pub(super) what: &'static str,
    /// Lower-case texts, one of which is in every match.
    pub(super) keywords: &'static [&'static str],
    pattern: &'static str,
    /// The least entropy in bits per character, where chance is what tells a key from a word.
    pub(super) min_entropy: f64,
    /// What values are not taken for a secret.
    pub(super) doubt: Doubt,
}

/// How much is taken for a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The format alone is proof; only obvious examples are let by.
    Format,
    /// The name before it is the evidence, so the value has to look like a credential as well.
    Name,
    /// What matters is a password inside a URL.
    Url,
    /// A header that says that a key follows.
    Header,
}

impl Rule {
    /// Returns the compiled expression.
    pub(super) fn regex(&self) -> Regex {
        regex::bytes::RegexBuilder::new(self.pattern)
            .size_limit(32 << 20)
            .build()
            .unwrap_or_else(|error| panic!("rule {}: {error}", self.id))
    }
}

macro_rules! format_rule {
    ($id:literal, $what:literal, $keywords:expr, $pattern:literal, $entropy:literal) => {
        Rule {
            id: $id,
            what: $what,
            keywords: &$keywords,
            pattern: $pattern,
            min_entropy: $entropy,
            doubt: Doubt::Format,
        }
    };
}

/// Every rule; where two match the same text, the earlier one tells.
pub(super) static RULES: &[Rule] = &[
    format_rule!(
        "aws-access-key-id",
        "an AWS access key id",
        ["akia", "asia", "abia", "acca"],
        r"(?-u:\b)(?<secret>(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})(?-u:\b)",
        3.0
    ),
    Rule {
        id: "aws-secret-access-key",
        what: "an AWS secret access key",
        keywords: &["aws", "secret_access_key", "secretaccesskey", "secret_key", "secretkey"],
        pattern: r#"(?i-u)(?:aws|secret[_-]?(?:access[_-]?)?key).{0,40}?(?:=|:|,|\s|["'`])["'`]?(?<secret>[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
        min_entropy: 4.0,
        doubt: Doubt::Name,
    },
    format_rule!(
        "github-token",
        "a GitHub token",
        ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"(?-u:\b)(?<secret>gh[pousr]_[A-Za-z0-9]{36,255})",
        3.0
    ),
    format_rule!(
        "github-fine-grained-token",
        "a GitHub fine-grained token",
        ["github_pat_"],
        r"(?-u:\b)(?<secret>github_pat_[A-Za-z0-9]{16,40}_[A-Za-z0-9]{40,80})",
        3.0
    ),
    Rule {
        id: "github-old-token",
        what: "a GitHub token of the old form",
        keywords: &["github", "gh_"],
        pattern: r#"(?i-u)(?:github|\bgh)[a-z0-9_.-]{0,20}(?:token|pat|oauth|secret|password|api_?key)[a-z0-9_]{0,10}["'`]?\s{0,3}(?:=>|:=|[:=])\s{0,3}["'`]?(?<secret>[0-9a-f]{40})(?:[^0-9a-zA-Z]|$)"#,
        min_entropy: 3.0,
        doubt: Doubt::Format,
    },
    format_rule!(
        "gitlab-token",
        "a GitLab token",
        ["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glimt-", "glagent-"],
        r"(?-u:\b)(?<secret>gl(?:pat|dt|rt|ptt|cbt|soat|imt|agent)-[A-Za-z0-9_.-]{20,})",
        3.0
    ),
    format_rule!(
        "slack-token",
        "a Slack token",
        ["xox", "xapp-"],
        r"(?-u:\b)(?<secret>(?:xox[abeoprs]|xapp)-(?:[A-Za-z0-9]+-)+[A-Za-z0-9]{12,})",
        2.5
    ),
    format_rule!(
        "slack-webhook",
        "the address of a Slack webhook",
        ["hooks.slack.com"],
        r"(?<secret>hooks\.slack\.com/(?:services|workflows)/T[A-Za-z0-9_]{7,}/[AB][A-Za-z0-9_]{7,}/[A-Za-z0-9_]{16,})",
        3.0
    ),
    format_rule!(
        "stripe-key",
        "a Stripe key",
        ["sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"],
        r"(?-u:\b)(?<secret>(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,}))",
        3.0
    ),
    format_rule!(
        "google-api-key",
        "a Google API key",
        ["aiza"],
        r"(?-u:\b)(?<secret>AIza[A-Za-z0-9_-]{35})(?:[^A-Za-z0-9_-]|$)",
        3.0
    ),
    format_rule!(
        "google-oauth-secret",
        "a Google OAuth client secret",
        ["gocspx-"],
        r"(?-u:\b)(?<secret>GOCSPX-[A-Za-z0-9_-]{20,})",
        3.0
    ),
    format_rule!(
        "anthropic-key",
        "an Anthropic API key",
        ["sk-ant-"],
        r"(?-u:\b)(?<secret>sk-ant-[A-Za-z0-9_-]{24,})",
        3.0
    ),
    format_rule!(
        "openai-key",
        "an OpenAI API key",
        ["sk-"],
        r"(?-u:\b)(?<secret>sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,}))",
        3.5
    ),
    format_rule!(
        "api-key",
        "an API key",
        ["sk-", "gsk_", "xai-", "pplx-"],
        r"(?-u:\b)(?<secret>(?:sk-(?:[A-Za-z0-9]+[_-]){1,6}[A-Za-z0-9]{24,}|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}|pplx-[A-Za-z0-9]{40,}))",
        3.5
    ),
    format_rule!(
        "hugging-face-token",
        "a Hugging Face token",
        ["hf_"],
        r"(?-u:\b)(?<secret>hf_[A-Za-z]{34,})(?:[^A-Za-z0-9_]|$)",
        3.5
    ),
    format_rule!(
        "npm-token",
        "an npm token",
        ["npm_", "_authtoken"],
        r"(?:(?-u:\b)(?<secret>npm_[A-Za-z0-9]{36})|(?i-u::_authtoken)\s?=\s?(?<other>[A-Za-z0-9_/+=-]{20,}))",
        3.0
    ),
    format_rule!(
        "pypi-token",
        "a PyPI token",
        ["pypi-ageichlwas5vcmc", "pypi-agendgvzdc5wexbp"],
        r"(?-u:\b)(?<secret>pypi-AgE[A-Za-z0-9_-]{50,})",
        3.0
    ),
    format_rule!(
        "cargo-token",
        "a token of the Cargo registry",
        ["cio"],
        r"(?-u:\b)(?<secret>cio[A-Za-z0-9]{32})(?:[^A-Za-z0-9]|$)",
        4.0
    ),
    format_rule!(
        "sendgrid-key",
        "a SendGrid key",
        ["sg."],
        r"(?-u:\b)(?<secret>SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50})",
        3.5
    ),
    format_rule!(
        "twilio-key",
        "a Twilio key",
        ["twilio"],
        r"(?i-u:twilio).{0,60}?(?-u:\b)(?<secret>(?:SK|AC)[0-9a-f]{32})(?-u:\b)",
        3.0
    ),
    format_rule!(
        "digitalocean-token",
        "a DigitalOcean token",
        ["dop_v1_", "doo_v1_", "dor_v1_"],
        r"(?-u:\b)(?<secret>do[opr]_v1_[a-f0-9]{64})",
        3.0
    ),
    format_rule!(
        "docker-token",
        "a Docker Hub token",
        ["dckr_pat_"],
        r"(?-u:\b)(?<secret>dckr_pat_[A-Za-z0-9_-]{20,})",
        3.0
    ),
    format_rule!(
        "shopify-token",
        "a Shopify token",
        ["shpat_", "shpca_", "shppa_", "shpss_"],
        r"(?-u:\b)(?<secret>shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})",
        3.0
    ),
    format_rule!(
        "vault-token",
        "a HashiCorp Vault token",
        ["hvs.", "hvb."],
        r"(?-u:\b)(?<secret>hv[sb]\.[A-Za-z0-9_-]{60,})",
        3.5
    ),
    format_rule!(
        "databricks-token",
        "a Databricks token",
        ["dapi"],
        r"(?-u:\b)(?<secret>dapi[a-f0-9]{32})(?-u:\b)",
        3.0
    ),
    format_rule!(
        "azure-storage-key",
        "an Azure storage key",
        ["accountkey="],
        r"(?i-u:AccountKey=)(?<secret>[A-Za-z0-9+/]{80,}={0,2})",
        4.0
    ),
    format_rule!(
        "telegram-bot-token",
        "a Telegram bot token",
        [":aa"],
        r"(?-u:\b)(?<secret>[0-9]{8,10}:AA[A-Za-z0-9_-]{33})(?:[^A-Za-z0-9_-]|$)",
        4.0
    ),
    format_rule!(
        "age-secret-key",
        "an age secret key",
        ["age-secret-key-1"],
        r"(?<secret>AGE-SECRET-KEY-1[A-Z0-9]{58})",
        3.0
    ),
    Rule {
        id: "private-key",
        what: "a private key",
        keywords: &["private key"],
        pattern: r"(?<secret>-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)",
        min_entropy: 0.0,
        doubt: Doubt::Header,
    },
    format_rule!(
        "json-web-token",
        "a JSON web token",
        ["eyj"],
        r"(?-u:\b)(?<secret>eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,})",
        3.5
    ),
    Rule {
        id: "url-password",
        what: "a password in a URL",
        keywords: &["://"],
        pattern: r#"(?-u:\b)[A-Za-z][A-Za-z0-9+.-]{1,20}://(?<user>[^\s/:@"'`<>(){}\[\],|]{0,80}):(?<secret>[^\s/@"'`<>]{3,200})@(?<host>[A-Za-z0-9.\[_%$\{-][^\s"'`<>]{0,200})"#,
        min_entropy: 1.5,
        doubt: Doubt::Url,
    },
    Rule {
        id: "command-line-password",
        what: "a password on a command line",
        keywords: &["curl"],
        pattern: r#"(?i-u:\bcurl)\s(?:[^\n|;]{0,400}?\s)??(?:-[a-zA-Z]{0,6}u\s{0,4}|--(?:proxy-)?user[ =])["']?(?<user>[^\s:"'`$<>]{1,80}):(?<secret>[^\s"'`<>|;]{3,200})"#,
        min_entropy: 1.5,
        doubt: Doubt::Url,
    },
    Rule {
        id: "authorization-header",
        what: "a credential in an Authorization header",
        keywords: &["authorization"],
        pattern: r#"(?i-u)authorization["'`]{0,2}\]?\s{0,3}(?:=>|[:=,])\s{0,3}[bfru]{0,2}["'`]?(?:bearer|basic|token|apikey)\s{1,3}(?<secret>[a-z0-9._~+/-]{16,2000}={0,2})"#,
        min_entropy: 3.0,
        doubt: Doubt::Name,
    },
    Rule {
        id: "hard-coded-credential",
        what: "a hard-coded credential",
        keywords: &[
            "passw",
            "passphrase",
            "pwd",
            "secret",
            "token",
            "apikey",
            "api_key",
            "api-key",
            "accesskey",
            "access_key",
            "access-key",
            "authkey",
            "auth_key",
            "auth-key",
            "privatekey",
            "private_key",
            "private-key",
            "encryptionkey",
            "encryption_key",
            "credential",
            "signingkey",
            "signing_key",
        ],
        pattern: r#"(?i-u)(?<name>[a-z0-9_.-]{0,40}(?:passw(?:or)?d|passphrase|pwd|secret|token|(?:api|access|auth|private|encryption|signing)[_-]?key|credentials?)[a-z0-9_]{0,20})["'`\]]{0,2}(?:\s{0,8}:\s{0,3}[&a-z'\[\]\s]{1,20})?\s{0,20}(?:=>|:=|\?=|[:=>])\s{0,8}(?:[bfru]{0,2}["'`](?<secret>[^"'`\s]{6,200})["'`]|(?<other>[^\s"'`#;,()\[\]{}<>&|]{6,200}))"#,
        min_entropy: 2.5,
        doubt: Doubt::Name,
    },
];
