//! What the five programs of specpipe have in common: the record and its sections, lines in and out, errors as data,
//! exit codes, configuration, diagnostics, child processes, and work in order.
//!
//! Code moves in here when a second program needs it. Nothing here knows any of the programs.

mod common;
pub mod config;
pub mod diagnostic;
mod exit;
pub mod failures;
pub mod git;
mod group;
pub mod interrupt;
mod io;
pub mod lines;
pub mod notes;
pub mod ordered;
pub mod price;
pub mod problem;
pub mod process;
pub mod project;
mod record;
pub mod section;
mod stage;
pub mod state;
pub mod tiers;
pub mod units;
pub mod warden;
pub mod writer;

pub use common::{Color, CommandLine, Common, Generate, MAX_LINE, main};
pub use diagnostic::Diagnostics;
pub use exit::Exit;
pub use io::{Io, Memory};
pub use problem::Problem;
pub use record::Record;
pub use stage::{FilterOptions, Stage, filter, processors};
