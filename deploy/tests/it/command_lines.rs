//! Command lines that images, the composition and manifests start our programs with: the programs take
//! them.

use std::process::Command;

use testkit::programs::built;

use crate::compose;
use crate::dockerfile::stages;
use crate::manifest::written;
use crate::tree::{at, list};

/// Where, which program, and its arguments.
type Line = (String, String, Vec<String>);

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|it| (*it).to_owned()).collect()
}

/// The program of an image of ours, and no other's.
fn program(image: &str) -> Option<String> {
    let (name, _) = image.rsplit_once(':')?;
    name.strip_prefix("backhaul/").map(str::to_owned)
}

fn of_images() -> Vec<Line> {
    let mut lines = Vec::new();
    for (stage, instructions) in stages() {
        for (word, rest) in instructions {
            let list = match word.as_str() {
                "CMD" => rest.as_str(),
                "HEALTHCHECK" if rest != "NONE" => rest.split_once(" CMD ").unwrap().1,
                _ => continue,
            };
            let mut arguments: Vec<String> = serde_json::from_str(list).unwrap();
            if word == "HEALTHCHECK" {
                assert_eq!(arguments.remove(0), format!("/usr/local/bin/{stage}"));
            }
            lines.push((format!("Dockerfile: {word}"), stage.clone(), arguments));
        }
    }
    lines
}

fn of_the_composition() -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, service) in &compose::read().services {
        let Some(program) = program(&service.image) else {
            continue;
        };
        lines.push((name.clone(), program.clone(), service.command.clone()));
        if let Some(check) = &service.healthcheck {
            assert_eq!(check.test[1], format!("/usr/local/bin/{program}"), "{name}");
            lines.push((name.clone(), program, check.test[2..].to_vec()));
        }
    }
    lines
}

fn of_manifests() -> Vec<Line> {
    let mut lines = Vec::new();
    for manifest in written() {
        for container in manifest.containers() {
            let Some(program) = program(at(container, "/image").unwrap()) else {
                continue;
            };
            let arguments = list(container, "/args").map(|it| it.as_str().unwrap());
            let arguments = owned(&arguments.collect::<Vec<_>>());
            lines.push((manifest.place(), program, arguments));
        }
    }
    lines
}

/// What a program says that it takes; `None` where it doesn't know the command.
fn help(program: &str, command: Option<&str>) -> Option<String> {
    let mut asked = Command::new(built(program));
    asked.args(command).arg("--help");
    let output = asked.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    output.status.success().then_some(said)
}

/// What of a command line its program doesn't take.
fn refused(program: &str, arguments: &[String]) -> Vec<String> {
    let command = arguments.first().filter(|first| !first.starts_with('-'));
    let Some(help) = help(program, command.map(String::as_str)) else {
        return owned(&[command.unwrap()]);
    };
    let words: Vec<_> = help.split_whitespace().collect();
    let flags = arguments.iter().filter(|it| it.starts_with("--"));
    let unknown = flags.filter(|flag| !words.contains(&flag.as_str()));
    unknown.cloned().collect()
}

#[test]
fn programs_take_what_they_are_started_with() {
    let lines = [of_images(), of_the_composition(), of_manifests()].concat();
    assert!(lines.len() > 12, "{lines:?}");
    for (place, program, arguments) in lines {
        let refused = refused(&program, &arguments);
        assert_eq!(refused, [] as [String; 0], "{place}: {program}");
    }
}

#[test]
fn what_a_program_does_not_take_is_found() {
    for (program, arguments, wrong) in [
        ("scheduler", ["server", "--health-check"], "server"),
        ("scheduler", ["serve", "--healthcheck"], "--healthcheck"),
        ("worker", ["--health-check", "--listen"], "--listen"),
    ] {
        assert_eq!(refused(program, &owned(&arguments)), [wrong]);
    }
}
