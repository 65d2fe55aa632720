//! The quarantine: records that failed a rule of severity `error`, and how often each rule failed.

use std::sync::Arc;

use serde::Serialize;

use super::engine::{Pools, Transaction};
use super::rows::{count, unsigned};
use super::statement::{Row, Statement, Target, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkId, JobId};
use crate::quality::{RuleFailures, Severity};
use crate::time::Nanos;

/// A record on its way into the quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedRecord {
    /// Its number in its stream, from 0.
    pub record_number: i64,
    /// Its instrument.
    pub instrument_id: u32,
    /// Its index time, in nanoseconds.
    pub index_time: i64,
    /// The rules of severity `error` that it fails, in the order of their file; at least one.
    pub failed: Vec<Arc<str>>,
    /// The values that they look at, in words.
    pub found: String,
    /// All its fields, as JSON.
    pub record: String,
}

/// A record in the quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// Its job.
    pub job: JobId,
    /// Its job's name.
    pub job_name: String,
    /// Its chunk.
    pub chunk: ChunkId,
    /// Its number in the chunk's stream, from 0.
    pub record_number: u64,
    /// The dataset.
    pub dataset: String,
    /// The schema.
    pub schema: String,
    /// The instrument.
    pub instrument_id: u32,
    /// Its index time.
    pub index_time: String,
    /// The first rule that it failed.
    pub rule: String,
    /// The values that the rules which it failed look at, in words.
    pub found: String,
    /// All rules of severity `error` that it failed.
    pub failed: serde_json::Value,
    /// What became of it.
    pub severity: Severity,
    /// The chunk's attempt that decided it.
    pub attempt: u64,
    /// The version of the mapping and the rules.
    pub rules_version: String,
    /// When.
    pub quarantined_at: String,
    /// The archived stream that holds it.
    pub archive_object: Option<String>,
    /// All its fields.
    pub record: serde_json::Value,
}

/// Which of the quarantined records are wanted.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    /// Of this job, by name or number.
    pub job: Option<String>,
    /// That failed this rule.
    pub rule: Option<String>,
    /// Of this chunk.
    pub chunk: Option<ChunkId>,
    /// With this number in its stream.
    pub record_number: Option<i64>,
}

impl QuarantineFilter {
    /// The records wanted, as a query's FROM and WHERE: only what is asked for, so that the table's
    /// key is used.
    fn sql(&self, pools: &Pools) -> String {
        let mut sql = "quarantine AS q JOIN chunks AS c ON c.id = q.chunk_id
             JOIN jobs AS j ON j.id = c.job_id WHERE true"
            .to_owned();
        let failed = pools.json_list("q.failed", "f");
        let failed = format!(" AND $2 IN (SELECT value FROM {failed})");
        let conditions = [
            (
                self.job.is_some(),
                " AND (j.name = $1 OR CAST(j.id AS TEXT) = $1)",
            ),
            (self.rule.is_some(), failed.as_str()),
            (self.chunk.is_some(), " AND q.chunk_id = $3"),
            (self.record_number.is_some(), " AND q.record_number = $4"),
        ];
        for (_, condition) in conditions.iter().filter(|(asked, _)| *asked) {
            sql.push_str(condition);
        }
        sql
    }

    /// A statement over [`Self::sql`], with its values.
    fn query(&self, sql: String) -> Statement {
        statement(sql)
            .bind(self.job.as_deref())
            .bind(self.rule.as_deref())
            .bind(self.chunk.map(|chunk| chunk.0))
            .bind(self.record_number)
    }
}

impl Store {
    /// Quarantined records, by chunk and number, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn quarantined(
        &self,
        filter: &QuarantineFilter,
        limit: u32,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let sql = format!(
            "SELECT q.*, j.id AS job_id, j.name, c.dataset, c.schema, c.archive_object
             FROM {} ORDER BY q.chunk_id, q.record_number LIMIT $5",
            filter.sql(&self.pools)
        );
        let rows = filter
            .query(sql)
            .bind(limit)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter().map(quarantined).collect()
    }

    /// How many records are quarantined.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn count_quarantined(&self, filter: &QuarantineFilter) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {}", filter.sql(&self.pools));
        let row = filter.query(sql).fetch_one(self.pools.read()).await?;
        Ok(unsigned(row.at(0)?))
    }

    /// How many records are quarantined, by each rule that they fail.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn quarantined_by_rule(
        &self,
        filter: &QuarantineFilter,
    ) -> Result<Vec<QuarantineCount>, StoreError> {
        let sql = format!(
            "SELECT name, schema, f.value AS rule, count(*) AS records FROM (
                 SELECT j.name, c.schema, q.failed FROM {}) AS found,
                 {}
             GROUP BY name, schema, f.value ORDER BY records DESC, name, schema, rule",
            filter.sql(&self.pools),
            self.pools.json_list("found.failed", "f")
        );
        let rows = filter.query(sql).fetch_all(self.pools.read()).await?;
        rows.iter()
            .map(|row| {
                Ok(QuarantineCount {
                    job: row.get("name")?,
                    schema: row.get("schema")?,
                    rule: row.get("rule")?,
                    records: unsigned(row.get("records")?),
                })
            })
            .collect()
    }

    /// How often each rule failed in a job's chunks, by schema; most often first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn rule_failures(
        &self,
        job: JobId,
    ) -> Result<Vec<(String, RuleFailures)>, StoreError> {
        let rows = statement(
            "SELECT c.schema, f.rule, f.severity, CAST(sum(f.records) AS BIGINT) AS records
             -- Not by the index on the job: few of its chunks have failures.
             FROM rule_failures AS f JOIN chunks AS c ON c.id = f.chunk_id
             WHERE +c.job_id = $1 GROUP BY c.schema, f.rule, f.severity
             ORDER BY f.severity, records DESC, c.schema, f.rule",
        )
        .bind(job.0)
        .fetch_all(self.pools.read())
        .await?;
        rows.iter()
            .map(|row| Ok((row.get("schema")?, failures(row)?)))
            .collect()
    }
}

/// How often each rule failed in one chunk.
pub(super) async fn chunk_failures(
    on: impl Into<Target<'_>>,
    chunk: ChunkId,
) -> Result<Vec<RuleFailures>, StoreError> {
    let rows = statement("SELECT rule, severity, records FROM rule_failures WHERE chunk_id = $1")
        .bind(chunk)
        .fetch_all(on)
        .await?;
    rows.iter().map(failures).collect()
}

/// Quarantined records that fail one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuarantineCount {
    /// The job's name.
    pub job: String,
    /// The schema.
    pub schema: String,
    /// The rule.
    pub rule: String,
    /// Records that fail it; one that fails two is counted with both.
    pub records: u64,
}

fn failures(row: &Row) -> Result<RuleFailures, StoreError> {
    Ok(RuleFailures {
        rule: row.get("rule")?,
        severity: super::claim::parse(&row.get::<String>("severity")?)?,
        records: unsigned(row.get("records")?),
    })
}

fn quarantined(row: &Row) -> Result<Quarantined, StoreError> {
    let json = |column: &str| {
        let text: String = row.get(column)?;
        serde_json::from_str(&text)
            .map_err(|_| StoreError::Unreadable(format!("a quarantined record's {column}")))
    };
    let instrument_id: i64 = row.get("instrument_id")?;
    Ok(Quarantined {
        job: JobId(row.get("job_id")?),
        job_name: row.get("name")?,
        chunk: ChunkId(row.get("chunk_id")?),
        record_number: unsigned(row.get("record_number")?),
        dataset: row.get("dataset")?,
        schema: row.get("schema")?,
        instrument_id: u32::try_from(instrument_id).unwrap_or_default(),
        index_time: Nanos(row.get("index_time")?).to_string(),
        rule: row.get("rule")?,
        found: row.get("found")?,
        failed: json("failed")?,
        severity: super::claim::parse(&row.get::<String>("severity")?)?,
        attempt: unsigned(row.get("attempt")?),
        rules_version: row.get("rules_version")?,
        quarantined_at: Nanos(row.get("quarantined_at")?).to_string(),
        archive_object: row.get("archive_object")?,
        record: json("record")?,
    })
}

/// By what records are quarantined, and when.
pub(super) struct Judgement<'a> {
    pub(super) chunk: ChunkId,
    pub(super) attempt: i64,
    pub(super) rules_version: &'a str,
    pub(super) now: Nanos,
}

/// Inserts records into a quarantine table, one statement each: there are few.
pub(super) async fn insert_quarantined(
    transaction: &mut Transaction,
    table: &'static str,
    judgement: &Judgement<'_>,
    records: &[QuarantinedRecord],
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO {table} (chunk_id, record_number, instrument_id, index_time, rule, found, failed,
             severity, record, attempt, rules_version, quarantined_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    );
    for record in records {
        let failed = serde_json::Value::from(
            record
                .failed
                .iter()
                .map(|rule| rule.to_string())
                .collect::<Vec<_>>(),
        );
        statement(sql.as_str())
            .bind(judgement.chunk.0)
            .bind(record.record_number)
            .bind(record.instrument_id)
            .bind(record.index_time)
            .bind(record.failed.first().map(|rule| rule.to_string()))
            .bind(&record.found)
            .bind(failed.to_string())
            .bind(Severity::Error.name())
            .bind(&record.record)
            .bind(judgement.attempt)
            .bind(judgement.rules_version)
            .bind(judgement.now.0)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

/// Notes how often each rule failed in a chunk.
pub(super) async fn insert_failures(
    transaction: &mut Transaction,
    chunk: ChunkId,
    failures: &[RuleFailures],
) -> Result<(), StoreError> {
    for failed in failures {
        statement(
            "INSERT INTO rule_failures (chunk_id, rule, severity, records) VALUES ($1, $2, $3, $4)",
        )
        .bind(chunk.0)
        .bind(&failed.rule)
        .bind(failed.severity.name())
        .bind(count(failed.records))
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}
