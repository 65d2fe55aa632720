//! Real records of every schema, in every format, on both engines.

use std::path::Path;

use simulator::Config;
use testkit::engine::Engine;
use testkit::shared_data::shared_data;

use super::expected::{self, assert_are};
use super::{formats, rows};
use crate::golden::{Sample, read_sample, samples};
use crate::installation::Installation;

async fn recorded(engine: &Engine, folder: &Path) -> Installation {
    let config = Config {
        data: Some(folder.to_owned()),
        ..Config::default()
    };
    Installation::with_on(engine, config).await
}

async fn load(installation: &Installation, sample: &Sample) {
    let job = installation.job(&format!(
        "{{name: {dataset}-{schema}, dataset: {dataset}, schemas: [{schema}], symbols: ALL_SYMBOLS,
          start: {first}, end: {end}, chunking: {{days: 30}}}}",
        dataset = sample.dataset,
        schema = sample.schema,
        first = sample.first_day,
        end = sample.last_day.plus(1),
    ));
    installation.succeed(&["run", &job]).await;
}

/// All samples in one database: tables hold records of several datasets, whose instruments may have
/// the same numbers, and bars of several sizes.
async fn every_sample(engine: &Engine) {
    let Some(folder) = shared_data() else { return };
    let folder = folder.join("databento-samples");
    let installation = recorded(engine, &folder).await;
    if !matches!(engine, Engine::Sqlite) {
        installation.succeed(&["migrate"]).await;
    }
    let paths = samples(&folder);
    for path in &paths {
        load(&installation, &read_sample(path)).await;
    }
    let mut schemas = std::collections::BTreeSet::new();
    for path in &paths {
        let sample = read_sample(path);
        let (schema, records) = expected::read(path);
        schemas.insert(schema.to_string());
        let what = path.display().to_string();
        let arguments = ["--schema", schema.as_str(), "--dataset", &sample.dataset];
        assert_are(&rows(&installation, &arguments).await, &records, &what);
        if matches!(engine, Engine::Sqlite) {
            formats::agree(&installation, &arguments).await;
        }
    }
    assert!(schemas.len() >= 17, "{schemas:?}");
}

#[tokio::test]
async fn every_sample_is_answered_as_dbn_reads_it() {
    every_sample(&Engine::Sqlite).await;
}

#[tokio::test]
async fn every_sample_is_answered_as_dbn_reads_it_on_postgresql() {
    if let Some(engine) = Engine::postgresql() {
        every_sample(&engine).await;
    }
}

#[tokio::test]
async fn a_day_of_es_has_every_trade_in_order_the_identical_ones_too() {
    let Some(folder) = shared_data() else { return };
    let installation = recorded(&Engine::Sqlite, &folder).await;
    let job = installation.job(
        "{name: es, dataset: GLBX.MDP3, schemas: [trades, mbp-1], symbols: [ESH4],
          start: 2023-12-25, end: 2023-12-26}",
    );
    installation.succeed(&["run", &job]).await;
    let archived = expected::archived(&installation.sandbox.path().join("archive"));
    for (schema, count) in [(dbn::Schema::Trades, 2_973), (dbn::Schema::Mbp1, 28_413)] {
        let records = &archived[&schema];
        assert_eq!(records.len(), count);
        let arguments = ["--schema", schema.as_str(), "-s", "ESH4"];
        assert_are(
            &rows(&installation, &arguments).await,
            records,
            schema.as_str(),
        );
        let arguments = [&arguments[..], &["--order", "desc"]].concat();
        let mut newest_first = rows(&installation, &arguments).await;
        newest_first.reverse();
        assert_are(&newest_first, records, schema.as_str());
    }
}
