//! What every process of ours begins with: a name, logging, and signals.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use common::configuration::settings::environment::LOG;
use common::configuration::settings::log_format::LogFormat;
use common::time::Nanos;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::exit::{INTERRUPTED, TERMINATED};

/// A name that no other process has or had, for leases: the host's, the process's, and the time.
#[must_use]
pub fn name() -> Arc<str> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "host",
        host => host,
    };
    format!("{host}-{}-{}", std::process::id(), Nanos::now().0).into()
}

/// Logs to stderr: on a terminal what is wrong, for people, as the bars show the rest; piped, what
/// happens, a JSON object a line. A format that is given goes before that.
pub fn start_logging(format: Option<LogFormat>) {
    let is_terminal = std::io::stderr().is_terminal();
    let (level, by_place) = match is_terminal {
        true => ("warn", LogFormat::Human),
        false => ("info", LogFormat::Json),
    };
    let default =
        format!("{level},databento=off,sqlx=warn,apalis=warn,apalis_core=warn,redis=warn");
    let filter = EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::WARN.into())
        .with_env_var(LOG);
    let filter = match filter.try_from_env() {
        Ok(filter) => filter,
        Err(_) => EnvFilter::new(default),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Told on stderr too, and a stderr that is closed must not end the work.
        .log_internal_errors(false)
        .with_target(false);
    // A second start in one process, as in tests, keeps the first subscriber.
    drop(match format.unwrap_or(by_place) {
        LogFormat::Human => subscriber.with_ansi(is_terminal).try_init(),
        LogFormat::Json => {
            let subscriber = subscriber.json().flatten_event(true);
            subscriber.with_span_list(false).try_init()
        }
    });
}

/// The first Ctrl-C or SIGTERM ends the work at a safe point, and is answered; the second ends the
/// process.
pub fn stop_on_signals(stop: CancellationToken) -> std::io::Result<()> {
    let told = "stopping: what is being loaded is finished; once more to end at once";
    on_signals(stop, Some(told))
}

/// The first Ctrl-C or SIGTERM ends the looking on, without a word; the second ends the process.
pub fn stop_quietly() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    on_signals(stop.clone(), None)?;
    Ok(stop)
}

fn on_signals(stop: CancellationToken, told: Option<&'static str>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => INTERRUPTED,
                _ = terminate.recv() => TERMINATED,
            }
        };
        next().await;
        stop.cancel();
        match told {
            Some(told) if std::io::stderr().is_terminal() => {
                let _closed = writeln!(std::io::stderr(), "{told}");
            }
            Some(told) => tracing::info!("{told}"),
            None => {}
        }
        let code = next().await;
        std::process::exit(code.into());
    });
    Ok(())
}
