//! The binary `scheduler`: plans and submits jobs, and works them off on one machine.

mod arguments;
mod exit;
mod session;
mod plan;
mod backfill;
mod progress;
mod report;
mod commands;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into()),
    };
    match runtime.block_on(dispatch(arguments)) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}

async fn dispatch(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Demo(options) => commands::demo::run(global, options).await,
        Command::Run(options) => commands::run::run(global, options).await,
        Command::Plan(options) => commands::plan::run(global, options).await,
        Command::ListJobs(options) => commands::list_jobs::run(global, options),
        Command::Status(options) => commands::status::run(global, options).await,
        Command::Migrate => commands::migrate::run(global).await,
        Command::Version => commands::version::run(),
    }
}
