//! Choices: which maps there are, by what jobs ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::chunk::JobId;
use common::store::{JobsMark, Store};
use common::time::DayRange;
use dbn::{SType, Schema};

use crate::coverage::SchemaMap;
use crate::coverage::gather::{Asked, Filter, maps};

/// Which map: of all jobs, or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Which {
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: Schema,
    /// How symbols are written.
    pub stype_in: SType,
    /// The job; `None` is all.
    pub job: Option<JobId>,
}

/// A map that there is.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Which it is.
    pub which: Which,
    /// The job's name, where it is of one.
    pub job_name: Option<String>,
    /// The UTC days that were asked for.
    pub days: DayRange,
}

/// All maps: those of each job, the last submitted first; then those of all jobs together.
#[derive(Debug)]
pub struct Choices {
    /// The maps.
    pub all: Arc<[Choice]>,
    jobs: JobsMark,
}

/// Which maps there are. What jobs ask for is read again only where there are others than before.
///
/// # Errors
/// When the database fails.
pub async fn choices(store: &Store, before: Option<&Choices>) -> anyhow::Result<Choices> {
    let jobs = store.jobs_mark().await?;
    let all = match before {
        Some(before) if before.jobs == jobs => Arc::clone(&before.all),
        _ => read(store).await?.into(),
    };
    Ok(Choices { all, jobs })
}

async fn read(store: &Store) -> anyhow::Result<Vec<Choice>> {
    let mut of_all: BTreeMap<(String, &str, &str), Choice> = BTreeMap::new();
    let mut of_jobs = Vec::new();
    for requested in store.requested().await?.into_iter().rev() {
        for schema in &requested.schemas {
            let choice = Choice {
                which: Which {
                    dataset: requested.dataset.clone(),
                    schema: *schema,
                    stype_in: requested.stype_in,
                    job: Some(requested.job),
                },
                job_name: Some(requested.name.clone()),
                days: requested.days,
            };
            let key = (
                requested.dataset.clone(),
                schema.as_str(),
                requested.stype_in.as_str(),
            );
            let all = of_all.entry(key).or_insert_with(|| Choice {
                which: Which {
                    job: None,
                    ..choice.which.clone()
                },
                job_name: None,
                days: choice.days,
            });
            all.days = around(all.days, choice.days);
            of_jobs.push(choice);
        }
    }
    of_jobs.extend(of_all.into_values());
    Ok(of_jobs)
}

/// The days from the first of both to the last.
fn around(one: DayRange, other: DayRange) -> DayRange {
    let (start, end) = (one.start().min(other.start()), one.end().max(other.end()));
    DayRange::new(start, end).unwrap_or(one)
}

impl Choice {
    /// What is known of it. The source is not asked: whoever looks pays nothing, and waits for nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn map(&self, store: &Store) -> anyhow::Result<SchemaMap> {
        let (which, filter) = (&self.which, Filter::default());
        if let Some(job) = which.job {
            let asked = Asked {
                request: store.request(job).await?,
                job: Some(job),
                source: None,
            };
            return asked
                .map(which.schema, self.days, &filter, Some(store))
                .await;
        }
        let part = (which.dataset.clone(), which.schema, self.days);
        let found = maps(store, part, &filter).await?.into_iter();
        let mut found = found.filter(|map| map.stype_in == which.stype_in);
        Ok(found.next().unwrap_or_else(|| self.empty()))
    }

    /// The map of nothing: all that was asked for was called off.
    fn empty(&self) -> SchemaMap {
        SchemaMap {
            dataset: self.which.dataset.clone(),
            schema: self.which.schema,
            stype_in: self.which.stype_in,
            days: self.days,
            names: Vec::new(),
            all_asked: false,
            evidence: common::standing::Evidence::default(),
            holders: std::collections::HashMap::new(),
            chunks: Vec::new(),
            uncovered: Vec::new(),
        }
    }
}
