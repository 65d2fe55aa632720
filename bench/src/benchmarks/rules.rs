//! `rules`: what each stage between the archive and the database costs, and the six rules of trades
//! beside the same checks written by hand.

mod trades;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use anyhow::ensure;
use common::as_u64;
use common::chunk::ChunkId;
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::expression::Parameters;
use common::store::copy::CopyEncoder;
use common::store::rows::{ColumnValues, NULL, RowBlock};
use common::time::Nanos;
use dbn::Schema;
use worker::decode::RecordBlock;
use worker::transform::transform;
use worker::validate::Validator;

use crate::outcome::Outcome;
use crate::samples::{Samples, per_second};

const ROUNDS: usize = 9;
const TRADES: usize = 1_000_000;
/// About as many as `decode` hands on, and a divisor of all.
const TRADES_PER_BLOCK: usize = 2_000;
/// The day of the trades, and the few seconds that the last are received after it.
const DAY: Parameters = Parameters {
    chunk_start: Nanos(1_704_153_600_000_000_000),
    chunk_end: Nanos(1_704_240_010_000_000_000),
};

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let mapping = Mapping::load(&ConfigFiles::CompiledIn, Schema::Trades)?;
    let blocks = trades::blocks(TRADES, TRADES_PER_BLOCK);
    let rows: Vec<_> = blocks
        .iter()
        .map(|block| to_rows(&mapping, block))
        .collect();
    let encoder = CopyEncoder::new(&mapping);
    let mut sides: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let transformed = timed(|| {
            blocks
                .iter()
                .map(|block| to_rows(&mapping, block).len())
                .sum()
        });
        let mut validator = Validator::new(&mapping, &BTreeMap::new(), DAY, u64::MAX);
        let copies = rows.clone();
        let judged = timed(|| {
            let judged = blocks.iter().zip(copies);
            judged
                .map(|(block, rows)| validator.validate(block, rows).rows().len())
                .sum()
        });
        let by_hand = timed(|| rows.iter().map(passing).sum());
        let encoded = timed(|| {
            let mut bytes = Vec::new();
            let encode = |rows: &RowBlock| {
                bytes.clear();
                encoder.encode(rows, ChunkId(1), &mut bytes);
                black_box(&bytes);
                rows.len()
            };
            rows.iter().map(encode).sum()
        });
        for (side, (count, speed)) in sides
            .iter_mut()
            .zip([transformed, judged, by_hand, encoded])
        {
            ensure!(count == TRADES, "{count} trades of {TRADES}");
            side.push(speed);
        }
    }
    let about = "A million trades in blocks of 2,000, on one thread: each stage by itself.";
    let mut outcome = Outcome::new(about, ROUNDS);
    let [transformed, judged, by_hand, encoded] = sides.map(Samples::new);
    outcome.ratio("ratio_to_checks_by_hand", &judged, &by_hand);
    outcome.figure("transform_rows_per_second", "rows/s", transformed);
    outcome.figure("six_rules_rows_per_second", "rows/s", judged);
    outcome.figure("checks_by_hand_rows_per_second", "rows/s", by_hand);
    outcome.figure("encode_rows_per_second", "rows/s", encoded);
    outcome.note("the checks by hand stop at a row's first failure and count no reasons");
    Ok(Some(outcome))
}

/// How many there were, and how many a second.
fn timed(stage: impl FnOnce() -> usize) -> (usize, f64) {
    let began = Instant::now();
    let count = stage();
    (count, per_second(as_u64(count), began.elapsed()))
}

fn to_rows(mapping: &Mapping, block: &RecordBlock) -> RowBlock {
    transform(mapping, block, DAY).expect("the trades are well formed")
}

/// Rows that pass the rules of `configs/schemas/trades.yaml`, as somebody would write them out.
fn passing(rows: &RowBlock) -> usize {
    let column = |index: usize| match &rows.columns[index] {
        ColumnValues::Integers(values) => values.as_slice(),
        _ => unreachable!("the column holds numbers"),
    };
    let chars = |index: usize| match &rows.columns[index] {
        ColumnValues::Chars(values) => values.as_slice(),
        _ => unreachable!("the column holds characters"),
    };
    // By their places in the mapping.
    let (received, event, price, size) = (column(1), column(3), column(4), column(5));
    let (action, side) = (chars(6), chars(7));
    let (start, end) = (DAY.chunk_start.0, DAY.chunk_end.0);
    let mut late = 0_usize;
    let passes = |row: &usize| {
        let row = *row;
        late += usize::from(event[row] != NULL && event[row] > received[row]);
        received[row] >= start
            && received[row] < end
            && action[row] == b'T'
            && price[row] != NULL
            && size[row] > 0
            && matches!(side[row], b'A' | b'B' | b'N')
    };
    let passing = (0..rows.len()).filter(passes).count();
    black_box(late);
    passing
}
