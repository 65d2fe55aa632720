//! Days that the vendor rewrote since they were fetched: found, priced, and swapped.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::archive::{Archive, Manifest};
use common::chunk::{ChunkId, ChunkState};
use common::money::Usd;
use common::source::{Source, SourceError, Sources};
use common::store::{JobStatus, Refreshable, Store};
use common::time::{Day, DayRange, Nanos};
use common::vendor::{Condition, DayCondition, RangeRequest, VendorError};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use worker::activity::Activities;
use worker::environment::Environment;
use worker::process;

use crate::session::Session;

/// Chunks that are read from the ledger at once.
const CHUNKS_AT_ONCE: u32 = 500;
/// Manifests that are read at once.
const MANIFESTS_AT_ONCE: usize = 16;

/// A day that is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedDay {
    /// The day.
    pub day: Day,
    /// How it changed: `rewritten`, or `no longer degraded`.
    pub why: &'static str,
}

/// A chunk that the vendor may have other records of.
#[derive(Clone, Debug)]
pub struct Outdated {
    /// The chunk.
    pub chunk: Refreshable,
    /// Its days that changed.
    pub days: Vec<ChangedDay>,
    /// The revision of its stream to ask for, at least.
    pub at_least: u32,
    /// What is known of the stream that its rows are from.
    pub former: Option<Manifest>,
    /// Records of its days by the vendor's count today.
    pub records: u64,
    /// What they cost today; nothing where the archive has them already.
    pub cost: Usd,
    /// Whether the archive has them already.
    pub archived: bool,
}

/// All that fetching again may touch; with these mappings rows can be swapped too.
pub async fn environment(
    session: &Session,
    store: &Arc<Store>,
    mappings: std::collections::HashMap<dbn::Schema, common::configuration::mapping::Mapping>,
    stop: &CancellationToken,
) -> anyhow::Result<Environment> {
    // Nobody follows it: what happens is told when it has happened.
    let (events, _followed) = mpsc::channel(1);
    Ok(Environment {
        settings: Arc::new(session.settings.clone()),
        store: Arc::clone(store),
        archive: session.archive()?,
        sources: Sources::new(Some(session.vendor().await?)),
        mappings: Arc::new(mappings),
        events,
        stop: stop.clone(),
        abandon: CancellationToken::new(),
        activities: Activities::default(),
        worker: process::name(),
    })
}

/// A job's chunks that the vendor has rewritten days of since, in their order, with today's price.
/// The vendor is asked once how its days are, and for a count and a price of each such chunk.
pub async fn outdated(
    store: &Store,
    archive: &Archive,
    source: &dyn Source,
    job: &JobStatus,
) -> anyhow::Result<Vec<Outdated>> {
    let mut found = Vec::new();
    let mut conditions: BTreeMap<String, (DayRange, BTreeMap<Day, DayCondition>)> = BTreeMap::new();
    let mut after = ChunkId(0);
    loop {
        let chunks = store.refreshable(job.id, after, CHUNKS_AT_ONCE).await?;
        let Some(last) = chunks.last() else {
            return Ok(found);
        };
        after = last.chunk.claim.chunk.id;
        let formers = formers(archive, &chunks).await?;
        for (chunk, former) in chunks.into_iter().zip(formers) {
            let claimed = &chunk.chunk.claim.chunk;
            let days = claimed.days;
            let known = conditions.get(&claimed.dataset);
            let asked = known.is_some_and(|(known, _)| known.intersection(days) == Some(days));
            if !asked {
                // Chunks of a job lie close together: its whole range is one question.
                let range = store
                    .days_of(job.id, &claimed.dataset)
                    .await?
                    .unwrap_or(days);
                let told = source.conditions(&claimed.dataset, range).await?;
                let by_day = told.into_iter().map(|of| (of.day, of)).collect();
                conditions.insert(claimed.dataset.clone(), (range, by_day));
            }
            let Some((_, now)) = conditions.get(&claimed.dataset) else {
                continue;
            };
            let changed = changed(days, former.as_ref(), chunk.fetched_at, now);
            if !changed.is_empty() {
                found.push(price(archive, source, chunk, former, changed, now).await?);
            }
        }
    }
}

async fn formers(
    archive: &Archive,
    chunks: &[Refreshable],
) -> anyhow::Result<Vec<Option<Manifest>>> {
    let manifests = futures::stream::iter(chunks)
        .map(|chunk| async move {
            match chunk.chunk.archive_object.as_str() {
                "" => Ok(None),
                key => archive.manifest(key).await,
            }
        })
        .buffered(MANIFESTS_AT_ONCE);
    Ok(manifests.try_collect().await?)
}

/// The days that changed since a stream of them was fetched. What was noted of a day then is exact; of
/// one without a note only the dates can be compared.
#[must_use]
pub fn changed(
    days: DayRange,
    former: Option<&Manifest>,
    fetched_at: Nanos,
    now: &BTreeMap<Day, DayCondition>,
) -> Vec<ChangedDay> {
    let noted = former.map_or(&[][..], |former| former.conditions.as_slice());
    let fetched_on = fetched_at.day();
    let mut changed = Vec::new();
    for (day, of) in now.range(days.start()..days.end()) {
        let before = noted.iter().find(|before| before.day == *day);
        let since = before
            .and_then(|before| before.last_modified)
            .unwrap_or(fetched_on);
        let was_degraded = before.is_some_and(|before| before.condition == Condition::Degraded);
        let why = match of.condition {
            // There is nothing better to be had.
            Condition::Pending | Condition::Missing => continue,
            Condition::Available if was_degraded => "no longer degraded",
            _ if of.last_modified.is_some_and(|modified| modified > since) => "rewritten",
            Condition::Available | Condition::Degraded => continue,
        };
        changed.push(ChangedDay { day: *day, why });
    }
    changed
}

async fn price(
    archive: &Archive,
    source: &dyn Source,
    chunk: Refreshable,
    former: Option<Manifest>,
    days: Vec<ChangedDay>,
    now: &BTreeMap<Day, DayCondition>,
) -> anyhow::Result<Outdated> {
    let request = former.as_ref().map_or_else(
        || chunk.chunk.claim.chunk.range_request(),
        |former| former.request.clone(),
    );
    let next = former.as_ref().map_or(1, |former| former.revision + 1);
    let newer = archive.find_at_least(&request, next).await?;
    let mut outdated = Outdated {
        at_least: next,
        chunk,
        days,
        former,
        records: 0,
        cost: Usd(0),
        archived: false,
    };
    if let Some(newer) = newer {
        // A refresh that was killed, or one of another job, has paid for it.
        let of = outdated.chunk.chunk.claim.chunk.days;
        outdated.archived = changed(of, Some(&newer), newer.fetched_at, now).is_empty();
        outdated.at_least = newer.revision + u32::from(!outdated.archived);
        outdated.records = newer.records;
    }
    if !outdated.archived {
        outdated.records = count(source, &request).await?;
        if outdated.records > 0 {
            outdated.cost = source.cost(&request).await?;
        }
    }
    Ok(outdated)
}

/// The vendor's count; days on which no symbol exists have none.
pub async fn count(source: &dyn Source, request: &RangeRequest) -> anyhow::Result<u64> {
    match source.record_count(request).await {
        Err(SourceError::Vendor(VendorError::NoSession { .. })) => Ok(0),
        counted => Ok(counted?),
    }
}

impl Outdated {
    /// Records that the chunk has now, in tables and quarantine or held by others.
    #[must_use]
    pub fn records_before(&self) -> u64 {
        let chunk = &self.chunk.chunk;
        match chunk.state {
            ChunkState::Done => chunk.loaded + chunk.quarantined + chunk.covered + chunk.filtered,
            _ => 0,
        }
    }

    /// Whether this later stream is the former in count, size and content.
    #[must_use]
    pub fn is_same(&self, manifest: &Manifest) -> bool {
        self.former.as_ref().is_some_and(|former| {
            (former.records, former.billable_bytes, &former.sha256)
                == (manifest.records, manifest.billable_bytes, &manifest.sha256)
        })
    }
}
