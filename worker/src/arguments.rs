//! The worker's command line, exactly as typed.

use std::path::PathBuf;

use clap::Parser;
use common::configuration::settings::environment::CONFIG_DIR;

/// Works off chunks of the fleet's queue until SIGTERM; what is at hand then is finished, or handed
/// back within the grace. A second SIGTERM ends it at once.
#[derive(Debug, Parser)]
#[command(name = "worker", version)]
pub struct Arguments {
    /// The database, for example postgres://user:password@host/database (or DATABASE_URL)
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The queue, for example redis://host:6379 (or REDIS_URL)
    #[arg(long, value_name = "URL")]
    pub redis_url: Option<String>,
    /// Where received streams are kept, for example file://data/archive (or ARCHIVE_URL)
    #[arg(long, value_name = "URL")]
    pub archive_url: Option<String>,
    /// A folder laid out as configs/, instead of ./configs or the compiled-in one
    #[arg(long, value_name = "DIR", env = CONFIG_DIR)]
    pub config_dir: Option<PathBuf>,
    /// Ask the worker that tells its health at metrics_listen whether it lives, and work on nothing:
    /// exit code 0 or 1
    #[arg(long)]
    pub health_check: bool,
}
