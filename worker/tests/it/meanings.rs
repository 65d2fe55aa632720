//! What symbols mean is asked for a month at once, and what others hold is still not fetched again.

use dbn::{SType, Schema};
use testkit::engine::Engine;

use crate::installation::{DATASET, Installation, Piece, january, piece};

const DAYS: std::ops::Range<u32> = 8..12;

#[tokio::test]
async fn chunks_of_days_that_others_hold_in_part_ask_once_what_their_symbols_mean() {
    let mut installation =
        Installation::with(&Engine::Sqlite, |settings| settings.workers = 1).await;
    load_days(&mut installation, "ES.c.0").await;
    let before = questions(&installation);
    load_days(&mut installation, "CL.c.0").await;
    assert_eq!(questions(&installation) - before, 1);
    assert_eq!(installation.chunks("done").await, 8);
}

#[tokio::test]
async fn a_chunk_that_others_hold_whole_is_not_fetched_whatever_weeks_say() {
    let mut installation =
        Installation::with(&Engine::Sqlite, |settings| settings.workers = 1).await;
    load_days(&mut installation, "ES.c.0").await;
    let fetched = installation.data_requests().len();
    let store = &installation.environment.store;
    let days = january(DAYS.start, DAYS.end).span();
    let held = store.held(DATASET, Schema::Trades, days).await.unwrap();
    // The same contract by another name.
    let instrument = held[0].0.instrument_id.unwrap().to_string();
    let pieces: Vec<_> = DAYS.map(|first| one_day(&instrument, first)).collect();
    let job = installation
        .submit("again", SType::InstrumentId, &pieces)
        .await;
    installation.work_off(job).await;
    assert_eq!(installation.data_requests().len(), fetched);
    assert_eq!(installation.chunks("done").await, 8);
}

/// A chunk for each of some days.
async fn load_days(installation: &mut Installation, symbol: &str) {
    let pieces: Vec<_> = DAYS.map(|first| one_day(symbol, first)).collect();
    let job = installation
        .submit(symbol, SType::Continuous, &pieces)
        .await;
    installation.work_off(job).await;
}

fn one_day(symbol: &str, first: u32) -> Piece {
    piece(Schema::Trades, &[symbol], january(first, first + 1))
}

/// How often the vendor was asked what symbols mean.
fn questions(installation: &Installation) -> usize {
    let requests = installation.simulator.requests();
    requests
        .iter()
        .filter(|request| request.path.ends_with("symbology.resolve"))
        .count()
}
