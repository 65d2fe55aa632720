//! `PostgreSQL`'s own reading of what is sent to it.

use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::request::SCHEMAS;
use common::store::copy::CopyEncoder;
use common::store::rows::NULL;
use common::time::Nanos;
use testkit::postgres::Postgres;
use testkit::sandbox::Sandbox;

use super::{CHUNK, SECOND, SECONDS_TO_2000, Values, file, mapping};

fn create_table(encoder: &CopyEncoder, table: &str) -> String {
    let columns = encoder.columns().iter();
    let columns: Vec<_> = columns
        .map(|column| format!("{} {}", column.name, column.sql_type))
        .collect();
    format!("CREATE TABLE {table} ({});\n", columns.join(", "))
}

/// Every number beside every other's NULL, and text that other formats would have to escape.
fn awkward_rows() -> Vec<Values> {
    let mut numbers = vec![
        NULL + 1,
        i64::MAX,
        0,
        1,
        -1,
        5_012_250_000_000,
        -37_630_000_000,
    ];
    numbers.extend((0..19).flat_map(|zeros| [10_i64.pow(zeros), -10_i64.pow(zeros) - 1]));
    for second in [0, -1, SECONDS_TO_2000, 1_704_153_600] {
        numbers.extend([-1_000, -999, -1, 0, 1, 999, 1_000].map(|ns| second * SECOND + ns));
    }
    let texts = [
        "",
        "ES.c.0",
        "a\tb\nc\\N\r",
        "\\.",
        "NULL",
        "'\"|,;{}",
        "Zürich €",
        "日本 🦀\u{301}",
        "\u{1}\u{7f}",
    ];
    let rows = numbers.iter().zip(0..).map(|(number, row)| {
        let place = usize::try_from(row).expect("a small number");
        Values {
            count: (row % 3 != 0).then_some(*number),
            price: (row % 5 != 1).then_some(*number),
            instant: (row % 7 != 2).then_some(*number),
            code: u8::try_from(row % 128).ok().filter(|code| *code != 0),
            text: (row % 4 != 3).then(|| texts[place % texts.len()].to_owned()),
            record_number: row,
        }
    });
    rows.collect()
}

/// A row as the query below prints it, from the values themselves.
fn printed(row: &Values) -> String {
    let or_null = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
    let price = row.price.map(|billionths| {
        let sign = if billionths < 0 { "-" } else { "" };
        let size = billionths.unsigned_abs();
        format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000)
    });
    [
        or_null(row.count.map(|count| count.to_string())),
        or_null(price),
        or_null(row.instant.map(|instant| Nanos(instant).to_string())),
        or_null(row.code.map(|code| common::hex(&[code]))),
        or_null(row.text.as_deref().map(|text| common::hex(text.as_bytes()))),
        CHUNK.to_string(),
        row.record_number.to_string(),
        "42|-1.250000000|2024-01-04T00:00:00.000000001Z|N|as ever".to_owned(),
    ]
    .join("|")
}

#[test]
fn postgresql_holds_every_value_as_it_was() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let sandbox = Sandbox::new();
    let rows = awkward_rows();
    let path = sandbox.path().join("rows.copy");
    std::fs::write(&path, file(&rows, 7)).unwrap();
    let instant = |name: &str| {
        format!(
            "to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')
                 || lpad({name}_ns::text, 3, '0') || 'Z'"
        )
    };
    let mut script = create_table(&CopyEncoder::new(&mapping()), "own");
    script += &format!("\\copy own from '{}' (format binary)\n", path.display());
    script += "\\pset null NULL\n";
    script += &format!(
        "SELECT count, price, {}, encode(convert_to(code, 'UTF8'), 'hex'),
             encode(convert_to(words, 'UTF8'), 'hex'), chunk_id, row_number,
             fixed_count, fixed_price, {}, fixed_code, fixed_words
         FROM own ORDER BY row_number;\n",
        instant("instant"),
        instant("fixed_instant"),
    );
    let output = postgres.psql(&script);
    let held: Vec<_> = output.lines().collect();
    let expected: Vec<_> = rows.iter().map(printed).collect();
    assert_eq!(held, expected);
}

#[test]
fn postgresql_takes_the_columns_of_every_mapping() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let tables = SCHEMAS.map(|schema| {
        let mapping = Mapping::load(&ConfigFiles::CompiledIn, schema).unwrap();
        let table = format!("\"{schema}\"");
        create_table(&CopyEncoder::new(&mapping), &table)
    });
    let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public';";
    let output = postgres.psql(&format!("{}{count}", tables.concat()));
    assert_eq!(output.trim(), SCHEMAS.len().to_string());
}
