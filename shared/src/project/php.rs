//! PHP: Composer's scripts, then PHPUnit and PHPStan where they are installed and configured.

use super::Commands;
use super::Purpose::{self, Format, Lint, Test, Types};

const SCRIPTS: [(Purpose, &[&str]); 4] = [
    (Test, &["test", "tests", "phpunit"]),
    (Lint, &["lint", "phpcs", "cs"]),
    (Types, &["phpstan", "analyse", "analyze", "psalm", "stan"]),
    (Format, &["format:check", "cs:check", "check-style"]),
];

/// A tool, what configures it, and its arguments.
const TOOLS: [(Purpose, &str, &[&str], &[&str]); 3] = [
    (Test, "phpunit", &["phpunit.xml", "phpunit.xml.dist"], &[]),
    (Types, "phpstan", &["phpstan.neon", "phpstan.neon.dist"], &["analyse", "--no-progress"]),
    (Lint, "phpcs", &["phpcs.xml", "phpcs.xml.dist"], &[]),
];

pub(super) fn php(commands: &mut Commands) {
    const MANIFEST: &str = "composer.json";
    let Some(manifest) = commands.files.json(MANIFEST) else { return };
    let mut scripted = Vec::new();
    for (purpose, names) in SCRIPTS {
        if let Some(name) = names.iter().find(|name| !manifest["scripts"][**name].is_null()) {
            commands.add(purpose, "composer", MANIFEST, &["composer", "run-script", name]);
            scripted.push(purpose);
        }
    }
    for (purpose, tool, configs, rest) in TOOLS {
        let program = format!("vendor/bin/{tool}");
        if let (false, true, Some(config)) =
            (scripted.contains(&purpose), commands.files.has(&program), commands.files.first(configs))
        {
            let program = commands.files.path(&program).to_string_lossy().into_owned();
            commands.add(purpose, tool, config, &[&[program.as_str()], rest].concat());
        }
    }
}
