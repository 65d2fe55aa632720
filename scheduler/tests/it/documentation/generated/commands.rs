//! The page of commands, from the command lines of all programs.

use clap::{Arg, Command};
use scheduler::arguments::Program;

use super::markdown::{NOTICE, code, one_of, sentence, split_default, table};

/// The page.
pub(super) fn page() -> String {
    let mut page = format!("# Commands\n\n{NOTICE}\n");
    for program in Program::ALL {
        let mut command = program.command_line().disable_help_subcommand(true);
        command.build();
        page += &section(&command, 2);
        let codes: Vec<_> = program
            .exit_codes()
            .iter()
            .map(|(code, meaning)| [code.to_string(), (*meaning).to_owned()])
            .collect();
        page += &format!("### Exit codes of `{}`\n\n", command.get_name());
        page += &table(["exit code", "meaning"], &codes);
        page += "\n";
    }
    page.trim_end().to_owned() + "\n"
}

/// A command and those below it.
fn section(command: &Command, level: usize) -> String {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let about = command.get_long_about().or(command.get_about()).unwrap();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let mut text = format!(
        "{} `{name}`\n\n{}\n\n```text\n{usage}\n```\n\n",
        "#".repeat(level),
        sentence(&about.to_string())
    );
    let own: Vec<_> = command
        .get_arguments()
        .filter(|argument| level == 2 || !argument.is_global_set())
        .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        .map(row)
        .collect();
    if !own.is_empty() {
        if command.has_subcommands() {
            text += "Flags that every command takes:\n\n";
        }
        text += &table(["argument", "default", "meaning"], &own);
        text += "\n";
    }
    if let Some(further) = command.get_after_help() {
        text += &format!("```text\n{further}\n```\n\n");
    }
    for command in command.get_subcommands() {
        text += &section(command, (level + 1).min(3));
    }
    text
}

fn row(argument: &Arg) -> [String; 3] {
    let mut names = vec![code(&argument.to_string())];
    names.extend(argument.get_short().map(|short| code(&format!("-{short}"))));
    let aliases = argument.get_visible_aliases().into_iter().flatten();
    names.extend(aliases.map(|alias| code(&format!("--{alias}"))));
    let takes_values = argument.get_action().takes_values();
    let defaults = argument.get_default_values().iter();
    let default: Vec<_> = defaults
        .filter(|_| takes_values)
        .map(|value| code(&value.to_string_lossy()))
        .collect();
    let help = argument.get_long_help().or(argument.get_help()).unwrap();
    let help = help.to_string();
    let (help, told) = split_default(&help);
    let default = match told {
        Some(told) => told.to_owned(),
        None if !default.is_empty() => default.join(" "),
        None if argument.is_required_set() => "required".to_owned(),
        None => "–".to_owned(),
    };
    let meaning = meaning(help, argument, takes_values);
    [names.join(", "), default, meaning]
}

fn meaning(help: &str, argument: &Arg, takes_values: bool) -> String {
    let mut meaning = sentence(help);
    let values = argument.get_possible_values();
    if takes_values && !values.is_empty() {
        let described = values.iter().all(|value| value.get_help().is_some());
        let names: Vec<_> = values
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect();
        let each = values.iter().map(|value| {
            let help = value
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            format!("{} ({})", code(value.get_name()), help.to_lowercase())
        });
        meaning += &match described {
            true => format!(" One of: {}.", each.collect::<Vec<_>>().join("; ")),
            false => format!(" One of: {}.", one_of(&names)),
        };
    }
    if let Some(variable) = argument.get_env() {
        meaning += &format!(" Or {}.", code(&variable.to_string_lossy()));
    }
    meaning
}
