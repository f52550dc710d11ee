//! N workers, results in the order of the input, and never more than a window of items under way.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, mpsc};
use std::thread;

/// Does the work on every item with so many threads and gives the results to the sink in the order of the items.
///
/// At most `window` items are between the input and the sink, so a slow one holds up the input, not the memory. The
/// sink runs on the calling thread; if it breaks, no further item is taken and its value is returned. The input is
/// asked on a thread of its own and may block.
pub fn map<T: Send, R: Send, B>(
    workers: usize,
    window: usize,
    input: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
    mut sink: impl FnMut(R) -> ControlFlow<B>,
) -> Option<B> {
    let window = window.max(1);
    // A token for each place in the window: taken before an item is, given back when its result has left.
    let (give_back, tokens) = mpsc::sync_channel::<()>(window);
    for _ in 0..window {
        let _ = give_back.send(());
    }
    let (to_workers, items) = mpsc::channel::<(u64, T)>();
    let (to_sink, results) = mpsc::channel::<(u64, R)>();
    let items = Mutex::new(items);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut number = 0;
            let mut input = input;
            while tokens.recv().is_ok() {
                let Some(item) = input.next() else { break };
                if to_workers.send((number, item)).is_err() {
                    break;
                }
                number += 1;
            }
        });
        for _ in 0..workers.max(1) {
            let (to_sink, items, work) = (to_sink.clone(), &items, &work);
            scope.spawn(move || {
                loop {
                    let next = items.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv();
                    let Ok((number, item)) = next else { break };
                    if to_sink.send((number, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(to_sink);
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (number, result) in &results {
            early.insert(number, result);
            while let Some(result) = early.remove(&next) {
                next += 1;
                if let ControlFlow::Break(value) = sink(result) {
                    // Dropping these ends the threads: the reader finds no token, the workers no sink.
                    drop((results, give_back));
                    return Some(value);
                }
                let _ = give_back.try_send(());
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_input_and_the_window_holds() {
        let under_way = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let input = (0..500u64).inspect(|_| {
            most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        });
        let mut out = Vec::new();
        let work = |n: u64| {
            let spin = (n * 7919) % 1000;
            (0..spin * 50).fold(n, |a, b| std::hint::black_box(a ^ b ^ b))
        };
        let broke: Option<()> = map(4, 8, input, work, |n| {
            under_way.fetch_sub(1, Ordering::SeqCst);
            out.push(n);
            ControlFlow::Continue(())
        });
        assert!(broke.is_none());
        assert_eq!(out, (0..500).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 9, "{most:?}");
    }

    #[test]
    fn a_sink_that_has_had_enough_ends_an_endless_input() {
        let broke = map(
            2,
            4,
            0u64..,
            |n| n,
            |n| if n == 10 { ControlFlow::Break(n) } else { ControlFlow::Continue(()) },
        );
        assert_eq!(broke, Some(10));
    }
}
