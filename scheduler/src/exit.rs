//! What a command prints, and how it ends.

use std::io::Write;

pub use worker::exit::{INCOMPLETE, INTERRUPTED, NOT_VERIFIED, OverBudget, report};

/// Prints to stdout; a reader that has gone away, as `head` does, is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    print_to_reader(text)?;
    Ok(())
}

/// Prints to stdout; whether the reader is still there.
pub fn print_to_reader(text: &str) -> anyhow::Result<bool> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}
