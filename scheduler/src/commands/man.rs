//! `scheduler man`: the manual pages of all programs, one for each command.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Command;
use clap::builder::Resettable;
use clap_mangen::roff::{Roff, bold, roman};
use common::configuration::document::Refusal;

use crate::arguments::{Man, Program};
use crate::exit::print;
use crate::whole_file::WholeFile;

/// Runs the command.
pub fn run(options: &Man) -> anyhow::Result<ExitCode> {
    let folder = &options.folder;
    if !folder.is_dir() {
        let origin = folder.display().to_string();
        let help = "make the folder first, for example `mkdir -p ~/.local/share/man/man1`";
        return Err(Refusal::of(origin, "there is no such folder", help).into());
    }
    let pages = pages()?;
    for (name, text) in &pages {
        let path = folder.join(name);
        let write = || {
            let file = WholeFile::at(&path)?;
            file.create()?.write_all(text)?;
            anyhow::Ok(file.keep()?)
        };
        write().with_context(|| format!("{} can't be written", path.display()))?;
    }
    print(&format!("{} pages in {}\n", pages.len(), folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// All pages: the name of each file, such as `scheduler-run.1`, and its text.
///
/// # Errors
/// Never: pages are written into memory.
pub fn pages() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    for program in Program::ALL {
        // `help` says what is here.
        let mut command = program.command_line().disable_help_subcommand(true);
        command.build();
        add_pages(&command, program.exit_codes(), &mut pages)?;
    }
    Ok(pages)
}

fn add_pages(
    command: &Command,
    exit_codes: &[(u8, &str)],
    pages: &mut Vec<(String, Vec<u8>)>,
) -> std::io::Result<()> {
    // Examples are shown line by line, which the library would run together.
    let examples = command.get_after_help().map(ToString::to_string);
    let page = clap_mangen::Man::new(command.clone().after_help(Resettable::Reset))
        // No day: the same program writes the same page. Quite empty, the next one would take its place.
        .date(" ")
        .source(concat!("backhaul ", env!("CARGO_PKG_VERSION")))
        .manual("Backhaul");
    let mut text = Vec::new();
    page.render(&mut text)?;
    if let Some(examples) = examples {
        example_section(&examples).to_writer(&mut text)?;
    }
    exit_status(exit_codes).to_writer(&mut text)?;
    pages.push((page.get_filename(), text));
    for command in command.get_subcommands() {
        add_pages(command, exit_codes, pages)?;
    }
    Ok(())
}

fn example_section(lines: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    roff.text([roman(lines)]);
    roff.control("fi", []);
    roff
}

fn exit_status(codes: &[(u8, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in codes {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(*meaning)]);
    }
    roff
}
