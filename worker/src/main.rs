//! The binary `worker`: works off the fleet's queue until SIGTERM.

use std::process::ExitCode;

use clap::Parser;
use common::configuration::files::ConfigFiles;
use common::configuration::settings::Settings;
use tokio_util::sync::CancellationToken;
use worker::arguments::Arguments;
use worker::service::Service;
use worker::{exit, process};

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
    process::start_logging();
    let files = ConfigFiles::locate(arguments.config_dir.as_deref())?;
    let mut settings = Settings::load(&files)?;
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
