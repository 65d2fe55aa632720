//! What the reconciler asks: what is due anywhere, what runs, what is dead; and whose turn it is.

use super::clock::Moment;
use super::engine::{Pools, Transaction};
use super::statement::{Row, statement};
use super::{Store, StoreError};
use crate::chunk::{ChunkId, JobId};
use crate::queue::Hint;

/// A chunk that is due, and what its hint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueChunk {
    /// The chunk.
    pub chunk: ChunkId,
    /// How often it was claimed so far: a later hint for it is another one.
    pub epoch: i64,
    /// Its job's priority; higher goes first.
    pub priority: i64,
}

impl DueChunk {
    /// Its hint for the queue.
    #[must_use]
    pub fn hint(self) -> Hint {
        Hint {
            chunk: self.chunk,
            generation: self.epoch,
        }
    }
}

/// A chunk that runs, or did when its holder was last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningChunk {
    /// Its job.
    pub job: JobId,
    /// The chunk.
    pub chunk: ChunkId,
    /// Who has claimed it.
    pub owner: String,
}

/// The turn to do something that one process at a time does; it ends when this is ended or dropped.
#[derive(Debug)]
pub struct Alone {
    transaction: Option<Transaction>,
}

impl Alone {
    /// Holds on to the turn, which a process that says nothing for ten seconds gives up.
    ///
    /// # Errors
    /// [`StoreError`] when it was lost, or the database fails.
    pub async fn renew(&mut self) -> Result<(), StoreError> {
        if let Some(transaction) = &mut self.transaction {
            statement("SELECT 1").fetch_one(transaction).await?;
        }
        Ok(())
    }

    /// Ends the turn, and keeps its connection for others, which dropping it doesn't.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; the turn is over all the same.
    pub async fn end(self) -> Result<(), StoreError> {
        match self.transaction {
            Some(transaction) => transaction.rollback().await,
            None => Ok(()),
        }
    }
}

impl Store {
    /// The turn at something that one process at a time does; `None` while another is at it.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn alone(&self, at: &str) -> Result<Option<Alone>, StoreError> {
        if matches!(self.pools, Pools::Sqlite { .. }) {
            // One process works on a file.
            return Ok(Some(Alone { transaction: None }));
        }
        let mut transaction = self.pools.begin().await?;
        // A process that stands still gives its turn up.
        statement("SET LOCAL idle_in_transaction_session_timeout = '10s'")
            .execute(&mut transaction)
            .await?;
        let row = statement("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(at)
            .fetch_one(&mut transaction)
            .await?;
        if row.at(0)? {
            return Ok(Some(Alone {
                transaction: Some(transaction),
            }));
        }
        transaction.rollback().await?;
        Ok(None)
    }

    /// Chunks of all jobs that are due, the most urgent first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn due_anywhere(
        &self,
        limit: usize,
        now: impl Into<Moment>,
    ) -> Result<Vec<DueChunk>, StoreError> {
        let now = now.into();
        // A job at a time: a paused one with a million urgent chunks is not gone through.
        let jobs = statement(
            "SELECT id FROM jobs WHERE state = 'active' AND EXISTS (
                 SELECT 1 FROM chunks AS c
                 WHERE c.job_id = jobs.id AND c.state IN ('pending', 'running'))
             ORDER BY id",
        );
        let mut due = Vec::new();
        for row in jobs.fetch_all(self.pools.read()).await? {
            due.extend(self.due_of(JobId(row.at(0)?), limit, now).await?);
        }
        due.sort_by_key(|due| (std::cmp::Reverse(due.priority), due.chunk));
        due.truncate(limit);
        Ok(due)
    }

    /// All chunks that run.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn running(&self) -> Result<Vec<RunningChunk>, StoreError> {
        let rows = statement(
            "SELECT job_id, id, coalesce(owner, '') AS owner FROM chunks
             WHERE state = 'running' ORDER BY job_id, id",
        );
        let running = |row: &Row| {
            Ok(RunningChunk {
                job: JobId(row.get("job_id")?),
                chunk: ChunkId(row.get("id")?),
                owner: row.get("owner")?,
            })
        };
        let rows = rows.fetch_all(self.pools.read()).await?;
        rows.iter().map(running).collect()
    }

    /// A job's dead chunks and why they are, the first `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn dead(&self, job: JobId, limit: u32) -> Result<Vec<(ChunkId, String)>, StoreError> {
        let rows = statement(
            "SELECT id, coalesce(error, '') AS error FROM chunks
             WHERE job_id = $1 AND state = 'dead' ORDER BY id LIMIT $2",
        );
        let rows = rows
            .bind(job)
            .bind(limit)
            .fetch_all(self.pools.read())
            .await?;
        rows.iter()
            .map(|row| Ok((ChunkId(row.get("id")?), row.get("error")?)))
            .collect()
    }
}
