//! From a job to its plan: what is missing, in chunks that are counted and priced.

use std::collections::BTreeSet;

use common::chunk::ChunkId;
use common::configuration::document::Refusal;
use common::configuration::job_file::JobFile;
use common::money::Usd;
use common::nearest::nearest;
use common::request::{JobSource, Request};
use common::source::{Source, SourceError, Uncovered};
use common::store::{PlannedChunk, Store, StoreError};
use common::time::{DayRange, Nanos, Span};
use common::vendor::{Condition, DayCondition, Resolution, VendorError};
use dbn::Schema;

use super::cut::{Cutting, Part, Parts};
use super::missing::{Known, Piece, missing, subtract};
use crate::report;

/// The longest that the vendor's data is known to lag behind, in seconds.
const LAG_SECONDS_MAX: f64 = 86_400.0;
/// Gaps of a schema that the notes name.
const NOTES_MAX: usize = 10;

/// What a job would do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The chunks to submit.
    pub chunks: Vec<PlannedChunk>,
    /// Chunks that an earlier run of the job left open, and the next will work on.
    pub open: Vec<PlannedChunk>,
    /// The chunks that hold parts of the request already.
    pub covered: BTreeSet<ChunkId>,
    /// Which of the chunks to do the archive has, by their places, from 0.
    pub archived: BTreeSet<usize>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// How good the source's days are, by its answer of now.
    pub conditions: Vec<DayCondition>,
}

impl Plan {
    /// All that a run would work on.
    pub fn to_do(&self) -> impl Iterator<Item = &PlannedChunk> {
        self.open.iter().chain(&self.chunks)
    }

    /// The vendor's count of all chunks.
    pub fn records(&self) -> u64 {
        self.to_do().filter_map(|chunk| chunk.records).sum()
    }

    /// The uncompressed bytes of all chunks' records, by which the vendor bills.
    pub fn bytes(&self) -> u64 {
        self.to_do().map(|chunk| chunk.billable_bytes).sum()
    }
}

/// Plans a job: what is missing, by what is held and by what its source has.
pub async fn plan(
    job: &JobFile,
    source: &dyn Source,
    store: Option<&Store>,
    now: Nanos,
) -> anyhow::Result<Plan> {
    let request = &job.request;
    check_dataset(job, source).await?;
    let resolution = resolve(job, source).await?;
    let conditions = source.conditions(&request.dataset, request.days).await?;
    let pending = Condition::Pending.days(&conditions);
    let missing_days = Condition::Missing.days(&conditions);
    let mut plan = Plan {
        notes: report::notes(&request.dataset, &conditions),
        conditions,
        ..Plan::default()
    };
    if let Some(store) = store {
        plan.open = store.outstanding(&request.fingerprint()).await?;
    }
    for schema in &request.schemas {
        let available = source.available(&request.dataset, *schema).await?;
        let days = days_within(job, *schema, available, &mut plan)?;
        let uncovered = uncovered(request, *schema, days, source).await?;
        let mut known = known(request, *schema, days, store).await?;
        known.resolution = resolution.clone();
        let of_schema = plan.open.iter().filter(|chunk| chunk.schema == *schema);
        let open = of_schema.map(|chunk| (chunk.symbols.clone(), chunk.days));
        known.outstanding.extend(open);
        let gaps = uncovered.iter().map(|gap| (gap.symbols.clone(), gap.days));
        known.uncovered.extend(gaps);
        let found = missing(request, *schema, days, &known);
        plan.covered.extend(found.covered);
        plan.notes.extend(unknown(request, days, &resolution));
        let pricing = Pricing {
            cutting: Cutting {
                request,
                source,
                resolution: &resolution,
            },
            available,
            pending: &pending,
            missing: &missing_days,
            now,
        };
        for piece in found.pieces {
            plan.chunks.extend(pricing.chunks(&piece).await?);
        }
        for piece in found.waiting {
            plan.chunks.extend(pricing.wait(&piece, piece.days));
        }
        let notes = notes(*schema, uncovered, &plan);
        plan.notes.extend(notes);
        let counted = |chunk: &PlannedChunk| chunk.schema == *schema && chunk.records.is_some();
        if plan.to_do().any(counted) {
            let caveat = source.caveat(&request.range_request(*schema, &request.symbols, days))?;
            plan.notes.extend(caveat);
        }
    }
    Ok(plan)
}

/// What the database knows of a schema's days.
async fn known(
    request: &Request,
    schema: Schema,
    days: DayRange,
    store: Option<&Store>,
) -> Result<Known, StoreError> {
    let mut known = Known::default();
    if let Some(store) = store {
        let (dataset, stype_in, span) = (&request.dataset, request.stype_in, days.span());
        known.held = store.held(dataset, schema, span).await?;
        let empty = store.empty(dataset, schema, stype_in, &request.source, span);
        known.empty = empty.await?;
    }
    Ok(known)
}

/// What of a schema the source doesn't have.
async fn uncovered(
    request: &Request,
    schema: Schema,
    days: DayRange,
    source: &dyn Source,
) -> Result<Vec<Uncovered>, SourceError> {
    source
        .uncovered(&request.range_request(schema, &request.symbols, days))
        .await
}

/// Why chunks of the schema wait for the source, a few reasons of many.
fn notes(schema: Schema, mut uncovered: Vec<Uncovered>, plan: &Plan) -> Vec<String> {
    uncovered.retain(|gap| {
        let mut waiting = plan.to_do().filter(|chunk| chunk.records.is_none());
        waiting.any(|chunk| chunk.schema == schema && chunk.days.intersection(gap.days).is_some())
    });
    let more = uncovered.len().saturating_sub(NOTES_MAX);
    let more = (more > 0).then(|| format!("and {more} gaps more"));
    let named = uncovered.into_iter().take(NOTES_MAX);
    named.map(|gap| gap.why).chain(more).collect()
}

/// What has records or hasn't, in words: the dataset, or as much of it as a folder holds.
fn holder(request: &Request) -> String {
    let dataset = &request.dataset;
    match &request.source {
        JobSource::Vendor => dataset.clone(),
        JobSource::Files(folder) => format!("the {dataset} in {}", folder.display()),
    }
}

/// The dataset and its schemas exist.
async fn check_dataset(job: &JobFile, source: &dyn Source) -> anyhow::Result<()> {
    let dataset = &job.request.dataset;
    let datasets = source.datasets().await?;
    if !datasets.contains(dataset) {
        let help = match nearest(dataset, datasets.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", datasets.join(", ")),
        };
        let message = format!("unknown dataset {dataset:?}");
        return Err(job.refuse_dataset(message, &help).into());
    }
    let schemas = source.schemas(dataset).await?;
    for schema in &job.request.schemas {
        if !schemas.contains(schema) {
            let names: Vec<_> = schemas.iter().map(Schema::as_str).collect();
            let holder = holder(&job.request);
            let message = format!("{holder} has no records of schema {schema}");
            let help = format!("write one of {}", names.join(", "));
            return Err(job.refuse_schema(*schema, message, &help).into());
        }
    }
    Ok(())
}

/// What the symbols mean; each of them means something.
async fn resolve(job: &JobFile, source: &dyn Source) -> anyhow::Result<Resolution> {
    let request = &job.request;
    let Some(names) = request.symbols.names() else {
        return Ok(Resolution::default());
    };
    let resolution = source
        .resolve(&request.dataset, request.stype_in, names, request.days)
        .await?;
    // A symbol that means nothing must not become a job that does nothing.
    let meaningless = |name: &&String| resolution.windows.get(*name).is_none_or(Vec::is_empty);
    if let Some(symbol) = names.iter().find(meaningless) {
        let (holder, days) = (holder(request), request.days);
        let message = format!("{holder} knows no symbol {symbol:?} in {days}");
        let help = format!(
            "check its spelling, that `stype_in: {}` is how it is written, and the dates",
            request.stype_in.as_str()
        );
        return Err(job.refuse_symbol(symbol, message, &help).into());
    }
    Ok(resolution)
}

/// The symbols that mean nothing on any of a schema's days, though they do on others of the job's: for
/// them alone nothing is asked, and beside others the vendor answers nothing.
fn unknown(request: &Request, days: DayRange, resolution: &Resolution) -> Option<String> {
    let means_something = |name: &&String| {
        let windows = resolution.windows.get(*name).into_iter().flatten();
        let mut windows = windows.map(|window| window.days);
        windows.any(|window| window.intersection(days).is_some())
    };
    let names = request.symbols.names().filter(|_| days != request.days)?;
    let unknown: Vec<_> = names.iter().filter(|name| !means_something(name)).collect();
    let shown: Vec<_> = unknown
        .iter()
        .take(NOTES_MAX)
        .map(|name| name.as_str())
        .collect();
    let more = unknown.len().saturating_sub(NOTES_MAX);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let holder = holder(request);
    let shown = Some(shown.join(", ")).filter(|shown| !shown.is_empty())?;
    Some(format!("{holder} knows nothing by {shown}{more} in {days}"))
}

/// The days that the vendor's history of the schema can have; what lies before it began is a gap
/// that no waiting fills.
fn days_within(
    job: &JobFile,
    schema: Schema,
    available: Span,
    plan: &mut Plan,
) -> Result<DayRange, Refusal> {
    let days = job.request.days;
    // A day that began before the data did is asked for from its midnight, and would be refused.
    let first = available.start.next_midnight();
    if days.start() >= first {
        return Ok(days);
    }
    let dataset = &job.request.dataset;
    let Some(clamped) = DayRange::new(first, days.end()) else {
        let message = format!("{dataset} has {schema} from {first} on");
        let help = format!("write `end:` after {first}, or leave the schema out");
        return Err(job.refuse_days(true, message, &help));
    };
    plan.notes.push(format!(
        "{dataset} has {schema} from {first} on: the days before are left out"
    ));
    Ok(clamped)
}

struct Pricing<'a> {
    cutting: Cutting<'a>,
    available: Span,
    /// Days that the vendor has not published yet.
    pending: &'a [DayRange],
    /// Days that the vendor doesn't have, and of which it doesn't say that it will: known gaps.
    missing: &'a [DayRange],
    now: Nanos,
}

impl Pricing<'_> {
    /// A piece in chunks, each with its count and its share of the cost.
    async fn chunks(&self, piece: &Piece) -> anyhow::Result<Vec<PlannedChunk>> {
        // A day is asked for once the vendor has all of it.
        let end = self.available.end.day();
        let now = DayRange::new(piece.days.start(), piece.days.end().min(end));
        let later = DayRange::new(piece.days.start().max(end), piece.days.end());
        let mut chunks = Vec::new();
        let absent = [self.pending, self.missing].concat();
        for days in subtract(now.as_slice(), &absent) {
            chunks.extend(self.chunks_of(piece, days).await?);
        }
        let pending = self.pending.iter();
        let pending = pending.filter_map(|day| now?.intersection(*day));
        chunks.extend(pending.map(|day| self.later(piece, day)));
        if let Some(days) = later {
            chunks.extend(self.wait(piece, days));
        }
        Ok(chunks)
    }

    /// Days that the vendor has, in chunks; what it refuses to count for lack of a licence, or because
    /// it doesn't have it after all, waits.
    async fn chunks_of(
        &self,
        piece: &Piece,
        days: DayRange,
    ) -> Result<Vec<PlannedChunk>, SourceError> {
        let mut open = Some(days);
        let mut waiting = Vec::new();
        while let Some(days) = open {
            let end = match self.counted(piece, days).await {
                Err(SourceError::Vendor(VendorError::NotYet { available_end, .. })) => {
                    available_end.map(Nanos::day)
                }
                counted => {
                    let mut chunks = counted?;
                    chunks.extend(waiting);
                    return Ok(chunks);
                }
            };
            let end = end
                .unwrap_or(days.start())
                .clamp(days.start(), days.end().plus(-1));
            let refused = DayRange::new(end, days.end()).into_iter();
            waiting.splice(0..0, refused.flat_map(|days| self.wait(piece, days)));
            open = DayRange::new(days.start(), end);
        }
        Ok(waiting)
    }

    /// Days in chunks, priced. Bytes and cost of the whole are shared out by the number of records,
    /// and rounded up: within a schema every record costs the same.
    async fn counted(
        &self,
        piece: &Piece,
        days: DayRange,
    ) -> Result<Vec<PlannedChunk>, SourceError> {
        let Parts { records, list } = self.cutting.parts(piece, days).await?;
        let source = self.cutting.source;
        let request = self
            .cutting
            .request
            .range_request(piece.schema, &piece.symbols, days);
        let (bytes, cost) = match records {
            0 => (0, Usd(0)),
            _ => (
                source.billable_bytes(&request).await?,
                source.cost(&request).await?,
            ),
        };
        let share_of_bytes = |count: u64| {
            let share = u128::from(bytes) * u128::from(count);
            u64::try_from(share.div_ceil(u128::from(records.max(1)))).unwrap_or(u64::MAX)
        };
        let chunk = |part: Part| PlannedChunk {
            schema: piece.schema,
            symbols: part.symbols,
            days: part.days,
            records: Some(part.records),
            billable_bytes: share_of_bytes(part.records),
            cost: cost.share(part.records, records),
            due_at: self.now,
        };
        Ok(list.into_iter().map(chunk).collect())
    }

    /// Days that the source doesn't have yet, one by one: each may come by itself.
    fn wait(&self, piece: &Piece, days: DayRange) -> impl Iterator<Item = PlannedChunk> {
        days.pieces(1).map(move |day| self.later(piece, day))
    }

    /// A chunk of days that the vendor doesn't have yet: it will, about as late as today.
    fn later(&self, piece: &Piece, days: DayRange) -> PlannedChunk {
        let lag = self.now.seconds_since(self.available.end);
        let lag = lag.clamp(0.0, LAG_SECONDS_MAX);
        PlannedChunk {
            schema: piece.schema,
            symbols: piece.symbols.clone(),
            days,
            records: None,
            billable_bytes: 0,
            cost: Usd(0),
            due_at: days.span().end.plus_seconds(lag).max(self.now),
        }
    }
}
