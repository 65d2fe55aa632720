//! The page of job files, and of mappings and rules, from their JSON Schemas.

use common::configuration::json_schema;
use serde_json::Value;

use super::keys::table_of;
use super::markdown::{NOTICE, one_of, sentence, table};

/// The page.
pub(super) fn page() -> String {
    let job = json_schema::job_file();
    let chunking = &job["properties"]["chunking"];
    format!(
        "# Job files\n\n{NOTICE}\n\
         A job file is YAML: one job a file, by its path or, in `configs/jobs/`, by its name. Unknown and \
         doubled keys, and keys without a value, are refused with file, line and column.\n\n\
         {job_keys}\n\
         `max_cost_usd` and `max_quarantine_percent` are exact decimals.\n\n\
         ## Chunking\n\n\
         Either `records` or `days`; when neither is written, the default of `chunking` holds.\n\n\
         {chunking_keys}\n\
         ## Symbols\n\n\
         {symbols}\n\
         ## In an editor\n\n\
         [job.schema.json](job.schema.json) is the JSON Schema of job files (draft 2020-12). An editor with a \
         YAML language server completes and checks a file that begins with this line, where the path is \
         relative to the file:\n\n\
         ```text\n# yaml-language-server: $schema=../../docs/reference/job.schema.json\n```\n\n\
         {mappings}",
        job_keys = table_of(&job),
        chunking_keys = table_of(chunking),
        symbols = symbols(),
        mappings = mappings(),
    )
}

fn symbols() -> String {
    let rows = [
        ("raw_symbol", "as the venue writes it", "ESH4"),
        (
            "continuous",
            "ROOT.RULE.RANK, with rule c (calendar), v (volume) or n (open interest)",
            "ES.c.0",
        ),
        ("parent", "ROOT.FUT, ROOT.OPT or ROOT.SPOT", "ES.FUT"),
        ("instrument_id", "the instrument's number", "118"),
    ];
    let rows = rows.map(|(kind, form, example)| {
        [format!("`{kind}`"), form.to_owned(), format!("`{example}`")]
    });
    table(["stype_in", "a symbol is", "example"], &rows)
}

fn mappings() -> String {
    let mapping = json_schema::mapping();
    let column = &mapping["properties"]["columns"]["items"];
    let rule = &mapping["properties"]["rules"]["items"];
    format!(
        "## Mappings and rules\n\n\
         The files of `configs/schemas/` ([mapping.schema.json](mapping.schema.json)): {what}\n\n\
         {keys}\n\
         ### Columns\n\n\
         A column has a `field`, a `value` or an `expression`; where none is written, the field of its \
         name.\n\n\
         {columns}\n\
         ### Rules\n\n\
         {rules}\n\
         {severities}",
        what = lower(&sentence(mapping["description"].as_str().unwrap())),
        keys = table_of(&mapping),
        columns = table_of(column),
        rules = table_of(rule),
        severities = severities(&rule["properties"]["severity"]),
    )
}

/// What each severity means.
fn severities(schema: &Value) -> String {
    let rows: Vec<_> = schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|severity| {
            let name = severity["const"].as_str().unwrap();
            let meaning = sentence(severity["description"].as_str().unwrap());
            [one_of(&[name.to_owned()]), meaning]
        })
        .collect();
    table(["severity", "a record that fails the rule"], &rows)
}

fn lower(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_lowercase() + rest
}
