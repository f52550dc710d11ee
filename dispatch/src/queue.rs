//! What may start now: one lane for each backend, the longest chain first, bounded per lane, per tier and in all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use shared::section::Tier;

/// How many tiers there are, 0 among them.
const TIERS: usize = 4;

/// The tasks that may start, and how many more may run.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    lanes: Vec<Lane<T>>,
    tiers: [Places; TIERS],
    jobs: usize,
    running: usize,
}

/// How many run, and how many may.
#[derive(Clone, Copy, Debug)]
struct Places {
    limit: usize,
    running: usize,
}

#[derive(Debug)]
struct Lane<T> {
    places: Places,
    /// By tier.
    ready: [BinaryHeap<(u32, Reverse<T>)>; TIERS],
}

impl Places {
    fn new(limit: Option<usize>) -> Places {
        Places { limit: limit.unwrap_or(usize::MAX).max(1), running: 0 }
    }

    fn is_free(&self) -> bool {
        self.running < self.limit
    }
}

/// Where a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) lane: usize,
    pub(crate) tier: Tier,
}

impl<T: Ord + Copy> Queue<T> {
    /// Returns a queue of so many jobs at once, with a lane for each limit.
    pub(crate) fn new(jobs: usize, limits: impl IntoIterator<Item = Option<usize>>) -> Self {
        let lane = |limit: Option<usize>| Lane { places: Places::new(limit), ready: Default::default() };
        Queue {
            lanes: limits.into_iter().map(lane).collect(),
            tiers: [Places::new(None); TIERS],
            jobs: jobs.max(1),
            running: 0,
        }
    }

    /// Limits how many tasks of each tier run at once, from tier 0 on.
    pub(crate) fn with_tiers(mut self, limits: [Option<usize>; TIERS]) -> Self {
        self.tiers = limits.map(Places::new);
        self
    }

    /// Lets a task start at a place when its turn comes.
    pub(crate) fn push(&mut self, place: Place, task: T, chain: u32) {
        self.lanes[place.lane].ready[index(place.tier)].push((chain, Reverse(task)));
    }

    /// Takes the task with the most hanging on it, or the earliest of them, from a place that is open and not full.
    pub(crate) fn start(&mut self, is_open: impl Fn(Place) -> bool) -> Option<(Place, T)> {
        if self.running >= self.jobs {
            return None;
        }
        let mut best = None;
        for (lane, state) in self.lanes.iter().enumerate().filter(|(_, state)| state.places.is_free()) {
            for (number, heap) in state.ready.iter().enumerate() {
                let (Some(top), Ok(tier)) = (heap.peek(), Tier::try_from(number as u8)) else { continue };
                let place = Place { lane, tier };
                if self.tiers[number].is_free() && best.is_none_or(|(best, _)| top > best) && is_open(place) {
                    best = Some((top, place));
                }
            }
        }
        let (_, place) = best?;
        let (_, Reverse(task)) = self.lanes[place.lane].ready[index(place.tier)].pop()?;
        self.lanes[place.lane].places.running += 1;
        self.tiers[index(place.tier)].running += 1;
        self.running += 1;
        Some((place, task))
    }

    /// Notes that a task has ended at a place.
    pub(crate) fn end(&mut self, place: Place) {
        self.lanes[place.lane].places.running -= 1;
        self.tiers[index(place.tier)].running -= 1;
        self.running -= 1;
    }

    /// Orders what waits by new chain lengths.
    pub(crate) fn reorder(&mut self, chain: impl Fn(T) -> u32) {
        for heap in self.lanes.iter_mut().flat_map(|lane| &mut lane.ready) {
            *heap = heap.drain().map(|(_, task)| (chain(task.0), task)).collect();
        }
    }

    /// Takes everything out that has not started.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        (0..self.lanes.len()).flat_map(|lane| self.drain_lane(lane)).collect()
    }

    /// Takes everything out of a lane that has not started.
    pub(crate) fn drain_lane(&mut self, lane: usize) -> Vec<T> {
        let heaps = self.lanes[lane].ready.iter_mut();
        let mut all: Vec<T> = heaps.flat_map(|heap| heap.drain()).map(|(_, task)| task.0).collect();
        all.sort_unstable();
        all
    }

    /// Returns how many may start but have not.
    pub(crate) fn ready(&self) -> usize {
        self.lanes.iter().flat_map(|lane| &lane.ready).map(BinaryHeap::len).sum()
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

fn index(tier: Tier) -> usize {
    usize::from(tier.number()).min(TIERS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Seq;

    fn at(lane: usize) -> Place {
        Place { lane, tier: Tier::ONE }
    }

    fn start(queue: &mut Queue<Seq>) -> Option<(usize, Seq)> {
        queue.start(|_| true).map(|(place, seq)| (place.lane, seq))
    }

    #[test]
    fn the_longest_chain_goes_first_then_the_input_order() {
        let mut queue = Queue::new(9, [None]);
        for (seq, chain) in [(0, 1), (1, 3), (2, 1), (3, 3)] {
            queue.push(at(0), seq, chain);
        }
        let order: Vec<Seq> = std::iter::from_fn(|| start(&mut queue)).map(|(_, seq)| seq).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn a_full_lane_does_not_hold_up_another() {
        let mut queue = Queue::new(3, [Some(1), None]);
        for (lane, seq, chain) in [(0, 0, 9), (0, 1, 9), (1, 2, 1), (1, 3, 1), (1, 4, 1)] {
            queue.push(at(lane), seq, chain);
        }
        let first = [start(&mut queue), start(&mut queue), start(&mut queue)];
        assert_eq!(first, [Some((0, 0)), Some((1, 2)), Some((1, 3))]);
        assert_eq!(start(&mut queue), None, "three jobs at once");
        queue.end(at(0));
        assert_eq!(start(&mut queue), Some((0, 1)));
        assert_eq!((queue.ready(), queue.running(), queue.free()), (1, 3, 0));
    }

    #[test]
    fn a_full_tier_does_not_hold_up_another_in_the_same_lane() {
        let mut queue = Queue::new(9, [None]).with_tiers([None, None, None, Some(1)]);
        let place = |tier| Place { lane: 0, tier };
        for (tier, seq, chain) in [(Tier::THREE, 0, 9), (Tier::THREE, 1, 9), (Tier::ONE, 2, 1)] {
            queue.push(place(tier), seq, chain);
        }
        assert_eq!(
            [start(&mut queue), start(&mut queue), start(&mut queue)],
            [Some((0, 0)), Some((0, 2)), None]
        );
        queue.end(place(Tier::THREE));
        assert_eq!(start(&mut queue), Some((0, 1)));
    }

    #[test]
    fn a_closed_place_does_not_hold_up_another() {
        let mut queue = Queue::new(9, [None, None]);
        queue.push(at(0), 0, 9);
        queue.push(at(1), 1, 1);
        assert_eq!(queue.start(|place| place.lane == 1), Some((at(1), 1)));
        assert_eq!(queue.start(|place| place.lane == 1), None);
        assert_eq!(queue.drain_lane(0), [0]);
    }

    #[test]
    fn new_chain_lengths_change_the_order() {
        let mut queue = Queue::new(1, [None]);
        queue.push(at(0), 0, 1);
        queue.push(at(0), 1, 1);
        queue.reorder(|seq| seq as u32);
        assert_eq!(start(&mut queue), Some((0, 1)));
        assert_eq!(queue.drain(), [0]);
    }
}
