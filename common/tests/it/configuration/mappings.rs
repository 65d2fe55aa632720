//! Mappings: every one of the project's fits its table, and a wrong one is refused at its place.

mod fit;
mod told;

use common::configuration::document::Refusal;
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::{ColumnType, Mapping, Source, Value};
use common::request::SCHEMAS;
use common::store::Store;
use common::store::table::Table;
use dbn::Schema;
use testkit::sandbox::Sandbox;

use super::assert_shows;
use super::shapes::MAPPING as SHAPE;

const COLUMNS: &str = "\
schemas: [trades]
table: trades_data
columns:
  - {name: instrument_id}
  - {name: ts_recv}
  - {name: publisher_id}
  - {name: ts_event}
  - {name: price}
  - {name: size}
  - {name: action}
  - {name: side}
  - {name: flags}
  - {name: depth}
  - {name: ts_in_delta}
  - {name: sequence}
";

fn load(file: &str, schema: Schema) -> Result<Mapping, Refusal> {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).expect("a folder can be made");
    sandbox.write("schemas/trades.yaml", file);
    let mapping = Mapping::load(&ConfigFiles::Folder(sandbox.path().to_owned()), schema);
    if mapping.is_ok() {
        SHAPE.assert_takes(file);
    }
    mapping
}

/// The mapping with one column's line replaced.
fn with(column: &str, line: &str) -> String {
    COLUMNS.replace(&format!("{{name: {column}}}"), line)
}

async fn table(name: &str) -> Table {
    let store = Store::in_memory().await.expect("it can be made");
    store.table(name).await.expect("the table is known")
}

#[tokio::test]
async fn no_field_of_a_record_is_left_out_by_the_projects_mappings() {
    for schema in SCHEMAS {
        let mapping = Mapping::load(&ConfigFiles::CompiledIn, schema).unwrap();
        for field in &mapping.layout.fields {
            let mapped = mapping.columns.iter().any(|column| {
                matches!(&column.source, Source::Field { field: mapped, .. } if mapped == field)
            });
            // The depth of an update is part of the level in schemas of one level.
            assert!(mapped, "{schema}: {}", field.name);
        }
    }
}

#[test]
fn a_column_takes_the_type_of_its_field_or_one_that_it_can_become() {
    let text = with("price", "{name: price, type: integer, default: 0}");
    let text = text.replace("{name: flags}", "{name: flags, value: 7, type: integer}");
    let mapping = load(&text, Schema::Trades).unwrap();
    let column = |name| {
        mapping
            .columns
            .iter()
            .find(|column| column.name == name)
            .unwrap()
    };
    assert_eq!(column("price").column_type, ColumnType::Integer);
    let default = match &column("price").source {
        Source::Field { default, .. } => default.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(default, Some(Value::Integer(0)));
    assert!(matches!(
        column("flags").source,
        Source::Constant(Value::Integer(7))
    ));
    assert_eq!(column("ts_recv").column_type, ColumnType::Timestamp);
    assert_eq!(column("side").column_type, ColumnType::Char);
}

#[test]
fn a_default_is_read_by_the_columns_type() {
    let given = [
        ("price", "-1.5", Value::Integer(-1_500_000_000)),
        (
            "ts_event",
            "1970-01-01T00:00:01Z",
            Value::Integer(1_000_000_000),
        ),
        ("size", "12", Value::Integer(12)),
        ("side", "N", Value::Text("N".into())),
    ];
    for (column, written, wanted) in given {
        let text = with(column, &format!("{{name: {column}, default: '{written}'}}"));
        let mapping = load(&text, Schema::Trades).unwrap();
        let mapped = mapping
            .columns
            .iter()
            .find(|mapped| mapped.name == column)
            .unwrap();
        assert!(
            matches!(&mapped.source, Source::Field { default: Some(value), .. } if *value == wanted)
        );
    }
    for (column, written) in [
        ("price", "0.0000000001"),
        ("price", "x"),
        ("size", "1.5"),
        ("side", "NN"),
        ("ts_event", "1970"),
        ("size", "-9223372036854775808"),
        ("price", "-9223372036.854775808"),
        ("ts_event", "1600-01-01T00:00:00Z"),
        ("ts_event", "2300-01-01T00:00:00Z"),
    ] {
        let text = with(column, &format!("{{name: {column}, default: '{written}'}}"));
        let refusal = load(&text, Schema::Trades).unwrap_err();
        assert_shows(
            &refusal,
            &[written, "does not fit", "trades.yaml:", "write for example"],
        );
    }
}

#[test]
fn a_key_that_would_do_nothing_is_refused() {
    for (line, shown) in [
        (
            "{name: flags, default: 0}",
            ["`default`", "flags is never undefined", "trades.yaml:12:28"],
        ),
        (
            "{name: flags, field: sequence, default: 0}",
            [
                "`default`",
                "sequence is never undefined",
                "trades.yaml:12:45",
            ],
        ),
        (
            "{name: flags, field: granularity, default: x}",
            [
                "`default` goes with a field",
                "granularity",
                "trades.yaml:12:48",
            ],
        ),
        (
            "{name: flags, field: granularity, scale: 2}",
            [
                "`scale` goes with a field",
                "granularity",
                "trades.yaml:12:46",
            ],
        ),
        (
            "{name: flags, field: granularity, type: integer}",
            ["granularity is text", "`type`", "trades.yaml:12:45"],
        ),
    ] {
        let refusal = load(&with("flags", line), Schema::Trades).expect_err(line);
        assert_shows(&refusal, &shown);
    }
}

#[test]
fn a_value_with_nul_is_refused() {
    for line in [
        "{name: side, default: \"\\0\"}",
        "{name: side, value: \"\\0\", type: char}",
        "{name: side, value: \"a\\0b\"}",
    ] {
        let refusal = load(&with("side", line), Schema::Trades).expect_err(line);
        assert_shows(&refusal, &["NUL", "trades.yaml:11:"]);
    }
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest() {
    let text = with("price", "{name: price, field: prise}");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "no field \"prise\"",
            "trades.yaml:8:26",
            "did you mean `price`?",
        ],
    );
    let text = with("price", "{name: open}");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["no field \"open\"", "trades.yaml:8:12"]);
}

#[test]
fn a_field_that_cannot_become_the_type_is_refused() {
    let text = with("side", "{name: side, type: price}");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "\"side\" is char",
            "can't become price",
            "trades.yaml:11:24",
            "write `type: char`",
        ],
    );
    let text = with("size", "{name: size, type: float}");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["float", "integer", "trades.yaml:9:"]);
}

#[test]
fn a_column_that_is_mapped_twice_is_refused() {
    let text = format!("{COLUMNS}  - {{name: price}}\n");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &["\"price\" is mapped twice", "trades.yaml:16:12", "keep one"],
    );
}

#[test]
fn a_column_has_one_source() {
    for (line, place) in [
        ("{name: size, field: size, value: 1}", "trades.yaml:9:38"),
        (
            "{name: size, field: size, expression: price}",
            "trades.yaml:9:43",
        ),
        (
            "{name: size, value: 1, expression: price}",
            "trades.yaml:9:40",
        ),
    ] {
        let refusal = load(&with("size", line), Schema::Trades).unwrap_err();
        assert_shows(&refusal, &["one of them", place, "leave the others out"]);
    }
    for (line, place) in [
        ("{name: size, value: 1, scale: 2}", "trades.yaml:9:35"),
        (
            "{name: size, expression: price, default: 1}",
            "trades.yaml:9:46",
        ),
    ] {
        let refusal = load(&with("size", line), Schema::Trades).unwrap_err();
        assert_shows(&refusal, &["goes with a field", place]);
    }
}

#[test]
fn what_ownership_and_clustering_rest_on_is_the_records_own() {
    for (column, line, place) in [
        (
            "instrument_id",
            "{name: instrument_id, field: size}",
            ":4:34",
        ),
        (
            "instrument_id",
            "{name: instrument_id, value: 1, type: integer}",
            ":4:34",
        ),
        ("instrument_id", "{name: instrument_id, scale: 2}", ":4:34"),
        (
            "instrument_id",
            "{name: instrument_id, type: price}",
            ":4:33",
        ),
        ("ts_recv", "{name: ts_recv, field: ts_event}", ":5:28"),
        (
            "ts_recv",
            "{name: ts_recv, expression: instrument_id + 1}",
            ":5:33",
        ),
        ("ts_recv", "{name: ts_recv, type: integer}", ":5:27"),
    ] {
        let refusal = load(&with(column, line), Schema::Trades).expect_err(line);
        let help = format!("write `- {{name: {column}}}`");
        assert_shows(&refusal, &["has to be the record's own", place, &help]);
    }
    let plain = with(
        "ts_recv",
        "{name: ts_recv, field: ts_recv, type: timestamp}",
    );
    assert!(load(&plain, Schema::Trades).is_ok());
    // Where records have no time of receipt, the column of that name is any other.
    let bars =
        "schemas: [ohlcv-1d]\ntable: trades_data\ncolumns:\n  - {name: ts_recv, field: ts_event}\n";
    assert!(load(bars, Schema::Ohlcv1D).is_ok());
}

#[test]
fn a_factor_has_to_be_one_and_only_numbers_have_it() {
    for (column, line, place) in [
        ("price", "{name: price, scale: 0}", "trades.yaml:8:26"),
        ("price", "{name: price, scale: ten}", "trades.yaml:8:26"),
        (
            "price",
            "{name: price, scale: 0.0000000001}",
            "trades.yaml:8:26",
        ),
        ("side", "{name: side, scale: 2}", "trades.yaml:11:25"),
        ("ts_event", "{name: ts_event, scale: 2}", "trades.yaml:7:29"),
        (
            "price",
            "{name: price, scale: 7000000000000000000000000000}",
            "trades.yaml:8:26",
        ),
    ] {
        let refusal = load(&with(column, line), Schema::Trades).unwrap_err();
        assert_shows(&refusal, &[place]);
    }
}

#[test]
fn a_derived_column_refers_to_those_above_it_and_is_a_value() {
    for (line, shown) in [
        (
            "{name: size, expression: sequence + 1}",
            &[
                "column \"size\": unknown column `sequence`",
                "trades.yaml:9:30",
            ][..],
        ),
        (
            "{name: size, expression: price > 0}",
            &["trades.yaml:9:30", "^^^^^^^^^"],
        ),
        (
            "{name: size, expression: ts_event, type: char}",
            &[
                "the expression is timestamp, which can't become char",
                "trades.yaml:9:46",
            ],
        ),
        (
            "{name: size, expression: price / 2}",
            &["trades.yaml:9:", "* 0.5"],
        ),
    ] {
        let refusal = load(&with("size", line), Schema::Trades).unwrap_err();
        assert_shows(&refusal, shown);
    }
    let mapping = load(
        &with("size", "{name: size, expression: price * 0.5}"),
        Schema::Trades,
    );
    let mapping = mapping.unwrap();
    let size = mapping
        .columns
        .iter()
        .find(|column| column.name == "size")
        .unwrap();
    assert_eq!((size.column_type, size.nullable), (ColumnType::Price, true));
}

#[test]
fn another_rule_or_mapping_is_another_version() {
    let version = |file: &str, switches: &[(&str, bool)]| {
        let mapping = load(file, Schema::Trades).unwrap();
        let switches = switches.iter().map(|(name, on)| ((*name).to_owned(), *on));
        mapping.version(&switches.collect())
    };
    let with_rule = |check: &str| {
        format!("{COLUMNS}rules:\n  - {{name: small, check: {check}, severity: info}}\n")
    };
    let first = version(&with_rule("size > 0"), &[]);
    assert_eq!(
        first,
        version(&format!("# A word.\n{}", with_rule("size > 0")), &[])
    );
    assert_eq!(first, version(&with_rule("size > 0"), &[("small", true)]));
    let others = [
        version(&with_rule("size > 1"), &[]),
        version(&with_rule("size > 0"), &[("small", false)]),
        version(
            &with_rule("size > 0").replace("{name: price}", "{name: price, scale: 2}"),
            &[],
        ),
        version(&with_rule("size > 0").replace("info", "error"), &[]),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, first, "{index}");
    }
    assert_eq!(others[1], version(COLUMNS, &[]));
    // What is left out means the same as where it is written.
    let written = with("price", "{name: price, field: price, type: price}");
    assert_eq!(version(&written, &[]), version(COLUMNS, &[]));
    let mut columns: Vec<_> = [
        "{name: side}",
        "{name: side, default: N}",
        "{name: side, value: N, type: char}",
        "{name: side, field: action}",
        "{name: side, expression: action}",
    ]
    .iter()
    .map(|line| version(&with("side", line), &[]))
    .collect();
    columns.sort_unstable();
    columns.dedup();
    assert_eq!(columns.len(), 5);
    // It is kept in databases: another number here means that every chunk is gone through again.
    assert_eq!(version(COLUMNS, &[]), "e3945264b372910a");
}
