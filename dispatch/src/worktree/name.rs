//! Names of trees: what of an id can be a file and a branch.

/// Returns an id as a name that is fine for a file and a branch.
pub(crate) fn name_of(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !id.is_empty() && id.len() <= 60 && id.chars().all(is_plain) && !id.starts_with('-') {
        return id.to_owned();
    }
    // Two ids that look alike after this must not meet.
    let plain: String = id.chars().filter(|c| is_plain(*c)).take(40).collect();
    format!("{}-{}", plain.trim_start_matches('-'), &blake3::hash(id.as_bytes()).to_hex()[..8])
}

/// The branches that work is done on are below this.
pub(super) const BRANCHES: &str = "specpipe/";

/// Returns the branch of the tree with this name.
pub(super) fn branch_of(name: &str) -> String {
    format!("{BRANCHES}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names_that_do_not_meet() {
        assert_eq!(name_of("t1-a_b"), "t1-a_b");
        for odd in ["", "../../x", "a/b", "a b", "-x", "ü", "a..b", &"x".repeat(100)] {
            let name = name_of(odd);
            assert!(
                name.len() <= 60 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
                "{name}"
            );
        }
        assert_ne!(name_of("a/b"), name_of("a.b"));
    }
}
