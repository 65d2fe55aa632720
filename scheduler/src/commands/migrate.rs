//! `scheduler migrate`: make the database's tables, or bring them up to date.

use std::process::ExitCode;

use common::store::{Access, Store};

use crate::arguments::Global;
use crate::exit::print;
use crate::session::Session;

/// Runs the command.
pub async fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let settings = &session.settings;
    Store::migrate(&settings.database_url).await?;
    print("the tables are up to date\n")?;
    if settings.is_distributed()
        && let Some(store) = Store::open(&settings.database_url, Access::Read).await?
    {
        let kept = match store.timescaledb().await? {
            Some(version) => format!("market tables are in TimescaleDB {version}'s columnstore"),
            None => "market tables are plain tables: there is no TimescaleDB here".to_owned(),
        };
        print(&format!("{kept}\n"))?;
        store.close().await;
    }
    Ok(ExitCode::SUCCESS)
}
