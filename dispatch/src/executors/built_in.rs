//! The executors that are always there: five for everyday work (seed 000), six roles of a planned project (seed 002), one for
//! what needs judgement, and one that only answers.

use super::agent::Agent;
use super::front_matter;

/// Their files, in the order in which work goes through them.
pub(crate) const FILES: [(&str, &str); 13] = [
    ("explore", include_str!("../../agents/explore.md")),
    ("validate", include_str!("../../agents/validate.md")),
    ("document", include_str!("../../agents/document.md")),
    ("implement", include_str!("../../agents/implement.md")),
    ("review", include_str!("../../agents/review.md")),
    ("orchestrate", include_str!("../../agents/orchestrate.md")),
    ("answer", include_str!("../../agents/answer.md")),
    ("architect", include_str!("../../agents/architect.md")),
    ("plan-verifier", include_str!("../../agents/plan-verifier.md")),
    ("developer", include_str!("../../agents/developer.md")),
    ("reviewer", include_str!("../../agents/reviewer.md")),
    ("debugger", include_str!("../../agents/debugger.md")),
    ("coherence", include_str!("../../agents/coherence.md")),
];

/// Returns all of them.
pub(crate) fn all() -> impl Iterator<Item = Agent> {
    FILES.iter().filter_map(|(_, text)| Agent::parse(text).ok())
}

/// Returns the file of one, with the line ends of Unix.
pub(crate) fn file(name: &str) -> Option<String> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| front_matter::normal(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_tools_and_the_tier_of_its_work() {
        let agents: Vec<Agent> = all().collect();
        assert_eq!(agents.len(), FILES.len());
        for (name, tier, tools) in [
            ("explore", 1, "Read Grep Glob"),
            ("validate", 1, "Read Bash Glob Grep"),
            ("document", 1, "Read Write Edit Glob Grep"),
            ("implement", 2, "Read Write Edit Bash Glob Grep"),
            ("review", 2, "Read Grep Glob Bash"),
            ("orchestrate", 3, "Read Write Edit Bash Glob Grep"),
            ("answer", 1, ""),
            ("architect", 3, "Read Grep Glob"),
            ("plan-verifier", 3, "Read Grep Glob"),
            ("developer", 2, "Read Write Edit Bash Glob Grep"),
            ("reviewer", 2, "Read Grep Glob Bash"),
            ("debugger", 2, "Read Grep Glob"),
            ("coherence", 2, "Read Grep Glob"),
        ] {
            let agent = agents.iter().find(|agent| agent.name == name).unwrap();
            assert_eq!(agent.tools.join(" "), tools, "{name}");
            assert_eq!(agent.writes(), tools.contains("Edit"), "{name}");
            assert_eq!(agent.documents_only, name == "document", "{name}");
            assert_eq!(agent.tier.map(|tier| tier.number()), (name != "answer").then_some(tier), "{name}");
            assert!(agent.body.len() > 200, "{name} is told what to do");
        }
    }

    #[test]
    fn each_is_without_fault_and_is_called_like_its_file() {
        for (name, text) in FILES {
            let (agent, remarks) = Agent::examine(text).unwrap();
            assert_eq!((agent.name.as_str(), remarks), (name, Vec::new()));
            assert!(text.lines().all(|line| line.chars().count() <= 150), "{name} has long lines");
        }
    }
}
