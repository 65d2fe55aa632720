//! Why a folder of files can't give what is asked of it.

use std::path::Path;

use crate::configuration::document::Refusal;
use crate::dbn_stream::StreamError;

/// Why a folder of files did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file, or the folder, can't prove that it is complete: what it is, and what to do.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Days that no file covers.
    #[error("{0}")]
    NotCovered(String),
    /// The folder's system failed; it may work later.
    #[error("{path} can't be read; check that it is there, and that this user may read it")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file is no longer what it was when its header was read.
    #[error("{path} is being changed; wait until it is copied or downloaded whole, then run again")]
    Changing {
        /// The file.
        path: String,
    },
    /// Records that were read can't be handed on.
    #[error("a stream of records could not be written")]
    Encoding(#[source] std::io::Error),
    /// Nobody waits for it any more.
    #[error("reading the files was stopped")]
    Stopped,
    /// A defect of this program.
    #[error("reading the files failed unexpectedly: {0}")]
    Panic(String),
}

impl FilesError {
    /// A file that is refused.
    pub(super) fn refuse(path: &Path, message: impl Into<String>, help: &str) -> Self {
        Self::Refused(Refusal::of(path.display().to_string(), message, help))
    }

    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable {
            path: path.display().to_string(),
            source,
        }
    }

    /// A file that is not whole.
    pub(super) fn damaged(path: &Path, error: &StreamError) -> Self {
        let mut message = error.to_string().replace("the stream", "the file");
        if let Some(cause) = std::error::Error::source(error) {
            message = format!("{message}: {cause}");
        }
        Self::refuse(path, message, "download the file again")
    }
}
