//! Where rows go: stdout, or a file that is written whole or not at all.

use std::io::{self, BufWriter, IsTerminal, Write};

use common::configuration::document::Refusal;

use super::is_text;
use crate::arguments::Query;
use crate::whole_file::WholeFile;

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 1 << 16;

/// Where rows go.
#[derive(Debug)]
pub(super) struct Destination {
    file: Option<WholeFile>,
}

impl Destination {
    /// Refuses a place where nothing can be written.
    pub(super) fn check(options: &Query) -> Result<Self, Refusal> {
        let file = options.output.as_deref().map(WholeFile::at).transpose()?;
        let destination = Self { file };
        if destination.is_terminal() && !is_text(options.output_format) {
            let message = "a terminal can't show this format";
            return Err(Refusal::of("--output-format", message, "add --output FILE"));
        }
        Ok(destination)
    }

    /// Whether somebody looks on.
    pub(super) fn is_terminal(&self) -> bool {
        self.file.is_none() && io::stdout().is_terminal()
    }

    /// Begins to write.
    pub(super) fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match &self.file {
            None => Box::new(BufWriter::with_capacity(BUFFER_BYTES, io::stdout())),
            Some(file) => Box::new(BufWriter::with_capacity(BUFFER_BYTES, file.create()?)),
        })
    }

    /// Puts the file to its place, now that it is whole.
    pub(super) fn keep(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), WholeFile::keep)
    }
}
