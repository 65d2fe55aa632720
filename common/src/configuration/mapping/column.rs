//! One column of a mapping: where its values come from, and that they are of its type.

use std::str::FromStr;

use dbn::Schema;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_saphyr::Spanned;

#[cfg(feature = "json-schema")]
use super::shape;
use super::value::read_value;
use super::version::meaning;
use super::{ColumnType, MappedColumn, Source, Value, mentions, place_of};
use crate::configuration::document::{Document, Refusal};
use crate::expression::{self, ExpressionError, ValueType, convertible};
use crate::nearest::did_you_mean;
use crate::record_layout::{Field, FieldKind, RecordLayout};
use crate::store::rows::LINEAGE;

/// The name of the field that every record has: what tells a schema's sizes apart, `1d` for
/// `ohlcv-1d`.
const GRANULARITY: &str = "granularity";
/// The field that says whose record it is.
const INSTRUMENT: &str = "instrument_id";
/// What a field's value is called where it is scaled or cast.
const VALUE: &str = "value";

#[derive(Debug, Deserialize)]
#[cfg_attr(
    feature = "json-schema",
    derive(schemars::JsonSchema),
    schemars(extend("allOf" = shape::one_source()))
)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenColumn {
    /// The table's column.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::column"))]
    pub(super) name: Spanned<String>,
    /// The record's field; when left out, that of the column's name.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<shape::Text>"))]
    pub(super) field: Option<Spanned<String>>,
    /// What the column holds; when left out, what its source is.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<ColumnType>"))]
    pub(super) r#type: Option<Spanned<ColumnType>>,
    /// What the field's number is multiplied by, exactly; at most 9 decimals.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<shape::Factor>"))]
    pub(super) scale: Option<Spanned<String>>,
    /// What stands for an undefined value; NULL when left out.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<shape::Text>"))]
    pub(super) default: Option<Spanned<String>>,
    /// A value for every row, instead of a field.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<shape::Text>"))]
    pub(super) value: Option<Spanned<String>>,
    /// An SQL expression over the columns above, instead of a field.
    #[cfg_attr(feature = "json-schema", schemars(with = "Option<shape::Text>"))]
    pub(super) expression: Option<Spanned<String>>,
}

impl WrittenColumn {
    /// Whether its expression refers to one of the names.
    pub(super) fn mentions(&self, names: &[String]) -> bool {
        let expression = self.expression.as_ref();
        expression.is_some_and(|expression| mentions(&expression.value, names))
    }
}

/// Checks columns one after the other; each may refer to those before it.
pub(super) struct Columns<'a> {
    pub(super) document: &'a Document,
    pub(super) schema: Schema,
    pub(super) layout: &'a RecordLayout,
}

impl Columns<'_> {
    pub(super) fn check(
        &self,
        column: &WrittenColumn,
        before: &[MappedColumn],
    ) -> Result<MappedColumn, Refusal> {
        self.check_name(column, before)?;
        let sources = [
            column.field.as_ref(),
            column.value.as_ref(),
            column.expression.as_ref(),
        ];
        if let [Some(_), Some(second), ..]
        | [_, Some(_), Some(second)]
        | [Some(_), _, Some(second)] = sources
        {
            let message = "a column has a field, a value or an expression, one of them".to_owned();
            return Err(self
                .document
                .refuse_at(second, message, "leave the others out"));
        }
        let (column_type, source, nullable) = match (&column.value, &column.expression) {
            (Some(value), _) => self.constant(column, value)?,
            (None, Some(text)) => self.expression(column, text, before)?,
            (None, None) => self.field(column)?,
        };
        if let Some(refusal) = self.not_the_records_own(column, &source) {
            return Err(refusal);
        }
        Ok(MappedColumn {
            name: column.name.value.clone(),
            meaning: meaning(column, column_type),
            column_type,
            source,
            nullable,
            place: place_of(&column.name),
        })
    }

    fn check_name(&self, column: &WrittenColumn, before: &[MappedColumn]) -> Result<(), Refusal> {
        let name = &column.name.value;
        if before.iter().any(|earlier| earlier.name == *name) {
            let message = format!("column {name:?} is mapped twice");
            let help = "keep one of the two";
            return Err(self.document.refuse_at(&column.name, message, help));
        }
        if LINEAGE.contains(&name.as_str()) {
            let message = format!("column {name:?} fills itself");
            return Err(self
                .document
                .refuse_at(&column.name, message, "leave it out"));
        }
        Ok(())
    }

    /// Which records a chunk holds, and in which order a table has them, rests on the instrument and
    /// the index time: their columns are the fields as they are.
    fn not_the_records_own(&self, column: &WrittenColumn, source: &Source) -> Option<Refusal> {
        let name = column.name.value.as_str();
        let plain = matches!(
            source,
            Source::Field { field, conversion: None, default: None } if field.name == name
        );
        if plain || ![INSTRUMENT, self.layout.index_time].contains(&name) {
            return None;
        }
        let texts = [&column.value, &column.expression, &column.field];
        let texts = texts
            .into_iter()
            .flatten()
            .filter(|text| text.value != name);
        let texts = texts.chain(&column.scale).chain(&column.default);
        let mut places = texts
            .map(place_of)
            .chain(column.r#type.as_ref().map(place_of));
        let place = places.next().unwrap_or(place_of(&column.name));
        let message = format!("the column {name:?} has to be the record's own {name}");
        let help = format!("write `- {{name: {name}}}`, and give the other value another column");
        Some(self.document.refuse_at(&place, message, &help))
    }

    fn constant(
        &self,
        column: &WrittenColumn,
        value: &Spanned<String>,
    ) -> Result<(ColumnType, Source, bool), Refusal> {
        self.refuse_beside(column, "a value")?;
        let column_type = column.r#type.as_ref().map_or(ColumnType::Text, |t| t.value);
        let constant = read_value(self.document, value, column_type)?;
        Ok((column_type, Source::Constant(constant), false))
    }

    fn expression(
        &self,
        column: &WrittenColumn,
        text: &Spanned<String>,
        before: &[MappedColumn],
    ) -> Result<(ColumnType, Source, bool), Refusal> {
        self.refuse_beside(column, "an expression")?;
        let columns: Vec<_> = before.iter().map(MappedColumn::as_operand).collect();
        let compiled = expression::Value::compile(&text.value, &columns).map_err(|error| {
            let message = format!("column {:?}: {}", column.name.value, error.message);
            self.document
                .refuse_within(text, error.start..error.end, message, error.help)
        })?;
        let own = compiled.value_type();
        let column_type = match &column.r#type {
            Some(written) => written.value,
            None => ColumnType::natural(own),
        };
        if !convertible(own, column_type.value_type()) {
            let (from, to) = (ColumnType::natural(own).name(), column_type.name());
            let message = format!("the expression is {from}, which can't become {to}");
            let place = column.r#type.as_ref().map_or(place_of(text), place_of);
            let help = format!("leave `type` out, or write `type: {from}`");
            return Err(self.document.refuse_at(&place, message, &help));
        }
        let nullable = compiled.nullable();
        Ok((column_type, Source::Expression(compiled), nullable))
    }

    fn field(&self, column: &WrittenColumn) -> Result<(ColumnType, Source, bool), Refusal> {
        let name = column.field.as_ref().unwrap_or(&column.name);
        if name.value == GRANULARITY {
            self.refuse_beside(column, "the granularity")?;
            if let Some(other) = column
                .r#type
                .as_ref()
                .filter(|t| t.value != ColumnType::Text)
            {
                let message = "the granularity is text".to_owned();
                return Err(self.document.refuse_at(other, message, "leave `type` out"));
            }
            let size = self.schema.as_str().rsplit('-').next().unwrap_or_default();
            let constant = Source::Constant(Value::Text(size.to_owned()));
            return Ok((ColumnType::Text, constant, false));
        }
        let Some(field) = self.layout.field(&name.value) else {
            return Err(self.unknown_field(name));
        };
        let own = own_type(field.kind);
        let factor = column.scale.as_ref();
        let factor = factor.map(|scale| self.factor(scale, own)).transpose()?;
        let column_type = column.r#type.as_ref().map_or(own, |written| written.value);
        if !convertible(own.value_type(), column_type.value_type()) {
            let (from, to) = (own.name(), column_type.name());
            let message = format!(
                "the field {:?} is {from}, which can't become {to}",
                name.value
            );
            let help = format!("leave `type` out, or write `type: {from}`");
            let place = column.r#type.as_ref().map_or(place_of(name), place_of);
            return Err(self.document.refuse_at(&place, message, &help));
        }
        let default = column.default.as_ref();
        let default = default
            .map(|value| read_value(self.document, value, column_type))
            .transpose()?;
        let undefined = field.can_be_undefined() && self.layout.index_time != field.name;
        if let (false, Some(default)) = (undefined, &column.default) {
            let message = format!("the field {} is never undefined", field.name);
            let help = "leave `default` out: it would stand nowhere";
            return Err(self.document.refuse_at(default, message, help));
        }
        let nullable = undefined && default.is_none();
        let conversion = conversion(field, factor, own, column_type).map_err(|error| {
            let place = column.scale.as_ref().map_or(place_of(name), place_of);
            let help = "write a factor of fewer digits";
            self.document.refuse_at(&place, error.message, help)
        })?;
        let source = Source::Field {
            conversion,
            field: field.clone(),
            default,
        };
        Ok((column_type, source, nullable))
    }

    fn unknown_field(&self, name: &Spanned<String>) -> Refusal {
        let names = self.layout.fields.iter().map(|field| field.name.as_str());
        let help = did_you_mean(&name.value, names, "the fields");
        let message = format!("{} records have no field {:?}", self.schema, name.value);
        self.document.refuse_at(name, message, &help)
    }

    /// What a field's number is multiplied by.
    fn factor(&self, written: &Spanned<String>, own: ColumnType) -> Result<Decimal, Refusal> {
        if !matches!(own, ColumnType::Integer | ColumnType::Price) {
            let message = format!("a field of type {} can't be scaled", own.name());
            let help = "leave `scale` out; only numbers and prices are scaled";
            return Err(self.document.refuse_at(written, message, help));
        }
        let factor = Decimal::from_str(&written.value).ok();
        let factor = factor.filter(|factor| factor.scale() <= 9 && !factor.is_zero());
        factor.ok_or_else(|| {
            let message = format!("{:?} is no factor", written.value);
            let help = "write a decimal of at most 9 decimals that is not 0, for example 0.01";
            self.document.refuse_at(written, message, help)
        })
    }

    /// What belongs to fields alone has no place beside a value or an expression.
    fn refuse_beside(&self, column: &WrittenColumn, what: &str) -> Result<(), Refusal> {
        let beside = [("scale", &column.scale), ("default", &column.default)];
        for (key, written) in beside {
            if let Some(written) = written {
                let message = format!("`{key}` goes with a field, not with {what}");
                let help = format!("leave `{key}` out");
                return Err(self.document.refuse_at(written, message, &help));
            }
        }
        Ok(())
    }
}

/// How a field's own value becomes the column's, where they differ.
fn conversion(
    field: &Field,
    factor: Option<Decimal>,
    own: ColumnType,
    column_type: ColumnType,
) -> Result<Option<expression::Value>, ExpressionError> {
    if factor.is_none() && own == column_type {
        return Ok(None);
    }
    let (least, greatest) = field.kind.bounds();
    let operand = expression::Column {
        name: VALUE.to_owned(),
        value_type: own.value_type(),
        nullable: field.can_be_undefined(),
        least,
        greatest,
    };
    let text = match factor {
        None => VALUE.to_owned(),
        Some(factor) => format!("{VALUE} * ({factor})"),
    };
    expression::Value::compile(&text, &[operand]).map(Some)
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

impl ColumnType {
    /// What the column's values are in an expression.
    #[must_use]
    pub fn value_type(self) -> ValueType {
        match self {
            Self::Integer => ValueType::Number { scale: 0 },
            Self::Price => ValueType::Number { scale: 9 },
            Self::Timestamp => ValueType::Timestamp,
            Self::Char => ValueType::Char,
            Self::Text => ValueType::Text,
        }
    }

    /// The column that holds an expression's values: whole numbers as such, other ones as prices.
    fn natural(value_type: ValueType) -> Self {
        match value_type {
            ValueType::Number { scale: 0 } => Self::Integer,
            ValueType::Number { .. } => Self::Price,
            ValueType::Timestamp => Self::Timestamp,
            ValueType::Char => Self::Char,
            ValueType::Text => Self::Text,
        }
    }
}
