//! What the cross-tool tests stand on: the five programs built once, a shell of their own, fakes, and measures.
//!
//! The tests themselves are in `it/`, one file for each kind of promise; the programs they run beside the five are in
//! `src/bin/`. Nothing here looks into a tool: a test sees what a user sees, except where it compares command lines.

pub mod console;
pub mod fake_model;
pub mod graph;
pub mod random;
pub mod record;
pub mod recording;
mod shell;
pub mod tools;
mod usage;
mod wait;

pub use shell::{Output, Piped, Running, Shell};
pub use usage::Usage;
pub use wait::wait_until;
