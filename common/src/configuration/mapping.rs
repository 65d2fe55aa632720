//! A mapping: which record fields become which columns of a market table.

use dbn::Schema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::document::{Document, Refusal, nearest};
use super::files::ConfigFiles;
use super::job_file::SCHEMAS;
use crate::record_layout::{Field, FieldKind, RecordLayout};
use crate::store::load::TableColumn;

/// The name of the field that every record has: what tells a schema's sizes apart, `1d` for
/// `ohlcv-1d`.
const GRANULARITY: &str = "granularity";

/// What a column of a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// A whole number.
    Integer,
    /// An exact decimal, in billionths.
    Price,
    /// An instant, in nanoseconds.
    Timestamp,
    /// One character.
    Char,
    /// Text.
    Text,
}

impl ColumnType {
    /// The name in a mapping file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Price => "price",
            Self::Timestamp => "timestamp",
            Self::Char => "char",
            Self::Text => "text",
        }
    }
}

/// Where a column's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A field of the record; where it is undefined, the default or NULL.
    Field {
        /// The field.
        field: Field,
        /// What stands for an undefined value.
        default: Option<Value>,
    },
    /// The same value in every row.
    Constant(Value),
}

/// A value that a mapping gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number, billionths or nanoseconds, by the column's type.
    Integer(i64),
    /// Text or a character.
    Text(String),
}

/// One column of a mapping.
#[derive(Clone, Debug)]
pub struct MappedColumn {
    /// The table's column.
    pub name: String,
    /// What it holds.
    pub column_type: ColumnType,
    /// Where its values come from.
    pub source: Source,
    place: Spanned<()>,
}

/// How one schema's records become rows of a table.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The schema.
    pub schema: Schema,
    /// The records' layout.
    pub layout: RecordLayout,
    /// The market table.
    pub table: String,
    /// Its columns, in the order of the mapping file.
    pub columns: Vec<MappedColumn>,
    document: Document,
    table_place: Spanned<()>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The schemas that share the mapping.
    schemas: Vec<Spanned<String>>,
    /// The market table.
    table: Spanned<String>,
    /// The columns.
    columns: Vec<WrittenColumn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenColumn {
    /// The table's column.
    name: Spanned<String>,
    /// The record's field; the column's name when left out.
    field: Option<Spanned<String>>,
    /// What the column holds; the field's own type when left out.
    r#type: Option<Spanned<ColumnType>>,
    /// What stands for an undefined value; NULL when left out.
    default: Option<Spanned<String>>,
    /// A value for every row, instead of a field.
    value: Option<Spanned<String>>,
}

impl Mapping {
    /// The mapping of one schema, from the files of `configs/schemas/`.
    ///
    /// # Errors
    /// [`Refusal`] when a file is wrong, or none or more than one maps the schema.
    pub fn load(files: &ConfigFiles, schema: Schema) -> Result<Self, Refusal> {
        let mut found: Option<(Self, String)> = None;
        for document in files.read_all("schemas")? {
            let written: Written = document.parse()?;
            check_schemas(&document, &written)?;
            let Some(place) = written
                .schemas
                .iter()
                .find(|name| name.value == schema.as_str())
            else {
                continue;
            };
            if let Some((_, first)) = &found {
                let message = format!("{schema} is mapped in {first} already");
                return Err(document.refuse_at(place, message, "keep one mapping for a schema"));
            }
            let mapping = Self::check(&document, &written, schema)?;
            found = Some((mapping, document.origin));
        }
        found.map(|(mapping, _)| mapping).ok_or_else(|| {
            Refusal::of(
                "schemas/",
                format!("no file maps the schema {schema}"),
                "add one to the configuration folder, after the pattern of trades.yaml",
            )
        })
    }

    fn check(document: &Document, written: &Written, schema: Schema) -> Result<Self, Refusal> {
        let layout = RecordLayout::of(schema);
        let mut columns: Vec<MappedColumn> = Vec::with_capacity(written.columns.len());
        for column in &written.columns {
            if columns
                .iter()
                .any(|earlier| earlier.name == column.name.value)
            {
                let message = format!("column {:?} is mapped twice", column.name.value);
                return Err(document.refuse_at(&column.name, message, "keep one of the two"));
            }
            columns.push(check_column(document, column, schema, &layout)?);
        }
        Ok(Self {
            schema,
            layout,
            table: written.table.value.clone(),
            columns,
            document: document.clone(),
            table_place: place_of(&written.table),
        })
    }

    /// Checks the mapping against the table that it fills, before anything is fetched.
    ///
    /// # Errors
    /// [`Refusal`] with the place of a column that the table can't hold, or leaves without a value.
    pub fn check_against(&self, table: &[TableColumn]) -> Result<(), Refusal> {
        if table.is_empty() {
            let message = format!("there is no table {:?}", self.table);
            let help = "write a market table's name, for example trades_data";
            return Err(self.document.refuse_at(&self.table_place, message, help));
        }
        for column in &self.columns {
            let Some(held) = table.iter().find(|held| held.name == column.name) else {
                let names = || table.iter().map(|held| held.name.as_str());
                let help = match nearest(&column.name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("its columns are {}", names().collect::<Vec<_>>().join(", ")),
                };
                let message = format!("{} has no column {:?}", self.table, column.name);
                return Err(self.document.refuse_at(&column.place, message, &help));
            };
            let text = matches!(column.column_type, ColumnType::Char | ColumnType::Text);
            if text != held.holds_text {
                let (ours, theirs) = (column.column_type.name(), &held.sql_type);
                let message = format!(
                    "{:?} is {ours}, and the table's column {theirs}",
                    column.name
                );
                let help = "map a field of the column's type, or change `type`";
                return Err(self.document.refuse_at(&column.place, message, help));
            }
        }
        let filled = |held: &&TableColumn| {
            let own = ["chunk_id", "row_number"].contains(&held.name.as_str());
            own || self.columns.iter().any(|column| column.name == held.name)
        };
        let unfilled = table.iter().find(|held| held.not_null && !filled(held));
        unfilled.map_or(Ok(()), |held| {
            let message = format!(
                "{}.{} must have a value, and nothing fills it",
                self.table, held.name
            );
            let help = format!("add `- {{name: {}}}` to the columns", held.name);
            Err(self.document.refuse_at(&self.table_place, message, &help))
        })
    }
}

fn place_of<T>(written: &Spanned<T>) -> Spanned<()> {
    Spanned::new((), written.referenced, written.defined)
}

fn check_schemas(document: &Document, written: &Written) -> Result<(), Refusal> {
    let known = SCHEMAS.map(|schema| schema.as_str());
    for name in &written.schemas {
        if !known.contains(&name.value.as_str()) {
            let help = match nearest(&name.value, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", known.join(", ")),
            };
            let message = format!("unknown schema {:?}", name.value);
            return Err(document.refuse_at(name, message, &help));
        }
    }
    Ok(())
}

fn check_column(
    document: &Document,
    column: &WrittenColumn,
    schema: Schema,
    layout: &RecordLayout,
) -> Result<MappedColumn, Refusal> {
    let (column_type, source) = match (&column.value, &column.field) {
        (Some(value), Some(_)) => {
            let message = "a column has a value or a field, not both".to_owned();
            return Err(document.refuse_at(value, message, "leave one of the two out"));
        }
        (Some(value), None) => {
            let column_type = column.r#type.as_ref().map_or(ColumnType::Text, |t| t.value);
            let constant = parse_value(document, value, column_type)?;
            (column_type, Source::Constant(constant))
        }
        (None, field) => check_field(document, column, field.as_ref(), schema, layout)?,
    };
    Ok(MappedColumn {
        name: column.name.value.clone(),
        column_type,
        source,
        place: place_of(&column.name),
    })
}

fn check_field(
    document: &Document,
    column: &WrittenColumn,
    field: Option<&Spanned<String>>,
    schema: Schema,
    layout: &RecordLayout,
) -> Result<(ColumnType, Source), Refusal> {
    let name = field.unwrap_or(&column.name);
    if name.value == GRANULARITY {
        let size = schema.as_str().rsplit('-').next().unwrap_or_default();
        return Ok((
            ColumnType::Text,
            Source::Constant(Value::Text(size.to_owned())),
        ));
    }
    let Some(field) = layout.field(&name.value) else {
        let names = || layout.fields.iter().map(|field| field.name.as_str());
        let help = match nearest(&name.value, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields are {}", names().collect::<Vec<_>>().join(", ")),
        };
        let message = format!("{schema} records have no field {:?}", name.value);
        return Err(document.refuse_at(name, message, &help));
    };
    let own = own_type(field.kind);
    let column_type = column.r#type.as_ref().map_or(own, |written| written.value);
    if !converts(own, column_type) {
        let (from, to) = (own.name(), column_type.name());
        let message = format!(
            "the field {:?} is {from}, which can't become {to}",
            name.value
        );
        let help = format!("leave `type` out, or write `type: {from}`");
        let place = column
            .r#type
            .as_ref()
            .map_or_else(|| place_of(name), place_of);
        return Err(document.refuse_at(&place, message, &help));
    }
    let default = column.default.as_ref();
    let default = default
        .map(|value| parse_value(document, value, column_type))
        .transpose()?;
    let field = field.clone();
    Ok((column_type, Source::Field { field, default }))
}

fn own_type(kind: FieldKind) -> ColumnType {
    match kind {
        FieldKind::Price => ColumnType::Price,
        FieldKind::Timestamp => ColumnType::Timestamp,
        FieldKind::Unsigned { .. } | FieldKind::Signed { .. } => ColumnType::Integer,
        FieldKind::Char => ColumnType::Char,
        FieldKind::Id64 | FieldKind::Text(_) => ColumnType::Text,
    }
}

/// Prices and timestamps can be kept as the numbers that they are counted in; the rest stays.
fn converts(from: ColumnType, to: ColumnType) -> bool {
    from == to
        || matches!(
            (from, to),
            (
                ColumnType::Price | ColumnType::Timestamp,
                ColumnType::Integer
            ) | (ColumnType::Char, ColumnType::Text)
        )
}

fn parse_value(
    document: &Document,
    written: &Spanned<String>,
    column_type: ColumnType,
) -> Result<Value, Refusal> {
    let text = written.value.as_str();
    let value = match column_type {
        ColumnType::Integer => text.parse().ok().map(Value::Integer),
        ColumnType::Price => text
            .parse::<rust_decimal::Decimal>()
            .ok()
            .and_then(crate::price::Price::from_decimal)
            .map(|price| Value::Integer(price.0)),
        ColumnType::Timestamp => text
            .parse::<crate::time::Nanos>()
            .ok()
            .map(|instant| Value::Integer(instant.0)),
        ColumnType::Char => (text.len() == 1).then(|| Value::Text(text.to_owned())),
        ColumnType::Text => Some(Value::Text(text.to_owned())),
    };
    value.ok_or_else(|| {
        let example = match column_type {
            ColumnType::Integer => "0",
            ColumnType::Price => "1234.25",
            ColumnType::Timestamp => "2024-01-31T00:00:00Z",
            ColumnType::Char => "N",
            ColumnType::Text => "text",
        };
        let message = format!(
            "{text:?} does not fit a column of type {}",
            column_type.name()
        );
        document.refuse_at(written, message, &format!("write for example {example}"))
    })
}
