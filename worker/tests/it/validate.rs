//! Validate: which records the rules hold back, and how it is told.

use std::collections::BTreeMap;

use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::expression::Parameters;
use common::quality::{QuarantineLimit, RuleFailures, Severity};
use common::store::rows::RowBlock;
use common::time::Nanos;
use dbn::{Schema, TradeMsg};
use testkit::shared_data::shared_data;
use worker::decode::RecordBlock;
use worker::sample::{header, judge};
use worker::transform::{Unfit, parts, transform};
use worker::validate::{EXAMPLES, Tally, ValidBlock, Validator};

use crate::dbn_stream::{files, trade};
use crate::installation::changed_mapping;

const ALWAYS: Parameters = Parameters {
    chunk_start: Nanos(0),
    chunk_end: Nanos(i64::MAX),
};
const BLOCK: usize = 2_048;

fn trades() -> Mapping {
    changed_mapping(Schema::Trades, |text| text)
}

/// Records in blocks, as they come from decoding.
fn blocks(records: &[TradeMsg]) -> impl Iterator<Item = RecordBlock> {
    records
        .chunks(BLOCK)
        .enumerate()
        .map(|(block, records)| RecordBlock {
            bytes: records
                .iter()
                .flat_map(|record| record.as_ref().to_vec())
                .collect(),
            index_times: records
                .iter()
                .map(|record| record.ts_recv.cast_signed())
                .collect(),
            first_number: i64::try_from(block * BLOCK).unwrap(),
        })
}

fn validated(
    mapping: &Mapping,
    switches: &BTreeMap<String, bool>,
    most: u64,
    records: &[TradeMsg],
) -> (Vec<ValidBlock>, Tally) {
    let mut validator = Validator::new(mapping, switches, ALWAYS, most);
    let validate = |block: RecordBlock| {
        let rows = transform(mapping, &block, ALWAYS).unwrap();
        validator.validate(&block, rows)
    };
    let blocks = blocks(records).map(validate).collect();
    (blocks, validator.finish())
}

fn good(count: u32) -> Vec<TradeMsg> {
    (0..u64::from(count)).map(trade).collect()
}

#[test]
fn a_bad_record_among_a_million_is_found_by_name() {
    let mut records = good(1_000_000);
    records[765_432].size = 0;
    let (blocks, tally) = validated(&trades(), &BTreeMap::new(), 10_000, &records);
    assert_eq!((tally.records, tally.quarantined), (1_000_000, 1));
    let failures = [RuleFailures {
        rule: "size_positive".to_owned(),
        severity: Severity::Error,
        records: 1,
    }];
    assert_eq!(tally.failures(), failures);
    let held_back: Vec<_> = blocks.iter().flat_map(ValidBlock::quarantined).collect();
    assert_eq!(held_back.len(), 1);
    assert_eq!(held_back[0].record_number, 765_432);
    assert_eq!(&*held_back[0].failed[0], "size_positive");
    let loaded: usize = blocks.iter().map(|block| block.rows().len()).sum();
    assert_eq!(loaded, 999_999);
    let numbers = blocks.iter().flat_map(|block| &block.rows().record_numbers);
    assert!(!numbers.copied().any(|number| number == 765_432));
    let example = &tally.worst().unwrap().examples[0];
    assert!(example.starts_with("record 765432 at "), "{example}");
    assert!(example.ends_with("size = 0"), "{example}");
}

#[test]
fn a_record_that_no_column_can_keep_is_held_back_alone() {
    let mut records = good(10_000);
    records[7_654].side = 0xC1_u8.cast_signed();
    let mapping = trades();
    let mut validator = Validator::new(&mapping, &BTreeMap::new(), ALWAYS, 100);
    let mut held_back = Vec::new();
    let mut loaded = 0;
    for block in blocks(&records) {
        for part in parts(&mapping, block, ALWAYS) {
            let valid = validator.validate_part(&part.records, part.rows, part.unfit.as_ref());
            loaded += valid.rows().len();
            held_back.extend(valid.quarantined().to_vec());
        }
    }
    assert_eq!(loaded, 9_999);
    assert_eq!(held_back.len(), 1);
    assert_eq!(held_back[0].record_number, 7_654);
    assert_eq!(&*held_back[0].failed[0], "value_fits_column");
    assert_eq!(held_back[0].found, "side = 0xc1 is no ASCII character");
    let tally = validator.finish();
    assert_eq!((tally.records, tally.quarantined), (10_000, 1));
    assert_eq!(&*tally.worst().unwrap().rule, "value_fits_column");
    // A record that is another chunk's is not this one's to count.
    let mut validator = Validator::new(&mapping, &BTreeMap::new(), ALWAYS, 100);
    let record = blocks(&records[..1]).next().unwrap();
    let unfit = Unfit::Value {
        field: "side".to_owned(),
        value: 193,
    };
    let nothing = validator.validate_part(&record, RowBlock::default(), Some(&unfit));
    assert!(nothing.quarantined().is_empty());
    assert_eq!(validator.finish().records, 0);
}

#[test]
fn an_undefined_value_fails_only_a_rule_that_asks_for_it() {
    let mut records = good(3);
    records[1].size = u32::MAX;
    records[2].price = i64::MAX;
    let (blocks, tally) = validated(&trades(), &BTreeMap::new(), 10, &records);
    assert_eq!(tally.quarantined, 1);
    assert_eq!(&*blocks[0].quarantined()[0].failed[0], "price_present");
    assert_eq!(blocks[0].quarantined()[0].found, "price = null");
    let json: serde_json::Value = serde_json::from_str(&blocks[0].quarantined()[0].record).unwrap();
    assert_eq!(json["price"], serde_json::Value::Null);
}

#[test]
fn a_record_that_fails_several_rules_is_one_record_and_names_them_all() {
    let mut records = good(2);
    records[1].size = 0;
    records[1].side = b'X'.cast_signed();
    records[1].action = b'A'.cast_signed();
    let (blocks, tally) = validated(&trades(), &BTreeMap::new(), 10, &records);
    assert_eq!(tally.quarantined, 1);
    let failed: Vec<_> = blocks[0].quarantined()[0]
        .failed
        .iter()
        .map(|rule| &**rule)
        .collect();
    assert_eq!(failed, ["action_is_trade", "size_positive", "side_known"]);
    assert_eq!(tally.failures().len(), 3);
}

#[test]
fn a_records_text_is_told_without_what_acts_on_a_terminal() {
    let mapping = changed_mapping(Schema::Trades, |text| {
        text.replace(
            "rules:\n",
            "  - {name: word, value: \"\\e[2Ja\\tb'é\"}\nrules:\n  \
             - {name: odd, check: word = side and word = 'x', severity: error}\n",
        )
    });
    let mut records = good(1);
    records[0].side = 7;
    let (_, tally) = validated(&mapping, &BTreeMap::new(), 10, &records);
    let odd = tally
        .rules
        .iter()
        .find(|rule| &*rule.rule == "odd")
        .unwrap();
    let told = &odd.examples[0];
    assert!(told.contains("side = '\\u{7}'"), "{told}");
    assert!(told.contains("word = '\\u{1b}[2Ja\\tb'é'"), "{told}");
}

#[test]
fn warnings_and_infos_are_loaded_and_counted() {
    let mut records = good(10);
    records[4].hd.ts_event = records[4].ts_recv + 1;
    let (blocks, tally) = validated(&trades(), &BTreeMap::new(), 0, &records);
    assert_eq!((tally.quarantined, blocks[0].rows().len()), (0, 10));
    let failures = tally.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(
        (failures[0].severity, failures[0].records),
        (Severity::Info, 1)
    );
}

#[test]
fn a_job_turns_rules_on_and_off() {
    let mut records = good(10);
    records[4].size = 0;
    let off: BTreeMap<_, _> = [("size_positive".to_owned(), false)].into();
    let (_, tally) = validated(&trades(), &off, 0, &records);
    assert_eq!(tally.quarantined, 0);
    let disabled = changed_mapping(Schema::Trades, |text| {
        text.replace("check: size > 0", "check: size > 0\n    enabled: false")
    });
    let (_, tally) = validated(&disabled, &BTreeMap::new(), 0, &records);
    assert_eq!(tally.quarantined, 0);
    let on: BTreeMap<_, _> = [("size_positive".to_owned(), true)].into();
    let (_, tally) = validated(&disabled, &on, 10, &records);
    assert_eq!(tally.quarantined, 1);
}

#[test]
fn above_the_limit_the_rest_is_counted_and_neither_loaded_nor_kept() {
    let mut records = good(10_000);
    for record in &mut records[3_000..] {
        record.size = 0;
    }
    let (blocks, tally) = validated(&trades(), &BTreeMap::new(), 100, &records);
    assert_eq!((tally.records, tally.quarantined), (10_000, 7_000));
    assert!(!blocks[0].is_given_up());
    assert!(blocks[1].is_given_up());
    assert!(blocks[1..].iter().all(|block| block.rows().is_empty()));
    assert!(
        blocks[1..]
            .iter()
            .all(|block| block.quarantined().is_empty())
    );
    let worst = tally.worst().unwrap();
    assert_eq!(
        (&*worst.rule, worst.examples.len()),
        ("size_positive", EXAMPLES)
    );
}

#[test]
fn a_limit_is_a_share_that_may_be_reached_and_not_passed() {
    let limit: QuarantineLimit = "0.5".parse().unwrap();
    assert!(!limit.passed_by(5, 1_000));
    assert!(limit.passed_by(6, 1_000));
    assert_eq!((limit.most_of(1_000), limit.most_of(1_199)), (5, 5));
    assert_eq!(limit.to_string(), "0.5 %");
    let none: QuarantineLimit = "0".parse().unwrap();
    assert!(!none.passed_by(0, 0) && none.passed_by(1, u64::MAX));
    let all: QuarantineLimit = "100".parse().unwrap();
    assert!(!all.passed_by(7, 7));
    for text in ["-1", "100.1", "0.00001", "one", ""] {
        assert!(text.parse::<QuarantineLimit>().is_err(), "{text}");
    }
}

#[test]
fn no_legal_record_of_the_real_data_is_held_back() {
    let Some(folder) = shared_data() else { return };
    let mut judged = BTreeMap::<&str, u64>::new();
    for file in files(&folder) {
        // The vendor's format before DBN: a decoder knows it, and nobody sends it any more.
        if file.extension().is_some_and(|extension| extension == "dbz") {
            continue;
        }
        let Ok(metadata) = header(&file) else {
            continue;
        };
        let Some(schema) = metadata.schema else {
            continue;
        };
        let mapping = Mapping::load(&ConfigFiles::CompiledIn, schema).unwrap();
        let tally = judge(&file, &metadata, &mapping)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (quarantined, name) = (tally.quarantined, file.display());
        assert_eq!(quarantined, 0, "{name}: {:?}", tally.worst());
        *judged.entry(schema.as_str()).or_default() += tally.records;
    }
    assert!(judged.len() >= 18, "{judged:?}");
    assert!(judged["mbp-1"] > 180_000, "{judged:?}");
}
