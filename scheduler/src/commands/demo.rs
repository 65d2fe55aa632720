//! `scheduler demo`: the main job, end to end, from a simulated vendor, with nothing configured.

use std::path::Path;
use std::process::ExitCode;

use common::configuration::files::ConfigFiles;
use common::configuration::job_file::JobFile;
use common::configuration::settings::ApiKey;
use common::store::Store;
use simulator::{Config, DEMO_KEY, Simulator};
use tokio_util::sync::CancellationToken;

use super::run::{open_for_work, run_job};
use crate::arguments::{Demo, Global};
use crate::exit::{INCOMPLETE, print};
use crate::report::plain_table;
use crate::session::Session;
use worker::process::stop_on_signals;

/// What the origin of a demo's records begins with.
pub const ORIGIN: &str = "the demo's simulation";
/// Rows of each table that are shown at the end.
const ROWS_SHOWN: u32 = 5;

/// Runs the command.
pub async fn run(global: &Global, options: &Demo) -> anyhow::Result<ExitCode> {
    let mut session = Session::begin(global)?;
    // Whatever is configured for real work stays out of the demo.
    let folder = global.data_dir.as_deref().unwrap_or(Path::new("data"));
    session.settings.use_data_dir(folder);
    session.settings.budget_usd = None;
    session.use_addresses(global);
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let simulator = Simulator::start(Config {
        seed: options.seed,
        trades_per_day: options.trades_per_day,
        ..Config::default()
    })
    .await?;
    session.settings.databento_url = simulator.url();
    session.settings.api_key = Some(ApiKey::new(DEMO_KEY)?);
    let Some(document) = ConfigFiles::CompiledIn.read("jobs/demo.yaml")? else {
        anyhow::bail!("the demo's job file is not compiled in");
    };
    let file = JobFile::parse(document)?;
    let (seed, trades) = (options.seed, options.trades_per_day);
    let origin = format!("{ORIGIN} (seed {seed}, {trades} trades a day)");
    let store = open_for_work(&session).await?;
    let complete = run_job(&session, &file, &origin, store.clone(), stop).await;
    simulator.stop().await;
    if matches!(complete, Ok(true)) {
        print(&rows(&store).await?)?;
        print(&closing(&session.settings.database_url))?;
    }
    store.close().await;
    Ok(match complete? {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INCOMPLETE),
    })
}

/// A few rows of what was loaded.
async fn rows(store: &Store) -> anyhow::Result<String> {
    let mut text = String::new();
    for view in ["trades", "ohlcv"] {
        let sample = store.sample(view, ROWS_SHOWN).await?;
        let head: Vec<_> = sample.columns.iter().map(String::as_str).collect();
        let mut table = plain_table(&head);
        for row in sample.rows {
            table.add_row(row);
        }
        text.push_str(&format!("\n{view}:\n{table}\n"));
    }
    Ok(text)
}

/// What to do with the rows. An address of a server may hold a password, and isn't repeated.
fn closing(database_url: &str) -> String {
    let client = match database_url.strip_prefix("sqlite://") {
        Some(file) => format!("sqlite3 {file}"),
        None => "psql \"$DATABASE_URL\"".to_owned(),
    };
    format!(
        "\nThe records are synthetic. Look at them with `{client}` (tables …_data, and views that show \
         times and prices as text), or run the demo again: it plans nothing and spends $0.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_words_repeat_no_password() {
        assert!(closing("sqlite://data/backhaul.db").contains("`sqlite3 data/backhaul.db`"));
        let said = closing("postgres://somebody:secret@host/backhaul");
        assert!(said.contains("psql") && !said.contains("secret"), "{said}");
    }
}
