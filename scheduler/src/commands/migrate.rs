//! `scheduler migrate`: make the database's tables, or bring them up to date.

use std::process::ExitCode;

use super::run::open_for_work;
use crate::arguments::Global;
use crate::exit::print;
use crate::session::Session;

/// Runs the command.
pub async fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let store = open_for_work(&session).await?;
    store.close().await;
    print("the tables are up to date\n")?;
    Ok(ExitCode::SUCCESS)
}
