//! Jobs of files: a folder of what the vendor delivered loads as the vendor's own streams do, and
//! what can't prove that it is complete is refused by name.

mod batches;
mod parents;

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use dbn::Metadata;
use dbn::decode::{DbnMetadata, DynDecoder};
use dbn::encode::dbn::MetadataEncoder;
use testkit::checksum::scalar;
use testkit::shared_data::shared_data;

use crate::installation::{Installation, Said};

const ASKED: &str = "
dataset: GLBX.MDP3
schemas: [trades, ohlcv-1d]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-08
end: 2024-01-12
chunking: {days: 1}
";
const TRADE_BYTES: usize = 48;
const FROM_FILES: &str = "name: from-files\nsource: files\nfolder: files";

/// A vendor job's installation: its archive is what there is to read, its tables what is to come out.
struct Delivered {
    vendor: Installation,
}

impl Delivered {
    async fn of(asked: &str) -> Self {
        let vendor = Installation::synthetic().await;
        let job = vendor.job(&format!("name: from-vendor{asked}"));
        vendor.succeed(&["run", &job]).await;
        Self { vendor }
    }

    /// An installation whose folder `files` holds what the vendor delivered, under plain names.
    async fn installation(&self) -> (Installation, PathBuf) {
        let installation = Installation::synthetic().await;
        let folder = installation.sandbox.path().join("files");
        fs::create_dir(&folder).unwrap();
        for object in files(&self.vendor.sandbox.path().join("archive"), ".dbn.zst") {
            let metadata = header(&object);
            let schema = metadata.schema.unwrap();
            let name = format!("{schema}-{}.dbn.zst", metadata.start().date());
            let target = folder.join(&name);
            assert!(!target.exists(), "{name} comes twice");
            fs::copy(object, target).unwrap();
        }
        (installation, folder)
    }
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.display().to_string().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn header(path: &Path) -> Metadata {
    let decoder = DynDecoder::from_file(path, dbn::VersionUpgradePolicy::AsIs).unwrap();
    decoder.metadata().clone()
}

/// A file's header and its records' bytes.
fn taken_apart(path: &Path) -> (Metadata, Vec<u8>) {
    let metadata = header(path);
    let plain = zstd::decode_all(fs::File::open(path).unwrap()).unwrap();
    let records = plain[MetadataEncoder::<Vec<u8>>::encoded_len(&metadata)..].to_vec();
    (metadata, records)
}

fn put_together(metadata: &Metadata, records: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MetadataEncoder::new(&mut plain).encode(metadata).unwrap();
    plain.extend_from_slice(records);
    plain
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 3).unwrap()
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Metadata, &mut Vec<u8>)) {
    let (mut metadata, mut records) = taken_apart(path);
    change(&mut metadata, &mut records);
    fs::write(path, compressed(&put_together(&metadata, &records))).unwrap();
}

fn job(installation: &Installation, asked: &str) -> String {
    installation.job(&format!("{FROM_FILES}{asked}"))
}

/// Without a key: none is needed.
async fn run(installation: &Installation, job: &str) -> Said {
    let mut command = installation.command(&["run", job]);
    crate::installation::said(
        command
            .env_remove("DATABENTO_API_KEY")
            .output()
            .await
            .unwrap(),
    )
}

async fn succeed(installation: &Installation, job: &str) -> Said {
    let said = run(installation, job).await;
    assert_eq!(said.code, Some(0), "{said:#?}");
    said
}

/// Refused with exit 2, naming the file; and not a row is loaded.
async fn refused(installation: &Installation, asked: &str, file: &str, why: &str) {
    let said = run(installation, &job(installation, asked)).await;
    assert_eq!(said.code, Some(2), "{why}: {said:#?}");
    assert!(said.stderr.contains(file), "{file}: {}", said.stderr);
    assert!(said.stderr.contains(why), "{why}: {}", said.stderr);
    assert!(said.stderr.contains("help:"), "{}", said.stderr);
    assert!(installation.tables().await.is_empty());
    assert_eq!(installation.simulator.requests(), []);
}

#[tokio::test]
async fn a_folder_of_files_loads_the_tables_that_the_vendor_gives() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, _) = delivered.installation().await;
    let job = job(&installation, ASKED);
    let said = succeed(&installation, &job).await;
    assert!(said.stdout.contains("from-files is complete"), "{said:?}");
    assert!(said.stdout.contains("$0.00"), "{said:?}");
    assert_eq!(installation.tables().await, delivered.vendor.tables().await);
    assert_eq!(installation.simulator.requests(), []);

    let again = succeed(&installation, &job).await;
    assert!(again.stdout.contains("no chunk was planned"), "{again:?}");
    // What the files brought is held: the vendor is not asked for it.
    let vendor = installation.job(&format!("name: from-vendor{ASKED}"));
    installation.succeed(&["run", &vendor]).await;
    assert_eq!(installation.data_requests(), []);
    assert_eq!(installation.tables().await, delivered.vendor.tables().await);
}

#[tokio::test]
async fn a_file_without_its_records_is_proof_for_its_own_job_alone() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, folder) = delivered.installation().await;
    rewrite(&folder.join("trades-2024-01-10.dbn.zst"), |_, records| {
        records.clear();
    });
    let of_files = job(&installation, ASKED);
    let planned = installation.run(&["plan", &of_files]).await;
    let said = "4 files of trades are proven by their headers alone";
    assert!(planned.stderr.contains(said), "{planned:#?}");
    let said = succeed(&installation, &of_files).await;
    assert!(said.stderr.contains("manifest.json"), "{said:#?}");
    let again = succeed(&installation, &of_files).await;
    assert!(again.stdout.contains("no chunk was planned"), "{again:?}");
    assert!(!again.stderr.contains("by their headers"), "{again:?}");

    // The vendor is asked for the day of which the files had nothing.
    let vendor = installation.job(&format!("name: from-vendor{ASKED}"));
    installation.succeed(&["run", &vendor]).await;
    assert_eq!(installation.data_requests().len(), 1);
    let trades = "SELECT count(*) FROM trades_data";
    let ours: i64 = scalar(&installation.sandbox.database(), trades).await;
    let vendors: i64 = scalar(&delivered.vendor.sandbox.database(), trades).await;
    assert_eq!(ours, vendors);
}

#[tokio::test]
async fn plain_files_and_files_in_folders_are_read_as_well() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, folder) = delivered.installation().await;
    fs::create_dir(folder.join("trades")).unwrap();
    for path in files(&folder, ".dbn.zst") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("trades") {
            let plain = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
            let name = name.replace(".zst", "");
            fs::write(folder.join("trades").join(name), plain).unwrap();
            fs::remove_file(path).unwrap();
        }
    }
    succeed(&installation, &job(&installation, ASKED)).await;
    assert_eq!(installation.tables().await, delivered.vendor.tables().await);
}

#[tokio::test]
async fn symbols_of_one_day_in_files_of_their_own_come_together() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, folder) = delivered.installation().await;
    for path in files(&folder, ".dbn.zst") {
        let (metadata, records) = taken_apart(&path);
        for mapping in &metadata.mappings {
            let mut of_one = metadata.clone();
            of_one.symbols = vec![mapping.raw_symbol.clone()];
            of_one.mappings = vec![mapping.clone()];
            let ids: Vec<u32> = mapping
                .intervals
                .iter()
                .map(|interval| interval.symbol.parse().unwrap())
                .collect();
            let record_bytes = usize::from(*records.first().unwrap_or(&12)) * 4;
            let own = records.chunks(record_bytes).filter(|record| {
                ids.contains(&u32::from_le_bytes(record[4..8].try_into().unwrap()))
            });
            let own: Vec<u8> = own.flatten().copied().collect();
            let name = path.file_name().unwrap().to_str().unwrap();
            let name = format!("{}-{name}", mapping.raw_symbol);
            fs::write(folder.join(name), compressed(&put_together(&of_one, &own))).unwrap();
        }
        fs::remove_file(path).unwrap();
    }
    succeed(&installation, &job(&installation, ASKED)).await;
    let (ours, vendors) = (installation.tables().await, delivered.vendor.tables().await);
    for table in ["trades_data", "coverage", "symbology"] {
        assert_eq!(ours[table], vendors[table], "{table}");
    }
    // Two bars of one instant come in the order of their files' names.
    assert_eq!(ours["ohlcv_data"].rows, vendors["ohlcv_data"].rows);
}

#[tokio::test]
async fn a_file_that_is_cut_or_limited_or_no_file_at_all_is_refused_by_name() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, folder) = delivered.installation().await;
    let name = "trades-2024-01-08.dbn.zst";
    let path = folder.join(name);
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    refused(&installation, ASKED, name, "cut inside a compressed frame").await;
    rewrite_from(&path, &whole, |_, records| {
        records.truncate(records.len() - 9);
    });
    refused(&installation, ASKED, name, "cut inside a record").await;
    rewrite_from(&path, &whole, |metadata, _| {
        metadata.limit = NonZeroU64::new(1_000);
    });
    refused(&installation, ASKED, name, "limit").await;
    rewrite_from(&path, &whole, |metadata, _| metadata.end = None);
    refused(&installation, ASKED, name, "names no end").await;
    rewrite_from(&path, &whole, |metadata, _| {
        metadata.end = NonZeroU64::new(7_226_582_400_000_000_000);
    });
    refused(&installation, ASKED, name, "in the future").await;
    rewrite_from(&path, &whole, |metadata, _| metadata.schema = None);
    refused(&installation, ASKED, name, "live capture").await;
    rewrite_from(&path, &whole, |metadata, records| {
        let last = records.len() - TRADE_BYTES;
        let end = metadata.end.unwrap().get();
        records[last + 32..last + 40].copy_from_slice(&end.to_le_bytes());
    });
    refused(&installation, ASKED, name, "outside of what").await;
    rewrite_from(&path, &whole, |metadata, _| {
        metadata.mappings.retain(|each| each.raw_symbol != "CL.c.0");
    });
    refused(&installation, ASKED, name, "none of its symbols means").await;
    let (_, fragment) = taken_apart_of(&whole, &path);
    fs::write(&path, compressed(&fragment)).unwrap();
    refused(&installation, ASKED, name, "no DBN header").await;
    fs::write(&path, "").unwrap();
    refused(&installation, ASKED, name, "no DBN header").await;

    fs::write(&path, &whole).unwrap();
    let nowhere = folder.join("nowhere.dbn.zst");
    std::os::unix::fs::symlink("no-such-file", &nowhere).unwrap();
    let said = run(&installation, &job(&installation, ASKED)).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(
        said.stderr.contains("nowhere.dbn.zst can't be read"),
        "{said:#?}"
    );
    fs::remove_file(nowhere).unwrap();

    fs::write(folder.join("the-same.dbn.zst"), &whole).unwrap();
    refused(&installation, ASKED, "the-same.dbn.zst", "come double").await;

    // What is well again is loaded.
    fs::remove_file(folder.join("the-same.dbn.zst")).unwrap();
    succeed(&installation, &job(&installation, ASKED)).await;
    assert_eq!(installation.tables().await, delivered.vendor.tables().await);
}

fn rewrite_from(path: &Path, whole: &[u8], change: impl FnOnce(&mut Metadata, &mut Vec<u8>)) {
    fs::write(path, whole).unwrap();
    rewrite(path, change);
}

fn taken_apart_of(whole: &[u8], path: &Path) -> (Metadata, Vec<u8>) {
    fs::write(path, whole).unwrap();
    taken_apart(path)
}

#[tokio::test]
async fn a_day_without_a_file_is_named_and_loaded_once_the_file_is_there() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, folder) = delivered.installation().await;
    let away = installation.sandbox.path().join("away.dbn.zst");
    let missing = folder.join("trades-2024-01-10.dbn.zst");
    fs::rename(&missing, &away).unwrap();
    let job = job(&installation, ASKED);
    let said = run(&installation, &job).await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    let named = said.stdout.contains("covers 2024-01-10 (trades of");
    assert!(named, "{said:#?}");
    assert!(said.stderr.contains("covers 2024-01-10"), "{said:#?}");
    let status = installation.status().await;
    assert_eq!(status["complete"], false);
    assert_eq!(status["chunks"]["pending"], 1, "{status}");

    let again = run(&installation, &job).await;
    assert_eq!(again.code, Some(3), "{again:#?}");
    fs::rename(&away, &missing).unwrap();
    succeed(&installation, &job).await;
    assert_eq!(installation.status().await["complete"], true);
    assert_eq!(
        installation.tables().await["coverage"].rows,
        delivered.vendor.tables().await["coverage"].rows
    );
    let trades = "SELECT count(*) FROM trades_data";
    let ours: i64 = scalar(&installation.sandbox.database(), trades).await;
    let vendors: i64 = scalar(&delivered.vendor.sandbox.database(), trades).await;
    assert_eq!(ours, vendors);
}

#[tokio::test]
async fn a_part_of_a_day_is_not_planned_and_said_so() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, folder) = delivered.installation().await;
    rewrite(
        &folder.join("ohlcv-1d-2024-01-09.dbn.zst"),
        |metadata, _| {
            metadata.end = NonZeroU64::new(metadata.start + 12 * 3_600_000_000_000);
        },
    );
    let job = job(&installation, ASKED);
    let said = installation.run(&["plan", &job]).await;
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stderr.contains("a part of a day"), "{said:#?}");
    assert!(said.stdout.contains("not yet"), "{said:#?}");
    assert_eq!(run(&installation, &job).await.code, Some(3));
}

const TRADES: &str = "
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-10
chunking: {days: 1}
";

#[tokio::test]
async fn a_job_of_files_is_written_as_it_should_be_or_refused_at_its_place() {
    let delivered = Delivered::of(TRADES).await;
    let (installation, _) = delivered.installation().await;
    let cases = [
        ("source: files", ":2:9", "write the folder"),
        ("folder: files", ":2:9", "source: files"),
        ("source: files\nfolder: nowhere", ":3:9", "working folder"),
        ("source: files\nfolder: .", ":3:9", "apart from the archive"),
        ("source: tapes\nfolder: files", ":2:9", "source: vendor"),
    ];
    for (written, place, help) in cases {
        let job = installation.job(&format!("name: wrong\n{written}{TRADES}"));
        let said = run(&installation, &job).await;
        assert_eq!(said.code, Some(2), "{written}: {said:#?}");
        assert!(said.stderr.contains(place), "{written}: {said:#?}");
        assert!(said.stderr.contains(help), "{written}: {said:#?}");
    }
    let other = TRADES.replace("[trades]", "[mbp-1]");
    let said = run(&installation, &job(&installation, &other)).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.stderr.contains("write one of trades"), "{said:#?}");
    let other = TRADES.replace("[ES.c.0, CL.c.0]", "[NQ.c.0]");
    let said = run(&installation, &job(&installation, &other)).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.stderr.contains("knows no symbol"), "{said:#?}");
}

#[tokio::test]
async fn a_job_of_files_goes_without_the_vendor_and_apart_from_the_archive() {
    let delivered = Delivered::of(ASKED).await;
    let (installation, folder) = delivered.installation().await;
    let job = job(&installation, ASKED);
    std::os::unix::fs::symlink("files", installation.sandbox.path().join("link")).unwrap();
    let inside = installation.sandbox.path().join("link/not/there/yet");
    let mut command = installation.command(&["plan", &job]);
    command.env("ARCHIVE_URL", format!("file://{}", inside.display()));
    let said = crate::installation::said(command.output().await.unwrap());
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.stderr.contains("holds the archive"), "{said:#?}");
    assert!(folder.is_dir());

    let mut command = installation.command(&["run", &job]);
    command.env("DATABENTO_URL", "tape://nowhere");
    command.env("DATABENTO_API_KEY", "no key");
    let said = crate::installation::said(command.output().await.unwrap());
    assert_eq!(said.code, Some(0), "{said:#?}");
}

#[tokio::test]
async fn the_demos_database_takes_no_files() {
    let delivered = Delivered::of(TRADES).await;
    let (installation, _) = delivered.installation().await;
    let folder = installation.sandbox.path().join("demo");
    let folder = folder.display().to_string();
    let demo = ["demo", "--data-dir", &folder, "--trades-per-day", "50"];
    let said = installation.command(&demo).env_clear().output().await;
    assert!(said.unwrap().status.success());
    let job = job(&installation, TRADES);
    let said = installation
        .run(&["run", &job, "--data-dir", &folder])
        .await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.stderr.contains("must not mix"), "{said:#?}");
}

#[tokio::test]
async fn a_day_of_real_trades_is_loaded_from_its_file() {
    let Some(data) = shared_data() else { return };
    let installation = Installation::synthetic().await;
    let folder = data.join("derived").display().to_string();
    for (schema, table, records) in [
        ("trades", "trades_data", 2_973),
        ("tbbo", "tbbo_data", 2_973),
        ("mbp-1", "mbp_1_data", 28_413),
    ] {
        let job = installation.job(&format!(
            "{{name: {schema}, source: files, folder: {folder}, dataset: GLBX.MDP3, \
             schemas: [{schema}], symbols: [ESH4], start: 2023-12-25, end: 2023-12-26}}"
        ));
        succeed(&installation, &job).await;
        let count = format!("SELECT count(*) FROM {table}");
        let rows: i64 = scalar(&installation.sandbox.database(), &count).await;
        assert_eq!(rows, records, "{schema}");
    }
    // The vendor's samples were asked for with a limit.
    let folder = data.join("databento-samples/GLBX.MDP3");
    let job = installation.job(&format!(
        "{{name: sample, source: files, folder: {}, dataset: GLBX.MDP3, schemas: [trades], \
         symbols: [ESH1], start: 2020-12-28, end: 2020-12-29}}",
        folder.display()
    ));
    let said = run(&installation, &job).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.stderr.contains("limit"), "{said:#?}");
}
