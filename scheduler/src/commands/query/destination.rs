//! Where rows go: stdout, or a file that is written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use common::configuration::document::Refusal;

use super::is_text;
use crate::arguments::Query;

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 1 << 16;

/// Where rows go. A file is written beside its place and put there at the end; dropped before that, it
/// leaves nothing behind.
#[derive(Debug)]
pub(super) struct Destination {
    file: Option<Place>,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    partial: PathBuf,
    kept: std::cell::Cell<bool>,
}

impl Destination {
    /// Refuses a place where nothing can be written.
    pub(super) fn check(options: &Query) -> Result<Self, Refusal> {
        let Some(path) = &options.output else {
            let destination = Self { file: None };
            if destination.is_terminal() && !is_text(options.output_format) {
                let message = "a terminal can't show this format";
                return Err(Refusal::of("--output-format", message, "add --output FILE"));
            }
            return Ok(destination);
        };
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
        let place = Place {
            path: path.clone(),
            partial: folder.join(partial),
            kept: false.into(),
        };
        Ok(Self { file: Some(place) })
    }

    /// Whether somebody looks on.
    pub(super) fn is_terminal(&self) -> bool {
        self.file.is_none() && io::stdout().is_terminal()
    }

    /// Begins to write.
    pub(super) fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        match &self.file {
            None => Ok(Box::new(BufWriter::with_capacity(
                BUFFER_BYTES,
                io::stdout(),
            ))),
            Some(place) => {
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(&place.partial)?;
                Ok(Box::new(BufWriter::with_capacity(BUFFER_BYTES, file)))
            }
        }
    }

    /// Puts the file to its place, now that it is whole.
    pub(super) fn keep(&self) -> io::Result<()> {
        let Some(place) = &self.file else {
            return Ok(());
        };
        File::open(&place.partial)?.sync_all()?;
        fs::rename(&place.partial, &place.path)?;
        place.kept.set(true);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept.get() {
            // It may not have been begun.
            let _absent = fs::remove_file(&self.partial);
        }
    }
}
