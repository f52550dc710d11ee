use std::fs;

use tempfile::TempDir;

use super::*;

fn repository(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs::write(path, text).expect("written");
    }
    dir
}

/// Renders what was found as `purpose: command (because)`, absolute paths made relative.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let dir = repository(files);
    let root = format!("{}/", dir.path().display());
    detect(dir.path())
        .into_iter()
        .map(|it| {
            let place = it.dir.strip_prefix(dir.path()).expect("inside").display().to_string();
            let place = if place.is_empty() { place } else { format!("{place}$ ") };
            let argv = it.argv.join(" ").replace(&root, "");
            format!("{}: {place}{argv} ({})", it.purpose.as_str(), it.because)
        })
        .collect()
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(found(files), expected, "with {files:?}");
}

#[test]
fn nothing_is_assumed() {
    check(&[], &[]);
    check(&[("README.md", "# Run `make test`, `npm test` or `pytest`\n")], &[]);
    check(&[("src/main.py", "print('hello')\n"), ("index.js", "")], &[]);
    assert_eq!(detect(Path::new("/nonexistent/anywhere")), []);
}

#[test]
fn broken_manifests_are_no_evidence() {
    check(&[("Cargo.toml", "[package\n"), ("package.json", "{"), ("pyproject.toml", "= =")], &[]);
    check(&[("package.json", "{"), ("Makefile", "test:\n\ttrue\n")], &["test: make test (Makefile)"]);
    check(&[("package.json", "[]"), ("composer.json", "7")], &[]);
    check(&[("package.json", r#"{"scripts":{"test":7}}"#)], &[]);
}

#[test]
fn rust() {
    check(
        &[("Cargo.toml", "[package]\nname = \"a\"\n")],
        &[
            "test: cargo test (Cargo.toml)",
            "lint: cargo clippy --all-targets (Cargo.toml)",
            "types: cargo check --all-targets (Cargo.toml)",
            "build: cargo build (Cargo.toml)",
            "format: cargo fmt --all --check (Cargo.toml)",
        ],
    );
    let workspace = found(&[("Cargo.toml", "[workspace]\nmembers = []\n")]);
    assert_eq!(workspace[0], "test: cargo test --workspace (Cargo.toml)");
    assert_eq!(workspace[1], "lint: cargo clippy --workspace --all-targets (Cargo.toml)");
}

#[test]
fn node_scripts_and_managers() {
    let scripts = r#"{"scripts":{"test":"vitest run","lint":"eslint src","typecheck":"tsc -p .","build":"vite build","format:check":"prettier -c ."}}"#;
    for (lock, manager) in [
        ("package-lock.json", "npm"),
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
        ("bun.lockb", "bun"),
        ("README.md", "npm"),
    ] {
        let expected: Vec<String> = [
            ("test", "test"),
            ("lint", "lint"),
            ("types", "typecheck"),
            ("build", "build"),
            ("format", "format:check"),
        ]
        .iter()
        .map(|(purpose, script)| format!("{purpose}: {manager} run {script} (package.json)"))
        .collect();
        assert_eq!(found(&[("package.json", scripts), (lock, "")]), expected);
    }
    check(
        &[
            ("package.json", r#"{"packageManager":"pnpm@9.1.0","scripts":{"test":"node --test"}}"#),
            ("yarn.lock", ""),
        ],
        &["test: pnpm run test (package.json)"],
    );
}

#[test]
fn node_scripts_that_do_not_count() {
    for script in [
        r#""test":"echo \"Error: no test specified\" && exit 1""#,
        r#""test":"jest --watch""#,
        r#""test":"""#,
        r#""lint":"eslint --fix .""#,
        r#""format":"prettier --write .""#,
        r#""format":"prettier . -w""#,
        r#""fmt":"dprint fmt""#,
        r#""deploy":"./deploy.sh""#,
    ] {
        check(&[("package.json", &format!(r#"{{"scripts":{{{script}}}}}"#))], &[]);
    }
    check(
        &[(
            "package.json",
            r#"{"scripts":{"lint":"eslint --fix .","lint:check":"eslint .","format":"prettier --check ."}}"#,
        )],
        &["lint: npm run lint:check (package.json)", "format: npm run format (package.json)"],
    );
}

#[test]
fn node_tools_need_a_configuration_and_a_dependency() {
    let manifest = r#"{"devDependencies":{"eslint":"9","typescript":"5","prettier":"3"}}"#;
    check(&[("package.json", manifest)], &[]);
    check(&[("package.json", "{}"), ("eslint.config.js", ""), ("tsconfig.json", "{}")], &[]);
    check(
        &[("package.json", manifest), ("eslint.config.js", ""), ("tsconfig.json", "{}"), (".prettierrc", "")],
        &[
            "lint: npx --no-install eslint . (eslint.config.js)",
            "types: npx --no-install tsc --noEmit (tsconfig.json)",
            "format: npx --no-install prettier --check . (.prettierrc)",
        ],
    );
    // A script of the project's own is preferred.
    check(
        &[
            ("package.json", r#"{"scripts":{"lint":"eslint src"},"devDependencies":{"eslint":"9"}}"#),
            (".eslintrc.json", "{}"),
        ],
        &["lint: npm run lint (package.json)"],
    );
}

#[test]
fn pytest_by_configuration_dependency_or_tests() {
    let pytest = |because: &str| vec![format!("test: python3 -m pytest ({because})")];
    for (file, text) in [
        ("pyproject.toml", "[tool.pytest.ini_options]\n"),
        ("pyproject.toml", "[project]\ndependencies = [\"pytest>=8\"]\n"),
        ("pyproject.toml", "[project.optional-dependencies]\ndev = [\"pytest\"]\n"),
        ("pyproject.toml", "[dependency-groups]\ndev = [{include-group = \"x\"}, \"pytest ~= 8\"]\n"),
        ("pyproject.toml", "[tool.poetry.group.dev.dependencies]\npytest = \"^8\"\n"),
        ("pytest.ini", ""),
        ("conftest.py", ""),
        ("setup.cfg", "[metadata]\n[tool:pytest]\n"),
        ("tox.ini", "[pytest]\n"),
        ("requirements-dev.txt", "flask\npytest==8.0 # tests\n"),
        ("tests/test_a.py", "import pytest\n"),
        ("test_a.py", "def test_one():\n    assert True\n"),
    ] {
        assert_eq!(found(&[(file, text)]), pytest(file), "with {file}: {text}");
    }
    for (file, text) in [
        ("pyproject.toml", "[project]\ndependencies = [\"pytest-mock\"]\n"),
        ("requirements.txt", "pytest-cov\n"),
        ("setup.cfg", "[metadata]\n"),
        ("tests/test_a.py", "x = 1\n"),
        ("tests/a.py", "import pytest\n"),
    ] {
        check(&[(file, text)], &[]);
    }
}

#[test]
fn python_tools() {
    check(
        &[("pyproject.toml", "[tool.ruff]\n[tool.ruff.format]\n[tool.mypy]\nfiles = [\"src\"]\n")],
        &[
            "lint: ruff check . (pyproject.toml)",
            "types: python3 -m mypy (pyproject.toml)",
            "format: ruff format --check . (pyproject.toml)",
        ],
    );
    check(
        &[("setup.cfg", "[flake8]\n[mypy]\nstrict = True\n"), ("pyrightconfig.json", "{}")],
        &[
            "lint: python3 -m flake8 (setup.cfg)",
            "types: python3 -m mypy . (setup.cfg)",
            "types: pyright (pyrightconfig.json)",
        ],
    );
    check(
        &[("tests/test_a.py", "import unittest\n")],
        &["test: python3 -m unittest discover -s tests (tests/test_a.py)"],
    );
    check(
        &[("tests/test_a.py", "from unittest import TestCase\n"), ("tests/__init__.py", "")],
        &["test: python3 -m unittest discover -s tests -t . (tests/test_a.py)"],
    );
    check(
        &[("pytest.ini", ""), (".venv/bin/python", ""), ("ruff.toml", ""), (".venv/bin/ruff", "")],
        &["test: .venv/bin/python -m pytest (pytest.ini)", "lint: .venv/bin/ruff check . (ruff.toml)"],
    );
}

#[test]
fn other_ecosystems() {
    check(
        &[("go.mod", "module m\n")],
        &[
            "test: go test ./... (go.mod)",
            "lint: go vet ./... (go.mod)",
            "build: go build -o /dev/null ./... (go.mod)",
        ],
    );
    assert_eq!(found(&[("go.mod", ""), (".golangci.yml", "")])[1], "lint: golangci-lint run (.golangci.yml)");
    check(
        &[("pom.xml", "<project/>"), ("mvnw", "")],
        &[
            "test: mvnw -B test (pom.xml)",
            "types: mvnw -B test-compile (pom.xml)",
            "build: mvnw -B -DskipTests package (pom.xml)",
        ],
    );
    check(
        &[("build.gradle.kts", "")],
        &[
            "test: gradle --console=plain test (build.gradle.kts)",
            "build: gradle --console=plain assemble (build.gradle.kts)",
        ],
    );
    check(
        &[("Gemfile", ""), (".rspec", ""), (".rubocop.yml", "")],
        &["test: bundle exec rspec (.rspec)", "lint: bundle exec rubocop (.rubocop.yml)"],
    );
    for rakefile in
        ["task :test do\nend", "task test: :build", "Rake::TestTask.new do |t|", "Rake::TestTask.new(:test)"]
    {
        check(&[("Rakefile", rakefile)], &["test: rake test (Rakefile)"]);
    }
    for rakefile in ["task :testing", "task :deploy", "Rake::TestTask.new(:slow)"] {
        check(&[("Rakefile", rakefile)], &[]);
    }
    check(
        &[
            ("composer.json", r#"{"scripts":{"test":"phpunit"}}"#),
            ("phpunit.xml", ""),
            ("vendor/bin/phpunit", ""),
        ],
        &["test: composer run-script test (composer.json)"],
    );
    check(
        &[("composer.json", "{}"), ("phpunit.xml", ""), ("vendor/bin/phpunit", "")],
        &["test: vendor/bin/phpunit (phpunit.xml)"],
    );
    check(
        &[("mix.exs", "")],
        &[
            "test: mix test (mix.exs)",
            "build: mix compile (mix.exs)",
            "format: mix format --check-formatted (mix.exs)",
        ],
    );
    check(
        &[("App.sln", ""), ("App.csproj", "")],
        &["test: dotnet test App.sln (App.sln)", "build: dotnet build App.sln (App.sln)"],
    );
    check(&[("A.sln", ""), ("B.sln", "")], &[]);
}

#[test]
fn cmake_needs_a_configured_build_directory() {
    let lists = ("CMakeLists.txt", "project(x)\nenable_testing()\n");
    check(&[lists], &[]);
    check(
        &[lists, ("build/CMakeCache.txt", "")],
        &[
            "test: ctest --test-dir build --output-on-failure (CMakeLists.txt)",
            "build: cmake --build build (CMakeLists.txt)",
        ],
    );
}

#[test]
fn makefile_targets() {
    check(
        &[(
            "Makefile",
            "CC := gcc\nall: app\n.PHONY: lint\ntest check: app\n\t./run: it\nlint:\n\t@true\n%.o: %.c\nx = build:\n",
        )],
        &["test: make test (Makefile)", "lint: make lint (Makefile)", "build: make all (Makefile)"],
    );
    check(&[("Makefile", "check:\n\t./tests.sh\n")], &["test: make check (Makefile)"]);
    check(&[("Makefile", "test := yes\n\ttest: no\nOTHER=test: 1\n$(test): x\n")], &[]);
}

#[test]
fn justfile_recipes() {
    check(
        &[(
            "justfile",
            "set shell := [\"sh\"]\nversion := \"1\"\n# test: no\n@test *args: build\n  cargo test\nbuild target='x':\n  true\nlint file:\n  true\n",
        )],
        &["test: just test (justfile)", "build: just build (justfile)"],
    );
}

#[test]
fn task_runners_only_fill_gaps() {
    check(
        &[
            ("go.mod", ""),
            ("Makefile", "test:\nlint:\nfmt-check:\ntypes:\n"),
            ("justfile", "types:\n  true\n"),
        ],
        &[
            "test: go test ./... (go.mod)",
            "lint: go vet ./... (go.mod)",
            "types: just types (justfile)",
            "build: go build -o /dev/null ./... (go.mod)",
            "format: make fmt-check (Makefile)",
        ],
    );
}

#[test]
fn several_ecosystems_all_count() {
    let tests: Vec<String> = found(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("package.json", r#"{"scripts":{"test":"node --test"}}"#),
        ("pytest.ini", ""),
    ])
    .into_iter()
    .filter(|it| it.starts_with("test:"))
    .collect();
    assert_eq!(
        tests,
        [
            "test: cargo test (Cargo.toml)",
            "test: npm run test (package.json)",
            "test: python3 -m pytest (pytest.ini)"
        ]
    );
}

#[test]
fn subdirectories_count_only_without_a_root_manifest() {
    let web = ("web/package.json", r#"{"scripts":{"test":"node --test"}}"#);
    let api = ("api/go.mod", "");
    let fixture = ("fixtures/Cargo.toml", "[package]\n");
    check(
        &[web, api, fixture],
        &[
            "test: api$ go test ./... (api/go.mod)",
            "test: web$ npm run test (web/package.json)",
            "lint: api$ go vet ./... (api/go.mod)",
            "build: api$ go build -o /dev/null ./... (api/go.mod)",
        ],
    );
    check(&[web, ("Makefile", "test:\n")], &["test: make test (Makefile)"]);
}
