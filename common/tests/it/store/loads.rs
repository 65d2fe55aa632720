//! Loads: everything of a chunk at once, or nothing of it.

use common::store::rows::{ColumnValues, NULL};
use common::store::{Loaded, Store, StoreError};
use common::time::Nanos;

use super::ground::{
    ES, NOW, claim, claim_at, held, january, load, loaded, one_claim, picture, quarantined,
    request, rows, slices, stored, submit, trades,
};

on_every_engine! {
    a_committed_load_is_there_whole
    nothing_of_an_open_load_is_seen
    a_load_that_is_dropped_leaves_nothing
    a_load_whose_counts_do_not_add_up_is_refused_and_leaves_nothing
    records_that_others_hold_or_rules_hold_back_add_up
    identical_records_are_all_kept
    rows_beyond_one_statement_arrive_in_order
    values_arrive_as_they_are_and_undefined_ones_as_null
    an_empty_load_is_done
    a_job_is_complete_when_all_its_chunks_are
}

async fn a_committed_load_is_there_whole(store: &Store) {
    let claim = one_claim(store).await;
    load(store, &claim).await.unwrap();
    assert_eq!(stored(store).await.len(), 3);
    let days = claim.chunk.days;
    assert_eq!(slices(store).await, [(held(ES, days), claim.chunk.id)]);
    let status = store.job(claim.chunk.job).await.unwrap().unwrap();
    assert_eq!((status.chunks.done, status.state), (1, "done"));
    assert_eq!((status.records.fetched, status.records.loaded), (3, 3));
    assert!(status.complete);
    assert!(
        stored(store).await.iter().all(|row| row[0] == "ES.c.0"),
        "symbology"
    );
}

async fn nothing_of_an_open_load_is_seen(store: &Store) {
    let claim = one_claim(store).await;
    let before = picture(store).await;
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    load.insert(&rows(ES, NOW, 100)).await.unwrap();
    assert_eq!(picture(store).await, before);
    load.commit(&loaded(&claim, 100), NOW).await.unwrap();
    assert_eq!(stored(store).await.len(), 100);
}

async fn a_load_that_is_dropped_leaves_nothing(store: &Store) {
    let claim = one_claim(store).await;
    let before = picture(store).await;
    let mut dropped = store.begin_load(&claim, &trades()).await.unwrap();
    dropped.insert(&rows(ES, NOW, 100)).await.unwrap();
    drop(dropped);
    assert_eq!(picture(store).await, before);

    load(store, &claim)
        .await
        .expect("the claim is as good as before");

    assert_eq!(stored(store).await.len(), 3);
}

async fn a_load_whose_counts_do_not_add_up_is_refused_and_leaves_nothing(store: &Store) {
    let claim = one_claim(store).await;
    let before = picture(store).await;
    let wrong = |fetched, loaded, quarantined, covered| Loaded {
        fetched,
        loaded,
        quarantined,
        covered,
        slices: vec![held(ES, claim.chunk.days).into()],
        ..Loaded::default()
    };
    let cases = [
        wrong(4, 3, 0, 0),
        wrong(2, 3, 0, 0),
        wrong(3, 3, 1, 0),
        wrong(3, 3, 0, 1),
        // The rest adds up, and the rows that were inserted say otherwise.
        wrong(4, 4, 0, 0),
        wrong(2, 2, 0, 0),
        wrong(0, 0, 0, 0),
        wrong(3, 2, 1, 0),
    ];
    for case in cases {
        let mut load = store.begin_load(&claim, &trades()).await.unwrap();
        load.insert(&rows(ES, NOW, 3)).await.unwrap();
        let refused = load.commit(&case, NOW).await;
        assert!(matches!(refused, Err(StoreError::Accounts(_))), "{case:?}");
        assert_eq!(picture(store).await, before, "{case:?}");
    }
}

async fn records_that_others_hold_or_rules_hold_back_add_up(store: &Store) {
    let claim = one_claim(store).await;
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    load.insert(&rows(ES, NOW, 3)).await.unwrap();
    load.quarantine(&quarantined(2), NOW).await.unwrap();
    let counts = Loaded {
        fetched: 10,
        quarantined: 2,
        covered: 5,
        filtered: 40,
        ..loaded(&claim, 3)
    };
    load.commit(&counts, NOW).await.unwrap();
    let records = store.job(claim.chunk.job).await.unwrap().unwrap().records;
    assert_eq!(
        (records.expected, records.fetched, records.loaded),
        (10, 10, 3)
    );
    assert_eq!((records.quarantined, records.covered), (2, 5));
    assert!(records.add_up());
}

async fn identical_records_are_all_kept(store: &Store) {
    let claim = one_claim(store).await;
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    for number in 0..4 {
        let mut record = rows(ES, NOW, 1);
        record.record_numbers = vec![number];
        load.insert(&record).await.unwrap();
    }
    load.commit(&loaded(&claim, 4), NOW).await.unwrap();
    let rows = stored(store).await;
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| *row == rows[0]), "{rows:?}");
}

async fn rows_beyond_one_statement_arrive_in_order(store: &Store) {
    let claim = one_claim(store).await;
    let start = claim.chunk.days.span().start;
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    let mut next = start;
    // Around the sizes of a statement: 512, 64, 8 and 1 rows.
    for count in [1, 511, 512, 513, 0, 1_100, 63, 9] {
        load.insert(&rows(ES, next, count)).await.unwrap();
        next = Nanos(next.0 + i64::from(count));
    }
    let all = u64::try_from(next.0 - start.0).unwrap();
    load.commit(&loaded(&claim, all), NOW).await.unwrap();
    let times: Vec<_> = stored(store)
        .await
        .into_iter()
        .map(|row| row[1].clone())
        .collect();
    let wanted: Vec<_> = (start.0..next.0)
        .map(|time| Nanos(time).to_string())
        .collect();
    assert_eq!(times, wanted);
}

async fn values_arrive_as_they_are_and_undefined_ones_as_null(store: &Store) {
    let claim = one_claim(store).await;
    let mut block = rows(ES, Nanos(1_704_448_800_123_456_789), 4);
    let names: Vec<_> = trades()
        .columns
        .into_iter()
        .map(|column| column.name)
        .collect();
    let mut set = |name: &str, values| {
        let index = names
            .iter()
            .position(|known| known == name)
            .expect("a column");
        block.columns[index] = values;
    };
    set(
        "price",
        ColumnValues::Integers(vec![NULL, -1, i64::MAX - 1, -i64::MAX]),
    );
    set(
        "size",
        ColumnValues::Integers(vec![0, NULL, 4_294_967_294, 1]),
    );
    set("side", ColumnValues::Chars(vec![b'A', b'N', 0, b'~']));
    set("action", ColumnValues::SameText("T".into()));
    set("publisher_id", ColumnValues::SameInteger(1));
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    load.insert(&block).await.unwrap();
    load.commit(&loaded(&claim, 4), NOW).await.unwrap();
    let table = stored(store).await;
    let column = |index: usize| {
        table
            .iter()
            .map(|row| row[index].as_str())
            .collect::<Vec<_>>()
    };
    let prices = [
        "",
        "-0.000000001",
        "9223372036.854775806",
        "-9223372036.854775807",
    ];
    assert_eq!(table[0][1], "2024-01-05T10:00:00.123456789Z");
    assert_eq!(column(2), ["1"; 4]);
    assert_eq!(column(3), [""; 4]);
    assert_eq!(column(4), prices);
    assert_eq!(column(5), ["0", "", "4294967294", "1"]);
    assert_eq!(column(6), ["T"; 4]);
    assert_eq!(column(7), ["A", "N", "", "~"]);
}

async fn an_empty_load_is_done(store: &Store) {
    let claim = one_claim(store).await;
    let load = store.begin_load(&claim, &trades()).await.unwrap();
    load.commit(&loaded(&claim, 0), NOW).await.unwrap();
    assert!(store.job(claim.chunk.job).await.unwrap().unwrap().complete);
}

async fn a_job_is_complete_when_all_its_chunks_are(store: &Store) {
    let (job, chunks) = submit(store, &request("one"), 3).await;
    let state = async || {
        let status = store.job(job).await.unwrap().unwrap();
        (status.state, status.complete)
    };
    assert_eq!(state().await, ("pending", false));
    let first = claim(store, chunks[0]).await;
    assert_eq!(state().await, ("running", false));
    load(store, &first).await.unwrap();
    let second = claim(store, chunks[1]).await;
    let slices = [held(ES, january(2, 3))];
    store
        .settle_empty(&second, &slices, &Default::default(), NOW)
        .await
        .unwrap();
    let third = claim(store, chunks[2]).await;
    store.give_up(&third, "it failed", NOW).await.unwrap();
    assert_eq!(state().await, ("incomplete", false));
    let again = store
        .submit(&request("one"), "the vendor", &[], NOW)
        .await
        .unwrap();
    assert_eq!(again.revived, 1);
    let third = claim_at(store, chunks[2], NOW)
        .await
        .expect("it was revived");
    load(store, &third).await.unwrap();
    assert_eq!(state().await, ("done", true));
}
