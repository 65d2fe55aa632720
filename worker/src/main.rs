//! The binary `worker`: works off the fleet's queue until SIGTERM.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use common::configuration::files::ConfigFiles;
use common::configuration::settings::Settings;
use tokio_util::sync::CancellationToken;
use worker::service::Service;
use worker::{exit, process};

/// Works off chunks of the fleet's queue until SIGTERM; what is at hand then is finished, or handed
/// back within the grace. A second SIGTERM ends it at once.
#[derive(Debug, Parser)]
#[command(name = "worker", version)]
struct Arguments {
    /// The database, for example postgres://user:password@host/database (or DATABASE_URL)
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The queue, for example redis://host:6379 (or REDIS_URL)
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
    /// Where received streams are kept, for example file://data/archive (or ARCHIVE_URL)
    #[arg(long, value_name = "URL")]
    archive_url: Option<String>,
    /// A folder laid out as configs/, instead of ./configs or the compiled-in one
    #[arg(long, value_name = "DIR", env = "BACKHAUL_CONFIG_DIR")]
    config_dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into()),
    };
    match runtime.block_on(work(arguments)) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}

async fn work(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let files = ConfigFiles::locate(arguments.config_dir.as_deref())?;
    let mut settings = Settings::load(&files)?;
    process::start_logging(settings.log_format);
    if let Some(url) = arguments.database_url {
        settings.database_url = url;
    }
    if let Some(url) = arguments.archive_url {
        settings.archive_url = url;
    }
    settings.redis_url = arguments.redis_url.or(settings.redis_url);
    let stop = CancellationToken::new();
    process::stop_on_signals(stop.clone())?;
    let service = Service::prepare(settings, &files).await?;
    Ok(match service.run(stop).await {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
