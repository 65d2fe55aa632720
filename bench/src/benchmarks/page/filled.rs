//! A database of a million chunks, made by the engine itself.

use testkit::database::Database;

const CHUNKS: u64 = 1_000_000;
/// Each day of so many symbols is a chunk.
const SYMBOLS: u64 = 500;

/// Makes them. Half of the chunks were settled within the last hour, evenly; a tenth of the rest failed, and some run.
pub async fn fill(database: &Database) {
    let chunks = CHUNKS;
    let days = chunks / SYMBOLS;
    let (numbers, as_json, now) = match database {
        Database::File(_) => (
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {chunks} - 1)"
            ),
            "json_array(printf('S%05d', i))",
            "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000000)",
        ),
        Database::OnServer(_) => (
            format!(
                "WITH n AS (SELECT i FROM generate_series(CAST(0 AS BIGINT), {chunks} - 1) AS i)"
            ),
            "'[\"S' || lpad(i::text, 5, '0') || '\"]'",
            "backhaul_now()",
        ),
    };
    let symbols = (0..SYMBOLS).map(|number| format!("\"S{number:05}\""));
    let symbols = symbols.collect::<Vec<_>>().join(",");
    let end = common::time::Day::from_ymd(2010, 1, 1)
        .expect("a day")
        .plus(i64::try_from(days).expect("days"));
    database
        .execute_all(&format!(
            "INSERT INTO jobs (id, name, fingerprint, spec, state, priority, max_cost_nanousd, created_at)
             VALUES (1, 'million', 'f', '{{\"dataset\":\"GLBX.MDP3\",\"end\":\"{end}\",\"name\":\"million\",
                 \"schemas\":[\"trades\"],\"start\":\"2010-01-01\",\"stype_in\":\"continuous\",
                 \"symbols\":[{symbols}]}}', 'active', 0, 1000000000000, {now});
             {numbers} INSERT INTO symbol_sets (id, symbols) SELECT i + 1, {as_json} FROM n WHERE i < {SYMBOLS};
             {numbers} INSERT INTO symbology (dataset, stype_in, symbol, instrument_id, start_date, end_date)
             SELECT 'GLBX.MDP3', 'continuous', {symbol}, i + 1, '2010-01-01', '{end}' FROM n WHERE i < {SYMBOLS};
             {numbers} INSERT INTO chunks (id, job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns,
                 priority, state, due_at, epoch, owner, lease_until, failures, error, expected_records,
                 billable_bytes, cost_nanousd, fetched_records, loaded_records, bytes_received, updated_at)
             SELECT i + 1, 1, 'GLBX.MDP3', 'trades', 'continuous', i % {SYMBOLS} + 1,
                 1262304000000000000 + (i / {SYMBOLS}) * 86400000000000,
                 1262304000000000000 + (i / {SYMBOLS} + 1) * 86400000000000,
                 0, CASE WHEN i % 2 = 0 THEN 'done' WHEN i % 20 = 1 THEN 'dead' WHEN i % 20000 = 3 THEN 'running'
                     ELSE 'pending' END,
                 {now} + (i % 7) * 1000000000, 1, 'w-' || (i % 9),
                 CASE WHEN i % 20000 = 3 THEN {now} + 30000000000 END,
                 CASE WHEN i % 20 = 1 THEN 10 WHEN i % 20 = 5 THEN 1 ELSE 0 END,
                 CASE WHEN i % 20 IN (1, 5) THEN 'the stream ended early: 17 of 1000 records' END,
                 1000, 48000, 1000, CASE WHEN i % 2 = 0 THEN 1000 ELSE 0 END,
                 CASE WHEN i % 2 = 0 THEN 1000 ELSE 0 END, CASE WHEN i % 2 = 0 THEN 48000 ELSE 0 END,
                 {now} - (i * 3600000000000 / {chunks})
             FROM n;
             INSERT INTO coverage (dataset, schema, instrument_id, start_ns, end_ns, chunk_id, days)
             SELECT dataset, schema, symbols_id, start_ns, end_ns, id, '+' FROM chunks WHERE state = 'done';
             ANALYZE;",
            symbol = match database {
                Database::File(_) => "printf('S%05d', i)",
                Database::OnServer(_) => "'S' || lpad(i::text, 5, '0')",
            },
        ))
        .await;
    if let Database::OnServer(_) = database {
        database.execute_all("VACUUM ANALYZE").await;
    }
}
