//! What `SQLite` promises beyond the contract: one process works, and whoever comes after a crash
//! finds everything free.

use common::request::JobSource;
use common::store::{Access, Store, StoreError};
use dbn::SType;
use testkit::checksum;
use testkit::sandbox::Sandbox;

use super::ground::{
    CL, ES, NOW, after, claim, claim_at, january, load, loaded, one_claim, open, picture, request,
    resolution, rows, sqlite, stored, submit, trades,
};

async fn reader(sandbox: &Sandbox) -> Result<Option<Store>, StoreError> {
    Store::open(&sandbox.settings("").database_url, Access::Read).await
}

async fn control(sandbox: &Sandbox) -> Result<Option<Store>, StoreError> {
    Store::open(&sandbox.settings("").database_url, Access::Control).await
}

#[tokio::test]
async fn a_second_process_to_work_is_refused_until_the_first_is_gone() {
    let (sandbox, store) = sqlite().await;
    let refused = open(&sandbox).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse(_)), "{refused:?}");
    assert!(refused.to_string().contains("backhaul.db"), "{refused}");
    drop(store);
    open(&sandbox).await.expect("the first is gone");
}

#[tokio::test]
async fn a_reader_looks_on_while_another_works() {
    let (sandbox, store) = sqlite().await;
    let claim = one_claim(&store).await;
    let mut open_load = store.begin_load(&claim, &trades()).await.unwrap();
    open_load.insert(&rows(ES, NOW, 3)).await.unwrap();
    let reader = reader(&sandbox).await.unwrap().expect("it is there");
    assert_eq!(stored(&reader).await.len(), 0);
    open_load.commit(&loaded(&claim, 3), NOW).await.unwrap();
    assert_eq!(stored(&reader).await.len(), 3);
}

#[tokio::test]
async fn jobs_are_decided_about_while_another_works() {
    let (sandbox, store) = sqlite().await;
    let claim = one_claim(&store).await;
    let control = control(&sandbox).await.unwrap().expect("it is there");
    let job = claim.chunk.job;
    assert!(control.pause(Some(job), "by hand").await.unwrap());
    let (_, two) = submit(&control, &request("two"), 2).await;
    assert_eq!(two.len(), 2);
    let status = store.job(job).await.unwrap().unwrap();
    assert_eq!((status.state, status.chunks.running), ("paused", 1));
    // What runs was not taken for a dead process's.
    load(&store, &claim).await.unwrap();
    assert_eq!(stored(&control).await.len(), 3);
}

#[tokio::test]
async fn a_database_to_decide_about_is_not_made_and_not_migrated() {
    let sandbox = Sandbox::new();
    assert!(control(&sandbox).await.unwrap().is_none());
    assert!(!sandbox.database().exists());
    sandbox.write("backhaul.db", "");
    let refused = control(&sandbox).await.unwrap_err();
    assert!(matches!(refused, StoreError::Version(_)), "{refused:?}");
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let (sandbox, store) = sqlite().await;
    let (_, chunks) = submit(&store, &request("one"), 1).await;
    let reader = reader(&sandbox).await.unwrap().expect("it is there");
    let claimed = reader
        .claim(chunks[0], "a reader", super::ground::LEASE, NOW)
        .await;
    assert!(
        matches!(claimed, Err(StoreError::Database(_))),
        "{claimed:?}"
    );
    let submitted = reader.submit(&request("two"), "the vendor", &[], NOW).await;
    assert!(
        matches!(submitted, Err(StoreError::Database(_))),
        "{submitted:?}"
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_is_none_to_a_reader_and_is_not_made() {
    let sandbox = Sandbox::new();
    assert!(reader(&sandbox).await.unwrap().is_none());
    assert!(!sandbox.database().exists());
}

#[tokio::test]
async fn a_file_without_our_tables_is_refused_to_a_reader() {
    let sandbox = Sandbox::new();
    sandbox.write("backhaul.db", "");
    let refused = reader(&sandbox).await.unwrap_err();
    assert!(matches!(refused, StoreError::Version(_)), "{refused:?}");
    assert!(
        refused.to_string().contains("scheduler migrate"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_address_that_is_no_file_is_refused_with_an_example() {
    for url in [
        "postgress://me:secret@host/db",
        "sqlite://",
        "sqlite://a?mode=ro",
        "backhaul.db",
        "",
    ] {
        let refused = Store::open(url, Access::Work).await.unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused, StoreError::Address(_)), "{url}: {text}");
        assert!(text.contains("sqlite://data/backhaul.db"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash_and_nothing_else() {
    let (sandbox, store) = sqlite().await;
    let (_, chunks) = submit(&store, &request("one"), 2).await;
    load(&store, &claim(&store, chunks[0]).await).await.unwrap();
    let before = checksum::tables(&sandbox.database()).await;
    let second = claim(&store, chunks[1]).await;
    let mut open_load = store.begin_load(&second, &trades()).await.unwrap();
    open_load.insert(&rows(ES, NOW, 1_000)).await.unwrap();
    // Neither closed nor rolled back.
    drop((open_load, store));
    let store = open(&sandbox).await.unwrap();
    assert_eq!(checksum::tables(&sandbox.database()).await, before);
    assert_eq!(stored(&store).await.len(), 3);
}

#[tokio::test]
async fn whoever_comes_next_frees_the_leases_and_fences_the_dead() {
    let (sandbox, store) = sqlite().await;
    let former = one_claim(&store).await;
    drop(store);
    let store = open(&sandbox).await.unwrap();
    let id = former.chunk.id;
    assert_eq!(store.due(former.chunk.job, 9, NOW).await.unwrap(), [id]);
    let claim = claim_at(&store, id, NOW)
        .await
        .expect("nobody else is alive");
    assert_eq!(claim.epoch, 2);
    let late = store.give_up(&former, "no", NOW).await;
    assert!(matches!(late, Err(StoreError::Fenced(_))), "{late:?}");
}

#[tokio::test]
async fn a_reservation_that_nobody_settled_counts_as_spent() {
    let (sandbox, store) = sqlite().await;
    let claim = one_claim(&store).await;
    let job = claim.chunk.job;
    let settled = store.reserve(&claim, NOW).await.unwrap();
    store.settle_spend(&claim, settled, 72, NOW).await.unwrap();
    store.reserve(&claim, NOW).await.unwrap();
    drop(store);
    let store = open(&sandbox).await.unwrap();
    assert_eq!(
        store.spent(job).await.unwrap(),
        (common::money::Usd(720 + 1_440), 72)
    );
    let sql = "SELECT count(*) FROM spend WHERE settled_nanousd IS NULL";
    assert_eq!(checksum::scalar::<i64>(&sandbox.database(), sql).await, 0);
}

#[tokio::test]
async fn opening_again_changes_nothing_that_is_settled() {
    let (sandbox, store) = sqlite().await;
    let (_, chunks) = submit(&store, &request("one"), 3).await;
    load(&store, &claim(&store, chunks[0]).await).await.unwrap();
    let dead = claim(&store, chunks[1]).await;
    store.give_up(&dead, "it failed", NOW).await.unwrap();
    let before = picture(&store).await;
    store.close().await;
    drop(store);
    let store = open(&sandbox).await.unwrap();
    assert_eq!(picture(&store).await, before);
}

#[tokio::test]
async fn jobs_of_a_database_that_knew_no_sources_are_the_vendors() {
    let (sandbox, store) = sqlite().await;
    let (_, chunks) = submit(&store, &request("one"), 1).await;
    store.close().await;
    drop(store);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(sandbox.database());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    for sql in [
        "ALTER TABLE jobs DROP COLUMN source",
        "DELETE FROM _sqlx_migrations WHERE version = 5",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let store = open(&sandbox).await.unwrap();
    let claim = claim(&store, chunks[0]).await;
    assert_eq!(claim.chunk.source, JobSource::Vendor);
}

#[tokio::test]
async fn a_database_that_knew_no_kinds_of_columns_learns_them() {
    let (sandbox, store) = sqlite().await;
    let (_, chunks) = submit(&store, &request("one"), 1).await;
    load(&store, &claim(&store, chunks[0]).await).await.unwrap();
    let before = store.table("trades_data").await.unwrap();
    store.close().await;
    drop(store);
    for sql in [
        "ALTER TABLE trades_data ADD COLUMN own INTEGER",
        "DROP TABLE column_kinds",
        "DELETE FROM _sqlx_migrations WHERE version = 6",
    ] {
        checksum::execute(&sandbox.database(), sql).await;
    }
    let store = open(&sandbox).await.unwrap();
    let mut after = store.table("trades_data").await.unwrap();
    let own = after.columns.pop().expect("the column that was added");
    assert_eq!((own.name.as_str(), own.column_type), ("own", None));
    assert_eq!(after, before);
    let rows: i64 = checksum::scalar(&sandbox.database(), "SELECT count(*) FROM trades_data").await;
    assert!(rows > 0);
}

async fn symbology(sandbox: &Sandbox) -> String {
    let sql = "SELECT coalesce(group_concat(row, '; '), '') FROM (
        SELECT symbol || ' ' || stype_in || ' ' || instrument_id || ' ' || start_date || '..'
            || end_date AS row FROM symbology ORDER BY 1)";
    checksum::scalar(&sandbox.database(), sql).await
}

#[tokio::test]
async fn windows_of_one_meaning_that_touch_or_overlap_become_one() {
    let (sandbox, store) = sqlite().await;
    let (_, chunks) = submit(&store, &request("one"), 5).await;
    let windows = [
        (
            january(1, 4),
            "ES.c.0 continuous 118 2024-01-01..2024-01-04",
        ),
        (
            january(8, 10),
            "ES.c.0 continuous 118 2024-01-01..2024-01-04; ES.c.0 continuous 118 2024-01-08..2024-01-10",
        ),
        // Touches the first, overlaps the second.
        (
            january(4, 9),
            "ES.c.0 continuous 118 2024-01-01..2024-01-10",
        ),
        (
            january(2, 3),
            "ES.c.0 continuous 118 2024-01-01..2024-01-10",
        ),
    ];
    for (chunk, (days, wanted)) in chunks.iter().zip(windows) {
        let claim = claim(&store, *chunk).await;
        let meaning = resolution("ES.c.0", ES, days);
        store
            .settle_empty(&claim, &[], &meaning, NOW)
            .await
            .unwrap();
        assert_eq!(symbology(&sandbox).await, wanted);
    }
    let rolled = claim(&store, chunks[4]).await;
    let meaning = resolution("ES.c.0", CL, january(10, 12));
    store
        .settle_empty(&rolled, &[], &meaning, NOW)
        .await
        .unwrap();
    assert_eq!(
        symbology(&sandbox).await,
        "ES.c.0 continuous 118 2024-01-01..2024-01-10; ES.c.0 continuous 77 2024-01-10..2024-01-12"
    );
}

#[tokio::test]
async fn a_symbol_that_nobody_asked_for_is_a_raw_one() {
    let (sandbox, store) = sqlite().await;
    let claim = one_claim(&store).await;
    assert_eq!(claim.chunk.stype_in, SType::Continuous);
    let meaning = resolution("ESH4", ES, january(1, 2));
    store
        .settle_empty(&claim, &[], &meaning, after(1))
        .await
        .unwrap();
    assert_eq!(
        symbology(&sandbox).await,
        "ESH4 raw_symbol 118 2024-01-01..2024-01-02"
    );
}

#[tokio::test]
async fn a_settlement_after_the_claim_was_lost_leaves_no_symbology_either() {
    let (sandbox, store) = sqlite().await;
    let former = one_claim(&store).await;
    let holder = claim_at(&store, former.chunk.id, after(60)).await;
    load(&store, &holder.expect("the lease ran out"))
        .await
        .unwrap();
    let before = checksum::tables(&sandbox.database()).await;
    let meaning = resolution("CL.c.0", CL, january(1, 2));
    let late = store.settle_empty(&former, &[], &meaning, NOW).await;
    assert!(matches!(late, Err(StoreError::Fenced(_))), "{late:?}");
    assert_eq!(checksum::tables(&sandbox.database()).await, before);
}
