//! A mapping: which record fields become which columns of a market table, and the rules that the
//! columns are held to.

mod column;
mod fit;
pub mod rule;
mod value;

use std::collections::BTreeMap;

use dbn::Schema;
use serde::Deserialize;
use serde_saphyr::Spanned;
use sha2::{Digest, Sha256};

use self::column::{Columns, WrittenColumn};
use self::rule::{Rule, WrittenRule, applied, check_rules};
use super::document::{Document, Refusal};
use super::files::ConfigFiles;
use super::job_file::SCHEMAS;
use crate::expression;
use crate::nearest::nearest;
use crate::record_layout::{Field, RecordLayout};
use crate::store::rows::LINEAGE;

/// Hexadecimal digits of a version: enough to tell a few hundred apart.
const VERSION_DIGITS: usize = 16;

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
    /// The rules; none when left out.
    #[serde(default)]
    rules: Vec<WrittenRule>,
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

    /// The mappings of all schemas that the files of `configs/schemas/` map.
    ///
    /// # Errors
    /// [`Refusal`] when a file is wrong, or two map one schema.
    pub fn load_all(files: &ConfigFiles) -> Result<Vec<Self>, Refusal> {
        let mut mapped = Vec::new();
        for document in files.read_all("schemas")? {
            let written: Written = document.parse()?;
            check_schemas(&document, &written)?;
            mapped.extend(written.schemas.into_iter().map(|name| name.value));
        }
        let known = SCHEMAS.into_iter();
        known
            .filter(|schema| mapped.iter().any(|name| name == schema.as_str()))
            .map(|schema| Self::load(files, schema))
            .collect()
    }

    /// The file that it is written in.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.document.origin
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
            if LINEAGE.contains(&column.name.value.as_str()) {
                let message = format!("column {:?} fills itself", column.name.value);
                return Err(document.refuse_at(&column.name, message, "leave it out"));
            }
            let checks = Columns {
                document,
                schema,
                layout: &layout,
            };
            let checked = checks.check(column, &columns)?;
            columns.push(checked);
        }
        let operands: Vec<_> = columns.iter().map(MappedColumn::as_operand).collect();
        let rules = check_rules(document, &written.rules, &operands)?;
        Ok(Self {
            schema,
            layout,
            table: written.table.value.clone(),
            columns,
            rules,
            document: document.clone(),
            table_place: place_of(&written.table),
        })
    }

    /// The mapping's version as a job applies it: another mapping, or other rules, have another.
    #[must_use]
    pub fn version(&self, switches: &BTreeMap<String, bool>) -> String {
        let mut text = format!("{} {}\n", self.schema, self.table);
        for column in &self.columns {
            let MappedColumn {
                name,
                column_type,
                source,
                ..
            } = column;
            text.push_str(&format!("{name} {} {source:?}\n", column_type.name()));
        }
        for rule in applied(&self.rules, switches) {
            let Rule {
                name,
                severity,
                text: check,
                ..
            } = rule;
            text.push_str(&format!("{name} {severity} {check}\n"));
        }
        let digest = Sha256::digest(text.as_bytes());
        crate::hex(&digest)[..VERSION_DIGITS].to_owned()
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
