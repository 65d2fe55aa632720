//! `scheduler completions`: what a shell needs to complete a program's command line.

use std::process::ExitCode;

use crate::arguments::Completions;
use crate::exit::print;

/// Runs the command.
pub fn run(options: &Completions) -> anyhow::Result<ExitCode> {
    let mut command = options.bin.command_line();
    let name = command.get_name().to_owned();
    // Into memory first: the generator takes a reader that has gone away for a mistake.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
