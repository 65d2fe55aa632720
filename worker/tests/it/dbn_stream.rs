//! The proof of a stream: whole or refused, wherever it is cut and whatever is damaged.

use std::io::Write;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use common::archive::StreamFacts;
use common::dbn_stream::{DbnStream, ProofOnly, Sink, StreamError};
use common::record_layout::RecordLayout;
use common::request::SCHEMAS;
use common::time::Nanos;
use dbn::encode::dbn::MetadataEncoder;
use dbn::{Mbp1Msg, Metadata, OhlcvMsg, RType, RecordHeader, SType, Schema, StatMsg, TradeMsg, v1};
use proptest::prelude::*;

/// 2024-01-04.
const START: u64 = 1_704_326_400_000_000_000;

/// Everything that came out of a stream.
#[derive(Debug, Default, PartialEq)]
struct Everything {
    metadata: Vec<Metadata>,
    records: Vec<(Vec<u8>, Nanos)>,
}

impl Sink for Everything {
    fn metadata(&mut self, metadata: Metadata) {
        self.metadata.push(metadata);
    }

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        self.records.push((record.to_vec(), index_time));
    }
}

pub fn header(schema: Schema, version: u8) -> Vec<u8> {
    let metadata = Metadata::builder()
        .version(version)
        .dataset("GLBX.MDP3")
        .schema(Some(schema))
        .start(START)
        .end(NonZeroU64::new(START + 86_400_000_000_000))
        .stype_in(Some(SType::InstrumentId))
        .stype_out(SType::InstrumentId)
        .symbols(vec!["7".to_owned()])
        .build();
    let mut header = Vec::new();
    MetadataEncoder::new(&mut header).encode(&metadata).unwrap();
    header
}

pub fn trade(number: u64) -> TradeMsg {
    let low = u32::try_from(number % 1_000_000).unwrap();
    TradeMsg {
        hd: RecordHeader::new::<TradeMsg>(RType::Mbp0 as u8, 1, 7, START + number * 1_000 - 9),
        price: 4_700_000_000_000 + i64::from(low % 7) * 250_000_000,
        size: 1 + low % 9,
        side: if low % 2 == 0 { b'A' } else { b'B' }.cast_signed(),
        action: b'T'.cast_signed(),
        ts_recv: START + number * 1_000,
        sequence: low,
        ..TradeMsg::default()
    }
}

/// A whole stream's uncompressed bytes.
fn trades(count: u64) -> Vec<u8> {
    let mut bytes = header(Schema::Trades, 3);
    for number in 0..count {
        bytes.extend_from_slice(trade(number).as_ref());
    }
    bytes
}

/// One compressed frame with its checksum, as the vendor writes them.
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The bytes in frames that end at these places, and where each frame ends in the result.
fn frames(bytes: &[u8], ends: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let (mut compressed, mut boundaries, mut start) = (Vec::new(), Vec::new(), 0);
    for end in ends.iter().copied().chain([bytes.len()]) {
        compressed.extend(frame(&bytes[start..end]));
        boundaries.push(compressed.len());
        start = end;
    }
    (compressed, boundaries)
}

fn take_apart<'a>(
    schema: Schema,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Everything, Result<StreamFacts, StreamError>, u64) {
    let mut everything = Everything::default();
    let mut stream = DbnStream::new(schema).unwrap();
    for piece in pieces {
        if let Err(error) = stream.push(piece, &mut everything) {
            let billable_bytes = stream.billable_bytes();
            return (everything, Err(error), billable_bytes);
        }
    }
    let billable_bytes = stream.billable_bytes();
    (everything, stream.finish(), billable_bytes)
}

fn prove(schema: Schema, bytes: &[u8]) -> Result<StreamFacts, StreamError> {
    take_apart(schema, [bytes]).1
}

/// Bytes in pieces that end at these places.
fn pieces<'a>(bytes: &'a [u8], ends: &[usize]) -> Vec<&'a [u8]> {
    let mut ends = ends.to_vec();
    ends.sort_unstable();
    let (mut pieces, mut start) = (Vec::new(), 0);
    for end in ends.into_iter().chain([bytes.len()]) {
        pieces.push(&bytes[start..end]);
        start = end;
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_whole_stream_in_any_frames_and_pieces_gives_every_record(
        count in 0_u64..300,
        frame_ends in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        piece_ends in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let bytes = trades(count);
        let mut ends: Vec<_> = frame_ends.iter().map(|end| end.index(bytes.len())).collect();
        ends.sort_unstable();
        let (compressed, _) = frames(&bytes, &ends);
        let ends: Vec<_> = piece_ends.iter().map(|end| end.index(compressed.len())).collect();
        let (everything, facts, _) = take_apart(Schema::Trades, pieces(&compressed, &ends));
        let facts = facts.unwrap();
        prop_assert_eq!(facts.records, count);
        prop_assert_eq!(facts.billable_bytes, count * 48);
        let times = count.checked_sub(1).map(|last| {
            let at = |number: u64| Nanos(i64::try_from(START + number * 1_000).unwrap());
            (at(0), at(last))
        });
        prop_assert_eq!(facts.index_times, times);
        prop_assert_eq!(everything.metadata.len(), 1);
        for (number, (record, time)) in (0..).zip(&everything.records) {
            let trade = trade(number);
            prop_assert_eq!(record.as_slice(), trade.as_ref() as &[u8]);
            prop_assert_eq!(time.0, i64::try_from(trade.ts_recv).unwrap());
        }
        prop_assert_eq!(u64::try_from(everything.records.len()).unwrap(), count);
    }
}

#[test]
fn a_cut_stream_is_whole_only_between_frames_that_end_with_a_record() {
    let bytes = trades(12);
    let header = bytes.len() - 12 * 48;
    // After the header; after five records; inside the eighth; after ten.
    let ends = [
        header,
        header + 5 * 48,
        header + 7 * 48 + 20,
        header + 10 * 48,
    ];
    let (compressed, boundaries) = frames(&bytes, &ends);
    let mut whole = Vec::new();
    for cut in 0..=compressed.len() {
        let (everything, facts, billable_bytes) = take_apart(Schema::Trades, [&compressed[..cut]]);
        let received = u64::try_from(everything.records.len()).unwrap();
        assert!(
            (received * 48..received * 48 + 48).contains(&billable_bytes),
            "cut at {cut}"
        );
        match facts {
            Ok(facts) => whole.push((cut, facts.records)),
            Err(StreamError::Empty) => assert_eq!(cut, 0),
            Err(StreamError::CutInRecord { records }) => {
                assert_eq!((cut, records), (boundaries[2], 7));
            }
            Err(StreamError::CutInFrame { records }) => assert_eq!(records, received),
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
    let expected =
        [(0, 0), (1, 5), (3, 10), (4, 12)].map(|(frame, records)| (boundaries[frame], records));
    assert_eq!(whole, expected);
}

#[test]
fn a_stream_cut_inside_its_header_is_refused() {
    let header = header(Schema::Trades, 3);
    for cut in 0..header.len() {
        let error = prove(Schema::Trades, &frame(&header[..cut])).unwrap_err();
        assert!(
            matches!(error, StreamError::CutInHeader),
            "cut at {cut}: {error}"
        );
    }
}

#[test]
fn any_flipped_bit_is_found_or_changes_nothing() {
    let bytes = trades(6);
    let (compressed, _) = frames(&bytes, &[bytes.len() - 100, bytes.len() - 48]);
    let (expected, _, billable_bytes) = take_apart(Schema::Trades, [compressed.as_slice()]);
    let mut refused = 0;
    for bit in 0..compressed.len() * 8 {
        let mut damaged = compressed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let (everything, facts, billed) = take_apart(Schema::Trades, [damaged.as_slice()]);
        match facts {
            // Some bits of a frame's header say nothing.
            Ok(facts) => {
                assert_eq!((facts.records, billed), (6, billable_bytes), "bit {bit}");
                assert_eq!(everything, expected, "bit {bit}");
            }
            Err(_) => refused += 1,
        }
    }
    let flips = compressed.len() * 8;
    assert!(
        refused > flips * 9 / 10,
        "{refused} of {flips} flips were found"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_within_sound_frames_never_panics(
        garbage in prop::collection::vec(any::<u8>(), 0..400),
        after_header in any::<bool>(),
        schema in prop::sample::select(SCHEMAS.to_vec()),
        version in 1_u8..=3,
    ) {
        let mut bytes = if after_header { header(schema, version) } else { Vec::new() };
        bytes.extend(&garbage);
        let (everything, facts, _) = take_apart(schema, [frame(&bytes).as_slice()]);
        if let Ok(facts) = facts {
            let length = u64::try_from(RecordLayout::of(schema).record_bytes).unwrap();
            prop_assert!(facts.records * length.min(64) <= 400);
            prop_assert_eq!(u64::try_from(everything.records.len()).unwrap(), facts.records);
        }
    }
}

#[test]
fn an_uncompressed_stream_is_refused() {
    let error = prove(Schema::Trades, &trades(3)).unwrap_err();
    assert!(
        matches!(error, StreamError::Compression { records: 0, .. }),
        "{error}"
    );
}

#[test]
fn a_header_that_promises_gigabytes_is_refused_before_they_come() {
    let mut bytes = trades(3);
    bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = prove(Schema::Trades, &frame(&bytes)).unwrap_err();
    assert!(
        matches!(error, StreamError::Foreign { number: 0, .. }),
        "{error}"
    );
}

#[test]
fn a_header_of_another_schema_is_refused() {
    let mut bytes = header(Schema::Mbo, 3);
    bytes.extend_from_slice(trade(0).as_ref());
    let error = prove(Schema::Trades, &frame(&bytes)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 0 of the stream comes after a header of another schema"
    );
}

#[test]
fn records_of_another_length_are_refused() {
    let mut bytes = trades(2);
    bytes.extend_from_slice(Mbp1Msg::default().as_ref());
    let error = prove(Schema::Trades, &frame(&bytes)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 2 of the stream has the length of another schema"
    );
}

#[test]
fn records_of_another_type_are_refused_although_their_length_fits() {
    // Each pair's records are equally long, and their fields lie elsewhere or mean other things.
    let bar = |schema| OhlcvMsg {
        hd: RecordHeader::new::<OhlcvMsg>(RType::from(schema) as u8, 1, 7, START),
        ..OhlcvMsg::default_for_schema(schema)
    };
    let mut minutes = header(Schema::Ohlcv1M, 3);
    minutes.extend_from_slice(bar(Schema::Ohlcv1M).as_ref());
    assert_eq!(prove(Schema::Ohlcv1M, &frame(&minutes)).unwrap().records, 1);
    minutes.extend_from_slice(bar(Schema::Ohlcv1H).as_ref());
    let mut quotes = header(Schema::Mbp1, 3);
    quotes.extend_from_slice(
        Mbp1Msg {
            ts_recv: START,
            ..Mbp1Msg::default()
        }
        .as_ref(),
    );
    quotes.extend_from_slice(
        StatMsg {
            ts_recv: START,
            ..StatMsg::default()
        }
        .as_ref(),
    );
    for (schema, bytes) in [(Schema::Ohlcv1M, minutes), (Schema::Mbp1, quotes)] {
        let error = prove(schema, &frame(&bytes)).unwrap_err();
        let expected = "record 1 of the stream has the type of another schema";
        assert_eq!(error.to_string(), expected, "{schema}");
    }
}

#[test]
fn a_record_without_an_index_time_is_refused() {
    let mut bytes = trades(1);
    bytes.extend_from_slice(TradeMsg::default().as_ref());
    let error = prove(Schema::Trades, &frame(&bytes)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 1 of the stream has no index time"
    );
}

#[test]
fn a_record_that_claims_no_length_is_refused() {
    let mut bytes = trades(2);
    let at = bytes.len() - 48;
    bytes[at] = 0;
    let error = prove(Schema::Trades, &frame(&bytes)).unwrap_err();
    assert!(
        matches!(error, StreamError::Foreign { number: 1, .. }),
        "{error}"
    );
}

#[test]
fn a_record_of_an_old_version_that_is_too_short_for_its_type_is_refused() {
    // The decoder would take the type's word for the length, and panic.
    let mut bytes = header(Schema::Statistics, 1);
    let mut record = [0; 64];
    (record[0], record[1]) = (16, RType::Error as u8);
    bytes.extend(record);
    let error = prove(Schema::Statistics, &frame(&bytes)).unwrap_err();
    assert!(
        matches!(error, StreamError::Foreign { number: 0, .. }),
        "{error}"
    );
}

#[test]
fn old_versions_come_out_in_the_current_layout_and_are_billed_as_sent() {
    let old = v1::StatMsg {
        hd: RecordHeader::new::<v1::StatMsg>(RType::Statistics as u8, 1, 7, START),
        ts_recv: START + 5,
        quantity: i32::MAX,
        price: 42,
        sequence: 3,
        ..v1::StatMsg::default()
    };
    for version in [1, 2] {
        let mut bytes = header(Schema::Statistics, version);
        bytes.extend_from_slice(old.as_ref());
        let (everything, facts, _) = take_apart(Schema::Statistics, [frame(&bytes).as_slice()]);
        let facts = facts.unwrap();
        assert_eq!(
            (facts.records, facts.billable_bytes),
            (1, 64),
            "version {version}"
        );
        let (record, time) = &everything.records[0];
        assert_eq!(time.0, i64::try_from(START + 5).unwrap());
        let expected = StatMsg {
            hd: RecordHeader::new::<StatMsg>(RType::Statistics as u8, 1, 7, START),
            ts_recv: START + 5,
            quantity: i64::MAX,
            price: 42,
            sequence: 3,
            ts_ref: old.ts_ref,
            channel_id: old.channel_id,
            ..StatMsg::default()
        };
        assert_eq!(
            record.as_slice(),
            expected.as_ref() as &[u8],
            "version {version}"
        );
    }
}

#[test]
fn every_real_sample_is_proven_whole() {
    let Some(folder) = testkit::shared_data::shared_data() else {
        return;
    };
    let mut proven = 0;
    for file in files(&folder) {
        let name = file.display().to_string();
        // Fragments have no header, a live capture no one schema.
        if !name.ends_with(".dbn.zst") || name.contains("LIVE") {
            continue;
        }
        let mut decoder = dbn::decode::DbnDecoder::from_zstd_file(&file).unwrap();
        let metadata = dbn::decode::DbnMetadata::metadata(&decoder).clone();
        let Some(schema) = metadata.schema else {
            continue;
        };
        let mut records = 0;
        while dbn::decode::DecodeRecordRef::decode_record_ref(&mut decoder)
            .unwrap()
            .is_some()
        {
            records += 1;
        }
        let bytes = std::fs::read(&file).unwrap();
        let mut stream = DbnStream::new(schema).unwrap();
        for piece in bytes.chunks(1_000) {
            let pushed = stream.push(piece, &mut ProofOnly);
            pushed.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let facts = stream
            .finish()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(facts.records, records, "{name}");
        proven += 1;
    }
    assert!(proven > 50, "only {proven} samples were found");
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
