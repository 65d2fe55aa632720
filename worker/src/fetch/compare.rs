//! Compare: the records that come again after a cut are those that are kept, one by one.

use common::archive::{JoinError, Objects, Partial, Tail};
use common::dbn_stream::Sink;
use common::time::Nanos;
use dbn::{Metadata, Schema};

use crate::error::ChunkError;

/// Takes the records of an answer: first those that are kept already, then the new ones.
pub(super) struct Comparing {
    /// Those that are still to come again.
    kept: Option<Tail>,
    /// Records that came again so far.
    pub(super) overlap: u64,
    /// The index time of the last record, kept or new.
    last: Option<Nanos>,
    /// How many records have it.
    pub(super) tied: u64,
    /// Whether no record came before an earlier one's time.
    pub(super) sorted: bool,
    trouble: Option<ChunkError>,
}

impl Comparing {
    /// After these parts.
    pub(super) fn after(objects: &Objects, partial: &Partial, schema: Schema) -> Self {
        let resumed = !partial.parts.is_empty();
        Self {
            kept: resumed.then(|| objects.tail(partial, schema)),
            overlap: 0,
            last: resumed.then(|| partial.resumes_at()),
            tied: partial.tied,
            sorted: true,
            trouble: None,
        }
    }

    /// What was noticed on the way.
    pub(super) fn check(&mut self) -> Result<(), ChunkError> {
        self.trouble.take().map_or(Ok(()), Err)
    }

    /// Whether some of what is kept has not come again so far.
    pub(super) fn is_short(&mut self) -> Result<bool, ChunkError> {
        match &mut self.kept {
            None => Ok(false),
            Some(kept) => Ok(kept.next_record()?.is_some()),
        }
    }

    /// New records come after those that are kept.
    pub(super) fn check_order(&self) -> Result<(), ChunkError> {
        match self.overlap > 0 && !self.sorted {
            true => Err(self.differs()),
            false => Ok(()),
        }
    }

    fn differs(&self) -> ChunkError {
        ChunkError::Differs {
            time: self.last.unwrap_or(Nanos(0)),
        }
    }

    /// Whether the record is one of those that are kept.
    fn came_again(&mut self, record: &[u8]) -> Result<bool, JoinError> {
        let Some(kept) = &mut self.kept else {
            return Ok(false);
        };
        match kept.next_record()? {
            Some(kept) if kept == record => {
                self.overlap += 1;
                Ok(true)
            }
            Some(_) => {
                self.trouble = Some(self.differs());
                Ok(true)
            }
            None => {
                self.kept = None;
                Ok(false)
            }
        }
    }
}

impl Sink for Comparing {
    fn metadata(&mut self, _metadata: Metadata) {}

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        if self.trouble.is_some() {
            return;
        }
        match self.came_again(record) {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                self.trouble = Some(error.into());
                return;
            }
        }
        if self.last == Some(index_time) {
            self.tied += 1;
            return;
        }
        self.sorted = self.sorted && self.last < Some(index_time);
        self.last = Some(index_time);
        self.tied = 1;
    }

    fn is_stopped(&self) -> bool {
        self.trouble.is_some()
    }
}
