//! A folder of files as a source: its stream is the records of all files, each once, in order.

#![expect(clippy::unwrap_used, reason = "a story fails its test by panicking")]

use std::fs;
use std::num::NonZeroU64;
use std::path::Path;

use common::dbn_stream::{DbnStream, Sink};
use common::files::{Files, FilesError};
use common::request::{JobSource, Symbols};
use common::source::{Source, SourceError, Sources, one_line};
use common::time::{Day, DayRange, Nanos};
use common::vendor::RangeRequest;
use dbn::decode::dbn::MetadataDecoder;
use dbn::encode::dbn::MetadataEncoder;
use dbn::{MappingInterval, Metadata, RType, RecordHeader, SType, Schema, SymbolMapping, TradeMsg};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::json;
use testkit::sandbox::Sandbox;

const DAYS: i64 = 3;
const SLOTS: i64 = 12;

fn first_day() -> Day {
    Day::from_ymd(2024, 1, 4).expect("a day")
}

fn days(start: i64, end: i64) -> DayRange {
    DayRange::new(first_day().plus(start), first_day().plus(end)).expect("some days")
}

/// One of a few instants a day, so that many records share theirs.
fn instant(slot: i64) -> u64 {
    let day = first_day().plus(slot / SLOTS).start().0;
    u64::try_from(day + slot % SLOTS * 3_600_000_000_000).expect("after 1970")
}

fn date(day: Day) -> time::Date {
    let nanos = i128::from(day.start().0);
    let instant = time::OffsetDateTime::from_unix_timestamp_nanos(nanos);
    instant.expect("a day").date()
}

fn symbol(instrument: u32) -> String {
    format!("S{instrument}")
}

/// A file of one instrument's records over some days; each record's number stands in its sequence.
#[derive(Clone, Debug)]
struct File {
    instrument: u32,
    days: DayRange,
    /// Time slots, in order, and numbers.
    records: Vec<(i64, u32)>,
}

impl File {
    fn write(&self, folder: &Path, name: &str, plain: bool) {
        let mapping = SymbolMapping {
            raw_symbol: symbol(self.instrument),
            intervals: vec![MappingInterval {
                start_date: date(self.days.start()),
                end_date: date(self.days.end()),
                symbol: self.instrument.to_string(),
            }],
        };
        let span = self.days.span();
        let unsigned = |nanos: Nanos| u64::try_from(nanos.0).expect("after 1970");
        let metadata = Metadata::builder()
            .dataset("GLBX.MDP3")
            .schema(Some(Schema::Trades))
            .start(unsigned(span.start))
            .end(NonZeroU64::new(unsigned(span.end)))
            .stype_in(Some(SType::RawSymbol))
            .stype_out(SType::InstrumentId)
            .symbols(vec![symbol(self.instrument)])
            .mappings(vec![mapping])
            .build();
        let mut bytes = Vec::new();
        MetadataEncoder::new(&mut bytes).encode(&metadata).unwrap();
        for (slot, number) in &self.records {
            let time = instant(*slot);
            let trade = TradeMsg {
                hd: RecordHeader::new::<TradeMsg>(RType::Mbp0 as u8, 1, self.instrument, time),
                ts_recv: time,
                sequence: *number,
                ..TradeMsg::default()
            };
            bytes.extend_from_slice(trade.as_ref());
        }
        if plain {
            fs::write(folder.join(format!("{name}.dbn")), bytes).unwrap();
        } else {
            let bytes = zstd::encode_all(&bytes[..], 1).unwrap();
            fs::write(folder.join(format!("{name}.dbn.zst")), bytes).unwrap();
        }
    }
}

/// For each of three instruments one file for each day, in an order of names that says nothing.
fn some_files() -> impl Strategy<Value = Vec<File>> {
    let slots = prop::collection::vec(0..SLOTS, 0..30);
    let all = prop::collection::vec(slots, 9);
    all.prop_map(|all| {
        let mut number = 0;
        let mut files = Vec::new();
        for (index, mut slots) in (0_i64..).zip(all) {
            slots.sort_unstable();
            let day = index % DAYS;
            let records = slots.into_iter().map(|slot| {
                number += 1;
                (day * SLOTS + slot, number)
            });
            files.push(File {
                instrument: u32::try_from(index / DAYS).expect("a few") + 1,
                days: days(day, day + 1),
                records: records.collect(),
            });
        }
        files
    })
    .prop_shuffle()
}

/// The sequence numbers of a stream's records.
#[derive(Default)]
struct Numbers {
    metadata: Option<Metadata>,
    numbers: Vec<u32>,
}

impl Sink for Numbers {
    fn metadata(&mut self, metadata: Metadata) {
        self.metadata = Some(metadata);
    }

    fn record(&mut self, record: &[u8], _index_time: Nanos) {
        let sequence = record[44..48].try_into().unwrap();
        self.numbers.push(u32::from_le_bytes(sequence));
    }
}

fn request(instruments: &[u32], days: DayRange) -> RangeRequest {
    let names = instruments.iter().copied().map(symbol).collect();
    let symbols = Symbols::named(names);
    RangeRequest::new(
        "GLBX.MDP3",
        Schema::Trades,
        SType::RawSymbol,
        &symbols,
        days,
    )
}

/// What the source counts, and what its stream brings.
async fn ask(folder: &Path, request: &RangeRequest) -> (u64, Numbers) {
    let files = Files::open(folder).await.unwrap();
    let counted = files.record_count(request).await.unwrap();
    let mut stream = files.get_range(request).await.unwrap();
    let mut proof = DbnStream::new(Schema::Trades).unwrap();
    let mut numbers = Numbers::default();
    while let Some(piece) = stream.next().await.unwrap() {
        proof.push(&piece, &mut numbers).unwrap();
    }
    assert_eq!(proof.finish().unwrap().records, counted);
    (counted, numbers)
}

proptest! {
    #![proptest_config(Config { cases: 40, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_stream_holds_the_records_of_all_files_in_the_order_of_time_and_names(
        files in some_files(),
        instruments in prop::sample::subsequence(vec![1_u32, 2, 3], 1..=3),
        start in 0..DAYS,
        length in 1..=DAYS,
        plain in any::<bool>(),
    ) {
        let sandbox = Sandbox::new();
        let asked = days(start, (start + length).min(DAYS));
        let mut wanted = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let name = format!("{number:03}");
            file.write(sandbox.path(), &name, plain && number % 2 == 0);
            if instruments.contains(&file.instrument) && file.days.intersection(asked).is_some() {
                let records = file.records.iter();
                wanted.extend(records.map(|(slot, sequence)| (*slot, number, *sequence)));
            }
        }
        // Records of one file and instant stay as they are in it: their numbers rise.
        wanted.sort_unstable();
        let wanted: Vec<u32> = wanted.into_iter().map(|(.., sequence)| sequence).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let request = request(&instruments, asked);
        let (counted, found) = runtime.block_on(ask(sandbox.path(), &request));
        prop_assert_eq!(counted, u64::try_from(wanted.len()).unwrap());
        prop_assert_eq!(found.numbers, wanted);
        let metadata = found.metadata.unwrap();
        prop_assert_eq!(metadata.mappings.len(), instruments.len());
        prop_assert_eq!(metadata.limit, None);
    }
}

fn file(instrument: u32, day: i64, slots: &[i64]) -> File {
    let numbers = slots.iter().map(|slot| day * SLOTS + slot).zip(1..);
    File {
        instrument,
        days: days(day, day + 1),
        records: numbers.collect(),
    }
}

/// What the folder's answer is known by, read afresh.
async fn origin(folder: &Path, asked: &RangeRequest) -> Option<String> {
    let files = Files::open(folder).await.unwrap();
    files.origin(asked).unwrap()
}

#[tokio::test]
async fn what_an_archived_answer_is_known_by_changes_with_its_files_and_no_others() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1, 2]).write(sandbox.path(), "a", false);
    let asked = request(&[1], days(0, 1));
    let origin = || origin(sandbox.path(), &asked);
    let before = origin().await;
    assert!(before.is_some());
    file(1, 1, &[1]).write(sandbox.path(), "b", false);
    assert_eq!(origin().await, before);
    file(1, 0, &[1, 2, 3]).write(sandbox.path(), "a", false);
    assert_ne!(origin().await, before);
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Metadata)) {
    let plain = zstd::decode_all(fs::File::open(path).unwrap()).unwrap();
    let mut metadata = MetadataDecoder::new(&plain[..]).decode().unwrap();
    let records = MetadataEncoder::<Vec<u8>>::encoded_len(&metadata);
    change(&mut metadata);
    let mut bytes = Vec::new();
    MetadataEncoder::new(&mut bytes).encode(&metadata).unwrap();
    bytes.extend_from_slice(&plain[records..]);
    fs::write(path, zstd::encode_all(&bytes[..], 1).unwrap()).unwrap();
}

/// Lists the files of a folder as a batch download of one symbol.
fn batch(folder: &Path, start: &str, end: &str, pending: &str) {
    let listed: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            json!({"filename": entry.file_name().to_str(), "size": entry.metadata().unwrap().len()})
        })
        .collect();
    let manifest = json!({"files": listed});
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    let query = json!({
        "dataset": "GLBX.MDP3", "schema": "trades", "symbols": "S1", "encoding": "dbn",
        "start": start, "end": end,
    });
    let metadata = json!({"query": query}).to_string();
    fs::write(folder.join("metadata.json"), metadata).unwrap();
    let conditions = json!([{"date": pending, "condition": "pending"}]).to_string();
    fs::write(folder.join("condition.json"), conditions).unwrap();
}

#[tokio::test]
async fn a_day_that_was_pending_in_one_batch_comes_from_another() {
    let sandbox = Sandbox::new();
    let (first, second) = (sandbox.path().join("first"), sandbox.path().join("second"));
    for folder in [&first, &second] {
        fs::create_dir(folder).unwrap();
        // What of the pending day was there already is not taken.
        file(1, 1, &[1, 2, 3]).write(folder, "b", false);
    }
    file(1, 0, &[1]).write(&first, "a", false);
    file(1, 2, &[1]).write(&first, "c", false);
    batch(&first, "2024-01-04", "2024-01-07", "2024-01-05");
    batch(&second, "2024-01-05", "2024-01-06", "2024-01-01");
    let (counted, found) = ask(sandbox.path(), &request(&[1], days(0, 3))).await;
    assert_eq!((counted, found.numbers.len()), (5, 5));

    fs::remove_file(first.join("condition.json")).unwrap();
    let files = Files::open(sandbox.path()).await.unwrap();
    let twice = files.record_count(&request(&[1], days(0, 3))).await;
    assert!(twice.unwrap_err().to_string().contains("come double"));
}

#[tokio::test]
async fn a_file_that_proves_nothing_blocks_only_what_it_overlaps() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1]).write(sandbox.path(), "a", false);
    file(1, 1, &[1]).write(sandbox.path(), "b", false);
    file(2, 0, &[1]).write(sandbox.path(), "c", false);
    rewrite(&sandbox.path().join("b.dbn.zst"), |metadata| {
        metadata.end = None
    });
    rewrite(&sandbox.path().join("c.dbn.zst"), |metadata| {
        metadata.limit = NonZeroU64::new(9)
    });
    assert_eq!(ask(sandbox.path(), &request(&[1], days(0, 1))).await.0, 1);
    let files = Files::open(sandbox.path()).await.unwrap();
    for (instruments, start, why) in [(&[1], 1, "no end"), (&[1], 2, "no end"), (&[2], 0, "limit")]
    {
        let request = request(instruments, days(start, start + 1));
        let refused = files.uncovered(&request).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn what_links_lead_to_is_there_once_and_only_files_are_read() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("z");
    fs::create_dir(&folder).unwrap();
    file(1, 0, &[1, 2]).write(&folder, "a", false);
    std::os::unix::fs::symlink("z", sandbox.path().join("latest")).unwrap();
    std::os::unix::fs::symlink("..", folder.join("loop")).unwrap();
    std::os::unix::fs::symlink("z/a.dbn.zst", sandbox.path().join("a.dbn.zst")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(sandbox.path().join("pipe.dbn"))
        .status();
    assert!(made.unwrap().success());
    let (counted, _) = ask(sandbox.path(), &request(&[1], days(0, 1))).await;
    assert_eq!(counted, 2);
    let names: Vec<_> = (0..9).map(|depth| depth.to_string()).collect();
    let deep = sandbox.path().join(names.join("/"));
    fs::create_dir_all(&deep).unwrap();
    let refused = Files::open(sandbox.path()).await.unwrap_err().to_string();
    assert!(refused.contains("folders deep"), "{refused}");
    assert!(refused.contains(&deep.display().to_string()), "{refused}");
}

fn symbology(folder: &Path, instrument: u32) {
    let windows = json!([{"d0": "2024-01-04", "d1": "2024-01-05", "s": instrument.to_string()}]);
    let written = json!({"result": {"S1": windows}, "symbols": ["S1"], "stype_in": "raw_symbol"});
    fs::write(folder.join("symbology.json"), written.to_string()).unwrap();
}

#[tokio::test]
async fn what_an_archived_answer_is_known_by_changes_with_what_its_symbols_mean() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1, 2]).write(sandbox.path(), "a", false);
    let asked = request(&[1], days(0, 1));
    let origin = || origin(sandbox.path(), &asked);
    let before = origin().await;
    symbology(sandbox.path(), 1);
    assert_eq!(origin().await, before);
    symbology(sandbox.path(), 7);
    assert_ne!(origin().await, before);
}

#[tokio::test]
async fn nothing_archived_answers_for_days_that_are_not_covered() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1, 2]).write(sandbox.path(), "a", false);
    let files = Files::open(sandbox.path()).await.unwrap();
    let error = files.origin(&request(&[1], days(0, 2))).unwrap_err();
    assert!(error.to_string().contains("covers 2024-01-05"), "{error}");
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_worked_on_is_refused() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1, 2]).write(sandbox.path(), "a", false);
    let files = Files::open(sandbox.path()).await.unwrap();
    file(1, 0, &[1, 2, 3]).write(sandbox.path(), "a", false);
    let asked = request(&[1], days(0, 1));
    let error = files.record_count(&asked).await.unwrap_err();
    assert!(error.to_string().contains("being changed"), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_looked_through_again_keeps_no_proof_that_no_longer_holds() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1, 2]).write(sandbox.path(), "a", false);
    let path = sandbox.path().join("a.dbn.zst");
    rewrite(&path, |metadata| metadata.mappings.clear());
    symbology(sandbox.path(), 1);
    let asked = request(&[1], days(0, 1));
    let folder = JobSource::Files(sandbox.path().to_path_buf());
    let sources = Sources::new(None);
    let count = async || {
        sources
            .of(&folder)
            .await
            .unwrap()
            .record_count(&asked)
            .await
    };
    assert_eq!(count().await.unwrap(), 2);
    symbology(sandbox.path(), 7);
    sources.look_again(&folder).await;
    let error = count().await.unwrap_err().to_string();
    assert!(error.contains("none of its symbols means"), "{error}");
    // A file that was changed is another one once its folder is looked through again.
    symbology(sandbox.path(), 1);
    sources.look_again(&folder).await;
    assert_eq!(count().await.unwrap(), 2);
    file(1, 0, &[1, 2, 3]).write(sandbox.path(), "a", false);
    let source = sources.of(&folder).await.unwrap();
    let mut stream = source.get_range(&asked).await.unwrap();
    let error = stream.next().await.unwrap_err();
    assert!(
        matches!(error, SourceError::Files(FilesError::Changing { .. })),
        "{error}"
    );
    assert_eq!(one_line(&error.to_string()), error.to_string());
    sources.look_again(&folder).await;
    assert_eq!(count().await.unwrap(), 3);
}

#[tokio::test]
async fn more_files_at_a_time_than_can_be_open_are_refused() {
    let sandbox = Sandbox::new();
    let all: Vec<u32> = (1..=257).collect();
    for instrument in &all {
        file(*instrument, 0, &[1]).write(sandbox.path(), &format!("{instrument:03}"), false);
        file(*instrument, 1, &[1]).write(sandbox.path(), &format!("{instrument:03}-b"), false);
    }
    assert_eq!(
        ask(sandbox.path(), &request(&all[1..], days(0, 2))).await.0,
        512
    );
    let files = Files::open(sandbox.path()).await.unwrap();
    let refused = files.record_count(&request(&all, days(0, 2))).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("more than 256 files") && refused.contains("symbols: 100"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_same_instrument_under_two_symbols_comes_once() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1, 2]).write(sandbox.path(), "a", false);
    file(1, 0, &[1, 2]).write(sandbox.path(), "b", false);
    // The second file was asked for the instrument under another name.
    let path = sandbox.path().join("b.dbn.zst");
    let mut renamed = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
    let (from, to) = (b"S1\0".as_slice(), b"S9\0");
    for at in 0..renamed.len() - 3 {
        if renamed[at..at + 3] == *from {
            renamed[at..at + 3].copy_from_slice(to);
        }
    }
    fs::write(&path, zstd::encode_all(&renamed[..], 1).unwrap()).unwrap();
    for (instruments, records) in [(&[1, 9][..], 2), (&[9], 2), (&[1], 2)] {
        let (counted, _) = ask(sandbox.path(), &request(instruments, days(0, 1))).await;
        assert_eq!(counted, records, "{instruments:?}");
    }
}

#[tokio::test]
async fn days_that_no_file_covers_are_told_by_symbol() {
    let sandbox = Sandbox::new();
    file(1, 0, &[1]).write(sandbox.path(), "a", false);
    file(1, 2, &[1]).write(sandbox.path(), "b", false);
    file(2, 0, &[]).write(sandbox.path(), "c", false);
    let files = Files::open(sandbox.path()).await.unwrap();
    let uncovered = files
        .uncovered(&request(&[1, 2], days(0, 3)))
        .await
        .unwrap();
    let told: Vec<_> = uncovered
        .iter()
        .map(|gap| (gap.symbols.to_string(), gap.days))
        .collect();
    let wanted = [("S1".to_owned(), days(1, 2)), ("S2".to_owned(), days(1, 3))];
    assert_eq!(told, wanted);
    assert!(
        uncovered[0]
            .why
            .contains("covers 2024-01-05 (trades of S1)")
    );
    let error = files.record_count(&request(&[1], days(0, 2))).await;
    assert!(error.unwrap_err().to_string().contains("2024-01-05"));
    // A file without records proves that there are none.
    let none = files.record_count(&request(&[2], days(0, 1))).await;
    assert_eq!(none.unwrap(), 0);
}
