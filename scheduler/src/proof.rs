//! The proof of a job: each chunk's ledger against the tables and the archive; what doesn't add up is
//! named.

use std::collections::{BTreeSet, HashMap};

use common::archive::{Archive, Manifest};
use common::chunk::{ChunkId, ChunkState};
use common::store::{Archived, ChunkAccount, Gap, Strays};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use crate::progress::{counted, thousands};

/// Something that doesn't add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of which chunk.
    pub chunk: ChunkId,
    /// What was looked at: `state`, `counts`, `rows`, `quarantine`, `archive` or `slices`.
    pub what: &'static str,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
    /// What to do about it.
    pub help: &'static str,
}

/// Manifests that are read at once: a bucket takes its time for each.
const MANIFESTS_AT_ONCE: usize = 16;

/// For tables that something else than this program changed: what a chunk holds can't be told apart
/// from what was done to it.
const TABLE_HELP: &str = "something else changed the tables: restore them from a backup, or run the \
                          job into a new database with the same archive, which costs nothing";
const LEDGER_HELP: &str = "something else changed the ledger: restore the database from a backup, or \
                           run the job into a new one with the same archive, which costs nothing";
const ARCHIVE_HELP: &str = "the rows are whole; put the object and its manifest back from a copy, \
                            or see what `scheduler archive verify --repair` asks for it";

/// What the archive has of the streams that chunks were loaded from: manifests by name.
///
/// # Errors
/// When the archive can't be read.
pub async fn archived(
    archive: &Archive,
    chunks: &[ChunkAccount],
) -> anyhow::Result<HashMap<String, Manifest>> {
    let keys: BTreeSet<_> = chunks
        .iter()
        .filter_map(|chunk| chunk.archive_object.clone())
        .collect();
    let found = futures::stream::iter(keys)
        .map(|key| async move { archive.manifest(&key).await })
        .buffer_unordered(MANIFESTS_AT_ONCE)
        .try_collect::<Vec<_>>();
    let found = found.await?.into_iter().flatten();
    Ok(found
        .map(|manifest| (manifest.key.clone(), manifest))
        .collect())
}

/// What doesn't add up in a chunk.
#[must_use]
pub fn judge(
    chunk: &ChunkAccount,
    archived: &HashMap<String, Manifest>,
    cancelled_job: bool,
) -> Vec<Finding> {
    let mut judgement = Judgement {
        chunk: chunk.id,
        findings: Vec::new(),
    };
    judgement.state(chunk, cancelled_job);
    judgement.counts(chunk);
    judgement.tables(chunk);
    judgement.archive(chunk, archived);
    for gap in &chunk.gaps {
        judgement.slice(gap);
    }
    judgement.findings
}

/// Rows that are nobody's, as a finding.
#[must_use]
pub fn stray(strays: &Strays) -> Finding {
    Finding {
        chunk: strays.chunk,
        what: "rows",
        expected: format!(
            "no rows in {}: no chunk of this number was done there",
            strays.market_table
        ),
        found: counted(strays.rows, "row"),
        help: TABLE_HELP,
    }
}

struct Judgement {
    chunk: ChunkId,
    findings: Vec<Finding>,
}

impl Judgement {
    fn add(&mut self, what: &'static str, expected: String, found: String, help: &'static str) {
        self.findings.push(Finding {
            chunk: self.chunk,
            what,
            expected,
            found,
            help,
        });
    }

    fn numbers(
        &mut self,
        what: &'static str,
        expected: (&str, u64),
        found: (&str, u64),
        help: &'static str,
    ) {
        if expected.1 != found.1 {
            let words = |(words, number): (&str, u64)| format!("{} {words}", thousands(number));
            self.add(what, words(expected), words(found), help);
        }
    }

    fn state(&mut self, chunk: &ChunkAccount, cancelled_job: bool) {
        let help = match chunk.state {
            ChunkState::Done | ChunkState::Empty => return,
            // The job was submitted again since, and others took its place.
            ChunkState::Cancelled if !cancelled_job => return,
            ChunkState::Cancelled => "submit the job again for what is missing",
            ChunkState::Dead => "mend the cause, then `scheduler retry` its job",
            ChunkState::Pending => "`scheduler run` its job file, or let the workers take it up",
            ChunkState::Running => "wait until it is settled, and ask again",
        };
        let mut found = chunk.state.to_string();
        if chunk.state == ChunkState::Pending {
            found.push_str(&format!(", due {}", chunk.due_at));
        }
        if let Some(error) = &chunk.error {
            found.push_str(&format!(": {error}"));
        }
        self.add("state", "done or empty".to_owned(), found, help);
    }

    fn counts(&mut self, chunk: &ChunkAccount) {
        if !matches!(chunk.state, ChunkState::Done | ChunkState::Empty) {
            return;
        }
        let expected = chunk.expected.unwrap_or_default();
        let fetched = ("fetched", chunk.fetched);
        let counted = ("records by the vendor's count", expected);
        self.numbers("counts", counted, fetched, LEDGER_HELP);
        let accounted = chunk.loaded + chunk.quarantined + chunk.covered;
        let accounted = ("loaded, quarantined and covered", accounted);
        self.numbers("counts", fetched, accounted, LEDGER_HELP);
    }

    fn tables(&mut self, chunk: &ChunkAccount) {
        let done = chunk.state == ChunkState::Done;
        let table = chunk.market_table.as_deref().unwrap_or("the tables");
        // Rows of a chunk that isn't done are told as nobody's.
        if done {
            let rows = format!("rows in {table}");
            let loaded = ("loaded", chunk.loaded);
            self.numbers("rows", loaded, (&rows, chunk.table_rows), TABLE_HELP);
        }
        let quarantined = match done {
            true => ("quarantined", chunk.quarantined),
            false => ("quarantined, as it isn't done", 0),
        };
        let rows = ("records in the quarantine", chunk.quarantine_rows);
        self.numbers("quarantine", quarantined, rows, TABLE_HELP);
    }

    fn archive(&mut self, chunk: &ChunkAccount, archived: &HashMap<String, Manifest>) {
        if chunk.state != ChunkState::Done {
            return;
        }
        let Some(key) = &chunk.archive_object else {
            if chunk.fetched > 0 {
                let expected = format!("a stream of {}", counted(chunk.fetched, "record"));
                let found = "no archived object in the ledger".to_owned();
                self.add("archive", expected, found, LEDGER_HELP);
            }
            return;
        };
        let Some(ledger) = &chunk.archived else {
            let found = "the ledger doesn't know it".to_owned();
            self.add("archive", key.clone(), found, LEDGER_HELP);
            return;
        };
        let received = ("fetched and filtered", chunk.fetched + chunk.filtered);
        let records = ("records in its archived object", ledger.records);
        self.numbers("archive", received, records, LEDGER_HELP);
        match archived.get(key) {
            Some(manifest) => self.manifest(ledger, manifest),
            None => {
                let found = "not in the archive, or not whole".to_owned();
                self.add("archive", key.clone(), found, ARCHIVE_HELP);
            }
        }
    }

    fn manifest(&mut self, ledger: &Archived, manifest: &Manifest) {
        if ledger.sha256 != manifest.sha256 {
            let digest = |text: &str| format!("SHA-256 {text}");
            let (expected, found) = (digest(&ledger.sha256), digest(&manifest.sha256));
            self.add("archive", expected, found, ARCHIVE_HELP);
        }
        let of_ledger = [ledger.bytes, ledger.records];
        let of_manifest = [manifest.bytes, manifest.records];
        for ((what, ledger), manifest) in ["bytes", "records"]
            .into_iter()
            .zip(of_ledger)
            .zip(of_manifest)
        {
            let expected = format!("{what} by the ledger");
            let found = format!("{what} by the manifest");
            let (expected, found) = ((&*expected, ledger), (&*found, manifest));
            self.numbers("archive", expected, found, ARCHIVE_HELP);
        }
    }

    fn slice(&mut self, gap: &Gap) {
        let whose = match gap.instrument_id {
            Some(id) => format!("{} (instrument {id})", gap.symbol),
            None => gap.symbol.clone(),
        };
        let expected = format!("{whose} held from {} to {}", gap.span.start, gap.span.end);
        let length = gap.span.end.0.abs_diff(gap.span.start.0);
        let found = match gap.missing == length {
            true => "nobody holds it".to_owned(),
            false => format!("{} of {} nanoseconds held", length - gap.missing, length),
        };
        self.add("slices", expected, found, TABLE_HELP);
    }
}
