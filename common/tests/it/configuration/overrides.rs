//! Values that are set beside a job file: read as if they stood there, refused by their flag.

use common::configuration::document::{Document, Refusal};
use common::configuration::job_file::JobFile;
use common::money::Usd;
use common::request::{ChunkLength, JobSource, Symbols};
use dbn::{SType, Schema};

use super::assert_shows;

const JOB: &str = "{name: es, dataset: GLBX.MDP3, schemas: [trades], symbols: [ES.c.0],
 stype_in: continuous, start: 2024-01-01, end: 2024-04-01, priority: 3}
";

fn parse(settings: &[&str]) -> Result<JobFile, Refusal> {
    let document = Document {
        origin: "jobs/es.yaml".to_owned(),
        text: JOB.to_owned(),
    };
    let settings: Vec<_> = settings.iter().map(|text| (*text).to_owned()).collect();
    JobFile::parse_with(document, &settings)
}

#[track_caller]
fn refused(settings: &[&str], parts: &[&str]) {
    match parse(settings) {
        Ok(job) => panic!("taken for {:?}", job.request),
        Err(refusal) => {
            assert_eq!(refusal.place, None, "{refusal}");
            assert_shows(&refusal, parts);
        }
    }
}

#[test]
fn each_key_of_a_job_file_can_be_set() {
    let job = parse(&[
        "name=other",
        "dataset=XNAS.ITCH",
        "schemas=[tbbo, ohlcv-1d]",
        "symbols=[AAPL, 'MSFT']",
        "stype_in=raw_symbol",
        "start=2024-02-01",
        "end = 2024-03-01",
        "chunking={days: 7, symbols: 1}",
        "priority=-5",
        "max_cost_usd=2.50",
        "rules={size_positive: off}",
        "max_quarantine_percent=0.5",
        "source=files",
        "folder=/downloads",
    ]);
    let request = job.unwrap().request;
    assert_eq!(request.name, "other");
    assert_eq!(request.dataset, "XNAS.ITCH");
    assert_eq!(request.schemas, [Schema::Tbbo, Schema::Ohlcv1D]);
    let symbols = ["AAPL", "MSFT"].map(str::to_owned).to_vec();
    assert_eq!(request.symbols, Symbols::named(symbols));
    assert_eq!(request.stype_in, SType::RawSymbol);
    assert_eq!(request.days.start().to_string(), "2024-02-01");
    assert_eq!(request.days.end().to_string(), "2024-03-01");
    assert_eq!(request.chunking.length, ChunkLength::Days(7));
    assert_eq!(request.chunking.symbols_max, 1);
    assert_eq!(request.priority, -5);
    assert_eq!(request.max_cost, Some(Usd(2_500_000_000)));
    assert_eq!(request.quality.rules.get("size_positive"), Some(&false));
    assert!(request.quality.limit.is_some());
    assert_eq!(request.source, JobSource::Files("/downloads".into()));
}

#[test]
fn of_a_key_that_is_set_twice_the_later_value_counts() {
    let request = parse(&["priority=1", "priority=2"]).unwrap().request;
    assert_eq!(request.priority, 2);
    assert_eq!(parse(&[]).unwrap().request.priority, 3);
}

#[test]
fn a_value_may_hold_signs_of_its_own_and_lines() {
    let request = parse(&[
        "symbols=[\n ES.c.0,\n NG.c.0]",
        "folder=a=b",
        "source=files",
    ]);
    let request = request.unwrap().request;
    let symbols = ["ES.c.0", "NG.c.0"].map(str::to_owned).to_vec();
    assert_eq!(request.symbols, Symbols::named(symbols));
    let JobSource::Files(folder) = request.source else {
        panic!("the source is {:?}", request.source);
    };
    assert!(folder.ends_with("a=b"), "{folder:?}");
}

#[test]
fn each_mistake_names_the_flag_that_made_it() {
    refused(
        &["priority=5", "strat=2024-01-02"],
        &["--set strat", "did you mean `start`?"],
    );
    refused(&["x=1"], &["--set x", "the keys of a job file"]);
    refused(&["priority=\n\nhigh"], &["--set priority"]);
    refused(&["priority=1\nname: injected"], &["--set priority"]);
    refused(
        &["symbols=[ES.c.0,\nES]", "end=2024-03-01"],
        &["--set symbols", "ROOT.RULE.RANK"],
    );
    refused(&["end=2023-01-01"], &["--set end", "exclusive"]);
    refused(&["max_cost_usd=free"], &["--set max_cost_usd", "dollars"]);
    refused(&["max_cost_usd=null"], &["--set max_cost_usd", "no value"]);
    refused(&["max_cost_usd="], &["--set max_cost_usd", "no value"]);
    refused(&["=5"], &["--set", "no such key"]);
    refused(&["priority"], &["--set priority", "key=value"]);
    refused(
        &["chunking={days: 1"],
        &["--set chunking", "as a job file has it"],
    );
}

#[test]
fn what_only_the_vendor_can_tell_names_the_flag_too() {
    let job = parse(&["symbols=[QQ.c.0]"]).unwrap();
    let refusal = job.refuse_symbol("QQ.c.0", "unknown".to_owned(), "check its spelling");
    assert_shows(&refusal, &["--set symbols", "check its spelling"]);
    let of_file = job.refuse_dataset("unknown".to_owned(), "write another");
    assert_shows(&of_file, &["jobs/es.yaml:1:21"]);
}
