//! Job files.

use common::configuration::document::Document;
use common::configuration::job_file::JobFile;
use common::request::{ChunkLength, JobSource, Request};
use serde_json::{Value, json};

use crate::place::{assert_within, document};

/// A job file's text.
///
/// # Panics
/// When an accepted request comes out otherwise when it is written and read again, or a refusal
/// names a place that isn't there.
pub fn job_file(bytes: &[u8]) -> bool {
    let Some(document) = document(bytes) else {
        return false;
    };
    match JobFile::parse(document.clone()) {
        Err(refusal) => {
            assert_within(&refusal, &document);
            false
        }
        Ok(job) => {
            assert_sound(&job.request);
            // What follows is put together of what a person may refuse, and must not panic.
            assert_within(&job.refuse_days(true, String::new(), "help"), &document);
            let written = Document {
                origin: document.origin,
                text: written(&job.request).to_string(),
            };
            let again = JobFile::parse(written).map(|job| job.request);
            assert_eq!(again.as_ref().ok(), Some(&job.request), "{again:?}");
            true
        }
    }
}

fn assert_sound(request: &Request) {
    assert!(request.days.start() < request.days.end());
    assert!(!request.schemas.is_empty());
    assert!((1..=2_000).contains(&request.chunking.symbols_max));
    if let Some(names) = request.symbols.names() {
        assert!(!names.is_empty() && names.is_sorted_by(|left, right| left < right));
    }
}

/// The request as a job file: JSON is YAML.
fn written(request: &Request) -> Value {
    let schemas: Vec<_> = request
        .schemas
        .iter()
        .map(|schema| schema.as_str())
        .collect();
    let (length, number) = match request.chunking.length {
        ChunkLength::Records(records) => ("records", records),
        ChunkLength::Days(days) => ("days", u64::from(days)),
    };
    let switch = |on: bool| if on { "on" } else { "off" };
    let rules: serde_json::Map<_, _> = request
        .quality
        .rules
        .iter()
        .map(|(rule, on)| (rule.clone(), switch(*on).into()))
        .collect();
    let mut written = json!({
        "name": request.name,
        "dataset": request.dataset,
        "schemas": schemas,
        "symbols": request.symbols,
        "stype_in": request.stype_in.as_str(),
        "start": request.days.start().to_string(),
        "end": request.days.end().to_string(),
        "chunking": { length: number, "symbols": request.chunking.symbols_max },
        "priority": request.priority,
        "rules": rules,
    });
    if let Some(limit) = request.quality.limit {
        written["max_quarantine_percent"] = limit.to_string().trim_end_matches('%').trim().into();
    }
    if let Some(cost) = request.max_cost {
        written["max_cost_usd"] = cost.to_string().into();
    }
    if let JobSource::Files(folder) = &request.source {
        written["source"] = "files".into();
        written["folder"] = folder.to_string_lossy().into();
    }
    written
}
