//! Confirm: a question to the person at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

/// Whether the answer to a question is yes; it is, where nobody can answer.
///
/// # Errors
/// When the terminal can't be written or read.
pub fn agreed(question: &str) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut stderr = io::stderr();
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Ok(true);
    }
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(["y", "yes"]
        .iter()
        .any(|yes| answer.eq_ignore_ascii_case(yes)))
}
