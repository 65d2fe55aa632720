//! The simulator's command line.

mod health_check;
mod stop_signals;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use simulator::arguments::{Arguments, EXIT_BAD_INPUT, EXIT_UNEXPECTED};
use simulator::{Error, Simulator};

use crate::stop_signals::StopSignals;

/// How long a health check waits for each step of an answer.
const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(address) = arguments.to_ask() {
        return match health_check::ask(address, PATIENCE) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(
                &format!("failed to get an answer from {address}: {error}"),
                EXIT_UNEXPECTED,
            ),
        };
    }
    let config = match arguments.into_config() {
        Ok(config) => config,
        Err(message) => return complain(&message, EXIT_BAD_INPUT),
    };
    let simulator = match Simulator::start(config).await {
        Ok(simulator) => simulator,
        Err(error) => {
            let code = match &error {
                Error::Listen { .. }
                | Error::Data { .. }
                | Error::Fault(_)
                | Error::AvailableEnd(_)
                | Error::NoTls => EXIT_BAD_INPUT,
                Error::Tls { .. } => EXIT_UNEXPECTED,
            };
            return complain(&chain(&error), code);
        }
    };
    for skipped in simulator.skipped() {
        eprintln!("skipped {}: {}", skipped.path.display(), skipped.reason);
    }
    // From the line on that says where it listens, it can be told to stop.
    let told_to_stop = match StopSignals::new() {
        Ok(signals) => signals,
        Err(error) => {
            return complain(
                &format!("failed to wait for signals: {error}"),
                EXIT_UNEXPECTED,
            );
        }
    };
    println!("listening on {}", simulator.url());
    told_to_stop.received().await;
    simulator.stop().await;
    ExitCode::SUCCESS
}

fn complain(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    message
}
