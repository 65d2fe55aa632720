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
    /// Apply today's mappings and rules to the archived streams of a job; the vendor is asked nothing
    Replay(Replay),
    /// Show the records that failed a rule, and decide about them again
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Check the mappings and rules of the configuration
    #[command(subcommand)]
    Rules(Rules),
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

/// The flags of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A job file, the name of one in the configuration's jobs/, or a submitted job's name or number
    pub job: String,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What to do with the quarantine.
#[derive(Debug, Subcommand)]
pub enum Quarantine {
    /// List quarantined records, and how many fail each rule
    List(QuarantineList),
    /// Show one record whole
    Show(QuarantineShow),
    /// Apply today's mappings and rules to the chunks with quarantined records, and to dead chunks;
    /// without a job file, with the rules turned on and off as each job was last submitted
    Retry(QuarantineRetry),
}

/// The flags of `quarantine list`.
#[derive(Debug, Args)]
pub struct QuarantineList {
    /// A submitted job's name or number; all jobs when left out
    pub job: Option<String>,
    /// Only records that fail this rule
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// Only records of this chunk
    #[arg(long, value_name = "NUMBER")]
    pub chunk: Option<i64>,
    /// Records to list
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The flags of `quarantine show`.
#[derive(Debug, Args)]
pub struct QuarantineShow {
    /// The record as the list names it: CHUNK:RECORD, for example 12:3456
    pub record: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The flags of `quarantine retry`.
#[derive(Debug, Args)]
pub struct QuarantineRetry {
    /// A job file, the name of one in the configuration's jobs/, or a submitted job's name or number;
    /// all jobs when left out
    pub job: Option<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What to do with the rules.
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// Type-check all mappings and rules; with a sample, say what the rules find in it
    Check(RulesCheck),
}

/// The flags of `rules check`.
#[derive(Debug, Args)]
pub struct RulesCheck {
    /// A DBN file to try the rules on, compressed or not
    #[arg(long, value_name = "FILE")]
    pub sample: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}
