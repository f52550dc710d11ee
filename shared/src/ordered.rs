//! N workers, results in the order of the input, and never more than a window of items under way.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, mpsc};
use std::thread;

/// Does the work on every item with so many threads and gives the results to the sink in the order of the items.
///
/// At most `window` items are between the input and the sink, so a slow one holds up the input, not the memory. The
/// sink runs on the calling thread; it gets `None` when no further result is there at the moment, so that it can hand on
/// what it holds. If it breaks, no further item is taken and its value is returned. The input is asked on a thread of
/// its own and may block.
pub fn map<T: Send, R: Send, B>(
    workers: usize,
    window: usize,
    input: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
    mut sink: impl FnMut(Option<R>) -> ControlFlow<B>,
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
        let mut deliver = |result| match sink(result) {
            ControlFlow::Continue(()) => None,
            ControlFlow::Break(value) => Some(value),
        };
        let broke = 'all: loop {
            let result = match results.try_recv() {
                Ok(result) => Some(result),
                Err(_) => {
                    if let Some(value) = deliver(None) {
                        break Some(value);
                    }
                    results.recv().ok()
                }
            };
            let Some((number, result)) = result else { break None };
            early.insert(number, result);
            while let Some(result) = early.remove(&next) {
                next += 1;
                if let Some(value) = deliver(Some(result)) {
                    break 'all Some(value);
                }
                let _ = give_back.try_send(());
            }
        };
        // Without these the threads end: the reader finds no token, the workers no sink.
        drop((results, give_back));
        broke
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
            if let Some(n) = n {
                under_way.fetch_sub(1, Ordering::SeqCst);
                out.push(n);
            }
            ControlFlow::Continue(())
        });
        assert!(broke.is_none());
        assert_eq!(out, (0..500).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 9, "{most:?}");
    }

    #[test]
    fn a_sink_that_has_had_enough_ends_an_endless_input() {
        let tenth = |n| if n == Some(10) { ControlFlow::Break(n) } else { ControlFlow::Continue(()) };
        assert_eq!(map(2, 4, 0u64.., |n| n, tenth), Some(Some(10)));
    }

    #[test]
    fn the_sink_is_told_when_nothing_more_is_there() {
        // The second item comes only after the first one was handed on: without the word the two would wait for ever.
        let (told, hear) = mpsc::channel();
        let input = (0..2u64).inspect(move |n| {
            if *n == 1 {
                hear.recv().unwrap();
            }
        });
        let mut held = 0;
        let broke: Option<()> = map(
            1,
            4,
            input,
            |n| n,
            |result| {
                match result {
                    Some(_) => held += 1,
                    None if held > 0 => _ = told.send(()),
                    None => {}
                }
                ControlFlow::Continue(())
            },
        );
        assert_eq!((broke, held), (None, 2));
    }
}
