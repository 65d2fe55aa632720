//! Storage: what an archive asks of the place where its objects are. All verbs block.

use std::fmt;
use std::io::{self, Read, Write};

/// What is stored under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name, with `/` between folders.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A place where objects are. The contract, which every storage keeps:
///
/// - **An object is written once under its name**, and is there whole or not at all: what is being
///   written can be seen by nobody. Nothing is appended to it, renamed or overwritten.
/// - **A document** is small, and replaced whole; whoever reads meanwhile has the former or the new one.
/// - **What is there stays**: a verb that answered has outlasted a power cut.
/// - There are no locks. Who may write under a name is decided elsewhere.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Makes sure that it can be written, and removes what is of no use to anybody.
    ///
    /// # Errors
    /// When it can't.
    fn check(&self) -> io::Result<()>;

    /// Where it is, for people.
    fn place(&self) -> String;

    /// Begins an object.
    ///
    /// # Errors
    /// When it can't be written.
    fn begin(&self, name: &str) -> io::Result<Box<dyn Writing>>;

    /// Opens an object, or a document, to read it from its beginning to its end.
    ///
    /// # Errors
    /// `NotFound` when there is none of this name.
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Writes a document, in the place of the former.
    ///
    /// # Errors
    /// When it can't be written; the former is as it was.
    fn put(&self, name: &str, document: &[u8]) -> io::Result<()>;

    /// Removes an object or a document, if it is there.
    ///
    /// # Errors
    /// When it can't be removed.
    fn delete(&self, name: &str) -> io::Result<()>;

    /// What is there under names that begin so, in the order of their names. The prefix reaches
    /// into one folder.
    ///
    /// # Errors
    /// When it can't be read.
    fn list(&self, prefix: &str) -> io::Result<Vec<Stored>>;

    /// All that is there, in any folder; what is being written is not among it. Ends with the first
    /// error of `each`.
    ///
    /// # Errors
    /// When it can't be read.
    fn walk(&self, each: &mut dyn FnMut(Stored) -> io::Result<()>) -> io::Result<()>;

    /// Makes objects of what processes that were killed had written of them, under the names that
    /// they were meant for: as far as it was written, and where it is still known.
    ///
    /// # Errors
    /// When it can't be written.
    fn recover(&self, prefix: &str) -> io::Result<()>;
}

/// An object that is being written. Dropped, it is removed.
pub trait Writing: Write + fmt::Debug + Send {
    /// Makes it durable and visible.
    ///
    /// # Errors
    /// `AlreadyExists` when there is an object of the name; or when it can't be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A document's text, if it is there.
pub(super) fn get(storage: &dyn Storage, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut document = match storage.open(name) {
        Ok(document) => document,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    document.read_to_end(&mut text)?;
    Ok(Some(text))
}
