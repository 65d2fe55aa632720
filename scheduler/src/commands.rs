//! The commands, one file each.

pub mod demo;
pub mod run;
pub mod plan;
pub mod list_jobs;
pub mod status;
pub mod migrate;
pub mod version;

use std::process::ExitCode;

use crate::arguments::{Arguments, Command};

/// Runs the command that was typed.
///
/// # Errors
/// Whatever ends it; [`crate::exit::report`] turns it into words and an exit code.
pub async fn dispatch(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Demo(options) => demo::run(global, options).await,
        Command::Run(options) => run::run(global, options).await,
        Command::Plan(options) => plan::run(global, options).await,
        Command::ListJobs(options) => list_jobs::run(global, options),
        Command::Status(options) => status::run(global, options).await,
        Command::Migrate => migrate::run(global).await,
        Command::Version => version::run(),
    }
}
