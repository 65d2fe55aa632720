//! Fetch: source → archive, proven whole and durable before it counts.

use bytes::Bytes;
use common::archive::{Archive, Manifest, Part, StreamFacts};
use common::source::{Pieces, Source, SourceError};
use common::store::coverage::own_slices;
use common::store::{Claim, Held};
use common::time::Nanos;
use common::vendor::{RangeRequest, Resolution, VendorError};
use dbn::Schema;
use tokio::sync::mpsc;

use crate::absence::check_absence;
use crate::environment::Environment;
use crate::error::ChunkError;
use crate::ownership::asked_slices;
use crate::patience::patiently;
use crate::turns::turn;
use common::dbn_stream::{DbnStream, ProofOnly};

/// Pieces of the body between the network and the thread that checks and writes them.
const PIECES_AHEAD: usize = 16;
/// Times that the vendor's count is asked for again before a stream is given up.
const RECOUNTS: u32 = 3;

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

/// Brings a chunk's stream into the archive, unless it is there.
///
/// # Errors
/// [`ChunkError`]; what was received is paid for and settled.
pub async fn fetch(environment: &Environment, claim: &Claim) -> Result<Fetched, ChunkError> {
    let request = claim.chunk.range_request();
    let _turn = turn(&request).await;
    let source = &*environment.sources.of(&claim.chunk.source).await?;
    let archive = environment.archive.of_origin(source.origin(&request)?);
    let archived = archive.find(&request).map_err(ChunkError::Archive)?;
    if let Some(manifest) = archived {
        patiently(environment, || {
            environment.store.record_archived(claim, &manifest)
        })
        .await?;
        return Ok(Fetched::Archived {
            manifest: Box::new(manifest),
            from_archive: true,
        });
    }
    if let Some(resolution) = held_by_others(environment, claim).await? {
        return Ok(Fetched::Held { resolution });
    }
    let priced = tokio::select! {
        biased;
        () = environment.stop.cancelled() => Err(ChunkError::Stopped),
        priced = priced(environment, source, claim, &request) => priced,
    };
    let Some(claim) = &priced? else {
        return nothing(environment, claim).await;
    };
    let expected = claim.chunk.expected.unwrap_or_default();
    let reservation = environment.store.reserve(claim, Nanos::now()).await?;
    fail::fail_point!("reserved", |_| Err(ChunkError::Panic("reserved".into())));
    let (received, billable_bytes) = receive(environment, source, &archive, claim, &request).await;
    // Kept before it is settled: what is paid for must not be lost to an error of the ledger's.
    let kept = match received {
        Ok((part, facts)) => match lost_none(environment, claim, &facts, expected).await {
            Ok(()) => keep(source, &request, part, facts, expected).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    // With a database that is away for a moment, what was paid stays known.
    patiently(environment, || {
        let store = &environment.store;
        store.settle_spend(claim, reservation, billable_bytes, Nanos::now())
    })
    .await?;
    let manifest = match kept {
        Ok(manifest) => manifest,
        // A refusal alone proves nothing: the vendor's count has to agree.
        Err(ChunkError::Vendor(VendorError::NoSession { .. }))
            if count(source, &request).await? == 0 =>
        {
            check_absence(environment, &claim.chunk).await?;
            return nothing(environment, claim).await;
        }
        Err(error) => return Err(error),
    };
    fail::fail_point!("archived", |_| Err(ChunkError::Panic("archived".into())));
    environment.store.record_archived(claim, &manifest).await?;
    Ok(Fetched::Archived {
        manifest: Box::new(manifest),
        from_archive: false,
    })
}

/// Where fewer records came than were counted, no day is absent since: it must not pass for empty.
async fn lost_none(
    environment: &Environment,
    claim: &Claim,
    facts: &StreamFacts,
    expected: u64,
) -> Result<(), ChunkError> {
    match facts.records < expected {
        true => check_absence(environment, &claim.chunk).await,
        false => Ok(()),
    }
}

/// Proves a stream that ended well, and makes it durable.
async fn keep(
    source: &dyn Source,
    request: &RangeRequest,
    part: Part,
    facts: StreamFacts,
    expected: u64,
) -> Result<Manifest, ChunkError> {
    prove_times(request, &facts)?;
    prove_count(source, request, facts.records, expected).await?;
    tokio::task::spawn_blocking(move || part.finish(facts, Nanos::now()))
        .await
        .map_err(|error| ChunkError::Panic(error.to_string()))?
        .map_err(ChunkError::Archive)
}

/// The claim with its count and price; `None` when there is nothing to fetch. What was planned
/// without them, or as nothing, is asked for now: it may be there since, and must not go unpaid.
async fn priced(
    environment: &Environment,
    source: &dyn Source,
    claim: &Claim,
    request: &RangeRequest,
) -> Result<Option<Claim>, ChunkError> {
    let mut claim = claim.clone();
    if claim.chunk.expected.is_some_and(|count| count > 0) {
        return Ok(Some(claim));
    }
    check_absence(environment, &claim.chunk).await?;
    match count(source, request).await? {
        0 => return Ok(None),
        count => claim.chunk.expected = Some(count),
    }
    claim.chunk.billable_bytes = source.billable_bytes(request).await?;
    claim.chunk.cost = source.cost(request).await?;
    Ok(Some(claim))
}

/// The source's count; a window in which no symbol exists has none.
async fn count(source: &dyn Source, request: &RangeRequest) -> Result<u64, ChunkError> {
    match source.record_count(request).await {
        Err(SourceError::Vendor(VendorError::NoSession { .. })) => Ok(0),
        counted => Ok(counted?),
    }
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
async fn held_by_others(
    environment: &Environment,
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

/// The records lie within the days that were asked for.
fn prove_times(request: &RangeRequest, facts: &StreamFacts) -> Result<(), ChunkError> {
    match facts.index_times {
        Some((first, last)) if !(request.span.contains(first) && request.span.contains(last)) => {
            Err(ChunkError::OutsideRange { first, last })
        }
        _ => Ok(()),
    }
}

/// The number of records agrees with the source's own count; where it doesn't, the count is asked
/// for again: history is rewritten, a plan grows old, and what was received is paid for.
async fn prove_count(
    source: &dyn Source,
    request: &RangeRequest,
    received: u64,
    expected: u64,
) -> Result<(), ChunkError> {
    if received == expected {
        return Ok(());
    }
    let mut counted = expected;
    for _ in 0..RECOUNTS {
        counted = source.record_count(request).await?;
        if received == counted {
            return Ok(());
        }
    }
    Err(ChunkError::Count { received, counted })
}

/// Receives a stream into the archive's folder and takes it apart on the way: the proof, or the
/// error; and in any case the bytes that the vendor bills.
async fn receive(
    environment: &Environment,
    source: &dyn Source,
    archive: &Archive,
    claim: &Claim,
    request: &RangeRequest,
) -> (Result<(Part, StreamFacts), ChunkError>, u64) {
    let unique = format!("{}-{}-{}", environment.worker, claim.chunk.id, claim.epoch);
    let part = match archive.begin(request, &unique) {
        Ok(part) => part,
        Err(error) => return (Err(ChunkError::Archive(error)), 0),
    };
    // The vendor may have asked everybody to wait for long, or take long to answer.
    let asked = tokio::select! {
        biased;
        () = environment.stop.cancelled() => Err(ChunkError::Stopped),
        asked = source.get_range(request) => asked.map_err(ChunkError::from),
    };
    let stream = match asked {
        Ok(stream) => stream,
        Err(error) => return (Err(error), 0),
    };
    let schema = claim.chunk.schema;
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let thread = tokio::task::spawn_blocking(move || take(part, schema, receiver));
    let pumped = pump(environment, stream, sender).await;
    match thread.await {
        Err(error) => (
            Err(ChunkError::Panic(error.to_string())),
            claim.chunk.billable_bytes,
        ),
        // A broken connection explains why the stream isn't whole, not the other way round.
        Ok((taken, bytes)) => (pumped.and(taken), bytes),
    }
}

/// Hands the body on until it ends, fails, or the work is stopped.
async fn pump(
    environment: &Environment,
    mut stream: Box<dyn Pieces>,
    sender: mpsc::Sender<Bytes>,
) -> Result<(), ChunkError> {
    loop {
        let next = tokio::select! {
            next = stream.next() => next?,
            () = environment.stop.cancelled() => return Err(ChunkError::Stopped),
        };
        match next {
            None => return Ok(()),
            Some(piece) => {
                if sender.send(piece).await.is_err() {
                    // The thread has met damage and says so itself.
                    return Ok(());
                }
            }
        }
    }
}

fn take(
    mut part: Part,
    schema: Schema,
    mut pieces: mpsc::Receiver<Bytes>,
) -> (Result<(Part, StreamFacts), ChunkError>, u64) {
    let mut decoder = match DbnStream::new(schema) {
        Ok(decoder) => decoder,
        Err(error) => return (Err(error.into()), 0),
    };
    while let Some(piece) = pieces.blocking_recv() {
        if let Err(error) = part.write(&piece) {
            return (Err(ChunkError::Archive(error)), decoder.billable_bytes());
        }
        if let Err(error) = decoder.push(&piece, &mut ProofOnly) {
            return (Err(error.into()), decoder.billable_bytes());
        }
    }
    let billable_bytes = decoder.billable_bytes();
    let facts = decoder.finish().map_err(ChunkError::from);
    (facts.map(|facts| (part, facts)), billable_bytes)
}
