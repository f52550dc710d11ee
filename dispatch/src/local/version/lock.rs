//! Lock files. Each reader goes by lines where it can, because a place is part of the answer.

use serde_json::Value;

type Found = Vec<(usize, String, String)>;

/// `[[package]]` tables with `name` and `version`: Cargo, Poetry, uv, PDM.
pub(super) fn toml_packages(text: &str) -> Found {
    let mut found = Vec::new();
    let mut name: Option<(usize, String)> = None;
    let mut inside = false;
    for (number, line) in numbered(text) {
        if line.starts_with('[') {
            inside = line.trim() == "[[package]]";
            name = None;
        } else if let (true, Some((key, value))) = (inside, line.split_once(" = ")) {
            let value = value.trim().trim_matches('"').to_owned();
            match key.trim() {
                "name" => name = Some((number, value)),
                "version" => {
                    if let Some((number, name)) = name.take() {
                        found.push((number, name, value));
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// npm: `"node_modules/x": { "version": …` since version 2, `"x": { "version": …` before.
pub(super) fn package_lock(text: &str) -> Found {
    let Ok(lock) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut found = Vec::new();
    let mut push = |key: &str, name: &str, package: &Value| {
        if let Some(version) = package["version"].as_str() {
            found.push((line_of(text, &format!("\"{key}\": {{")), name.to_owned(), version.to_owned()));
        }
    };
    if let Some(packages) = lock["packages"].as_object() {
        for (key, package) in packages {
            if let Some((_, name)) = key.rsplit_once("node_modules/") {
                push(key, name, package);
            }
        }
    } else if let Some(dependencies) = lock["dependencies"].as_object() {
        for (name, package) in dependencies {
            push(name, name, package);
        }
    }
    found
}

/// `"@scope/x@^1", "x@^1":` with `version "1.2"` below; Yarn 2 writes `version: 1.2` and `x@npm:^1`.
pub(super) fn yarn(text: &str) -> Found {
    let mut found = Vec::new();
    let mut name: Option<(usize, String)> = None;
    for (number, line) in numbered(text) {
        if !line.starts_with([' ', '#']) && line.trim_end().ends_with(':') {
            let first =
                line.split(',').next().unwrap_or_default().trim().trim_end_matches(':').trim_matches('"');
            name = first
                .char_indices()
                .skip(1)
                .find(|(_, c)| *c == '@')
                .map(|(at, _)| (number, first[..at].to_owned()));
        } else if let Some(version) = line.trim().strip_prefix("version")
            && let Some((number, name)) = name.take()
        {
            found.push((number, name, version.trim_start_matches(':').trim().trim_matches('"').to_owned()));
        }
    }
    found
}

/// Keys such as `/x@1.2.3:`, `x@1.2.3:` or `/x/1.2.3:` under `packages:`.
pub(super) fn pnpm(text: &str) -> Found {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in numbered(text) {
        if !line.starts_with(' ') && !line.trim().is_empty() {
            inside = line.trim() == "packages:";
        } else if let (true, Some(key)) =
            (inside, line.strip_prefix("  ").filter(|key| !key.starts_with(' ')))
        {
            let key = key.trim_end().trim_end_matches(':').trim_matches('\'').trim_start_matches('/');
            let key = key.split('(').next().unwrap_or(key);
            let at = key.rfind('@').filter(|at| *at > 0).or_else(|| key.rfind('/'));
            if let Some(at) = at
                && key[at + 1..].starts_with(|c: char| c.is_ascii_digit())
            {
                found.push((number, key[..at].to_owned(), key[at + 1..].to_owned()));
            }
        }
    }
    found
}

/// `    name (1.2.3)`, four spaces deep.
pub(super) fn gemfile(text: &str) -> Found {
    numbered(text)
        .filter_map(|(number, line)| {
            let line = line.strip_prefix("    ").filter(|line| !line.starts_with(' '))?;
            let (name, version) = line.trim_end().strip_suffix(')')?.split_once(" (")?;
            version
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| (number, name.to_owned(), version.to_owned()))
        })
        .collect()
}

pub(super) fn composer(text: &str) -> Found {
    let Ok(lock) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    ["packages", "packages-dev"]
        .iter()
        .filter_map(|key| lock[key].as_array())
        .flatten()
        .filter_map(|package| {
            let name = package["name"].as_str()?;
            let line = line_of(text, &format!("\"name\": \"{name}\""));
            Some((line, name.to_owned(), package["version"].as_str()?.to_owned()))
        })
        .collect()
}

pub(super) fn pipfile(text: &str) -> Found {
    let Ok(lock) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    ["default", "develop"]
        .iter()
        .filter_map(|key| lock[key].as_object())
        .flatten()
        .filter_map(|(name, package)| {
            let version = package["version"].as_str()?.trim_start_matches("==");
            Some((line_of(text, &format!("\"{name}\": {{")), name.clone(), version.to_owned()))
        })
        .collect()
}

pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Returns the number of the first line with the text, 1 if there is none.
pub(super) fn line_of(text: &str, part: &str) -> usize {
    text.find(part).map_or(1, |at| text[..at].matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader, a text, and what it finds there.
    type Case = (fn(&str) -> Found, &'static str, &'static [(usize, &'static str, &'static str)]);

    #[test]
    fn every_lock_file_tells_names_versions_and_lines() {
        let cases: [Case; 8] = [
            (
                toml_packages,
                "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"b-c\"\nversion = \"0.1.0\"\n",
                &[(4, "a", "1.2.3"), (8, "b-c", "0.1.0")],
            ),
            (
                package_lock,
                "{\n \"packages\": {\n  \"\": {\n   \"version\": \"9\"},\n  \"node_modules/@s/x\": {\n   \"version\": \"1.0.0\"}}}",
                &[(5, "@s/x", "1.0.0")],
            ),
            (package_lock, "{\"dependencies\": {\n\"x\": {\"version\": \"2.0.0\"}}}", &[(2, "x", "2.0.0")]),
            (
                yarn,
                "# yarn lockfile v1\n\n\"@s/x@^1.0.0\", \"@s/x@^1.1.0\":\n  version \"1.2.0\"\n  resolved \"https://x\"\n\ny@^2:\n  version \"2.0.1\"\n",
                &[(3, "@s/x", "1.2.0"), (7, "y", "2.0.1")],
            ),
            (yarn, "\"x@npm:^1.0.0\":\n  version: 1.0.5\n", &[(1, "x", "1.0.5")]),
            (
                pnpm,
                "lockfileVersion: '9.0'\npackages:\n\n  '@s/x@1.0.0':\n    resolution: {}\n\n  y@2.1.0(z@1.0.0):\n    resolution: {}\nsnapshots:\n  q@1.0.0:\n",
                &[(4, "@s/x", "1.0.0"), (7, "y", "2.1.0")],
            ),
            (
                gemfile,
                "GEM\n  specs:\n    rack (3.0.8)\n      other (>= 1)\n    rails (7.1.0)\n",
                &[(3, "rack", "3.0.8"), (5, "rails", "7.1.0")],
            ),
            (pipfile, "{\n\"default\": {\n\"x\": {\"version\": \"==1.0\"}}}", &[(3, "x", "1.0")]),
        ];
        for (read, text, expected) in cases {
            let found = read(text);
            let found: Vec<(usize, &str, &str)> =
                found.iter().map(|(line, name, version)| (*line, name.as_str(), version.as_str())).collect();
            assert_eq!(found, expected, "in {text}");
        }
        for read in [toml_packages, package_lock, yarn, pnpm, gemfile, composer, pipfile] {
            assert_eq!(read(""), []);
            assert_eq!(read("{[(\n: @\n  \"\n[[package]]\nversion = 1"), []);
        }
    }
}
