//! The archive read again: every stream that the ledger knows, against its manifest and the ledger; and
//! what is there that nobody knows.

use std::collections::HashMap;
use std::io;

use common::archive::{Archive, Flaw, Manifest, differs, key_of};
use common::chunk::JobId;
use common::store::{LedgerStream, Store};
use futures::{StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use tokio::sync::mpsc;

/// Streams that are read from the ledger at once.
const STREAMS_AT_ONCE: u32 = 500;
/// Names of stored things that are looked up at once.
const NAMES_AHEAD: usize = 1_000;

/// An archived stream that something is wrong with.
#[derive(Clone, Debug)]
pub struct Flawed {
    /// What the ledger says of it.
    pub ledger: LedgerStream,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What reading the archive again came to.
#[derive(Debug, Default)]
pub struct Verified {
    /// Streams that were read.
    pub streams: u64,
    /// Their bytes, by the ledger.
    pub bytes: u64,
    /// Those that something is wrong with.
    pub flawed: Vec<Flawed>,
    /// Names of what the ledger doesn't know; looked for where all of it was read.
    pub unknown: Vec<String>,
}

/// Reads all streams, or a job's; as many at once as there are cores.
pub async fn verify(
    store: &Store,
    archive: &Archive,
    job: Option<JobId>,
    bar: &ProgressBar,
) -> anyhow::Result<Verified> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut verified = Verified::default();
    let mut after = String::new();
    loop {
        let streams = store.archived_streams(job, &after, STREAMS_AT_ONCE).await?;
        let Some(last) = streams.last() else {
            break;
        };
        after.clone_from(&last.key);
        let mut read = futures::stream::iter(streams)
            .map(|ledger| one(archive, ledger))
            .buffered(cores);
        while let Some((ledger, flaw)) = read.try_next().await? {
            verified.streams += 1;
            verified.bytes += ledger.bytes;
            bar.inc(1);
            if let Some(flaw) = flaw {
                verified.flawed.push(Flawed { ledger, flaw });
            }
        }
    }
    if job.is_none() {
        verified.unknown = unknown(store, archive).await?;
    }
    Ok(verified)
}

async fn one(
    archive: &Archive,
    ledger: LedgerStream,
) -> anyhow::Result<(LedgerStream, Option<Flaw>)> {
    let (objects, key) = (archive.objects(), ledger.key.clone());
    let read = tokio::task::spawn_blocking(move || objects.verify(&key)).await??;
    let flaw = match read {
        Ok(manifest) => against(&ledger, &manifest),
        Err(flaw) => Some(flaw),
    };
    Ok((ledger, flaw))
}

/// What the ledger says otherwise than a manifest that is true.
fn against(ledger: &LedgerStream, manifest: &Manifest) -> Option<Flaw> {
    let number = |number: u64| number.to_string();
    let billed = (ledger.billable_bytes, manifest.billable_bytes);
    differs([
        (
            "bytes in the ledger",
            number(ledger.bytes),
            number(manifest.bytes),
        ),
        (
            "SHA-256 in the ledger",
            ledger.sha256.clone(),
            manifest.sha256.clone(),
        ),
        (
            "records in the ledger",
            number(ledger.records),
            number(manifest.records),
        ),
        (
            "billable bytes in the ledger",
            number(billed.0),
            number(billed.1),
        ),
    ])
}

/// What is stored and in no stream that the ledger knows, nor in one that is not whole yet.
async fn unknown(store: &Store, archive: &Archive) -> anyhow::Result<Vec<String>> {
    let objects = archive.objects();
    let (sender, mut names) = mpsc::channel::<String>(NAMES_AHEAD);
    let walking = objects.clone();
    let walked = tokio::task::spawn_blocking(move || {
        walking.storage().walk(&mut |stored| {
            let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            sender.blocking_send(stored.name).map_err(gone)
        })
    });
    let mut unknown = Vec::new();
    // Names come stream by stream, nearly: what is known of the last is remembered.
    let mut known: HashMap<String, bool> = HashMap::new();
    while let Some(name) = names.recv().await {
        let Some(key) = key_of(&name) else {
            unknown.push(name);
            continue;
        };
        if known.len() >= NAMES_AHEAD {
            known.clear();
        }
        let of_ledger = match known.get(&key) {
            Some(of_ledger) => *of_ledger,
            None => {
                let of_ledger = store.knows_stream(&key).await?;
                known.insert(key.clone(), of_ledger);
                of_ledger
            }
        };
        // A stream's first object and its manifest have its name.
        if of_ledger && (name == key || name.strip_suffix(".json") == Some(&key)) {
            continue;
        }
        let (objects, named) = (objects.clone(), name.clone());
        let named = tokio::task::spawn_blocking(move || objects.names(&key, &named, of_ledger));
        if !named.await?? {
            unknown.push(name);
        }
    }
    walked.await??;
    Ok(unknown)
}
