//! Tasks that sleep and wait for each other, and the least time that any scheduler needs for them.

use std::fmt::Write;
use std::time::Duration;

use crate::random::Random;

/// A graph of sleeping tasks. A task depends on tasks before it only, so there is no cycle.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The tasks: how long each sleeps, and the positions of those it waits for.
    pub tasks: Vec<(Duration, Vec<usize>)>,
}

impl Graph {
    /// Returns a random graph: each task waits for up to three of the `reach` tasks before it and sleeps up to `longest`.
    pub fn random(seed: u64, count: usize, reach: usize, longest: Duration) -> Graph {
        let mut random = Random::new(seed);
        let tasks = (0..count)
            .map(|position| {
                let sleep = longest.mul_f64(0.1 + 0.9 * random.unit());
                let wanted = if position == 0 { 0 } else { random.below(4) };
                let mut dependencies: Vec<usize> =
                    (0..wanted).map(|_| position - 1 - random.below(reach.min(position))).collect();
                dependencies.sort_unstable();
                dependencies.dedup();
                (sleep, dependencies)
            })
            .collect();
        Graph { tasks }
    }

    /// Returns the length of the longest chain.
    pub fn critical_path(&self) -> Duration {
        let mut ends: Vec<Duration> = Vec::with_capacity(self.tasks.len());
        for (sleep, dependencies) in &self.tasks {
            let ready = dependencies.iter().map(|position| ends[*position]).max().unwrap_or_default();
            ends.push(ready + *sleep);
        }
        ends.into_iter().max().unwrap_or_default()
    }

    /// Returns the least time that so many workers need: the longest chain, or all work evenly shared.
    pub fn bound(&self, workers: usize) -> Duration {
        let total: Duration = self.tasks.iter().map(|(sleep, _)| *sleep).sum();
        self.critical_path().max(total / workers as u32)
    }

    /// Returns the tasks as records for `dispatch`, in an order of their own, each a `sleep` by `task.run`.
    pub fn records(&self, order: &mut Random) -> String {
        let mut positions: Vec<usize> = (0..self.tasks.len()).collect();
        for last in (1..positions.len()).rev() {
            positions.swap(last, order.below(last + 1));
        }
        let mut text = String::new();
        for position in positions {
            let (sleep, dependencies) = &self.tasks[position];
            let dependencies: Vec<String> =
                dependencies.iter().map(|position| format!("\"s{position}\"")).collect();
            let _ = writeln!(
                text,
                r#"{{"id":"s{position}","task":{{"text":"sleep","run":["sleep","{:.4}"],"depends_on":[{}]}}}}"#,
                sleep.as_secs_f64(),
                dependencies.join(",")
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_longest_chain_or_the_shared_work() {
        let second = Duration::from_secs(1);
        let graph = Graph {
            tasks: vec![(second, vec![]), (second, vec![0]), (second, vec![]), (second, vec![0, 1])],
        };
        assert_eq!(graph.critical_path(), 3 * second);
        assert_eq!(graph.bound(4), 3 * second);
        assert_eq!(graph.bound(1), 4 * second);
    }
}
