//! Whether an executor has the tools that a task asks for, and who does if it has not.
//!
//! `classify` knows what a task is about, not what the user says that it needs. A task that asks for a tool which acts -
//! writing files, running commands - goes to an executor of its tier that has it; if none has, it moves up (seed 000 has no
//! executor of tier 1 that may write code). Tools that only look are never a reason to move.

use shared::Problem;
use shared::section::{Task, Tier};

use super::{Agent, Agents, built_in, tools};

/// The executor and the tier of an attempt.
#[derive(Debug)]
pub(crate) struct Placement<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) tier: Tier,
    /// Why they are others than those that were wanted.
    pub(crate) moved: Option<String>,
}

/// Executors that may stand in for another: those of seed 000, which differ by their tools and not by a role.
const STAND_INS: [&str; 6] = ["explore", "validate", "document", "implement", "review", "orchestrate"];

/// Returns who does a task: the executor that was wanted, unless it lacks a tool that another has.
///
/// # Errors
/// If there is no executor of the name.
pub(crate) fn place<'a>(
    agents: &'a Agents,
    task: &Task,
    wanted: &str,
    tier: Tier,
    most: Option<Tier>,
) -> Result<Placement<'a>, Problem> {
    let agent = agents.get(wanted)?;
    let stays = |moved| Placement { agent, tier, moved };
    let lacking = lacking(agent, task);
    // Whoever names the executor, or the command, has chosen. What a whole needs, one of its parts needs, and not each.
    let is_settled = task.executor.is_some() || task.run.is_some() || task.parent.is_some();
    if lacking.is_empty() || is_settled || tier == Tier::LOCAL {
        return Ok(stays(None));
    }
    let lacks = format!("the task asks for {}, which `{wanted}` has not", listed(&lacking));
    let mut at = Some(tier);
    while let Some(now) = at.filter(|now| most.is_none_or(|most| *now <= most)) {
        if let Some(other) = stand_in(agents, task, now) {
            let moved = match now == tier {
                true => format!("{lacks}; `{}` has", other.name),
                false => format!(
                    "{lacks}, nor has any other executor of tier {tier}; `{}` of tier {now} has",
                    other.name
                ),
            };
            return Ok(Placement { agent: other, tier: now, moved: Some(moved) });
        }
        at = now.up();
    }
    let highest = most.unwrap_or(Tier::THREE);
    Ok(stays(Some(format!("{lacks}, nor has any other executor up to tier {highest}; it goes without"))))
}

/// Returns the executor of a tier that has all that a task asks for, and the least besides.
fn stand_in<'a>(agents: &'a Agents, task: &Task, tier: Tier) -> Option<&'a Agent> {
    let writes = asked(task).any(tools::writes);
    let fits = |agent: &&Agent| {
        tier_of(agent) == Some(tier)
            && lacking(agent, task).is_empty()
            && !(writes && agent.documents_only && !is_document(task))
    };
    let known = STAND_INS.iter().filter_map(|name| agents.get(name).ok());
    known.filter(fits).min_by_key(|agent| agent.tools.len())
}

/// Returns the tier that an executor is made for; a file of the user's in place of a built-in one need not say it.
fn tier_of(agent: &Agent) -> Option<Tier> {
    agent.tier.or_else(|| built_in::all().find(|known| known.name == agent.name)?.tier)
}

/// Returns the tools that act which a task asks for.
fn asked(task: &Task) -> impl Iterator<Item = &str> {
    let tools = task.tools.iter().flatten().map(String::as_str);
    tools.filter(|tool| tools::ACTING.iter().any(|acting| acting.eq_ignore_ascii_case(tools::base(tool))))
}

/// Returns the tools that act which a task asks for and an executor has not.
fn lacking<'t>(agent: &Agent, task: &'t Task) -> Vec<&'t str> {
    let has =
        |tool: &str| agent.tools.iter().any(|own| tools::base(own).eq_ignore_ascii_case(tools::base(tool)));
    asked(task).filter(|tool| !has(tool)).collect()
}

/// Tells whether all that a task may change are documents.
fn is_document(task: &Task) -> bool {
    const ENDINGS: [&str; 6] = [".md", ".mdx", ".rst", ".adoc", ".txt", ".markdown"];
    task.files_touched.as_ref().is_some_and(|globs| {
        !globs.is_empty() && globs.iter().all(|glob| ENDINGS.iter().any(|ending| glob.ends_with(ending)))
    })
}

fn listed(tools: &[&str]) -> String {
    tools.iter().map(|tool| format!("`{tool}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Returns executor, tier and reason of a task that `classify` has put on a tier.
    fn placed(task: &str, wanted: &str, tier: u8, most: Option<u8>) -> (String, u8, String) {
        let task: Task = serde_json::from_str(task).unwrap();
        let agents = Agents::load(Path::new("/nonexistent"), None).0;
        let tier = Tier::try_from(tier).unwrap();
        let most = most.map(|most| Tier::try_from(most).unwrap());
        let placement = place(&agents, &task, wanted, tier, most).unwrap();
        (placement.agent.name.clone(), placement.tier.number(), placement.moved.unwrap_or_default())
    }

    #[test]
    fn a_task_that_asks_for_more_than_its_tier_has_moves_up() {
        let (executor, tier, moved) = placed(r#"{"text":"x","tools":["Read","Edit"]}"#, "explore", 1, None);
        assert_eq!((executor.as_str(), tier), ("implement", 2));
        assert!(
            moved.contains("`Edit`") && moved.contains("tier 1") && moved.contains("`implement`"),
            "{moved}"
        );
        let (executor, tier, _) = placed(r#"{"text":"x","tools":["write","bash"]}"#, "validate", 1, None);
        assert_eq!((executor.as_str(), tier), ("implement", 2));
        let (executor, tier, _) = placed(r#"{"text":"x","tools":["Edit"]}"#, "review", 3, None);
        assert_eq!((executor.as_str(), tier), ("orchestrate", 3));
    }

    #[test]
    fn another_executor_of_its_tier_is_enough() {
        let (executor, tier, moved) = placed(r#"{"text":"x","tools":["Bash"]}"#, "explore", 1, None);
        assert_eq!((executor.as_str(), tier), ("validate", 1));
        assert!(moved.ends_with("`validate` has"), "{moved}");
        let documents = r#"{"text":"x","tools":["Edit"],"files_touched":["docs/**/*.md"]}"#;
        assert_eq!(placed(documents, "explore", 1, None).0, "document");
    }

    #[test]
    fn who_has_chosen_or_allows_no_more_is_obeyed() {
        let stays = |task: &str, most| placed(task, "explore", 1, most);
        assert_eq!(stays(r#"{"text":"x"}"#, None), ("explore".into(), 1, String::new()));
        assert_eq!(stays(r#"{"text":"x","tools":["Read","WebFetch"]}"#, None).2, "");
        assert_eq!(stays(r#"{"text":"x","tools":["Edit"],"executor":"explore"}"#, None).2, "");
        assert_eq!(stays(r#"{"text":"x","tools":["Bash"],"run":["true"]}"#, None).2, "");
        assert_eq!(stays(r#"{"text":"x","tools":["Edit"],"parent":"p"}"#, None).2, "");
        let (executor, tier, moved) = stays(r#"{"text":"x","tools":["Edit"]}"#, Some(1));
        assert_eq!((executor.as_str(), tier), ("explore", 1));
        assert!(moved.ends_with("it goes without"), "{moved}");
        assert_eq!(placed(r#"{"text":"x","tools":["Edit"]}"#, "explore", 0, None).1, 0);
    }
}
