//! The binary `worker`: works off the fleet's queue until SIGTERM.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use common::configuration::document::Refusal;
use common::configuration::files::ConfigFiles;
use common::configuration::settings::Settings;
use tokio_util::sync::CancellationToken;
use worker::arguments::Arguments;
use worker::monitor::health_check;
use worker::service::Service;
use worker::{exit, process, trace};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into()),
    };
    let worked = runtime.block_on(async {
        let worked = work(arguments).await;
        trace::end().await;
        worked
    });
    match worked {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}

fn ask_for_health(settings: &Settings) -> anyhow::Result<ExitCode> {
    let none = || {
        let help = "export BACKHAUL_METRICS_LISTEN=127.0.0.1:9464, the same as for the worker";
        let message = "a worker without an address for metrics can't be asked for its health";
        Refusal::of("BACKHAUL_METRICS_LISTEN", message, help)
    };
    let address = settings.metrics_listen.ok_or_else(none)?;
    health_check::ask(address).with_context(|| format!("no word of health from {address}"))?;
    Ok(ExitCode::SUCCESS)
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
    if arguments.health_check {
        return ask_for_health(&settings);
    }
    trace::begin("backhaul-worker");
    settings.redis_url = arguments.redis_url.or(settings.redis_url);
    let stop = CancellationToken::new();
    process::stop_on_signals(stop.clone())?;
    let service = Service::prepare(settings, &files).await?;
    Ok(match service.run(stop).await {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
