//! `scheduler serve`: the page, metrics and health, and the fleet's reconciler, until Ctrl-C or SIGTERM.

use std::process::ExitCode;

use anyhow::Context;
use worker::monitor::health_check;
use worker::process::stop_quietly;

use crate::arguments::{Global, Serve};
use crate::serve::serve;
use crate::session::Session;

/// Runs the command.
pub async fn run(global: &Global, options: &Serve) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let settings = &session.settings;
    let address = options.listen.unwrap_or(settings.serve_listen);
    if options.health_check {
        health_check::ask(address).with_context(|| format!("no word of health from {address}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = stop_quietly()?;
    serve(settings, address, stop).await?;
    Ok(ExitCode::SUCCESS)
}
