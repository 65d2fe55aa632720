//! A mapping and the table that it fills: columns, their kinds, and what must have a value.

use common::configuration::files::ConfigFiles;
use common::configuration::mapping::{ColumnType, Mapping};
use common::request::SCHEMAS;
use common::store::table::{Table, TableColumn};
use common::store::{Access, Store};
use dbn::Schema;
use testkit::checksum::{execute, scalar};
use testkit::sandbox::Sandbox;

use super::{COLUMNS, assert_shows, load, table, with};

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
        let help = match line.contains("value:") {
            true => format!("write `type: {theirs}` beside `value`"),
            false => format!("fill it with {theirs}"),
        };
        assert_shows(&refusal, &[&told, &help, "trades.yaml:"]);
    }
    assert!(check("price", "{name: price, scale: 0.5}").is_ok());
    assert!(check("price", "{name: price, field: size, type: price}").is_ok());
    assert!(check("side", "{name: side, value: B, type: char}").is_ok());
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
