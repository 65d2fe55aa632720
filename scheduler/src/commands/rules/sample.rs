//! What the rules would say of one DBN file.

use std::path::Path;

use common::configuration::document::Refusal;
use common::configuration::mapping::Mapping;
use common::quality::QuarantineLimit;
use serde::Serialize;
use worker::sample::{SampleError, header, judge};
use worker::validate::Tally;

use crate::progress::{counted, thousands};
use crate::report::{aligned, plain_table};

#[derive(Serialize)]
pub(super) struct Sample {
    file: String,
    schema: String,
    records: u64,
    quarantined: u64,
    rules: Vec<SampledRule>,
}

#[derive(Serialize)]
struct SampledRule {
    name: String,
    severity: String,
    enabled: bool,
    failing: u64,
    examples: Vec<String>,
}

/// What the rules of its schema say of a file.
pub(super) fn try_on(path: &Path, mappings: &[Mapping]) -> anyhow::Result<Sample> {
    let name = path.display().to_string();
    let refuse = |message: String, help: &str| Refusal::of(name.clone(), message, help);
    let unfit = |error: SampleError| refuse(worker::error::chain(&error), error.help());
    let metadata = header(path).map_err(unfit)?;
    let mapping = metadata
        .schema
        .and_then(|schema| mappings.iter().find(|mapping| mapping.schema == schema));
    let Some(mapping) = mapping else {
        let message = match metadata.schema {
            Some(schema) => format!("no file maps the schema {schema}"),
            None => "the file mixes schemas, as live captures do".to_owned(),
        };
        return Err(refuse(message, "name a file of one schema that is mapped").into());
    };
    let tally = judge(path, &metadata, mapping).map_err(|error| unfit(error.into()))?;
    Ok(Sample::of(name, mapping, tally))
}

impl Sample {
    fn of(file: String, mapping: &Mapping, tally: Tally) -> Self {
        let rules = tally.rules.into_iter();
        Self {
            file,
            schema: mapping.schema.to_string(),
            records: tally.records,
            quarantined: tally.quarantined,
            rules: rules
                .map(|rule| SampledRule {
                    name: rule.rule.to_string(),
                    severity: rule.severity.to_string(),
                    enabled: rule.enabled,
                    failing: rule.records,
                    examples: rule.examples,
                })
                .collect(),
        }
    }

    pub(super) fn describe(&self, limit: QuarantineLimit) -> String {
        let mut table = plain_table(&["rule", "severity", "fail"]);
        let mut examples = String::new();
        for rule in &self.rules {
            let off = if rule.enabled { "" } else { " (off)" };
            table.add_row(aligned(
                2,
                vec![
                    format!("{}{off}", rule.name),
                    rule.severity.clone(),
                    thousands(rule.failing),
                ],
            ));
            for example in &rule.examples {
                examples.push_str(&format!("  {}: {example}\n", rule.name));
            }
        }
        format!(
            "{table}\n{examples}{}: {} of {}, of which {} would be quarantined{}\n",
            self.file,
            counted(self.records, "record"),
            self.schema,
            thousands(self.quarantined),
            match limit.passed_by(self.quarantined, self.records) {
                true =>
                    format!(": more than {limit}, so that nothing of such a chunk would be loaded"),
                false => String::new(),
            }
        )
    }
}
