//! A folder of DBN files, served.

use std::path::{Path, PathBuf};

use dbn::{
    SymbolIndex, TradeMsg,
    decode::{DbnDecoder, DbnMetadata},
};
use simulator::{Config, Fault, FaultKind, Simulator};

use crate::{
    ask::{self, count, decoded, glbx, range, record_bytes, records},
    wire::get,
};

async fn over(folder: &Path) -> Simulator {
    Simulator::start(Config {
        data: Some(folder.to_owned()),
        ..Config::default()
    })
    .await
    .expect("it starts")
}

/// Writes what a synthetic simulator gives for a query.
async fn record(source: &Simulator, query: &str, path: &Path) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, range(source, query).await.body).expect("a file");
}

#[tokio::test]
async fn what_was_recorded_is_replayed() {
    let (folder, source) = (tempfile::tempdir().expect("a folder"), ask::small().await);
    let query = |schema| glbx(schema, "ES.FUT", "parent", "2024-01-04", "2024-01-09");
    for schema in ["trades", "mbp-1", "definition", "statistics", "ohlcv-1m"] {
        record(
            &source,
            &query(schema),
            &folder.path().join(format!("deep/er/{schema}.dbn.zst")),
        )
        .await;
    }
    let plain =
        zstd::decode_all(range(&source, &query("status")).await.body.as_slice()).expect("whole");
    std::fs::write(folder.path().join("status.dbn"), plain).expect("a file");
    let replay = over(folder.path()).await;
    for schema in [
        "trades",
        "mbp-1",
        "definition",
        "statistics",
        "ohlcv-1m",
        "status",
    ] {
        assert_eq!(
            record_bytes(&replay, &query(schema)).await,
            record_bytes(&source, &query(schema)).await,
            "{schema}"
        );
        assert_eq!(
            count(&replay, &query(schema)).await,
            count(&source, &query(schema)).await,
            "{schema}"
        );
    }
    let cut = glbx(
        "trades",
        "ESH4",
        "raw_symbol",
        "2024-01-04T13:00",
        "2024-01-05T14:30",
    );
    assert_eq!(
        record_bytes(&replay, &cut).await,
        record_bytes(&source, &cut).await
    );
    assert_eq!(count(&replay, &cut).await, count(&source, &cut).await);
}

#[tokio::test]
async fn files_of_days_and_instruments_are_one_history() {
    let (folder, source) = (tempfile::tempdir().expect("a folder"), ask::small().await);
    for (day, next) in [("04", "05"), ("05", "06"), ("07", "08"), ("08", "09")] {
        let (start, end) = (format!("2024-01-{day}"), format!("2024-01-{next}"));
        for symbol in ["ESH4", "ESM4"] {
            let query = glbx("trades", symbol, "raw_symbol", &start, &end);
            record(
                &source,
                &query,
                &folder.path().join(format!("{day}/{symbol}.dbn.zst")),
            )
            .await;
        }
    }
    let all_days = glbx("trades", "NQH4", "raw_symbol", "2024-01-04", "2024-01-09");
    record(&source, &all_days, &folder.path().join("nq.dbn.zst")).await;
    let replay = over(folder.path()).await;
    let query = |start, end| glbx("trades", "ESH4,ESM4,NQH4", "raw_symbol", start, end);
    let whole = record_bytes(&replay, &query("2024-01-04", "2024-01-09")).await;
    assert_eq!(
        whole,
        record_bytes(&source, &query("2024-01-04", "2024-01-09")).await
    );
    let mut joined = record_bytes(&replay, &query("2024-01-04", "2024-01-05T15:00")).await;
    joined.extend(record_bytes(&replay, &query("2024-01-05T15:00", "2024-01-09")).await);
    assert_eq!(joined, whole);
}

#[tokio::test]
async fn of_overlapping_files_the_fuller_one_provides_a_day() {
    let (folder, source) = (tempfile::tempdir().expect("a folder"), ask::small().await);
    let query = glbx("trades", "ESH4", "raw_symbol", "2024-01-04", "2024-01-06");
    record(
        &source,
        &format!("{query}&limit=50"),
        &folder.path().join("a.dbn.zst"),
    )
    .await;
    record(&source, &query, &folder.path().join("b.dbn.zst")).await;
    record(
        &source,
        &glbx(
            "trades",
            "ESH4,ESM4",
            "raw_symbol",
            "2024-01-05",
            "2024-01-06",
        ),
        &folder.path().join("c.dbn.zst"),
    )
    .await;
    let replay = over(folder.path()).await;
    assert_eq!(
        record_bytes(&replay, &query).await,
        record_bytes(&source, &query).await
    );
    let both = glbx(
        "trades",
        "ESH4,ESM4",
        "raw_symbol",
        "2024-01-05",
        "2024-01-06",
    );
    assert_eq!(
        record_bytes(&replay, &both).await,
        record_bytes(&source, &both).await
    );
}

#[tokio::test]
async fn days_without_data_have_no_condition_and_a_revised_one_gains_records() {
    let (folder, source) = (tempfile::tempdir().expect("a folder"), ask::small().await);
    let query = glbx("trades", "ESH4", "raw_symbol", "2024-01-04", "2024-01-09");
    record(&source, &query, &folder.path().join("trades.dbn.zst")).await;
    let replay = over(folder.path()).await;
    let target = "/v0/metadata.get_dataset_condition?dataset=GLBX.MDP3";
    let days = get(&replay, target).await.json();
    let dates: Vec<_> = days
        .as_array()
        .expect("days")
        .iter()
        .map(|day| day["date"].clone())
        .collect();
    assert_eq!(
        dates,
        ["2024-01-04", "2024-01-05", "2024-01-07", "2024-01-08"]
    );
    replay.add_fault(Fault::day(FaultKind::RevisedDay, "2024-01-05"));
    replay.add_fault(Fault::day(FaultKind::Missing, "2024-01-08"));
    let revised: Vec<TradeMsg> = records(&replay, &query).await;
    assert_eq!(
        count(&replay, &query).await,
        u64::try_from(revised.len()).expect("few")
    );
    let day = glbx("trades", "ESH4", "raw_symbol", "2024-01-05", "2024-01-06");
    assert_eq!(count(&replay, &day).await, count(&source, &day).await + 1);
    let missing = glbx("trades", "ESH4", "raw_symbol", "2024-01-08", "2024-01-09");
    assert_eq!(count(&replay, &missing).await, 0);
}

#[tokio::test]
async fn records_without_a_mapping_are_named_by_their_id() {
    let (folder, source) = (tempfile::tempdir().expect("a folder"), ask::small().await);
    let all = "dataset=XNAS.ITCH&schema=trades&symbols=ALL_SYMBOLS&start=2024-01-04";
    record(&source, all, &folder.path().join("all.dbn.zst")).await;
    let replay = over(folder.path()).await;
    let by_id = "dataset=XNAS.ITCH&schema=trades&symbols=80000001&start=2024-01-04";
    let (metadata, trades) = decoded::<TradeMsg>(&replay, by_id).await;
    assert_eq!(trades, records::<TradeMsg>(&source, all).await);
    assert_eq!(
        metadata
            .symbol_map()
            .expect("mappings")
            .get_for_rec(&trades[0])
            .map(String::as_str),
        Some("80000001")
    );
}

#[tokio::test]
async fn files_that_are_not_dbn_are_named_and_skipped() {
    let (folder, source) = (tempfile::tempdir().expect("a folder"), ask::small().await);
    let query = glbx("trades", "ESH4", "raw_symbol", "2024-01-04", "2024-01-05");
    record(&source, &query, &folder.path().join("good.dbn.zst")).await;
    std::fs::write(folder.path().join("notes.txt"), "no data").expect("a file");
    let body = range(&source, &query).await.body;
    std::fs::write(folder.path().join("cut.dbn.zst"), &body[..body.len() / 2]).expect("a file");
    let replay = over(folder.path()).await;
    let skipped: Vec<_> = replay
        .skipped()
        .iter()
        .filter_map(|skipped| skipped.path.file_name())
        .collect();
    assert_eq!(skipped, ["cut.dbn.zst", "notes.txt"]);
    assert_eq!(count(&replay, &query).await, count(&source, &query).await);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error() {
    let config = Config {
        data: Some(PathBuf::from("nowhere/at/all")),
        ..Config::default()
    };
    let error = Simulator::start(config).await.expect_err("it can't start");
    assert!(error.to_string().contains("nowhere/at/all"));
}

/// Real data next to the workspace, where there is some.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !folder.is_dir() {
        println!("passed by: there is no folder ../shared/data");
        return None;
    }
    Some(folder)
}

#[tokio::test]
async fn real_days_have_their_known_counts() {
    let Some(folder) = shared() else { return };
    let simulator = over(&folder).await;
    for (query, expected) in [
        (
            "dataset=GLBX.MDP3&schema=trades&symbols=ESH4&start=2023-12-25",
            2_973,
        ),
        (
            "dataset=GLBX.MDP3&schema=tbbo&symbols=ESH4&start=2023-12-25",
            2_973,
        ),
        (
            "dataset=GLBX.MDP3&schema=mbp-1&symbols=ESH4&start=2023-12-25",
            28_413,
        ),
        (
            "dataset=DBEQ.BASIC&schema=trades&symbols=GOOG,GOOGL&start=2024-04-03",
            1_124,
        ),
        ("dataset=DBEQ.BASIC&schema=tbbo&start=2024-04-03", 1_124),
        (
            "dataset=DBEQ.BASIC&schema=mbp-1&symbols=GOOG,GOOGL&start=2024-04-03",
            156_783,
        ),
        (
            "dataset=GLBX.MDP3&schema=mbp-1&symbols=ESU4&start=2024-07-01&end=2024-07-03",
            2_288,
        ),
        (
            "dataset=GLBX.MDP3&schema=trades&symbols=ESU4&start=2024-07-01&end=2024-07-03",
            120,
        ),
        (
            "dataset=GLBX.MDP3&schema=trades&symbols=ESH1&start=2020-12-28",
            4,
        ),
        (
            "dataset=GLBX.MDP3&schema=statistics&symbols=146945&stype_in=instrument_id&start=2023-04-23",
            2,
        ),
        (
            "dataset=XNAS.ITCH&schema=definition&symbols=MSFT&start=2021-10-04&end=2021-10-06",
            2,
        ),
        (
            "dataset=OPRA.PILLAR&schema=trades&symbols=AAPL%20%20250221C00250000&start=2025-02-20",
            4,
        ),
    ] {
        assert_eq!(count(&simulator, query).await, expected, "{query}");
        let answer = range(&simulator, query).await;
        let logged = simulator.requests().last().map(|request| request.records);
        assert_eq!((answer.status, logged), (200, Some(expected)), "{query}");
    }
}

#[tokio::test]
async fn everything_real_can_be_had_day_by_day() {
    let Some(folder) = shared() else { return };
    let simulator = over(&folder).await;
    let datasets = get(&simulator, "/v0/metadata.list_datasets").await.json();
    for dataset in datasets
        .as_array()
        .expect("datasets")
        .iter()
        .filter_map(serde_json::Value::as_str)
    {
        let range = get(
            &simulator,
            &format!("/v0/metadata.get_dataset_range?dataset={dataset}"),
        )
        .await
        .json();
        for (schema, range) in range["schema"].as_object().expect("schemas") {
            let (start, end) = (
                range["start"].as_str().expect("a time"),
                range["end"].as_str().expect("a time"),
            );
            let query = format!("dataset={dataset}&schema={schema}&start={start}&end={end}");
            let counted = count(&simulator, &query).await;
            ask::range(&simulator, &query).await;
            let logged = simulator.requests().last().map(|request| request.records);
            assert_eq!(Some(counted), logged, "{query}");
            assert!(counted > 0, "{query}");
        }
    }
}

#[tokio::test]
async fn every_real_sample_can_be_had_by_its_own_symbols() {
    let Some(folder) = shared() else { return };
    let simulator = over(&folder).await;
    let mut samples = 0;
    for dataset in std::fs::read_dir(folder.join("databento-samples")).expect("samples") {
        for sample in std::fs::read_dir(dataset.expect("a dataset").path()).expect("a folder") {
            let path = sample.expect("a sample").path();
            let plain =
                zstd::decode_all(std::fs::File::open(&path).expect("a file")).expect("zstd");
            let metadata = DbnDecoder::new(plain.as_slice())
                .expect("DBN")
                .metadata()
                .clone();
            let (Some(schema), Some(end)) = (metadata.schema, metadata.end) else {
                continue;
            };
            let query = format!(
                "dataset={}&schema={schema}&symbols={}&start={}&end={end}",
                metadata.dataset,
                metadata.symbols.join(",").replace(' ', "%20"),
                metadata.start
            );
            let held = (plain.len() - ask::header_len(&plain)) / ask::record_size(schema);
            let held = u64::try_from(held).expect("few");
            assert_eq!(count(&simulator, &query).await, held, "{}", path.display());
            samples += 1;
        }
    }
    assert!(samples >= 60, "{samples}");
}
