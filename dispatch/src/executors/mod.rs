//! Executors as Markdown files: front matter with name, description, tools and model, then the text that a model is told
//! before the task.
//!
//! The format is that of `.claude/agents`. A file of the project comes before one of the user, and that before the built-in
//! one of the same name. Which executor a task has is for `classify` and the user to say; `needs` looks whether its tools do.

pub(crate) mod agent;
pub(crate) mod built_in;
pub(crate) mod front_matter;
pub(crate) mod installed;
mod model;
pub(crate) mod needs;
pub(crate) mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shared::{Problem, config};

pub(crate) use agent::{Agent, Level};

/// Where agent programs look for executors, below the root of a project and below the user's home.
pub(crate) const FOLDER: &str = ".claude/agents";

/// A longer file is no executor.
const LONGEST: u64 = 1 << 20;

/// The executors that are known.
#[derive(Debug)]
pub(crate) struct Agents {
    /// Those of the project first, the built-in ones last.
    all: Vec<Agent>,
}

impl Agents {
    /// Reads the executors of the project and of the user; what can not be used is returned as problems.
    pub(crate) fn load(root: &Path, home: Option<&Path>) -> (Agents, Vec<Problem>) {
        let mut folders = vec![(Level::Project, root.join(FOLDER))];
        // Whoever works in his home directory has one folder, not two.
        if let Some(home) = home.filter(|home| *home != root) {
            folders.push((Level::User, home.join(FOLDER)));
        }
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        for (level, folder) in &folders {
            let mut names: BTreeMap<String, PathBuf> = BTreeMap::new();
            for path in files(folder, &mut problems) {
                match read(&path) {
                    Ok(agent) => {
                        if let Some(first) = names.get(&agent.name) {
                            problems.push(twice(&path, &agent.name, first));
                            continue;
                        }
                        names.insert(agent.name.clone(), path.clone());
                        all.push(Agent { level: *level, path: Some(path), ..agent });
                    }
                    Err(problem) => problems.push(problem),
                }
            }
        }
        all.extend(built_in::all());
        (Agents { all }, problems)
    }

    /// Returns all executors, also those that are not used because another of the name comes before them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Agent> {
        self.all.iter()
    }

    /// Returns the executors that are used, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Agent> {
        let mut names = BTreeMap::new();
        for agent in &self.all {
            names.entry(agent.name.as_str()).or_insert(agent);
        }
        names.into_values()
    }

    /// Returns those of the same name that are not used, because another comes before them.
    pub(crate) fn hidden_by<'a>(&'a self, agent: &'a Agent) -> impl Iterator<Item = &'a Agent> {
        self.all.iter().filter(move |other| other.name == agent.name && *other != agent)
    }

    /// Returns the executor of that name.
    pub(crate) fn get(&self, name: &str) -> Result<&Agent, Problem> {
        self.all.iter().find(|agent| agent.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.iter().map(|agent| agent.name.as_str()).collect();
            let hint = match config::nearest(name, &names) {
                Some(nearest) => format!("did you mean `{nearest}`? known are {}", names.join(", ")),
                None => format!("known are {}; more can be put into {FOLDER}", names.join(", ")),
            };
            Problem::new(format!("there is no executor `{name}`")).hint(hint)
        })
    }
}

/// Returns the Markdown files of a folder and the folders below it, by name.
fn files(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    if std::fs::symlink_metadata(folder).is_err() {
        return Vec::new();
    }
    let mut paths = Vec::new();
    for entry in walkdir::WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) => {
                let is_markdown = entry.path().extension().is_some_and(|extension| extension == "md");
                if is_markdown && !entry.file_type().is_dir() {
                    paths.push(entry.into_path());
                }
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder);
                // A link to nowhere is no executor, and one that is called otherwise would have been none.
                if path == folder || path.extension().is_none_or(|extension| extension == "md") {
                    let problem = Problem::new(format!("cannot read the executor `{}`", path.display()));
                    problems.push(match error.loop_ancestor() {
                        Some(ancestor) => {
                            problem.because(format!("the link leads back to `{}`", ancestor.display()))
                        }
                        None => match error.into_io_error() {
                            Some(error) => problem.because(error),
                            None => problem,
                        },
                    });
                }
            }
        }
    }
    paths
}

/// Returns the text of an executor's file.
///
/// # Errors
/// If it can not be read, is no text, or is too long to be one.
pub(crate) fn text(path: &Path) -> Result<String, Problem> {
    let problem = || Problem::new(format!("cannot read the executor `{}`", path.display()));
    let about = std::fs::metadata(path).map_err(|error| problem().because(error))?;
    // A pipe would be waited for.
    if !about.is_file() {
        return Err(problem().because("it is no file"));
    }
    if about.len() > LONGEST {
        return Err(problem().because("it is longer than a megabyte"));
    }
    let bytes = std::fs::read(path).map_err(|error| problem().because(error))?;
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        problem().because(format!("line {line}: it is not UTF-8"))
    })
}

fn read(path: &Path) -> Result<Agent, Problem> {
    Agent::parse(&text(path)?).map_err(|fault| {
        Problem::new(format!("cannot use the executor `{}`: line {}", path.display(), fault.line))
            .because(fault.message)
    })
}

fn twice(path: &Path, name: &str, first: &Path) -> Problem {
    Problem::new(format!(
        "`{}` is left out: `{}` is an executor `{name}` too",
        path.display(),
        first.display()
    ))
    .hint("give one of them another name, or remove it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(base: &Path, name: &str, text: &str) {
        let path = base.join(FOLDER).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn the_project_comes_before_the_user_and_the_user_before_the_built_in() {
        let place = tempfile::tempdir().unwrap();
        let (root, home) = (place.path().join("root"), place.path().join("home"));
        put(&root, "explore.md", "---\nname: explore\n---\nproject");
        put(&home, "explore.md", "---\nname: explore\n---\nuser");
        put(&home, "review.md", "---\nname: review\n---\nuser");
        put(&home, "team/deep.md", "---\nname: deep\n---\nuser");
        put(&root, "broken.md", "no front matter");
        put(&root, "notes.txt", "no executor");
        let (agents, problems) = Agents::load(&root, Some(&home));
        assert_eq!(agents.get("explore").unwrap().body, "project");
        let hidden: Vec<Level> =
            agents.hidden_by(agents.get("explore").unwrap()).map(|agent| agent.level).collect();
        assert_eq!(hidden, [Level::User, Level::BuiltIn]);
        assert_eq!(agents.get("review").unwrap().body, "user");
        assert_eq!(agents.get("deep").unwrap().level, Level::User);
        assert!(agents.get("validate").unwrap().body.len() > 200);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let told = problems[0].full_message();
        assert!(told.contains("broken.md`: line 1: there is no front matter"), "{told}");
        let problem = agents.get("explor").unwrap_err();
        assert!(problem.first_hint().unwrap().starts_with("did you mean `explore`?"), "{problem:?}");
        // At home the two folders are one.
        let (agents, problems) = Agents::load(&home, Some(&home));
        assert_eq!((agents.get("review").unwrap().level, problems.len()), (Level::Project, 0));
    }

    #[test]
    fn what_can_not_be_used_is_named_and_hides_nothing() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        put(root, "a.md", "---\nname: one\n---\nfirst");
        put(root, "b.md", "---\nname: one\n---\nsecond");
        put(root, "bytes.md", "---\nname: x\n---\n");
        std::fs::write(root.join(FOLDER).join("bytes.md"), b"---\nname: x\n---\n\xff\xfe").unwrap();
        std::fs::create_dir(root.join(FOLDER).join("folder.md")).unwrap();
        std::os::unix::fs::symlink("/nonexistent", root.join(FOLDER).join("gone.md")).unwrap();
        std::os::unix::fs::symlink(root.join(FOLDER), root.join(FOLDER).join("round")).unwrap();
        put(root, "elsewhere/real.txt", "---\nname: linked\n---\nhere");
        std::os::unix::fs::symlink("elsewhere/real.txt", root.join(FOLDER).join("linked.md")).unwrap();
        let (agents, problems) = Agents::load(root, None);
        assert_eq!(agents.get("one").unwrap().body, "first");
        assert_eq!(agents.get("linked").unwrap().body, "here");
        let told: Vec<String> = problems.iter().map(Problem::full_message).collect();
        assert_eq!(told.len(), 4, "{told:#?}");
        for part in ["b.md` is left out: ", "bytes.md`: line 4: it is not UTF-8", "gone.md`", "leads back"] {
            assert!(told.iter().any(|told| told.contains(part)), "{part}: {told:#?}");
        }
    }
}
