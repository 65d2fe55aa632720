//! The pipeline: a claimed chunk's way from the vendor to the tables, whole.

use common::store::Claim;
use common::time::Nanos;

use crate::environment::{Environment, Outcome};
use crate::error::ChunkError;
use crate::fetch::{Fetched, fetch};
use crate::load::load;

/// Brings a claimed chunk to its settlement. Retrying it never fetches what is in the archive.
///
/// # Errors
/// [`ChunkError`]; the chunk is not settled, and nothing of it is in the tables.
pub async fn run(environment: &Environment, claim: &Claim) -> Result<Outcome, ChunkError> {
    fail::fail_point!("claimed", |_| Err(ChunkError::Panic("claimed".into())));
    let (manifest, from_archive) = match fetch(environment, claim).await? {
        Fetched::Archived {
            manifest,
            from_archive,
        } => (manifest, from_archive),
        Fetched::Held { resolution } => {
            let store = &environment.store;
            store.settle_held(claim, &resolution, Nanos::now()).await?;
            return Ok(Outcome::Done {
                records: 0,
                from_archive: false,
            });
        }
        Fetched::Nothing { slices, resolution } => {
            let store = &environment.store;
            store
                .settle_empty(claim, &slices, &resolution, Nanos::now())
                .await?;
            return Ok(Outcome::Empty);
        }
    };
    let loaded = load(environment, claim, &manifest).await?;
    if manifest.records == 0 {
        return Ok(Outcome::Empty);
    }
    Ok(Outcome::Done {
        records: loaded.fetched,
        from_archive,
    })
}
