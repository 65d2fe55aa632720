//! The pipeline: a claimed chunk's way from the vendor to the tables, whole.

use common::store::{Claim, Moment, StoreError};
use tokio::time::Instant;

use crate::environment::{Environment, Outcome};
use crate::error::ChunkError;
use crate::fetch::{Fetched, fetch};
use crate::load::load;
use crate::measure;

/// Times that a load begins anew because it met another; each time it is later than one more.
const MEETINGS_MAX: u32 = 20;

/// Brings a claimed chunk to its settlement. Retrying it never fetches what is in the archive.
///
/// # Errors
/// [`ChunkError`]; the chunk is not settled, and nothing of it is in the tables.
pub async fn run(environment: &Environment, claim: &Claim) -> Result<Outcome, ChunkError> {
    let mut meetings = 0;
    loop {
        // Another chunk may settle a slice while this one's records are on their way: then they are
        // gone through again without it.
        match attempt(environment, claim, meetings == 0).await {
            Err(ChunkError::Store(StoreError::Contended)) if meetings < MEETINGS_MAX => {
                meetings += 1;
                tracing::info!("another chunk took a slice; going on with the rest");
            }
            outcome => return outcome,
        }
    }
}

async fn attempt(
    environment: &Environment,
    claim: &Claim,
    first: bool,
) -> Result<Outcome, ChunkError> {
    fail::fail_point!("claimed", |_| Err(ChunkError::Panic("claimed".into())));
    let began = Instant::now();
    let fetched = fetch(environment, claim).await;
    let fetched =
        fetched.inspect_err(|error| measure::stage_failed("fetch", began.elapsed(), error))?;
    measure::stage("fetch", began.elapsed());
    let (manifest, from_archive) = match fetched {
        Fetched::Archived {
            manifest,
            from_archive,
        } => (manifest, from_archive),
        Fetched::Held { resolution } => {
            let store = &environment.store;
            store.settle_held(claim, &resolution, Moment::Now).await?;
            return Ok(Outcome::Done {
                records: 0,
                from_archive: false,
            });
        }
        Fetched::Nothing { slices, resolution } => {
            let store = &environment.store;
            store
                .settle_empty(claim, &slices, &resolution, Moment::Now)
                .await?;
            return Ok(Outcome::Empty);
        }
    };
    // What this claim has just received itself was not saved.
    if from_archive && first {
        let saved = claim.chunk.cost;
        environment.store.record_saved(claim, saved).await?;
        measure::saved(saved);
    }
    environment.activities.loads(claim.chunk.id);
    measure::archived(manifest.billable_bytes);
    let began = Instant::now();
    let loaded = load(environment, claim, &manifest).await;
    let loaded =
        loaded.inspect_err(|error| measure::stage_failed("load", began.elapsed(), error))?;
    measure::committed(claim.chunk.schema, &loaded);
    if manifest.records == 0 {
        return Ok(Outcome::Empty);
    }
    Ok(Outcome::Done {
        records: loaded.fetched,
        from_archive,
    })
}
