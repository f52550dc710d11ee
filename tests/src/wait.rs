use std::time::{Duration, Instant};

/// Waits for a condition, and tells whether it came within the limit. Nothing is ever slept for and hoped.
pub fn wait_until(mut condition: impl FnMut() -> bool, limit: Duration) -> bool {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if condition() {
            return true;
        }
        if started.elapsed() > limit {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
