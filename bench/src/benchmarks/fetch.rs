//! `fetch`: a worker's fetch (HTTP, proof of the stream, archive) and its other stages, against the `dbn`
//! decoder alone over the same bytes.

use std::time::Instant;

use anyhow::{Context, ensure};
use dbn::TradeMsg;
use dbn::decode::{DbnDecoder, DecodeRecord};

use crate::fleet::{Fleet, trades_per_day};
use crate::jobs::by_day;
use crate::outcome::Outcome;
use crate::samples::{Samples, number, per_second};

const ROUNDS: usize = 5;
const STAGES: [&str; 4] = ["fetch", "prepare", "load", "commit"];

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let Some(fleet) = Fleet::start(trades_per_day(1_000_000))? else {
        return Ok(None);
    };
    // A day of about a million trades.
    let job = by_day("trades", "ES.c.0", "2024-01-09", "2024-01-10");
    let first = fleet.installation()?;
    first.submit(&job)?;
    let records = first.work_off(1)?.job.records.fetched;
    let stream = fleet.vendor.longest_answer();
    let mut decoded = Vec::new();
    let mut stages: [Vec<f64>; 4] = Default::default();
    let mut processors = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        ensure!(
            decode(&stream)? == records,
            "the decoder finds every record"
        );
        decoded.push(per_second(records, began.elapsed()));
        let mut installation = fleet.installation()?;
        installation.set("BACKHAUL_WORKERS", "1");
        installation.submit(&job)?;
        fleet.settle();
        let worked = installation.work_off(1)?;
        ensure!(
            installation.check_rows("trades_data", &worked)? == records,
            "every record is fetched"
        );
        let worker = &worked.workers[0];
        for (stage, speeds) in STAGES.iter().zip(&mut stages) {
            let labels = [("stage", *stage)];
            let seconds = worker.told.sum("backhaul_chunk_stage_seconds_sum", &labels);
            speeds.push(number(records) / seconds.context("the worker tells its stages")?);
        }
        processors.push(worker.taken.processor.as_secs_f64() * 1e6 / number(records));
    }
    let about = "A chunk of a million trades, one slot: its stages against the dbn decoder alone.";
    let mut outcome = Outcome::new(about, ROUNDS);
    let decoded = Samples::new(decoded);
    let stages = stages.map(Samples::new);
    outcome.ratio("ratio_to_dbn_decoder", &stages[0], &decoded);
    outcome.figure("dbn_decoder_records_per_second", "records/s", decoded);
    for (stage, speeds) in STAGES.iter().zip(stages) {
        outcome.figure(format!("{stage}_records_per_second"), "records/s", speeds);
    }
    let processors = Samples::new(processors);
    outcome.figure("worker_core_seconds_per_million", "core-s", processors);
    let compressed = number(common::as_u64(stream.len())) / number(records);
    outcome.once("bytes_per_record", "bytes", compressed);
    outcome.note("prepare and load overlap; the worker's core-seconds hold its start");
    Ok(Some(outcome))
}

/// The records of a stream, by the vendor's own library.
fn decode(stream: &[u8]) -> anyhow::Result<u64> {
    let mut decoder = DbnDecoder::with_zstd(stream)?;
    let mut records = 0;
    while decoder.decode_record::<TradeMsg>()?.is_some() {
        records += 1;
    }
    Ok(records)
}
