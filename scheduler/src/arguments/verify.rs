//! The flags of `verify`, exactly as typed.

use std::path::PathBuf;

use clap::Args;

use crate::verify::Aspect;

/// The flags of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A submitted job's name or number: its data, queries and work alone; the SQL checks look at the
    /// whole database all the same. All jobs that were not cancelled when left out
    pub job: Option<String>,
    /// Check this alone; may be given several times. The weights of the others are shared out
    #[arg(long, value_enum, value_name = "CHECK")]
    pub check: Vec<Aspect>,
    /// End with exit code 0 whatever the verdict; what keeps it from checking is an error all the same
    #[arg(long)]
    pub report_only: bool,
    /// Show each query's time, each SQL check and the rows that it found, and each gap
    #[arg(short, long)]
    pub verbose: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Say what has changed since an earlier report: its file, or `last` for the newest that is kept
    #[arg(long, value_name = "PREVIOUS")]
    pub compare: Option<PathBuf>,
    /// Keep the report in this folder [default: verify/ beside a local archive, else data/verify].
    /// Reports are never overwritten nor removed: remove those that you don't need any more
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    /// Seconds after which a standard query is ended, and has failed
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub query_limit_seconds: u64,
    /// Seconds after which an SQL check is ended, and was not checked
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub check_limit_seconds: u64,
}
