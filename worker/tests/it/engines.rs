//! Both engines: the same job comes out the same, to the last digit of every view.

use std::collections::BTreeMap;

use dbn::{SType, Schema};
use testkit::engine::Engine;

use crate::installation::{Installation, Piece, january, piece};

/// The schemas of which there is synthetic history.
const SCHEMAS: [Schema; 11] = [
    Schema::Mbp1,
    Schema::Tbbo,
    Schema::Trades,
    Schema::Ohlcv1S,
    Schema::Ohlcv1M,
    Schema::Ohlcv1H,
    Schema::Ohlcv1D,
    Schema::OhlcvEod,
    Schema::Definition,
    Schema::Statistics,
    Schema::Status,
];

/// Tables that are compared besides the views, and what depends on the hour in each.
const TABLES: [(&str, &[&str]); 9] = [
    ("coverage", &[]),
    ("symbology", &[]),
    ("rule_failures", &[]),
    ("quarantine", &["quarantined_at"]),
    ("jobs", &["created_at"]),
    ("chunks", &["due_at", "updated_at"]),
    ("spend", &["reserved_at", "settled_at"]),
    ("spend_totals", &["month"]),
    ("archive_objects", &["fetched_at"]),
];

/// Every schema; and trades of all symbols, of which the named ones are held already.
fn pieces() -> Vec<Piece> {
    let days = january(4, 6);
    let mut pieces: Vec<_> = SCHEMAS
        .into_iter()
        .map(|schema| piece(schema, &["ES.c.0", "CL.c.0"], days))
        .collect();
    // Asked for in the middle, and then once more around it.
    pieces.push(piece(Schema::Trades, &["ES.c.0", "NQ.c.0"], january(3, 8)));
    // A day without a session.
    pieces.push(piece(Schema::Trades, &["ES.c.0"], january(13, 14)));
    pieces
}

/// Holds some back, tells of others.
fn stricter(text: String) -> String {
    let text = text.replace("check: size > 0", "check: size > 1");
    format!("{text}  - name: size_unusual\n    check: size < 8\n    severity: info\n")
}

/// What an installation on this engine holds in the end.
async fn held_on(engine: &Engine) -> BTreeMap<String, Vec<String>> {
    let mut installation = Installation::with(engine, |settings| {
        // One chunk after the other: who comes first holds what both ask for.
        settings.workers = 1;
        settings.max_quarantine_percent = "100".parse().unwrap();
    })
    .await;
    installation.use_mapping(Schema::Trades, stricter);
    let job = installation
        .submit("job", SType::Continuous, &pieces())
        .await;
    let told = installation.work_off(job).await;
    let finished = installation.chunks("done").await + installation.chunks("empty").await;
    assert_eq!(finished, 13, "{told:?}");
    let database = &installation.database;
    let mut held = BTreeMap::new();
    for view in database.views().await {
        let rows = database.rows(&view, &[]).await;
        held.insert(view, rows);
    }
    for (table, without) in TABLES {
        let rows = database.rows(table, without).await;
        held.insert(table.to_owned(), rows);
    }
    held
}

#[tokio::test]
async fn every_view_and_every_table_of_control_is_the_same_on_both() {
    let Some(postgresql) = Engine::postgresql() else {
        return;
    };
    let expected = held_on(&Engine::Sqlite).await;
    let found = held_on(&postgresql).await;
    let names = |held: &BTreeMap<String, Vec<String>>| held.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    for (name, rows) in &expected {
        let differing = rows
            .iter()
            .zip(&found[name])
            .find(|(ours, theirs)| ours != theirs);
        assert_eq!(differing, None, "{name}");
        assert_eq!(found[name].len(), rows.len(), "{name}");
    }
    let filled = expected.iter().filter(|(_, rows)| rows.len() > 1);
    let filled: Vec<_> = filled.map(|(name, _)| name.as_str()).collect();
    for name in [
        "trades",
        "tbbo",
        "mbp_1",
        "ohlcv",
        "definitions",
        "statistics",
        "status",
    ] {
        assert!(filled.contains(&name), "{name} holds nothing: {filled:?}");
    }
    for (name, _) in TABLES {
        assert!(filled.contains(&name), "{name} holds nothing: {filled:?}");
    }
}
