//! How fast a block of trades becomes rows, rows are held to rules, and become what the database is
//! sent.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use common::chunk::ChunkId;
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::expression::Parameters;
use common::store::copy::CopyEncoder;
use common::store::rows::RowBlock;
use common::time::Nanos;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dbn::{FlagSet, RecordHeader, Schema, TradeMsg, UNDEF_TIMESTAMP, rtype};
use worker::decode::RecordBlock;
use worker::transform::transform;
use worker::validate::{ValidBlock, Validator};

const TRADES: usize = 1_000_000;
/// The rules of trades.
const RULES: usize = 6;
/// About as many as `decode` hands on, and a divisor of all.
const TRADES_PER_BLOCK: usize = 2_000;
const CHUNK: ChunkId = ChunkId(1);
/// The day of the trades, and the few seconds that the last are received after it.
const DAY: Parameters = Parameters {
    chunk_start: Nanos(1_704_153_600_000_000_000),
    chunk_end: Nanos(1_704_240_010_000_000_000),
};

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    targets = trades
}
criterion_main!(benches);

/// Each benchmark adds a stage to the one before; what a stage costs is the difference.
fn trades(criterion: &mut Criterion) {
    let mapping = Mapping::load(&ConfigFiles::CompiledIn, Schema::Trades)
        .expect("the compiled-in mappings are right");
    assert_eq!(mapping.rules.len(), RULES);
    let encoder = CopyEncoder::new(&mapping);
    let to_rows = |block: &RecordBlock| -> RowBlock {
        let rows = transform(&mapping, block, DAY).expect("the trades are well formed");
        // A row lost is no speed gained.
        assert_eq!(rows.len(), TRADES_PER_BLOCK);
        rows
    };
    let mut bytes = Vec::new();
    let mut encode = |rows: &RowBlock| {
        bytes.clear();
        encoder.encode(rows, CHUNK, &mut bytes);
        black_box(&bytes);
    };
    let mut validator = Validator::new(&mapping, &BTreeMap::new(), DAY, u64::MAX);
    let mut to_valid = |block: &RecordBlock| -> ValidBlock {
        let valid = validator.validate(block, to_rows(block));
        let judged = valid.rows().len() + valid.quarantined().len();
        assert_eq!(judged, TRADES_PER_BLOCK);
        assert!(valid.quarantined().is_empty());
        valid
    };

    stage(criterion, "transform", |block| to_rows(&block));
    stage(criterion, "transform + encode for COPY", |block| {
        let rows = to_rows(&block);
        encode(&rows);
        rows
    });
    stage(criterion, "transform + six rules", |block| to_valid(&block));
    stage(
        criterion,
        "transform + six rules + encode for COPY",
        |block| {
            let valid = to_valid(&block);
            encode(valid.rows());
            valid
        },
    );
}

/// Measures the way of one block; every iteration has the next, fresh from memory as from `decode`.
fn stage<R>(criterion: &mut Criterion, name: &str, mut way: impl FnMut(RecordBlock) -> R) {
    let blocks = blocks();
    let mut next = blocks.iter().cycle();
    let mut group = criterion.benchmark_group("trades");
    group.throughput(Throughput::Elements(
        u64::try_from(TRADES_PER_BLOCK).expect("a small number"),
    ));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || next.next().expect("a cycle has no end").clone(),
            &mut way,
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn blocks() -> Vec<RecordBlock> {
    let mut lottery = Lottery(0x5eed);
    let trades: Vec<_> = (0..TRADES).map(|_| trade(&mut lottery)).collect();
    let numbers = (0_i64..).step_by(TRADES_PER_BLOCK);
    let blocks = trades.chunks(TRADES_PER_BLOCK).zip(numbers);
    blocks
        .map(|(trades, first_number)| RecordBlock {
            bytes: trades.iter().flat_map(AsRef::as_ref).copied().collect(),
            index_times: trades
                .iter()
                .map(|trade| i64::try_from(trade.ts_recv).expect("a time of our century"))
                .collect(),
            first_number,
        })
        .collect()
}

/// A trade of a future within a day; about 3 % of them have no time of event.
fn trade(lottery: &mut Lottery) -> TradeMsg {
    const MIDNIGHT: u64 = 1_704_153_600_000_000_000;
    const TICK: i64 = 250_000_000;
    let mut drawn = |below: u32| lottery.draw(below);
    let time = MIDNIGHT + u64::from(drawn(86_400)) * 1_000_000_000 + u64::from(drawn(999_999));
    let ts_event = match drawn(100) {
        0..3 => UNDEF_TIMESTAMP,
        _ => time,
    };
    let price = (18_000 + i64::from(drawn(4_000))) * TICK;
    let instrument_id = 1 + drawn(50);
    TradeMsg {
        hd: RecordHeader::new::<TradeMsg>(rtype::MBP_0, 1, instrument_id, ts_event),
        price,
        size: 1 + drawn(200),
        action: b'T'.cast_signed(),
        side: b"ABN"[usize::from(drawn(3) != 0) + usize::from(drawn(20) == 0)].cast_signed(),
        flags: FlagSet::default(),
        depth: 0,
        ts_recv: time + u64::from(drawn(50_000)),
        ts_in_delta: 10_000 + i32::try_from(drawn(5_000)).expect("a small number"),
        sequence: drawn(u32::MAX),
    }
}

/// Chance from a seed: the same trades in every run.
struct Lottery(u64);

impl Lottery {
    fn draw(&mut self, below: u32) -> u32 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        let [a, b, c, d, ..] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d]) % below
    }
}
