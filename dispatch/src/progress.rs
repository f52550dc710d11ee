//! One line for whoever watches: how many tasks have ended, how many run, what was spent.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::Diagnostics;

/// How often the line is drawn again.
const EVERY: Duration = Duration::from_millis(100);

/// The line; nothing where nobody watches.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    drawn: Instant,
    failed: u64,
    resumed: u64,
}

impl Bar {
    /// Returns a line on a terminal, unless little is to be said or the records go there too.
    pub(crate) fn new(diagnostics: &Diagnostics) -> Bar {
        let is_alone = diagnostics.stderr_is_terminal() && !std::io::stdout().is_terminal();
        let is_wanted = is_alone && !diagnostics.is_quiet();
        let bar = is_wanted.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{elapsed:>5} {bar:24} {pos}/{len} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Bar { bar, drawn: Instant::now(), failed: 0, resumed: 0 }
    }

    pub(crate) fn came_in(&self) {
        if let Some(bar) = &self.bar {
            bar.inc_length(1);
        }
    }

    pub(crate) fn went_out(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    pub(crate) fn ended(&mut self, is_ok: bool) {
        self.failed += u64::from(!is_ok);
    }

    pub(crate) fn resumed(&mut self) {
        self.resumed += 1;
    }

    /// Draws the line, if that is due.
    pub(crate) fn draw(&mut self, running: usize, spent: f64) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.drawn.elapsed() >= EVERY) else { return };
        let mut message = format!("{running} running");
        for (count, what) in [(self.failed, "not well"), (self.resumed, "from the journal")] {
            if count > 0 {
                message.push_str(&format!(", {count} {what}"));
            }
        }
        if spent > 0.0 {
            message.push_str(&format!(", ${spent:.2}"));
        }
        bar.set_message(message);
        self.drawn = Instant::now();
    }

    /// Lets something be said without the line in its way.
    pub(crate) fn aside(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
