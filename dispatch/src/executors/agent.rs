//! One executor, as its file says it.
//!
//! The format is that of `.claude/agents`. Keys that other programs want are let be; two are our own: `tier`, the tier that it
//! is made for, and `writes: documents` for one that may change files but no code.

use std::path::PathBuf;

use shared::config;
use shared::section::Tier;

use super::front_matter::{self, Entry, Fault, Value};
use super::tools;

/// Where an executor comes from; the first wins over the later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Project,
    User,
    #[default]
    BuiltIn,
}

impl Level {
    /// Returns what people are told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::Project => "project",
            Level::User => "user",
            Level::BuiltIn => "built_in",
        }
    }
}

/// An executor: who a model is to be, and what it may use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The tools it may use, without those that it may not.
    pub(crate) tools: Vec<String>,
    /// An alias such as `haiku`, or the whole name of a model.
    pub(crate) model: Option<String>,
    /// The tier it is made for, if that is known.
    pub(crate) tier: Option<Tier>,
    /// The most model turns that an attempt may take.
    pub(crate) max_turns: Option<u32>,
    /// What it changes are documents and comments, never code.
    pub(crate) documents_only: bool,
    pub(crate) body: String,
    pub(crate) level: Level,
    /// The file, unless it is built in.
    pub(crate) path: Option<PathBuf>,
}

/// Names for the newest model of a kind, and the tier of that kind.
const ALIASES: [(&str, Tier); 4] =
    [("haiku", Tier::ONE), ("sonnet", Tier::TWO), ("opus", Tier::THREE), ("fable", Tier::THREE)];

/// Returns the tier of the model that an alias stands for.
pub(crate) fn tier_of_alias(model: &str) -> Option<Tier> {
    ALIASES.iter().find(|(alias, _)| *alias == model).map(|(_, tier)| *tier)
}

impl Agent {
    /// Reads an executor.
    pub(crate) fn parse(text: &str) -> Result<Agent, Fault> {
        Agent::examine(text).map(|(agent, _)| agent)
    }

    /// Reads an executor, and says what is strange about it though it can be used.
    pub(crate) fn examine(text: &str) -> Result<(Agent, Vec<Fault>), Fault> {
        let document = front_matter::read(text)?;
        let mut agent = Agent { body: document.body, ..Agent::default() };
        let mut remarks = Vec::new();
        let (mut tools, mut forbidden, mut plans) = (None, Vec::new(), false);
        for entry in &document.entries {
            let Entry { key, line, value } = entry;
            match key.as_str() {
                "name" => agent.name = word(entry)?,
                "description" => match value {
                    Value::Text(text) => agent.description = text.trim().to_owned(),
                    Value::Empty => {}
                    _ => return Err(Fault::new(*line, "`description` has to be a text")),
                },
                "model" => {
                    let model = word(entry)?;
                    agent.model = (!matches!(model.as_str(), "" | "inherit")).then_some(model);
                }
                "tools" => tools = Some(tool_list(entry, &mut remarks)?),
                "disallowedTools" => forbidden = tool_list(entry, &mut remarks)?,
                "maxTurns" => {
                    let turns = word(entry)?;
                    let turns = turns.parse().ok().filter(|turns| *turns > 0).ok_or_else(|| {
                        Fault::new(*line, format!("`maxTurns` is `{turns}`; it has to be a number from 1"))
                    })?;
                    agent.max_turns = Some(turns);
                }
                "tier" => {
                    let tier = word(entry)?;
                    let tier = tier.parse::<Tier>().ok().filter(|tier| *tier > Tier::LOCAL);
                    agent.tier = Some(tier.ok_or_else(|| Fault::new(*line, "`tier` has to be 1, 2 or 3"))?);
                }
                "writes" => match word(entry)?.as_str() {
                    "documents" => agent.documents_only = true,
                    "" | "all" => {}
                    other => {
                        let message = format!("`writes` is `{other}`; it has to be `documents` or `all`");
                        return Err(Fault::new(*line, message));
                    }
                },
                "permissionMode" => plans = *value == Value::Text("plan".into()),
                _ => {}
            }
        }
        if agent.name.is_empty() {
            return Err(Fault::new(1, "the front matter has no `name`: add a line such as `name: explore`"));
        }
        if agent.name.contains(|c: char| c.is_control() || c == '/' || c == '\\') {
            return Err(Fault::new(1, format!("the name {:?} is no name: no slashes, one line", agent.name)));
        }
        agent.tier = agent.tier.or_else(|| agent.model.as_deref().and_then(tier_of_alias));
        // Whoever names no tools may use them all.
        let mut tools = tools.unwrap_or_else(|| vec!["*".to_owned()]);
        if tools.iter().any(|tool| tool == "*") {
            tools = tools::TOOLS.map(str::to_owned).to_vec();
        }
        tools::without(&mut tools, &forbidden);
        if plans {
            tools.retain(|tool| !tools::writes(tool));
        }
        agent.tools = tools;
        if agent.description.is_empty() {
            remarks
                .push(Fault::new(1, "there is no `description`, by which agent programs choose an executor"));
        }
        if agent.body.is_empty() {
            remarks
                .push(Fault::new(1, "there is no text after the front matter, so a model is told nothing"));
        }
        remarks.sort_by_key(|remark| remark.line);
        Ok((agent, remarks))
    }

    /// Tells whether it may change files.
    pub(crate) fn writes(&self) -> bool {
        self.tools.iter().any(|tool| tools::writes(tool))
    }
}

/// Returns a value that is one word or one number.
fn word(entry: &Entry) -> Result<String, Fault> {
    match &entry.value {
        Value::Text(text) => Ok(text.trim().to_owned()),
        Value::Empty => Ok(String::new()),
        Value::List(_) | Value::Other => {
            Err(Fault::new(entry.line, format!("`{}` has to be one value, not several", entry.key)))
        }
    }
}

fn tool_list(entry: &Entry, remarks: &mut Vec<Fault>) -> Result<Vec<String>, Fault> {
    let found = tools::listed(&entry.value).ok_or_else(|| {
        Fault::new(entry.line, format!("`{}` has to be names with commas between them, or a list", entry.key))
    })?;
    for tool in found.iter().filter(|tool| !tools::is_known(tool)) {
        let meant = config::nearest(tools::base(tool), &tools::TOOLS);
        let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        remarks.push(Fault::new(entry.line, format!("no program is known to have a tool `{tool}`{hint}")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

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
                tier: Some(Tier::ONE),
                body: "Body".into(),
                ..Agent::default()
            };
            assert_eq!(agent, expected, "{text}");
        }
        assert_eq!(Agent::parse("---\nname: x\n---\n").unwrap().tools, tools::TOOLS);
    }

    #[test]
    fn what_is_not_allowed_is_taken_away() {
        let tools =
            |head: &str| Agent::parse(&format!("---\nname: x\n{head}\n---\n")).unwrap().tools.join(" ");
        assert_eq!(tools("disallowedTools: Bash, Write, Edit"), "Read Glob Grep");
        assert_eq!(tools("tools: Read, Bash(git log:*)\ndisallowedTools: [Bash]"), "Read");
        assert_eq!(tools("permissionMode: plan"), "Read Bash Glob Grep");
        assert_eq!(tools("tools: ''"), "");
        assert_eq!(tools("tools: '*'\ndisallowedTools: Bash"), "Read Write Edit Glob Grep");
    }

    #[test]
    fn faults_and_remarks_name_their_line() {
        for (head, line, part) in [
            ("tools: Read", 1, "no `name`"),
            ("name: [a, b]", 2, "one value"),
            ("name: a/b", 1, "no slashes"),
            ("name: x\nmaxTurns: many", 3, "a number"),
            ("name: x\nmaxTurns: 0", 3, "a number"),
            ("name: x\ntier: 4", 3, "1, 2 or 3"),
            ("name: x\nmodel: y\ntools:\n  a: b", 4, "a list"),
            ("name: x\nwrites: little", 3, "`documents`"),
        ] {
            let fault = Agent::parse(&format!("---\n{head}\n---\nbody")).unwrap_err();
            assert!(fault.line == line && fault.message.contains(part), "{head}: {fault:?}");
        }
        let (_, remarks) = Agent::examine("---\nname: x\ntools: Raed\n---\n").unwrap();
        let told: Vec<(usize, &str)> = remarks.iter().map(|r| (r.line, r.message.as_str())).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[2].0 == 3 && told[2].1.ends_with("did you mean `Read`?"), "{told:?}");
    }
}
