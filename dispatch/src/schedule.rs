//! The graph of what is held and not finished: who waits for whom, and how much still hangs on each task.
//!
//! Knows neither records nor backends. A task is released the moment the last task that it needs has ended, whichever
//! way it ended; what that means for it is decided elsewhere. There are no waves.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The position of a record in the input, from 0.
pub(crate) type Seq = u64;

/// The 64-bit hash of an id: a million ids have to fit in a few dozen megabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct IdHash(pub(crate) u64);

impl IdHash {
    pub(crate) fn of(id: &str) -> IdHash {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        IdHash(hasher.finish())
    }
}

/// The tasks that are held, and what they wait for.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    nodes: HashMap<Seq, Node>,
    by_id: HashMap<IdHash, Seq>,
    /// Who waits for an id, whether that was read already or not.
    dependents: HashMap<IdHash, Vec<Seq>>,
    chains_are_stale: bool,
}

#[derive(Debug)]
struct Node {
    id: IdHash,
    needs: Vec<IdHash>,
    chain: u32,
}

impl Schedule {
    /// Adds a task that needs those; tells whether it needs nothing and may start.
    pub(crate) fn insert(&mut self, seq: Seq, id: IdHash, needs: impl IntoIterator<Item = IdHash>) -> bool {
        let mut needs: Vec<IdHash> = needs.into_iter().collect();
        needs.sort_unstable();
        needs.dedup();
        for need in &needs {
            self.dependents.entry(*need).or_default().push(seq);
        }
        self.chains_are_stale |= !needs.is_empty() || self.dependents.contains_key(&id);
        let is_ready = needs.is_empty();
        self.by_id.insert(id, seq);
        self.nodes.insert(seq, Node { id, needs, chain: 1 });
        is_ready
    }

    /// Returns the tasks of a cycle through this task, the earliest first, then each that the one before needs.
    ///
    /// A cycle is closed by the task of it that is read last, so asking once per task finds them all.
    pub(crate) fn cycle_through(&self, seq: Seq) -> Option<Vec<Seq>> {
        let target = self.nodes.get(&seq)?.id;
        self.dependents.get(&target)?;
        let mut seen = HashSet::from([seq]);
        let mut path = vec![(seq, 0)];
        while let Some((node, next)) = path.last_mut() {
            let Some(need) = self.nodes[node].needs.get(*next) else {
                path.pop();
                continue;
            };
            *next += 1;
            if *need == target {
                let mut cycle: Vec<Seq> = path.into_iter().map(|(seq, _)| seq).collect();
                let first =
                    cycle.iter().enumerate().min_by_key(|(_, seq)| **seq).map_or(0, |(index, _)| index);
                cycle.rotate_left(first);
                return Some(cycle);
            }
            if let Some(held) = self.by_id.get(need).filter(|held| seen.insert(**held)) {
                path.push((*held, 0));
            }
        }
        None
    }

    /// Removes a task that has ended and returns those that waited for nothing else, in input order.
    pub(crate) fn complete(&mut self, id: IdHash) -> Vec<Seq> {
        if let Some(seq) = self.by_id.remove(&id) {
            self.remove(seq);
        }
        let mut released = Vec::new();
        for seq in self.dependents.remove(&id).unwrap_or_default() {
            if let Some(node) = self.nodes.get_mut(&seq) {
                node.needs.retain(|need| *need != id);
                if node.needs.is_empty() {
                    released.push(seq);
                }
            }
        }
        released
    }

    fn remove(&mut self, seq: Seq) {
        let Some(node) = self.nodes.remove(&seq) else { return };
        for need in &node.needs {
            if let Some(waiting) = self.dependents.get_mut(need) {
                waiting.retain(|dependent| *dependent != seq);
                if waiting.is_empty() {
                    self.dependents.remove(need);
                }
            }
        }
    }

    /// Returns the tasks that wait for something, in input order, each with the ids that were never read.
    pub(crate) fn stranded(&self) -> Vec<(Seq, Vec<IdHash>)> {
        let mut stranded: Vec<_> = self
            .nodes
            .iter()
            .map(|(seq, node)| {
                let unknown = node.needs.iter().filter(|need| !self.by_id.contains_key(need));
                (*seq, unknown.copied().collect::<Vec<_>>())
            })
            .filter(|(_, unknown)| !unknown.is_empty())
            .collect();
        stranded.sort_unstable_by_key(|(seq, _)| *seq);
        stranded
    }

    /// Returns the number of tasks on the longest chain that starts with this one and that nothing has run of yet.
    pub(crate) fn chain(&self, seq: Seq) -> u32 {
        self.nodes.get(&seq).map_or(1, |node| node.chain)
    }

    /// Brings the chain lengths up to date and tells whether any may have changed.
    ///
    /// Done when there is a choice to make, not whenever a record is read: a long chain that is read in order would
    /// otherwise cost the square of its length.
    pub(crate) fn measure_chains(&mut self) -> bool {
        if !std::mem::take(&mut self.chains_are_stale) {
            return false;
        }
        let mut open: HashMap<Seq, usize> = HashMap::with_capacity(self.nodes.len());
        let mut ends = VecDeque::new();
        for (seq, node) in &mut self.nodes {
            node.chain = 1;
            let dependents = self.dependents.get(&node.id).map_or(0, Vec::len);
            if dependents == 0 {
                ends.push_back(*seq);
            } else {
                open.insert(*seq, dependents);
            }
        }
        while let Some(seq) = ends.pop_front() {
            let node = &self.nodes[&seq];
            let chain = node.chain + 1;
            for need in node.needs.clone() {
                let Some(held) = self.by_id.get(&need).copied() else { continue };
                if let Some(node) = self.nodes.get_mut(&held) {
                    node.chain = node.chain.max(chain);
                }
                if let Some(count) = open.get_mut(&held) {
                    *count -= 1;
                    if *count == 0 {
                        ends.push_back(held);
                    }
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u64) -> IdHash {
        IdHash(number)
    }

    fn schedule(edges: &[(u64, &[u64])]) -> (Schedule, Vec<Seq>) {
        let mut schedule = Schedule::default();
        let mut ready = Vec::new();
        for (seq, needs) in edges {
            if schedule.insert(*seq, id(*seq), needs.iter().copied().map(id)) {
                ready.push(*seq);
            }
        }
        (schedule, ready)
    }

    #[test]
    fn a_task_is_released_by_the_last_task_that_it_needs() {
        let (mut schedule, ready) = schedule(&[(0, &[]), (1, &[0, 2]), (2, &[]), (3, &[1])]);
        assert_eq!(ready, [0, 2]);
        assert!(schedule.complete(id(0)).is_empty());
        assert_eq!(schedule.complete(id(2)), [1]);
        assert_eq!(schedule.complete(id(1)), [3]);
    }

    #[test]
    fn a_dependency_may_be_read_after_its_dependents() {
        let (mut schedule, ready) = schedule(&[(0, &[7]), (7, &[])]);
        assert_eq!(ready, [7]);
        assert_eq!(schedule.complete(id(7)), [0]);
    }

    #[test]
    fn a_task_named_twice_is_needed_once() {
        let (mut schedule, _) = schedule(&[(0, &[]), (1, &[0, 0])]);
        assert_eq!(schedule.complete(id(0)), [1]);
    }

    #[test]
    fn a_cycle_is_found_by_the_task_that_closes_it() {
        let (mut schedule, _) = schedule(&[(0, &[2]), (1, &[0])]);
        assert_eq!((schedule.cycle_through(0), schedule.cycle_through(1)), (None, None));
        schedule.insert(2, id(2), [id(1)]);
        assert_eq!(schedule.cycle_through(2), Some(vec![0, 2, 1]));
        schedule.insert(9, id(9), [id(9)]);
        assert_eq!(schedule.cycle_through(9), Some(vec![9]));
    }

    #[test]
    fn what_hangs_on_a_task_is_the_longest_chain() {
        let (mut schedule, _) = schedule(&[(0, &[]), (1, &[]), (2, &[1]), (3, &[2, 0]), (4, &[0])]);
        assert!(schedule.measure_chains());
        let chains: Vec<u32> = (0..5).map(|seq| schedule.chain(seq)).collect();
        assert_eq!(chains, [2, 3, 2, 1, 1]);
        assert!(!schedule.measure_chains());
    }

    #[test]
    fn ids_that_were_never_read_are_told() {
        let (schedule, _) = schedule(&[(0, &[8]), (1, &[0]), (2, &[])]);
        assert_eq!(schedule.stranded(), [(0, vec![id(8)])]);
    }

    proptest! {
        /// Any acyclic graph, read in any order, with tasks ending in any order: each starts once, and never before what it needs.
        #[test]
        fn everything_runs_once_and_after_what_it_needs(
            needs in proptest::collection::vec(proptest::collection::vec(0u64..40, 0..4), 1..40),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 40),
            ends in proptest::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let needs: Vec<Vec<u64>> = needs
                .into_iter()
                .enumerate()
                .map(|(task, needs)| needs.into_iter().filter(|need| *need < task as u64).collect())
                .collect();
            let mut unread: Vec<u64> = (0..needs.len() as u64).collect();
            let mut schedule = Schedule::default();
            let (mut running, mut ended) = (Vec::new(), HashSet::new());
            let mut step = 0;
            while !unread.is_empty() || !running.is_empty() {
                if !unread.is_empty() {
                    let task = unread.remove(order[step % order.len()].index(unread.len()));
                    let open = needs[task as usize].iter().filter(|need| !ended.contains(*need));
                    if schedule.insert(task, id(task), open.copied().map(id)) {
                        running.push(task);
                    }
                    prop_assert_eq!(schedule.cycle_through(task), None);
                }
                if !running.is_empty() {
                    let task = running.remove(ends[step % ends.len()].index(running.len()));
                    prop_assert!(needs[task as usize].iter().all(|need| ended.contains(need)));
                    prop_assert!(ended.insert(task));
                    running.extend(schedule.complete(id(task)));
                }
                schedule.measure_chains();
                step += 1;
            }
            prop_assert_eq!(ended.len(), needs.len());
        }
    }
}
