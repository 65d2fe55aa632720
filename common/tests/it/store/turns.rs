//! Turns: of claims that need the same stream one fetches it, for as long as its claim holds.

use common::store::Store;
use common::store::settle::PutOff;

use super::ground::{LEASE, NOW, after, claim, claim_at, request, submit};

const STREAM: &str = "GLBX.MDP3/definition/2024-01-04_2024-01-05/1.dbn.zst";

on_every_engine! {
    one_claim_has_the_turn_and_may_take_it_again
    of_many_who_take_the_turn_at_once_one_has_it
    a_turn_is_over_when_its_chunk_is_put_off
    a_turn_is_over_when_its_lease_ran_out
}

async fn one_claim_has_the_turn_and_may_take_it_again(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 2).await;
    let (first, second) = (claim(store, chunks[0]).await, claim(store, chunks[1]).await);
    assert!(store.take_turn(&first, STREAM, NOW).await.unwrap());
    assert!(!store.take_turn(&second, STREAM, NOW).await.unwrap());
    assert!(store.take_turn(&second, "another", NOW).await.unwrap());
    assert!(store.take_turn(&first, STREAM, NOW).await.unwrap());
}

async fn of_many_who_take_the_turn_at_once_one_has_it(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 12).await;
    let mut claims = Vec::new();
    for chunk in chunks {
        claims.push(claim(store, chunk).await);
    }
    // Left behind by a claim that no longer holds: all of them may take it over.
    let gone = &claims[0];
    assert!(store.take_turn(gone, STREAM, NOW).await.unwrap());
    let why = PutOff::HandedBack("stopped".into());
    store.put_off(gone, &why, after(30), NOW).await.unwrap();
    let turns = claims[1..]
        .iter()
        .map(|claim| store.take_turn(claim, STREAM, NOW));
    let taken = futures::future::join_all(turns).await;
    let taken = taken.into_iter().filter(|taken| *taken.as_ref().unwrap());
    assert_eq!(taken.count(), 1);
}

async fn a_turn_is_over_when_its_chunk_is_put_off(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 2).await;
    let (first, second) = (claim(store, chunks[0]).await, claim(store, chunks[1]).await);
    assert!(store.take_turn(&first, STREAM, NOW).await.unwrap());
    let why = PutOff::Failed("it broke".into());
    store.put_off(&first, &why, NOW, NOW).await.unwrap();
    assert!(store.take_turn(&second, STREAM, NOW).await.unwrap());
    let again = claim_at(store, chunks[0], NOW).await.unwrap();
    assert!(!store.take_turn(&again, STREAM, NOW).await.unwrap());
}

async fn a_turn_is_over_when_its_lease_ran_out(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 2).await;
    let (first, second) = (claim(store, chunks[0]).await, claim(store, chunks[1]).await);
    assert!(store.take_turn(&first, STREAM, NOW).await.unwrap());
    let lease = u32::try_from(LEASE.as_secs()).unwrap();
    let before = after(lease - 1);
    assert!(!store.take_turn(&second, STREAM, before).await.unwrap());
    assert!(
        store
            .take_turn(&second, STREAM, after(lease))
            .await
            .unwrap()
    );
}
