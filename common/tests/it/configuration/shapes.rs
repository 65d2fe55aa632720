//! The JSON Schemas say of a document what its reader says: what the reader takes, the schema takes, and
//! what the reader refuses for its shape, the schema refuses.

use std::sync::LazyLock;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use common::configuration::document::Document;
use common::configuration::files::ConfigFiles;
use common::configuration::job_file::JobFile;
use common::configuration::json_schema;
use serde_json::{Value, json};

/// The schema of job files.
pub static JOB: LazyLock<Shape> = LazyLock::new(|| Shape::of(json_schema::job_file()));
/// The schema of mappings and rules.
pub static MAPPING: LazyLock<Shape> = LazyLock::new(|| Shape::of(json_schema::mapping()));
/// The schema of settings.
pub static SETTINGS: LazyLock<Shape> = LazyLock::new(|| Shape::of(json_schema::settings()));

/// A compiled schema.
pub struct Shape {
    schemas: Schemas,
    root: SchemaIndex,
}

impl Shape {
    fn of(schema: Value) -> Self {
        const PLACE: &str = "https://backhaul.invalid/schema.json";
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        let added = compiler.add_resource(PLACE, schema);
        added.expect("it is a schema");
        let mut schemas = Schemas::new();
        let root = compiler.compile(PLACE, &mut schemas);
        let root = root.expect("it is a schema");
        Self { schemas, root }
    }

    /// What is wrong with a document, if anything; what is no YAML is wrong too.
    fn complaint(&self, yaml: &str) -> Option<String> {
        match serde_saphyr::from_str::<Value>(yaml) {
            Ok(document) => self.complaint_about(&document),
            Err(error) => Some(error.to_string()),
        }
    }

    fn complaint_about(&self, document: &Value) -> Option<String> {
        let result = self.schemas.validate(document, self.root);
        result.err().map(|error| error.to_string())
    }

    #[track_caller]
    pub fn assert_takes(&self, yaml: &str) {
        if let Some(complaint) = self.complaint(yaml) {
            panic!("the reader takes it, and the schema doesn't: {complaint}\n{yaml}");
        }
    }

    #[track_caller]
    pub fn assert_refuses(&self, yaml: &str) {
        let refused = self.complaint(yaml).is_some();
        assert!(
            refused,
            "the reader refuses it, and the schema takes it:\n{yaml}"
        );
    }
}

#[test]
fn the_projects_own_files_have_their_shapes() {
    let files = ConfigFiles::CompiledIn;
    for (folder, shape) in [("jobs", &JOB), ("schemas", &MAPPING)] {
        for document in files.read_all(folder).unwrap() {
            shape.assert_takes(&document.text);
        }
    }
    SETTINGS.assert_takes(&files.read("backhaul.yaml").unwrap().unwrap().text);
}

#[test]
fn a_job_has_its_shape_also_as_other_readers_of_yaml_see_it() {
    let job = |key: &str, value: Value| {
        let mut job = json!({
            "name": "a", "dataset": "XNAS.ITCH", "schemas": ["mbo"], "symbols": ["AAPL"],
            "start": "2024-01-01", "end": "2024-01-02",
        });
        job[key] = value;
        job
    };
    // In YAML 1.2 a number with underscores is a text, and so are `on` and `off`; in 1.1 they are true
    // and false.
    for (key, value) in [
        ("chunking", json!({ "records": "1_000_000" })),
        ("chunking", json!({ "records": 1_000_000 })),
        ("priority", json!("-1_0")),
        (
            "rules",
            json!({ "a": "on", "b": true, "c": "off", "d": false }),
        ),
        ("symbols", json!([true, 1e5, "NO"])),
        ("max_cost_usd", json!(25.0)),
        ("max_cost_usd", json!("25.00")),
    ] {
        let complaint = JOB.complaint_about(&job(key, value.clone()));
        assert_eq!(complaint, None, "{key}: {value}");
    }
    for (key, value) in [
        ("chunking", json!({ "records": "many" })),
        ("chunking", json!({ "records": 0 })),
        ("chunking", Value::Null),
        ("priority", json!("high")),
        ("rules", json!({ "a": "yes" })),
        ("symbols", json!([])),
        ("symbols", json!(7)),
        ("start", json!("2024-1-1")),
        ("max_cost_usd", Value::Null),
        ("prioritty", json!(1)),
    ] {
        let complaint = JOB.complaint_about(&job(key, value.clone()));
        assert!(complaint.is_some(), "{key}: {value}");
    }
}

#[test]
fn each_key_of_a_job_can_be_set_beside_its_file() {
    let schema = json_schema::job_file();
    let job = "{name: a, dataset: XNAS.ITCH, schemas: [mbo], symbols: [AAPL], start: 2024-01-01, \
               end: 2024-01-02}";
    for key in schema["properties"].as_object().unwrap().keys() {
        let document = Document {
            origin: "job.yaml".to_owned(),
            text: job.to_owned(),
        };
        let set = JobFile::parse_with(document, &[format!("{key}={{not: this}}")]);
        let refusal = set.unwrap_err().to_string();
        assert!(!refusal.contains("no such key"), "{key}: {refusal}");
    }
}

#[test]
fn a_mapping_of_another_shape_is_refused() {
    let mapping = |column: &str, rule: &str| {
        format!("{{schemas: [trades], table: t, columns: [{column}], rules: [{rule}]}}")
    };
    let rule = "{name: a, check: size > 0, severity: error}";
    MAPPING.assert_takes(&mapping("{name: size, default: 0, scale: 0.5}", rule));
    for (column, rule) in [
        ("{name: size, typ: integer}", rule),
        ("{name: size, type: number}", rule),
        ("{field: size}", rule),
        ("{name: a, field: size, value: 1}", rule),
        ("{name: a, value: 1, default: 2}", rule),
        ("{name: a, scale: 0}", rule),
        (
            "{name: size}",
            "{name: Upper, check: size > 0, severity: error}",
        ),
        ("{name: size}", "{name: a, check: '', severity: error}"),
        ("{name: size}", "{name: a, check: size > 0}"),
        (
            "{name: size}",
            "{name: a, check: size > 0, severity: fatal}",
        ),
    ] {
        MAPPING.assert_refuses(&mapping(column, rule));
    }
    MAPPING.assert_refuses("{schemas: [], table: t, columns: []}");
    MAPPING.assert_refuses("{schemas: [trade], table: t, columns: []}");
    MAPPING.assert_refuses("{schemas: [trades], columns: []}");
}
