//! The benchmarks, one a file.

pub mod fetch;
pub mod rules;
pub mod load_sqlite;
pub mod load_postgres;
pub mod memory;
pub mod queue;
pub mod plan;
pub mod scaling;
pub mod query;
pub mod page;
