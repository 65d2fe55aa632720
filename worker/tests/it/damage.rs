//! Damage: an archived stream that was changed since is noticed, whatever it decodes to, and
//! fetched again.

use std::path::PathBuf;

use common::archive::StreamFacts;
use common::request::JobSource;
use common::time::Nanos;
use dbn::{SType, Schema, TradeMsg};
use testkit::engine::Engine;
use testkit::on_every_engine;
use worker::environment::Outcome;

use crate::dbn_stream::header;
use crate::installation::{Installation, january, outcomes, piece};

on_every_engine! {
    a_changed_object_is_fetched_again_whatever_it_decodes_to
    an_unchanged_object_is_not_fetched_again
}

/// One zstd frame that holds the bytes as they are, without a checksum.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    // The frame's header gives its size in four bytes; one block, the last one, stored.
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0b1010_0000];
    frame.extend(length.to_le_bytes());
    frame.extend(&((length << 3) | 1).to_le_bytes()[..3]);
    frame.extend(bytes);
    frame
}

type Change = fn(&mut TradeMsg);

fn object(installation: &Installation, key: &str) -> PathBuf {
    installation.sandbox.path().join("archive").join(key)
}

/// A chunk whose archived stream holds two trades of the instrument, one of which is changed
/// afterwards; and what became of it.
async fn changed_since(
    engine: &Engine,
    change: impl FnOnce(&mut TradeMsg),
) -> (Installation, Vec<Outcome>) {
    let mut installation = Installation::synthetic(engine).await;
    let pieces = [piece(Schema::Trades, &["ES.c.0"], january(4, 5))];
    let job = installation.submit("job", SType::Continuous, &pieces).await;
    let request = installation.claim(job).await.chunk.range_request();
    let sql = "UPDATE chunks SET state = 'pending'";
    installation.execute(sql).await;
    let days = january(4, 5);
    let sources = &installation.environment.sources;
    let vendor = sources.of(&JobSource::Vendor).await.unwrap();
    let symbols = ["ES.c.0".to_owned()];
    let resolved = vendor
        .resolve("GLBX.MDP3", SType::Continuous, &symbols, days)
        .await;
    let id = resolved.unwrap().windows["ES.c.0"][0].instrument_id;
    let mut trade = crate::dbn_stream::trade(1);
    trade.hd.instrument_id = id;
    let stream = |trades: [&TradeMsg; 2]| {
        let mut bytes = header(Schema::Trades, 3);
        for trade in trades {
            bytes.extend_from_slice(trade.as_ref());
        }
        stored(&bytes)
    };
    let objects = installation.environment.archive.objects();
    let name = objects.stream(&request, 1);
    let mut partial = objects.partial(&name).unwrap();
    let mut part = objects.begin(&name, &partial, "part").unwrap();
    part.write(&stream([&trade, &trade])).unwrap();
    let at = Nanos(i64::try_from(trade.ts_recv).unwrap());
    let facts = StreamFacts {
        records: 2,
        billable_bytes: 96,
        index_times: Some((at, at)),
    };
    partial.parts.push(part.keep(facts, 0).unwrap());
    let manifest = objects.finish(&name, partial, at).unwrap();
    let mut changed = trade.clone();
    change(&mut changed);
    std::fs::write(
        object(&installation, &manifest.key),
        stream([&trade, &changed]),
    )
    .unwrap();
    let told = installation.work_off(job).await;
    let outcomes = outcomes(&told).into_iter().cloned().collect();
    (installation, outcomes)
}

async fn a_changed_object_is_fetched_again_whatever_it_decodes_to(engine: &Engine) {
    let undisturbed = {
        let mut installation = Installation::synthetic(engine).await;
        let pieces = [piece(Schema::Trades, &["ES.c.0"], january(4, 5))];
        let job = installation.submit("job", SType::Continuous, &pieces).await;
        installation.work_off(job).await;
        installation.tables().await
    };
    let changes: [(&str, Change); 4] = [
        ("another price", |trade| trade.price += 1),
        ("another instrument", |trade| trade.hd.instrument_id += 1),
        ("a time that fits no column", |trade| {
            trade.hd.ts_event = u64::MAX - 1
        }),
        ("another type", |trade| trade.hd.rtype = 1),
    ];
    for (what, change) in changes {
        let (installation, outcomes) = changed_since(engine, change).await;
        let [
            Outcome::Retry { error },
            Outcome::Done {
                from_archive: false,
                ..
            },
        ] = &outcomes[..]
        else {
            panic!("{what}: {outcomes:?}");
        };
        assert!(
            error.starts_with("the archived stream is damaged"),
            "{what}: {error}"
        );
        assert_eq!(installation.data_requests().len(), 1, "{what}");
        assert_eq!(installation.tables().await, undisturbed, "{what}");
    }
}

async fn an_unchanged_object_is_not_fetched_again(engine: &Engine) {
    let (installation, outcomes) = changed_since(engine, |_| {}).await;
    let done = Outcome::Done {
        records: 2,
        from_archive: true,
    };
    assert_eq!(outcomes, [done]);
    assert_eq!(installation.data_requests().len(), 0);
}
