//! `scheduler status JOB --proof`: every chunk's numbers, and what doesn't add up.

use std::collections::HashMap;
use std::process::ExitCode;

use common::archive::Manifest;
use common::store::{ChunkAccount, JobStatus, Proof, Store};
use serde_json::{Value, json};

use crate::exit::{INCOMPLETE, print};
use crate::progress::{counted, thousands};
use crate::proof::{Finding, archived, judge, stray};
use crate::report::{aligned, plain_table};
use crate::session::Session;
use crate::submitted::{find, title};

/// Chunks that are listed for people unless they want all.
const CHUNKS_SHOWN: u64 = 50;
/// Findings that are told for people unless they want all.
const FINDINGS_SHOWN: usize = 50;

/// How the proof is told.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// As one JSON document.
    pub json: bool,
    /// Every chunk and every finding to people too.
    pub all: bool,
}

/// What was gone through so far.
#[derive(Debug, Default)]
struct Sums {
    chunks: u64,
    shown: u64,
    proven: u64,
    findings: u64,
    loaded: u64,
    quarantined: u64,
    covered: u64,
    fetched: u64,
}

/// Goes through a job's chunks, tells them, and says whether all adds up.
pub async fn run(
    session: &Session,
    store: &Store,
    wanted: &str,
    telling: Telling,
) -> anyhow::Result<ExitCode> {
    let job = find(store, wanted).await?;
    let archive = session.archive()?;
    let mut proof = store.begin_proof(job.id).await?;
    let mut sums = Sums::default();
    // People read the findings below the table; there are at most so many to remember.
    let mut findings = Vec::new();
    if telling.json {
        let head = json!({ "id": job.id, "name": job.name });
        print(&format!("{{\n\"job\": {head},\n\"chunks\": ["))?;
    }
    loop {
        let chunks = proof.next_chunks().await?;
        if chunks.is_empty() {
            break;
        }
        let manifests = archived(&archive, &chunks).await?;
        let judged: Vec<_> = chunks
            .iter()
            .map(|chunk| judge(chunk, &manifests, job.state == "cancelled"))
            .collect();
        match telling.json {
            true => print(&page_json(&chunks, &manifests, &judged, sums.chunks == 0)?)?,
            false => print(&page_table(
                &chunks, &manifests, &judged, &mut sums, telling,
            ))?,
        }
        for (chunk, of_chunk) in chunks.iter().zip(judged) {
            sums.add(chunk, &of_chunk);
            remember(&mut findings, of_chunk, telling)?;
        }
    }
    if telling.json {
        print("],\n\"strays\": [")?;
    }
    each_stray(&mut proof, &mut sums, &mut findings, telling).await?;
    proof.end().await?;
    print(&match telling.json {
        true => format!("],\n{}", sums.json()),
        false => describe(&job, &sums, &findings, telling),
    })?;
    Ok(match sums.findings {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(INCOMPLETE),
    })
}

async fn each_stray(
    proof: &mut Proof,
    sums: &mut Sums,
    findings: &mut Vec<Finding>,
    telling: Telling,
) -> anyhow::Result<()> {
    let mut first = true;
    loop {
        let strays = proof.next_strays().await?;
        if strays.is_empty() {
            return Ok(());
        }
        let strays: Vec<_> = strays.iter().map(stray).collect();
        if telling.json {
            print(&entries(strays.iter().map(|stray| json!(stray)), first))?;
        }
        first = false;
        sums.findings += common::as_u64(strays.len());
        remember(findings, strays, telling)?;
    }
}

/// Tells findings at once where all are wanted; else the first are kept for below the table.
fn remember(
    findings: &mut Vec<Finding>,
    new: Vec<Finding>,
    telling: Telling,
) -> anyhow::Result<()> {
    if telling.all && !telling.json {
        return print(&describe_findings(&new));
    }
    if !telling.json {
        let room = FINDINGS_SHOWN.saturating_sub(findings.len());
        findings.extend(new.into_iter().take(room));
    }
    Ok(())
}

/// Entries of a JSON list, a line each; `first` is whether the list begins with them.
fn entries(values: impl Iterator<Item = Value>, first: bool) -> String {
    let lines: Vec<_> = values.map(|value| format!("\n{value}")).collect();
    let comma = if first { "" } else { "," };
    format!("{comma}{}", lines.join(","))
}

fn page_json(
    chunks: &[ChunkAccount],
    manifests: &HashMap<String, Manifest>,
    judged: &[Vec<Finding>],
    first: bool,
) -> anyhow::Result<String> {
    let values = chunks.iter().zip(judged).map(|(chunk, findings)| {
        let manifest = manifest_of(chunk, manifests);
        json!({
            "chunk": chunk.id,
            "schema": chunk.schema,
            "symbols": chunk.symbols,
            "days": chunk.days.to_string(),
            "state": chunk.state.name(),
            "vendor_count": chunk.expected.map(|expected| expected + chunk.filtered),
            "expected": chunk.expected,
            "fetched": chunk.fetched,
            "filtered": chunk.filtered,
            "loaded": chunk.loaded,
            "quarantined": chunk.quarantined,
            "covered": chunk.covered,
            "market_table": chunk.market_table,
            "table_rows": chunk.table_rows,
            "quarantine_rows": chunk.quarantine_rows,
            "archive_object": chunk.archive_object,
            "sha256": manifest.map(|manifest| &manifest.sha256),
            "revision": manifest.map(|manifest| manifest.revision),
            "fetched_at": manifest.map(|manifest| manifest.fetched_at.to_string()),
            "proven": findings.is_empty(),
            "findings": findings,
        })
    });
    Ok(entries(values, first))
}

fn manifest_of<'a>(
    chunk: &ChunkAccount,
    manifests: &'a HashMap<String, Manifest>,
) -> Option<&'a Manifest> {
    chunk
        .archive_object
        .as_ref()
        .and_then(|key| manifests.get(key))
}

fn page_table(
    chunks: &[ChunkAccount],
    manifests: &HashMap<String, Manifest>,
    judged: &[Vec<Finding>],
    sums: &mut Sums,
    telling: Telling,
) -> String {
    let room = match telling.all {
        true => chunks.len(),
        false => usize::try_from(CHUNKS_SHOWN.saturating_sub(sums.shown)).unwrap_or(usize::MAX),
    };
    let mut table = plain_table(&[
        "chunk",
        "schema",
        "days",
        "state",
        "sha-256",
        "fetched at",
        "revision",
        "vendor",
        "fetched",
        "filtered",
        "loaded",
        "quarantined",
        "covered",
        "rows",
        "",
    ]);
    let mut any = false;
    for (chunk, findings) in chunks.iter().zip(judged).take(room) {
        any = true;
        sums.shown += 1;
        let manifest = manifest_of(chunk, manifests);
        let sha256 = manifest.map(|manifest| &manifest.sha256[..12.min(manifest.sha256.len())]);
        let vendor = chunk.expected.map(|expected| expected + chunk.filtered);
        let mut row = vec![
            chunk.id.to_string(),
            chunk.schema.clone(),
            chunk.days.to_string(),
            chunk.state.to_string(),
            sha256.unwrap_or("–").to_owned(),
            manifest.map_or("–".to_owned(), |manifest| manifest.fetched_at.to_string()),
            manifest.map_or("–".to_owned(), |manifest| manifest.revision.to_string()),
            vendor.map_or("–".to_owned(), thousands),
        ];
        let numbers = [
            chunk.fetched,
            chunk.filtered,
            chunk.loaded,
            chunk.quarantined,
            chunk.covered,
            chunk.table_rows,
        ];
        row.extend(numbers.map(thousands));
        row.push(if findings.is_empty() { "✓" } else { "✗" }.to_owned());
        table.add_row(aligned(6, row));
    }
    match any {
        true => format!("{table}\n"),
        false => String::new(),
    }
}

impl Sums {
    fn add(&mut self, chunk: &ChunkAccount, findings: &[Finding]) {
        self.chunks += 1;
        self.proven += u64::from(findings.is_empty());
        self.findings += common::as_u64(findings.len());
        self.fetched += chunk.fetched;
        self.loaded += chunk.loaded;
        self.quarantined += chunk.quarantined;
        self.covered += chunk.covered;
    }

    fn json(&self) -> String {
        format!(
            "\"chunks_total\": {},\n\"chunks_proven\": {},\n\"findings\": {},\n\"proven\": {}\n}}\n",
            self.chunks,
            self.proven,
            self.findings,
            self.findings == 0
        )
    }
}

fn describe_findings(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        format!(
            "  chunk {}: {}: expected {}, found {}\n    = help: {}\n",
            finding.chunk, finding.what, finding.expected, finding.found, finding.help
        )
    };
    findings.iter().map(line).collect()
}

fn describe(job: &JobStatus, sums: &Sums, findings: &[Finding], telling: Telling) -> String {
    let mut text = String::new();
    if let Some(more @ 1..) = sums.chunks.checked_sub(sums.shown) {
        let more = counted(more, "chunk");
        text.push_str(&format!("and {more} more: --all lists them, --json too\n"));
    }
    text.push_str(&describe_findings(findings));
    let told = common::as_u64(findings.len());
    if let (Some(more @ 1..), false) = (sums.findings.checked_sub(told), telling.all) {
        let more = thousands(more);
        text.push_str(&format!(
            "  and {more} more: --all tells them, --json too\n"
        ));
    }
    let title = title(job);
    let chunks = counted(sums.chunks, "chunk");
    text.push_str(&match sums.findings {
        0 => format!(
            "{title} is proven: {chunks}; fetched {} = loaded {} + quarantined {} + covered {}, and \
             tables, slices and archive agree\n",
            thousands(sums.fetched),
            thousands(sums.loaded),
            thousands(sums.quarantined),
            thousands(sums.covered),
        ),
        findings => format!(
            "{title} is not proven: {} in {} of {chunks}, or beside them\n",
            counted(findings, "finding"),
            thousands(sums.chunks - sums.proven),
        ),
    });
    text
}
