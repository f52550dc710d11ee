//! Where the programs on PATH and what they need can be, outside of the system's own directories.
//!
//! A home directory holds keys next to compilers, so nothing there is readable as a whole: only the places where installers
//! of languages put programs and libraries, each by its name.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What is readable below a home directory, if it is there. No file of these holds a key: of `.cargo` that would be
/// `credentials.toml`, of `.local` nearly everything.
const IN_HOME: [&str; 24] = [
    ".cargo/bin",
    ".cargo/registry",
    ".cargo/git",
    ".cargo/config.toml",
    ".cargo/env",
    ".rustup",
    ".pyenv",
    ".rbenv",
    ".nvm",
    ".volta",
    ".asdf",
    ".sdkman/candidates",
    ".deno/bin",
    ".bun/bin",
    ".ghcup",
    ".nix-profile",
    ".local/share/mise/installs",
    ".local/share/uv",
    ".local/share/fnm",
    ".local/pipx",
    ".m2/repository",
    ".gradle/caches",
    "go/pkg",
    "go/bin",
];

/// Variables by which programs find what they would else look for in a home directory.
const NAMED: [(&str, &str); 7] = [
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
    ("PYENV_ROOT", ".pyenv"),
    ("RBENV_ROOT", ".rbenv"),
    ("NVM_DIR", ".nvm"),
    ("GOMODCACHE", "go/pkg/mod"),
    ("VOLTA_HOME", ".volta"),
];

/// Directories whose parts are installed as a whole: there the directory above a `bin` belongs to the program.
const WHOLE: [&str; 4] = ["/opt", "/nix", "/snap", "/home/linuxbrew"];

/// What programs need.
#[derive(Debug, Default)]
pub(super) struct Toolchains {
    pub(super) read: Vec<PathBuf>,
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// Finds what the programs on this PATH need.
pub(super) fn find(path: &OsStr, home: Option<&Path>) -> Toolchains {
    let mut found = Toolchains::default();
    for directory in std::env::split_paths(path).filter(|directory| directory.is_absolute()) {
        // Whoever has a whole home or root on PATH means the programs in it.
        if home.is_some_and(|home| home.starts_with(&directory)) {
            continue;
        }
        if directory.ends_with("bin")
            && WHOLE.iter().any(|whole| directory.starts_with(whole))
            && let Some(above) = directory.parent().filter(|above| above.components().count() > 2)
        {
            found.read.push(above.to_owned());
        }
        found.read.push(directory);
    }
    if Path::new("/nix/store").is_dir() {
        found.read.push("/nix/store".into());
    }
    let Some(home) = home else { return found };
    found.read.extend(IN_HOME.iter().map(|name| home.join(name)).filter(|path| path.exists()));
    for (variable, name) in NAMED {
        let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let usual = home.join(name);
        if let Some(given) =
            given.filter(|given| *given != usual && !home.starts_with(given) && given.is_dir())
        {
            // Installed elsewhere, as in most images for containers.
            match variable {
                "CARGO_HOME" => found.read.extend(
                    ["bin", "registry", "git", "config.toml"]
                        .map(|name| given.join(name))
                        .into_iter()
                        .filter(|p| p.exists()),
                ),
                _ => found.read.push(given.clone()),
            }
            found.environment.push((variable.into(), given.into()));
        } else if usual.is_dir() {
            found.environment.push((variable.into(), usual.into()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_home_only_the_toolchains_are_readable() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path();
        for name in
            [".cargo/bin", ".cargo/registry", ".ssh", ".local/bin", ".local/share/keyrings", ".rustup"]
        {
            std::fs::create_dir_all(home.join(name)).unwrap();
        }
        std::fs::write(home.join(".cargo/credentials.toml"), "token").unwrap();
        let path = std::env::join_paths([home.join(".local/bin"), home.to_owned(), "/".into()]).unwrap();
        let found = find(&path, Some(home));
        let readable = |name: &str| found.read.iter().any(|path| home.join(name).starts_with(path));
        for (name, expected) in [
            (".cargo/bin/cargo", true),
            (".cargo/registry/x", true),
            (".rustup/toolchains", true),
            (".local/bin/tool", true),
            (".cargo/credentials.toml", false),
            (".local/share/keyrings/login", false),
            (".ssh/id_ed25519", false),
        ] {
            assert_eq!(readable(name), expected, "{name}: {found:?}");
        }
    }
}
