//! Parts: what is kept of streams that were cut, what killed processes leave, and revisions.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use common::archive::{Archive, JoinError, Manifest, Objects, Partial, StreamFacts, StreamName};
use common::dbn_stream::{DbnStream, Sink};
use common::request::Symbols;
use common::time::{Day, DayRange, Nanos};
use common::vendor::RangeRequest;
use dbn::encode::dbn::MetadataEncoder;
use dbn::{Metadata, RType, RecordHeader, SType, Schema, TradeMsg};
use testkit::sandbox::Sandbox;

const START: u64 = 1_704_326_400_000_000_000;
const NOW: Nanos = Nanos(1_704_448_800_000_000_000);

struct Ground {
    sandbox: Sandbox,
    archive: Archive,
    objects: Objects,
    stream: StreamName,
}

/// Records and their times, as they come out.
#[derive(Default)]
struct Out(Vec<(Vec<u8>, Nanos)>);

impl Sink for Out {
    fn metadata(&mut self, _metadata: Metadata) {}

    fn record(&mut self, record: &[u8], index_time: Nanos) {
        self.0.push((record.to_vec(), index_time));
    }
}

fn ground() -> Ground {
    let sandbox = Sandbox::new();
    let url = format!("file://{}", sandbox.path().join("archive").display());
    let archive = Archive::open(&url, "the vendor").expect("a folder can be an archive");
    let objects = archive.objects();
    let stream = objects.stream(&request(), 1);
    Ground {
        sandbox,
        archive,
        objects,
        stream,
    }
}

fn request() -> RangeRequest {
    let start = Day::from_ymd(2024, 1, 4).expect("a day");
    let days = DayRange::new(start, start.plus(1)).expect("one day");
    let symbols = Symbols::named(vec!["ES.c.0".into()]);
    RangeRequest::new(
        "GLBX.MDP3",
        Schema::Trades,
        SType::Continuous,
        &symbols,
        days,
    )
}

/// The trades with these numbers, compressed as the vendor would; three of a kind have one time.
fn body(numbers: std::ops::Range<u64>) -> Vec<u8> {
    let metadata = Metadata::builder()
        .dataset("GLBX.MDP3")
        .schema(Some(Schema::Trades))
        .start(START)
        .stype_in(Some(SType::InstrumentId))
        .stype_out(SType::InstrumentId)
        .build();
    let mut bytes = Vec::new();
    MetadataEncoder::new(&mut bytes)
        .encode(&metadata)
        .expect("a header");
    for number in numbers {
        let time = START + number / 3 * 1_000;
        let trade = TradeMsg {
            hd: RecordHeader::new::<TradeMsg>(RType::Mbp0 as u8, 1, 7, time),
            price: i64::try_from(number).expect("a price"),
            ts_recv: time,
            ..TradeMsg::default()
        };
        bytes.extend_from_slice(trade.as_ref());
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.write_all(&bytes).expect("bytes can be compressed");
    encoder.finish().expect("bytes can be compressed")
}

impl Ground {
    /// Keeps the first bytes of a body as a part.
    fn keep(&self, partial: &mut Partial, body: &[u8], overlap: u64) -> StreamFacts {
        let receipt = self.objects.begin(&self.stream, partial, "1");
        let mut receipt = receipt.expect("an object can begin");
        receipt.write(body).expect("bytes can be written");
        let mut decoder = DbnStream::new(Schema::Trades).expect("a decoder");
        let pushed = decoder.push(body, &mut Out::default());
        pushed.expect("it is no damage to be cut");
        let facts = decoder.facts();
        let part = receipt.keep(facts, overlap).expect("a part can be kept");
        partial.parts.push(part);
        self.objects
            .keep(&self.stream, partial)
            .expect("parts can be noted");
        facts
    }

    fn partial(&self) -> Partial {
        self.objects
            .partial(&self.stream)
            .expect("parts can be looked for")
    }

    /// A stream of a hundred trades that was cut after some of them.
    fn joined(&self) -> Manifest {
        let mut partial = self.partial();
        let cut = body(0..40);
        let first = self.keep(&mut partial, &cut[..cut.len() - 3], 0).records;
        let last = partial.resumes_at();
        let tied = (0..first).filter(|number| time(*number) == last).count();
        let from = first - u64::try_from(tied).expect("few");
        let overlap = u64::try_from(tied).expect("few");
        self.keep(&mut partial, &body(from..100), overlap);
        let finished = self.objects.finish(&self.stream, partial, NOW);
        finished.expect("a stream can be finished")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join("archive").join(name)
    }

    fn unfinished(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("parts")).into_iter().flatten();
        entries.flatten().map(|entry| entry.path()).collect()
    }
}

fn time(number: u64) -> Nanos {
    Nanos(i64::try_from(START + number / 3 * 1_000).expect("a time"))
}

#[test]
fn a_manifest_of_the_former_version_is_found() {
    let ground = ground();
    let key = ground.stream.key();
    let text = format!(
        r#"{{"key": "{key}", "origin": "the vendor", "request": {},
            "bytes": 4, "records": 1, "billable_bytes": 48, "sha256": "00",
            "first_index_time": 1, "last_index_time": 1, "fetched_at": 2}}"#,
        serde_json::to_string(&request()).expect("a request is JSON")
    );
    let folder = ground.path(&key);
    fs::create_dir_all(folder.parent().expect("a folder")).expect("it can be made");
    fs::write(ground.path(&key), b"body").expect("it can be written");
    fs::write(ground.path(&format!("{key}.json")), text).expect("it can be written");
    let found = ground.objects.find(&request(), 1).expect("it can be read");
    let found = found.expect("it is there");
    assert_eq!((found.revision, found.records), (1, 1));
    assert_eq!(found.all_parts()[0].name, key);
}

#[test]
fn parts_are_read_as_one_stream_without_the_overlap() {
    let ground = ground();
    let manifest = ground.joined();
    assert_eq!((manifest.parts.len(), manifest.records), (2, 100));
    assert_eq!(manifest.billable_bytes, 4_800);
    let mut whole = Vec::new();
    for part in &manifest.parts {
        whole.extend(fs::read(ground.path(&part.name)).expect("it is there"));
    }
    use sha2::Digest;
    assert_eq!(manifest.sha256, common::hex(&sha2::Sha256::digest(&whole)));
    let found = ground.objects.find(&request(), 1).expect("it can be read");
    assert_eq!(found.as_ref(), Some(&manifest));
    let mut out = Out::default();
    let facts = ground.objects.read(&manifest, Schema::Trades, &mut out);
    assert_eq!(facts.expect("it is whole").records, 100);
    let mut expected = Out::default();
    let mut decoder = DbnStream::new(Schema::Trades).expect("a decoder");
    decoder.push(&body(0..100), &mut expected).expect("whole");
    assert_eq!(out.0, expected.0);
    assert!(ground.partial().parts.is_empty(), "the note is gone");
}

#[test]
fn a_changed_byte_in_any_part_is_noticed() {
    for changed in 0..2 {
        let ground = ground();
        let manifest = ground.joined();
        let path = ground.path(&manifest.parts[changed].name);
        let mut bytes = fs::read(&path).expect("it is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("it can be written");
        let mut out = Out::default();
        let read = ground.objects.read(&manifest, Schema::Trades, &mut out);
        assert!(matches!(read, Err(JoinError::Damaged(_))), "{read:?}");
    }
}

#[test]
fn a_stream_of_which_a_part_is_missing_is_not_found() {
    let ground = ground();
    let manifest = ground.joined();
    fs::remove_file(ground.path(&manifest.parts[1].name)).expect("it is there");
    let found = ground.objects.find(&request(), 1).expect("it can be read");
    assert_eq!(found, None);
}

#[test]
fn a_later_revision_is_found_and_the_earlier_one_stays() {
    let mut ground = ground();
    let first = ground.joined();
    ground.stream = ground.objects.stream(&request(), 2);
    let second = ground.joined();
    let find = |at_least| {
        let found = ground.objects.find(&request(), at_least);
        found.expect("it can be read")
    };
    assert_eq!(find(1), Some(second.clone()));
    assert_eq!(find(2), Some(second.clone()));
    assert_eq!(find(3), None);
    assert!(second.key.ends_with(".r2.dbn.zst"), "{}", second.key);
    let kept = ground.objects.manifest(&first.key);
    assert_eq!(kept.expect("it can be read"), Some(first));
}

/// What a killed process was writing, under its temporary name; its lock ended with it.
fn killed(ground: &Ground, name: impl Fn(&str) -> String) {
    let begun = ground.objects.begin(&ground.stream, &ground.partial(), "1");
    let mut receipt = begun.expect("an object can begin");
    receipt.write(&body(0..40)).expect("bytes can be written");
    let written = &ground.unfinished()[0];
    let text = written.to_str().expect("a name");
    let left = name(text);
    fs::copy(written, left).expect("it can be copied");
}

#[test]
fn what_a_killed_process_was_writing_is_taken_up() {
    let ground = ground();
    killed(&ground, |name| format!("{name}1"));
    ground.archive.sweep().expect("it can be swept");
    assert_eq!(ground.unfinished().len(), 1, "it is of use");
    let orphans = ground.objects.orphans(&ground.stream, &ground.partial());
    let orphans = orphans.expect("it can be read");
    assert_eq!(orphans.len(), 1);
    assert_eq!(orphans[0].name, ground.stream.key());
    assert_eq!(ground.unfinished().len(), 0);
}

#[test]
fn what_was_written_before_the_machine_was_started_again_is_not_taken_up() {
    let ground = ground();
    killed(&ground, |name| {
        let (name, _) = name.rsplit_once('~').expect("whose it was");
        format!("{name}~another-1-1")
    });
    let orphans = ground.objects.orphans(&ground.stream, &ground.partial());
    assert_eq!(orphans.expect("it can be read"), []);
    assert_eq!(ground.unfinished().len(), 0);
}
