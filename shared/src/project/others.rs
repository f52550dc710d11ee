//! Ecosystems whose manifest alone says all there is to know.

use super::Commands;
use super::Purpose::{self, Build, Format, Lint, Test};

/// Tool, its manifests, and its commands.
type Ecosystem = (&'static str, &'static [&'static str], &'static [(Purpose, &'static [&'static str])]);

const ECOSYSTEMS: [Ecosystem; 3] = [
    (
        "deno",
        &["deno.json", "deno.jsonc"],
        &[(Test, &["deno", "test"]), (Lint, &["deno", "lint"]), (Format, &["deno", "fmt", "--check"])],
    ),
    (
        "mix",
        &["mix.exs"],
        &[
            (Test, &["mix", "test"]),
            (Build, &["mix", "compile"]),
            (Format, &["mix", "format", "--check-formatted"]),
        ],
    ),
    ("swift", &["Package.swift"], &[(Test, &["swift", "test"]), (Build, &["swift", "build"])]),
];

pub(super) fn others(commands: &mut Commands) {
    for (tool, manifests, all) in ECOSYSTEMS {
        if let Some(manifest) = commands.files.first(manifests) {
            for (purpose, argv) in all {
                commands.add(*purpose, tool, manifest, argv);
            }
        }
    }
    let dotnet = commands.files.names("", |name| {
        [".sln", ".slnx", ".csproj", ".fsproj"].iter().any(|extension| name.ends_with(extension))
    });
    // Several side by side make `dotnet` ask which one is meant.
    let solutions: Vec<&String> = dotnet.iter().filter(|name| name.contains(".sln")).collect();
    if let Some(manifest) = match (solutions.as_slice(), dotnet.as_slice()) {
        ([one], _) => Some((*one).clone()),
        ([], [one]) => Some(one.clone()),
        _ => None,
    } {
        commands.add(Test, "dotnet", &manifest, &["dotnet", "test", &manifest]);
        commands.add(Build, "dotnet", &manifest, &["dotnet", "build", &manifest]);
    }
}
