//! The page of settings: from their type, the variables that set them, and the flags.

use common::configuration::json_schema;
use common::configuration::settings::environment::{BUCKET, OTHERS, SETTINGS, TRACES};
use scheduler::arguments::Program;
use serde_json::Value;

use super::keys::{kind, meaning, yaml};
use super::markdown::{NOTICE, code, sentence, split_default, table};

/// The page.
pub(super) fn page() -> String {
    let schema = json_schema::settings();
    format!(
        "# Configuration\n\n{NOTICE}\n\
         Settings stand in `backhaul.yaml` of the configuration folder (`configs/backhaul.yaml`), in the \
         environment, and on the command line; the later wins. Unknown keys and unknown variables that \
         begin with `BACKHAUL_` are refused; an empty variable is none. \
         [settings.schema.json](settings.schema.json) is the file's JSON Schema.\n\n\
         {settings}\n\
         `DATABENTO_API_KEY`, the vendor's key, is taken from the environment alone. It never reaches a log, \
         an error or a table.\n\n\
         {data_dir}\n\n\
         ## Further variables\n\n\
         {others}\n\
         ## The server of a bucket\n\n\
         For an archive at `s3://bucket/prefix`, in programs that were built with `--features s3`: the \
         standard variables, these and the others that S3's clients know.\n\n\
         {bucket}\n\
         ## Traces\n\n\
         OpenTelemetry's [standard variables](../metrics.md#traces), in programs that were built with \
         `--features otel`: these and the others that its library knows.\n\n\
         {traces}",
        settings = settings(&schema),
        data_dir = data_dir(),
        others = others(OTHERS),
        bucket = others(BUCKET),
        traces = others(TRACES),
    )
}

fn settings(schema: &Value) -> String {
    let rows: Vec<_> = SETTINGS
        .iter()
        .filter_map(|(variable, name)| {
            // The key has no place in the file.
            let setting = schema["properties"].get(*name)?;
            let default = setting.get("default").map(|default| code(&yaml(default)));
            Some([
                code(name),
                with_flag(variable, &name.replace('_', "-")),
                kind(setting),
                unit(name).to_owned(),
                default.unwrap_or("–".to_owned()),
                meaning(setting),
            ])
        })
        .collect();
    let head = [
        "in the file",
        "variable, flag",
        "type",
        "unit",
        "default",
        "meaning",
    ];
    table(head, &rows)
}

/// A variable, and the flag that wins over it.
fn with_flag(variable: &str, flag: &str) -> String {
    let command = Program::Scheduler.command_line();
    let mut flags = command.get_arguments().filter_map(|flag| flag.get_long());
    match flags.any(|known| known == flag) {
        true => format!("`{variable}`, `--{flag}`"),
        false => code(variable),
    }
}

/// The unit comes last in a setting's name.
fn unit(name: &str) -> &'static str {
    match name.strip_suffix("_max").unwrap_or(name) {
        name if name.ends_with("_per_second") => "requests a second",
        name if name.ends_with("_seconds") => "seconds",
        name if name.ends_with("_percent") => "percent",
        name if name.ends_with("_usd") => "US dollars",
        _ => "–",
    }
}

/// The flag that stands for two settings.
fn data_dir() -> String {
    let command = Program::Scheduler.command_line();
    let flag = command
        .get_arguments()
        .find(|flag| flag.get_id() == "data_dir")
        .unwrap();
    let help = flag.get_help().unwrap().to_string();
    let instead: Vec<_> = command
        .get_arg_conflicts_with(flag)
        .iter()
        .map(|other| code(&format!("--{}", other.get_long().unwrap())))
        .collect();
    let (help, default) = split_default(&help);
    format!(
        "`--data-dir DIR` is short for {}: {} Default `{}`.",
        instead.join(" and "),
        sentence(help),
        default.unwrap(),
    )
}

fn others(variables: &[(&str, &str)]) -> String {
    let command = Program::Scheduler.command_line();
    let flag_of = |variable: &str| {
        let flag = command
            .get_arguments()
            .find(|flag| flag.get_env().is_some_and(|env| env == variable))?;
        flag.get_long().map(str::to_owned)
    };
    let rows: Vec<_> = variables
        .iter()
        .map(|(variable, meaning)| {
            let name = match flag_of(variable) {
                Some(flag) => format!("`{variable}`, `--{flag}`"),
                None => code(variable),
            };
            [name, (*meaning).to_owned()]
        })
        .collect();
    table(["variable, flag", "meaning"], &rows)
}
