//! Rust, Go and CMake: compiled languages whose own tool does all.

use super::Commands;
use super::Purpose::{Build, Format, Lint, Test, Types};

pub(super) fn rust(commands: &mut Commands) {
    const MANIFEST: &str = "Cargo.toml";
    let Some(manifest) = commands.files.toml(MANIFEST) else { return };
    // In a workspace with a package at its root, cargo would leave the members out.
    let scope: &[&str] = if manifest.contains_key("workspace") { &["--workspace"] } else { &[] };
    let cargo = |arguments: &[&'static str], last: &[&'static str]| {
        let mut argv = vec!["cargo"];
        argv.extend(arguments);
        argv.extend(scope);
        argv.extend(last);
        argv
    };
    commands.add(Test, "cargo", MANIFEST, &cargo(&["test"], &[]));
    commands.add(Lint, "clippy", MANIFEST, &cargo(&["clippy"], &["--all-targets"]));
    commands.add(Types, "cargo", MANIFEST, &cargo(&["check"], &["--all-targets"]));
    commands.add(Build, "cargo", MANIFEST, &cargo(&["build"], &[]));
    commands.add(Format, "rustfmt", MANIFEST, &["cargo", "fmt", "--all", "--check"]);
}

pub(super) fn go(commands: &mut Commands) {
    let Some(manifest) = commands.files.first(&["go.work", "go.mod"]) else { return };
    if manifest == "go.work" && !commands.files.has("go.mod") {
        // `./...` means the packages of one module; which modules to take is not ours to guess.
        return;
    }
    let manifest = "go.mod";
    commands.add(Test, "go", manifest, &["go", "test", "./..."]);
    match commands.files.first(&[".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json"]) {
        Some(config) => commands.add(Lint, "golangci-lint", config, &["golangci-lint", "run"]),
        None => commands.add(Lint, "go", manifest, &["go", "vet", "./..."]),
    }
    // Without `-o`, a lone main package would leave its program in the working directory.
    commands.add(Build, "go", manifest, &["go", "build", "-o", "/dev/null", "./..."]);
}

/// CMake builds in a directory that somebody has configured; configuring one would be writing.
pub(super) fn cmake(commands: &mut Commands) {
    const MANIFEST: &str = "CMakeLists.txt";
    let Some(text) = commands.files.text(MANIFEST) else { return };
    let configured = ["build", "out", "_build", "cmake-build-debug", "cmake-build-release"]
        .into_iter()
        .find(|dir| commands.files.has(&format!("{dir}/CMakeCache.txt")));
    let Some(dir) = configured else { return };
    commands.add(Build, "cmake", MANIFEST, &["cmake", "--build", dir]);
    let tests = commands.files.has(&format!("{dir}/CTestTestfile.cmake"))
        || text.lines().any(|line| {
            let line = line.trim_start().to_ascii_lowercase();
            line.starts_with("enable_testing(") || line.starts_with("include(ctest)")
        });
    if tests {
        commands.add(Test, "ctest", MANIFEST, &["ctest", "--test-dir", dir, "--output-on-failure"]);
    }
}
