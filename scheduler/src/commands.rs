//! The commands, one file each.

pub mod demo;
pub mod run;
pub mod plan;
pub mod list_jobs;
pub mod status;
pub mod replay;
pub mod quarantine;
pub mod rules;
pub mod migrate;
pub mod version;

use std::process::ExitCode;

use crate::arguments::{Arguments, Command, Rules};

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
        Command::Replay(options) => replay::run(global, options).await,
        Command::Quarantine(options) => quarantine::run(global, options).await,
        Command::Rules(Rules::Check(options)) => rules::check(global, options).await,
        Command::Migrate => migrate::run(global).await,
        Command::Version => version::run(),
    }
}
