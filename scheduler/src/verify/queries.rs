//! The standard queries: what people ask most, chosen from what is held.

use common::record_layout::RecordLayout;
use common::store::Holding;
use serde::{Deserialize, Serialize};

/// Queries that are run at most; every schema gets its first before any gets its second.
const QUERIES_MAX: usize = 100;
/// Rows of a symbol's day at most: a day can have ten millions, and to write them all is no question
/// that somebody waits for.
const ROWS_OF_DAY: &str = "100000";
/// Rows of a query of every symbol.
const ROWS_OF_ALL: &str = "10000";
/// Rows that are asked for from the newest on.
const ROWS_NEWEST: &str = "100";
/// Every symbol.
const ALL_SYMBOLS: [&str; 2] = ["-s", "ALL_SYMBOLS"];
/// The kind of statistics that is asked for.
const STATISTIC: &str = "settlement-price";

/// How a query's rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Table,
    /// With a line of names.
    Csv,
    /// One array.
    Json,
    /// An object a line.
    Ndjson,
}

/// A query to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardQuery {
    /// What it is, in words.
    pub title: String,
    /// What comes after `scheduler`.
    pub arguments: Vec<String>,
    /// How its rows are written.
    pub format: Format,
    /// Whether it finds rows, by the ledger.
    pub has_rows: bool,
}

impl StandardQuery {
    /// What a person would type.
    #[must_use]
    pub fn command(&self) -> String {
        let word = |word: &String| match word.contains(|sign: char| !is_plain(sign)) {
            true => format!("'{}'", word.replace('\'', r"'\''")),
            false => word.clone(),
        };
        let words: Vec<_> = self.arguments.iter().map(word).collect();
        format!("scheduler {}", words.join(" "))
    }
}

fn is_plain(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-_.,:/".contains(sign)
}

/// The standard queries for what is held.
#[must_use]
pub fn choose(holdings: &[Holding]) -> Vec<StandardQuery> {
    let mut of_holdings: Vec<_> = holdings
        .iter()
        .map(|holding| of_holding(holding).into_iter())
        .collect();
    let mut chosen = Vec::new();
    while chosen.len() < QUERIES_MAX {
        let before = chosen.len();
        chosen.extend(of_holdings.iter_mut().filter_map(Iterator::next));
        if chosen.len() == before {
            break;
        }
    }
    chosen.truncate(QUERIES_MAX);
    chosen
}

/// Those of one schema.
fn of_holding(holding: &Holding) -> Vec<StandardQuery> {
    let day = holding.day.to_string();
    let on_day = [
        ["--start-date", &day],
        ["--end-date", &day],
        ["--limit", ROWS_OF_DAY],
    ];
    let on_day = on_day.concat();
    let one: Vec<&str> = holding
        .symbols
        .first()
        .into_iter()
        .flat_map(|symbol| ["-s", symbol])
        .collect();
    let several = holding.symbols.join(",");
    let mut queries = Vec::new();
    let mut add = |title: &str, parts: &[&[&str]], format| {
        queries.push(query(holding, title, &parts.concat(), format));
    };
    if !one.is_empty() {
        add("a day of one symbol", &[&one, &on_day], Format::Csv);
        let newest = ["--order", "desc", "--limit", ROWS_NEWEST];
        add("the newest of one symbol", &[&one, &newest], Format::Table);
    }
    let first = ["--limit", ROWS_OF_ALL];
    add(
        "the first of every symbol",
        &[&ALL_SYMBOLS, &first],
        Format::Json,
    );
    if holding.symbols.len() > 1 {
        let several = ["-s", several.as_str()];
        add(
            "a day of several symbols",
            &[&several, &on_day],
            Format::Ndjson,
        );
    }
    let filter = filter(holding);
    if !filter.is_empty() && !one.is_empty() {
        add(
            "a day of one symbol, filtered",
            &[&one, &on_day, filter],
            Format::Csv,
        );
    }
    queries
}

/// A filter that the schema's records know.
fn filter(holding: &Holding) -> &'static [&'static str] {
    let layout = RecordLayout::of(holding.schema);
    let has = |field: &str| layout.field(field).is_some();
    match (has("stat_type"), has("side"), has("size")) {
        (true, _, _) => &["--stat-type", STATISTIC],
        (_, true, true) => &["--side", "A", "--min-size", "2"],
        (_, true, false) => &["--side", "A"],
        (_, _, true) => &["--min-size", "2"],
        (false, false, false) => &[],
    }
}

fn query(holding: &Holding, title: &str, more: &[&str], format: Format) -> StandardQuery {
    let schema = holding.schema.as_str();
    let name = match format {
        Format::Table => "table",
        Format::Csv => "csv",
        Format::Json => "json",
        Format::Ndjson => "ndjson",
    };
    let head = ["query", "--schema", schema, "--dataset", &holding.dataset];
    let tail = ["--output-format", name];
    let words = head.iter().chain(more).chain(&tail);
    StandardQuery {
        title: format!("{} {schema}: {title}", holding.dataset),
        arguments: words.map(|word| (*word).to_owned()).collect(),
        format,
        // What is asked for without a day or a filter is what was loaded.
        has_rows: more.starts_with(&ALL_SYMBOLS),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use common::time::Day;
    use dbn::Schema;
    use proptest::prelude::*;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn holding(schema: Schema, symbols: &[&str]) -> Holding {
        Holding {
            dataset: "GLBX.MDP3".to_owned(),
            schema,
            day: Day::from_ymd(2024, 1, 4).unwrap(),
            symbols: symbols.iter().map(|symbol| (*symbol).to_owned()).collect(),
        }
    }

    #[test]
    fn a_schema_with_symbols_is_asked_in_every_way() {
        let chosen = choose(&[holding(Schema::Trades, &["ES.c.0", "CL.c.0"])]);
        let commands: Vec<_> = chosen.iter().map(StandardQuery::command).collect();
        let head = "scheduler query --schema trades --dataset GLBX.MDP3";
        let day = "--start-date 2024-01-04 --end-date 2024-01-04 --limit 100000";
        let expected = [
            format!("{head} -s ES.c.0 {day} --output-format csv"),
            format!("{head} -s ES.c.0 --order desc --limit 100 --output-format table"),
            format!("{head} -s ALL_SYMBOLS --limit 10000 --output-format json"),
            format!("{head} -s ES.c.0,CL.c.0 {day} --output-format ndjson"),
            format!("{head} -s ES.c.0 {day} --side A --min-size 2 --output-format csv"),
        ];
        assert_eq!(commands, expected);
    }

    #[test]
    fn what_is_held_without_a_symbol_is_asked_for_as_a_whole() {
        let chosen = choose(&[holding(Schema::Definition, &[])]);
        assert_eq!(chosen.len(), 1);
        assert_eq!(choose(&[]), []);
    }

    #[test]
    fn a_symbol_with_blanks_is_quoted_for_a_person() {
        let chosen = choose(&[holding(Schema::Status, &["SPX   240119C0'"])]);
        assert!(chosen[0].command().contains(r"-s 'SPX   240119C0'\'''"));
    }

    proptest! {
        // Reading a hundred command lines takes its time.
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn every_schema_is_asked_before_any_is_asked_twice(
            schemas in prop::collection::vec(0..20_usize, 0..60),
            symbols in 0..4_usize,
        ) {
            let known = [
                Schema::Mbo, Schema::Mbp1, Schema::Mbp10, Schema::Tbbo, Schema::Trades,
                Schema::Ohlcv1S, Schema::Ohlcv1M, Schema::Ohlcv1H, Schema::Ohlcv1D,
                Schema::Definition, Schema::Statistics, Schema::Status, Schema::Imbalance,
                Schema::OhlcvEod, Schema::Cmbp1, Schema::Cbbo1S, Schema::Cbbo1M, Schema::Tcbbo,
                Schema::Bbo1S, Schema::Bbo1M,
            ];
            let names = ["ES.c.0", "NQ.c.0", "CL.c.0"];
            let held: Vec<_> = schemas.iter()
                .map(|schema| holding(known[*schema], &names[..symbols.min(3)])).collect();
            let chosen = choose(&held);
            prop_assert!(chosen.len() <= QUERIES_MAX);
            prop_assert!(chosen.len() >= held.len().min(QUERIES_MAX));
            for (query, holding) in chosen.iter().zip(&held) {
                prop_assert!(query.title.contains(holding.schema.as_str()));
            }
            for query in &chosen {
                // The program takes what it gives itself.
                let words = ["scheduler".to_owned()].into_iter().chain(query.arguments.clone());
                let parsed = Arguments::try_parse_from(words).unwrap();
                prop_assert!(matches!(parsed.command, Command::Query(_)));
            }
        }
    }
}
