//! The programs of the project, and the flags of the commands that describe them.

use std::path::PathBuf;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::Arguments;

/// The flags of `completions`.
#[derive(Debug, Args)]
#[command(after_help = HOW_TO_COMPLETE)]
pub struct Completions {
    /// The shell that is to complete
    pub shell: Shell,
    /// The program whose command line it completes
    #[arg(long, value_enum, value_name = "PROGRAM", default_value_t = Program::Scheduler)]
    pub bin: Program,
}

const HOW_TO_COMPLETE: &str = "\
Where shells look for it, for example:
  bash        scheduler completions bash > ~/.local/share/bash-completion/completions/scheduler
  zsh         scheduler completions zsh > ~/.zfunc/_scheduler
              and in ~/.zshrc: fpath+=~/.zfunc; autoload -U compinit; compinit
  fish        scheduler completions fish > ~/.config/fish/completions/scheduler.fish
  elvish      in ~/.config/elvish/rc.elv: eval (scheduler completions elvish | slurp)
  powershell  in $PROFILE: scheduler completions powershell | Out-String | Invoke-Expression
The same with --bin worker and --bin simulator.";

/// The flags of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
For example: mkdir -p ~/.local/share/man/man1; scheduler man ~/.local/share/man/man1; man scheduler-run")]
pub struct Man {
    /// A folder that is there; pages of the same names in it are replaced
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// A program of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// From a job file to a report
    Scheduler,
    /// Works off the fleet's queue
    Worker,
    /// The vendor's API on localhost
    Simulator,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Scheduler, Self::Worker, Self::Simulator];

    /// Its command line, with all commands and flags.
    #[must_use]
    pub fn command_line(self) -> clap::Command {
        match self {
            Self::Scheduler => Arguments::command(),
            Self::Worker => worker::arguments::Arguments::command(),
            Self::Simulator => simulator::arguments::Arguments::command(),
        }
    }

    /// The exit codes that it ends with, and what each means.
    #[must_use]
    pub fn exit_codes(self) -> &'static [(u8, &'static str)] {
        match self {
            Self::Scheduler => worker::exit::SCHEDULER_CODES,
            Self::Worker => worker::exit::WORKER_CODES,
            Self::Simulator => simulator::arguments::EXIT_CODES,
        }
    }
}
