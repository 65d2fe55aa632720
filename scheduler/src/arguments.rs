//! The command line, exactly as typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Backfills market history from Databento into a database: complete and proven so, exactly once,
/// never paid twice.
#[derive(Debug, Parser)]
#[command(name = "scheduler", version, propagate_version = false)]
pub struct Arguments {
    /// The flags.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Keep the database and the archive in this folder [default: data]
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["database_url", "archive_url"])]
    pub data_dir: Option<PathBuf>,
    /// The database, for example sqlite://data/backhaul.db (or DATABASE_URL)
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Where received streams are kept, for example file://data/archive (or ARCHIVE_URL)
    #[arg(long, global = true, value_name = "URL")]
    pub archive_url: Option<String>,
    /// A folder laid out as configs/, instead of ./configs or the compiled-in one
    #[arg(long, global = true, value_name = "DIR", env = "BACKHAUL_CONFIG_DIR")]
    pub config_dir: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a whole backfill, from a simulated vendor, with nothing configured
    Demo(Demo),
    /// Submit a job, work it off in this process, and report
    Run(Run),
    /// Show a job's chunks, records, bytes and dollars; change nothing
    Plan(Plan),
    /// List the job files of the configuration
    ListJobs(ListJobs),
    /// Show jobs, their counts, and what is missing
    Status(Status),
    /// Make the database's tables, or bring them up to date
    Migrate,
    /// Show the version
    Version,
}

/// The flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Another seed gives another history
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Trades of the busiest contract on a full day
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    pub trades_per_day: u32,
}

/// The flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// A job file, or the name of one in the configuration's jobs/
    pub job: String,
    /// Refuse above this many dollars, instead of the job file's max_cost_usd
    #[arg(long, value_name = "USD")]
    pub max_cost: Option<String>,
}

/// The flags of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// A job file, or the name of one in the configuration's jobs/
    pub job: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The flags of `list-jobs`.
#[derive(Debug, Args)]
pub struct ListJobs {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The flags of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// A job's name or number; all jobs when left out
    pub job: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}
