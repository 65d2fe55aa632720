//! Questions to the market tables, and their answers: a stream of typed rows, the same on both engines.
//!
//! ```
//! use common::query::Query;
//! use common::store::{Access, Store};
//! use common::time::Day;
//! use dbn::Schema;
//! use rust_decimal::Decimal;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let small = testkit::small::database().await;
//! # let url = small.url();
//! // For example sqlite://data/backhaul.db, or postgres://user@host/database.
//! let Some(store) = Store::open(&url, Access::Read).await? else {
//!     panic!("there is no database yet: run a job first");
//! };
//! let (Some(first), Some(last)) = (Day::from_ymd(2024, 1, 2), Day::from_ymd(2024, 1, 3)) else {
//!     panic!("there are such days");
//! };
//! let query = Query::new(Schema::Trades).symbol("ES.c.0").days(first, last);
//! let mut answer = query.run(&store).await?;
//! let mut volume = 0;
//! let mut high = Decimal::MIN;
//! while let Some(trade) = answer.next().await? {
//!     volume += trade.get::<i64>("size")?;
//!     high = high.max(trade.get("price")?);
//! }
//! assert_eq!((volume, high.normalize().to_string()), (21, "4800.5".to_owned()));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! A row has its values by the columns' names, each exact: a price is a [`rust_decimal::Decimal`], a
//! time a [`chrono::DateTime`] with nanoseconds. What may be undefined is asked for as an `Option`.
//! An answer is a [`futures::Stream`] as well:
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use common::query::{Order, Query, QueryError};
//! use futures::TryStreamExt;
//! # use common::store::{Access, Store};
//! # use dbn::Schema;
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let small = testkit::small::database().await;
//! # let store = Store::open(&small.url(), Access::Read).await?.expect("it was made");
//! // ES.c.0 is ESH4 on these days: the rows are the same. NQ.c.0 is not held.
//! let query = Query::new(Schema::Trades)
//!     .symbols(["ESH4", "NQ.c.0"])
//!     .side('B')
//!     .order(Order::Descending)
//!     .limit(2);
//! let answer = query.run(&store).await?;
//! assert_eq!(answer.unknown()[0].symbol, "NQ.c.0");
//! let rows: Vec<_> = answer.into_stream().try_collect().await?;
//! let received: DateTime<Utc> = rows[0].get("ts_recv")?;
//! assert_eq!(received.to_rfc3339(), "2024-01-03T14:30:00.000000005+00:00");
//! assert_eq!(rows[0].get::<Option<i64>>("ts_event")?, None);
//! assert_eq!(rows[0].symbol(), "ESH4");
//!
//! // Errors are told apart.
//! match Query::new(Schema::Trades).symbol("ES.c.O").run(&store).await {
//!     Err(QueryError::UnknownSymbols { unknown, .. }) => assert_eq!(unknown[0].near[0], "ES.c.0"),
//!     other => panic!("{other:?}"),
//! }
//! let impossible = Query::new(Schema::Ohlcv1D).side('A').run(&store).await;
//! assert!(matches!(impossible, Err(QueryError::BadParameter { parameter: "side", .. })));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! - **Symbols** mean what they meant at the time: a continuous symbol follows its rolls, and a raw
//!   symbol is found also where it was not asked for, by the definitions. A record that two of the
//!   symbols mean comes once for each; one that chunks overlap on comes once.
//! - **Order** is by index time (`ts_recv`, for bars `ts_event`), and within an instant as delivered.
//! - **Memory** doesn't grow with the answer, and the first row waits for no other: rows are read in
//!   pages, of one state of the database.

mod error;
mod names;
mod row;
mod request;

use std::sync::Arc;

use futures::Stream;

pub use self::error::{QueryError, UnknownSymbol};
pub use self::names::{end, schema, start, stat_type, stat_type_name};
pub(crate) use self::names::{granularity, table};
pub use self::request::{Order, Query};
pub use self::row::{Column, ColumnError, FromValue, Row, Value};
use crate::store::MergedRows;

/// An answer: what is not in it, and its rows, read as they are asked for.
#[derive(Debug)]
pub struct Answer {
    pub(crate) columns: Arc<[Column]>,
    pub(crate) unknown: Vec<UnknownSymbol>,
    pub(crate) without_records: Vec<String>,
    pub(crate) rows: MergedRows,
}

impl Answer {
    /// The columns of all rows.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The symbols that the database doesn't know; of the others the rows come nevertheless.
    #[must_use]
    pub fn unknown(&self) -> &[UnknownSymbol] {
        &self.unknown
    }

    /// The symbols that are known, but not for the time that was asked for.
    #[must_use]
    pub fn not_then(&self) -> &[String] {
        &self.without_records
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// [`QueryError`] when the database fails.
    pub async fn next(&mut self) -> Result<Option<Row>, QueryError> {
        Ok(self.rows.next().await?)
    }

    /// The rows as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Row, QueryError>> + Send {
        futures::stream::try_unfold(self, async |mut answer| {
            let row = answer.next().await?;
            Ok(row.map(|row| (row, answer)))
        })
    }

    /// How many rows are in memory now: a few pages at most, however large the answer is.
    #[must_use]
    pub fn rows_in_memory(&self) -> usize {
        self.rows.in_memory()
    }

    /// How the database reads the rows of the first instrument, in its own words.
    ///
    /// # Errors
    /// [`QueryError`] when the database fails.
    pub async fn explain(&mut self) -> Result<Vec<String>, QueryError> {
        Ok(self.rows.explain().await?)
    }
}
