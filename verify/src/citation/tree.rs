//! Directory trees as `tree` draws them, read back into paths.

/// Returns the paths of a drawn tree, `None` if the lines are something else.
pub(super) fn paths(lines: &[&str]) -> Option<Vec<String>> {
    lines.iter().find(|line| branch(line).is_some())?;
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut paths = Vec::new();
    for line in lines {
        let (depth, rest) = match branch(line) {
            Some((depth, rest)) => (depth + 1, rest),
            // The root, or a line between that only continues a branch.
            None if !line.trim_matches(|c| is_drawing(c) || c == ' ').is_empty() => (0, line.trim()),
            None => continue,
        };
        // What follows two blanks, a hash or a dash is a remark on the file.
        let name = rest.split([' ', '\t', '#']).next().unwrap_or_default().trim_end_matches(':');
        if name.is_empty() {
            continue;
        }
        above.retain(|(d, _)| *d < depth);
        let lead = above.last().map_or("", |(_, path)| path.as_str());
        let own = name.trim_end_matches('/');
        let path = match (lead, own) {
            (_, ".") => String::new(),
            ("", own) => own.to_owned(),
            (lead, own) => format!("{lead}/{own}"),
        };
        if depth > 0 {
            paths.push(path.clone());
        }
        above.push((depth, path));
    }
    Some(paths)
}

/// Returns the column of the branch that a line hangs on, in characters, and what hangs there.
fn branch(line: &str) -> Option<(usize, &str)> {
    let (at, mark) = ["├── ", "└── ", "├─ ", "└─ ", "|-- ", "`-- ", "+-- "]
        .iter()
        .find_map(|mark| Some((line.find(mark)?, mark)))?;
    let lead = &line[..at];
    lead.chars().all(is_drawing).then(|| (lead.chars().count(), &line[at + mark.len()..]))
}

fn is_drawing(c: char) -> bool {
    matches!(c, '│' | '|' | ' ' | '\u{a0}' | '├' | '└' | '─')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_tree_is_read_as_paths() {
        let tree = [
            "project/",
            "├── Cargo.toml",
            "├── src/              # the library",
            "│   ├── lib.rs",
            "│   └── inner",
            "│       └── deep.rs",
            "└── tests/",
            "    └── it.rs   – all of them",
        ];
        let found = paths(&tree).unwrap();
        let inside: Vec<&str> = found.iter().map(|path| path.strip_prefix("project/").unwrap()).collect();
        assert_eq!(
            inside,
            ["Cargo.toml", "src", "src/lib.rs", "src/inner", "src/inner/deep.rs", "tests", "tests/it.rs"]
        );
        assert_eq!(paths(&[".", "|-- a.rs", "`-- b", "    `-- c.rs"]).unwrap(), ["a.rs", "b", "b/c.rs"]);
        assert_eq!(paths(&["src/a.rs", "src/b.rs"]), None);
    }
}
