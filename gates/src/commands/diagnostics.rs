//! Diagnostics of compilers and linters: JSON of cargo, ruff and eslint, and the text forms of the others.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use shared::section::Severity;

use crate::found::{Found, finding};

/// No more findings of one program are kept.
const MAX: usize = 2000;

/// Where a program was run, to make its paths relative and to read the lines it speaks of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) root: &'a Path,
    /// Relative to the root.
    pub(super) dir: &'a Path,
}

impl Source<'_> {
    /// Returns a finding at a place, with the text of the line to recognise it by.
    pub(super) fn at(
        &self,
        path: &str,
        line: Option<u64>,
        column: Option<u64>,
        rule: &str,
        severity: Severity,
        message: &str,
    ) -> Found {
        let path = self.relative(path);
        let mut finding = finding(rule, severity, message.trim());
        let mut text = path.clone().into_bytes();
        text.push(0);
        if let Some(line) = line.filter(|line| *line > 0) {
            finding.line = Some(line);
            finding.column = column.filter(|column| *column > 0);
            text.extend(self.line(&path, line).unwrap_or_default());
        }
        finding.path = Some(path);
        Found::new(finding).on(&text)
    }

    /// Returns a path relative to the root, as far as it is inside.
    fn relative(&self, path: &str) -> String {
        let path = Path::new(path);
        let full = self.root.join(self.dir).join(path);
        let relative = full.strip_prefix(self.root).unwrap_or(path);
        crate::change::shown(&crate::walk::clean(relative))
    }

    fn line(&self, path: &str, line: u64) -> Option<Vec<u8>> {
        let full = self.root.join(path);
        // What a program printed is no reason to read outside of the working tree.
        let full = full.canonicalize().ok().filter(|full| full.starts_with(self.root))?;
        let content = std::fs::read(full).ok()?;
        let line = content.split(|byte| *byte == b'\n').nth(usize::try_from(line).ok()? - 1)?;
        Some(line.trim_ascii().to_vec())
    }
}

/// Reads the formats for machines; `None` if it is none of them.
pub(super) fn of_machines(stdout: &str, source: &Source) -> Option<Vec<Found>> {
    let text = stdout.trim_start();
    if text.starts_with("{\"reason\":") || text.contains("\n{\"reason\":\"build-finished\"") {
        return Some(cargo(text, source));
    }
    if !text.starts_with('[') {
        return None;
    }
    let list: Vec<Value> = serde_json::from_str(text.trim_end()).ok()?;
    let is_eslint = list.iter().any(|item| item.get("messages").is_some_and(Value::is_array));
    let is_ruff = list.iter().all(|item| item.get("code").is_some() && item.get("location").is_some());
    if is_eslint {
        Some(eslint(&list, source))
    } else if is_ruff {
        Some(list.iter().take(MAX).map(|item| ruff(item, source)).collect())
    } else {
        None
    }
}

/// Cargo writes one JSON object a line; those with `reason` "compiler-message" hold what rustc or clippy said.
fn cargo(text: &str, source: &Source) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("{\"reason\":\"compiler-message\"")) {
        let Ok(object) = serde_json::from_str::<Value>(line) else { continue };
        let message = &object["message"];
        let severity = match message["level"].as_str() {
            Some("error" | "error: internal compiler error") => Severity::Error,
            Some("warning") => Severity::Warning,
            _ => continue,
        };
        let text = message["message"].as_str().unwrap_or_default();
        let rule = message["code"]["code"].as_str().unwrap_or("rustc");
        let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
        let primary = spans.iter().find(|span| span["is_primary"] == true);
        let one = match primary {
            Some(span) => {
                let path = span["file_name"].as_str().unwrap_or_default();
                source.at(
                    path,
                    span["line_start"].as_u64(),
                    span["column_start"].as_u64(),
                    rule,
                    severity,
                    text,
                )
            }
            // "aborting due to 2 previous errors" and "2 warnings emitted" only count the others.
            None if text.starts_with("aborting due to") || text.ends_with("emitted") => continue,
            None => Found::new(finding(rule, severity, text)),
        };
        // The same file is compiled once for the library and once for its tests.
        if !found.contains(&one) && found.len() < MAX {
            found.push(one);
        }
    }
    found
}

fn ruff(item: &Value, source: &Source) -> Found {
    let location = &item["location"];
    let code = item["code"].as_str().unwrap_or("invalid-syntax");
    source.at(
        item["filename"].as_str().unwrap_or_default(),
        location["row"].as_u64(),
        location["column"].as_u64(),
        code,
        Severity::Error,
        item["message"].as_str().unwrap_or_default(),
    )
}

fn eslint(list: &[Value], source: &Source) -> Vec<Found> {
    let mut found = Vec::new();
    for file in list {
        let path = file["filePath"].as_str().unwrap_or_default();
        for message in file["messages"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let fatal = message["fatal"] == true;
            let severity =
                if fatal || message["severity"] == 2 { Severity::Error } else { Severity::Warning };
            let rule = message["ruleId"].as_str().unwrap_or(if fatal { "parse-error" } else { "eslint" });
            let text = message["message"].as_str().unwrap_or_default();
            if found.len() < MAX {
                found.push(source.at(
                    path,
                    message["line"].as_u64(),
                    message["column"].as_u64(),
                    rule,
                    severity,
                    text,
                ));
            }
        }
    }
    found
}

/// Returns an expression that is compiled when it is first used.
macro_rules! regex {
    ($pattern:literal) => {
        LazyLock::new(|| Regex::new($pattern).unwrap_or_else(|error| panic!("{error}")))
    };
}
pub(super) use regex;

/// `error[E0308]: mismatched types`, followed by `  --> src/main.rs:3:5`.
static RUSTC_HEAD: LazyLock<Regex> = regex!(r"^(error|warning)(?:\[([\w:-]+)\])?: (.+)$");
static RUSTC_PLACE: LazyLock<Regex> = regex!(r"^\s*--> (.+?):(\d+):(\d+)$");
/// `src/a.ts(3,5): error TS2322: …` and `src/a.ts:3:5 - error TS2322: …`.
static TSC: LazyLock<Regex> =
    regex!(r"^(.+?)(?:\((\d+),(\d+)\)|:(\d+):(\d+))(?: -|:) (error|warning) (TS\d+): (.+)$");
/// `a.py:3: error: …  [code]`, `a.c:3:5: warning: …`.
static GNU: LazyLock<Regex> = regex!(
    r"^([^\s:][^:]*):(\d+)(?::(\d+))?:\s*(fatal error|error|warning|note)(?:\[([\w-]+)\])?: (.+?)(?:\s+\[([\w,=-]+)\])?$"
);
/// `a.py:3:5: E501 …`, `./a.go:3:5: …`.
static SHORT: LazyLock<Regex> =
    regex!(r"^(?:vet: )?([^\s:][^:]*\.\w{1,8}):(\d+):(\d+):? (?:([A-Z]{1,4}\d{2,5}) )?(.+)$");
/// `  3:5  error  …  rule-name`, below a line that is the path.
static STYLISH: LazyLock<Regex> = regex!(r"^\s+(\d+):(\d+)\s+(error|warning)\s+(.+?)(?:\s{2,}([\w@/-]+))?$");

/// Reads the forms that are made for people: rustc, tsc, GNU (gcc, mypy, shellcheck), flake8, go vet, eslint.
pub(super) fn of_people(text: &str, source: &Source) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut head: Option<(Severity, String, String)> = None;
    let mut file = "";
    for line in text.lines() {
        if found.len() >= MAX {
            break;
        }
        let number = |group: Option<regex::Match>| group.and_then(|group| group.as_str().parse::<u64>().ok());
        let word = |group: Option<regex::Match>| group.map(|group| group.as_str().to_owned());
        let mut add = |path: &str, line, column, rule: Option<String>, severity, message: &str| {
            let one =
                source.at(path, line, column, rule.as_deref().unwrap_or("diagnostic"), severity, message);
            if !found.contains(&one) {
                found.push(one);
            }
        };
        if let Some(place) = RUSTC_PLACE.captures(line) {
            if let Some((severity, rule, message)) = head.take() {
                add(&place[1], number(place.get(2)), number(place.get(3)), Some(rule), severity, &message);
            }
        } else if let Some(told) = RUSTC_HEAD.captures(line) {
            let rule = word(told.get(2)).unwrap_or_else(|| "rustc".to_owned());
            head = Some((severity(&told[1]), rule, told[3].to_owned()));
        } else if let Some(told) = TSC.captures(line) {
            let (row, column) = (number(told.get(2).or(told.get(4))), number(told.get(3).or(told.get(5))));
            add(&told[1], row, column, word(told.get(7)), severity(&told[6]), &told[8]);
        } else if let Some(told) = GNU.captures(line) {
            let rule = word(told.get(5).or(told.get(7)));
            if &told[4] != "note" {
                add(&told[1], number(told.get(2)), number(told.get(3)), rule, severity(&told[4]), &told[6]);
            }
        } else if let (Some(told), false) = (STYLISH.captures(line), file.is_empty()) {
            add(
                file,
                number(told.get(1)),
                number(told.get(2)),
                word(told.get(5)),
                severity(&told[3]),
                &told[4],
            );
        } else if let Some(told) = SHORT.captures(line) {
            add(
                &told[1],
                number(told.get(2)),
                number(told.get(3)),
                word(told.get(4)),
                Severity::Error,
                &told[5],
            );
        } else if !line.starts_with(char::is_whitespace) && !line.contains(' ') && line.contains(['/', '.']) {
            file = line;
        }
    }
    found
}

fn severity(word: &str) -> Severity {
    match word {
        "warning" => Severity::Warning,
        _ => Severity::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: &[Found]) -> Vec<String> {
        found
            .iter()
            .map(|found| {
                let finding = &found.finding;
                format!(
                    "{}:{}:{} {:?} {}: {}",
                    finding.path.as_deref().unwrap_or_default(),
                    finding.line.unwrap_or_default(),
                    finding.column.unwrap_or_default(),
                    finding.severity,
                    finding.rule,
                    finding.message
                )
            })
            .collect()
    }

    fn people(text: &str) -> Vec<String> {
        told(&of_people(text, &Source { root: Path::new("/nowhere"), dir: Path::new("sub") }))
    }

    #[test]
    fn forms_for_people() {
        for (text, expected) in [
            (
                "error[E0308]: mismatched types\n --> src/main.rs:3:5\n  |\n",
                "sub/src/main.rs:3:5 Error E0308: mismatched types",
            ),
            (
                "warning: unused variable: `x`\n  --> src/lib.rs:2:9\n",
                "sub/src/lib.rs:2:9 Warning rustc: unused variable: `x`",
            ),
            (
                "src/a.ts(3,5): error TS2322: Type 'x' is not y.",
                "sub/src/a.ts:3:5 Error TS2322: Type 'x' is not y.",
            ),
            ("src/a.ts:3:5 - error TS2322: Bad.", "sub/src/a.ts:3:5 Error TS2322: Bad."),
            (
                "a.py:3: error: Incompatible types  [assignment]",
                "sub/a.py:3:0 Error assignment: Incompatible types",
            ),
            ("a.c:3:7: warning: unused [-Wunused]", "sub/a.c:3:7 Warning -Wunused: unused"),
            ("./a.go:4:2: undefined: x", "sub/a.go:4:2 Error diagnostic: undefined: x"),
            ("a.py:1:80: E501 line too long", "sub/a.py:1:80 Error E501: line too long"),
            (
                "/nowhere/sub/a.js\n  1:5  error  'x' is unused  no-unused-vars\n",
                "sub/a.js:1:5 Error no-unused-vars: 'x' is unused",
            ),
            ("/elsewhere/a.py:3: error: x  [y]", "/elsewhere/a.py:3:0 Error y: x"),
        ] {
            assert_eq!(people(text), [expected], "{text}");
        }
        for text in [
            "",
            "all good",
            "at 10:20:30 started",
            "a.py:3: note: see here",
            "Finished in 3.5s",
            "error: could not compile",
        ] {
            assert_eq!(people(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn forms_for_machines() {
        let machine = |text: &str| {
            of_machines(text, &Source { root: Path::new("/w"), dir: Path::new("") }).map(|found| told(&found))
        };
        let cargo = concat!(
            r#"{"reason":"compiler-artifact"}"#,
            "\n",
            r#"{"reason":"compiler-message","message":{"level":"warning","message":"unused","code":{"code":"unused_variables"},"spans":[{"file_name":"src/a.rs","line_start":2,"column_start":9,"is_primary":true}]}}"#,
            "\n",
            r#"{"reason":"compiler-message","message":{"level":"error","message":"aborting due to 1 previous error","code":null,"spans":[]}}"#,
            "\n",
            r#"{"reason":"build-finished","success":false}"#,
            "\n",
        );
        assert_eq!(machine(cargo), Some(vec!["src/a.rs:2:9 Warning unused_variables: unused".to_owned()]));
        let ruff = r#"[{"code":"F401","filename":"/w/a.py","location":{"row":1,"column":8},"message":"unused import"}]"#;
        assert_eq!(machine(ruff), Some(vec!["a.py:1:8 Error F401: unused import".to_owned()]));
        let eslint = r#"[{"filePath":"/w/a.js","messages":[{"ruleId":"semi","severity":1,"message":"Missing ;","line":1,"column":3}]}]"#;
        assert_eq!(machine(eslint), Some(vec!["a.js:1:3 Warning semi: Missing ;".to_owned()]));
        assert_eq!(machine("[]"), Some(vec![]));
        assert_eq!(machine("nothing"), None);
        assert_eq!(machine("[1, 2]"), None);
    }
}
