//! The vendor's answers about what there is: read by the types of its own client, then taken in.

use std::collections::HashMap;

use common::money::Usd;
use common::request::SCHEMAS;
use common::time::{Day, DayRange, Nanos};
use common::vendor::client::available_of;
use common::vendor::{DayCondition, Resolution, SymbolWindow};
use databento::historical::metadata::{DatasetConditionDetail, DatasetRange};
use databento::historical::symbology;
use dbn::{MappingInterval, SType, Schema};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// What the client reads of an answer to `symbology.resolve`.
#[derive(Deserialize)]
struct Resolved {
    result: HashMap<String, Vec<MappingInterval>>,
    partial: Vec<String>,
    not_found: Vec<String>,
}

/// The question by the first byte, and the answer.
///
/// # Panics
/// When what is taken of it is not what it may be: days in their order, windows sorted, amounts
/// that can be written and read.
pub fn vendor_answers(bytes: &[u8]) -> bool {
    let [question, answer @ ..] = bytes else {
        return false;
    };
    match question % 7 {
        0 => read(answer, |conditions: Vec<DatasetConditionDetail>| {
            let days = conditions.iter().filter_map(DayCondition::read);
            days.for_each(|of| assert_sound(of.day));
        }),
        1 => read(answer, assert_range),
        2 => read(answer, |resolved| assert_resolution(resolved, None)),
        3 => read(answer, |resolved| {
            assert_resolution(resolved, Some("ES.FUT".to_owned()))
        }),
        4 => read(answer, |_count: u64| {}),
        5 => read(answer, assert_cost),
        _ => read(answer, |_datasets: Vec<String>| {}) || read(answer, |_: Vec<Schema>| {}),
    }
}

fn read<T: DeserializeOwned>(answer: &[u8], check: impl FnOnce(T)) -> bool {
    // As the client does: text first.
    let answer = std::str::from_utf8(answer).ok();
    let answer = answer.and_then(|answer| serde_json::from_str(answer).ok());
    answer.map(check).is_some()
}

fn assert_sound(day: Day) {
    let first = Day::from_ymd(1970, 1, 1).expect("a day");
    let last = Day::from_ymd(2261, 12, 31).expect("a day");
    assert!((first..=last).contains(&day), "{day}");
    assert_eq!(day.start().day(), day);
}

fn assert_range(range: DatasetRange) {
    for schema in SCHEMAS {
        let of_schema = range.range_by_schema.get(&schema);
        let (start, end) = of_schema.map_or((range.start, range.end), |of| (of.start, of.end));
        let span = available_of(&range, schema);
        // What 64 bits can't hold stays at the end of the range on its own side.
        assert!(
            (start <= end) <= (span.start <= span.end),
            "{span:?} of {range:?}"
        );
        let exact = |nanos: Nanos, meant: time::OffsetDateTime| {
            let meant = meant.unix_timestamp_nanos();
            let held = i64::try_from(meant).unwrap_or(if meant < 0 { i64::MIN } else { i64::MAX });
            assert_eq!(nanos.0, held);
        };
        exact(span.start, start);
        exact(span.end, end);
    }
}

fn assert_cost(quote: f64) {
    let Some(cost) = Usd::from_quote(quote) else {
        return;
    };
    assert_eq!(cost.to_string().parse(), Ok(cost));
    assert!(quote >= 0.0 && cost >= Usd(0), "{cost} of {quote}");
}

fn assert_resolution(resolved: Resolved, parent: Option<String>) {
    let answer = symbology::Resolution {
        mappings: resolved.result,
        partial: resolved.partial,
        not_found: resolved.not_found,
        stype_in: SType::RawSymbol,
        stype_out: SType::InstrumentId,
    };
    let mut resolution = Resolution::default();
    if resolution.take(answer, parent.as_ref()).is_err() {
        return;
    }
    for windows in resolution.windows.values() {
        assert!(windows.is_sorted_by_key(|window| (window.days, window.instrument_id)));
        let days = windows.iter().map(|window| window.days);
        days.for_each(|days| assert_sound(days.start()));
    }
    if parent.is_none() {
        assert_eq!(again(&resolution), resolution);
    }
}

/// The resolution, written as the vendor does and read again.
fn again(resolution: &Resolution) -> Resolution {
    let window = |window: &SymbolWindow| {
        let DayRange { .. } = window.days;
        let (start, end) = (
            window.days.start().to_string(),
            window.days.end().to_string(),
        );
        json!({"d0": start, "d1": end, "s": window.instrument_id.to_string()})
    };
    let windows = resolution.windows.iter();
    let windows = windows.map(|(symbol, of)| (symbol.clone(), of.iter().map(window).collect()));
    let result: serde_json::Map<_, _> = windows.collect();
    let read: Resolved = serde_json::from_value(json!({
        "result": result, "partial": [], "not_found": []
    }))
    .expect("it has the vendor's form");
    let mut again = Resolution::default();
    let answer = symbology::Resolution {
        mappings: read.result,
        partial: Vec::new(),
        not_found: Vec::new(),
        stype_in: SType::RawSymbol,
        stype_out: SType::InstrumentId,
    };
    again.take(answer, None).expect("it was taken before");
    again
}
