//! Checksums of a server's tables, and what a comparison of two databases tells.

use common::store::Store;
use testkit::checksum::{compare_table, tables_at};
use testkit::postgres::Postgres;

#[tokio::test]
async fn a_comparison_tells_lost_rows_from_doubled_and_foreign_ones() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let table = |rows: &str| {
        let url = server.fresh_database();
        let script = format!("CREATE TABLE t (a TEXT, b BIGINT); INSERT INTO t VALUES {rows};");
        drop(server.psql_at(&url, &script));
        url
    };
    let expected = table("('x', 1), ('x', 1), ('y', 2), (NULL, 3), ('é', 4)");
    let other_order = table("('é', 4), ('y', 2), ('x', 1), (NULL, 3), ('x', 1)");
    let same = compare_table(&expected, &other_order, "t", &[]).await;
    assert!(same.is_none(), "{same:?}");
    let found = table("('x', 1), ('y', 2), ('y', 2), ('', 3), ('é', 4)");
    let differs = compare_table(&expected, &found, "t", &[]).await;
    let counts = (differs.lost, differs.doubled, differs.foreign);
    assert_eq!(counts, (2, 1, 1), "{differs:?}");
    assert_ne!(differs.expected.sha256, differs.found.sha256);
    let numbers = compare_table(&expected, &found, "t", &["a"]).await;
    let counts = (numbers.lost, numbers.doubled, numbers.foreign);
    assert_eq!(counts, (1, 1, 0), "{numbers:?}");
}

#[tokio::test]
async fn the_sums_of_equal_tables_are_equal_whatever_their_rows_order_and_attempt() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let mut sums = Vec::new();
    for (attempt, rows) in [(1, "(1, 'a'), (2, 'b')"), (2, "(2, 'b'), (1, 'a')")] {
        let url = server.fresh_database();
        Store::migrate(&url).await.unwrap();
        let script = format!(
            "SET session_replication_role = replica;
             INSERT INTO quarantine
             SELECT 1, number, 0, 0, rule, '', '', 'error', '', {attempt}, '', {attempt}
             FROM (VALUES {rows}) AS v (number, rule);"
        );
        drop(server.psql_at(&url, &script));
        sums.push(tables_at(&url).await);
    }
    assert_eq!(sums[0]["quarantine"].rows, 2);
    assert_eq!(sums[0], sums[1]);
}
