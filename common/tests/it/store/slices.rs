//! Slices: each instrument's time is held by one chunk, whoever asks for it.

use common::chunk::ChunkId;
use common::store::coverage::own_slices;
use common::store::replay::ReplayScope;
use common::store::{Held, Loaded, RecordedDays, Slice, Store, StoreError};
use common::time::{Nanos, Span};
use dbn::Schema;
use proptest::prelude::*;

use super::ground::{
    CL, ES, NOW, block_on, claim, few_cases, held, january, load, loaded, picture, request,
    resolution, rows, slices as all_slices, sqlite, stored, submit, trades,
};

on_every_engine! {
    a_slice_that_another_chunk_holds_is_refused_and_leaves_nothing
    a_chunk_sees_what_others_hold_and_takes_the_rest
    an_empty_chunk_holds_its_slices
    the_days_of_a_slice_come_with_the_load_and_a_replay_notes_them_anew
    an_empty_chunk_holds_what_others_leave
    an_empty_chunk_holds_an_instrument_of_two_symbols_once
    the_same_time_in_another_dataset_is_free
}

async fn a_slice_that_another_chunk_holds_is_refused_and_leaves_nothing(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 2).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let second = claim(store, chunks[1]).await;
    let before = picture(store).await;
    let mut refused = store.begin_load(&second, &trades()).await.unwrap();
    refused.insert(&rows(ES, NOW, 3)).await.unwrap();
    let greedy = Loaded {
        slices: vec![
            held(CL, january(1, 31)).into(),
            held(ES, january(1, 3)).into(),
        ],
        ..loaded(&second, 3)
    };
    let answer = refused.commit(&greedy, NOW).await;
    assert!(matches!(answer, Err(StoreError::Database(_))), "{answer:?}");
    assert_eq!(picture(store).await, before);
}

async fn a_chunk_sees_what_others_hold_and_takes_the_rest(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 1).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let mut longer = request("two");
    longer.days = january(1, 4);
    let plan = [super::ground::planned(january(1, 4))];
    let job = store
        .submit(&longer, "the vendor", &plan, NOW)
        .await
        .unwrap()
        .job;
    let due = store.due(job, 9, NOW).await.unwrap();
    let second = claim(store, due[0]).await;

    let mut rest = store.begin_load(&second, &trades()).await.unwrap();
    let others = rest.held_by_others().await.unwrap();
    assert_eq!(others, [held(ES, january(1, 2))]);
    let asked = [held(CL, january(1, 4)), held(ES, january(1, 4))];
    let own = own_slices(&asked, &others);
    let counts = Loaded {
        slices: own.into_iter().map(Into::into).collect(),
        ..loaded(&second, 0)
    };
    rest.commit(&counts, NOW).await.unwrap();

    let wanted = [
        (held(CL, january(1, 4)), due[0]),
        (held(ES, january(1, 2)), chunks[0]),
        (held(ES, january(2, 4)), due[0]),
    ];
    assert_eq!(all_slices(store).await, wanted);
}

async fn an_empty_chunk_holds_its_slices(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 1).await;
    let empty = claim(store, chunks[0]).await;
    let slice = held(ES, january(1, 2));
    let meaning = resolution("ES.c.0", ES, january(1, 2));
    store
        .settle_empty(&empty, &[slice], &meaning, NOW)
        .await
        .unwrap();
    assert_eq!(all_slices(store).await, [(slice, chunks[0])]);
    assert_eq!(days_told(store).await, [Some("-".to_owned())]);
    assert_eq!(stored(store).await.len(), 0);
}

/// What the store tells of the days of all slices, a text for each.
async fn days_told(store: &Store) -> Vec<Option<String>> {
    let within = january(1, 31).span();
    let told = store.slices("GLBX.MDP3", Schema::Trades, within);
    let told = told.await.unwrap().into_iter();
    told.map(|(slice, _)| slice.days.map(|days| days.to_text()))
        .collect()
}

async fn the_days_of_a_slice_come_with_the_load_and_a_replay_notes_them_anew(store: &Store) {
    let mut request = request("one");
    request.days = january(1, 6);
    let plan = [super::ground::planned(january(1, 6))];
    let submitted = store.submit(&request, "the vendor", &plan, NOW).await;
    let job = submitted.unwrap().job;
    let due = store.due(job, 9, NOW).await.unwrap();
    let claim = claim(store, due[0]).await;
    let slice = |id, days: common::time::DayRange, marked: &[u32]| {
        let held = held(id, days);
        let mut recorded = RecordedDays::none(held.span);
        for day in marked {
            recorded.mark(january(*day, day + 1).span().start);
        }
        let days = Some(recorded);
        Slice { held, days }
    };
    let mut load = store.begin_load(&claim, &trades()).await.unwrap();
    load.insert(&rows(ES, january(2, 3).span().start, 3))
        .await
        .unwrap();
    let mut counts = loaded(&claim, 3);
    // The last is of an earlier version.
    counts.slices = vec![
        slice(ES, january(1, 6), &[2, 5]),
        held(CL, january(1, 3)).into(),
        slice(CL, january(3, 6), &[]),
    ];
    load.commit(&counts, NOW).await.unwrap();
    let mut told = days_told(store).await;
    told.sort_unstable();
    let texts = [None, Some("-+--+".to_owned()), Some("---".to_owned())];
    assert_eq!(told, texts);

    let replayable = store.replayable(job, ReplayScope::All, ChunkId(0), 9).await;
    let chunk = replayable.unwrap().pop().unwrap();
    let before = all_slices(store).await;
    let mut replay = store.begin_replay(&chunk, &trades()).await.unwrap();
    replay
        .insert(&rows(ES, january(2, 3).span().start, 3))
        .await
        .unwrap();
    counts.slices = vec![
        slice(CL, january(1, 3), &[1]),
        slice(CL, january(3, 6), &[5]),
        slice(ES, january(1, 6), &[2]),
    ];
    replay.commit(&counts, NOW).await.unwrap();
    let mut told = days_told(store).await;
    told.sort_unstable();
    let texts = ["+-", "-+---", "--+"].map(|text| Some(text.to_owned()));
    assert_eq!(told, texts);
    assert_eq!(all_slices(store).await, before);
}

async fn an_empty_chunk_holds_what_others_leave(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 1).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let plan = [super::ground::planned(january(1, 3))];
    let job = store
        .submit(&request("two"), "the vendor", &plan, NOW)
        .await
        .unwrap()
        .job;
    let due = store.due(job, 9, NOW).await.unwrap();
    let empty = claim(store, due[0]).await;
    let asked = [held(ES, january(1, 3))];
    let settled = store
        .settle_empty(&empty, &asked, &Default::default(), NOW)
        .await;
    settled.expect("what others hold is no hindrance");
    let wanted = [
        (held(ES, january(1, 2)), chunks[0]),
        (held(ES, january(2, 3)), due[0]),
    ];
    assert_eq!(all_slices(store).await, wanted);
}

async fn an_empty_chunk_holds_an_instrument_of_two_symbols_once(store: &Store) {
    let plan = [super::ground::planned(january(1, 9))];
    let job = store
        .submit(&request("one"), "the vendor", &plan, NOW)
        .await
        .unwrap()
        .job;
    let due = store.due(job, 9, NOW).await.unwrap();
    let empty = claim(store, due[0]).await;
    // ES.c.0 and ES.v.0 mean the same contract for some of the days.
    let asked = [held(ES, january(1, 6)), held(ES, january(4, 9))];
    let settled = store
        .settle_empty(&empty, &asked, &Default::default(), NOW)
        .await;
    settled.expect("it is one instrument");
    let wanted = [
        (held(ES, january(1, 6)), due[0]),
        (held(ES, january(6, 9)), due[0]),
    ];
    assert_eq!(all_slices(store).await, wanted);
}

async fn the_same_time_in_another_dataset_is_free(store: &Store) {
    let (_, chunks) = submit(store, &request("one"), 1).await;
    load(store, &claim(store, chunks[0]).await).await.unwrap();
    let mut elsewhere = request("two");
    elsewhere.dataset = "XNAS.ITCH".to_owned();
    let (_, others) = submit(store, &elsewhere, 1).await;
    load(store, &claim(store, others[0]).await).await.unwrap();
    assert_eq!(all_slices(store).await.len(), 1);
    assert_eq!(stored(store).await.len(), 6);
}

prop_compose! {
    fn small_slice()(
        instrument_id in prop_oneof![Just(None), Just(Some(1)), Just(Some(2))],
        start in 0_i64..24,
        length in 1_i64..9,
    ) -> Held {
        let span = Span { start: Nanos(start), end: Nanos(start + length) };
        Held { instrument_id, span }
    }
}

fn small_slices(most: usize) -> impl Strategy<Value = Vec<Held>> {
    prop::collection::vec(small_slice(), 0..most)
}

fn holds(slices: &[Held], instrument_id: Option<u32>, instant: Nanos) -> usize {
    let of_instrument = slices
        .iter()
        .filter(|slice| slice.instrument_id == instrument_id);
    of_instrument
        .filter(|slice| slice.span.contains(instant))
        .count()
}

proptest! {
    #![proptest_config(few_cases(256))]

    #[test]
    fn own_slices_are_what_was_asked_for_and_nobody_else_holds(
        asked in small_slices(6),
        others in small_slices(6),
    ) {
        let own = own_slices(&asked, &others);
        for instrument_id in [None, Some(1), Some(2)] {
            for instant in (-1..40).map(Nanos) {
                let free = holds(&others, instrument_id, instant) == 0
                    && holds(&others, None, instant) == 0;
                // One slice that stands for all is held beside those of single instruments: its
                // records are told apart one by one.
                let free = match instrument_id {
                    None => holds(&others, None, instant) == 0,
                    Some(_) => free,
                };
                let wanted = holds(&asked, instrument_id, instant) > 0 && free;
                let found = holds(&own, instrument_id, instant);
                prop_assert_eq!(found, usize::from(wanted), "{:?} at {}", instrument_id, instant.0);
            }
        }
    }
}

proptest! {
    #![proptest_config(few_cases(12))]

    #[test]
    fn whatever_a_program_commits_no_two_slices_of_an_instrument_overlap(
        commits in prop::collection::vec(small_slices(4), 1..12),
    ) {
        block_on(async {
            let (_sandbox, store) = sqlite().await;
            let count = u32::try_from(commits.len()).expect("a few");
            let (_, chunks) = submit(&store, &request("one"), count).await;
            let mut model: Vec<(Held, ChunkId)> = Vec::new();
            for (chunk, slices) in chunks.iter().zip(commits) {
                let claim = claim(&store, *chunk).await;
                let load = store.begin_load(&claim, &trades()).await.expect("it is claimed");
                let counts = Loaded { slices: slices.iter().map(|slice| (*slice).into()).collect(), ..loaded(&claim, 0) };
                let committed = load.commit(&counts, NOW).await;
                let mut with_these = model.clone();
                let free = slices.iter().all(|slice| {
                    let overlaps = with_these.iter().any(|(held, _)| {
                        held.instrument_id == slice.instrument_id
                            && held.span.intersection(slice.span).is_some()
                    });
                    with_these.push((*slice, *chunk));
                    !overlaps
                });
                prop_assert_eq!(committed.is_ok(), free, "{:?}", slices);
                if free {
                    model = with_these;
                }
            }
            model.sort_by_key(|(slice, _)| (slice.instrument_id, slice.span));
            prop_assert_eq!(all_slices(&store).await, model);
            Ok(())
        })?;
    }
}
