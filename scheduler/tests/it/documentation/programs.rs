//! The programs as their command lines define them: commands, and the flags of each.

use std::collections::BTreeSet;

use scheduler::arguments;

/// A program, or a command of one.
pub struct Program {
    pub name: String,
    /// With those that every command takes.
    pub flags: BTreeSet<String>,
    pub commands: Vec<Program>,
}

impl Program {
    /// The three that people run.
    pub fn all() -> Vec<Self> {
        let programs = arguments::Program::ALL.iter();
        programs
            .map(|program| {
                let mut command = program.command_line();
                command.build();
                Self::of(&command)
            })
            .collect()
    }

    /// All flags, those of commands too.
    pub fn all_flags(&self) -> BTreeSet<&str> {
        let own = self.flags.iter().map(String::as_str);
        own.chain(self.commands.iter().flat_map(Self::all_flags))
            .collect()
    }

    fn of(command: &clap::Command) -> Self {
        let long = command
            .get_arguments()
            .filter_map(clap::Arg::get_long_and_visible_aliases);
        let short = command.get_arguments().filter_map(clap::Arg::get_short);
        let flags = long.flatten().map(|name| format!("--{name}"));
        let flags = flags.chain(short.map(|name| format!("-{name}")));
        let commands = command.get_subcommands();
        let commands = commands.filter(|command| command.get_name() != "help");
        Self {
            name: command.get_name().to_owned(),
            flags: flags.collect(),
            commands: commands.map(Self::of).collect(),
        }
    }
}
