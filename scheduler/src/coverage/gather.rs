//! Gather: what the database and a job's source know of a map's days, one schema at a time.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use common::chunk::{ChunkState, JobId};
use common::request::{Request, Symbols};
use common::source::{Source, SourceError};
use common::standing::Evidence;
use common::store::{AskedChunks, Store, StoreError};
use common::time::{Day, DayRange};
use common::vendor::{Condition, DayCondition, Resolution};
use dbn::{SType, Schema};

use super::{ALL_SYMBOLS, SchemaMap};

/// Which part of all that could be shown is meant; what is empty leaves nothing out.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The dataset.
    pub dataset: Option<String>,
    /// The schemas.
    pub schemas: Vec<Schema>,
    /// The symbols.
    pub symbols: Vec<String>,
    /// The first UTC day.
    pub start: Option<Day>,
    /// The UTC day after the last.
    pub end: Option<Day>,
}

impl Filter {
    /// The days that are meant of these.
    #[must_use]
    pub fn days(&self, days: DayRange) -> Option<DayRange> {
        let start = self.start.map_or(days.start(), |day| day.max(days.start()));
        let end = self.end.map_or(days.end(), |day| day.min(days.end()));
        DayRange::new(start, end)
    }

    fn has_schema(&self, schema: Schema) -> bool {
        self.schemas.is_empty() || self.schemas.contains(&schema)
    }

    fn has_symbol(&self, symbol: &str) -> bool {
        self.symbols.is_empty() || self.symbols.iter().any(|wanted| wanted == symbol)
    }
}

/// A request of which a map is wanted, and what its source said of all its schemas.
#[derive(Debug)]
pub struct Asked {
    /// The request.
    pub request: Request,
    /// Its job, if it was submitted.
    pub job: Option<JobId>,
    /// Its source; `None` where that can't be asked.
    pub source: Option<Arc<dyn Source>>,
}

impl Asked {
    /// The maps that can be shown: each schema, and its days.
    #[must_use]
    pub fn schemas(&self, filter: &Filter) -> Vec<(Schema, DayRange)> {
        let schemas = self.request.schemas.iter().copied();
        let schemas = schemas.filter(|schema| filter.has_schema(*schema));
        let days = filter.days(self.request.days);
        schemas.filter_map(|schema| Some((schema, days?))).collect()
    }

    /// What is known of one schema.
    ///
    /// # Errors
    /// When the database or the source fails.
    pub async fn map(
        &self,
        schema: Schema,
        days: DayRange,
        filter: &Filter,
        store: Option<&Store>,
    ) -> anyhow::Result<SchemaMap> {
        let request = &self.request;
        let mut map = SchemaMap {
            dataset: request.dataset.clone(),
            schema,
            stype_in: request.stype_in,
            days,
            names: names(&request.symbols, filter),
            all_asked: true,
            evidence: Evidence::default(),
            holders: HashMap::new(),
            chunks: Vec::new(),
            uncovered: Vec::new(),
        };
        if let Some(store) = store {
            take_slices(&mut map, store).await?;
            self.take_chunks(&mut map, store).await?;
            map.evidence.conditions = store.conditions(&request.dataset, days).await?;
        }
        match &self.source {
            Some(source) => self.ask(&mut map, &**source).await?,
            None => remember(&mut map, store).await?,
        }
        Ok(map)
    }

    /// The job's own chunks, and what others of the same source found empty.
    async fn take_chunks(&self, map: &mut SchemaMap, store: &Store) -> Result<(), StoreError> {
        let (request, span) = (&self.request, map.days.span());
        if let Some(job) = self.job {
            map.chunks = store
                .asked(&map.dataset, map.schema, Some(job), span)
                .await?;
        }
        let (stype_in, source) = (request.stype_in, &request.source);
        let empty = store.empty(&map.dataset, map.schema, stype_in, source, span);
        for (_, symbols, days) in empty.await? {
            // For named symbols the planner goes by what was asked for of them.
            if symbols.names().is_some() == request.symbols.names().is_some() {
                map.evidence.empty.push((symbols, days));
            }
        }
        Ok(())
    }

    /// What the source says: what symbols mean, and which days it has.
    async fn ask(&self, map: &mut SchemaMap, source: &dyn Source) -> Result<(), SourceError> {
        let request = &self.request;
        let (dataset, days) = (&request.dataset, map.days);
        if let Some(names) = request.symbols.names() {
            map.evidence.resolution = source
                .resolve(dataset, request.stype_in, names, days)
                .await?;
        }
        map.evidence.asked = vec![(request.symbols.clone(), days)];
        map.evidence.conditions = source.conditions(dataset, days).await?;
        let available = source.available(dataset, map.schema).await?;
        let (first, end) = (available.start.next_midnight(), available.end.day());
        let outside = |day: Day| match day {
            day if day < first => Some(Condition::Missing),
            day if day >= end => Some(Condition::Pending),
            _ => None,
        };
        for day in days.pieces(1).map(DayRange::start) {
            if let Some(condition) = outside(day) {
                map.evidence.conditions.push(DayCondition {
                    day,
                    condition,
                    last_modified: None,
                });
            }
        }
        let range = request.range_request(map.schema, &request.symbols, days);
        let uncovered = source.uncovered(&range).await?.into_iter();
        map.uncovered = uncovered.map(|gap| (gap.symbols, gap.days)).collect();
        Ok(())
    }
}

/// What the database remembers of what symbols meant, where the source can't be asked.
async fn remember(map: &mut SchemaMap, store: Option<&Store>) -> Result<(), StoreError> {
    let Some(store) = store else {
        return Ok(());
    };
    let mut meanings = store.meanings(&map.dataset).await?;
    map.evidence.resolution = meanings.remove(&map.stype_in).unwrap_or_default();
    let chunks = store.asked(&map.dataset, map.schema, None, map.days.span());
    let chunks = chunks.await?.into_iter();
    let alike: Vec<_> = chunks
        .filter(|list| list.stype_in == map.stype_in)
        .collect();
    map.evidence.asked = settled(&alike, ChunkState::Done);
    let empty = settled(&alike, ChunkState::Empty);
    map.evidence.asked.extend(empty);
    Ok(())
}

/// The maps of all that was asked for: each dataset, schema and days.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn everything(
    store: &Store,
    filter: &Filter,
) -> Result<Vec<(String, Schema, DayRange)>, StoreError> {
    let asked = store.asked_schemas().await?.into_iter();
    let wanted = |dataset: &str| filter.dataset.as_deref().is_none_or(|name| name == dataset);
    let asked = asked.filter(|(dataset, ..)| wanted(dataset));
    let asked = asked.filter(|(_, schema, _)| filter.has_schema(*schema));
    let within =
        asked.filter_map(|(dataset, schema, days)| Some((dataset, schema, filter.days(days)?)));
    Ok(within.collect())
}

/// What is known of one schema of all that was asked for, a map for each way to write symbols.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn maps(
    store: &Store,
    (dataset, schema, days): (String, Schema, DayRange),
    filter: &Filter,
) -> Result<Vec<SchemaMap>, StoreError> {
    let asked = store.asked(&dataset, schema, None, days.span()).await?;
    let mut meanings = store.meanings(&dataset).await?;
    let conditions = store.conditions(&dataset, days).await?;
    let stypes: BTreeSet<SType> = asked
        .iter()
        .map(|list| list.stype_in)
        .chain(meanings.keys().copied())
        .collect();
    let mut maps = Vec::new();
    for stype_in in stypes {
        let alike = asked.iter().filter(|list| list.stype_in == stype_in);
        let resolution = meanings.remove(&stype_in).unwrap_or_default();
        let chunks: Vec<_> = alike
            .cloned()
            .map(|list| told_by_members(list, &resolution))
            .collect();
        let mut map = SchemaMap {
            dataset: dataset.clone(),
            schema,
            stype_in,
            days,
            names: Vec::new(),
            all_asked: false,
            evidence: Evidence {
                asked: settled(&chunks, ChunkState::Done),
                empty: settled(&chunks, ChunkState::Empty),
                conditions: conditions.clone(),
                resolution,
                ..Evidence::default()
            },
            holders: HashMap::new(),
            chunks,
            uncovered: Vec::new(),
        };
        take_slices(&mut map, store).await?;
        map.names = held_or_asked(&map, filter);
        maps.push(map);
    }
    maps.retain(|map| !map.names.is_empty());
    Ok(maps)
}

/// Where a parent's chunk is done and the vendor named the members alone, their rows tell.
fn told_by_members(mut list: AskedChunks, resolution: &Resolution) -> AskedChunks {
    let mut names = list.symbols.names().unwrap_or_default().iter();
    let is_meant = names.any(|name| resolution.windows.contains_key(name));
    if list.stype_in == SType::Parent && !is_meant {
        list.chunks.retain(|chunk| chunk.state != ChunkState::Done);
    }
    list
}

/// The rows of a map of all: what chunks name, and symbols that mean what is held.
fn held_or_asked(map: &SchemaMap, filter: &Filter) -> Vec<String> {
    let lists = map.chunks.iter();
    let named = lists.flat_map(|list| names(&list.symbols, filter));
    let mut all: BTreeSet<String> = named.collect();
    let held = map.evidence.held.iter();
    let held: HashSet<_> = held.map(|slice| slice.held.instrument_id).collect();
    for (symbol, windows) in &map.evidence.resolution.windows {
        let is_held = |id: u32| held.contains(&Some(id)) || held.contains(&None);
        let mut instruments = windows.iter().map(|window| window.instrument_id);
        if filter.has_symbol(symbol) && instruments.any(is_held) {
            all.insert(symbol.clone());
        }
    }
    all.into_iter().collect()
}

async fn take_slices(map: &mut SchemaMap, store: &Store) -> Result<(), StoreError> {
    let slices = store.slices(&map.dataset, map.schema, map.days.span());
    for (slice, chunk) in slices.await? {
        let holder = (slice.held.instrument_id, slice.held.span.start);
        map.holders.insert(holder, chunk);
        map.evidence.held.push(slice);
    }
    Ok(())
}

/// Symbols and days of the chunks in a state, as few as there can be.
fn settled(lists: &[AskedChunks], state: ChunkState) -> Vec<(Symbols, DayRange)> {
    let of_list = |list: &AskedChunks| {
        let chunks = list.chunks.iter().filter(|chunk| chunk.state == state);
        let days = DayRange::merged(chunks.map(|chunk| chunk.days).collect());
        let symbols = list.symbols.clone();
        days.into_iter().map(move |days| (symbols.clone(), days))
    };
    lists.iter().flat_map(of_list).collect()
}

/// The rows of symbols.
fn names(symbols: &Symbols, filter: &Filter) -> Vec<String> {
    let names = match symbols.names() {
        Some(names) => names.to_vec(),
        None => vec![ALL_SYMBOLS.to_owned()],
    };
    let names = names.into_iter();
    names.filter(|name| filter.has_symbol(name)).collect()
}
