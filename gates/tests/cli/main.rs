//! The program as a process: one test for each promise of the README, with real git repositories.

mod alone;
mod commands;
mod formats;
mod records;
mod world;
