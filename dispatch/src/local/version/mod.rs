//! Looks up versions in lock files and manifests: of a dependency, of a language, of the project itself.
//!
//! A lock file says what is used, a manifest what is wanted; both are told, each with its place.

mod lock;
mod manifest;

use super::intent::{Place, Scope, Versioned};
use super::report::{self, answer, counted};
use super::walk::{Entry, Want};
use super::{Ground, Outcome};

/// Something with a version, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// Whether it is what a lock file fixed; those come first.
    wanted: bool,
    path: String,
    line: usize,
    name: String,
    version: String,
}

impl Named {
    fn shown(&self) -> String {
        let verb = if self.wanted { "wants" } else { "locks" };
        format!("{}:{}: {verb} {} {}", self.path, self.line, self.name, self.version)
    }
}

/// Reads a file: name in, all that has a version out, as (line, name, version).
type Reader = fn(&str) -> Vec<(usize, String, String)>;

/// Returns how a file is read, and whether it is a manifest.
fn reader(name: &str) -> Option<(Reader, bool)> {
    Some(match name {
        "Cargo.lock" | "poetry.lock" | "uv.lock" | "pdm.lock" => (lock::toml_packages, false),
        "package-lock.json" | "npm-shrinkwrap.json" => (lock::package_lock, false),
        "yarn.lock" => (lock::yarn, false),
        "pnpm-lock.yaml" => (lock::pnpm, false),
        "Gemfile.lock" => (lock::gemfile, false),
        "composer.lock" => (lock::composer, false),
        "Pipfile.lock" => (lock::pipfile, false),
        "Cargo.toml" => (manifest::cargo, true),
        "package.json" => (manifest::package_json, true),
        "pyproject.toml" => (manifest::pyproject, true),
        "go.mod" => (manifest::go_mod, true),
        "composer.json" => (manifest::composer, true),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => (manifest::requirements, true),
        _ => return None,
    })
}

/// Returns all that the repository's manifests and lock files say, and which files were read.
fn everything(ground: &Ground, scope: &Scope) -> Result<(Vec<Named>, Vec<String>), String> {
    let walked = ground.walk(scope, Want::Files)?;
    let known: Vec<Entry> =
        walked.entries.into_iter().filter(|entry| reader(entry.name()).is_some()).collect();
    let read = ground.read_each(&known, |entry, bytes| {
        let Some((read, wanted)) = reader(entry.name()) else { return Vec::new() };
        read(&String::from_utf8_lossy(bytes))
            .into_iter()
            .map(|(line, name, version)| Named { wanted, path: entry.path.clone(), line, name, version })
            .collect()
    });
    let mut found: Vec<Named> = read.into_iter().flatten().flatten().collect();
    found.sort();
    found.dedup();
    Ok((found, known.into_iter().map(|entry| entry.path).collect()))
}

pub(super) fn version(ground: &Ground, of: &Versioned) -> Outcome {
    match of {
        Versioned::Project => project(ground),
        Versioned::Name { name, sure } => {
            let languages = manifest::language(ground, name);
            if !languages.is_empty() {
                let headline = format!("{name}, as the repository asks for it");
                return Ok(answer(report::list(&headline, languages.into_iter())));
            }
            dependency(ground, name, *sure)
        }
    }
}

fn dependency(ground: &Ground, name: &str, sure: bool) -> Outcome {
    let (found, files) = everything(ground, &Scope::default())?;
    if files.is_empty() {
        return Err(format!("there is no manifest or lock file to look `{name}` up in"));
    }
    let found: Vec<Named> = found.into_iter().filter(|named| is_same(&named.name, name)).collect();
    if found.is_empty() {
        if !sure {
            return Err(format!("does not understand `{name}`: it is no dependency in {}", some(&files)));
        }
        return Ok(answer(format!("none found: `{name}` is no dependency in {}", some(&files))));
    }
    let mut versions: Vec<&str> =
        found.iter().filter(|named| !named.wanted).map(|named| named.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let headline = match versions.as_slice() {
        [] => format!("{name} is wanted, but no lock file fixes its version"),
        versions => format!("{name} {}", versions.join(" and ")),
    };
    Ok(answer(report::list(&headline, found.iter().map(Named::shown))))
}

fn some(files: &[String]) -> String {
    match files {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        files => files.join(", "),
    }
}

/// Registries do not tell `-` from `_` or case, nor should who asks.
fn is_same(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    plain(a) == plain(b)
}

fn project(ground: &Ground) -> Outcome {
    let found = manifest::project(ground);
    if found.is_empty() {
        return Ok(answer("none found: no manifest in the working directory says a version"));
    }
    Ok(answer(report::list("the project's version", found.into_iter())))
}

pub(super) fn dependencies(ground: &Ground, of: &Place) -> Outcome {
    let under = if of.is_root() { Vec::new() } else { vec![of.clone()] };
    let (found, files) = everything(ground, &Scope { under, ..Scope::default() })?;
    if files.is_empty() {
        return Err("there is no manifest or lock file to read dependencies from".to_owned());
    }
    let wanted: Vec<String> = found.iter().filter(|named| named.wanted).map(Named::shown).collect();
    if wanted.is_empty() {
        return Ok(answer(format!("none found: no dependencies in {}", some(&files))));
    }
    let mut names: Vec<&str> =
        found.iter().filter(|named| named.wanted).map(|named| named.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let headline = format!("{} declared", counted(names.len(), "dependency"));
    Ok(answer(report::list(&headline, wanted.into_iter())))
}
