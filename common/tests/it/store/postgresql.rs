//! What `PostgreSQL` promises beyond the contract: many work at once, and by the server's clock.

use common::store::settle::PutOff;
use common::store::{Access, Due, Moment, Store, StoreError};
use common::time::Nanos;
use std::time::Duration;
use testkit::postgres::Postgres;

use super::ground::{
    ES, LEASE, NOW, claim, held, january, load, loaded, one_claim, postgresql, request, rows,
    slices, stored, submit, trades,
};

#[tokio::test]
async fn an_address_that_is_none_or_answers_nothing_is_told_without_its_password() {
    for url in [
        "postgres://me:secret@127.0.0.1:1/db",
        "postgres://me:secret@127.0.0.1:notaport/db",
    ] {
        let refused = Store::open(url, Access::Read).await.unwrap_err();
        let told = format!("{refused} {refused:?}");
        assert!(!told.contains("secret"), "{told}");
    }
}

#[tokio::test]
async fn a_database_without_our_tables_says_how_to_make_them() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let refused = Store::open(&server.url(), Access::Work).await.unwrap_err();
    assert!(matches!(refused, StoreError::Version(_)), "{refused:?}");
    assert!(
        refused.to_string().contains("scheduler migrate"),
        "{refused}"
    );
}

#[tokio::test]
async fn tables_are_made_from_several_places_at_once_and_again() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let url = server.url();
    let (one, two, three) = tokio::join!(
        Store::migrate(&url),
        Store::migrate(&url),
        Store::migrate(&url)
    );
    for migrated in [one, two, three, Store::migrate(&url).await] {
        migrated.unwrap();
    }
    Store::open(&url, Access::Work).await.unwrap();
}

#[tokio::test]
async fn a_lease_runs_by_the_servers_clock() {
    let Some((server, store)) = postgresql().await else {
        return;
    };
    let (job, chunks) = submit(&store, &request("one"), 1).await;
    let claimed = store.claim(chunks[0], "a worker", LEASE, Moment::Now).await;
    let claimed = claimed.unwrap().expect("it was due long ago");
    let left = server.psql("SELECT (lease_until - backhaul_now()) / 1000000000 FROM chunks");
    let left: i64 = left.trim().parse().unwrap();
    assert!((0..=60).contains(&left), "{left}");
    let again = store.claim(chunks[0], "a worker", LEASE, Moment::Now).await;
    assert!(again.unwrap().is_none(), "its lease holds");
    let _ = server.psql("UPDATE chunks SET lease_until = backhaul_now()");
    assert_eq!(store.due(job, 9, Moment::Now).await.unwrap(), chunks);
    assert!(
        store.renew(&claimed, LEASE, Moment::Now).await.unwrap(),
        "nobody has taken it yet"
    );
    let why = PutOff::Failed("it broke".into());
    let later = Due::After(Duration::from_secs(3_600));
    store
        .put_off(&claimed, &why, later, Moment::Now)
        .await
        .unwrap();
    let wait = server.psql("SELECT (due_at - backhaul_now()) / 1000000000 FROM chunks");
    let wait: i64 = wait.trim().parse().unwrap();
    assert!((3_000..=3_600).contains(&wait), "{wait}");
}

#[tokio::test]
async fn what_is_settled_is_so_by_the_servers_clock_whatever_the_workers_says() {
    let Some((server, store)) = postgresql().await else {
        return;
    };
    let (_, chunks) = submit(&store, &request("one"), 4).await;
    // From now on the server is a day ahead of this process.
    let _ = server.psql(
        "CREATE OR REPLACE FUNCTION backhaul_now() RETURNS BIGINT LANGUAGE sql STABLE
         RETURN ((extract(epoch FROM clock_timestamp()) + 86400) * 1000000000)::bigint",
    );
    let claim = async |number: usize| {
        let claimed = store.claim(chunks[number], "a worker", LEASE, Moment::Now);
        claimed.await.unwrap().expect("it is due")
    };
    let done = claim(0).await;
    let mut load = store.begin_load(&done, &trades()).await.unwrap();
    let block = rows(ES, done.chunk.days.span().start, 3);
    load.insert(&block).await.unwrap();
    load.commit(&loaded(&done, 3), Moment::Now).await.unwrap();
    let nothing = common::vendor::Resolution::default();
    let empty = claim(1).await;
    let settled = store.settle_empty(&empty, &[], &nothing, Moment::Now);
    settled.await.unwrap();
    let dead = claim(2).await;
    store.give_up(&dead, "why", Moment::Now).await.unwrap();
    let gap = claim(3).await;
    store.call_off(&gap, "why", Moment::Now).await.unwrap();
    let apart = server.psql(
        "SELECT DISTINCT (backhaul_now() - updated_at) / 3600000000000 FROM chunks ORDER BY 1",
    );
    assert_eq!(
        apart.trim(),
        "0",
        "hours between the server's clock and theirs"
    );
}

#[tokio::test]
async fn a_holder_that_was_lost_counts_as_a_failure() {
    let Some((_server, store)) = postgresql().await else {
        return;
    };
    let first = one_claim(&store).await;
    assert_eq!(first.chunk.failures, 0);
    for (minutes, failures) in [(1, 1), (2, 2)] {
        let later = super::ground::after(60 * minutes);
        let next = super::ground::claim_at(&store, first.chunk.id, later).await;
        assert_eq!(next.expect("the lease ran out").chunk.failures, failures);
    }
}

#[tokio::test]
async fn of_two_loads_at_once_that_meet_the_later_one_is_told_and_loads_the_rest() {
    let Some((_server, store)) = postgresql().await else {
        return;
    };
    let (_, first) = submit(&store, &request("one"), 1).await;
    let (_, second) = submit(&store, &request("two"), 1).await;
    let (one, two) = (
        claim(&store, first[0]).await,
        claim(&store, second[0]).await,
    );
    let start = one.chunk.days.span().start;
    let mut loads = Vec::new();
    for claim in [&one, &two] {
        let mut load = store.begin_load(claim, &trades()).await.unwrap();
        assert_eq!(load.held_by_others().await.unwrap(), []);
        load.insert(&rows(ES, start, 3)).await.unwrap();
        loads.push(load);
    }
    let (later, earlier) = (loads.pop().unwrap(), loads.pop().unwrap());
    earlier.commit(&loaded(&one, 3), NOW).await.unwrap();
    let met = later.commit(&loaded(&two, 3), NOW).await;
    assert!(matches!(met, Err(StoreError::Contended)), "{met:?}");
    assert_eq!(stored(&store).await.len(), 3);

    let mut again = store.begin_load(&two, &trades()).await.unwrap();
    let others = again.held_by_others().await.unwrap();
    assert_eq!(others, [held(ES, one.chunk.days)]);
    let mut rest = loaded(&two, 0);
    (rest.fetched, rest.covered, rest.slices) = (3, 3, Vec::new());
    again.commit(&rest, NOW).await.unwrap();
    assert_eq!(stored(&store).await.len(), 3);
    assert_eq!(slices(&store).await.len(), 1);
}

#[tokio::test]
async fn every_instrument_and_one_of_them_settle_one_after_the_other() {
    let Some((_server, store)) = postgresql().await else {
        return;
    };
    let mut everything = request("everything");
    everything.symbols = common::request::Symbols::ALL;
    let mut planned = super::ground::planned(january(1, 2));
    planned.symbols = common::request::Symbols::ALL;
    let submitted = store
        .submit(&everything, super::ground::ORIGIN, &[planned], NOW)
        .await
        .unwrap();
    let due = store.due(submitted.job, 9, NOW).await.unwrap();
    let all = claim(&store, due[0]).await;
    let named = one_claim(&store).await;
    let start = all.chunk.days.span().start;
    let mut load_all = store.begin_load(&all, &trades()).await.unwrap();
    assert_eq!(load_all.held_by_others().await.unwrap(), []);
    load_all.insert(&rows(ES, start, 3)).await.unwrap();
    load(&store, &named).await.unwrap();
    let mut of_all = loaded(&all, 3);
    of_all.slices[0].held.instrument_id = None;
    let met = load_all.commit(&of_all, NOW).await;
    assert!(matches!(met, Err(StoreError::Contended)), "{met:?}");
    assert_eq!(stored(&store).await.len(), 3);
}

#[tokio::test]
async fn a_load_that_is_cut_leaves_nothing_and_the_next_one_loads_all() {
    let Some((mut server, store)) = postgresql().await else {
        return;
    };
    let claim = one_claim(&store).await;
    let start = claim.chunk.days.span().start;
    let mut cut = store.begin_load(&claim, &trades()).await.unwrap();
    cut.insert(&rows(ES, start, 2_000)).await.unwrap();
    server.kill();
    server.restart();
    let failed = cut.commit(&loaded(&claim, 2_000), NOW).await;
    assert!(failed.is_err(), "{failed:?}");
    // Connections of the old server are found dead one by one.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while let Err(error) = load(&store, &claim).await {
        assert!(tokio::time::Instant::now() < deadline, "{error:?}");
    }
    assert_eq!(stored(&store).await.len(), 3);
}

#[tokio::test]
async fn a_let_go_copy_gives_its_connection_up() {
    let Some((server, _)) = postgresql().await else {
        return;
    };
    let store = Store::open_with(&server.url(), Access::Work, 1).await;
    let store = store.unwrap().expect("a server is always there");
    let claim = one_claim(&store).await;
    let start: Nanos = claim.chunk.days.span().start;
    for _ in 0..3 {
        let mut load = store.begin_load(&claim, &trades()).await.unwrap();
        load.insert(&rows(ES, start, 500)).await.unwrap();
    }
    load(&store, &claim).await.unwrap();
    assert_eq!(stored(&store).await.len(), 3);
}

#[tokio::test]
async fn a_turn_is_taken_by_one_process_at_a_time_and_free_when_it_is_gone() {
    let Some((server, store)) = postgresql().await else {
        return;
    };
    let other = Store::open(&server.url(), Access::Work).await;
    let other = other.unwrap().expect("a server is always there");
    let mine = store.alone("tidying up").await.unwrap();
    assert!(mine.is_some());
    assert!(other.alone("tidying up").await.unwrap().is_none());
    assert!(other.alone("something else").await.unwrap().is_some());
    drop(mine);
    // The server notices the end of the connection a moment later.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while other.alone("tidying up").await.unwrap().is_none() {
        assert!(tokio::time::Instant::now() < deadline);
    }
}
