//! Manifests: which dependencies are wanted, which version the project has, which language it asks for.

use serde_json::Value;

use super::lock::{line_of, numbered};
use crate::local::Ground;

type Found = Vec<(usize, String, String)>;

pub(super) fn cargo(text: &str) -> Found {
    let Ok(manifest) = text.parse::<toml::Table>() else { return Vec::new() };
    let mut found = Vec::new();
    collect_cargo(&manifest, text, &mut found);
    for parent in ["workspace"] {
        if let Some(table) = manifest.get(parent).and_then(toml::Value::as_table) {
            collect_cargo(table, text, &mut found);
        }
    }
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        targets
            .values()
            .filter_map(toml::Value::as_table)
            .for_each(|table| collect_cargo(table, text, &mut found));
    }
    found
}

fn collect_cargo(table: &toml::Table, text: &str, found: &mut Found) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(dependencies) = table.get(kind).and_then(toml::Value::as_table) else { continue };
        for (name, value) in dependencies {
            let version = match value {
                toml::Value::String(version) => version.clone(),
                toml::Value::Table(table)
                    if table.get("workspace").and_then(toml::Value::as_bool) == Some(true) =>
                {
                    "as the workspace says".to_owned()
                }
                toml::Value::Table(table) => table
                    .get("version")
                    .or_else(|| table.get("path"))
                    .or_else(|| table.get("git"))
                    .and_then(toml::Value::as_str)
                    .unwrap_or("any")
                    .to_owned(),
                _ => continue,
            };
            let line = key_line(text, kind, name);
            found.push((line, name.clone(), version));
        }
    }
}

/// Returns the line of a key in a table whose header ends with this name.
fn key_line(text: &str, table: &str, key: &str) -> usize {
    let mut inside = false;
    for (number, line) in numbered(text) {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            if header.ends_with(&format!("{table}.{key}")) {
                return number;
            }
            inside = header == table || header.ends_with(&format!(".{table}"));
        } else if inside && line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '=', '.'])) {
            return number;
        }
    }
    1
}

pub(super) fn package_json(text: &str) -> Found {
    json_tables(text, &["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"])
}

pub(super) fn composer(text: &str) -> Found {
    json_tables(text, &["require", "require-dev"])
}

fn json_tables(text: &str, kinds: &[&str]) -> Found {
    let Ok(manifest) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    kinds
        .iter()
        .filter_map(|kind| Some((kind, manifest[*kind].as_object()?)))
        .flat_map(|(kind, table)| table.iter().map(move |entry| (kind, entry)))
        .filter_map(|(kind, (name, version))| {
            let start = text.find(&format!("\"{kind}\"")).unwrap_or(0);
            let line = text[..start].matches('\n').count() + line_of(&text[start..], &format!("\"{name}\":"));
            Some((line, name.clone(), version.as_str()?.to_owned()))
        })
        .collect()
}

pub(super) fn pyproject(text: &str) -> Found {
    let Ok(manifest) = text.parse::<toml::Table>() else { return Vec::new() };
    let project = manifest.get("project").and_then(toml::Value::as_table);
    let mut lists: Vec<&Vec<toml::Value>> = Vec::new();
    lists.extend(project.and_then(|it| it.get("dependencies")).and_then(toml::Value::as_array));
    for groups in [project.and_then(|it| it.get("optional-dependencies")), manifest.get("dependency-groups")]
    {
        lists.extend(
            groups
                .and_then(toml::Value::as_table)
                .into_iter()
                .flat_map(|it| it.values())
                .filter_map(toml::Value::as_array),
        );
    }
    let mut found: Found = lists
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .filter_map(|requirement| {
            let (name, version) = requirement_parts(requirement)?;
            Some((line_of(text, requirement), name, version))
        })
        .collect();
    let poetry = manifest.get("tool").and_then(|it| it.get("poetry"));
    let tables =
        ["dependencies", "dev-dependencies"].into_iter().filter_map(|key| poetry?.get(key)?.as_table());
    for (name, value) in tables.flatten().filter(|(name, _)| *name != "python") {
        let version =
            value.as_str().or_else(|| value.get("version").and_then(toml::Value::as_str)).unwrap_or("any");
        found.push((line_of(text, &format!("\n{name} =")) + 1, name.clone(), version.to_owned()));
    }
    found
}

pub(super) fn requirements(text: &str) -> Found {
    numbered(text)
        .filter_map(|(number, line)| {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let (name, version) = requirement_parts(line)?;
            Some((number, name, version))
        })
        .collect()
}

/// Splits `name[extra]>=1; marker`.
fn requirement_parts(text: &str) -> Option<(String, String)> {
    let text = text.split(';').next()?.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim();
    let rest =
        rest.strip_prefix('[').and_then(|it| it.split_once(']')).map_or(rest, |(_, after)| after).trim();
    let plausible = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', '@', '(']));
    plausible.then(|| (name.to_owned(), if rest.is_empty() { "any".to_owned() } else { rest.to_owned() }))
}

pub(super) fn go_mod(text: &str) -> Found {
    let mut inside = false;
    let mut found = Vec::new();
    for (number, line) in numbered(text) {
        let line = line.split("//").next().unwrap_or_default().trim();
        let entry = if let Some(rest) = line.strip_prefix("require ") {
            inside = rest.trim() == "(";
            (!inside).then_some(rest)
        } else if line == ")" {
            inside = false;
            None
        } else {
            inside.then_some(line)
        };
        if let Some((name, version)) = entry.and_then(|entry| entry.trim().split_once(' ')) {
            found.push((number, name.to_owned(), version.trim().to_owned()));
        }
    }
    found
}

fn text(ground: &Ground, name: &str) -> Option<String> {
    let path = ground.root.join(name);
    let metadata = path.metadata().ok()?;
    (metadata.is_file() && metadata.len() < 4 << 20).then(|| std::fs::read_to_string(path).ok()).flatten()
}

/// Returns where the repository says which version of a language it asks for.
pub(super) fn language(ground: &Ground, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut whole = |file: &str| {
        if let Some(version) =
            text(ground, file).and_then(|text| text.lines().next().map(|line| line.trim().to_owned()))
            && !version.is_empty()
        {
            found.push(format!("{file}:1: {version}"));
        }
    };
    let lines: &[(&str, &[&str])] = match name.to_lowercase().as_str() {
        "rust" | "rustc" => {
            whole("rust-toolchain");
            &[("rust-toolchain.toml", &["channel"]), ("Cargo.toml", &["rust-version", "edition"])]
        }
        "python" => {
            whole(".python-version");
            &[("pyproject.toml", &["requires-python", "python"])]
        }
        "node" | "nodejs" | "node.js" => {
            whole(".nvmrc");
            whole(".node-version");
            &[("package.json", &["\"node\""])]
        }
        "go" | "golang" => &[("go.mod", &["go", "toolchain"])],
        "ruby" => {
            whole(".ruby-version");
            &[("Gemfile", &["ruby"])]
        }
        _ => &[],
    };
    for (file, keys) in lines {
        let Some(text) = text(ground, file) else { continue };
        for (number, line) in numbered(&text) {
            let line = line.trim();
            let says = keys.iter().any(|key| {
                line.strip_prefix(key).is_some_and(|rest| {
                    rest.starts_with([' ', '=', ':', '.'])
                        && rest.chars().any(|c| c.is_ascii_digit() || c == '"')
                })
            });
            if says {
                found.push(format!("{file}:{number}: {line}"));
            }
        }
    }
    found
}

/// Returns where the manifests at the root say which version the project has.
pub(super) fn project(ground: &Ground) -> Vec<String> {
    let mut found = Vec::new();
    for (file, tables) in [
        ("Cargo.toml", &["package", "workspace.package"][..]),
        ("pyproject.toml", &["project", "tool.poetry"]),
    ] {
        let Some(text) = text(ground, file) else { continue };
        let mut inside = false;
        for (number, line) in numbered(&text) {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                inside = tables.contains(&header.trim_end_matches(']'));
            } else if inside
                && line.strip_prefix("version").is_some_and(|rest| rest.trim_start().starts_with('='))
            {
                found.push(format!("{file}:{number}: {line}"));
            }
        }
    }
    for file in ["package.json", "composer.json", "deno.json"] {
        let Some(text) = text(ground, file) else { continue };
        let Ok(manifest) = serde_json::from_str::<Value>(&text) else { continue };
        if let Some(version) = manifest["version"].as_str() {
            found.push(format!("{file}:{}: {version}", line_of(&text, "\"version\"")));
        }
    }
    for file in ["VERSION", "version.txt"] {
        if let Some(version) =
            text(ground, file).and_then(|text| text.lines().next().map(|it| it.trim().to_owned()))
        {
            found.push(format!("{file}:1: {version}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader, a text, and what it finds there.
    type Case = (fn(&str) -> Found, &'static str, &'static [(usize, &'static str, &'static str)]);

    #[test]
    fn every_manifest_tells_names_versions_and_lines() {
        let cases: [Case; 6] = [
            (
                cargo,
                "[package]\nname = \"x\"\n\n[dependencies]\na = \"1\"\nb = { path = \"../b\" }\nc.workspace = true\n\n[dev-dependencies]\na = \"2\"\n[workspace.dependencies]\nd = { version = \"3\" }\n",
                &[
                    (5, "a", "1"),
                    (6, "b", "../b"),
                    (7, "c", "as the workspace says"),
                    (10, "a", "2"),
                    (12, "d", "3"),
                ],
            ),
            (
                package_json,
                "{\n\"dependencies\": {\n\"a\": \"^1\"},\n\"devDependencies\": {\n\"a\": \"2\"}}",
                &[(3, "a", "^1"), (5, "a", "2")],
            ),
            (
                pyproject,
                "[project]\ndependencies = [\n  \"a>=1\",\n  \"b[x] == 2 ; python_version > '3'\",\n]\n",
                &[(3, "a", ">=1"), (4, "b", "== 2")],
            ),
            (pyproject, "[tool.poetry.dependencies]\npython = \"^3\"\na = \"^1\"\n", &[(3, "a", "^1")]),
            (
                requirements,
                "# no\n-r other.txt\na==1 # why\nb\nhttps://x/y.whl\n",
                &[(3, "a", "==1"), (4, "b", "any")],
            ),
            (
                go_mod,
                "module m\n\ngo 1.22\n\nrequire a/b v1.0.0\nrequire (\n\tc/d v2.0.0 // indirect\n)\n",
                &[(5, "a/b", "v1.0.0"), (7, "c/d", "v2.0.0")],
            ),
        ];
        for (read, text, expected) in cases {
            let mut found = read(text);
            found.sort();
            let found: Vec<(usize, &str, &str)> =
                found.iter().map(|(line, name, version)| (*line, name.as_str(), version.as_str())).collect();
            assert_eq!(found, expected, "in {text}");
        }
        for read in [cargo, package_json, pyproject, requirements, go_mod, composer] {
            assert_eq!(read(""), []);
        }
    }
}
