//! Where agent programs look for executors: in the project, and in the user's home.

use std::path::PathBuf;

use shared::Problem;

use crate::commands::Place;
use crate::executors::FOLDER;

/// The places that are meant.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Places {
    /// In the user's home: ~/.claude/agents
    #[arg(long, conflicts_with = "both")]
    pub user: bool,

    /// In this project: .claude/agents
    #[arg(long, conflicts_with = "both")]
    pub project: bool,

    /// In both
    #[arg(long)]
    pub both: bool,
}

/// A folder for executors.
pub(super) struct Folder {
    pub(super) level: &'static str,
    pub(super) path: PathBuf,
}

impl Places {
    /// Tells whether none was named.
    pub(super) fn is_open(self) -> bool {
        !self.user && !self.project && !self.both
    }

    /// Returns the folders that are meant, that of the project first.
    ///
    /// # Errors
    /// If the user has no home, or it is the project and both are meant.
    pub(super) fn folders(self, place: &Place) -> Result<Vec<Folder>, Problem> {
        let mut folders = Vec::new();
        if self.project || self.both {
            folders.push(Folder { level: "project", path: place.root.path.join(FOLDER) });
        }
        if self.user || self.both {
            let home = place.home.as_ref().ok_or_else(|| {
                Problem::new("the home directory is not known").hint("set HOME, or use --project")
            })?;
            let path = home.join(FOLDER);
            // Whoever is at home has one folder.
            if folders.iter().all(|folder| folder.path != path) {
                folders.push(Folder { level: "user", path });
            }
        }
        Ok(folders)
    }
}
