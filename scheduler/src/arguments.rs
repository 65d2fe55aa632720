//! The command line, exactly as typed.

mod program;
mod query;
mod verify;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use common::configuration::settings::environment::CONFIG_DIR;

pub use self::program::{Completions, Man, Program};
pub use self::query::{OutputFormat, Query, RowOrder};
pub use self::verify::Verify;
use crate::coverage::picture::By;

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
    /// The fleet's queue, for example redis://host:6379 (or REDIS_URL)
    #[arg(long, global = true, value_name = "URL")]
    pub redis_url: Option<String>,
    /// Where received streams are kept, for example file://data/archive (or ARCHIVE_URL)
    #[arg(long, global = true, value_name = "URL")]
    pub archive_url: Option<String>,
    /// A folder laid out as configs/, instead of ./configs or the compiled-in one
    #[arg(long, global = true, value_name = "DIR", env = CONFIG_DIR)]
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
    /// Submit a job for the fleet's workers, or for a later `run`
    Submit(Submit),
    /// List the job files of the configuration
    ListJobs(ListJobs),
    /// Show jobs, their counts, and what is missing
    Status(Status),
    /// Show what was reserved, spent and saved, and what is left of the month's budget
    Spend(Spend),
    /// Watch a job to its end, or all jobs: a dashboard on a terminal, lines where stdout is piped
    Watch(Watch),
    /// Show what is held, by symbol and day: data, no session, degraded, gaps, failed
    Coverage(Coverage),
    /// Let nobody begin a chunk of a job; what runs may end
    Pause(Pause),
    /// End a job's pause
    Resume(Submitted),
    /// Call a job off; what was loaded stays
    Cancel(Cancel),
    /// Try a job's dead chunks again, and at once those that wait for a retry
    Retry(Submitted),
    /// Apply today's mappings and rules to the archived streams of a job; the vendor is asked nothing
    Replay(Replay),
    /// Show days that the vendor rewrote since they were fetched, and what they cost; with --yes fetch
    /// them, and swap the rows
    Refresh(Refresh),
    /// Look after the archive of received streams
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Show the records that failed a rule, and decide about them again
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Show or export records: of symbols, days, sides, sizes; in order of time
    Query(Box<Query>),
    /// Check that all is there, fast and right, and that the work goes well; exit code 4 when a target
    /// is missed
    Verify(Verify),
    /// Check the mappings and rules of the configuration
    #[command(subcommand)]
    Rules(Rules),
    /// Repair the fleet's queue from the database
    Reconcile,
    /// Show how all stands on a page and as JSON, tell metrics and health, and keep a fleet's queue in
    /// step with the database, until Ctrl-C
    Serve(Serve),
    /// Make the database's tables, or bring them up to date
    Migrate,
    /// Print what a shell needs to complete command lines
    Completions(Completions),
    /// Write the manual pages of all programs and commands
    Man(Man),
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

/// A job file, and what is set beside it.
#[derive(Debug, Args)]
pub struct JobArguments {
    /// A job file, or the name of one in the configuration's jobs/
    #[arg(value_hint = ValueHint::FilePath)]
    pub job: String,
    /// Take this value for a key of the job file, for example priority=5 or 'symbols=[ES.c.0]'; may
    /// be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// The flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Which job.
    #[command(flatten)]
    pub file: JobArguments,
    /// Refuse above this many dollars, instead of the job file's max_cost_usd
    #[arg(long, value_name = "USD")]
    pub max_cost: Option<String>,
}

/// The flags of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Which job.
    #[command(flatten)]
    pub file: JobArguments,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The flags of `submit`.
#[derive(Debug, Args)]
pub struct Submit {
    /// Which job.
    #[command(flatten)]
    pub file: JobArguments,
    /// Refuse above this many dollars, instead of the job file's max_cost_usd
    #[arg(long, value_name = "USD")]
    pub max_cost: Option<String>,
    /// Follow the job until it is finished or paused
    #[arg(long)]
    pub wait: bool,
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
    /// Compare each chunk's counts with the tables and the archive; exit code 3 when something doesn't
    /// add up. Reads the tables that the job fills once, whole
    #[arg(long, requires = "job")]
    pub proof: bool,
    /// With --proof, list every chunk, not only the first
    #[arg(long, requires = "proof")]
    pub all: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The flags of `spend`.
#[derive(Debug, Args)]
pub struct Spend {
    /// A job's name or number; all jobs when left out
    pub job: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The flags of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// A submitted job's name or number; all when left out, in lines those that are not finished
    pub job: Option<String>,
}

/// The flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Listen here, instead of serve_listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Ask the `serve` that listens there whether it lives, and serve nothing: exit code 0 or 1
    #[arg(long)]
    pub health_check: bool,
}

/// The flags of `coverage`.
#[derive(Debug, Args)]
pub struct Coverage {
    /// A job file, the name of one in the configuration's jobs/, or a submitted job's name or number;
    /// all that was asked for when left out
    pub job: Option<String>,
    /// Only this dataset
    #[arg(long)]
    pub dataset: Option<String>,
    /// Only these schemas; may be given several times
    #[arg(long, value_delimiter = ',')]
    pub schema: Vec<String>,
    /// Only these symbols; may be given several times
    #[arg(short, long, value_delimiter = ',')]
    pub symbol: Vec<String>,
    /// The first UTC day
    #[arg(long, value_name = "DATE")]
    pub start: Option<String>,
    /// The UTC day after the last
    #[arg(long, value_name = "DATE")]
    pub end: Option<String>,
    /// A sign a day or a month [default: days where they fit the terminal]
    #[arg(long, value_enum)]
    pub by: Option<By>,
    /// Show all symbols
    #[arg(long)]
    pub all: bool,
    /// Print one JSON document: each symbol's days in runs
    #[arg(long)]
    pub json: bool,
    /// Plan what is missing of the job file, and change nothing; with filters, of that part of it, as a
    /// job of its own
    #[arg(long, requires = "job")]
    pub fill: bool,
    /// Submit what --fill plans
    #[arg(long, requires = "fill")]
    pub yes: bool,
}

/// A job that was submitted.
#[derive(Debug, Args)]
pub struct Submitted {
    /// The job's name or number
    pub job: String,
}

/// The flags of `pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// The job's name or number
    pub job: String,
    /// Why, for all who see it paused
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// The flags of `cancel`.
#[derive(Debug, Args)]
pub struct Cancel {
    /// The job's name or number
    pub job: String,
    /// Don't ask
    #[arg(long)]
    pub yes: bool,
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

/// The flags of `refresh`.
#[derive(Debug, Args)]
pub struct Refresh {
    /// The job's name or number
    pub job: String,
    /// Fetch what is listed, for its price, and swap it
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What to do with the archive.
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// Read every archived stream again, and compare it with its manifest and the ledger; exit code 3
    /// while one is damaged or missing
    Verify(ArchiveVerify),
}

/// The flags of `archive verify`.
#[derive(Debug, Args)]
pub struct ArchiveVerify {
    /// A job's name or number; all streams when left out
    pub job: Option<String>,
    /// Show what it costs to fetch damaged ones again
    #[arg(long)]
    pub repair: bool,
    /// Fetch them, for that price
    #[arg(long, requires = "repair")]
    pub yes: bool,
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
