//! A record as JSON: every field of every schema, exact, against the records' own structures.

use common::record_layout::RecordLayout;
use dbn::{InstrumentDefMsg, MboMsg, Schema, StatMsg, TradeMsg};
use serde_json::{Value, json};
use worker::record_json::record_json;

fn parsed(schema: Schema, record: &[u8]) -> Value {
    let layout = RecordLayout::of(schema);
    let text = record_json(&layout, record);
    let value: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = layout
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(keys, sorted, "{schema}");
    // In the order of the layout.
    let places: Vec<_> = names
        .iter()
        .map(|name| text.find(&format!("\"{name}\":")))
        .collect();
    assert!(places.is_sorted(), "{text}");
    value
}

#[test]
fn a_trade_keeps_its_nanoseconds_its_price_and_its_sign() {
    let mut trade = TradeMsg::default();
    trade.hd.publisher_id = 1;
    trade.hd.instrument_id = u32::MAX;
    trade.hd.ts_event = 1_700_000_000_123_456_789;
    trade.price = -1;
    trade.size = 0;
    trade.action = b'T'.cast_signed();
    trade.side = 0;
    trade.ts_in_delta = -5;
    trade.ts_recv = u64::MAX;
    let value = parsed(Schema::Trades, trade.as_ref());
    assert_eq!(value["instrument_id"], json!(4_294_967_295_u32));
    assert_eq!(value["ts_event"], json!("2023-11-14T22:13:20.123456789Z"));
    assert_eq!(value["price"], json!("-0.000000001"));
    assert_eq!(value["size"], json!(0));
    assert_eq!(value["action"], json!("T"));
    assert_eq!(value["ts_in_delta"], json!(-5));
    for undefined in ["side", "ts_recv"] {
        assert_eq!(value[undefined], Value::Null, "{undefined}");
    }
}

#[test]
fn the_ends_of_every_type_are_told_exactly() {
    let trade = TradeMsg {
        price: i64::MAX - 1,
        size: u32::MAX - 1,
        ts_recv: u64::MAX - 1,
        ..TradeMsg::default()
    };
    let value = parsed(Schema::Trades, trade.as_ref());
    assert_eq!(value["price"], json!("9223372036.854775806"));
    assert_eq!(value["size"], json!(u32::MAX - 1));
    assert_eq!(value["ts_recv"], json!(u64::MAX - 1));
    let undefined = TradeMsg {
        price: i64::MAX,
        size: u32::MAX,
        ..TradeMsg::default()
    };
    let value = parsed(Schema::Trades, undefined.as_ref());
    assert_eq!(
        (&value["price"], &value["size"]),
        (&Value::Null, &Value::Null)
    );
    let order = MboMsg {
        order_id: u64::MAX,
        channel_id: u8::MAX,
        ..MboMsg::default()
    };
    let value = parsed(Schema::Mbo, order.as_ref());
    assert_eq!(value["order_id"], json!("18446744073709551615"));
    assert_eq!(value["channel_id"], Value::Null);
    let statistic = StatMsg {
        quantity: i64::MIN,
        ..StatMsg::default()
    };
    assert_eq!(
        parsed(Schema::Statistics, statistic.as_ref())["quantity"],
        json!(i64::MIN)
    );
}

#[test]
fn text_ends_at_its_zero_byte_and_none_is_null() {
    let mut definition = InstrumentDefMsg {
        min_lot_size: i32::MIN,
        contract_multiplier: i32::MAX,
        contract_multiplier_unit: -1,
        ..InstrumentDefMsg::default()
    };
    for (to, from) in definition.raw_symbol.iter_mut().zip(b"ES\"\\") {
        *to = from.cast_signed();
    }
    let value = parsed(Schema::Definition, definition.as_ref());
    assert_eq!(value["raw_symbol"], json!("ES\"\\"));
    assert_eq!(value["currency"], Value::Null);
    assert_eq!(value["min_lot_size"], json!(i32::MIN));
    assert_eq!(value["contract_multiplier"], Value::Null);
    assert_eq!(value["contract_multiplier_unit"], json!(-1));
}
