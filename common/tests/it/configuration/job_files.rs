//! Job files: what they mean, and how each mistake in one is answered.

mod sources;

use common::configuration::document::{Document, Refusal};
use common::configuration::files::ConfigFiles;
use common::configuration::job_file::JobFile;
use common::money::Usd;
use common::request::{ChunkLength, Chunking, Request, SCHEMAS, Symbols};
use dbn::{SType, Schema};
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::assert_shows;
use super::shapes::JOB as SHAPE;

const JOB: &str = "\
name: es-trades
dataset: GLBX.MDP3
schemas: [trades, ohlcv-1d]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-01
end: 2024-04-01
chunking: {records: 1_000_000}
priority: 3
max_cost_usd: 25.00
";

fn parse(text: &str) -> Result<JobFile, Refusal> {
    JobFile::parse(Document {
        origin: "jobs/es.yaml".to_owned(),
        text: text.to_owned(),
    })
}

/// The job with one line replaced.
fn with(key: &str, line: &str) -> String {
    let replace = |old: &str| match old.split(':').next() == Some(key) {
        true => line.to_owned(),
        false => old.to_owned(),
    };
    let lines: Vec<_> = JOB.lines().map(replace).collect();
    lines.join("\n") + "\n"
}

#[track_caller]
fn request(text: &str) -> Request {
    match parse(text) {
        Ok(job) => {
            SHAPE.assert_takes(text);
            job.request
        }
        Err(refusal) => panic!("refused:\n{refusal}"),
    }
}

/// Refused for its shape, which an editor can see too.
#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    refused_for_what_it_means(text, parts);
    SHAPE.assert_refuses(text);
}

#[track_caller]
fn refused_for_what_it_means(text: &str, parts: &[&str]) {
    match parse(text) {
        Ok(job) => panic!("taken for {:?}", job.request),
        Err(refusal) => assert_shows(&refusal, parts),
    }
}

fn named(names: &[&str]) -> Symbols {
    Symbols::named(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn a_whole_job_file_becomes_the_request_that_it_writes() {
    let request = request(JOB);
    assert_eq!(request.name, "es-trades");
    assert_eq!(request.dataset, "GLBX.MDP3");
    assert_eq!(request.schemas, [Schema::Trades, Schema::Ohlcv1D]);
    assert_eq!(request.symbols, named(&["CL.c.0", "ES.c.0"]));
    assert_eq!(request.stype_in, SType::Continuous);
    assert_eq!(request.days.to_string(), "2024-01-01..2024-04-01");
    assert_eq!(request.chunking.length, ChunkLength::Records(1_000_000));
    assert_eq!(request.priority, 3);
    assert_eq!(request.max_cost, Some(Usd(25_000_000_000)));
}

#[test]
fn what_is_left_out_has_its_default() {
    let request = request(
        "{name: a, dataset: XNAS.ITCH, schemas: [mbo], symbols: [AAPL], start: 2024-01-01, end: 2024-01-02}",
    );
    assert_eq!(request.stype_in, SType::RawSymbol);
    assert_eq!(request.chunking, Chunking::default());
    assert_eq!(request.priority, 0);
    assert_eq!(request.max_cost, None);
}

#[test]
fn every_job_file_of_the_project_is_taken() {
    let jobs = ConfigFiles::CompiledIn.read_all("jobs").unwrap();
    assert!(!jobs.is_empty());
    for document in jobs {
        let origin = document.origin.clone();
        JobFile::parse(document).unwrap_or_else(|refusal| panic!("{origin}:\n{refusal}"));
    }
}

#[test]
fn every_schema_can_be_asked_for() {
    for schema in SCHEMAS {
        let request = request(&with("schemas", &format!("schemas: [{schema}]")));
        assert_eq!(request.schemas, [schema]);
    }
}

#[test]
fn all_symbols_is_a_bare_word_or_a_list_of_one() {
    for line in [
        "symbols: ALL_SYMBOLS",
        "symbols: [ALL_SYMBOLS]",
        "symbols:\n  - ALL_SYMBOLS",
    ] {
        assert_eq!(request(&with("symbols", line)).symbols, Symbols::ALL);
    }
}

#[test]
fn symbols_and_schemas_that_are_written_twice_count_once() {
    let doubled = request(&with("symbols", "symbols: [ES.c.0, CL.c.0, ES.c.0]"));
    assert_eq!(doubled.symbols, named(&["ES.c.0", "CL.c.0"]));
    assert_eq!(doubled.fingerprint(), request(JOB).fingerprint());
    let doubled = request(&with("schemas", "schemas: [trades, ohlcv-1d, trades]"));
    assert_eq!(doubled.schemas, [Schema::Trades, Schema::Ohlcv1D]);
}

#[test]
fn symbols_that_yaml_could_take_for_something_else_keep_their_letters() {
    let raw = with("stype_in", "stype_in: raw_symbol");
    let tickers = raw.replace("[ES.c.0, CL.c.0]", "[ON, NO, TRUE, Y, NAN, 1E5, 0X10]");
    let wanted = ["ON", "NO", "TRUE", "Y", "NAN", "1E5", "0X10"];
    assert_eq!(request(&tickers).symbols, named(&wanted));
    let nothing = raw.replace("CL.c.0", "NULL");
    let refusal = parse(&nothing).unwrap_err();
    assert_shows(&refusal, &["null", "jobs/es.yaml:4:19"]);
    assert!(!refusal.to_string().contains("Option"), "{refusal}");
}

#[test]
fn instrument_ids_are_numbers_in_a_list() {
    let text =
        with("stype_in", "stype_in: instrument_id").replace("ES.c.0, CL.c.0", "118, 4294967295");
    assert_eq!(request(&text).symbols, named(&["118", "4294967295"]));
}

#[test]
fn numbers_may_have_underscores() {
    let by_records = request(&with("chunking", "chunking: {records: 1_500_000}"));
    assert_eq!(by_records.chunking.length, ChunkLength::Records(1_500_000));
    let by_days = request(&with("chunking", "chunking: {days: 30, symbols: 1_0}"));
    assert_eq!(by_days.chunking.length, ChunkLength::Days(30));
    assert_eq!(by_days.chunking.symbols_max, 10);
}

#[test]
fn a_refusal_shows_the_line_the_place_and_what_to_write() {
    let refusal = parse(&with("end", "end: 2024-01-01")).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "\
the end, 2024-01-01, is not after the start, 2024-01-01
  --> jobs/es.yaml:7:6
  |
7 | end: 2024-01-01
  |      ^
  = help: the end is exclusive: for one day write `end: 2024-01-02`"
    );
}

#[test]
fn an_unknown_key_is_refused_with_those_that_there_are() {
    let text = with("priority", "prioritty: 3");
    refused(
        &text,
        &[
            "prioritty",
            "priority",
            "jobs/es.yaml:9:1",
            "9 | prioritty: 3",
        ],
    );
    let text = with("chunking", "chunking: {day: 1}");
    refused(&text, &["day", "days", "jobs/es.yaml:8:12"]);
}

#[test]
fn a_doubled_key_is_refused() {
    let text = format!("{JOB}priority: 4\n");
    refused(
        &text,
        &[
            "duplicate",
            "priority",
            "jobs/es.yaml:11:1",
            "11 | priority: 4",
        ],
    );
}

#[test]
fn a_missing_key_is_named() {
    refused(&with("dataset", "# none"), &["dataset", "jobs/es.yaml:"]);
}

#[test]
fn a_key_that_is_written_has_a_value() {
    for key in [
        "stype_in",
        "chunking",
        "max_cost_usd",
        "max_quarantine_percent",
        "source",
        "folder",
        "priority",
        "rules",
    ] {
        for nothing in ["", " ~", " null"] {
            let rest: Vec<_> = JOB.lines().filter(|line| !line.starts_with(key)).collect();
            let text = format!("{}\n{key}:{nothing}\n", rest.join("\n"));
            refused(&text, &["jobs/es.yaml:"]);
        }
    }
    let text = with("chunking", "chunking: {records: }");
    refused(&text, &["jobs/es.yaml:8"]);
}

#[test]
fn what_is_no_yaml_at_all_is_refused() {
    refused("name: [", &["jobs/es.yaml:"]);
    refused("", &["jobs/es.yaml"]);
    refused("just words", &["jobs/es.yaml:1:1"]);
}

#[test]
fn a_name_must_be_plain() {
    for name in ["'two words'", "''", "../up", "a/b", "'é'"] {
        let text = with("name", &format!("name: {name}"));
        refused(
            &text,
            &[
                "can't name a job",
                "jobs/es.yaml:1:7",
                "for example es-trades-2024q1",
            ],
        );
    }
}

#[test]
fn a_day_that_the_calendar_does_not_have_is_refused() {
    for day in [
        "2024-02-30",
        "2024-13-01",
        "20240101x",
        "2024-1-1",
        "1969-12-31",
        "2262-01-01",
        "yesterday",
    ] {
        let text = with("start", &format!("start: {day}"));
        refused(
            &text,
            &[day, "is not a day", "jobs/es.yaml:6:8", "YYYY-MM-DD"],
        );
    }
}

#[test]
fn an_end_before_the_start_is_refused() {
    let text = with("end", "end: 2023-12-31");
    refused_for_what_it_means(
        &text,
        &[
            "not after the start",
            "jobs/es.yaml:7:6",
            "write `end: 2024-01-02`",
        ],
    );
}

#[test]
fn an_unknown_schema_is_refused_with_the_nearest() {
    let text = with("schemas", "schemas: [trades, ohlcv1d]");
    refused(
        &text,
        &[
            "unknown schema \"ohlcv1d\"",
            "jobs/es.yaml:3:19",
            "did you mean `ohlcv-1d`?",
        ],
    );
    let text = with("schemas", "schemas: [xyz]");
    refused(
        &text,
        &["unknown schema \"xyz\"", "write one of trades, tbbo"],
    );
    let text = with("schemas", "schemas: []");
    refused(
        &text,
        &["names no schema", "jobs/es.yaml:3:10", "schemas: [trades]"],
    );
}

#[test]
fn an_unknown_symbol_type_is_refused_with_the_known_ones() {
    let text = with("stype_in", "stype_in: smart");
    refused(
        &text,
        &[
            "\"smart\"",
            "jobs/es.yaml:5:11",
            "raw_symbol, continuous, parent, instrument_id",
        ],
    );
}

#[test]
fn no_symbols_and_all_symbols_beside_others_are_refused() {
    let text = with("symbols", "symbols: []");
    refused(
        &text,
        &[
            "names no symbol",
            "jobs/es.yaml:4:10",
            "symbols: ALL_SYMBOLS",
        ],
    );
    let text = with("symbols", "symbols: [ES.c.0, ALL_SYMBOLS]");
    refused(
        &text,
        &[
            "stands beside other symbols",
            "jobs/es.yaml:4:10",
            "write it alone",
        ],
    );
}

#[test]
fn a_symbol_that_its_type_does_not_allow_is_refused_at_its_place() {
    let wrong = [
        ("continuous", "ESH4", "for example ES.c.0"),
        ("continuous", "ES.x.0", "for example ES.c.0"),
        ("continuous", "ES.c", "for example ES.c.0"),
        ("continuous", "ES.c.-1", "for example ES.c.0"),
        ("continuous", "ES.c.+1", "for example ES.c.0"),
        ("continuous", "ES.c.0.1", "for example ES.c.0"),
        ("continuous", ".c.0", "for example ES.c.0"),
        ("continuous", "'ES,CL.c.0'", "for example ES.c.0"),
        ("parent", "ES", "for example ES.FUT"),
        ("parent", "ES.fut", "for example ES.FUT"),
        ("parent", ".FUT", "for example ES.FUT"),
        ("parent", "'ES,CL.FUT'", "for example ES.FUT"),
        ("instrument_id", "ESH4", "for example 118"),
        ("instrument_id", "-1", "for example 118"),
        ("instrument_id", "'+118'", "for example 118"),
        ("instrument_id", "4294967296", "for example 118"),
        ("raw_symbol", "'ESH4,ESM4'", "[ESH4, ESM4]"),
        ("raw_symbol", "''", "[ESH4, ESM4]"),
        ("raw_symbol", "\"ES\\n\"", "[ESH4, ESM4]"),
    ];
    for (stype, symbol, help) in wrong {
        let text = with("symbols", &format!("symbols: [{symbol}]"))
            .replace("stype_in: continuous", &format!("stype_in: {stype}"));
        refused(
            &text,
            &["is not a symbol of type", stype, "jobs/es.yaml:4:11", help],
        );
    }
    let second = with("symbols", "symbols:\n  - ES.c.0\n  - ESH4");
    refused(&second, &["\"ESH4\"", "jobs/es.yaml:6:5"]);
    let bare = with("symbols", "symbols: ESH4");
    refused(&bare, &["\"ESH4\"", "jobs/es.yaml:4:10"]);
}

#[test]
fn chunks_are_cut_by_records_or_by_days_and_never_by_nothing() {
    let wrong = [
        ("{records: 1, days: 1}", "not by both"),
        ("{records: 0}", "at least 1"),
        ("{days: 0}", "at least 1"),
        ("{symbols: 0}", "from 1 to 2000"),
        ("{symbols: 2001}", "from 1 to 2000"),
    ];
    for (chunking, help) in wrong {
        let text = with("chunking", &format!("chunking: {chunking}"));
        refused(&text, &["jobs/es.yaml:8:11", help]);
    }
    refused(
        &with("chunking", "chunking: {days: -1}"),
        &["jobs/es.yaml:8:18"],
    );
    refused(
        &with("chunking", "chunking: {days: 1.5}"),
        &["jobs/es.yaml:8:18"],
    );
    let most = request(&with("chunking", "chunking: {symbols: 2_000}"));
    assert_eq!(most.chunking.symbols_max, 2_000);
}

#[test]
fn a_cost_is_a_plain_amount_that_is_not_negative() {
    for amount in ["-1", "-0.01", "free", "1e400", "25 USD", "''"] {
        let text = with("max_cost_usd", &format!("max_cost_usd: {amount}"));
        refused(
            &text,
            &[
                "not an amount of dollars",
                "jobs/es.yaml:10:15",
                "max_cost_usd: 25.00",
            ],
        );
    }
    let free = request(&with("max_cost_usd", "max_cost_usd: 0"));
    assert_eq!(free.max_cost, Some(Usd(0)));
}

#[test]
fn what_only_the_vendor_can_tell_is_refused_at_its_place_too() {
    let job = parse(JOB).unwrap();
    let refusal = job.refuse_dataset("unknown dataset".into(), "write another");
    assert_shows(
        &refusal,
        &["unknown dataset", "jobs/es.yaml:2:10", "write another"],
    );
    let refusal = job.refuse_schema(Schema::Ohlcv1D, "no such records".into(), "leave it out");
    assert_shows(&refusal, &["jobs/es.yaml:3:19"]);
    let refusal = job.refuse_symbol("CL.c.0", "unknown symbol".into(), "check it");
    assert_shows(&refusal, &["jobs/es.yaml:4:19"]);
    let refusal = job.refuse_days(true, "too early".into(), "write a later end");
    assert_shows(&refusal, &["jobs/es.yaml:7:6"]);
    let bare = parse(&with("symbols", "symbols: NO.c.0")).unwrap();
    let refusal = bare.refuse_symbol("NO.c.0", "unknown symbol".into(), "check it");
    assert_shows(&refusal, &["jobs/es.yaml:4:10", "4 | symbols: NO.c.0"]);
}

#[test]
fn two_submissions_are_the_same_job_when_they_ask_for_the_same() {
    let fingerprint = request(JOB).fingerprint();
    let same = [
        with("priority", "priority: 9"),
        with("chunking", "chunking: {days: 1}"),
        with("max_cost_usd", "max_cost_usd: 1"),
        with("symbols", "symbols: [CL.c.0, ES.c.0]"),
    ];
    for text in same {
        assert_eq!(request(&text).fingerprint(), fingerprint, "{text}");
    }
    let different = [
        with("name", "name: other"),
        with("dataset", "dataset: XCME"),
        with("schemas", "schemas: [trades]"),
        with("symbols", "symbols: [ES.c.0]"),
        with("start", "start: 2024-01-02"),
        with("end", "end: 2024-04-02"),
    ];
    for text in different {
        assert_ne!(request(&text).fingerprint(), fingerprint, "{text}");
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_text_is_answered_by_a_panic(
        text in prop_oneof![
            "[ -~\n\u{e9}\u{1f600}]{0,80}",
            "(name|symbols|start|x): [\\[\\]{}&*!|>'\"%@,:0-9a-z -]{0,30}\n",
        ],
        line in 0_usize..10,
    ) {
        let mut lines: Vec<_> = JOB.lines().collect();
        lines[line] = &text;
        for text in [&text, &lines.join("\n")] {
            match parse(text) {
                Ok(_) => SHAPE.assert_takes(text),
                Err(refusal) => {
                    prop_assert!(refusal.to_string().contains("jobs/es.yaml"), "{}", refusal);
                }
            }
        }
    }
}
