//! `dispatch` as a process: every promise of its README.

mod agents;
mod backends;
mod bounds;
mod bystanders;
mod campaign;
mod control;
mod dependencies;
mod harness;
mod kinds;
mod limits;
mod merges;
mod parts;
mod queue;
mod race;
mod records;
mod replaced;
mod resume;
mod schedule;
mod supervise;
mod surface;
mod upkeep;
mod worktrees;
