//! `load-sqlite`: the store's load, with its ledger and fence, against a loop over one prepared statement
//! in one transaction; and a whole `scheduler run`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use common::configuration::files::ConfigFiles;
use common::configuration::mapping::Mapping;
use common::store::rows::{ColumnValues, LINEAGE, NULL, RowBlock};
use common::store::{Access, Store};
use common::time::{Day, DayRange};
use dbn::{SType, Schema};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};
use testkit::checksum::tables;
use testkit::sandbox::Sandbox;
use testkit::small::{load_trades, trades};
use tokio::runtime::Runtime;

use crate::fleet::{program, trades_per_day};
use crate::jobs::by_day;
use crate::outcome::{Bound, Outcome};
use crate::programs::run as run_to_end;
use crate::samples::{Samples, in_turns, per_second};
use crate::vendor::Vendor;

const ROUNDS: usize = 5;
const TRADES: i64 = 1_000_000;
const BLOCK: i64 = 2_048;
const INSTRUMENT: u32 = 118;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Runs it.
pub fn run() -> anyhow::Result<Option<Outcome>> {
    let runtime = Runtime::new()?;
    let day = Day::from_ymd(2024, 1, 2).context("a day")?;
    let days = DayRange::new(day, day.plus(1)).context("a day")?;
    let blocks = blocks(days);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut expected = None;
    for is_ours in in_turns(ROUNDS) {
        let sandbox = Sandbox::new();
        let url = sandbox.settings("").database_url;
        let copies = blocks.clone();
        let took = match is_ours {
            true => runtime.block_on(ours_in(&url, days, copies))?,
            false => {
                runtime.block_on(Store::migrate(&url))?;
                by_statement(&sandbox.database(), &copies)?
            }
        };
        let mut tables = runtime.block_on(tables(&sandbox.database()));
        let sum = tables.remove("trades_data").context("there are trades")?;
        ensure!(i64::try_from(sum.rows)? == TRADES, "{} rows", sum.rows);
        let expected = expected.get_or_insert_with(|| sum.clone());
        ensure!(sum == *expected, "both sides load the same rows");
        let side = if is_ours { &mut ours } else { &mut theirs };
        side.push(per_second(TRADES.cast_unsigned(), took));
    }
    let about = "A million trades into the clustered table of a new SQLite database.";
    let mut outcome = Outcome::new(about, ROUNDS);
    let (ours, theirs) = (Samples::new(ours), Samples::new(theirs));
    outcome.ratio("ratio_to_prepared_statement", &ours, &theirs);
    outcome.figure("store_rows_per_second", "rows/s", ours);
    outcome.figure("prepared_statement_rows_per_second", "rows/s", theirs);
    outcome.target("ratio_to_prepared_statement", Bound::AtLeast(0.8));
    outcome.figure("whole_run_rows_per_second", "rows/s", whole_runs(&runtime)?);
    outcome.note("a whole run: `scheduler run` of a day, with plan, HTTP, archive and rules");
    Ok(Some(outcome))
}

/// `scheduler run` of about as many trades, from its start to its end.
fn whole_runs(runtime: &Runtime) -> anyhow::Result<Samples> {
    let vendor = Vendor::start(trades_per_day(u32::try_from(TRADES)?))?;
    let (mut speeds, mut first) = (Vec::new(), None);
    // The first time the simulator makes the records.
    for round in 0..=ROUNDS {
        let sandbox = Sandbox::new();
        let settings = sandbox.settings("");
        let job = sandbox.path().join("job.yaml");
        std::fs::write(&job, by_day("trades", "ES.c.0", "2024-01-09", "2024-01-10"))?;
        let mut command = program("scheduler", sandbox.path(), &settings.database_url, &vendor)?;
        let began = Instant::now();
        run_to_end(command.arg("run").arg(&job))?;
        let took = began.elapsed();
        let tables = runtime.block_on(tables(&sandbox.database()));
        let rows = tables.get("trades_data").context("there are trades")?.rows;
        let expected = *first.get_or_insert(rows);
        ensure!(rows == expected, "{rows} rows of {expected}");
        if round > 0 {
            speeds.push(per_second(rows, took));
        }
    }
    Ok(Samples::new(speeds))
}

fn blocks(days: DayRange) -> Vec<RowBlock> {
    let (start, step) = (days.span().start.0, NANOS_PER_DAY / TRADES);
    let begins = (0..TRADES).step_by(usize::try_from(BLOCK).expect("a small number"));
    let block = |from: i64| {
        let numbers = from..(from + BLOCK).min(TRADES);
        trades(INSTRUMENT, numbers, |number| start + number * step)
    };
    begins.map(block).collect()
}

/// The store's own way: submission, claim, rows, slices and settlement.
async fn ours_in(
    url: &str,
    days: DayRange,
    blocks: Vec<RowBlock>,
) -> anyhow::Result<std::time::Duration> {
    Store::migrate(url).await?;
    let store = Store::open(url, Access::Work).await?;
    let store = store.context("a database that was just made")?;
    let began = Instant::now();
    let named = ("ES.c.0", SType::Continuous);
    load_trades(&store, named, &[(INSTRUMENT, days)], days, blocks).await;
    let took = began.elapsed();
    store.close().await;
    Ok(took)
}

/// One statement, prepared once and run for each row, in one transaction.
fn by_statement(database: &Path, blocks: &[RowBlock]) -> anyhow::Result<std::time::Duration> {
    let mapping = Mapping::load(&ConfigFiles::CompiledIn, Schema::Trades)?;
    let names: Vec<_> = mapping
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let names = [names, LINEAGE.to_vec()].concat();
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!(
        "INSERT INTO trades_data ({}) VALUES ({marks})",
        names.join(", ")
    );
    let mut connection = Connection::open(database)?;
    // As the store has it.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000",
    )?;
    let began = Instant::now();
    let transaction = connection.transaction()?;
    let mut statement = transaction.prepare(&sql)?;
    for block in blocks {
        for row in 0..block.len() {
            let values = block.columns.iter().map(|column| value(column, row));
            let lineage = [1, block.record_numbers[row]].map(ToSqlOutput::from);
            statement.execute(params_from_iter(values.chain(lineage)))?;
        }
    }
    drop(statement);
    transaction.commit()?;
    Ok(began.elapsed())
}

fn value(column: &ColumnValues, row: usize) -> ToSqlOutput<'_> {
    let borrowed = match column {
        ColumnValues::Integers(values) if values[row] == NULL => ValueRef::Null,
        ColumnValues::Integers(values) => ValueRef::Integer(values[row]),
        ColumnValues::Chars(values) => ValueRef::Text(&values[row..=row]),
        ColumnValues::Texts(values) => match &values[row] {
            None => ValueRef::Null,
            Some(text) => ValueRef::Text(text.as_bytes()),
        },
        ColumnValues::SameText(text) => ValueRef::Text(text.as_bytes()),
        ColumnValues::SameInteger(number) => ValueRef::Integer(*number),
    };
    ToSqlOutput::Borrowed(borrowed)
}
