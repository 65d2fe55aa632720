//! How much each missing piece holds and costs, by the source's counts; cut into chunks.

use std::collections::BTreeSet;

use common::chunk::ChunkId;
use common::configuration::document::Refusal;
use common::configuration::job_file::JobFile;
use common::money::Usd;
use common::nearest::nearest;
use common::request::{ChunkLength, JobSource, Request};
use common::source::{Source, SourceError, Uncovered};
use common::store::{PlannedChunk, Store, StoreError};
use common::time::{Day, DayRange, Nanos, Span};
use common::vendor::{Condition, RangeRequest, Resolution, VendorError};
use dbn::Schema;

use super::missing::{Known, Piece, missing, subtract};

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
    let pending = conditions
        .iter()
        .filter(|of| of.condition == Condition::Pending);
    let pending: Vec<_> = pending.map(|of| of.day).collect();
    let mut plan = Plan::default();
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
        let pricing = Pricing {
            request,
            source,
            available,
            pending: &pending,
            now,
        };
        for piece in found.pieces {
            plan.chunks.extend(pricing.chunks(&piece).await?);
        }
        for piece in found.waiting {
            plan.chunks.extend(pricing.wait(&piece));
        }
        let notes = notes(*schema, uncovered, &plan);
        plan.notes.extend(notes);
        let counted = |chunk: &PlannedChunk| chunk.schema == *schema && chunk.records.is_some();
        if plan.to_do().any(counted) {
            let caveat = source.caveat(&asked(request, *schema, days))?;
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
    source.uncovered(&asked(request, schema, days)).await
}

fn asked(request: &Request, schema: Schema, days: DayRange) -> RangeRequest {
    let (dataset, stype_in) = (&request.dataset, request.stype_in);
    RangeRequest::new(dataset, schema, stype_in, &request.symbols, days)
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

/// The days that the vendor's history of the schema can have; what lies before it began is a gap
/// that no waiting fills.
fn days_within(
    job: &JobFile,
    schema: Schema,
    available: Span,
    plan: &mut Plan,
) -> Result<DayRange, Refusal> {
    let days = job.request.days;
    let first = available.start.day();
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
    request: &'a Request,
    source: &'a dyn Source,
    available: Span,
    /// Days that the vendor has not published yet.
    pending: &'a [Day],
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
        let pending = self
            .pending
            .iter()
            .filter_map(|day| DayRange::new(*day, day.plus(1)));
        let pending: Vec<_> = pending.collect();
        for days in subtract(now.as_slice(), &pending) {
            let counted = self.count_and_cut(piece, days).await?;
            chunks.extend(self.share(piece, days, counted).await?);
        }
        let pending = pending.iter().filter_map(|day| now?.intersection(*day));
        chunks.extend(pending.map(|day| self.later(piece, day)));
        if let Some(days) = later {
            let length = match self.request.chunking.length {
                ChunkLength::Days(days) => i64::from(days),
                ChunkLength::Records(_) => 1,
            };
            chunks.extend(days.pieces(length).map(|days| self.later(piece, days)));
        }
        Ok(chunks)
    }

    /// A piece that the source doesn't have, day by day: each may come by itself.
    fn wait(&self, piece: &Piece) -> impl Iterator<Item = PlannedChunk> {
        let days = piece.days.pieces(1);
        days.map(move |day| self.later(piece, day))
    }

    /// Days and their counts, by the chunking that was asked for.
    async fn count_and_cut(
        &self,
        piece: &Piece,
        days: DayRange,
    ) -> Result<Vec<(DayRange, u64)>, SourceError> {
        match self.request.chunking.length {
            ChunkLength::Days(length) => {
                let mut counted = Vec::new();
                for days in days.pieces(i64::from(length)) {
                    counted.push((days, self.count(piece, days).await?));
                }
                Ok(counted)
            }
            ChunkLength::Records(most) => self.halve(piece, days, most).await,
        }
    }

    /// Halves the days until each part holds at most `most` records or is one day. Counts of whole
    /// days add up, so that each cut takes one question.
    async fn halve(
        &self,
        piece: &Piece,
        days: DayRange,
        most: u64,
    ) -> Result<Vec<(DayRange, u64)>, SourceError> {
        let mut counted = Vec::new();
        let mut open = vec![(days, self.count(piece, days).await?)];
        while let Some((days, count)) = open.pop() {
            let middle = days.start().plus(days.len_days() / 2);
            let halves = (
                DayRange::new(days.start(), middle),
                DayRange::new(middle, days.end()),
            );
            let (Some(left), Some(right)) = halves else {
                counted.push((days, count));
                continue;
            };
            if count <= most {
                counted.push((days, count));
                continue;
            }
            let of_left = self.count(piece, left).await?;
            let of_right = match count.checked_sub(of_left) {
                Some(rest) => rest,
                None => self.count(piece, right).await?,
            };
            open.push((right, of_right));
            open.push((left, of_left));
        }
        Ok(counted)
    }

    async fn count(&self, piece: &Piece, days: DayRange) -> Result<u64, SourceError> {
        match self
            .source
            .record_count(&self.range_request(piece, days))
            .await
        {
            // A window without sessions: nothing to count.
            Err(SourceError::Vendor(VendorError::NoSession { .. })) => Ok(0),
            counted => counted,
        }
    }

    /// The piece's bytes and cost, shared out by the number of records: within a schema every
    /// record costs the same.
    async fn share(
        &self,
        piece: &Piece,
        days: DayRange,
        counted: Vec<(DayRange, u64)>,
    ) -> Result<Vec<PlannedChunk>, SourceError> {
        let all: u64 = counted.iter().map(|(_, count)| count).sum();
        let (bytes, cost) = if all == 0 {
            (0, Usd(0))
        } else {
            let request = self.range_request(piece, days);
            (
                self.source.billable_bytes(&request).await?,
                self.source.cost(&request).await?,
            )
        };
        let share_of_bytes = |count: u64| {
            let share = u128::from(bytes) * u128::from(count);
            u64::try_from(share.div_ceil(u128::from(all.max(1)))).unwrap_or(u64::MAX)
        };
        let chunk = |(days, count)| PlannedChunk {
            schema: piece.schema,
            symbols: piece.symbols.clone(),
            days,
            records: Some(count),
            billable_bytes: share_of_bytes(count),
            cost: cost.share(count, all),
            due_at: self.now,
        };
        Ok(counted.into_iter().map(chunk).collect())
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

    fn range_request(&self, piece: &Piece, days: DayRange) -> RangeRequest {
        RangeRequest::new(
            &self.request.dataset,
            piece.schema,
            self.request.stype_in,
            &piece.symbols,
            days,
        )
    }
}
