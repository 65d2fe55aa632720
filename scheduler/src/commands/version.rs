//! `scheduler version`: which program this is.

use std::process::ExitCode;

use crate::exit::print;

/// Runs the command.
pub fn run() -> anyhow::Result<ExitCode> {
    print(concat!("backhaul ", env!("CARGO_PKG_VERSION"), "\n"))?;
    Ok(ExitCode::SUCCESS)
}
