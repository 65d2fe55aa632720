//! What is held at all: datasets, schemas, instruments, and whose publishers are whose.

use std::sync::Arc;

use dbn::Publisher;
use dbn::publishers::PUBLISHER_COUNT;

use super::super::StoreError;
use super::super::engine::Transaction;
use super::super::rows::quoted;
use super::super::statement::statement;
use crate::nearest::did_you_mean;
use crate::query::{Query, QueryError};

/// A dataset of which records are asked for.
#[derive(Clone, Debug)]
pub(super) struct HeldDataset {
    pub(super) name: Arc<str>,
    /// The publishers of the other datasets that are held: numbers of instruments are a dataset's own,
    /// and the same number is another instrument there. A publisher that nobody knows is nobody's.
    pub(super) foreign_publishers: Arc<[i64]>,
}

/// The datasets of which records of the schema are held, and asked for.
pub(super) async fn datasets(
    on: &mut Transaction,
    query: &Query,
) -> Result<Vec<HeldDataset>, QueryError> {
    let all = texts(on, "dataset", "", None).await?;
    if let Some(wanted) = &query.dataset
        && !all.contains(wanted)
        && !all.is_empty()
    {
        let known = all.iter().map(String::as_str);
        let help = did_you_mean(wanted, known, "the datasets that are held");
        return Err(QueryError::bad(
            "dataset",
            format!("no dataset {wanted:?} is held"),
            help,
        ));
    }
    let asked = all.iter();
    let asked = asked.filter(|name| query.dataset.as_ref().is_none_or(|wanted| wanted == *name));
    let (mut found, mut held) = (Vec::new(), Vec::new());
    for name in asked {
        let schemas = texts(on, "schema", "dataset = $1 AND", Some(name)).await?;
        if schemas.iter().any(|schema| schema == query.schema.as_str()) {
            found.push(HeldDataset {
                name: name.as_str().into(),
                foreign_publishers: foreign_publishers(&all, name),
            });
        }
        held.extend(schemas);
    }
    if found.is_empty() {
        held.sort();
        held.dedup();
        let of = query.dataset.iter().map(|dataset| format!(" of {dataset}"));
        let wanted = format!("{}{}", query.schema, of.collect::<String>());
        return Err(QueryError::NothingHeld { wanted, held });
    }
    Ok(found)
}

/// The different values of a column of `coverage`, one look into its key for each.
async fn texts(
    on: &mut Transaction,
    column: &'static str,
    within: &'static str,
    of: Option<&String>,
) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "WITH RECURSIVE found (value) AS (
             SELECT min({column}) FROM coverage WHERE {within} {column} >= ''
             UNION ALL
             SELECT (SELECT min({column}) FROM coverage WHERE {within} {column} > found.value)
             FROM found WHERE found.value IS NOT NULL)
         SELECT value FROM found WHERE value IS NOT NULL"
    );
    let asked = of
        .into_iter()
        .fold(statement(sql), |asked, of| asked.bind(of));
    let rows = asked.fetch_all(on).await?;
    rows.iter().map(|row| row.at(0)).collect()
}

/// The instruments that a table holds rows of, one look into its key or index for each.
pub(super) async fn instruments(on: &mut Transaction, table: &str) -> Result<Vec<i64>, StoreError> {
    let table = quoted(table);
    let sql = format!(
        "WITH RECURSIVE found (id) AS (
             SELECT min(instrument_id) FROM {table}
             UNION ALL
             SELECT (SELECT min(instrument_id) FROM {table} WHERE instrument_id > found.id)
             FROM found WHERE found.id IS NOT NULL)
         SELECT id FROM found WHERE id IS NOT NULL"
    );
    let rows = statement(sql).fetch_all(on).await?;
    rows.iter().map(|row| row.at(0)).collect()
}

fn foreign_publishers(datasets: &[String], own: &str) -> Arc<[i64]> {
    let count = u16::try_from(PUBLISHER_COUNT).unwrap_or(u16::MAX);
    let known = (1..=count).filter_map(|id| Some((id, Publisher::try_from(id).ok()?.dataset())));
    let foreign = known.filter(|(_, dataset)| {
        dataset.as_str() != own && datasets.iter().any(|held| held == dataset.as_str())
    });
    foreign.map(|(id, _)| i64::from(id)).collect()
}
