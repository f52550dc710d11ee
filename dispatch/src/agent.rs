//! Executors as Markdown files: front matter with name, description, tools and model, then the text that a model is told
//! before the task.
//!
//! The format is that of `.claude/agents`. A file of the project comes before one of the user, and that before the built-in
//! one of the same name.

use std::path::Path;

use shared::{Problem, config};

/// All tools there are.
const TOOLS: [&str; 6] = ["Read", "Write", "Edit", "Bash", "Glob", "Grep"];

const BUILT_IN: [&str; 7] = [
    include_str!("../agents/explore.md"),
    include_str!("../agents/validate.md"),
    include_str!("../agents/document.md"),
    include_str!("../agents/implement.md"),
    include_str!("../agents/review.md"),
    include_str!("../agents/orchestrate.md"),
    include_str!("../agents/answer.md"),
];

/// An executor: who a model is to be, and what it may use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) tools: Vec<String>,
    pub(crate) model: Option<String>,
    pub(crate) body: String,
}

/// The executors that are known.
#[derive(Debug)]
pub(crate) struct Agents {
    all: Vec<Agent>,
}

impl Agents {
    /// Reads the executors of the project and of the user; broken files are returned as problems.
    pub(crate) fn load(root: &Path, home: Option<&Path>) -> (Agents, Vec<Problem>) {
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        for base in [Some(root), home].into_iter().flatten() {
            let Ok(entries) = std::fs::read_dir(base.join(".claude/agents")) else { continue };
            let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort();
            for path in
                paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            {
                let problem = || Problem::new(format!("cannot read the executor `{}`", path.display()));
                match std::fs::read_to_string(path) {
                    Ok(text) => match Agent::parse(&text) {
                        Ok(agent) => all.push(agent),
                        Err(error) => problems.push(problem().because(error)),
                    },
                    Err(error) => problems.push(problem().because(error)),
                }
            }
        }
        all.extend(BUILT_IN.iter().filter_map(|text| Agent::parse(text).ok()));
        (Agents { all }, problems)
    }

    /// Returns the executors that are used, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Agent> {
        let mut names = std::collections::BTreeMap::new();
        for agent in &self.all {
            names.entry(agent.name.as_str()).or_insert(agent);
        }
        names.into_values()
    }

    /// Returns the executor of that name.
    pub(crate) fn get(&self, name: &str) -> Result<&Agent, Problem> {
        self.all.iter().find(|agent| agent.name == name).ok_or_else(|| {
            let mut names: Vec<&str> = self.all.iter().map(|agent| agent.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let hint = match config::nearest(name, &names) {
                Some(nearest) => format!("did you mean `{nearest}`? known are {}", names.join(", ")),
                None => format!("known are {}; more can be put into .claude/agents", names.join(", ")),
            };
            Problem::new(format!("there is no executor `{name}`")).hint(hint)
        })
    }
}

impl Agent {
    /// Tells whether it may change files.
    pub(crate) fn writes(&self) -> bool {
        self.tools.iter().any(|tool| matches!(tool.as_str(), "Write" | "Edit"))
    }

    fn parse(text: &str) -> Result<Agent, Problem> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let problem = || {
            Problem::new("there is no front matter").hint("begin with a line `---`, keys, and a line `---`")
        };
        let (head, body) = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n").or_else(|| Some((rest.strip_suffix("\n---")?, ""))))
            .ok_or_else(problem)?;
        let mut agent = Agent { body: body.trim().to_owned(), ..Agent::default() };
        let mut tools = None;
        let mut lines = head.lines().peekable();
        while let Some(line) = lines.next() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = unquoted(value);
            match key {
                "name" => agent.name = value.to_owned(),
                "model" if !matches!(value, "" | "inherit") => agent.model = Some(value.to_owned()),
                // A comma-separated string, a flow list, or a block list.
                "tools" if value.is_empty() => {
                    let mut list = Vec::new();
                    while let Some(item) = lines.next_if(|line| line.trim_start().starts_with("- ")) {
                        list.push(unquoted(item.trim_start().trim_start_matches("- ")).to_owned());
                    }
                    tools = Some(list);
                }
                "tools" => {
                    let value = value.trim_start_matches('[').trim_end_matches(']');
                    let list = value.split(',').map(|tool| unquoted(tool).to_owned());
                    tools = Some(list.filter(|tool| !tool.is_empty()).collect());
                }
                _ => {}
            }
        }
        if agent.name.is_empty() {
            return Err(
                Problem::new("the front matter has no `name`").hint("add a line such as `name: explore`")
            );
        }
        // Whoever names no tools may use them all.
        let mut tools = tools.unwrap_or_else(|| vec!["*".to_owned()]);
        if tools.iter().any(|tool| tool == "*") {
            tools = TOOLS.map(str::to_owned).to_vec();
        }
        agent.tools = tools;
        Ok(agent)
    }
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> Agents {
        Agents::load(Path::new("/nonexistent"), None).0
    }

    #[test]
    fn the_built_in_executors_have_the_tools_of_their_work() {
        let agents = built_in();
        for (name, tools) in [
            ("explore", "Read Grep Glob"),
            ("validate", "Read Bash Glob Grep"),
            ("document", "Read Write Edit Glob Grep"),
            ("implement", "Read Write Edit Bash Glob Grep"),
            ("review", "Read Grep Glob Bash"),
            ("orchestrate", "Read Write Edit Bash Glob Grep"),
            ("answer", ""),
        ] {
            let agent = agents.get(name).unwrap();
            assert_eq!(agent.tools.join(" "), tools, "{name}");
            assert_eq!(agent.writes(), tools.contains("Edit"), "{name}");
            assert!(agent.body.len() > 200, "{name} is told what to do");
        }
        assert_eq!(agents.all.len(), BUILT_IN.len());
    }

    #[test]
    fn tools_are_read_in_all_three_ways_of_writing_them() {
        for text in [
            "---\nname: x\ntools: Read, Grep\nmodel: haiku\n---\nBody\n",
            "---\nname: 'x'\nmodel: \"haiku\"\ntools: [Read, \"Grep\"]\ncolor: red\n---\n\nBody",
            "---\r\nname: x\r\ntools:\r\n  - Read\r\n  - Grep\r\nmodel: haiku\r\n---\r\nBody\r\n",
        ] {
            let agent = Agent::parse(text).unwrap();
            let expected = Agent {
                name: "x".into(),
                tools: vec!["Read".into(), "Grep".into()],
                model: Some("haiku".into()),
                body: "Body".into(),
            };
            assert_eq!(agent, expected, "{text}");
        }
        assert_eq!(Agent::parse("---\nname: x\n---\n").unwrap().tools, TOOLS);
        assert!(Agent::parse("name: x").is_err() && Agent::parse("---\ntools: Read\n---\n").is_err());
    }

    #[test]
    fn the_project_comes_before_the_user_and_the_user_before_the_built_in() {
        let place = tempfile::tempdir().unwrap();
        let (root, home) = (place.path().join("root"), place.path().join("home"));
        let write = |base: &Path, name: &str, body: &str| {
            let folder = base.join(".claude/agents");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{name}.md")), format!("---\nname: {name}\n---\n{body}"))
                .unwrap();
        };
        write(&root, "explore", "project");
        write(&home, "explore", "user");
        write(&home, "review", "user");
        std::fs::write(root.join(".claude/agents/broken.md"), "no front matter").unwrap();
        let (agents, problems) = Agents::load(&root, Some(&home));
        assert_eq!(agents.get("explore").unwrap().body, "project");
        assert_eq!(agents.get("review").unwrap().body, "user");
        assert!(agents.get("validate").unwrap().body.len() > 200);
        assert_eq!(problems.len(), 1);
        let problem = agents.get("explor").unwrap_err();
        assert!(problem.first_hint().unwrap().starts_with("did you mean `explore`?"), "{problem:?}");
    }
}
