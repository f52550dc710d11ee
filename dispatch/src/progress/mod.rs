//! For whoever watches: how many tasks have ended, which ones run, what was spent.
//!
//! What is shown is in `view`; here is when, and on what terminal.

mod view;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;
use shared::Diagnostics;

use crate::schedule::Seq;
use crate::speculate::Heat;
use view::{Counts, Running};

/// What runs: a draft of a task.
type Draft = (Seq, Heat);

/// How often it is drawn again.
const EVERY: Duration = Duration::from_millis(125);

/// How much is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// One line, and not the tasks that run.
    pub(crate) only_line: bool,
    /// With the time that is left.
    pub(crate) eta: bool,
}

/// What is drawn; nothing where nobody watches.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    wanted: Wanted,
    begun: Instant,
    drawn: Instant,
    counts: Counts,
    running: BTreeMap<Draft, Running>,
}

impl Bar {
    /// Returns a view on a terminal, unless little is to be said or the records go there too.
    pub(crate) fn new(diagnostics: &Diagnostics, wanted: Wanted, budget: Option<f64>) -> Bar {
        let is_alone = diagnostics.stderr_is_terminal() && !std::io::stdout().is_terminal();
        let is_wanted = is_alone && !diagnostics.is_quiet();
        let bar = is_wanted.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar
        });
        let now = Instant::now();
        let counts = Counts { budget, ..Counts::default() };
        Bar { bar, wanted, begun: now, drawn: now, counts, running: BTreeMap::new() }
    }

    pub(crate) fn came_in(&mut self) {
        self.counts.read += 1;
    }

    pub(crate) fn went_out(&mut self) {
        self.counts.left += 1;
    }

    /// Notes that the whole input is read, so that its length is known.
    pub(crate) fn has_all(&mut self) {
        self.counts.is_all = true;
    }

    pub(crate) fn ended(&mut self, is_ok: bool) {
        self.counts.failed += u64::from(!is_ok);
        self.counts.ended += 1;
    }

    pub(crate) fn resumed(&mut self) {
        self.counts.resumed += 1;
    }

    /// Notes that a task runs from now on; `spent_usd` is what it has cost so far.
    pub(crate) fn started(&mut self, draft: Draft, id: &str, who: String, spent_usd: f64) {
        if self.bar.is_some() {
            self.running.insert(draft, Running { id: id.to_owned(), who, spent_usd, since: Instant::now() });
        }
    }

    pub(crate) fn stopped(&mut self, draft: Draft) {
        self.running.remove(&draft);
    }

    /// Draws, if that is due. `open` is how many tasks have not ended.
    pub(crate) fn draw(&mut self, running: usize, open: usize, spent: f64) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.drawn.elapsed() >= EVERY) else { return };
        let now = Instant::now();
        self.drawn = now;
        self.counts.running = running;
        self.counts.waiting = open.saturating_sub(running);
        self.counts.spent = spent;
        let (columns, rows) = size();
        let rows = if self.wanted.only_line { 1 } else { rows };
        let elapsed = now.duration_since(self.begun);
        let eta = if self.wanted.eta { self.counts.left_time(elapsed) } else { None };
        let lines = view::lines(&self.counts, elapsed, eta, self.running.values(), now, columns, rows);
        bar.set_message(lines.join("\n"));
    }

    /// Lets something be said without the view in its way.
    pub(crate) fn aside(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// Takes the view away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Returns the columns and rows of the terminal.
fn size() -> (usize, usize) {
    let size = tcgetwinsize(std::io::stderr()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)))
}
