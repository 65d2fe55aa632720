//! What two fleets' tables have in common and where they differ.

use testkit::checksum::{Difference, compare_rows, compare_table, market_tables_at};

use crate::fleet::Fleet;

/// A market table's columns that tell which chunk a row came with.
const ORIGIN: [&str; 2] = ["chunk_id", "row_number"];

/// Who holds what, by instrument: not in which pieces, and not twice what is held for every instrument
/// at once.
const COVERAGE: &str = "
    WITH held AS (
        SELECT dataset, schema, instrument_id, range_agg(int8range(start_ns, end_ns)) AS spans
        FROM coverage GROUP BY dataset, schema, instrument_id
    ), own AS (
        SELECT held.dataset, held.schema, held.instrument_id,
            CASE WHEN every.spans IS NULL THEN held.spans ELSE held.spans - every.spans END AS spans
        FROM held LEFT JOIN held AS every ON every.dataset = held.dataset
            AND every.schema = held.schema AND every.instrument_id = -1 AND held.instrument_id <> -1
    )
    SELECT own::text FROM own WHERE NOT isempty(spans)";

/// Which records were quarantined and why.
const QUARANTINE: &str = "
    SELECT of_record::text FROM (
        SELECT instrument_id, index_time, rule, found, failed, severity, record, rules_version
        FROM quarantine
    ) AS of_record";

/// How many records failed each rule.
const RULE_FAILURES: &str = "
    SELECT of_rule::text FROM (
        SELECT c.schema, f.rule, f.severity, sum(f.records)
        FROM rule_failures AS f JOIN chunks AS c ON c.id = f.chunk_id
        GROUP BY c.schema, f.rule, f.severity
    ) AS of_rule";

/// A table's name, whether it is a market table, and how it differs.
pub type Compared = (String, bool, Difference);

/// Compares all tables that hold rows.
pub async fn compare(expected: &Fleet, found: &Fleet) -> Vec<Compared> {
    let (expected, found) = (&expected.postgres.url(), &found.postgres.url());
    let mut compared = Vec::new();
    for table in market_tables_at(expected).await {
        let difference = compare_table(expected, found, &table, &ORIGIN).await;
        compared.push((table, true, difference));
    }
    let difference = compare_table(expected, found, "symbology", &[]).await;
    compared.push(("symbology".to_owned(), false, difference));
    for (name, query) in [
        ("coverage", COVERAGE),
        ("quarantine", QUARANTINE),
        ("rule_failures", RULE_FAILURES),
    ] {
        let difference = compare_rows(expected, found, query).await;
        compared.push((name.to_owned(), false, difference));
    }
    compared.retain(|(_, _, difference)| difference.expected.rows + difference.found.rows > 0);
    compared
}

/// Chunks whose rows in the market tables are not as many as they say, or not each another row.
pub async fn misfits(fleet: &Fleet) -> u64 {
    let mut count = 0;
    for table in market_tables_at(&fleet.postgres.url()).await {
        let script = format!(
            "SELECT count(*) FROM (
                 SELECT chunk_id, count(*) AS held, count(DISTINCT row_number) AS numbers
                 FROM {table} GROUP BY chunk_id
             ) AS h FULL JOIN (
                 SELECT id, state, loaded_records FROM chunks
                 WHERE market_table = '{table}' AND loaded_records > 0
             ) AS c ON c.id = h.chunk_id
             WHERE held IS DISTINCT FROM loaded_records OR held <> numbers OR state <> 'done'"
        );
        let found: u64 = fleet.postgres.psql(&script).trim().parse().unwrap();
        count += found;
    }
    count
}
