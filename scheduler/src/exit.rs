//! What a command prints, and how it ends.

use std::io::Write;

pub use worker::exit::{INCOMPLETE, OverBudget, report};

/// Prints to stdout; a reader that has gone away, as `head` does, is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
