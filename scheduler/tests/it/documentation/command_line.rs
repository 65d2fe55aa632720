//! Command lines in documents, as far as they call our programs: commands and flags exist.

use super::complaint::did_you_mean;
use super::programs::Program;

/// What is wrong with the calls of our programs in a shell's text, or in a form of a command such as
/// `scheduler status [JOB] [--json]`.
pub fn mistakes(text: &str, programs: &[Program]) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let apart = |c: char| matches!(c, '|' | ';' | '&' | '\n' | '(' | ')');
    let mut mistakes = Vec::new();
    for call in text.replace("\\|", "/").split(apart) {
        let comment = call.find(" # ").unwrap_or(call.len());
        let words = words(&call[..comment]);
        let Some(begin) = words.iter().position(|word| !is_assignment(word)) else {
            continue;
        };
        let begin = past_cargo(&words, begin);
        let name = words[begin].rsplit('/').next().unwrap_or_default();
        if let Some(program) = programs.iter().find(|program| program.name == name) {
            mistakes.extend(mistake(program, &words[begin + 1..]));
        }
    }
    mistakes
}

/// The words of a call: without quotes' inside, brackets and what follows a flag's `=`.
fn words(call: &str) -> Vec<&str> {
    let outside = call.split(['\'', '"']).step_by(2);
    let words = outside.flat_map(str::split_whitespace);
    let bare = words.map(|word| word.trim_matches(['[', ']', '…', ',', '`', '.']));
    let plain = bare.map(|word| match word.split_once('=') {
        Some((flag, _)) if word.starts_with('-') => flag,
        _ => word,
    });
    plain.filter(|word| !word.is_empty()).collect()
}

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    word.contains('=') && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// `cargo run … --bin scheduler -- demo` calls the scheduler.
fn past_cargo(words: &[&str], begin: usize) -> usize {
    let bin = words.iter().position(|word| *word == "--bin");
    match bin {
        Some(bin) if words[begin] == "cargo" && bin + 1 < words.len() => bin + 1,
        _ => begin,
    }
}

fn mistake(program: &Program, words: &[&str]) -> Option<String> {
    let mut called = program.name.clone();
    let mut program = program;
    for word in words {
        let command = program
            .commands
            .iter()
            .find(|command| command.name == *word);
        if let Some(command) = command {
            program = command;
            called = format!("{called} {word}");
        } else if is_flag(word) {
            if !program.flags.contains(*word) {
                let near = did_you_mean(word, program.flags.iter().map(String::as_str));
                return Some(format!("`{called}` takes no flag `{word}`{near}"));
            }
        } else if !program.commands.is_empty() && is_command(word) {
            let known = program.commands.iter().map(|command| command.name.as_str());
            let near = did_you_mean(word, known);
            return Some(format!("`{called}` has no command `{word}`{near}"));
        }
    }
    None
}

fn is_flag(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    word.starts_with('-') && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Places for something else are written in capitals, or as numbers.
fn is_command(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase()) && !word.contains(['.', '/', ':'])
}
