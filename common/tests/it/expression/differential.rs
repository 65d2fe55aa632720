//! The same generated text means the same to the engine, the interpreter, SQLite and PostgreSQL.

use std::fmt::Write;

use common::expression::{Condition, Truth, Value, ValueType};
use common::store::rows::{ColumnValues, NULL};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, SqlitePool};
use testkit::postgres::Postgres;

use super::generated::{self, Generator, Writer};
use super::interpreter::{self, Row};
use super::random::Random;
use super::table::{ROWS, Table, digit, inputs};
use super::{INTEGER, PRICE};

const CONDITIONS: usize = 200;

/// Another one can be given when the tests are built.
fn seed() -> u64 {
    let given = option_env!("BACKHAUL_EXPRESSION_SEED");
    given.map_or(20_240_102, |seed| seed.parse().unwrap())
}

/// A condition, its text, and the engine's answer.
struct Case {
    condition: generated::Condition,
    text: String,
    answer: String,
}

/// A table and cases over it. What the engine refuses because it could overflow, or because it is
/// never true, is left out; no more than half may be.
fn cases(random: &mut Random, table: &Table, decimals: bool) -> Vec<Case> {
    let columns = table.columns();
    let definitions = table.definitions.as_slice();
    let mut cases = Vec::new();
    for _ in 0..CONDITIONS * 2 {
        let levels = u32::try_from(random.bits() % 4).unwrap();
        let mut generator = Generator {
            random,
            definitions,
            decimals,
        };
        let condition = generator.condition(levels);
        let text = Writer {
            random,
            definitions,
        }
        .condition(&condition, 1);
        match Condition::compile(&text, &columns) {
            Ok(compiled) => {
                let answer = table.truths(&compiled);
                cases.push(Case {
                    condition,
                    text,
                    answer,
                });
            }
            Err(error) => {
                let expected = ["can get too large", "are reversed"];
                let expected = expected.iter().any(|part| error.message.contains(part));
                assert!(expected, "seed {}: {error:?}\n{text}", seed());
            }
        }
        if cases.len() == CONDITIONS {
            return cases;
        }
    }
    panic!("seed {}: too many conditions were refused", seed());
}

#[track_caller]
fn assert_same(table: &Table, case: &Case, oracle: &str, theirs: &str) {
    let seed = seed();
    let text = &case.text;
    assert_eq!(case.answer.len(), ROWS);
    assert_eq!(theirs.len(), ROWS, "seed {seed}, {oracle}:\n{text}");
    let mut rows = case.answer.chars().zip(theirs.chars()).zip(&table.rows);
    if let Some(((ours, theirs), row)) = rows.find(|((ours, theirs), _)| ours != theirs) {
        panic!("seed {seed}: {ours} and not {theirs} as by {oracle}:\n{text}\n{row:?}");
    }
}

fn assert_same_as_interpreter(table: &Table, case: &Case) {
    let definitions = table.definitions.as_slice();
    let rows = table.rows.iter().map(|cells| {
        let holds = interpreter::holds(&case.condition, Row { cells, definitions });
        digit(Some(Truth::of(holds)))
    });
    assert_same(table, case, "the interpreter", &rows.collect::<String>());
}

async fn sqlite(table: &Table) -> SqlitePool {
    let one = SqlitePoolOptions::new().max_connections(1);
    let pool = one.connect("sqlite::memory:").await.unwrap();
    let sql_type = |value_type| match value_type {
        ValueType::Char | ValueType::Text => "TEXT",
        ValueType::Number { .. } | ValueType::Timestamp => "INTEGER",
    };
    let script = format!(
        "PRAGMA case_sensitive_like = ON;\n{}{}",
        table.create(sql_type),
        table.insert()
    );
    sqlx::raw_sql(AssertSqlSafe(script))
        .execute(&pool)
        .await
        .unwrap();
    pool
}

#[tokio::test]
async fn a_condition_means_what_it_means_to_sqlite() {
    let mut random = Random::new(seed());
    let table = Table::generate(&mut random);
    let pool = sqlite(&table).await;
    for case in cases(&mut random, &table, false) {
        assert_same_as_interpreter(&table, &case);
        let sql = format!(
            "SELECT group_concat(coalesce(({}) * 2, 1), '' ORDER BY row_number) FROM rows",
            case.text
        );
        let answer: String = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_same(&table, &case, "SQLite", &answer);
    }
}

#[test]
fn a_condition_means_what_it_means_to_postgresql() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let mut random = Random::new(seed() + 1);
    let table = Table::generate(&mut random);
    let mut cases_of_both = cases(&mut random, &table, false);
    cases_of_both.extend(cases(&mut random, &table, true));
    let mut script = table.create(|value_type| match value_type {
        ValueType::Char | ValueType::Text => "text COLLATE \"C\"",
        ValueType::Number { scale: 9 } => "numeric(20, 9)",
        // Timestamps too, for PostgreSQL refuses integers that pass 64 bits on the way.
        ValueType::Number { .. } | ValueType::Timestamp => "numeric",
    });
    script.push_str(&table.insert());
    for case in &cases_of_both {
        let truth = format!("coalesce((({})::integer * 2)::text, '1')", case.text);
        let select = format!("SELECT string_agg({truth}, '' ORDER BY row_number) FROM rows;\n");
        script.push_str(&select);
    }
    let answers = postgres.psql(&script);
    assert_eq!(answers.lines().count(), cases_of_both.len());
    for (case, answer) in cases_of_both.iter().zip(answers.lines()) {
        assert_same(&table, case, "PostgreSQL", answer);
    }
}

#[test]
fn decimals_are_exact() {
    let mut random = Random::new(seed() + 2);
    let table = Table::generate(&mut random);
    for case in cases(&mut random, &table, true) {
        assert_same_as_interpreter(&table, &case);
    }
}

/// What a value has to be as `target`: mantissas, or the first row that has no room.
fn expected(table: &Table, value: &generated::Value, target: u32) -> Result<Vec<i64>, usize> {
    let definitions = table.definitions.as_slice();
    let rows = table.rows.iter().enumerate().map(|(index, cells)| {
        let Some((mantissa, scale)) = interpreter::number(value, Row { cells, definitions }) else {
            return Ok(NULL);
        };
        let more = 10_i128.pow(target.saturating_sub(scale));
        let less = 10_i128.pow(scale.saturating_sub(target));
        let kept = mantissa
            .checked_mul(more)
            .filter(|mantissa| mantissa % less == 0);
        let kept = kept.and_then(|mantissa| i64::try_from(mantissa / less).ok());
        kept.filter(|kept| *kept != NULL).ok_or(index)
    });
    rows.collect()
}

#[test]
fn a_value_is_exact_or_refused_with_its_row() {
    let mut random = Random::new(seed() + 3);
    let table = Table::generate(&mut random);
    let columns = table.columns();
    let definitions = table.definitions.as_slice();
    let (mut exact, mut refused) = (0, 0);
    for _ in 0..CONDITIONS {
        let value = Generator {
            random: &mut random,
            definitions,
            decimals: true,
        }
        .number(2);
        let text = Writer {
            random: &mut random,
            definitions,
        }
        .value(&value, 7);
        let Ok(compiled) = Value::compile(&text, &columns) else {
            continue;
        };
        for (target, scale) in [(INTEGER, 0), (PRICE, 9)] {
            let mut all = Ok(Vec::new());
            let mut start = 0;
            for (columns, rows) in table.blocks() {
                let values = compiled.evaluate(&inputs(&columns, rows), target);
                let values = values.map(|values| each(values, rows));
                all = all.and_then(|mut all: Vec<i64>| {
                    all.extend(values.map_err(|error| start + error.row)?);
                    Ok(all)
                });
                start += rows;
            }
            let wanted = expected(&table, &value, scale);
            *(if wanted.is_ok() {
                &mut exact
            } else {
                &mut refused
            }) += 1;
            assert!(all == wanted, "seed {}, as {target}:\n{text}", seed());
        }
    }
    assert!(
        exact > 50 && refused > 50,
        "{exact} exact, {refused} refused"
    );
}

fn each(values: ColumnValues, rows: usize) -> Vec<i64> {
    match values {
        ColumnValues::Integers(values) => values,
        ColumnValues::SameInteger(value) => vec![value; rows],
        other => panic!("{other:?} are no numbers"),
    }
}

#[test]
fn a_long_chain_is_no_deep_one() {
    let table = Table::generate(&mut Random::new(seed()));
    let mut text = "flags in (0".to_owned();
    for number in 1..200 {
        write!(text, ", {number}").unwrap();
    }
    text.push_str(") and flags");
    text.push_str(&" + 1".repeat(700));
    text.push_str(" > 700");
    let condition = Condition::compile(&text, &table.columns()).unwrap();
    let truths = table.truths(&condition);
    assert!(["0", "1", "2"].iter().all(|truth| truths.contains(truth)));
}
