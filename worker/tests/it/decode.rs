//! Decode: blocks in the stream's order, in flat memory, whatever comes.

use std::path::{Path, PathBuf};

use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::expression::Parameters;
use common::request::SCHEMAS;
use common::time::Nanos;
use dbn::Schema;
use worker::decode::{Decoded, decode};
use worker::error::ChunkError;
use worker::transform::transform;

use crate::dbn_stream::{files, frame, header, trade};

fn trades(count: u64) -> Vec<u8> {
    let mut bytes = header(Schema::Trades, 3);
    for number in 0..count {
        bytes.extend_from_slice(trade(number).as_ref());
    }
    frame(&bytes)
}

#[test]
fn records_come_in_blocks_in_their_order_after_the_header() {
    for count in [0, 1, 2_047, 2_048, 2_049, 10_000] {
        let (mut headers, mut bytes, mut times) = (0, Vec::new(), Vec::new());
        let facts = decode(trades(count).as_slice(), Schema::Trades, |decoded| {
            match decoded {
                Decoded::Metadata(_) => {
                    assert!(times.is_empty());
                    headers += 1;
                }
                Decoded::Records(block) => {
                    assert!(!block.index_times.is_empty() && block.index_times.len() <= 2_048);
                    assert_eq!(block.first_number, i64::try_from(times.len()).unwrap());
                    bytes.extend(block.bytes);
                    times.extend(block.index_times);
                }
            }
            true
        });
        assert_eq!((headers, facts.unwrap().records), (1, count));
        let expected: Vec<u8> = (0..count)
            .flat_map(|n| trade(n).as_ref().to_vec())
            .collect();
        assert!(bytes == expected, "{count} records differ");
        let expected: Vec<_> = (0..count).map(|number| trade(number).ts_recv).collect();
        assert!(times.iter().map(|time| time.unsigned_abs()).eq(expected));
    }
}

#[test]
fn a_stream_that_is_cut_never_ends_well() {
    let whole = trades(5_000);
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        let decoded = decode(&whole[..cut], Schema::Trades, |_| true);
        assert!(matches!(decoded, Err(ChunkError::Stream(_))), "{decoded:?}");
    }
}

#[test]
fn nothing_comes_after_a_refusal() {
    let mut delivered = 0;
    let decoded = decode(trades(100_000).as_slice(), Schema::Trades, |_| {
        delivered += 1;
        delivered < 3
    });
    assert!(matches!(decoded, Err(ChunkError::Stopped)), "{decoded:?}");
    assert_eq!(delivered, 3);
}

/// The most memory that this process ever had, in KiB.
fn memory_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_stream_that_unpacks_to_a_thousand_times_its_size_does_not_fill_the_memory() {
    let Some(before) = memory_peak() else {
        println!("skipped: this system does not tell how much memory was used");
        return;
    };
    // 400 MB of one record: less than one read of the archive.
    let one = trade(1);
    let records = one.as_ref().repeat(4_096);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut encoder, &header(Schema::Trades, 3)).unwrap();
    for _ in 0..2_048 {
        std::io::Write::write_all(&mut encoder, &records).unwrap();
    }
    let compressed = encoder.finish().unwrap();
    assert!(compressed.len() < 256 * 1024, "{} bytes", compressed.len());
    let mut received = 0;
    let facts = decode(compressed.as_slice(), Schema::Trades, |decoded| {
        if let Decoded::Records(block) = decoded {
            received += block.index_times.len();
        }
        true
    });
    assert_eq!(facts.unwrap().records, 4_096 * 2_048);
    assert_eq!(received, 4_096 * 2_048);
    let grown = memory_peak().unwrap() - before;
    assert!(
        grown < 100 * 1024,
        "{grown} KiB for {} bytes",
        compressed.len()
    );
}

fn schema_of(file: &Path) -> Option<Schema> {
    let name = file.file_name()?.to_str()?.to_owned();
    let named = name.strip_prefix("test_data.").unwrap_or(&name);
    let stem = named.split('.').next()?;
    SCHEMAS.into_iter().find(|schema| schema.as_str() == stem)
}

#[test]
fn every_real_sample_becomes_rows() {
    let Some(folder) = testkit::shared_data::shared_data() else {
        return;
    };
    let whole = |file: &PathBuf| {
        let name = file.display().to_string();
        name.ends_with(".dbn.zst") && !name.contains(".frag")
    };
    let mut seen = std::collections::BTreeSet::new();
    for file in files(&folder).into_iter().filter(whole) {
        let Some(schema) = schema_of(&file) else {
            continue;
        };
        let mapping = Mapping::load(&ConfigFiles::CompiledIn, schema).unwrap();
        let stream = std::fs::File::open(&file).unwrap();
        let mut rows = 0;
        let facts = decode(stream, schema, |decoded| {
            if let Decoded::Records(block) = decoded {
                let days = Parameters {
                    chunk_start: Nanos(0),
                    chunk_end: Nanos(i64::MAX),
                };
                let rows_of = transform(&mapping, &block, days)
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                assert_eq!(rows_of.index_times, block.index_times);
                rows += u64::try_from(rows_of.len()).unwrap();
            }
            true
        });
        let facts = facts.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(rows, facts.records, "{}", file.display());
        assert!(facts.index_times.is_none_or(|(first, _)| first > Nanos(0)));
        seen.insert(schema.as_str());
    }
    assert!(seen.len() >= 18, "only {seen:?} were found");
}
