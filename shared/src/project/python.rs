//! Python: test runners, linters and type checkers that a configuration file, a dependency or a test names.

use toml::{Table, Value};

use super::Commands;
use super::Purpose::{Format, Lint, Test, Types};

const PYPROJECT: &str = "pyproject.toml";

pub(super) fn python(commands: &mut Commands) {
    let pyproject = commands.files.toml(PYPROJECT).unwrap_or_default();
    let python = interpreter(commands);
    let module = |module: &str, rest: &[&str]| -> Vec<String> {
        let mut argv = vec![python.clone(), "-m".to_owned(), module.to_owned()];
        argv.extend(rest.iter().map(|&argument| argument.to_owned()));
        argv
    };

    if let Some(because) = pytest(commands, &pyproject) {
        add(commands, Test, "pytest", &because, module("pytest", &[]));
    } else if let Some(because) = unittest(commands) {
        let argv = match because.split_once('/') {
            None => module("unittest", &["discover"]),
            Some((dir, _)) if commands.files.has(&format!("{dir}/__init__.py")) => {
                module("unittest", &["discover", "-s", dir, "-t", "."])
            }
            // The root can only be named as the top if the tests are a package in it.
            Some((dir, _)) => module("unittest", &["discover", "-s", dir]),
        };
        add(commands, Test, "unittest", &because, argv);
    }

    if let Some(because) = configured(commands, &pyproject, "ruff", &["ruff.toml", ".ruff.toml"], &[]) {
        let argv = program(commands, "ruff", &["check", "."]);
        add(commands, Lint, "ruff", &because, argv);
    }
    if let Some(because) = configured(
        commands,
        &pyproject,
        "flake8",
        &[".flake8"],
        &[("setup.cfg", "flake8"), ("tox.ini", "flake8")],
    ) {
        add(commands, Lint, "flake8", &because, module("flake8", &[]));
    }
    if let Some(because) = configured(commands, &pyproject, "pylint", &["pylintrc", ".pylintrc"], &[])
        && !commands.serves(Lint)
    {
        add(commands, Lint, "pylint", &because, module("pylint", &["--recursive=y", "."]));
    }

    let mypy = [("setup.cfg", "mypy")];
    if let Some(because) = configured(commands, &pyproject, "mypy", &["mypy.ini", ".mypy.ini"], &mypy) {
        // A configuration that lists what to check must not be overruled by an argument.
        let argv =
            if lists_targets(commands, &pyproject) { module("mypy", &[]) } else { module("mypy", &["."]) };
        add(commands, Types, "mypy", &because, argv);
    }
    if let Some(because) = configured(commands, &pyproject, "pyright", &["pyrightconfig.json"], &[]) {
        let argv = program(commands, "pyright", &[]);
        add(commands, Types, "pyright", &because, argv);
    }

    if table(&pyproject, &["tool", "ruff", "format"]).is_some() {
        let argv = program(commands, "ruff", &["format", "--check", "."]);
        add(commands, Format, "ruff", PYPROJECT, argv);
    } else if table(&pyproject, &["tool", "black"]).is_some() {
        add(commands, Format, "black", PYPROJECT, module("black", &["--check", "."]));
    }
}

fn add(commands: &mut Commands, purpose: super::Purpose, tool: &str, because: &str, argv: Vec<String>) {
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    commands.add(purpose, tool, because, &argv);
}

/// Returns the interpreter of the project's own environment if it has one.
fn interpreter(commands: &Commands) -> String {
    [".venv/bin/python", "venv/bin/python"]
        .into_iter()
        .find(|path| commands.files.has(path))
        // Absolute: a relative program with a working directory is looked up differently by platform.
        .map_or_else(|| "python3".to_owned(), |path| commands.files.path(path).to_string_lossy().into_owned())
}

/// Returns a program that mostly is no module, from the project's own environment if it is there.
fn program(commands: &Commands, name: &str, rest: &[&str]) -> Vec<String> {
    let own = format!(".venv/bin/{name}");
    let program = if commands.files.has(&own) {
        commands.files.path(&own).to_string_lossy().into_owned()
    } else {
        name.to_owned()
    };
    let mut argv = vec![program];
    argv.extend(rest.iter().map(|&argument| argument.to_owned()));
    argv
}

/// Returns the file that configures `tool`: one of its own, its table in `pyproject.toml`, or an INI section.
fn configured(
    commands: &Commands,
    pyproject: &Table,
    tool: &str,
    own: &[&str],
    sections: &[(&str, &str)],
) -> Option<String> {
    if let Some(file) = commands.files.first(own) {
        return Some(file.to_owned());
    }
    if table(pyproject, &["tool", tool]).is_some() {
        return Some(PYPROJECT.to_owned());
    }
    sections
        .iter()
        .find(|(file, section)| commands.files.has_section(file, section))
        .map(|(file, _)| (*file).to_owned())
}

fn lists_targets(commands: &Commands, pyproject: &Table) -> bool {
    let keys = ["files", "packages", "modules"];
    if let Some(mypy) = table(pyproject, &["tool", "mypy"])
        && keys.iter().any(|key| mypy.contains_key(*key))
    {
        return true;
    }
    ["mypy.ini", ".mypy.ini", "setup.cfg"].iter().any(|file| {
        let text = commands.files.text(file).unwrap_or_default();
        let mut inside = false;
        text.lines().any(|line| {
            let line = line.trim();
            if line.starts_with('[') {
                inside = line == "[mypy]";
            }
            inside && line.split_once('=').is_some_and(|(key, _)| keys.contains(&key.trim()))
        })
    })
}

fn pytest(commands: &Commands, pyproject: &Table) -> Option<String> {
    if table(pyproject, &["tool", "pytest"]).is_some() {
        return Some(PYPROJECT.to_owned());
    }
    if let Some(file) = commands.files.first(&["pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py"]) {
        return Some(file.to_owned());
    }
    for (file, section) in [("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")] {
        if commands.files.has_section(file, section) {
            return Some(file.to_owned());
        }
    }
    if requires(pyproject, "pytest") {
        return Some(PYPROJECT.to_owned());
    }
    let requirements =
        commands.files.names("", |name| name.starts_with("requirements") && name.ends_with(".txt"));
    for file in requirements {
        let text = commands.files.text(&file).unwrap_or_default();
        if text.lines().any(|line| requirement_name(line) == "pytest") {
            return Some(file);
        }
    }
    tests(commands).into_iter().find(|file| {
        let text = commands.files.text(file).unwrap_or_default();
        let plain = text.lines().any(|line| line.starts_with("def test_"));
        text.lines().any(|line| imports(line, "pytest")) || (plain && !text.contains("unittest"))
    })
}

fn unittest(commands: &Commands) -> Option<String> {
    tests(commands).into_iter().find(|file| {
        let text = commands.files.text(file).unwrap_or_default();
        text.lines().any(|line| imports(line, "unittest"))
    })
}

/// Returns the first test files by name, in the places where test runners look.
fn tests(commands: &Commands) -> Vec<String> {
    let is_test =
        |name: &str| name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"));
    let mut found = Vec::new();
    for dir in ["tests", "test", ""] {
        for name in commands.files.names(dir, is_test).into_iter().take(20) {
            found.push(if dir.is_empty() { name } else { format!("{dir}/{name}") });
        }
    }
    found
}

fn imports(line: &str, module: &str) -> bool {
    let mut words = line.split(|c: char| c.is_whitespace() || c == '.' || c == ',');
    matches!(words.next(), Some("import" | "from")) && words.next() == Some(module)
}

/// Returns whether a dependency list of `pyproject.toml`, in any of its dialects, names the package.
fn requires(pyproject: &Table, package: &str) -> bool {
    let list = |value: Option<&Value>| {
        value.and_then(Value::as_array).is_some_and(|items| {
            items.iter().filter_map(Value::as_str).any(|text| requirement_name(text) == package)
        })
    };
    let project = table(pyproject, &["project"]);
    list(project.and_then(|it| it.get("dependencies")))
        || [table(pyproject, &["project", "optional-dependencies"]), table(pyproject, &["dependency-groups"])]
            .into_iter()
            .flatten()
            .any(|groups| groups.values().any(|group| list(Some(group))))
        || table(pyproject, &["tool", "poetry", "dev-dependencies"])
            .is_some_and(|it| it.contains_key(package))
        || table(pyproject, &["tool", "poetry", "group"]).is_some_and(|groups| {
            groups.values().any(|group| {
                group.get("dependencies").and_then(Value::as_table).is_some_and(|it| it.contains_key(package))
            })
        })
}

fn requirement_name(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    &text[..end]
}

fn table<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Table> {
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())
}
