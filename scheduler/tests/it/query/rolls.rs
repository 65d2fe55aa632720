//! Symbols mean what they meant at the time.

use std::collections::BTreeSet;

use testkit::engine::Engine;

use super::expected::{self, assert_are};
use super::{Cells, column, rows};
use crate::installation::Installation;

/// CL rolls from CLG4 to CLH4 within these days; ES stays ESH4.
pub const JOB: &str = "
name: journey
dataset: GLBX.MDP3
schemas: [trades, ohlcv-1d, definition, statistics]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-15
end: 2024-01-25
chunking: {days: 4}
";

/// The rows without the symbol that they were asked for by.
fn nameless(mut rows: Vec<Cells>) -> Vec<Cells> {
    for row in &mut rows {
        row.remove("symbol");
    }
    rows
}

async fn a_continuous_symbol_follows_its_rolls(engine: &Engine) {
    let installation = Installation::synthetic_on(engine).await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let archived = expected::archived(&installation.sandbox.path().join("archive"));
    let trades = &archived[&dbn::Schema::Trades];
    let both = rows(
        &installation,
        &["--schema", "trades", "-s", "ES.c.0, CL.c.0"],
    )
    .await;
    assert_are(&both, trades, "both symbols, by time");

    let continuous = rows(&installation, &["--schema", "trades", "-s", "CL.c.0"]).await;
    let instruments: BTreeSet<_> = column(&continuous, "instrument_id").into_iter().collect();
    assert_eq!(instruments.len(), 2, "it rolls: {instruments:?}");
    assert!(
        column(&continuous, "symbol")
            .iter()
            .all(|symbol| symbol == "CL.c.0")
    );
    let mut contracts = Vec::new();
    for symbol in ["CLG4", "CLH4"] {
        let contract = rows(&installation, &["--schema", "trades", "--symbols", symbol]).await;
        assert!(!contract.is_empty());
        assert!(
            column(&contract, "symbol")
                .iter()
                .all(|found| found == symbol)
        );
        contracts.extend(nameless(contract));
    }
    assert_eq!(nameless(continuous.clone()), contracts);

    let es = rows(&installation, &["--schema", "trades", "-s", "ES.c.0"]).await;
    for other in ["ESH4", &column(&es, "instrument_id")[0], "ES.FUT"] {
        let found = rows(&installation, &["--schema", "trades", "-s", other]).await;
        assert_eq!(nameless(found), nameless(es.clone()), "{other}");
    }
    // Every way to write several, and each row once for each symbol that means it.
    for arguments in [
        &["-s", "ES.c.0,CL.c.0"][..],
        &["-s", "ES.c.0", "-s", "CL.c.0"],
        &["-s", "ES.c.0", "CL.c.0"],
        &["-s", "ES.c.0 CL.c.0"],
        &["-s", "CL.c.0,ES.c.0,CL.c.0"],
    ] {
        let all = [&["--schema", "trades"], arguments].concat();
        assert_eq!(
            rows(&installation, &all).await.len(),
            both.len(),
            "{arguments:?}"
        );
    }
    let twice = rows(&installation, &["--schema", "trades", "-s", "ES.c.0,ESH4"]).await;
    assert_eq!(twice.len(), 2 * es.len());
    let everything = rows(&installation, &["--schema", "trades", "-s", "ALL_SYMBOLS"]).await;
    assert_eq!(nameless(everything.clone()), nameless(both));
    let names: BTreeSet<_> = column(&everything, "symbol").into_iter().collect();
    assert_eq!(names, ["CLG4", "CLH4", "ESH4"].map(str::to_owned).into());
}

#[tokio::test]
async fn continuous_symbols_follow_their_rolls() {
    a_continuous_symbol_follows_its_rolls(&Engine::Sqlite).await;
}

#[tokio::test]
async fn continuous_symbols_follow_their_rolls_on_postgresql() {
    if let Some(engine) = Engine::postgresql() {
        a_continuous_symbol_follows_its_rolls(&engine).await;
    }
}

#[tokio::test]
async fn a_parent_is_its_members_spreads_among_them() {
    let installation = Installation::synthetic().await;
    for (name, symbols, schemas) in [
        ("parent", "[ES.FUT]", "[trades, definition]"),
        ("another", "[CL.FUT]", "[trades]"),
    ] {
        let job = installation.job(&format!(
            "{{name: {name}, dataset: GLBX.MDP3, schemas: {schemas}, symbols: {symbols},
              stype_in: parent, start: 2024-01-16, end: 2024-01-17}}"
        ));
        installation.succeed(&["run", &job]).await;
    }
    let counted = "SELECT count(*) FROM trades_data AS t JOIN chunks AS c ON c.id = t.chunk_id
        JOIN jobs AS j ON j.id = c.job_id WHERE j.name = ";
    for (parent, job) in [("ES.FUT", "'parent'"), ("CL.FUT", "'another'")] {
        let found = rows(&installation, &["--schema", "trades", "-s", parent]).await;
        let instruments: BTreeSet<_> = column(&found, "instrument_id").into_iter().collect();
        assert!(instruments.len() > 1, "{parent}: {instruments:?}");
        let expected: usize = installation
            .database
            .scalar(&format!("{counted}{job}"))
            .await;
        assert_eq!(found.len(), expected, "{parent}");
    }
}
