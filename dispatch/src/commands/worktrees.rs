//! `dispatch worktrees`: which trees there are, and putting them in order.

use std::time::Duration;

use clap::Subcommand;
use shared::units::{format_duration, parse_duration};
use shared::{Common, Exit, Io, Problem};

use super::Place;
use crate::worktree::housekeeping::{Fate, Keeper, Selection};
use crate::worktree::inventory::Tree;

/// List, prune and repair the worktrees that work was done in
///
/// A worktree is active (somebody works in it), dirty (something in it is not committed), finished (its work is on its branch
/// alone), merged (it is in another branch too) or an orphan (there is no work in it).
#[derive(Clone, Debug, clap::Args)]
pub struct WorktreesArgs {
    /// What to do with them
    #[command(subcommand)]
    pub command: WorktreesCommand,
}

/// What can be done with worktrees.
#[derive(Clone, Debug, Subcommand)]
pub enum WorktreesCommand {
    /// List them with the task, the state, the age and the size
    List {
        /// Write an object a line
        #[arg(long)]
        json: bool,
    },
    /// Remove those that are merged or have no work in them, with their branches; never one in use
    Prune {
        /// Only those that were made so long ago
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        older_than: Option<Duration>,
        /// Also those whose work is not merged; their branches stay
        #[arg(long)]
        all: bool,
        /// With --all: also their branches, and what is not committed
        #[arg(long, requires = "all")]
        force: bool,
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Write an object a line
        #[arg(long)]
        json: bool,
    },
    /// Put those in order that were moved with the repository, or whose making was broken off
    Repair,
}

/// Runs `dispatch worktrees`.
pub(crate) fn run(args: &WorktreesArgs, _common: &Common, io: Io) -> Exit {
    match lines(&args.command) {
        Ok((lines, broken)) => {
            broken.iter().for_each(|problem| io.diagnostics.error(problem));
            super::say(lines, if broken.is_empty() { Exit::Ok } else { Exit::Fatal }, io)
        }
        Err(problem) => io.diagnostics.fatal(&problem),
    }
}

fn lines(command: &WorktreesCommand) -> Result<(Vec<String>, Vec<Problem>), Problem> {
    let root = Place::here()?.root;
    let keeper = Keeper::of(&root.path, &root.path.join(shared::state::DIRECTORY))?;
    match command {
        WorktreesCommand::List { json } => {
            let trees = keeper.survey()?;
            let lines =
                if *json { trees.iter().map(|tree| object(tree, None)).collect() } else { table(&trees) };
            Ok((lines, Vec::new()))
        }
        WorktreesCommand::Prune { older_than, all, force, dry_run, json } => {
            let selection = Selection { older_than: *older_than, all: *all, force: *force };
            let (mut lines, mut broken) = (Vec::new(), Vec::new());
            for tree in keeper.survey()? {
                let fate = selection.fate(&tree);
                if fate == Fate::Kept {
                    continue;
                }
                let done = if *dry_run { Ok(()) } else { keeper.carry_out(&tree, fate) };
                match done {
                    Ok(()) if *json => lines.push(object(&tree, Some(fate))),
                    Ok(()) => lines.push(sentence(&tree, fate, *dry_run)),
                    Err(problem) => broken.push(problem),
                }
            }
            Ok((lines, broken))
        }
        WorktreesCommand::Repair => Ok((keeper.repair()?, Vec::new())),
    }
}

fn sentence(tree: &Tree, fate: Fate, is_dry: bool) -> String {
    let removed = if is_dry { "would remove" } else { "removed" };
    let what = match fate {
        Fate::TreeRemoved => format!("; the branch {} stays", tree.branch),
        _ => String::new(),
    };
    format!("{removed} {} ({}, {}){what}", tree.name, tree.state.word(), size(tree.bytes))
}

fn object(tree: &Tree, fate: Option<Fate>) -> String {
    let mut object = serde_json::to_value(tree).unwrap_or_default();
    if let (Some(fate), Some(members)) = (fate, object.as_object_mut()) {
        members.insert("branch_removed".to_owned(), (fate == Fate::Removed).into());
    }
    object.to_string()
}

fn table(trees: &[Tree]) -> Vec<String> {
    if trees.is_empty() {
        return Vec::new();
    }
    let heads = ["NAME", "ID", "ATTEMPT", "STATE", "AGE", "SIZE", "BRANCH"].map(str::to_owned);
    let rows = trees.iter().map(|tree| {
        [
            tree.name.clone(),
            if tree.id.is_empty() { "-".to_owned() } else { tree.id.escape_debug().to_string() },
            if tree.attempt == 0 { "-".to_owned() } else { tree.attempt.to_string() },
            tree.state.word().to_owned(),
            tree.age().map_or_else(|| "-".to_owned(), format_duration),
            tree.path.as_ref().map_or_else(|| "-".to_owned(), |_| size(tree.bytes)),
            tree.branch.clone(),
        ]
    });
    let rows: Vec<[String; 7]> = std::iter::once(heads).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..7).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}
