//! Sends every task to its executor, as parallel as its dependencies allow, and brings back what it said.

pub mod backend;
pub mod http;
pub mod local;
pub mod price;
