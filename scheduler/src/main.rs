//! The binary `scheduler`: reads the command line, runs the command, ends with its exit code.

use std::process::ExitCode;

use clap::Parser;
use scheduler::arguments::Arguments;
use scheduler::{commands, exit};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into()),
    };
    let done = runtime.block_on(async {
        let done = commands::dispatch(&arguments).await;
        worker::trace::end().await;
        done
    });
    match done {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
