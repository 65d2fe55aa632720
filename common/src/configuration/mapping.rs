//! A mapping: which record fields become which columns of a market table, and the rules that the
//! columns are held to.

mod column;
mod fit;
mod read;
pub mod rule;
#[cfg(feature = "json-schema")]
mod shape;
mod value;
mod version;

use dbn::Schema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use self::column::Columns;
pub use self::read::Mappings;
pub(super) use self::read::Written;
use self::read::{ADD_A_FILE, WrittenFiles};
use self::rule::{Rule, check_rules};
use super::document::{Document, Refusal};
use super::files::ConfigFiles;
use crate::expression;
use crate::record_layout::{Field, RecordLayout};

/// What a column of a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
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
#[derive(Clone, Debug)]
pub enum Source {
    /// A field of the record; where it is undefined, the default or NULL.
    Field {
        /// The field.
        field: Field,
        /// How its value becomes the column's, where it is scaled or cast: an expression over
        /// that one value.
        conversion: Option<expression::Value>,
        /// What stands for an undefined value.
        default: Option<Value>,
    },
    /// The same value in every row.
    Constant(Value),
    /// An expression over the columns before.
    Expression(expression::Value),
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
    /// Whether it can be NULL.
    pub nullable: bool,
    /// What it means, as it is written.
    meaning: String,
    place: Spanned<()>,
}

impl MappedColumn {
    /// The column as expressions see it.
    fn as_operand(&self) -> expression::Column {
        let (least, greatest) = match &self.source {
            Source::Field {
                field,
                conversion: None,
                default: None,
            } => field.kind.bounds(),
            // What is computed, given or filled in may be any number that a column holds.
            Source::Field { .. } | Source::Constant(_) | Source::Expression(_) => {
                (-i64::MAX, i64::MAX)
            }
        };
        expression::Column {
            name: self.name.clone(),
            value_type: self.column_type.value_type(),
            nullable: self.nullable,
            least,
            greatest,
        }
    }
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
    /// The rules that its columns are held to, in the order of the mapping file.
    pub rules: Vec<Rule>,
    /// Names of columns and rules that were refused.
    refused: Vec<String>,
    document: Document,
    table_place: Spanned<()>,
}

impl Mapping {
    /// The mapping of one schema, from the files of `configs/schemas/`.
    ///
    /// # Errors
    /// [`Refusal`] when a file is wrong, or none or more than one maps the schema.
    pub fn load(files: &ConfigFiles, schema: Schema) -> Result<Self, Refusal> {
        let mut read = Self::read(files, &[schema])?;
        let (mapping, refusals) = read.remove(0);
        refusals.into_iter().next().map_or(Ok(mapping), Err)
    }

    /// The mappings of some schemas, each without what is refused of it: what the table has to say
    /// of the rest may explain it. One a schema, in their order; each file is read once.
    ///
    /// # Errors
    /// [`Refusal`] when a file can't be read, or none or more than one maps a schema.
    pub fn read(
        files: &ConfigFiles,
        schemas: &[Schema],
    ) -> Result<Vec<(Self, Vec<Refusal>)>, Refusal> {
        let read = WrittenFiles::read(files)?;
        if let Some(refusal) = read.refusals.into_iter().next() {
            return Err(refusal);
        }
        let mapping = |schema: &Schema| {
            let mut found = read.files.iter();
            let Some(file) = found.find(|file| file.schemas.contains(schema)) else {
                let message = format!("no file maps the schema {schema}");
                return Err(Refusal::of(files.place("schemas"), message, ADD_A_FILE));
            };
            Ok(Self::check(&file.document, &file.written, *schema))
        };
        schemas.iter().map(mapping).collect()
    }

    /// The file that it is written in.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.document.origin
    }

    /// Whether nothing of its file was refused.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.refused.is_empty()
    }

    /// The mapping without what is refused of it.
    fn check(document: &Document, written: &Written, schema: Schema) -> (Self, Vec<Refusal>) {
        let layout = RecordLayout::of(schema);
        let mut columns: Vec<MappedColumn> = Vec::with_capacity(written.columns.len());
        let (mut refused, mut refusals) = (Vec::new(), Vec::new());
        let checks = Columns {
            document,
            schema,
            layout: &layout,
        };
        for column in &written.columns {
            // What is computed from a refused column is told once that one is mended.
            let rests_on_refused = column.mentions(&refused);
            let checked = match rests_on_refused {
                true => Err(None),
                false => checks.check(column, &columns).map_err(Some),
            };
            match checked {
                Ok(checked) => columns.push(checked),
                Err(refusal) => {
                    refusals.extend(refusal);
                    refused.push(column.name.value.clone());
                }
            }
        }
        let operands: Vec<_> = columns.iter().map(MappedColumn::as_operand).collect();
        let (rules, refused_rules) = check_rules(document, &written.rules, &operands, &mut refused);
        refusals.extend(refused_rules);
        let mapping = Self {
            schema,
            layout,
            table: written.table.value.clone(),
            columns,
            rules,
            refused,
            document: document.clone(),
            table_place: place_of(&written.table),
        };
        (mapping, refusals)
    }
}

fn place_of<T>(written: &Spanned<T>) -> Spanned<()> {
    Spanned::new((), written.referenced, written.defined)
}

/// Whether an expression has one of the names in it.
fn mentions(expression: &str, names: &[String]) -> bool {
    let mut words = expression.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.any(|word| names.iter().any(|name| name == word))
}
