//! Who may know whom, and what may come in from outside, as cargo itself tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use tests::tools::{TOOLS, workspace};

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Of the crates for other systems, not even the manifests need be here, and tests ask no network.
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc");
    let rustc = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(workspace())
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("metadata")
}

/// Returns the names of the packages that a package of the workspace names in its manifest, tests included.
fn direct(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().expect("members").iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .filter(|package| package["id"].as_str().is_some_and(|id| members.contains(id)))
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
            let names = dependencies.filter_map(|dependency| Some(dependency["name"].as_str()?.to_owned()));
            (package["name"].as_str().expect("a name").to_owned(), names.collect())
        })
        .collect()
}

/// Returns all packages that a package of the workspace is built from, whatever the way they come in.
fn all(metadata: &Value, name: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let start = *nodes.keys().find(|id| names[*id] == name && id.contains("path+file")).expect("a package");
    let (mut found, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(id) = next.pop() {
        for dependency in nodes[id]["deps"].as_array().expect("deps") {
            let kinds = dependency["dep_kinds"].as_array().expect("kinds");
            if kinds.iter().all(|kind| kind["kind"] == "dev") {
                continue;
            }
            let id = dependency["pkg"].as_str().expect("an id");
            if found.insert(names[id].to_owned()) {
                next.push(id);
            }
        }
    }
    found
}

#[test]
fn tools_know_shared_and_no_other_tool() {
    let direct = direct(&metadata());
    for tool in TOOLS {
        let known: Vec<_> = direct[tool].iter().filter(|name| direct.contains_key(*name)).collect();
        assert_eq!(known, ["shared"], "{tool} knows {known:?}");
    }
    let known: Vec<_> = direct["shared"].iter().filter(|name| direct.contains_key(*name)).collect();
    assert!(known.is_empty(), "shared knows {known:?}");
}

#[test]
fn only_dispatch_waits_on_a_network() {
    let metadata = metadata();
    for tool in ["shared", "classify", "gates", "verify", "converge"] {
        let brought = all(&metadata, tool);
        for crate_name in ["tokio", "reqwest", "hyper", "rustls"] {
            assert!(!brought.contains(crate_name), "{tool} brings {crate_name}");
        }
    }
    assert!(all(&metadata, "dispatch").contains("reqwest"));
}

#[test]
fn syntax_trees_are_the_business_of_gates() {
    let metadata = metadata();
    for tool in ["shared", "classify", "dispatch", "verify", "converge"] {
        let brought = all(&metadata, tool);
        let trees: Vec<_> = brought.iter().filter(|name| name.starts_with("tree-sitter")).collect();
        assert!(trees.is_empty(), "{tool} brings {trees:?}");
    }
}

/// What `cargo deny` would say about licences, for those who have not installed it.
#[test]
fn every_licence_is_in_deny_toml() {
    let text = std::fs::read_to_string(workspace().join("deny.toml")).expect("deny.toml");
    let deny: toml::Table = text.parse().expect("deny.toml");
    let allowed: BTreeSet<&str> = deny["licenses"]["allow"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    let metadata = metadata();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name} has no licence"));
        assert!(is_allowed(licence, &allowed), "{name}: {licence}");
    }
}

/// Tells whether an SPDX expression can be met with these licences; `/` is an old way to write `OR`.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = expression.split_whitespace().peekable();
    let met = either(&mut words, allowed);
    assert!(words.peek().is_none(), "{expression}");
    met
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words, allowed: &BTreeSet<&str>) -> bool {
    let mut met = both(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= both(words, allowed);
    }
    met
}

fn both(words: &mut Words, allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words, allowed: &BTreeSet<&str>) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let met = either(words, allowed);
        assert_eq!(words.next(), Some(")"));
        return met;
    }
    let name = words.next().expect("a licence").to_owned();
    let with_exception = words.next_if_eq(&"WITH").is_some() && words.next().is_some();
    !with_exception && allowed.contains(name.as_str())
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = BTreeSet::from(["MIT", "ISC"]);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Zlib) AND ISC", true),
        ("MIT WITH LLVM-exception", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), met, "{expression}");
    }
}
