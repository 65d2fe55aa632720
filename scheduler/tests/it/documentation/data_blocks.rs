//! YAML and JSON in documents: the program's own parsers take them.

use common::configuration::document::{Document, Refusal};
use common::configuration::job_file::JobFile;
use common::configuration::mapping::Mappings;
use common::configuration::settings::Settings;

use super::complaint::Complaint;
use super::document::{Block, Documents, Placed};

/// What is wrong with them.
pub fn check(documents: &Documents) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (path, parts) in documents.parts() {
        for block in &parts.blocks {
            let wrong = match block.what.language() {
                "yaml" => yaml(block),
                "json" => json(block),
                _ => Vec::new(),
            };
            let wrong = wrong.into_iter();
            complaints.extend(wrong.map(|(line, why)| Complaint::new(path, line, why)));
        }
    }
    complaints
}

/// By what the block says that it is: ` ```yaml job `.
fn yaml(block: &Placed<Block>) -> Vec<(usize, String)> {
    let document = Document {
        origin: "the block".to_owned(),
        text: block.what.text.clone(),
    };
    let refusals = match block.what.kind().first() {
        Some(&"job") => JobFile::parse(document).err().into_iter().collect(),
        Some(&"settings") => Settings::of(Some(&document), [])
            .err()
            .into_iter()
            .collect(),
        Some(&"mapping") => Mappings::parse(document).refusals,
        _ => {
            let why = "say what it is: ```yaml job, ```yaml mapping or ```yaml settings";
            return vec![(block.line, why.to_owned())];
        }
    };
    let told = |refusal: &Refusal| {
        let line = refusal
            .place
            .map_or(1, |(line, _)| usize::try_from(line).unwrap());
        let help = refusal.help.as_deref();
        let help = help.map(|help| format!("; {help}")).unwrap_or_default();
        (block.line + line - 1, format!("{}{help}", refusal.message))
    };
    refusals.iter().map(told).collect()
}

fn json(block: &Placed<Block>) -> Vec<(usize, String)> {
    let read = serde_json::from_str::<serde_json::Value>(&block.what.text);
    let wrong = read
        .err()
        .map(|error| (block.line + error.line() - 1, error.to_string()));
    wrong.into_iter().collect()
}
