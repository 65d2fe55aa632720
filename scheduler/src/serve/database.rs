//! The database of whoever serves: it may not be there yet.

use std::sync::Arc;
use std::time::Duration;

use common::configuration::settings::Settings;
use common::store::{Access, Store, StoreError};
use tokio::sync::OnceCell;

/// Between two looks for a database that isn't there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The database, once it is there.
pub type Database = Arc<OnceCell<Arc<Store>>>;

/// Opens the database. On one machine there may be none before the first job: it is then empty as long
/// as [`open_later`] hasn't found one.
///
/// # Errors
/// [`StoreError`] when it can't be reached, or is of another version.
pub async fn open(settings: &Settings) -> Result<Database, StoreError> {
    let store = Store::open(&settings.database_url, access(settings)).await?;
    Ok(Arc::new(OnceCell::new_with(store.map(Arc::new))))
}

/// Opens the database as soon as somebody has made it.
pub async fn open_later(settings: Settings, database: Database) {
    while !database.initialized() {
        match Store::open(&settings.database_url, access(&settings)).await {
            Ok(Some(store)) => drop(database.set(Arc::new(store))),
            Ok(None) => {}
            // Whoever makes it may not be done with its tables.
            Err(error) => {
                let error = worker::error::chain(&error);
                tracing::warn!(error, "the database can't be opened yet");
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn access(settings: &Settings) -> Access {
    match settings.is_distributed() {
        // The reconciler folds counts.
        true => Access::Control,
        false => Access::Read,
    }
}
