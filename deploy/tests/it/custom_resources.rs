//! KEDA's kinds and the Prometheus operator's, strictly, by their own definitions where these are.

use boon::{Compiler, Schemas};
use serde_json::{Value, json};
use testkit::shared_data::shared_data;

use crate::manifest::{rendered, written};
use crate::tree::documents;

const OURS: [(&str, &str); 4] = [
    ("keda.sh/v1alpha1", "ScaledObject"),
    ("keda.sh/v1alpha1", "TriggerAuthentication"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
];

/// Whether an object is of one of the kinds that are checked here.
pub fn is_ours(value: &Value) -> bool {
    let kind = (value["apiVersion"].as_str(), value["kind"].as_str());
    OURS.iter()
        .any(|(version, name)| kind == (Some(version), Some(name)))
}

/// The definitions' schemas by version and kind; none, with a printed line, where they are not.
fn schemas() -> Vec<((String, String), Value)> {
    let folder = shared_data().map(|folder| folder.join("crds"));
    let Some(files) = folder.and_then(|folder| std::fs::read_dir(folder).ok()) else {
        println!(
            "skipped: there are no custom resource definitions at ../shared/data/crds, so nobody \
             checks the fields of KEDA's kinds and of the Prometheus operator's"
        );
        return Vec::new();
    };
    let mut found = Vec::new();
    for file in files {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        for definition in documents(&file.display().to_string(), &text) {
            let spec = &definition["spec"];
            let kind = spec["names"]["kind"].as_str().unwrap().to_owned();
            for version in spec["versions"].as_array().unwrap() {
                let group = spec["group"].as_str().unwrap();
                let version_name = version["name"].as_str().unwrap();
                let schema = version["schema"]["openAPIV3Schema"].clone();
                found.push(((format!("{group}/{version_name}"), kind.clone()), schema));
            }
        }
    }
    found
}

/// What of a value a definition doesn't allow, with every field that it doesn't name.
fn mistakes(definition: &Value, value: &Value) -> Option<String> {
    let mut strict = definition.clone();
    forbid_unknown(&mut strict);
    // What is in there is Kubernetes' own.
    strict["properties"]["metadata"] = json!({"type": "object"});
    let mut compiler = Compiler::new();
    compiler.add_resource("definition.json", strict).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile("definition.json", &mut schemas);
    let index = index.unwrap_or_else(|error| panic!("{error:#}"));
    let refused = schemas.validate(value, index).err();
    refused.map(|error| format!("{error:#}"))
}

fn forbid_unknown(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let open = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if fields.contains_key("properties") && !open {
        fields
            .entry("additionalProperties")
            .or_insert(Value::Bool(false));
    }
    for (name, below) in fields.iter_mut() {
        match (name.as_str(), below) {
            ("properties", Value::Object(properties)) => {
                properties.values_mut().for_each(forbid_unknown);
            }
            ("items" | "additionalProperties", below) => forbid_unknown(below),
            _ => {}
        }
    }
}

#[test]
fn every_custom_resource_fits_its_definition_with_every_field_known() {
    let schemas = schemas();
    if schemas.is_empty() {
        return;
    }
    let rendered = rendered().into_iter().flat_map(|cluster| cluster.manifests);
    let all: Vec<_> = written().into_iter().chain(rendered).collect();
    for (version, kind) in OURS {
        let known = |it: &&((String, String), Value)| it.0 == (version.to_owned(), kind.to_owned());
        let (_, definition) = schemas.iter().find(known).unwrap();
        let of_kind = || all.iter().filter(|it| it.kind() == kind);
        assert!(of_kind().count() > 0, "there is a {kind}");
        for manifest in of_kind() {
            let found = mistakes(definition, &manifest.value);
            assert_eq!(found, None, "{}", manifest.place());
        }
    }
}

#[test]
fn a_field_that_the_definition_does_not_know_is_found() {
    let schemas = schemas();
    let scaled_object = |it: &&((String, String), Value)| it.0.1 == "ScaledObject";
    let Some((_, definition)) = schemas.iter().find(scaled_object) else {
        return;
    };
    let written = written();
    let scaled = written
        .iter()
        .find(|it| it.kind() == "ScaledObject")
        .unwrap();
    let behavior = "/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown";
    for pointer in ["", "/spec", "/spec/triggers/0", behavior] {
        let mut wrong = scaled.value.clone();
        wrong.pointer_mut(pointer).unwrap()["coolDownPeriod"] = 1.into();
        let found = mistakes(definition, &wrong).unwrap();
        assert!(found.contains("coolDownPeriod"), "{pointer}: {found}");
    }
    let mut wrong = scaled.value.clone();
    wrong["spec"]["maxReplicaCount"] = "twenty".into();
    assert!(
        mistakes(definition, &wrong).is_some(),
        "a text is no number"
    );
    let mut wrong = scaled.value.clone();
    wrong["spec"]["triggers"][0]
        .as_object_mut()
        .unwrap()
        .remove("metadata");
    assert!(
        mistakes(definition, &wrong).is_some(),
        "a trigger says what it asks"
    );
}
