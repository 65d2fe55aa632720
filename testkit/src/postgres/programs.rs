//! The installed server's programs, run as a user that the server accepts.

use std::path::PathBuf;
use std::process::Command;

use crate::installed::{self, POSTGRES_USER};

/// An installation.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    started_by_root: bool,
}

impl Programs {
    /// The programs of this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            started_by_root: installed::is_root(),
        }
    }

    /// A program's file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A program as the user that the server runs as.
    pub fn command(&self, name: &str) -> Command {
        let path = self.path(name);
        if !self.started_by_root {
            return Command::new(path);
        }
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", POSTGRES_USER, "--regid", POSTGRES_USER])
            .args(["--clear-groups", "--"])
            .arg(path);
        command
    }

    /// Whether folders have to be given to another user.
    pub fn started_by_root(&self) -> bool {
        self.started_by_root
    }
}
