//! The index of a project: what each file imports, who depends on it, which tests cover it, which symbols it defines.
//!
//! It is one file, `.specpipe/index/project.bin`, which is read as it stands: nothing is decoded before somebody asks for
//! it, and paths and symbols are found by binary search. `build` walks the tree and reads what has changed, `scan` reads a
//! file, `resolve` finds out which files an import means, `graph` what follows from that, `format` is the file, and
//! `command` is `classify index`.

mod build;
mod command;
mod format;
mod graph;
mod language;
mod resolve;
mod scan;
mod show;
mod texts;

#[cfg(test)]
mod tests;

pub(crate) use build::compare;
pub use command::IndexArgs;
pub(crate) use command::is_fresh;
pub(crate) use command::run;
pub(crate) use format::{File, Index};
pub(crate) use graph::{Coverage, Reach};
pub(crate) use language::Language;
pub(crate) use show::since;
