//! The commands, one file each.

pub mod demo;
pub mod run;
pub mod plan;
pub mod submit;
pub mod list_jobs;
pub mod status;
pub mod spend;
pub mod watch;
pub mod coverage;
pub mod pause;
pub mod resume;
pub mod cancel;
pub mod retry;
pub mod replay;
pub mod refresh;
pub mod archive;
pub mod quarantine;
pub mod query;
pub mod verify;
pub mod rules;
pub mod reconcile;
pub mod serve;
pub mod migrate;
pub mod completions;
pub mod man;
pub mod version;

use std::process::ExitCode;

use crate::arguments::{ArchiveCommand, Arguments, Command, Rules};

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
        Command::Submit(options) => submit::run(global, options).await,
        Command::ListJobs(options) => list_jobs::run(global, options),
        Command::Status(options) => status::run(global, options).await,
        Command::Spend(options) => spend::run(global, options).await,
        Command::Watch(options) => watch::run(global, options).await,
        Command::Coverage(options) => coverage::run(global, options).await,
        Command::Pause(options) => pause::run(global, options).await,
        Command::Resume(options) => resume::run(global, options).await,
        Command::Cancel(options) => cancel::run(global, options).await,
        Command::Retry(options) => retry::run(global, options).await,
        Command::Replay(options) => replay::run(global, options).await,
        Command::Refresh(options) => refresh::run(global, options).await,
        Command::Archive(ArchiveCommand::Verify(options)) => {
            archive::verify_archive(global, options).await
        }
        Command::Quarantine(options) => quarantine::run(global, options).await,
        Command::Query(options) => query::run(global, options).await,
        Command::Verify(options) => verify::run(global, options).await,
        Command::Rules(Rules::Check(options)) => rules::check(global, options).await,
        Command::Reconcile => reconcile::run(global).await,
        Command::Serve(options) => serve::run(global, options).await,
        Command::Migrate => migrate::run(global).await,
        Command::Completions(options) => completions::run(options),
        Command::Man(options) => man::run(options),
        Command::Version => version::run(),
    }
}
