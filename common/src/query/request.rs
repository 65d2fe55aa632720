//! What is asked for: a builder, checked before the database is.

use dbn::Schema;

use super::{Answer, QueryError, stat_type_name};
use crate::record_layout::RecordLayout;
use crate::store::Store;
use crate::time::{Day, Nanos, Span};

/// The name that stands for every symbol.
const EVERYTHING: &str = "ALL_SYMBOLS";
/// Symbols of one query at most.
const SYMBOLS_MAX: usize = 10_000;
/// Characters of a symbol or another name at most.
const NAME_MAX: usize = 200;

/// The order of the rows, by index time; within an instant as they were delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    #[default]
    Ascending,
    /// The newest first.
    Descending,
}

/// What is asked for: records of one schema. Everything else narrows it down.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) schema: Schema,
    pub(crate) symbols: Vec<String>,
    pub(crate) dataset: Option<String>,
    pub(crate) span: Span,
    pub(crate) sides: Vec<char>,
    pub(crate) size_min: Option<i64>,
    pub(crate) size_max: Option<i64>,
    pub(crate) stat_types: Vec<u16>,
    pub(crate) assets: Vec<String>,
    pub(crate) exchanges: Vec<String>,
    pub(crate) limit: Option<u64>,
    pub(crate) order: Order,
}

impl Query {
    /// All records of a schema, of every symbol and of all time, the oldest first.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self {
            schema,
            symbols: Vec::new(),
            dataset: None,
            span: Span {
                start: Nanos(i64::MIN),
                end: Nanos(i64::MAX),
            },
            sides: Vec::new(),
            size_min: None,
            size_max: None,
            stat_types: Vec::new(),
            assets: Vec::new(),
            exchanges: Vec::new(),
            limit: None,
            order: Order::Ascending,
        }
    }

    /// A symbol of any kind: continuous, raw, a parent, or an instrument's number. May be repeated.
    #[must_use]
    pub fn symbol(self, symbol: impl Into<String>) -> Self {
        self.symbols([symbol])
    }

    /// Several symbols; `ALL_SYMBOLS` is every one.
    #[must_use]
    pub fn symbols(mut self, symbols: impl IntoIterator<Item = impl Into<String>>) -> Self {
        for symbol in symbols {
            let symbol = symbol.into().trim().to_owned();
            if !self.symbols.contains(&symbol) {
                self.symbols.push(symbol);
            }
        }
        self
    }

    /// Of this dataset alone, such as `GLBX.MDP3`.
    #[must_use]
    pub fn dataset(mut self, dataset: impl Into<String>) -> Self {
        self.dataset = Some(dataset.into());
        self
    }

    /// From the first of these UTC days to the last, both whole.
    #[must_use]
    pub fn days(self, first: Day, last: Day) -> Self {
        self.since(first.start()).until(last.plus(1).start())
    }

    /// From this index time on.
    #[must_use]
    pub fn since(mut self, start: Nanos) -> Self {
        self.span.start = start;
        self
    }

    /// Before this index time.
    #[must_use]
    pub fn until(mut self, end: Nanos) -> Self {
        self.span.end = end;
        self
    }

    /// Of this side alone: `A` ask, `B` bid, `N` none. May be repeated.
    #[must_use]
    pub fn side(mut self, side: char) -> Self {
        self.sides.push(side);
        self
    }

    /// Of at least this size.
    #[must_use]
    pub fn min_size(mut self, size: i64) -> Self {
        self.size_min = Some(size);
        self
    }

    /// Of at most this size.
    #[must_use]
    pub fn max_size(mut self, size: i64) -> Self {
        self.size_max = Some(size);
        self
    }

    /// Statistics of this kind alone, by the vendor's number; [`super::stat_type`] finds it by its
    /// name. May be repeated.
    #[must_use]
    pub fn stat_type(mut self, kind: u16) -> Self {
        self.stat_types.push(kind);
        self
    }

    /// Of instruments of this asset, such as `ES`, as the definition says that held at the time. May
    /// be repeated.
    #[must_use]
    pub fn asset(mut self, asset: impl Into<String>) -> Self {
        self.assets.push(asset.into());
        self
    }

    /// Of instruments of this exchange, such as `XCME`, as the definition says that held at the time.
    /// May be repeated.
    #[must_use]
    pub fn exchange(mut self, exchange: impl Into<String>) -> Self {
        self.exchanges.push(exchange.into());
        self
    }

    /// At most so many rows, the first of the order.
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// In this order.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// Asks a database.
    ///
    /// # Errors
    /// [`QueryError`]; of several symbols, some may be unknown ([`Answer::unknown`]).
    pub async fn run(&self, store: &Store) -> Result<Answer, QueryError> {
        self.check()?;
        store.query(self).await
    }

    /// Whether every symbol is asked for.
    pub(crate) fn wants_everything(&self) -> bool {
        self.symbols.is_empty() || self.symbols.iter().any(|symbol| symbol == EVERYTHING)
    }

    /// Refuses what makes no sense, whatever the database holds.
    ///
    /// # Errors
    /// [`QueryError::BadParameter`].
    pub fn check(&self) -> Result<(), QueryError> {
        if self.span.start >= self.span.end {
            let message = "the period ends before it begins";
            return Err(QueryError::bad("end-date", message, "end it later"));
        }
        if self.symbols.len() > SYMBOLS_MAX {
            let message = format!("{} symbols are too many", self.symbols.len());
            let help = format!("ask for at most {SYMBOLS_MAX}, or for {EVERYTHING}");
            return Err(QueryError::bad("symbols", message, help));
        }
        if self.symbols.len() > 1 && self.wants_everything() {
            let message = format!("{EVERYTHING} stands beside other symbols");
            return Err(QueryError::bad("symbols", message, "name it alone"));
        }
        for (parameter, names) in [
            ("symbols", &self.symbols),
            ("asset", &self.assets),
            ("exchange", &self.exchanges),
        ] {
            names
                .iter()
                .try_for_each(|name| check_name(parameter, name))?;
        }
        self.check_sizes()?;
        self.check_sides()?;
        self.check_fields()
    }

    fn check_sizes(&self) -> Result<(), QueryError> {
        let sizes = (
            self.size_min.unwrap_or(0),
            self.size_max.unwrap_or(i64::MAX),
        );
        if sizes.0 > sizes.1 {
            let message = "the least size is greater than the greatest";
            return Err(QueryError::bad("min-size", message, "swap them"));
        }
        Ok(())
    }

    fn check_sides(&self) -> Result<(), QueryError> {
        let unknown = self
            .sides
            .iter()
            .find(|side| !['A', 'B', 'N'].contains(side));
        unknown.map_or(Ok(()), |side| {
            let message = format!("there is no side {:?}", side.to_string());
            Err(QueryError::bad(
                "side",
                message,
                "write A (ask), B (bid) or N (none)",
            ))
        })
    }

    /// Refuses a filter by what the schema's records don't have.
    fn check_fields(&self) -> Result<(), QueryError> {
        let layout = RecordLayout::of(self.schema);
        let sizes = self.size_min.is_some() || self.size_max.is_some();
        for (parameter, field, asked) in [
            ("side", "side", !self.sides.is_empty()),
            ("min-size", "size", sizes),
            ("stat-type", "stat_type", !self.stat_types.is_empty()),
        ] {
            if asked && layout.field(field).is_none() {
                let message = format!("{} has no {field}", self.schema);
                return Err(QueryError::bad(parameter, message, "leave it out"));
            }
        }
        let unknown = self.stat_types.iter();
        let unknown = unknown
            .copied()
            .find(|kind| stat_type_name(*kind).is_none() && *kind < 10_000);
        unknown.map_or(Ok(()), |kind| {
            let help = "1 is the opening price, 3 the settlement price, 9 the open interest";
            let message = format!("there is no statistic {kind}");
            Err(QueryError::bad("stat-type", message, help))
        })
    }
}

fn check_name(parameter: &'static str, name: &str) -> Result<(), QueryError> {
    if name.is_empty() {
        return Err(QueryError::bad(
            parameter,
            "a name is empty",
            "leave it out",
        ));
    }
    if name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        let shown: String = name.chars().take(20).collect();
        let message = format!("{shown:?}… is no name");
        let help = format!("names have at most {NAME_MAX} printable characters");
        return Err(QueryError::bad(parameter, message, help));
    }
    Ok(())
}
