//! Fetch: source → archive, proven whole and durable before it counts; what was received of a stream
//! that was cut is gone on from.

mod compare;
mod intake;
mod price;
mod receive;
mod resume;

use common::archive::{Archive, Manifest, Partial, StreamName};
use common::chunk::ChunkState;
use common::source::Source;
use common::store::coverage::own_slices;
use common::store::{Claim, Held, Moment};
use common::time::Nanos;
use common::vendor::{Resolution, VendorError};

use crate::absence::{check_absence, none_absent};
use crate::environment::Environment;
use crate::error::ChunkError;
use crate::measure;
use crate::ownership::asked_slices;
use crate::patience::patiently;
use intake::{End, Taken};
use price::{at_price, count, counted, for_the_rest, priced};
use receive::receive;
use resume::{forget, kept, on_thread};

/// Answers in a row that bring nothing new, where the source counts more, until a stream is begun anew.
const FRUITLESS_MAX: u32 = 3;

/// What a fetch came to.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// The stream is in the archive.
    Archived {
        /// What is known of it.
        manifest: Box<Manifest>,
        /// Whether it was there before.
        from_archive: bool,
    },
    /// Other chunks hold all of it.
    Held {
        /// What the symbols mean.
        resolution: Resolution,
    },
    /// The source has no records there.
    Nothing {
        /// The slices that are proven to be empty.
        slices: Vec<Held>,
        /// What the symbols mean there.
        resolution: Resolution,
    },
}

/// What an answer to a request came to.
enum Answered {
    /// The stream is whole.
    Whole(Box<Manifest>),
    /// There is more than was paid for: the rest has its price.
    Outgrown(Box<(Partial, Claim)>),
}

/// Brings a chunk's stream into the archive, unless it is there.
///
/// # Errors
/// [`ChunkError`]; what was received is paid for and settled, and kept where it can be gone on from.
pub async fn fetch(environment: &Environment, claim: &Claim) -> Result<Fetched, ChunkError> {
    fetch_revision(environment, claim, 1).await
}

/// The same, of an answer of this revision at least: earlier ones stay in the archive.
///
/// # Errors
/// As [`fetch`].
pub async fn fetch_revision(
    environment: &Environment,
    claim: &Claim,
    at_least: u32,
) -> Result<Fetched, ChunkError> {
    let request = claim.chunk.range_request();
    let source = &*environment.sources.of(&claim.chunk.source).await?;
    let archive = environment.archive.of_origin(source.origin(&request)?);
    let archived = async || {
        let found = archive.find_records(&request, at_least).await;
        found.map_err(ChunkError::Archive)
    };
    if let Some(manifest) = archived().await? {
        return found(environment, claim, manifest).await;
    }
    let stream = archive.objects().stream(&request, at_least);
    let store = &environment.store;
    if !store.take_turn(claim, &stream.key(), Moment::Now).await? {
        return Err(ChunkError::NotOurTurn);
    }
    // Whoever had the turn before may have brought it.
    if let Some(manifest) = archived().await? {
        return found(environment, claim, manifest).await;
    }
    // What a settled chunk holds is its own, and asked for again because it is.
    if claim.state == ChunkState::Running
        && let Some(resolution) = held_by_others(environment, source, claim).await?
    {
        return Ok(Fetched::Held { resolution });
    }
    let fetched = fetch_stream(environment, source, &archive, claim, &stream).await;
    match fetched {
        Ok(Some(manifest)) => {
            fail::fail_point!("archived", |_| Err(ChunkError::Panic("archived".into())));
            store.record_archived(claim, &manifest).await?;
            Ok(Fetched::Archived {
                manifest: Box::new(manifest),
                from_archive: false,
            })
        }
        Ok(None) => nothing(environment, claim).await,
        Err(error) => Err(error),
    }
}

async fn found(
    environment: &Environment,
    claim: &Claim,
    manifest: Manifest,
) -> Result<Fetched, ChunkError> {
    patiently(environment, || {
        environment.store.record_archived(claim, &manifest)
    })
    .await?;
    Ok(Fetched::Archived {
        manifest: Box::new(manifest),
        from_archive: true,
    })
}

/// Receives what is missing of a stream; `None` when the source has nothing of it.
async fn fetch_stream(
    environment: &Environment,
    source: &dyn Source,
    archive: &Archive,
    claim: &Claim,
    stream: &StreamName,
) -> Result<Option<Manifest>, ChunkError> {
    let request = &stream.request;
    let asked = async {
        let chunk = &claim.chunk;
        let recent = source.recent_conditions(&chunk.dataset, chunk.days).await?;
        let uncounted = chunk.expected.is_none_or(|count| count == 0);
        // Before anything is paid: what comes of the other days would be another chunk's. What is known
        // may be some minutes old, and is asked anew before it is believed.
        if uncounted || none_absent(&recent).is_err() {
            check_absence(environment, chunk).await?;
        }
        let partial = kept(source, archive, stream, chunk.schema, recent).await?;
        Ok::<_, ChunkError>((partial, priced(source, claim, request).await?))
    };
    let asked = tokio::select! {
        biased;
        () = environment.stop.cancelled() => Err(ChunkError::Stopped),
        asked = asked => asked,
    };
    let (mut partial, claim) = asked?;
    let Some(mut claim) = claim else {
        return Ok(None);
    };
    loop {
        let expected = claim.chunk.expected.unwrap_or_default();
        if partial.ended {
            let proof = counted(source, request, partial.records(), expected, |count| {
                count == partial.records()
            });
            if proof.await.is_ok() {
                return finish(archive, stream, partial).await.map(Some);
            }
        }
        match answer(environment, source, archive, &claim, stream, &partial).await {
            Ok(Answered::Whole(manifest)) => return Ok(Some(*manifest)),
            Ok(Answered::Outgrown(rest)) => (partial, claim) = *rest,
            // A refusal alone proves nothing: the vendor's count has to agree.
            Err(ChunkError::Vendor(VendorError::NoSession { .. }))
                if partial.parts.is_empty() && count(source, request).await? == 0 =>
            {
                check_absence(environment, &claim.chunk).await?;
                return Ok(None);
            }
            Err(
                error @ (ChunkError::Differs { .. }
                | ChunkError::Damaged(_)
                | ChunkError::Vendor(VendorError::NoSession { .. })),
            ) => {
                forget(archive, stream, &partial).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Asks for what is missing, once, and makes of it what can be made.
async fn answer(
    environment: &Environment,
    source: &dyn Source,
    archive: &Archive,
    claim: &Claim,
    stream: &StreamName,
    partial: &Partial,
) -> Result<Answered, ChunkError> {
    let rest = &for_the_rest(claim, partial);
    let reservation = environment.store.reserve(rest, Moment::Now).await?;
    measure::reserved(reservation.amount());
    fail::fail_point!("reserved", |_| Err(ChunkError::Panic("reserved".into())));
    let (received, billable_bytes) =
        receive(environment, source, archive, rest, stream, partial).await;
    // Kept before it is settled: what is paid for must not be lost to an error of the ledger's.
    let kept = match received {
        Ok(taken) => keep(environment, source, archive, claim, stream, taken).await,
        Err(error) => Err(error),
    };
    // With a database that is away for a moment, what was paid stays known.
    let paid = patiently(environment, || {
        let store = &environment.store;
        store.settle_spend(rest, reservation, billable_bytes, Nanos::now())
    });
    measure::paid(paid.await?, billable_bytes);
    if billable_bytes > 0 {
        // What is kept of a cut stream was not asked for again.
        let saved = claim.chunk.cost - rest.chunk.cost;
        environment.store.record_saved(claim, saved).await?;
        measure::saved(saved);
    }
    kept
}

/// Proves a stream that ended well, and makes it findable; one that has grown gets its price.
async fn keep(
    environment: &Environment,
    source: &dyn Source,
    archive: &Archive,
    claim: &Claim,
    stream: &StreamName,
    taken: Taken,
) -> Result<Answered, ChunkError> {
    let (request, partial) = (&stream.request, taken.partial);
    let (received, expected) = (partial.records(), claim.chunk.expected.unwrap_or_default());
    let outgrown = matches!(taken.end, End::Outgrown);
    if outgrown && taken.new == 0 {
        // Nothing of it can be gone on from: asked for again at once, all of it would be paid again.
        forget(archive, stream, &partial).await?;
        let (received, counted) = (expected.saturating_add(1), count(source, request).await?);
        return Err(ChunkError::Count { received, counted });
    }
    if received < expected {
        // A day that is absent since must not pass for an empty one.
        check_absence(environment, &claim.chunk).await?;
    }
    let short = !partial.ended && !outgrown;
    let counted = counted(source, request, received, expected, |count| {
        !short && (count == received || (outgrown && count > received))
    });
    match counted.await {
        Ok(count) if outgrown => {
            let claim = at_price(source, claim, request, count).await?;
            Ok(Answered::Outgrown(Box::new((partial, claim))))
        }
        Ok(_) => {
            let manifest = finish(archive, stream, partial).await?;
            Ok(Answered::Whole(Box::new(manifest)))
        }
        Err(error @ ChunkError::Count { .. }) => {
            let mut partial = partial;
            partial.fruitless += u32::from(taken.new == 0);
            // With nothing new again and again the next time would be as this one.
            let in_circles = partial.fruitless >= FRUITLESS_MAX || outgrown;
            if in_circles || partial.records() == 0 || !source.is_resumable() {
                forget(archive, stream, &partial).await?;
                return Err(error);
            }
            let (objects, stream) = (archive.objects(), stream.clone());
            let noted = on_thread(move || {
                let noted = objects.keep(&stream, &partial);
                noted.map_err(ChunkError::Archive)
            });
            noted.await?;
            // However often it ends too soon: as long as there is more each time, it will be whole.
            match taken.new > 0 && is_short(&error) {
                true => Err(ChunkError::Cut {
                    records: received,
                    source: Box::new(error),
                }),
                false => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Whether fewer records came than the source counts.
fn is_short(error: &ChunkError) -> bool {
    matches!(error, ChunkError::Count { received, counted } if received < counted)
}

/// Makes a whole stream findable.
async fn finish(
    archive: &Archive,
    stream: &StreamName,
    partial: Partial,
) -> Result<Manifest, ChunkError> {
    fail::fail_point!("before-manifest", |_| Err(ChunkError::Panic(
        "before-manifest".into()
    )));
    let (objects, name, parts) = (archive.objects(), stream.clone(), partial.clone());
    let finished = on_thread(move || Ok(objects.finish(&name, parts, Nanos::now())?)).await;
    if let Err(ChunkError::Damaged(_)) = &finished {
        forget(archive, stream, &partial).await?;
    }
    finished
}

/// The source has no records, and none of its days is absent: the slices are held all the same, and
/// nobody needs to ask again.
async fn nothing(environment: &Environment, claim: &Claim) -> Result<Fetched, ChunkError> {
    let chunk = &claim.chunk;
    let resolution = resolve(environment, claim).await?;
    Ok(Fetched::Nothing {
        slices: asked_slices(chunk, &resolution),
        resolution,
    })
}

/// What the symbols mean, when other chunks hold all of it since this one was planned: then there
/// is nothing left to pay for.
///
/// That is said of the chunk's own days. That nothing of it is held, which is nearly always, by what was
/// asked for the whole month.
async fn held_by_others(
    environment: &Environment,
    source: &dyn Source,
    claim: &Claim,
) -> Result<Option<Resolution>, ChunkError> {
    let chunk = &claim.chunk;
    let store = &environment.store;
    let held = store
        .held(&chunk.dataset, chunk.schema, chunk.days.span())
        .await?;
    if held.is_empty() {
        return Ok(None);
    }
    let others: Vec<_> = held.into_iter().map(|(held, _)| held).collect();
    let names = chunk.symbols.names().unwrap_or_default();
    let recent = source.recent_meaning(&chunk.dataset, chunk.stype_in, names, chunk.days);
    if let Some(recent) = recent.await? {
        let asked = asked_slices(chunk, &recent);
        if !asked.is_empty() && own_slices(&asked, &others) == asked {
            return Ok(None);
        }
    }
    let resolution = resolve(environment, claim).await?;
    let asked = asked_slices(chunk, &resolution);
    let all_held = !asked.is_empty() && own_slices(&asked, &others).is_empty();
    Ok(all_held.then_some(resolution))
}

/// What the chunk's symbols mean, by its source's symbology.
pub(crate) async fn resolve(
    environment: &Environment,
    claim: &Claim,
) -> Result<Resolution, ChunkError> {
    let chunk = &claim.chunk;
    let Some(names) = chunk.symbols.names() else {
        return Ok(Resolution::default());
    };
    let source = environment.sources.of(&chunk.source).await?;
    let resolution = source.resolve(&chunk.dataset, chunk.stype_in, names, chunk.days);
    Ok(resolution.await?)
}
