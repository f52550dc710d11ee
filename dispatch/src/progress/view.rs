//! The lines of the live view: one that sums up, and below it those that have been running longest.

use std::time::{Duration, Instant};

/// More tasks than this are not shown one by one.
const MOST: usize = 12;

/// Narrower than this, or lower, there is one line.
const NARROW: usize = 40;
const LOW: usize = 6;

/// How the run stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Records that have come in, and that have left.
    pub(super) read: u64,
    pub(super) left: u64,
    /// The whole input is read.
    pub(super) is_all: bool,
    /// Attempts that have ended, and those of them that did not end well.
    pub(super) ended: u64,
    pub(super) failed: u64,
    /// Results that were taken from the journal.
    pub(super) resumed: u64,
    pub(super) running: usize,
    pub(super) waiting: usize,
    /// US dollars.
    pub(super) spent: f64,
    pub(super) budget: Option<f64>,
}

impl Counts {
    /// Returns the time that is left if the rest takes as long as what has ended; nothing while that can not be said.
    pub(super) fn left_time(&self, elapsed: Duration) -> Option<Duration> {
        let done = self.ended.saturating_sub(self.resumed);
        let open = (self.running + self.waiting) as f64;
        (self.is_all && done > 0).then(|| elapsed.mul_f64((open / done as f64).min(1e6)))
    }
}

/// A task that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) id: String,
    /// Tier, executor and backend.
    pub(super) who: String,
    /// What it has cost so far, in US dollars.
    pub(super) spent_usd: f64,
    pub(super) since: Instant,
}

/// Returns the lines, none longer than the terminal is wide, and fewer than it is high.
pub(super) fn lines<'a>(
    counts: &Counts,
    elapsed: Duration,
    eta: Option<Duration>,
    running: impl Iterator<Item = &'a Running>,
    now: Instant,
    columns: usize,
    rows: usize,
) -> Vec<String> {
    // The last column stays free: some terminals go to the next line there.
    let width = columns.saturating_sub(1).max(1);
    let mut lines = vec![cut(&summary(counts, elapsed, eta, width), width)];
    if columns < NARROW || rows < LOW {
        return lines;
    }
    let mut running: Vec<&Running> = running.collect();
    running.sort_by_key(|task| task.since);
    let most = MOST.min(rows - 3);
    let widest = (width / 3).clamp(8, 40);
    let longest = running.iter().take(most).map(|task| plain(&task.id).chars().count()).max();
    let longest = longest.unwrap_or_default().min(widest);
    for task in running.iter().take(most) {
        let id = cut(&plain(&task.id), longest);
        let time = clock(now.duration_since(task.since));
        let spent = if task.spent_usd > 0.0 { format!("  ${:.2}", task.spent_usd) } else { String::new() };
        lines.push(cut(&format!("{time:>8}  {id:longest$}  {}{spent}", task.who), width));
    }
    if running.len() > most {
        lines.push(cut(&format!("{:>8}  and {} more", "", running.len() - most), width));
    }
    lines
}

fn summary(counts: &Counts, elapsed: Duration, eta: Option<Duration>, width: usize) -> String {
    let of = if counts.is_all { counts.read.to_string() } else { format!("{}+", counts.read) };
    let mut parts = vec![format!("{}/{of}", counts.left)];
    // What is asked for comes before what may be cut off.
    parts.extend(eta.map(|eta| format!("{} left", clock(eta))));
    parts.push(format!("{} running", counts.running));
    for (count, what) in [
        (counts.waiting as u64, "waiting"),
        (counts.failed, "not well"),
        (counts.resumed, "from the journal"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    match counts.budget {
        Some(budget) => parts.push(format!("${:.2} of ${budget:.2}", counts.spent)),
        None if counts.spent > 0.0 => parts.push(format!("${:.2}", counts.spent)),
        None => {}
    }
    let told = parts.join(", ");
    let time = clock(elapsed);
    // What remains of the line is the bar, if that is worth it.
    let room = width.saturating_sub(time.len() + told.chars().count() + 4).min(24);
    if room < 8 || counts.read == 0 {
        return format!("{time} {told}");
    }
    let full = (counts.left as f64 / counts.read as f64 * room as f64) as usize;
    format!("{time} [{}{}] {told}", "#".repeat(full.min(room)), "-".repeat(room - full.min(room)))
}

/// Returns a time as a clock shows it.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// Returns a text without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Returns as much of a text as fits.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tasks(count: usize, now: Instant) -> Vec<Running> {
        let task = |index: usize| Running {
            id: format!("task-{index}"),
            who: "tier 2 implement, claude".to_owned(),
            spent_usd: index as f64 / 10.0,
            since: now - Duration::from_secs(index as u64 * 10),
        };
        (0..count).map(task).collect()
    }

    #[test]
    fn the_longest_running_are_shown_below_the_sum() {
        let now = Instant::now();
        let counts = Counts {
            read: 200,
            left: 50,
            is_all: true,
            ended: 50,
            failed: 3,
            running: 20,
            waiting: 130,
            spent: 1.5,
            budget: Some(5.0),
            ..Counts::default()
        };
        let elapsed = Duration::from_secs(100);
        let eta = counts.left_time(elapsed);
        assert_eq!(eta, Some(Duration::from_secs(300)));
        let tasks = tasks(20, now);
        let lines = lines(&counts, elapsed, eta, tasks.iter(), now, 120, 40);
        assert_eq!(
            lines[0],
            "1:40 [######------------------] 50/200, 5:00 left, 20 running, 130 waiting, 3 not well, $1.50 of $5.00"
        );
        assert_eq!(lines[1], "    3:10  task-19  tier 2 implement, claude  $1.90");
        assert_eq!((lines.len(), lines[13].trim()), (14, "and 8 more"));
    }

    #[test]
    fn a_small_terminal_has_one_line() {
        let now = Instant::now();
        let tasks = tasks(20, now);
        let counts = Counts { read: 2, ..Counts::default() };
        for (columns, rows) in [(30, 50), (120, 1), (120, 5), (1, 1)] {
            assert_eq!(lines(&counts, Duration::ZERO, None, tasks.iter(), now, columns, rows).len(), 1);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_is_wider_or_higher_than_the_terminal(
            ids in prop::collection::vec("\\PC{0,60}|[\\x00-\\x20a]{0,10}", 0..30), columns in 1usize..220, rows in 1usize..60,
            read in 0u64..100_000, left in 0u64..100_000, spent in 0.0f64..1e6, budget in prop::option::of(0.0f64..1e6),
        ) {
            let now = Instant::now();
            let running: Vec<Running> = ids
                .into_iter()
                .map(|id| Running { id, who: "tier 1 explore, local".into(), spent_usd: spent, since: now })
                .collect();
            let counts = Counts { read, left, spent, budget, running: running.len(), ..Counts::default() };
            let shown = lines(&counts, Duration::from_secs(read), None, running.iter(), now, columns, rows);
            prop_assert!(shown.len() <= rows.max(1));
            for line in &shown {
                prop_assert!(line.chars().count() < columns.max(2), "{columns}: {line:?}");
                prop_assert!(!line.contains(char::is_control), "{line:?}");
            }
        }
    }
}
