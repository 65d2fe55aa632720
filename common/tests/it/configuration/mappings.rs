//! Mappings: every one of the project's fits its table, and a wrong one is refused at its place.

use common::configuration::document::Refusal;
use common::configuration::files::ConfigFiles;
use common::configuration::job_file::SCHEMAS;
use common::configuration::mapping::{ColumnType, Mapping, Mappings, Source, Value};
use common::store::table::{Table, TableColumn};
use common::store::{Access, Store};
use dbn::Schema;
use testkit::checksum::{execute, scalar};
use testkit::sandbox::Sandbox;

use super::assert_shows;

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
    Mapping::load(&ConfigFiles::Folder(sandbox.path().to_owned()), schema)
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
async fn every_schema_has_a_mapping_that_fits_the_migrated_tables() {
    let sandbox = Sandbox::new();
    let url = sandbox.settings("").database_url;
    let store = Store::open(&url, Access::Work).await.unwrap().unwrap();
    for schema in SCHEMAS {
        let mapping = Mapping::load(&ConfigFiles::CompiledIn, schema)
            .unwrap_or_else(|refusal| panic!("{schema}:\n{refusal}"));
        assert_eq!(mapping.schema, schema);
        let table = store.table(&mapping.table).await.unwrap();
        let checked = mapping.check_against(&table);
        checked.unwrap_or_else(|refusal| panic!("{schema}:\n{refusal}"));
        let every_record_is_traced = ["instrument_id", "publisher_id"]
            .iter()
            .all(|name| mapping.columns.iter().any(|column| column.name == *name));
        assert!(every_record_is_traced, "{schema}");
    }
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
fn an_unknown_schema_and_an_unknown_key_are_refused() {
    let text = COLUMNS.replace("[trades]", "[trade]");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "unknown schema \"trade\"",
            "trades.yaml:1:11",
            "did you mean `trades`?",
        ],
    );
    let text = with("size", "{name: size, typ: integer}");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["typ", "type", "trades.yaml:9:18"]);
}

#[test]
fn a_schema_is_mapped_once() {
    let refusal = load(COLUMNS, Schema::Tbbo).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "no file maps the schema tbbo",
            "after the pattern of trades.yaml",
        ],
    );
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).unwrap();
    sandbox.write("schemas/one.yaml", COLUMNS);
    sandbox.write("schemas/two.yaml", COLUMNS);
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    let refusal = Mapping::load(&files, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &["mapped in", "one.yaml already", "two.yaml:1:11"],
    );
}

#[tokio::test]
async fn a_mapping_that_its_table_cannot_hold_is_refused() {
    let table = table("trades_data").await;
    let check = |text: &str| load(text, Schema::Trades).unwrap().check_against(&table);
    assert!(check(COLUMNS).is_ok());

    let refusal = check(&with("price", "{name: prize, field: price}")).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "trades_data has no column \"prize\"",
            "trades.yaml:8:12",
            "did you mean `price`?",
        ],
    );

    let refusal = check(&with("price", "{name: price, field: side}")).unwrap_err();
    assert_shows(
        &refusal,
        &["\"price\" is char", "INTEGER", "trades.yaml:8:12"],
    );

    let refusal = check(&with("side", "{name: side, field: size}")).unwrap_err();
    assert_shows(
        &refusal,
        &["\"side\" is integer", "TEXT", "trades.yaml:11:12"],
    );

    let refusal = check(&COLUMNS.replace("  - {name: flags}\n", "")).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "trades_data.flags must have a value",
            "trades.yaml:2:8",
            "add `- {name: flags}`",
        ],
    );

    for (name, shown) in [
        (
            "trade_data",
            ["no table \"trade_data\"", "did you mean `trades_data`?"],
        ),
        (
            "trades",
            [
                "\"trades\" is no table",
                "`trades` is a view for reading; did you mean `trades_data`?",
            ],
        ),
        ("mbp_1", ["is a view", "did you mean `mbp_1_data`?"]),
    ] {
        let text = COLUMNS.replace("trades_data", name);
        let mapping = load(&text, Schema::Trades).unwrap();
        let refusal = mapping.check_against(&self::table(name).await).unwrap_err();
        assert_shows(&refusal, &shown);
        assert_shows(&refusal, &["trades.yaml:2:8"]);
    }
}

#[tokio::test]
async fn a_column_takes_its_own_kind_alone() {
    let table = table("trades_data").await;
    let check = |column: &str, line: &str| {
        let mapping = load(&with(column, line), Schema::Trades).unwrap();
        mapping.check_against(&table)
    };
    for (column, line, ours, theirs) in [
        (
            "price",
            "{name: price, scale: 100, type: integer}",
            "integer",
            "price",
        ),
        ("price", "{name: price, field: size}", "integer", "price"),
        (
            "price",
            "{name: price, field: ts_event}",
            "timestamp",
            "price",
        ),
        ("size", "{name: size, field: price}", "price", "integer"),
        ("size", "{name: size, type: price}", "price", "integer"),
        (
            "flags",
            "{name: flags, field: ts_recv}",
            "timestamp",
            "integer",
        ),
        (
            "ts_event",
            "{name: ts_event, type: integer}",
            "integer",
            "timestamp",
        ),
        (
            "ts_event",
            "{name: ts_event, field: price}",
            "price",
            "timestamp",
        ),
        ("side", "{name: side, type: text}", "text", "char"),
        ("side", "{name: side, value: bid}", "text", "char"),
    ] {
        let refusal = check(column, line).expect_err(line);
        let told = format!("\"{column}\" is {ours}, and trades_data.{column} is {theirs} (");
        let help = format!("fill it with {theirs}");
        assert_shows(&refusal, &[&told, &help, "trades.yaml:"]);
    }
    assert!(check("price", "{name: price, scale: 0.5}").is_ok());
    assert!(check("price", "{name: price, field: size, type: price}").is_ok());
    assert!(check("side", "{name: side, value: B, type: char}").is_ok());
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

#[tokio::test]
async fn text_may_be_one_character() {
    let bars =
        "schemas: [trades]\ntable: ohlcv_data\ncolumns:\n  - {name: granularity, field: side}\n";
    let mapping = load(bars, Schema::Trades).unwrap();
    let told = mapping.misfits(&table("ohlcv_data").await);
    let told: Vec<_> = told.iter().map(|refusal| &*refusal.message).collect();
    assert!(
        told.iter().all(|told| !told.contains("is char, and")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_column_of_ones_own_takes_what_its_type_holds_until_it_is_registered() {
    let sandbox = Sandbox::new();
    let url = sandbox.settings("").database_url;
    let store = Store::open(&url, Access::Work).await.unwrap().unwrap();
    for sql in [
        "ALTER TABLE trades_data ADD COLUMN own INTEGER",
        "ALTER TABLE trades_data ADD COLUMN word TEXT",
        "ALTER TABLE trades_data ADD COLUMN ratio REAL",
    ] {
        execute(&sandbox.database(), sql).await;
    }
    let check = |line: &str, table: &Table| {
        let text = format!("{COLUMNS}  - {{{line}}}\n");
        load(&text, Schema::Trades).unwrap().check_against(table)
    };
    let found = store.table("trades_data").await.unwrap();
    for line in [
        "name: own, field: size",
        "name: own, field: price",
        "name: own, field: ts_event",
        "name: word, field: side",
        "name: word, value: CME",
    ] {
        assert!(check(line, &found).is_ok(), "{line}");
    }
    for (line, shown) in [
        ("name: own, field: side", "trades_data.own is INTEGER"),
        ("name: word, field: price", "trades_data.word is TEXT"),
        ("name: ratio, field: price", "trades_data.ratio is REAL"),
    ] {
        assert_shows(&check(line, &found).expect_err(line), &[shown]);
    }
    let sql = "INSERT INTO column_kinds VALUES ('trades_data', 'own', 'price')";
    execute(&sandbox.database(), sql).await;
    let found = store.table("trades_data").await.unwrap();
    assert!(check("name: own, field: price", &found).is_ok());
    let refusal = check("name: own, field: size", &found).unwrap_err();
    assert_shows(
        &refusal,
        &["\"own\" is integer, and trades_data.own is price"],
    );
}

#[tokio::test]
async fn the_kinds_of_columns_agree_with_the_views_and_with_all_mappings() {
    let sandbox = Sandbox::new();
    let url = sandbox.settings("").database_url;
    let store = Store::open(&url, Access::Work).await.unwrap().unwrap();
    let mut tables = std::collections::BTreeSet::new();
    for schema in SCHEMAS {
        let mapping = Mapping::load(&ConfigFiles::CompiledIn, schema).unwrap();
        let table = store.table(&mapping.table).await.unwrap();
        for column in &mapping.columns {
            let held = |held: &&TableColumn| held.name == column.name;
            let held = table.columns.iter().find(held).expect(&column.name);
            let kind = Some(column.column_type);
            assert_eq!(held.column_type, kind, "{schema}: {}", column.name);
        }
        tables.insert(mapping.table);
    }
    let mut listed = 0;
    for table in &tables {
        let view = table.strip_suffix("_data").unwrap();
        let sql = format!("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = '{view}'");
        let view: String = scalar(&sandbox.database(), &sql).await;
        for column in store.table(table).await.unwrap().columns {
            let name = &column.name;
            let price = view.contains(&format!("abs({name}) % 1000000000) END AS {name}"));
            let time = view.contains(&format!("{name} % 1000000000) AS {name}"));
            let wanted = match (price, time) {
                (true, _) => ColumnType::Price,
                (_, true) => ColumnType::Timestamp,
                _ => column.column_type.expect(name),
            };
            let shown = matches!(wanted, ColumnType::Price | ColumnType::Timestamp);
            assert_eq!(shown, price || time, "{table}.{name}");
            assert_eq!(column.column_type, Some(wanted), "{table}.{name}");
            listed += 1;
        }
    }
    let kinds: i64 = scalar(&sandbox.database(), "SELECT count(*) FROM column_kinds").await;
    assert_eq!(kinds, listed);
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

#[tokio::test]
async fn a_column_that_may_be_undefined_needs_a_table_that_takes_it_or_a_default() {
    let table = table("trades_data").await;
    let check = |line: &str| {
        let mapping = load(&with("flags", line), Schema::Trades).unwrap();
        mapping.check_against(&table)
    };
    let refusal = check("{name: flags, field: size}").unwrap_err();
    assert_shows(
        &refusal,
        &[
            "\"flags\" is integer that can be undefined",
            "INTEGER NOT NULL",
            "trades.yaml:12:12",
            "`default`",
        ],
    );
    assert!(check("{name: flags, field: size, default: 0}").is_ok());
    assert!(check("{name: flags, expression: publisher_id + 1}").is_ok());
    assert!(check("{name: flags, expression: size + 1}").is_err());
    // The index time is never undefined, though a time may be.
    assert!(check("{name: flags}").is_ok());
    let control = COLUMNS.replace("table: trades_data", "table: jobs");
    let jobs = self::table("jobs").await;
    let refusal = load(&control, Schema::Trades).unwrap().check_against(&jobs);
    assert_shows(
        &refusal.unwrap_err(),
        &["\"jobs\" is no market table", "trades.yaml:2:8"],
    );
    let own = with("flags", "{name: chunk_id, field: flags}");
    let refusal = load(&own, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &["\"chunk_id\" fills itself", "trades.yaml:12:12"],
    );
}

#[test]
fn rules_are_refused_at_their_place() {
    let rule = |name: &str, check: &str, more: &str| {
        format!("{COLUMNS}rules:\n  - name: {name}\n    check: {check}\n    severity: {more}\n")
    };
    for (file, shown) in [
        (
            rule("Small", "size > 0", "error"),
            &["can't name a rule", "trades.yaml:17:11"][..],
        ),
        (
            rule("small", "size > 0", "fatal"),
            &["fatal", "trades.yaml:19:15", "warning"],
        ),
        (
            rule("small", "sizes > 0", "error"),
            &["did you mean `size`?", "trades.yaml:18:12", "^^^^^"],
        ),
        (
            rule("small", "\"size >\"", "error"),
            &["rule \"small\"", "trades.yaml:18:"],
        ),
        (
            rule("small", "size > 0\n    chek: 1", "error"),
            &["chek", "trades.yaml:19:5"],
        ),
        (
            // What stands over several lines is shown on its own.
            rule("small", ">-\n      size > 0\n      and prise > 0", "error"),
            &[
                "unknown column `prise`",
                "| size > 0 and prise > 0",
                "|              ^^^^^",
            ],
        ),
        (
            format!(
                "{}  - name: small\n    check: size > 1\n    severity: info\n",
                rule("small", "size > 0", "error")
            ),
            &["rule \"small\" is written twice", "trades.yaml:20:11"],
        ),
    ] {
        let refusal = load(&file, Schema::Trades).unwrap_err();
        assert_shows(&refusal, shown);
    }
    let many: String = (0..65)
        .map(|number| format!("  - {{name: rule_{number}, check: size > 0, severity: info}}\n"))
        .collect();
    let refusal = load(&format!("{COLUMNS}rules:\n{many}"), Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["at most 64 rules", "trades.yaml:81:"]);
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

#[test]
fn of_many_names_the_first_are_told() {
    let text = COLUMNS.replace("[trades]", "[definition]");
    let text = text.replace("{name: price}", "{name: price, field: xyzzy}");
    let refusal = load(&text, Schema::Definition).unwrap_err();
    assert_shows(&refusal, &["the fields are publisher_id, ", "more"]);
    let help = refusal.help.unwrap_or_default();
    assert!(help.len() < 300, "{help}");
}

#[test]
fn a_rule_without_a_check_or_a_severity_is_refused_by_name() {
    for (rest, shown) in [
        ("check:\n    severity: error", "rule \"small\" has no check"),
        (
            "check: ''\n    severity: error",
            "rule \"small\" has no check",
        ),
        ("check: size > 0", "rule \"small\" has no severity"),
        (
            "check: size > 0\n    severity:",
            "rule \"small\" has no severity",
        ),
    ] {
        let text = format!("{COLUMNS}rules:\n  - name: small\n    {rest}\n");
        let refusal = load(&text, Schema::Trades).unwrap_err();
        assert_shows(&refusal, &[shown, "trades.yaml:17:11", "write"]);
    }
}

#[test]
fn a_configuration_that_maps_nothing_is_refused() {
    let sandbox = Sandbox::new();
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    let found = Mappings::load(&files).unwrap();
    assert_shows(
        &found.refusals[0],
        &["the configuration maps no schema", "schemas", "trades.yaml"],
    );
    let refusal = load(&COLUMNS.replace("[trades]", "[]"), Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["maps no schema", "trades.yaml:1:10"]);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_and_once() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).unwrap();
    let text = COLUMNS
        .replace("[trades]", "[trades, tbbo]")
        .replace("{name: price}", "{name: price, field: prise}")
        .replace("{name: flags}", "{name: flags, field: ts_event}")
        .replace("{name: depth}", "{name: depth, expression: price + 1}");
    let rules = "rules:
  - {name: one, check: prise > 0, severity: error}
  - {name: two, check: price > 0, severity: error}
  - {name: three, check: size > 'a', severity: error}
";
    sandbox.write("schemas/one.yaml", &format!("{text}{rules}"));
    sandbox.write("schemas/two.yaml", "schemas: [mbo\n");
    sandbox.write(
        "schemas/zero.yaml",
        &COLUMNS.replace("[trades]", "[mbos, trades]"),
    );
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    let found = Mappings::load(&files).unwrap();
    let told: Vec<_> = found.refusals.iter().map(ToString::to_string).collect();
    // What rests on the refused price is not told: it may be well.
    let wanted = [
        "two.yaml",
        "unknown schema \"mbos\"",
        "mapped in",
        "no field \"prise\"",
        "unknown column `prise`",
        "text 'a' compared with integer",
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(!found.all_read);
    let trades = &found.mappings[0];
    assert!(!trades.is_whole());
    let misfits = trades.misfits(&table("trades_data").await);
    let [flags] = misfits.as_slice() else {
        panic!("{misfits:#?}");
    };
    assert_shows(flags, &["\"flags\" is timestamp"]);
}

#[test]
fn what_is_empty_or_doubled_is_told_in_plain_words() {
    for (text, shown) in [
        (
            format!("{COLUMNS}rules:\n"),
            ["a list is needed here", ":16:6"],
        ),
        (
            format!("{COLUMNS}rules:\n  -\n"),
            ["keys with values are needed here", ":17:4"],
        ),
        (
            COLUMNS.replace("trades_data", ""),
            ["there is no value here, or null", ":2:6"],
        ),
        (
            format!("{COLUMNS}---\n{COLUMNS}"),
            [
                "more than one YAML document",
                "keep one of them, without `---`",
            ],
        ),
        (String::new(), ["the file ends too early", "trades.yaml"]),
    ] {
        let refusal = load(&text, Schema::Trades).unwrap_err();
        assert_shows(&refusal, &shown);
        assert!(!refusal.to_string().contains("from_str"), "{refusal}");
    }
}

#[test]
fn of_a_long_line_the_part_around_the_mistake_is_shown() {
    let many = "size > 0 and ".repeat(150);
    let text = format!(
        "{COLUMNS}rules:\n  - {{name: long, severity: error, check: '{many}\tprise > 1 and {many} size > 1'}}\n"
    );
    let refusal = load(&text, Schema::Trades).unwrap_err();
    let told = refusal.to_string();
    let lines: Vec<_> = told.lines().collect();
    let [.., excerpt, marks, _help] = lines.as_slice() else {
        panic!("{told}");
    };
    assert!(excerpt.chars().count() < 115, "{told}");
    assert!(excerpt.contains('…') && !excerpt.contains('\t'), "{told}");
    let (start, end) = (marks.find('^').unwrap(), marks.rfind('^').unwrap());
    let marked: String = excerpt.chars().skip(start).take(end - start + 1).collect();
    assert_eq!(marked, "prise", "{told}");
}
