//! The native agent as a process: what it does with tools, and what no call brings it to do.

mod bounds;
mod campaign;
#[path = "../cli/harness.rs"]
#[allow(dead_code)] // shared with the tests of the command line, which use the rest
mod harness;
mod model;
mod shell;
mod site;
mod tools;
