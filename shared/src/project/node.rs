//! JavaScript and TypeScript: the scripts of `package.json`, then the configuration of well-known tools.

use serde_json::Value;

use super::Purpose::{self, Build, Format, Lint, Test, Types};
use super::{Commands, files::Files};

const MANIFEST: &str = "package.json";

/// The names under which projects keep a script, best first.
const SCRIPTS: [(Purpose, &[&str]); 5] = [
    (Test, &["test", "test:unit", "tests", "test:ci"]),
    (Lint, &["lint", "lint:check", "lint:ci", "eslint"]),
    (Types, &["typecheck", "type-check", "check-types", "types:check", "check:types", "tsc"]),
    (Build, &["build"]),
    (
        Format,
        &["format:check", "check:format", "fmt:check", "check-format", "prettier:check", "format", "fmt"],
    ),
];

/// A tool that counts when it is both configured and among the dependencies.
struct Tool {
    purpose: Purpose,
    name: &'static str,
    package: &'static str,
    configs: &'static [&'static str],
    argv: &'static [&'static str],
}

const TOOLS: [Tool; 4] = [
    Tool {
        purpose: Lint,
        name: "eslint",
        package: "eslint",
        configs: &[
            "eslint.config.js",
            "eslint.config.mjs",
            "eslint.config.cjs",
            "eslint.config.ts",
            ".eslintrc",
            ".eslintrc.js",
            ".eslintrc.cjs",
            ".eslintrc.json",
            ".eslintrc.yml",
            ".eslintrc.yaml",
        ],
        argv: &["eslint", "."],
    },
    Tool {
        purpose: Lint,
        name: "biome",
        package: "@biomejs/biome",
        configs: &["biome.json", "biome.jsonc"],
        argv: &["biome", "lint", "."],
    },
    Tool {
        purpose: Types,
        name: "tsc",
        package: "typescript",
        configs: &["tsconfig.json"],
        argv: &["tsc", "--noEmit"],
    },
    Tool {
        purpose: Format,
        name: "prettier",
        package: "prettier",
        configs: &[
            ".prettierrc",
            ".prettierrc.json",
            ".prettierrc.yml",
            ".prettierrc.yaml",
            ".prettierrc.js",
            ".prettierrc.cjs",
            ".prettierrc.mjs",
            ".prettierrc.toml",
            "prettier.config.js",
            "prettier.config.mjs",
            "prettier.config.cjs",
        ],
        argv: &["prettier", "--check", "."],
    },
];

pub(super) fn package_json(commands: &mut Commands) {
    let Some(manifest) = commands.files.json(MANIFEST) else { return };
    let manager = Manager::of(&commands.files, &manifest);
    for (purpose, names) in SCRIPTS {
        let script = names.iter().find(|name| {
            let text = manifest["scripts"][**name].as_str();
            text.is_some_and(|text| is_usable(purpose, name, text))
        });
        if let Some(script) = script {
            let name = manager.name();
            commands.add(purpose, name, MANIFEST, &[name, "run", script]);
        }
    }
    for tool in TOOLS {
        let known =
            ["dependencies", "devDependencies"].iter().any(|kind| !manifest[kind][tool.package].is_null());
        let scripted =
            commands.found.iter().any(|it| it.purpose == tool.purpose && it.tool == manager.name());
        if let (true, false, Some(config)) = (known, scripted, commands.files.first(tool.configs)) {
            let argv = [manager.execute(), tool.argv].concat();
            commands.add(tool.purpose, tool.name, config, &argv);
        }
    }
}

/// Returns whether a script ends by itself, changes nothing, and is more than the placeholder of `npm init`.
fn is_usable(purpose: Purpose, name: &str, text: &str) -> bool {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == ';' || c == '&').collect();
    let says = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if text.trim().is_empty() || text.contains("no test specified") || says(&["--watch", "--watchAll"]) {
        return false;
    }
    match purpose {
        Lint | Types => !says(&["--fix", "--write"]),
        // A script that is only called `format` mostly writes.
        Format => {
            !says(&["--write", "-w", "--fix"])
                && (name.contains("check") || says(&["--check", "-c", "--list-different", "-l"]))
        }
        Test | Build => true,
    }
}

#[derive(Clone, Copy)]
enum Manager {
    Npm,
    Pnpm,
    Yarn,
    Bun,
}

impl Manager {
    /// The field made for this is asked first, then the lock file.
    fn of(files: &Files, manifest: &Value) -> Manager {
        let declared = manifest["packageManager"].as_str().and_then(|text| text.split('@').next());
        match declared {
            Some("npm") => return Manager::Npm,
            Some("pnpm") => return Manager::Pnpm,
            Some("yarn") => return Manager::Yarn,
            Some("bun") => return Manager::Bun,
            _ => {}
        }
        match files.first(&["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"]) {
            Some("pnpm-lock.yaml") => Manager::Pnpm,
            Some("yarn.lock") => Manager::Yarn,
            Some(_) => Manager::Bun,
            None => Manager::Npm,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Manager::Npm => "npm",
            Manager::Pnpm => "pnpm",
            Manager::Yarn => "yarn",
            Manager::Bun => "bun",
        }
    }

    /// Returns how to run a program of a dependency without ever downloading one.
    fn execute(self) -> &'static [&'static str] {
        match self {
            Manager::Npm => &["npx", "--no-install"],
            Manager::Pnpm => &["pnpm", "exec"],
            Manager::Yarn => &["yarn", "run"],
            Manager::Bun => &["bun", "run"],
        }
    }
}
