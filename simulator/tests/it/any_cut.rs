//! A record depends on seed, instrument and day alone: any cut of a range gives the same records.

use proptest::{prelude::*, test_runner::TestRunner};
use simulator::Simulator;

use crate::ask::{self, glbx, record_bytes};

const FIRST: u64 = 1_704_240_000_000_000_000; // 2024-01-03
const SPAN: u64 = 6 * 86_400_000_000_000;

async fn pieces(
    simulator: &Simulator,
    schema: &str,
    selection: (&str, &str),
    cuts: &[u64],
) -> Vec<u8> {
    let mut joined = Vec::new();
    for pair in cuts.windows(2) {
        let query = glbx(
            schema,
            selection.0,
            selection.1,
            &pair[0].to_string(),
            &pair[1].to_string(),
        );
        let answer = ask::range(simulator, &query).await;
        // The pieces that lie within a Saturday are refused, which is as good as empty.
        if answer.status == 422 {
            continue;
        }
        joined.extend(record_bytes(simulator, &query).await);
    }
    joined
}

#[test]
fn any_cut_of_a_range_gives_the_same_records() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let simulator = runtime.block_on(ask::small());
    let schemas = prop::sample::select(vec![
        "trades",
        "tbbo",
        "mbp-1",
        "ohlcv-1m",
        "ohlcv-1h",
        "statistics",
        "status",
    ]);
    let selections = prop::sample::select(vec![
        ("ES.FUT", "parent"),
        ("ES.c.0,CL.c.0", "continuous"),
        ("NGG4", "raw_symbol"),
    ]);
    let cuts = prop::collection::btree_set(1..SPAN, 1..5);
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let property =
        |(schema, selection, cuts): (&str, (&str, &str), std::collections::BTreeSet<u64>)| {
            let whole = [FIRST, FIRST + SPAN];
            let cut: Vec<u64> = [0]
                .into_iter()
                .chain(cuts)
                .chain([SPAN])
                .map(|offset| FIRST + offset)
                .collect();
            let expected = runtime.block_on(pieces(&simulator, schema, selection, &whole));
            let joined = runtime.block_on(pieces(&simulator, schema, selection, &cut));
            prop_assert!(
                expected == joined,
                "{schema} of {selection:?}: {} and {} bytes",
                expected.len(),
                joined.len()
            );
            Ok(())
        };
    TestRunner::new(config)
        .run(&(schemas, selections, cuts), property)
        .expect("any cut gives the same");
}
