//! Real market data: exact counts, identical trades included, and undefined values as NULL.

use std::path::{Path, PathBuf};

use dbn::decode::{DbnMetadata, DecodeRecordRef, DynDecoder};
use testkit::checksum::scalar;
use testkit::shared_data::shared_data;

use crate::installation::Installation;

async fn count(installation: &Installation, sql: &str) -> i64 {
    scalar(&installation.sandbox.database(), sql).await
}

async fn job(installation: &Installation, dataset: &str, symbols: &str, start: &str, end: &str) {
    for schema in ["trades", "tbbo", "mbp-1"] {
        let job = installation.job(&format!(
            "{{name: {schema}, dataset: {dataset}, schemas: [{schema}], symbols: {symbols}, \
             start: {start}, end: {end}, chunking: {{days: 1}}}}"
        ));
        installation.succeed(&["run", &job]).await;
    }
}

#[tokio::test]
async fn a_day_of_es_has_every_trade_the_identical_ones_too() {
    let Some(folder) = shared_data() else { return };
    let installation = Installation::recorded(folder).await;
    job(
        &installation,
        "GLBX.MDP3",
        "[ESH4]",
        "2023-12-25",
        "2023-12-26",
    )
    .await;
    assert_eq!(
        count(&installation, "SELECT count(*) FROM trades_data").await,
        2_973
    );
    assert_eq!(
        count(&installation, "SELECT count(*) FROM tbbo_data").await,
        2_973
    );
    assert_eq!(
        count(&installation, "SELECT count(*) FROM mbp_1_data").await,
        28_413
    );
    let identical = "SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM trades_data GROUP BY
        publisher_id, instrument_id, ts_recv, ts_event, price, size, action, side, flags, depth,
        ts_in_delta, sequence)";
    assert_eq!(count(&installation, identical).await, 15);
}

#[tokio::test]
async fn a_day_of_dbeq_has_every_record_of_its_publishers() {
    let Some(folder) = shared_data() else { return };
    let installation = Installation::recorded(folder).await;
    job(
        &installation,
        "DBEQ.BASIC",
        "ALL_SYMBOLS",
        "2024-04-03",
        "2024-04-04",
    )
    .await;
    assert_eq!(
        count(&installation, "SELECT count(*) FROM trades_data").await,
        1_124
    );
    assert_eq!(
        count(&installation, "SELECT count(*) FROM tbbo_data").await,
        1_124
    );
    assert_eq!(
        count(&installation, "SELECT count(*) FROM mbp_1_data").await,
        156_783
    );
    let publishers = "SELECT count(DISTINCT publisher_id) FROM mbp_1_data";
    assert_eq!(count(&installation, publishers).await, 3);
}

/// A sample as the `dbn` crate reads it.
pub struct Sample {
    pub dataset: String,
    pub schema: dbn::Schema,
    records: i64,
    pub first_day: common::time::Day,
    pub last_day: common::time::Day,
    undefined_prices: i64,
}

pub fn read_sample(path: &Path) -> Sample {
    let policy = dbn::VersionUpgradePolicy::UpgradeToV3;
    let mut decoder = DynDecoder::from_file(path, policy).unwrap();
    let metadata = decoder.metadata().clone();
    let (mut records, mut undefined_prices) = (0, 0);
    let mut times = Vec::new();
    while let Some(record) = decoder.decode_record_ref().unwrap() {
        use dbn::Record;
        records += 1;
        times.push(common::time::Nanos(
            record.raw_index_ts().try_into().unwrap(),
        ));
        let price = record
            .get::<dbn::Mbp1Msg>()
            .map(|record| record.levels[0].bid_px);
        undefined_prices += i64::from(price == Some(dbn::UNDEF_PRICE));
    }
    Sample {
        dataset: metadata.dataset,
        schema: metadata.schema.unwrap(),
        records,
        first_day: times.iter().min().unwrap().day(),
        last_day: times.iter().max().unwrap().day(),
        undefined_prices,
    }
}

pub fn samples(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Live captures mix record types and have no schema: nobody can ask for them.
            if !path.ends_with("LIVE") {
                files.extend(samples(&path));
            }
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn every_sample_of_every_schema_loads_with_its_exact_count() {
    let Some(folder) = shared_data() else { return };
    let folder = folder.join("databento-samples");
    let files = samples(&folder);
    assert!(files.len() > 50, "{} samples", files.len());
    let installation = Installation::recorded(folder).await;
    for path in files {
        let sample = read_sample(&path);
        let name = format!("{}-{}", sample.dataset, sample.schema);
        let job = installation.job(&format!(
            "{{name: {name}, dataset: {}, schemas: [{}], symbols: ALL_SYMBOLS, \
             start: {}, end: {}, chunking: {{days: 30}}}}",
            sample.dataset,
            sample.schema,
            sample.first_day,
            sample.last_day.plus(1)
        ));
        installation.succeed(&["run", &job]).await;
        let loaded = format!(
            "SELECT loaded_records FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id WHERE j.name = '{name}'"
        );
        assert_eq!(
            count(&installation, &loaded).await,
            sample.records,
            "{name}"
        );
        if sample.schema == dbn::Schema::Mbp1 {
            let chunk = format!(
                "(SELECT c.id FROM chunks AS c JOIN jobs AS j ON j.id = c.job_id WHERE j.name = '{name}')"
            );
            let undefined = format!(
                "SELECT count(*) FROM mbp_1_data WHERE chunk_id = {chunk} AND bid_px_00 IS NULL"
            );
            assert_eq!(
                count(&installation, &undefined).await,
                sample.undefined_prices,
                "{name}"
            );
        }
    }
    let sentinels = format!(
        "SELECT count(*) FROM mbp_1_data WHERE {max} IN (price, bid_px_00, ask_px_00)",
        max = i64::MAX
    );
    assert_eq!(count(&installation, &sentinels).await, 0);
}
