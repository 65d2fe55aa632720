//! Whether a mapping fits the table that it fills: told before anything is fetched.

use super::{ColumnType, MappedColumn, Mapping, Source};
use crate::configuration::document::Refusal;
use crate::nearest::{did_you_mean, nearest};
use crate::store::rows::LINEAGE;
use crate::store::table::{Table, TableColumn};

impl Mapping {
    /// Checks the mapping against the table that it fills.
    ///
    /// # Errors
    /// [`Refusal`] with the place of a column that the table can't hold, or leaves without a value.
    pub fn check_against(&self, table: &Table) -> Result<(), Refusal> {
        self.misfits(table).into_iter().next().map_or(Ok(()), Err)
    }

    /// All that keeps the mapping from filling the table.
    #[must_use]
    pub fn misfits(&self, table: &Table) -> Vec<Refusal> {
        if let Some(refusal) = self.no_market_table(table) {
            return vec![refusal];
        }
        let columns = self.columns.iter();
        let columns = columns.filter_map(|column| self.misfit(column, table));
        let filled = |held: &TableColumn| {
            let own = LINEAGE.contains(&held.name.as_str()) || self.refused.contains(&held.name);
            own || self.columns.iter().any(|column| column.name == held.name)
        };
        let held = table.columns.iter();
        let unfilled = held.filter(|held| held.not_null && !filled(held));
        let unfilled = unfilled.map(|held| {
            let message = format!(
                "{}.{} must have a value, and nothing fills it",
                self.table, held.name
            );
            let help = format!("add `- {{name: {}}}` to the columns", held.name);
            self.document.refuse_at(&self.table_place, message, &help)
        });
        columns.chain(unfilled).collect()
    }

    /// Of what is refused of the file, and what keeps it from filling the table, the first to mend:
    /// a wrong column is no fault of the rules below that look at it, and what it leaves without a
    /// value may be filled once it is right.
    #[must_use]
    pub fn first_mistake(&self, mut refusals: Vec<Refusal>, table: &Table) -> Option<Refusal> {
        refusals.extend(self.misfits(table));
        let at = self.table_place.referenced;
        let of_table = Some((at.line(), at.column()));
        refusals
            .into_iter()
            .min_by_key(|refusal| (refusal.place == of_table, refusal.place))
    }

    fn no_market_table(&self, table: &Table) -> Option<Refusal> {
        let names = || table.market_tables.iter().map(String::as_str);
        let refuse = |message, help: &str| {
            let refusal = self.document.refuse_at(&self.table_place, message, help);
            Some(refusal)
        };
        if table.is_view {
            let read = format!("{}_data", self.table);
            let meant = names().find(|name| *name == read);
            let help = match meant.or_else(|| nearest(&self.table, names())) {
                Some(near) => {
                    format!(
                        "`{}` is a view for reading; did you mean `{near}`?",
                        self.table
                    )
                }
                None => "write a market table's name, for example trades_data".to_owned(),
            };
            return refuse(format!("{:?} is no table", self.table), &help);
        }
        if table.columns.is_empty() {
            let help = did_you_mean(&self.table, names(), "the market tables");
            return refuse(format!("there is no table {:?}", self.table), &help);
        }
        let has = |own: &&str| table.columns.iter().any(|held| held.name == **own);
        if !LINEAGE.iter().all(has) {
            let [chunk_id, row_number] = LINEAGE;
            let help = format!("write a table that has the columns {chunk_id} and {row_number}");
            return refuse(format!("{:?} is no market table", self.table), &help);
        }
        None
    }

    fn misfit(&self, column: &MappedColumn, table: &Table) -> Option<Refusal> {
        let refuse = |message, help: &str| {
            let refusal = self.document.refuse_at(&column.place, message, help);
            Some(refusal)
        };
        let (name, ours) = (&column.name, column.column_type.name());
        let Some(held) = table.columns.iter().find(|held| held.name == *name) else {
            let names = table.columns.iter().map(|held| held.name.as_str());
            let help = did_you_mean(name, names, "its columns");
            return refuse(format!("{} has no column {name:?}", self.table), &help);
        };
        let takes = held.takes();
        if !takes.contains(&column.column_type) {
            let theirs = match held.column_type {
                Some(theirs) => format!("is {} ({})", theirs.name(), held.sql_type),
                None => format!("is {}", held.sql_type),
            };
            let message = format!("{name:?} is {ours}, and {}.{name} {theirs}", self.table);
            let help = match takes.iter().map(|takes| takes.name()).collect::<Vec<_>>() {
                takes if matches!(column.source, Source::Constant(_)) => {
                    format!(
                        "write `type: {}` beside `value`",
                        takes.join("` or `type: ")
                    )
                }
                takes if takes.is_empty() => {
                    "a column of your own has the type INTEGER or TEXT in SQLite; in PostgreSQL \
                     bigint, numeric(20,9), text, or timestamptz with a smallint NAME_ns beside it"
                        .to_owned()
                }
                takes => format!(
                    "fill it with {}, or add a column of your own to the table",
                    takes.join(" or ")
                ),
            };
            return refuse(message, &help);
        }
        if column.nullable && held.not_null {
            let message = format!(
                "{name:?} is {ours} that can be undefined, and {}.{name} is {} NOT NULL",
                self.table, held.sql_type
            );
            let help = "give the column a `default`, or let the table's column take NULL";
            return refuse(message, help);
        }
        None
    }
}

impl ColumnType {
    /// The type of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Integer,
            Self::Price,
            Self::Timestamp,
            Self::Char,
            Self::Text,
        ];
        all.into_iter().find(|known| known.name() == name)
    }
}
