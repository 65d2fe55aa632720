//! `scheduler coverage`: the map of what is held.

mod planner;

use serde_json::{Value, json};
use simulator::{Config, Fault, FaultKind};
use testkit::engine::Engine;

use crate::installation::Installation;
use crate::quality::assert_shows;

/// The 6th and 7th are a weekend; the session of Monday begins on Sunday evening.
fn job(name: &str, keys: &str) -> String {
    format!(
        "{{name: {name}, dataset: GLBX.MDP3, schemas: [trades], stype_in: continuous, \
         chunking: {{days: 1}}, {keys}}}"
    )
}

const ES: &str = "symbols: [ES.c.0], start: 2024-01-04, end: 2024-01-10";

async fn document(installation: &Installation, arguments: &[&str]) -> Value {
    let arguments = [&["coverage", "--json"], arguments].concat();
    let said = installation.succeed(&arguments).await;
    serde_json::from_str(&said.stdout).unwrap()
}

/// The runs of the first map's symbol, in short: `2024-01-04..2024-01-06 data`.
fn runs(document: &Value, symbol: &str) -> Vec<String> {
    let symbols = document["maps"][0]["symbols"].as_array().unwrap().iter();
    let mut rows = symbols.filter(|row| row["symbol"] == symbol);
    let row = rows
        .next()
        .unwrap_or_else(|| panic!("{symbol} in {document}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let short = |run: &Value| {
        let (start, end) = (text(&run["start"]), text(&run["end"]));
        format!("{}..{} {}", &start[5..], &end[5..], text(&run["state"]))
    };
    row["runs"].as_array().unwrap().iter().map(short).collect()
}

/// The signs of a symbol's row.
fn signs(said: &str, symbol: &str) -> String {
    let row = said.lines().find_map(|line| {
        let rest = line.strip_prefix("  ")?.strip_prefix(symbol)?;
        Some(rest.strip_prefix(' ')?.trim_end().to_owned())
    });
    row.unwrap_or_else(|| panic!("{symbol} in {said}"))
}

/// Stories that both engines go through.
macro_rules! on_both_engines {
    ($($story:ident)*) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(testkit::engine::Engine::Sqlite).await;
                }
            )*
        }

        mod on_postgresql {
            $(
                #[tokio::test]
                async fn $story() {
                    if let Some(engine) = testkit::engine::Engine::postgresql() {
                        super::$story(engine).await;
                    }
                }
            )*
        }
    };
}

on_both_engines! {
    a_weekend_and_a_holiday_are_no_gaps
    what_was_called_off_is_a_gap_until_it_is_filled
    a_symbol_that_begins_later_did_not_exist_before
    two_jobs_that_share_a_contract_show_it_once_each
}

async fn a_weekend_and_a_holiday_are_no_gaps(engine: Engine) {
    let installation = Installation::synthetic_on(&engine).await;
    let keys = "symbols: [ES.c.0], start: 2023-12-29, end: 2024-01-05";
    let file = installation.job(&job("holidays", keys));
    installation.succeed(&["run", &file]).await;
    let told = document(&installation, &[&file]).await;
    // A Friday; the weekend, on whose Sunday there is no session before New Year's Day; then data.
    let wanted = [
        "12-29..12-30 data",
        "12-30..12-31 no_session",
        "12-31..01-01 data",
        "01-01..01-02 no_session",
        "01-02..01-05 data",
    ];
    assert_eq!(runs(&told, "ES.c.0"), wanted);
    // Without the job, and so without the vendor, it is the same.
    assert_eq!(
        runs(&document(&installation, &[]).await, "ES.c.0"),
        runs(&told, "ES.c.0")
    );
    let said = installation.succeed(&["coverage", &file]).await.stdout;
    assert_eq!(signs(&said, "ES.c.0"), "█·█·███");
    assert!(said.contains("2023-12"), "{said}");
    assert!(said.contains("  days: 2 no session, 5 data\n"), "{said}");
    assert!(said.contains("█ data"), "{said}");
    assert!(!said.contains('\x1b'), "{said}");
}

#[tokio::test]
async fn before_anything_is_loaded_all_of_a_job_is_a_gap_and_nothing_is_made() {
    let installation = Installation::synthetic().await;
    let file = installation.job(&job("nothing", ES));
    let told = document(&installation, &[&file]).await;
    // That there is no session on the 6th is not known before somebody asked.
    assert_eq!(runs(&told, "ES.c.0"), ["01-04..01-10 gap"]);
    assert!(!installation.sandbox.database().exists());
    assert_eq!(installation.data_requests(), []);
    let said = installation.succeed(&["coverage"]).await.stdout;
    assert!(said.contains("nothing of this is held"), "{said}");
}

async fn what_was_called_off_is_a_gap_until_it_is_filled(engine: Engine) {
    let installation = Installation::synthetic_on(&engine).await;
    let file = installation.job(&job("called-off", ES));
    installation.succeed(&["submit", &file]).await;
    let open = document(&installation, &[&file]).await;
    assert_eq!(runs(&open, "ES.c.0"), ["01-04..01-10 pending"]);
    installation
        .succeed(&["cancel", "called-off", "--yes"])
        .await;
    let called_off = document(&installation, &[&file]).await;
    assert_eq!(runs(&called_off, "ES.c.0"), ["01-04..01-10 gap"]);
    assert_eq!(document(&installation, &[]).await["maps"], json!([]));

    let before = installation.status().await;
    let said = installation.succeed(&["coverage", &file, "--fill"]).await;
    let planned = installation.succeed(&["plan", &file]).await;
    assert!(said.stdout.starts_with(&planned.stdout), "{said:?}");
    assert!(said.stdout.contains("nothing was changed"), "{said:?}");
    assert_eq!(installation.status().await, before);

    installation
        .succeed(&["coverage", &file, "--fill", "--yes"])
        .await;
    let filling = document(&installation, &[&file]).await;
    assert_eq!(runs(&filling, "ES.c.0"), ["01-04..01-10 pending"]);
    installation.succeed(&["run", &file]).await;
    let filled = document(&installation, &[&file]).await;
    let wanted = [
        "01-04..01-06 data",
        "01-06..01-07 no_session",
        "01-07..01-10 data",
    ];
    assert_eq!(runs(&filled, "ES.c.0"), wanted);
    assert_eq!(filled["maps"][0]["days"]["gap"], 0, "{filled}");
    let again = document(&installation, &[&file, "--fill"]).await;
    assert_eq!(again["chunks"], 0, "{again}");
}

async fn a_symbol_that_begins_later_did_not_exist_before(engine: Engine) {
    let installation = Installation::synthetic_on(&engine).await;
    // The December contract expires on the 15th; ESM5 is listed from the day after.
    let text = "{name: begins, dataset: GLBX.MDP3, schemas: [definition], symbols: [ESH4, ESM5], \
                stype_in: raw_symbol, start: 2023-12-13, end: 2023-12-21, chunking: {days: 1}}";
    let file = installation.job(text);
    let before = document(&installation, &[&file]).await;
    let wanted = ["12-13..12-16 not_listed", "12-16..12-21 gap"];
    assert_eq!(runs(&before, "ESM5"), wanted);
    installation.succeed(&["run", &file]).await;
    let told = document(&installation, &[&file]).await;
    let first = &runs(&told, "ESM5")[0];
    assert_eq!(first, "12-13..12-16 not_listed");
    assert_eq!(told["maps"][0]["days"]["gap"], 0, "{told}");
    assert_eq!(runs(&told, "ESH4")[0], "12-13..12-16 data");
    let remembered = document(&installation, &["-s", "ESM5"]).await;
    assert_eq!(runs(&remembered, "ESM5"), runs(&told, "ESM5"));
}

async fn two_jobs_that_share_a_contract_show_it_once_each(engine: Engine) {
    let installation = Installation::synthetic_on(&engine).await;
    let front = installation.job(&job("front", ES));
    installation.succeed(&["run", &front]).await;
    let text = "{name: march, dataset: GLBX.MDP3, schemas: [trades], symbols: [ESH4, ESM4], \
                stype_in: raw_symbol, start: 2024-01-04, end: 2024-01-12}";
    let march = installation.job(text);
    let told = document(&installation, &[&march]).await;
    let of_march = runs(&told, "ESH4");
    assert_eq!(of_march[0], "01-04..01-06 data");
    assert_eq!(of_march[2..], ["01-07..01-10 data", "01-10..01-12 gap"]);
    let of_june = runs(&told, "ESM4");
    assert_eq!(of_june[0].split_once(' ').unwrap().1, "gap");
    installation.succeed(&["submit", &march]).await;
    let told = document(&installation, &["march"]).await;
    assert_eq!(
        runs(&told, "ESH4")[2..],
        ["01-07..01-10 data", "01-10..01-12 pending"]
    );
    assert_eq!(told["maps"][0]["days"]["gap"], 0, "{told}");
    // Without a job both ways to write it have a map of their own.
    let all = document(&installation, &[]).await;
    let maps = all["maps"].as_array().unwrap().iter();
    let stypes = maps.map(|map| map["stype_in"].as_str().unwrap());
    assert_eq!(stypes.collect::<Vec<_>>(), ["raw_symbol", "continuous"]);
}

#[tokio::test]
async fn a_continuous_symbol_is_full_over_its_roll() {
    let installation = Installation::synthetic().await;
    let keys = "symbols: [ES.c.0], start: 2023-12-13, end: 2023-12-20";
    let file = installation.job(&job("roll", keys));
    installation.succeed(&["run", &file]).await;
    let told = document(&installation, &[&file]).await;
    let wanted = [
        "12-13..12-16 data",
        "12-16..12-17 no_session",
        "12-17..12-20 data",
    ];
    assert_eq!(runs(&told, "ES.c.0"), wanted);
}

#[tokio::test]
async fn every_instrument_is_a_row_of_its_own() {
    let installation = Installation::synthetic().await;
    let text = "{name: all, dataset: GLBX.MDP3, schemas: [ohlcv-1d], symbols: [ALL_SYMBOLS], \
                start: 2024-01-05, end: 2024-01-10, chunking: {days: 2}}";
    let file = installation.job(text);
    let before = document(&installation, &[&file]).await;
    assert_eq!(runs(&before, "ALL_SYMBOLS"), ["01-05..01-10 gap"]);
    installation.succeed(&["run", &file]).await;
    let wanted = [
        "01-05..01-06 data",
        "01-06..01-07 no_session",
        "01-07..01-10 data",
    ];
    for arguments in [&[file.as_str()][..], &[]] {
        let told = document(&installation, arguments).await;
        assert_eq!(runs(&told, "ALL_SYMBOLS"), wanted);
    }
}

#[tokio::test]
async fn a_dead_chunk_is_told_as_failed() {
    let installation = Installation::synthetic().await;
    let mut fault = Fault::probability(FaultKind::CutAtFrame, 1.0);
    fault.date = Some("2024-01-08".to_owned());
    installation.fault(fault);
    let file = installation.job(&job("dead", ES));
    let said = installation.run(&["run", &file]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    for arguments in [&[file.as_str()][..], &["dead"], &[]] {
        let told = document(&installation, arguments).await;
        let runs = runs(&told, "ES.c.0");
        assert!(runs.contains(&"01-08..01-09 failed".to_owned()), "{runs:?}");
        assert_eq!(told["maps"][0]["days"]["failed"], 1);
    }
    let said = installation.succeed(&["coverage", "dead"]).await.stdout;
    assert_eq!(signs(&said, "ES.c.0"), "██·█!█");
}

#[tokio::test]
async fn days_that_the_vendor_has_not_yet_are_pending() {
    let installation = Installation::with(Config {
        trades_per_day: 100,
        available_end: Some("2024-01-06".to_owned()),
        ..Config::default()
    })
    .await;
    let file = installation.job(&job("tail", ES));
    let wanted = |first: &str| {
        [
            format!("01-04..01-06 {first}"),
            "01-06..01-10 pending".into(),
        ]
    };
    let before = document(&installation, &[&file]).await;
    assert_eq!(runs(&before, "ES.c.0"), wanted("gap"));
    let said = installation.run(&["run", &file]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    let told = document(&installation, &[&file]).await;
    assert_eq!(runs(&told, "ES.c.0"), wanted("data"));
}

#[tokio::test]
async fn degraded_and_missing_days_are_told_apart() {
    let installation = Installation::synthetic().await;
    installation.fault(Fault::day(FaultKind::Degraded, "2024-01-05"));
    installation.fault(Fault::day(FaultKind::Missing, "2024-01-08"));
    let file = installation.job(&job("flawed", ES));
    let before = document(&installation, &[&file]).await;
    let wanted = [
        "01-04..01-08 gap",
        "01-08..01-09 missing",
        "01-09..01-10 gap",
    ];
    assert_eq!(runs(&before, "ES.c.0"), wanted);
    installation.run(&["run", &file]).await;
    let told = document(&installation, &[&file]).await;
    let wanted = [
        "01-04..01-05 data",
        "01-05..01-06 degraded",
        "01-06..01-07 no_session",
        "01-07..01-08 data",
        "01-08..01-09 missing",
        "01-09..01-10 data",
    ];
    assert_eq!(runs(&told, "ES.c.0"), wanted);
    // What the vendor said is remembered; of a day that it lacks no chunk is to be made.
    let remembered = document(&installation, &[]).await;
    assert!(runs(&remembered, "ES.c.0").contains(&wanted[1].to_owned()));
}

#[tokio::test]
async fn a_month_shows_the_day_that_tells_most_and_json_all_of_them() {
    let installation = Installation::synthetic().await;
    let keys = "symbols: [ES.c.0, CL.c.0], start: 2023-12-20, end: 2024-02-10";
    let file = installation.job(&job("months", keys).replace("{days: 1}", "{days: 30}"));
    installation.fault(Fault::day(FaultKind::Degraded, "2024-01-05"));
    installation.succeed(&["run", &file]).await;
    let said = installation
        .succeed(&["coverage", &file, "--by", "month"])
        .await;
    assert_eq!(signs(&said.stdout, "ES.c.0"), "█▒█", "{said:?}");
    assert!(said.stdout.contains("2023"), "{said:?}");
    let told = document(&installation, &[&file, "--by", "month", "-s", "CL.c.0"]).await;
    let symbols = told["maps"][0]["symbols"].as_array().unwrap();
    assert_eq!(
        (symbols.len(), &symbols[0]["days"]["degraded"]),
        (1, &json!(1))
    );
}

#[tokio::test]
async fn data_of_a_chunk_that_was_removed_is_a_gap_and_is_filled() {
    let installation = Installation::synthetic().await;
    let file = installation.job(&job("removed", ES));
    installation.succeed(&["run", &file]).await;
    let full = document(&installation, &[&file]).await;
    for sql in [
        "DELETE FROM trades_data WHERE chunk_id = (SELECT min(id) FROM chunks)",
        "DELETE FROM coverage WHERE chunk_id = (SELECT min(id) FROM chunks)",
        "DELETE FROM spend WHERE chunk_id = (SELECT min(id) FROM chunks)",
        "DELETE FROM rule_failures WHERE chunk_id = (SELECT min(id) FROM chunks)",
        "DELETE FROM chunks WHERE id = (SELECT min(id) FROM chunks)",
    ] {
        installation.execute(sql).await;
    }
    let told = document(&installation, &[&file]).await;
    assert_eq!(runs(&told, "ES.c.0")[0], "01-04..01-05 gap");
    let plan = document(&installation, &[&file, "--fill"]).await;
    assert_eq!(
        (&plan["chunks"], &plan["list"][0]["start"]),
        (&json!(1), &json!("2024-01-04"))
    );
    installation
        .succeed(&["coverage", &file, "--fill", "--yes"])
        .await;
    installation.succeed(&["run", &file]).await;
    let filled = document(&installation, &[&file]).await;
    assert_eq!(runs(&filled, "ES.c.0"), runs(&full, "ES.c.0"));
}

#[tokio::test]
async fn the_demo_has_its_map_though_the_vendor_knows_nothing_of_it() {
    let installation = Installation::synthetic().await;
    installation
        .succeed(&["demo", "--trades-per-day", "100"])
        .await;
    let said = installation
        .succeed(&["coverage", "demo", "--data-dir", "data"])
        .await;
    assert_shows(&said.stdout, &["GLBX.MDP3 trades", "ES.c.0", " data"]);
    assert_eq!(installation.simulator.requests().len(), 0);
}

#[tokio::test]
async fn filling_above_the_budget_is_refused() {
    let installation = Installation::synthetic().await;
    let keys = format!("{ES}, max_cost_usd: 0.000001");
    let file = installation.job(&job("dear", &keys));
    let said = installation
        .run(&["coverage", &file, "--fill", "--yes"])
        .await;
    assert_eq!(said.code, Some(5), "{said:?}");
    assert_eq!(installation.data_requests(), []);
}

#[tokio::test]
async fn filters_that_leave_nothing_are_refused_with_what_to_write() {
    let installation = Installation::synthetic().await;
    let file = installation.job(&job("filters", ES));
    for (arguments, help) in [
        (&["-s", "ES.c.1"][..], "did you mean `ES.c.0`?"),
        (&["--schema", "tbbo"], "it asks for trades"),
        (&["--schema", "trade"], "for example trades"),
        (&["--start", "2025-01-01"], "it asks for 2024-01-04"),
        (&["--start", "yesterday"], "2024-01-31"),
        (&["--dataset", "XNAS.ITCH"], "it asks for GLBX.MDP3"),
    ] {
        let said = installation
            .run(&[&["coverage", file.as_str()][..], arguments].concat())
            .await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains(help), "{said:?}");
    }
}
