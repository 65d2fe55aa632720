//! The same rows in every format.

use super::{Cells, cells, column, query, rows};
use crate::installation::Installation;

/// Asserts that CSV, JSON, the table and, where it is built in, Parquet show what lines of JSON show.
pub async fn agree(installation: &Installation, arguments: &[&str]) {
    let rows = rows(installation, arguments).await;
    let json = query(installation, arguments, "json").await.stdout;
    let array: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let objects: Vec<_> = array
        .iter()
        .map(|object| cells(&object.to_string()))
        .collect();
    assert_eq!(objects, rows);
    assert_eq!(
        from_csv(&query(installation, arguments, "csv").await.stdout),
        rows
    );
    assert_table_shows(&query(installation, arguments, "table").await.stdout, &rows);
    #[cfg(feature = "parquet")]
    assert_eq!(parquet::read(installation, arguments).await, rows);
}

/// Reads CSV as RFC 4180 has it; an empty field is undefined.
pub fn from_csv(text: &str) -> Vec<Cells> {
    let mut records = vec![vec![String::new()]];
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        let record = records.last_mut().unwrap();
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                record.last_mut().unwrap().extend(letters.next());
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\n' if !quoted => records.push(vec![String::new()]),
            letter => record.last_mut().unwrap().push(letter),
        }
    }
    assert_eq!(records.pop().unwrap(), [""], "it ends with a line's end");
    let head = records.remove(0);
    let cells = |record: Vec<String>| {
        assert_eq!(record.len(), head.len());
        let defined = record
            .into_iter()
            .map(|field| Some(field).filter(|field| !field.is_empty()));
        head.iter().cloned().zip(defined).collect()
    };
    records.into_iter().map(cells).collect()
}

/// Every line of a table has the values of its columns, in their order.
fn assert_table_shows(table: &str, rows: &[Cells]) {
    let mut lines = table.lines();
    let head: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert!(head.len() > 5, "{head:?}");
    assert!(lines.next().unwrap().starts_with("──"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), rows.len());
    for (line, row) in lines.iter().zip(rows) {
        let cells = head.iter().filter_map(|name| {
            let cell = row[*name].clone()?;
            match *name {
                "stat_type" => common::query::stat_type_name(cell.parse().unwrap()),
                _ => Some(cell),
            }
        });
        let expected: Vec<_> = cells.collect();
        let expected = expected.join(" ");
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>(),
            expected.split_whitespace().collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn what_csv_and_json_would_misread_is_quoted() {
    let installation = Installation::synthetic().await;
    let job = installation.job(super::rolls::JOB);
    installation.succeed(&["run", &job]).await;
    installation
        .execute(
            "UPDATE definitions_data SET security_group = 'a,\"b\"' || char(10) || 'c\\' || char(27)
             WHERE asset = 'ES'",
        )
        .await;
    let arguments = ["--schema", "definitions", "-s", "ES.c.0"];
    let read = from_csv(&query(&installation, &arguments, "csv").await.stdout);
    assert_eq!(read, rows(&installation, &arguments).await);
    assert_eq!(column(&read, "security_group")[0], "a,\"b\"\nc\\\u{1b}");
    let table = query(&installation, &arguments, "table").await.stdout;
    assert!(
        !table.contains('\u{1b}'),
        "a text doesn't steer the terminal"
    );
}

#[tokio::test]
async fn simulated_records_are_the_same_in_every_format() {
    let installation = Installation::synthetic().await;
    let job = installation.job(super::rolls::JOB);
    installation.succeed(&["run", &job]).await;
    for schema in ["trades", "ohlcv", "statistics", "definitions"] {
        agree(&installation, &["--schema", schema, "-s", "ES.c.0,CL.c.0"]).await;
    }
}

#[cfg(not(feature = "parquet"))]
#[tokio::test]
async fn a_program_without_parquet_says_how_to_get_it() {
    let installation = Installation::synthetic().await;
    let job = installation.job(super::rolls::JOB);
    installation.succeed(&["run", &job]).await;
    let arguments = [
        "query",
        "--schema",
        "trades",
        "--output-format",
        "parquet",
        "-o",
        "x.parquet",
    ];
    let said = installation.run(&arguments).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.stderr.contains("--features parquet"), "{said:#?}");
    assert!(!installation.sandbox.path().join("x.parquet").exists());
}

#[cfg(feature = "parquet")]
mod parquet {
    //! Parquet as another program reads it: through the columns' own types.

    use std::fs::File;

    use common::price::Price;
    use common::query::Value;
    use parquet::basic::{LogicalType, TimeUnit};
    use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
    use parquet::data_type::DataType;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::{Cells, Installation};
    use crate::query::query;

    /// The rows that a query writes into a Parquet file.
    pub async fn read(installation: &Installation, arguments: &[&str]) -> Vec<Cells> {
        let path = installation.sandbox.path().join("rows.parquet");
        let to_file = [arguments, &["--output", "rows.parquet"]].concat();
        query(installation, &to_file, "parquet").await;
        let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        let mut rows = Vec::new();
        for number in 0..file.num_row_groups() {
            let group = file.get_row_group(number).unwrap();
            let count = usize::try_from(group.metadata().num_rows()).unwrap();
            let mut of_group = vec![Cells::new(); count];
            for column in 0..group.num_columns() {
                let described = schema.column(column);
                let logical = described.logical_type_ref().cloned();
                let reader = group.get_column_reader(column).unwrap();
                let values = values(reader, logical, count);
                for (row, value) in of_group.iter_mut().zip(values) {
                    row.insert(described.name().to_owned(), value);
                }
            }
            rows.extend(of_group);
        }
        rows
    }

    fn values(
        reader: ColumnReader,
        logical: Option<LogicalType>,
        count: usize,
    ) -> Vec<Option<String>> {
        match (reader, logical) {
            (ColumnReader::Int64ColumnReader(reader), None) => {
                all(reader, count, |number| number.to_string())
            }
            (ColumnReader::Int64ColumnReader(reader), Some(LogicalType::Timestamp(time))) => {
                assert!(time.is_adjusted_to_u_t_c);
                assert_eq!(time.unit, TimeUnit::NANOS);
                all(reader, count, |nanoseconds| {
                    Value::time(*nanoseconds).to_string()
                })
            }
            (
                ColumnReader::FixedLenByteArrayColumnReader(reader),
                Some(LogicalType::Decimal(kind)),
            ) => {
                assert_eq!((kind.scale, kind.precision), (9, 20));
                all(reader, count, |bytes| {
                    let bytes = bytes.data();
                    let negative = bytes[0] & 0x80 != 0;
                    let mut wide = [if negative { 0xff } else { 0 }; 16];
                    wide[16 - bytes.len()..].copy_from_slice(bytes);
                    let billionths = i64::try_from(i128::from_be_bytes(wide)).unwrap();
                    Price(billionths).to_string()
                })
            }
            (ColumnReader::ByteArrayColumnReader(reader), Some(LogicalType::String)) => {
                all(reader, count, |text| text.as_utf8().unwrap().to_owned())
            }
            (_, logical) => panic!("{logical:?}"),
        }
    }

    fn all<T: DataType>(
        mut reader: ColumnReaderImpl<T>,
        count: usize,
        text: impl Fn(&T::T) -> String,
    ) -> Vec<Option<String>> {
        let (mut defined, mut values) = (Vec::new(), Vec::new());
        let read = reader.read_records(count, Some(&mut defined), None, &mut values);
        assert_eq!(read.unwrap().0, count);
        let mut values = values.iter();
        let cells = defined
            .iter()
            .map(|level| (*level == 1).then(|| text(values.next().unwrap())));
        cells.collect()
    }
}
