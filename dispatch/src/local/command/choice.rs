//! Which commands of the project do what is asked for, limited to one test or place in the way of each tool.

use shared::project::{self, Detected, Purpose};

use crate::local::Ground;
use crate::local::intent::{Filter, Place, Run, Scope};
use crate::local::walk::Want;

/// Returns the commands that do what is asked for, narrowed to a test or place where one is named.
pub(super) fn chosen(ground: &Ground, run: &Run) -> Result<Vec<Detected>, String> {
    let mut all = project::detect(ground.root);
    if all.is_empty() && ground.project != ground.root {
        all = project::detect(ground.project);
    }
    let mut commands = Vec::new();
    for purpose in &run.purposes {
        let mut found: Vec<Detected> = all
            .iter()
            .filter(|detected| detected.purpose == *purpose)
            .filter(|detected| run.tool.as_ref().is_none_or(|tool| *tool == detected.tool))
            .cloned()
            .collect();
        if found.is_empty() && run.as_available {
            continue;
        }
        if found.is_empty() {
            let with = run.tool.as_ref().map(|tool| format!(" with {tool}")).unwrap_or_default();
            return Err(format!(
                "no file of the project says how to run its {} command{with}",
                purpose.as_str()
            ));
        }
        if run.test.is_some() || run.place.is_some() || run.package.is_some() {
            found = found
                .into_iter()
                .map(|detected| narrowed(ground, run, detected))
                .collect::<Result<_, _>>()?;
        }
        commands.extend(found);
    }
    if commands.is_empty() {
        return Err("no file of the project says how to check it".to_owned());
    }
    Ok(commands)
}

/// Limits a command to what the task names, in the way of its tool.
fn narrowed(ground: &Ground, run: &Run, mut detected: Detected) -> Result<Detected, String> {
    let argv = &mut detected.argv;
    if let Some(package) = &run.package {
        let is_cargo = matches!(detected.tool.as_str(), "cargo" | "clippy");
        if !is_cargo {
            return Err(format!("does not know how to limit `{}` to a package", argv.join(" ")));
        }
        if !has_package(ground, package)? {
            return Err(format!("there is no package `{package}` in the workspace"));
        }
        argv.retain(|argument| argument != "--workspace");
        let at = argv.iter().position(|argument| argument == "--all-targets").unwrap_or(argv.len());
        argv.splice(at..at, ["-p".to_owned(), package.clone()]);
    }
    if let Some(place) = &run.place {
        limit_to_place(ground, place, &mut detected)?;
    }
    if let Some(test) = &run.test {
        let argv = &mut detected.argv;
        match detected.tool.as_str() {
            "cargo" => argv.push(test.clone()),
            // An expression to pytest, not a name.
            "pytest" | "unittest" if test.contains(' ') => {
                return Err(format!("does not know how to limit `{}` to `{test}`", argv.join(" ")));
            }
            "pytest" if test.contains("::") => argv.push(test.clone()),
            "pytest" | "unittest" => argv.extend(["-k".to_owned(), test.clone()]),
            "go" => argv.extend(["-run".to_owned(), format!("^{}$", regex::escape(test))]),
            "ctest" => argv.extend(["-R".to_owned(), format!("^{}$", regex::escape(test))]),
            "maven" => argv.push(format!("-Dtest={test}")),
            "gradle" => argv.extend(["--tests".to_owned(), test.clone()]),
            "rspec" => argv.extend(["-e".to_owned(), test.clone()]),
            "phpunit" => argv.extend(["--filter".to_owned(), test.clone()]),
            "npm" | "pnpm" | "yarn" | "bun" => match node_filter(&detected) {
                Some(flag) => {
                    if detected.tool == "npm" {
                        detected.argv.push("--".to_owned());
                    }
                    detected.argv.extend([flag.to_owned(), test.clone()]);
                }
                None => {
                    return Err(format!(
                        "does not know how to limit `{}` to one test",
                        detected.argv.join(" ")
                    ));
                }
            },
            _ => return Err(format!("does not know how to limit `{}` to one test", argv.join(" "))),
        }
    }
    Ok(detected)
}

fn limit_to_place(ground: &Ground, place: &Place, detected: &mut Detected) -> Result<(), String> {
    let located = ground
        .locate(&Place { sure: false, ..place.clone() })?
        .ok_or_else(|| format!("there is no `{}`", place.path))?;
    // A file may be called `-x`.
    let dot = if located.relative.starts_with('-') { "./" } else { "" };
    let path = format!("{dot}{}", located.shown());
    let cannot = format!("does not know how to limit `{}` to `{path}`", detected.argv.join(" "));
    match detected.tool.as_str() {
        "pytest" | "rspec" => detected.argv.push(path),
        "ruff" | "eslint" | "mypy" | "flake8" => {
            match detected.argv.iter().position(|argument| argument == ".") {
                Some(at) => detected.argv[at] = path,
                None => return Err(cannot),
            }
        }
        "go" if located.is_dir && detected.dir == ground.root => {
            match detected.argv.iter().position(|argument| argument == "./...") {
                Some(at) => detected.argv[at] = format!("./{path}/..."),
                None => return Err(cannot),
            }
        }
        "cargo" | "clippy" if located.is_dir => {
            let manifest =
                std::fs::read_to_string(located.absolute.join("Cargo.toml")).map_err(|_| cannot.clone())?;
            let name = package_name(&manifest).ok_or(cannot)?;
            detected.argv.retain(|argument| argument != "--workspace");
            let at = detected.argv.iter().position(|it| it == "--all-targets").unwrap_or(detected.argv.len());
            detected.argv.splice(at..at, ["-p".to_owned(), name]);
        }
        "cargo" if detected.purpose == Purpose::Test => {
            // `tests/x.rs` is a target of that name.
            let target = path
                .strip_prefix("tests/")
                .and_then(|name| name.strip_suffix(".rs"))
                .filter(|it| !it.contains('/'));
            let target = target.ok_or(cannot)?.to_owned();
            detected.argv.extend(["--test".to_owned(), target]);
        }
        _ => return Err(cannot),
    }
    Ok(())
}

fn package_name(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn has_package(ground: &Ground, wanted: &str) -> Result<bool, String> {
    let scope = Scope { filters: vec![Filter::Name("Cargo.toml".to_owned())], ..Scope::default() };
    let walked = ground.walk(&scope, Want::Files)?;
    let names = ground.read_each(&walked.entries, |_, text| package_name(&String::from_utf8_lossy(text)));
    Ok(names.into_iter().flatten().flatten().any(|name| name == wanted))
}

/// Returns the option with which the runner behind a package script takes the name of a test.
fn node_filter(detected: &Detected) -> Option<&'static str> {
    let manifest = std::fs::read_to_string(detected.dir.join("package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).ok()?;
    let script = manifest["scripts"][detected.argv.last()?.as_str()].as_str()?;
    let runs = |program: &str| script.split_whitespace().any(|word| word == program);
    if script.contains("&&") || script.contains(';') || script.contains('|') {
        return None;
    }
    if runs("jest") || runs("vitest") {
        Some("-t")
    } else if runs("mocha") {
        Some("-g")
    } else if runs("node") && runs("--test") {
        Some("--test-name-pattern")
    } else {
        None
    }
}
