//! Each SQL check finds its fault, and no other check does; none finds any where there is none.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use common::integrity::CHECKS;
use common::store::{Access, Checked, Store};
use testkit::database::Database;
use testkit::engine::Engine;
use testkit::on_every_engine;
use testkit::shared_data::shared_data;

use super::JOB;
use crate::golden::{read_sample, samples};
use crate::installation::Installation;
use crate::quality::stricter;

on_every_engine! {
    every_check_finds_its_fault_and_no_other_does
    real_records_of_every_schema_pass
}

/// Long enough for any check of a few records.
const LIMIT: Duration = Duration::from_secs(120);

/// A fault: the check that is to find it, and what plants it on either engine.
struct Fault {
    check: &'static str,
    sqlite: String,
    postgres: String,
}

/// A done chunk of trades with records in the quarantine, and one of its rows.
const CHUNK: &str =
    "(SELECT min(id) FROM chunks WHERE schema = 'trades' AND quarantined_records > 0)";
const MINUTES: &str = "(SELECT min(id) FROM chunks WHERE schema = 'ohlcv-1m' AND state = 'done')";

/// A chunk that is in this state, long after all others, and of which nothing is there.
fn another_chunk(state: &str) -> String {
    format!(
        "INSERT INTO chunks (job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns, priority,
             state, due_at, epoch, billable_bytes, cost_nanousd, updated_at)
         SELECT job_id, dataset, schema, stype_in, symbols_id, start_ns + 8640000000000000,
             end_ns + 8640000000000000, priority, '{state}', 0, 1, 0, 0, 0
         FROM chunks WHERE id = {CHUNK};"
    )
}

fn trade(change: &str) -> String {
    format!(
        "UPDATE trades_data SET {change} WHERE chunk_id = {CHUNK} AND row_number = (
             SELECT min(row_number) FROM trades_data WHERE chunk_id = {CHUNK});"
    )
}

fn bar(change: &str) -> String {
    format!(
        "UPDATE ohlcv_data SET {change} WHERE chunk_id = {MINUTES} AND row_number = (
             SELECT min(row_number) FROM ohlcv_data WHERE chunk_id = {MINUTES});"
    )
}

fn chunk(change: &str) -> String {
    format!("UPDATE chunks SET {change} WHERE id = {CHUNK};")
}

/// A trade that is there again, changed so.
fn again(change: &str) -> String {
    format!(
        "CREATE TEMP TABLE one AS SELECT * FROM trades_data WHERE chunk_id = {CHUNK}
             ORDER BY row_number LIMIT 1;
         UPDATE one SET {change};
         INSERT INTO trades_data SELECT * FROM one;"
    )
}

/// A meaning of ES.c.0 over all of its days.
fn meaning(instrument: &str) -> String {
    format!(
        "INSERT INTO symbology SELECT dataset, stype_in, symbol, {instrument}, '2023-12-31', max(end_date)
         FROM symbology WHERE symbol = 'ES.c.0' GROUP BY dataset, stype_in, symbol, instrument_id;"
    )
}

fn everywhere(check: &'static str, script: impl Into<String>) -> Fault {
    let script = script.into();
    either(check, script.clone(), script)
}

fn either(check: &'static str, sqlite: impl Into<String>, postgres: impl Into<String>) -> Fault {
    Fault {
        check,
        sqlite: sqlite.into(),
        postgres: postgres.into(),
    }
}

fn in_the_ledger() -> Vec<Fault> {
    let pending = another_chunk("pending");
    vec![
        everywhere(
            "chunk_counts_add_up",
            chunk("covered_records = covered_records + 1"),
        ),
        everywhere(
            "chunk_counts_are_the_vendors",
            chunk("expected_records = expected_records + 1"),
        ),
        everywhere("chunk_counts_are_not_negative", chunk("failures = -1")),
        everywhere("running_chunks_have_a_lease", another_chunk("running")),
        everywhere("settled_chunks_have_no_lease", chunk("owner = 'somebody'")),
        everywhere(
            "cancelled_jobs_have_no_open_chunks",
            format!("{pending} UPDATE jobs SET state = 'cancelled';"),
        ),
        everywhere("dead_chunks_say_why", another_chunk("dead")),
        everywhere(
            "job_counts_are_the_chunks",
            "UPDATE job_counts SET done = done + 1 WHERE schema = 'trades';",
        ),
        everywhere(
            "spend_totals_are_the_rows",
            "UPDATE spend_totals SET settled_nanousd = settled_nanousd + 1 WHERE schema = 'trades';",
        ),
        everywhere(
            "spend_is_within_its_reservation",
            "UPDATE spend SET reserved_nanousd = settled_nanousd - 1 WHERE id = (
                 SELECT min(id) FROM spend WHERE settled_nanousd > 0);",
        ),
        everywhere(
            "spend_is_within_job_limits",
            "UPDATE jobs SET max_cost_nanousd = 1;",
        ),
        everywhere(
            "archived_streams_are_known",
            chunk("archive_object = 'nowhere'"),
        ),
        everywhere(
            "archived_streams_have_what_was_fetched",
            format!(
                "UPDATE archive_objects SET records = records + 1 WHERE key = (
                     SELECT archive_object FROM chunks WHERE id = {CHUNK});"
            ),
        ),
    ]
}

fn in_slices_and_symbology() -> Vec<Fault> {
    let slice = format!(
        "INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id, days)
         SELECT dataset, schema, instrument_id, start_ns + 1, end_ns, chunk_id, days
         FROM coverage WHERE chunk_id = {CHUNK};"
    );
    let pending = another_chunk("pending");
    vec![
        everywhere(
            "done_chunks_hold_slices",
            format!("DELETE FROM coverage WHERE chunk_id = {CHUNK};"),
        ),
        either(
            "slices_do_not_overlap",
            format!("DROP TRIGGER coverage_does_not_overlap; {slice}"),
            format!("ALTER TABLE coverage DROP CONSTRAINT coverage_does_not_overlap; {slice}"),
        ),
        everywhere(
            "slices_are_within_their_chunk",
            "UPDATE coverage SET end_ns = end_ns + 1, days = NULL WHERE schema = 'trades'
                 AND end_ns = (SELECT max(end_ns) FROM coverage WHERE schema = 'trades');",
        ),
        everywhere(
            "slices_are_held_by_settled_chunks",
            format!(
                "{pending}
                 INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id)
                 SELECT dataset, schema, 1, start_ns, end_ns, id FROM chunks WHERE state = 'pending';"
            ),
        ),
        everywhere(
            "slice_days_fit",
            format!("UPDATE coverage SET days = days || '-' WHERE chunk_id = {CHUNK};"),
        ),
        everywhere(
            "symbology_days_are_ranges",
            "UPDATE symbology SET end_date = start_date WHERE symbol = 'ES.c.0';",
        ),
        everywhere(
            "symbology_windows_do_not_overlap",
            meaning("instrument_id"),
        ),
        everywhere(
            "symbols_mean_one_instrument",
            meaning("instrument_id + 1"),
        ),
    ]
}

fn in_the_quarantine() -> Vec<Fault> {
    let other = "SELECT max(id) FROM chunks";
    let pending = another_chunk("pending");
    vec![
        everywhere(
            "quarantine_is_of_done_chunks",
            format!(
                "{pending}
                 INSERT INTO rule_failures SELECT ({other}), rule, severity, records
                     FROM rule_failures WHERE chunk_id = {CHUNK};
                 INSERT INTO quarantine SELECT ({other}), record_number, instrument_id, index_time,
                     rule, found, failed, severity, record, attempt, rules_version, quarantined_at
                     FROM quarantine WHERE chunk_id = {CHUNK};"
            ),
        ),
        everywhere(
            "quarantine_is_as_counted",
            format!(
                "DELETE FROM quarantine WHERE chunk_id = {CHUNK} AND record_number = (
                     SELECT min(record_number) FROM quarantine WHERE chunk_id = {CHUNK});"
            ),
        ),
        everywhere(
            "quarantine_names_counted_rules",
            format!("UPDATE quarantine SET rule = 'another' WHERE chunk_id = {CHUNK};"),
        ),
    ]
}

fn in_rows() -> Vec<Fault> {
    let last = format!(
        "DELETE FROM trades_data WHERE chunk_id = {CHUNK} AND row_number = (
             SELECT max(row_number) FROM trades_data WHERE chunk_id = {CHUNK});"
    );
    vec![
        everywhere("rows_are_as_loaded", last.clone()),
        everywhere("rows_belong_to_a_done_chunk", again("chunk_id = 999999")),
        either(
            "rows_are_there_once",
            format!("{} {last}", again("ts_recv = ts_recv + 1")),
            format!("{} {last}", again("size = size")),
        ),
        everywhere(
            "row_numbers_are_within_their_stream",
            trade("row_number = 1000000"),
        ),
        everywhere(
            "rows_are_of_held_instruments",
            trade("instrument_id = 4000000000"),
        ),
        either(
            "rows_are_within_their_chunk",
            trade("ts_recv = ts_recv + 8640000000000000"),
            trade("ts_recv = ts_recv + INTERVAL '100 days'"),
        ),
        everywhere(
            "instruments_and_publishers_are_possible",
            trade("publisher_id = 70000"),
        ),
        either(
            "times_are_possible",
            trade("ts_event = -1"),
            trade("ts_event_ns = 1000"),
        ),
    ]
}

fn in_values() -> Vec<Fault> {
    let bars = format!("ohlcv_data WHERE chunk_id = {MINUTES}");
    let earliest = format!(
        "(SELECT min(ts_event) FROM {bars} AND instrument_id = (SELECT min(instrument_id) FROM {bars}))"
    );
    let latest = earliest.replace("min(ts_event)", "max(ts_event)");
    vec![
        everywhere(
            "bars_have_high_above_low",
            bar("open_price = NULL, close_price = NULL, high_price = low_price - 1"),
        ),
        everywhere(
            "bars_open_and_close_within_their_range",
            bar("close_price = high_price + 1"),
        ),
        everywhere("bars_have_volume", bar("volume = 0")),
        everywhere(
            "bars_are_there_once",
            format!(
                "UPDATE ohlcv_data SET ts_event = {earliest} WHERE chunk_id = {MINUTES}
                     AND instrument_id = (SELECT min(instrument_id) FROM {bars})
                     AND ts_event = {latest};"
            ),
        ),
        everywhere(
            "granularities_are_those_of_the_schema",
            format!("UPDATE ohlcv_data SET granularity = '1h' WHERE chunk_id = {MINUTES};"),
        ),
        everywhere("trades_have_a_price", trade("price = NULL")),
        everywhere("sizes_are_not_negative", trade("size = -1")),
        everywhere("sides_are_known", trade("side = 'X'")),
        everywhere("actions_are_known", trade("action = 'X'")),
        either(
            "undefined_prices_are_null",
            trade("price = 9223372036854775807"),
            trade("price = 9223372036.854775807"),
        ),
        everywhere("book_levels_are_in_order", "UPDATE mbp_10_data SET bid_px_05 = bid_px_04 + 1;"),
        either(
            "definitions_end_after_they_begin",
            "UPDATE definitions_data SET activation = expiration + 1;",
            "UPDATE definitions_data SET activation = expiration + INTERVAL '1 day', activation_ns = 0
             WHERE expiration IS NOT NULL;",
        ),
    ]
}

fn faults() -> Vec<Fault> {
    let all = [
        in_the_ledger(),
        in_slices_and_symbology(),
        in_the_quarantine(),
        in_rows(),
        in_values(),
    ];
    all.into_iter().flatten().collect()
}

/// A chunk with one record of a book of ten levels, by hand: the simulated vendor has none.
fn book(is_postgres: bool) -> String {
    let (time, unit, more): (_, i64, _) = match is_postgres {
        true => ("to_timestamp(1704362400)", 1, ", ts_recv_ns, ts_event_ns"),
        false => ("1704362400000000000", 1_000_000_000, ""),
    };
    let zeros = more.matches("_ns").map(|_| ", 0").collect::<String>();
    let (mut names, mut values) = (String::new(), String::new());
    for level in 0..10 {
        for (side, price) in [("bid", 100 - level), ("ask", 101 + level)] {
            let _infallible = write!(
                names,
                ", {side}_px_{level:02}, {side}_sz_{level:02}, {side}_ct_{level:02}"
            );
            let _infallible = write!(values, ", {}, 1, 1", price * unit);
        }
    }
    format!(
        "INSERT INTO chunks (job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns, priority,
             state, due_at, epoch, billable_bytes, cost_nanousd, updated_at, expected_records,
             fetched_records, loaded_records, archive_object, market_table)
         SELECT job_id, dataset, 'mbp-10', stype_in, symbols_id, 1704326400000000000,
             1704412800000000000, 0, 'done', 0, 1, 0, 0, 0, 1, 1, 1, 'a book', 'mbp_10_data'
         FROM chunks WHERE id = {CHUNK};
         INSERT INTO archive_objects VALUES ('a book', '', 1, 1, 1, '', 0);
         INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id, days)
         SELECT dataset, schema, 7, start_ns, end_ns, id, '+' FROM chunks WHERE schema = 'mbp-10';
         INSERT INTO mbp_10_data (instrument_id, ts_recv, chunk_id, row_number, publisher_id, ts_event,
             price, size, action, side, flags, depth, ts_in_delta, sequence{more}{names})
         SELECT 7, {time}, id, 0, 1, {time}, {unit}, 1, 'A', 'B', 0, 0, 0, 0{zeros}{values}
         FROM chunks WHERE schema = 'mbp-10';"
    )
}

/// The checks that find something, and those that can't be run.
async fn found(database: &Database) -> BTreeSet<String> {
    let store = Store::open(&database.url(), Access::Read)
        .await
        .unwrap()
        .unwrap();
    let mut checks = store.begin_checks(LIMIT).await.unwrap();
    let mut found = BTreeSet::new();
    for check in CHECKS {
        match checks.run(check).await.unwrap() {
            Checked::Found(rows) if rows.is_empty() => {}
            Checked::Found(rows) => {
                assert!(rows.iter().all(|row| !row.is_empty()), "{}", check.name);
                found.insert(check.name.to_owned());
            }
            other => panic!("{}: {other:?}", check.name),
        }
    }
    checks.end().await.unwrap();
    store.close().await;
    found
}

async fn every_check_finds_its_fault_and_no_other_does(engine: &Engine) {
    let is_postgres = !matches!(engine, Engine::Sqlite);
    let installation = Installation::synthetic_on(engine).await;
    let config = installation.config("trades", stricter);
    let job = installation.job(&format!("{JOB}max_quarantine_percent: 100\n"));
    installation
        .succeed(&["run", &job, "--config-dir", &config])
        .await;
    let clean = &installation.database;
    clean.execute_all(&book(is_postgres)).await;
    assert_eq!(found(clean).await, BTreeSet::new());

    let faults = faults();
    let planted: BTreeSet<_> = faults.iter().map(|fault| fault.check).collect();
    let known: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(planted, known, "each check has a fault to find");
    for fault in faults {
        let copy = clean.copy(fault.check).await;
        let script = if is_postgres {
            &fault.postgres
        } else {
            &fault.sqlite
        };
        copy.execute_all(script).await;
        let expected = BTreeSet::from([fault.check.to_owned()]);
        assert_eq!(found(&copy).await, expected, "{script}");
    }
}

async fn real_records_of_every_schema_pass(engine: &Engine) {
    let Some(folder) = shared_data() else { return };
    let folder = folder.join("databento-samples");
    let config = simulator::Config {
        data: Some(folder.clone()),
        ..simulator::Config::default()
    };
    let installation = Installation::with_on(engine, config).await;
    for path in samples(&folder) {
        let sample = read_sample(&path);
        let job = installation.job(&format!(
            "{{name: {dataset}-{schema}, dataset: {dataset}, schemas: [{schema}],
              symbols: ALL_SYMBOLS, start: {first}, end: {end}, chunking: {{days: 30}}}}",
            dataset = sample.dataset,
            schema = sample.schema,
            first = sample.first_day,
            end = sample.last_day.plus(1),
        ));
        installation.succeed(&["run", &job]).await;
    }
    assert_eq!(found(&installation.database).await, BTreeSet::new());
}
