//! Stands in for the queue where the program was built without one: says so, and is never anything.

use std::collections::HashSet;
use std::path::Path;

use shared::{Diagnostics, Problem};

use super::address::Queue;
use super::carry::Wanted;
use super::wire::{Draft, Order, Report};
use super::{Outcome, Taken, Told};

pub(crate) struct Exchange {
    pub(crate) reply: String,
    pub(crate) early: Vec<(u64, Report)>,
    pub(crate) present: HashSet<String>,
}

impl Exchange {
    pub(crate) fn open(
        _: &Queue,
        _: Option<&Path>,
        _: bool,
        _: &Diagnostics,
        _: impl Fn(Told) + Clone + Send + Sync + 'static,
    ) -> Result<Exchange, Problem> {
        Err(missing())
    }

    pub(crate) fn order(&self, _: Order, _: Option<Wanted>) {}

    pub(crate) fn confirm(&self, _: u64) {}

    pub(crate) fn withdraw(&self, _: &str) {}

    pub(crate) fn withdraw_all(&self) {}

    pub(crate) fn close(&mut self) {}
}

pub(crate) struct Serve {
    pub(crate) name: String,
}

impl Serve {
    pub(crate) fn start(
        _: &Queue,
        _: Option<&str>,
        _: usize,
        _: (&Path, &Path),
        _: &Diagnostics,
        _: impl Fn(Taken) + Clone + Send + Sync + 'static,
    ) -> Result<Serve, Problem> {
        Err(missing())
    }

    pub(crate) fn tell(&self, _: Draft, _: Outcome) {}

    pub(crate) fn stop(&self) {}

    pub(crate) fn close(&mut self) {}
}

fn missing() -> Problem {
    Problem::new("this dispatch was built without the feature `nats`, so it knows no queue")
        .hint("build it with `cargo build --features nats`")
}
