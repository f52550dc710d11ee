//! The names of tools: which there are, which change files, and how lists of them are written.

use super::front_matter::Value;

/// The tools that all backends know, in the order of the built-in executors.
pub(crate) const TOOLS: [&str; 6] = ["Read", "Write", "Edit", "Bash", "Glob", "Grep"];

/// Tools that only some agent programs have; an executor may name them, and other backends do without.
const OTHERS: [&str; 16] = [
    "Agent",
    "AskUserQuestion",
    "BashOutput",
    "ExitPlanMode",
    "KillShell",
    "LS",
    "LSP",
    "MultiEdit",
    "NotebookEdit",
    "NotebookRead",
    "Skill",
    "SlashCommand",
    "Task",
    "TodoWrite",
    "WebFetch",
    "WebSearch",
];

/// Those that change something or may do so.
pub(crate) const ACTING: [&str; 3] = ["Write", "Edit", "Bash"];

/// Returns the name of a tool without the pattern that may limit it: `Bash` of `Bash(git log:*)`.
pub(crate) fn base(tool: &str) -> &str {
    tool.split('(').next().unwrap_or(tool).trim()
}

/// Tells whether a tool changes files.
pub(crate) fn writes(tool: &str) -> bool {
    matches!(base(tool), "Write" | "Edit" | "MultiEdit" | "NotebookEdit")
}

/// Tells whether any program is known to have the tool.
pub(crate) fn is_known(tool: &str) -> bool {
    let name = base(tool);
    name == "*" || name.starts_with("mcp__") || TOOLS.contains(&name) || OTHERS.contains(&name)
}

/// Returns the tools of a value: a list, or a text with commas between them; nothing if it is neither.
pub(crate) fn listed(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Empty => Some(Vec::new()),
        Value::List(items) => Some(items.iter().map(|item| item.trim().to_owned()).collect()),
        Value::Text(text) => Some(split(text)),
        Value::Other => None,
    }
}

/// Splits at commas, but not at those between parentheses.
fn split(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let parts = text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Takes away what is not allowed: a tool with all its patterns, or one pattern.
pub(crate) fn without(tools: &mut Vec<String>, forbidden: &[String]) {
    tools.retain(|tool| !forbidden.iter().any(|name| name == "*" || name == tool || name == base(tool)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_belong_to_their_tool() {
        let mut tools = listed(&Value::Text("Read, Bash(git log:*, git diff:*),Edit,, ".into())).unwrap();
        assert_eq!(tools, ["Read", "Bash(git log:*, git diff:*)", "Edit"]);
        assert!(base(&tools[1]) == "Bash" && writes(&tools[2]) && !writes(&tools[1]));
        assert!(is_known("mcp__git__log") && is_known("Bash(ls)") && !is_known("Raed"));
        without(&mut tools, &["Bash".into()]);
        assert_eq!(tools, ["Read", "Edit"]);
        without(&mut tools, &["Edit(src/**)".into()]);
        assert_eq!(tools, ["Read", "Edit"]);
    }
}
