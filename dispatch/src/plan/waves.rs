//! How a plan looks if it is read in waves, and the longest chain in it. A run has no waves: a task starts when what it
//! needs has ended.

use std::collections::HashMap;

/// The wave of each task, from 1, and the tasks of the longest chain.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Waves {
    pub(super) of: Vec<usize>,
    pub(super) critical: Vec<usize>,
}

/// Finds the waves of tasks that each come after what they need; what is not among them is there already.
pub(super) fn waves(tasks: &[(&str, &[String])]) -> Waves {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut waves = Waves::default();
    let mut before: Vec<Option<usize>> = Vec::new();
    for (index, (id, needs)) in tasks.iter().enumerate() {
        let last =
            needs.iter().filter_map(|id| known.get(id.as_str()).copied()).max_by_key(|at| waves.of[*at]);
        waves.of.push(last.map_or(1, |at| waves.of[at] + 1));
        before.push(last);
        known.insert(id, index);
    }
    // The first of those that end latest.
    let mut at = (0..tasks.len()).rev().max_by_key(|at| waves.of[*at]);
    while let Some(index) = at {
        waves.critical.push(index);
        at = before[index];
    }
    waves.critical.reverse();
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_one_wave_after_the_last_that_it_needs() {
        let needs = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let (none, a, both) = (needs(&[]), needs(&["a", "gone"]), needs(&["a", "b"]));
        let found = waves(&[("a", &none), ("x", &none), ("b", &a), ("c", &both), ("d", &a)]);
        assert_eq!(found, Waves { of: vec![1, 1, 2, 3, 2], critical: vec![0, 2, 3] });
        assert_eq!(waves(&[]), Waves::default());
    }
}
