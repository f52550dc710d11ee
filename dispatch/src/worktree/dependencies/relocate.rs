//! Paths in what package managers have installed that lead back to the checkout: in a tree they lead to the tree.
//!
//! Otherwise a test in the tree would load the checkout's code and pass for that, and an installation would change the
//! checkout: the programs of a virtual environment begin with the path of its interpreter.

use std::path::{Component, Path, PathBuf};

/// Larger files have no paths that matter.
pub(super) const MOST_TEXT: u64 = 1 << 20;

/// Returns what a link in the checkout is to lead to in the tree.
///
/// A relative link within the repository stays as it is, so that packages of a workspace are the tree's own; one out of it
/// leads where it led, and an absolute one into the repository leads to the same place of the tree.
pub(super) fn link(at: &Path, leads_to: &Path, root: &Path, tree: &Path) -> PathBuf {
    if leads_to.is_absolute() {
        return match leads_to.strip_prefix(root) {
            Ok(below) => tree.join(below),
            Err(_) => leads_to.to_owned(),
        };
    }
    let there = plain(&at.parent().unwrap_or(at).join(leads_to));
    if there.starts_with(root) { leads_to.to_owned() } else { there }
}

/// Returns a path without `.` and `..`, by its words alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// Tells whether a file may hold paths that programs go by.
pub(super) fn may_hold_paths(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let parent = path.parent().and_then(Path::file_name).unwrap_or_default();
    ["bin", ".bin", "Scripts"].iter().any(|launchers| parent == *launchers)
        || name.starts_with("__editable__")
        || [".pth", ".egg-link"].iter().any(|end| name.ends_with(end))
        || ["pyvenv.cfg", "direct_url.json", ".modules.yaml"].contains(&&*name)
}

/// Returns a text with the checkout's path replaced by the tree's; nothing if it does not have it.
pub(super) fn text(text: &[u8], root: &Path, tree: &Path) -> Option<Vec<u8>> {
    let (root, tree) = (root.to_str()?, tree.to_str()?);
    let text = std::str::from_utf8(text).ok()?;
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(root) {
        let (before, after) = (&rest[..at], &rest[at + root.len()..]);
        // Neither the end of a longer path nor the beginning of a longer name.
        let goes_on = after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'));
        let began = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'));
        replaced.push_str(before);
        replaced.push_str(if goes_on || began { root } else { tree });
        rest = after;
    }
    replaced.push_str(rest);
    (replaced != text).then(|| replaced.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_into_the_tree_or_where_they_led() {
        let at = Path::new("/home/p/node_modules/@m/core");
        for (leads_to, expected) in [
            ("../../packages/core", "../../packages/core"),
            ("../left-pad", "../left-pad"),
            ("/home/p/packages/core", "/home/p/.specpipe/t/packages/core"),
            ("/usr/bin/python3", "/usr/bin/python3"),
            ("../../../other", "/home/other"),
            ("/home/p2/x", "/home/p2/x"),
        ] {
            let leads_to =
                link(at, Path::new(leads_to), Path::new("/home/p"), Path::new("/home/p/.specpipe/t"));
            assert_eq!(leads_to, Path::new(expected));
        }
    }

    #[test]
    fn only_the_path_itself_is_replaced() {
        let replace = |given: &str| {
            let replaced = text(given.as_bytes(), Path::new("/home/p"), Path::new("/t"))?;
            String::from_utf8(replaced).ok()
        };
        assert_eq!(replace("#!/home/p/.venv/bin/python3\n").unwrap(), "#!/t/.venv/bin/python3\n");
        assert_eq!(replace("{'m': '/home/p/src/m'} /home/p").unwrap(), "{'m': '/t/src/m'} /t");
        assert_eq!(replace("file:///home/p/x").unwrap(), "file:///t/x");
        for same in ["/home/p2/x", "/home/p-old", "/old/home/p.d", "nothing", "x/home/p/y"] {
            assert_eq!(replace(same), None, "{same}");
        }
    }
}
