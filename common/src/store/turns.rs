//! Turns: of chunks that need the same stream one fetches it, whatever worker it is at.

use super::clock::Moment;
use super::engine::Turn;
use super::statement::statement;
use super::{Claim, Store, StoreError};

impl Store {
    /// Takes the turn at a stream for a claim; `false` while another claim has it that still holds.
    /// It is over when the chunk is settled or put off, its stream is archived, or its lease runs out.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn take_turn(
        &self,
        claim: &Claim,
        stream: &str,
        now: impl Into<Moment>,
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "INSERT INTO fetches (archive_key, chunk_id, epoch) VALUES ($1, $2, $3)
             ON CONFLICT (archive_key) DO UPDATE
                 SET chunk_id = excluded.chunk_id, epoch = excluded.epoch
                 WHERE fetches.chunk_id = excluded.chunk_id OR NOT EXISTS (
                     SELECT 1 FROM chunks AS c
                     WHERE c.id = fetches.chunk_id AND c.epoch = fetches.epoch
                         AND c.state = 'running' AND c.lease_until > {now})",
            now = self.pools.moment(4),
        );
        let mut transaction = self.pools.begin().await?;
        // Of two who take over at once, the second sees the first's claim.
        let turn = format!("fetch {stream}");
        transaction.turn(&turn, Turn::Alone).await?;
        let taken = statement(sql)
            .bind(stream)
            .bind(claim.chunk.id)
            .bind(claim.epoch)
            .bind(now.into())
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(taken == 1)
    }
}
