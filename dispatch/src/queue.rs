//! What may start now: one lane for each backend, the longest chain first, bounded per lane and in all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::schedule::Seq;

/// The tasks that may start, and how many more may run.
#[derive(Debug)]
pub(crate) struct Queue {
    lanes: Vec<Lane>,
    jobs: usize,
    running: usize,
}

#[derive(Debug)]
struct Lane {
    limit: usize,
    running: usize,
    ready: BinaryHeap<(u32, Reverse<Seq>)>,
}

impl Queue {
    /// Returns a queue of so many jobs at once, with a lane for each limit.
    pub(crate) fn new(jobs: usize, limits: impl IntoIterator<Item = Option<usize>>) -> Self {
        let lane = |limit: Option<usize>| Lane {
            limit: limit.unwrap_or(usize::MAX).max(1),
            running: 0,
            ready: BinaryHeap::new(),
        };
        Queue { lanes: limits.into_iter().map(lane).collect(), jobs: jobs.max(1), running: 0 }
    }

    /// Lets a task start in a lane when its turn comes.
    pub(crate) fn push(&mut self, lane: usize, seq: Seq, chain: u32) {
        self.lanes[lane].ready.push((chain, Reverse(seq)));
    }

    /// Takes the task with the most hanging on it, or the earliest of them, out of a lane that is not full.
    pub(crate) fn start(&mut self) -> Option<(usize, Seq)> {
        if self.running >= self.jobs {
            return None;
        }
        let open = self.lanes.iter().enumerate().filter(|(_, lane)| lane.running < lane.limit);
        let (index, _) = open
            .filter_map(|(index, lane)| Some((index, lane.ready.peek()?)))
            .max_by_key(|(_, top)| **top)?;
        let lane = &mut self.lanes[index];
        let (_, Reverse(seq)) = lane.ready.pop()?;
        lane.running += 1;
        self.running += 1;
        Some((index, seq))
    }

    /// Notes that a task of the lane has ended.
    pub(crate) fn end(&mut self, lane: usize) {
        self.lanes[lane].running -= 1;
        self.running -= 1;
    }

    /// Orders what waits by new chain lengths.
    pub(crate) fn reorder(&mut self, chain: impl Fn(Seq) -> u32) {
        for lane in &mut self.lanes {
            lane.ready = lane.ready.drain().map(|(_, seq)| (chain(seq.0), seq)).collect();
        }
    }

    /// Takes everything out that has not started.
    pub(crate) fn drain(&mut self) -> Vec<Seq> {
        let mut all: Vec<Seq> =
            self.lanes.iter_mut().flat_map(|lane| lane.ready.drain()).map(|(_, seq)| seq.0).collect();
        all.sort_unstable();
        all
    }

    /// Returns how many may start but have not.
    pub(crate) fn ready(&self) -> usize {
        self.lanes.iter().map(|lane| lane.ready.len()).sum()
    }

    /// Returns how many run.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Returns how many more may run.
    pub(crate) fn free(&self) -> usize {
        self.jobs - self.running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_chain_goes_first_then_the_input_order() {
        let mut queue = Queue::new(9, [None]);
        for (seq, chain) in [(0, 1), (1, 3), (2, 1), (3, 3)] {
            queue.push(0, seq, chain);
        }
        let order: Vec<Seq> = std::iter::from_fn(|| queue.start()).map(|(_, seq)| seq).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn a_full_lane_does_not_hold_up_another() {
        let mut queue = Queue::new(3, [Some(1), None]);
        for (lane, seq, chain) in [(0, 0, 9), (0, 1, 9), (1, 2, 1), (1, 3, 1), (1, 4, 1)] {
            queue.push(lane, seq, chain);
        }
        assert_eq!([queue.start(), queue.start(), queue.start()], [Some((0, 0)), Some((1, 2)), Some((1, 3))]);
        assert_eq!(queue.start(), None, "three jobs at once");
        queue.end(0);
        assert_eq!(queue.start(), Some((0, 1)));
        assert_eq!((queue.ready(), queue.running(), queue.free()), (1, 3, 0));
    }

    #[test]
    fn new_chain_lengths_change_the_order() {
        let mut queue = Queue::new(1, [None]);
        queue.push(0, 0, 1);
        queue.push(0, 1, 1);
        queue.reorder(|seq| seq as u32);
        assert_eq!(queue.start(), Some((0, 1)));
        assert_eq!(queue.drain(), [0]);
    }
}
