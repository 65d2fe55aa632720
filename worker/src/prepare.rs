//! Prepare: an archived stream to rows that may be loaded, on a thread of its own: decode →
//! transform → own → validate, a few blocks ahead of the database.

use std::time::Duration;

use common::archive::{Archive, Manifest, Objects, StreamFacts};
use common::as_u64;
use common::configuration::mapping::Mapping;
use common::expression::Parameters;
use common::quality::QuarantineLimit;
use common::store::rows::RowBlock;
use common::store::{Chunk, EncodedRows, Loaded, QuarantinedRecord, RowEncoder};
use dbn::Metadata;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::decode::{Decoded, RecordBlock, decode_archived};
use crate::error::{ChunkError, OverQuarantined};
use crate::log;
use crate::ownership::Ownership;
use crate::transform::parts;
use crate::validate::{Tally, ValidBlock, Validator};

/// Blocks between the preparing thread and the database.
const BLOCKS_AHEAD: usize = 4;

/// A stream that is being prepared.
#[derive(Debug)]
pub struct Preparation {
    metadata: mpsc::Receiver<Metadata>,
    ownership: Option<oneshot::Sender<Ownership>>,
    blocks: mpsc::Receiver<ReadyBlock>,
    thread: JoinHandle<Result<Prepared, ChunkError>>,
    limit: QuarantineLimit,
}

/// A block that the database can take.
#[derive(Debug)]
pub struct ReadyBlock {
    /// The rows to load.
    pub rows: Rows,
    /// The records for the quarantine.
    pub quarantined: Vec<QuarantinedRecord>,
    /// Whether so many records failed that nothing of the chunk will be loaded.
    pub given_up: bool,
}

/// Rows as the database takes them.
#[derive(Debug)]
pub enum Rows {
    /// As they are.
    Plain(RowBlock),
    /// Encoded.
    Encoded(EncodedRows),
}

impl ReadyBlock {
    fn new(valid: ValidBlock, encoder: Option<&RowEncoder>) -> Self {
        let given_up = valid.is_given_up();
        let (rows, quarantined) = valid.into_parts();
        let rows = match encoder {
            Some(encoder) => Rows::Encoded(encoder.encode(&rows)),
            None => Rows::Plain(rows),
        };
        Self {
            rows,
            quarantined,
            given_up,
        }
    }
}

impl Rows {
    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Plain(block) => as_u64(block.len()),
            Self::Encoded(rows) => rows.count(),
        }
    }
}

/// What a whole stream came to.
#[derive(Debug)]
pub struct Prepared {
    /// What was found of the stream itself.
    pub facts: StreamFacts,
    /// Whose its records are.
    pub ownership: Ownership,
    /// What the rules say of the chunk's own.
    pub tally: Tally,
    /// How long it took, without the time in which it waited for the database.
    pub took: Duration,
}

impl Preparation {
    /// Begins with an archived stream. Records wait until [`Self::own`] says whose they are; rows
    /// are encoded where the database takes them so. What can't be opened is told by
    /// [`Self::finish`].
    #[must_use]
    pub fn open(
        archive: &Archive,
        mapping: &Mapping,
        chunk: &Chunk,
        manifest: &Manifest,
        limit: QuarantineLimit,
        encoder: Option<RowEncoder>,
    ) -> Self {
        let (metadata_sender, metadata) = mpsc::channel(1);
        let (blocks_sender, blocks) = mpsc::channel(BLOCKS_AHEAD);
        let (ownership, owned) = oneshot::channel();
        let limit = chunk.quality.limit.unwrap_or(limit);
        let span = chunk.days.span();
        let parameters = Parameters {
            chunk_start: span.start,
            chunk_end: span.end,
        };
        let stages = Stages {
            validator: Validator::new(
                mapping,
                &chunk.quality.rules,
                parameters,
                limit.most_of(manifest.records),
            ),
            mapping: mapping.clone(),
            parameters,
            ownership: None,
            owned: Some(owned),
            failed: None,
            encoder,
            began: Instant::now(),
            waited: Duration::ZERO,
        };
        let (objects, archived) = (archive.objects(), manifest.clone());
        let thread = log::on_thread(move || {
            stages.run(&objects, &archived, &metadata_sender, &blocks_sender)
        });
        Self {
            metadata,
            ownership: Some(ownership),
            blocks,
            thread,
            limit,
        }
    }

    /// The stream's header; `None` when it has none.
    pub async fn metadata(&mut self) -> Option<Metadata> {
        self.metadata.recv().await
    }

    /// Says whose the records are.
    pub fn own(&mut self, ownership: Ownership) {
        if let Some(sender) = self.ownership.take() {
            // A thread that has ended already says why when it is asked.
            let _ended = sender.send(ownership);
        }
    }

    /// The next rows; `None` at the end, or after an error that [`Self::finish`] tells.
    pub async fn next(&mut self) -> Option<ReadyBlock> {
        self.blocks.recv().await
    }

    /// What the whole stream came to.
    ///
    /// # Errors
    /// [`ChunkError`] when it is not whole, a record can't be kept, or the rules quarantine more
    /// than the limit allows.
    pub async fn finish(mut self) -> Result<Prepared, ChunkError> {
        self.blocks.close();
        let prepared = match self.thread.await {
            Ok(prepared) => prepared?,
            Err(error) => return Err(ChunkError::Panic(error.to_string())),
        };
        let tally = &prepared.tally;
        if self.limit.passed_by(tally.quarantined, tally.records) {
            return Err(Box::new(OverQuarantined::new(tally, self.limit)).into());
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// Adds up what became of the records.
    pub fn account(&self, loaded: &mut Loaded) {
        loaded.covered = self.ownership.covered;
        loaded.filtered = self.ownership.filtered;
        loaded.fetched = self.facts.records.saturating_sub(self.ownership.filtered);
        loaded.slices = self.ownership.slices();
        loaded.failures = self.tally.failures();
    }
}

/// The stages between decoding and the database, and what they keep from block to block.
struct Stages {
    mapping: Mapping,
    parameters: Parameters,
    owned: Option<oneshot::Receiver<Ownership>>,
    ownership: Option<Ownership>,
    validator: Validator,
    failed: Option<ChunkError>,
    encoder: Option<RowEncoder>,
    began: Instant,
    waited: Duration,
}

impl Stages {
    /// Goes through the whole stream, as long as somebody takes what comes out of it.
    fn run(
        mut self,
        objects: &Objects,
        archived: &Manifest,
        metadata: &mpsc::Sender<Metadata>,
        blocks: &mpsc::Sender<ReadyBlock>,
    ) -> Result<Prepared, ChunkError> {
        let schema = self.mapping.schema;
        let facts = decode_archived(objects, archived, schema, |decoded| match decoded {
            Decoded::Metadata(header) => metadata.blocking_send(*header).is_ok(),
            Decoded::Records(block) => match self.prepare(block) {
                Ok(ready) => self.hand_on(ready, blocks),
                Err(error) => {
                    self.failed = Some(error);
                    false
                }
            },
        });
        match facts {
            // What was taken exception to on the way may be the damage.
            Err(error @ (ChunkError::Damaged(_) | ChunkError::Archive(_))) => Err(error),
            facts => self.finish(facts),
        }
    }

    /// Hands blocks on, as fast as the database takes them; whether somebody still does.
    fn hand_on(&mut self, ready: Vec<ReadyBlock>, blocks: &mpsc::Sender<ReadyBlock>) -> bool {
        let since = Instant::now();
        let mut ready = ready.into_iter();
        let taken = ready.all(|block| blocks.blocking_send(block).is_ok());
        self.waited += since.elapsed();
        taken
    }

    fn prepare(&mut self, records: RecordBlock) -> Result<Vec<ReadyBlock>, ChunkError> {
        self.learn_ownership();
        let Some(ownership) = &mut self.ownership else {
            // Nobody is interested any more.
            return Err(ChunkError::Stopped);
        };
        let mut ready = Vec::with_capacity(1);
        for part in parts(&self.mapping, records, self.parameters) {
            let own = ownership.claim(part.rows)?;
            let block = self
                .validator
                .validate_part(&part.records, own, part.unfit.as_ref());
            ready.push(ReadyBlock::new(block, self.encoder.as_ref()));
        }
        Ok(ready)
    }

    fn learn_ownership(&mut self) {
        if let Some(owned) = self.owned.take() {
            let since = Instant::now();
            self.ownership = owned.blocking_recv().ok();
            self.waited += since.elapsed();
        }
    }

    fn finish(mut self, facts: Result<StreamFacts, ChunkError>) -> Result<Prepared, ChunkError> {
        let facts = match self.failed.take() {
            Some(error) => return Err(error),
            None => facts?,
        };
        self.learn_ownership();
        Ok(Prepared {
            facts,
            ownership: self.ownership.ok_or(ChunkError::Stopped)?,
            tally: self.validator.finish(),
            took: self.began.elapsed().saturating_sub(self.waited),
        })
    }
}
