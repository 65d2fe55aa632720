//! `scheduler serve`: the fleet's reconciler, metrics and health, until Ctrl-C or SIGTERM.

use std::process::ExitCode;

use crate::arguments::{Global, Serve};
use crate::serve::serve;
use crate::session::{Session, stop_quietly};

/// Runs the command.
pub async fn run(global: &Global, options: &Serve) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let stop = stop_quietly()?;
    let settings = &session.settings;
    let address = options.listen.unwrap_or(settings.serve_listen);
    serve(settings, address, stop).await?;
    Ok(ExitCode::SUCCESS)
}
