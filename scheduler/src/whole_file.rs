//! A file that is written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use common::configuration::document::Refusal;

/// A place for a file. It is written beside its place and put there at the end; dropped before that,
/// it leaves nothing behind.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    partial: PathBuf,
    kept: std::cell::Cell<bool>,
}

impl WholeFile {
    /// The place at `path`; nothing is written yet.
    ///
    /// # Errors
    /// [`Refusal`] where no file can be.
    pub fn at(path: &Path) -> Result<Self, Refusal> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let refuse =
            |message: &str, help: &str| Refusal::of(path.display().to_string(), message, help);
        let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
            return Err(refuse("this is a folder", "name a file in it"));
        };
        if !folder.is_dir() {
            return Err(refuse("there is no such folder", "make the folder first"));
        }
        let partial = format!(".{}.{}.partial", name.display(), std::process::id());
        Ok(Self {
            path: path.to_owned(),
            partial: folder.join(partial),
            kept: false.into(),
        })
    }

    /// Begins to write.
    ///
    /// # Errors
    /// Where the file beside the place can't be made.
    pub fn create(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).open(&self.partial)
    }

    /// Puts the file to its place, now that it is whole.
    ///
    /// # Errors
    /// Where its bytes or its name can't be made to last.
    pub fn keep(&self) -> io::Result<()> {
        File::open(&self.partial)?.sync_all()?;
        fs::rename(&self.partial, &self.path)?;
        self.kept.set(true);
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.kept.get() {
            // It may not have been begun.
            let _absent = fs::remove_file(&self.partial);
        }
    }
}
