//! Kubernetes' own kinds, strictly: every manifest is read into its type, and nothing may get lost.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::custom_resources;
use crate::manifest::{Manifest, rendered, written};

/// What is wrong with an object of one of Kubernetes' own kinds; `None` when it is none.
fn mistakes(value: &Value) -> Option<Vec<String>> {
    let kind = (value["apiVersion"].as_str()?, value["kind"].as_str()?);
    Some(match kind {
        ("v1", "Namespace") => lost::<Namespace>(value),
        ("v1", "ServiceAccount") => lost::<ServiceAccount>(value),
        ("v1", "ConfigMap") => lost::<ConfigMap>(value),
        ("v1", "Secret") => lost::<Secret>(value),
        ("v1", "Service") => lost::<Service>(value),
        ("v1", "PersistentVolumeClaim") => lost::<PersistentVolumeClaim>(value),
        ("apps/v1", "Deployment") => lost::<Deployment>(value),
        ("apps/v1", "StatefulSet") => lost::<StatefulSet>(value),
        ("batch/v1", "Job") => lost::<Job>(value),
        ("batch/v1", "CronJob") => lost::<CronJob>(value),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => lost::<HorizontalPodAutoscaler>(value),
        ("networking.k8s.io/v1", "NetworkPolicy") => lost::<NetworkPolicy>(value),
        ("policy/v1", "PodDisruptionBudget") => lost::<PodDisruptionBudget>(value),
        _ => return None,
    })
}

/// The paths of a value that its type doesn't know.
fn lost<T: DeserializeOwned + Serialize>(value: &Value) -> Vec<String> {
    match T::deserialize(value) {
        Err(error) => vec![error.to_string()],
        Ok(read) => {
            let mut paths = Vec::new();
            compare("", value, &serde_json::to_value(read).unwrap(), &mut paths);
            paths
        }
    }
}

fn compare(path: &str, written: &Value, read: &Value, paths: &mut Vec<String>) {
    match (written, read) {
        (Value::Object(fields), Value::Object(known)) => {
            for (name, field) in fields {
                let path = format!("{path}/{name}");
                match known.get(name) {
                    Some(known) => compare(&path, field, known, paths),
                    None => paths.push(path),
                }
            }
        }
        (Value::Array(items), Value::Array(known)) if items.len() == known.len() => {
            for (number, (item, known)) in items.iter().zip(known).enumerate() {
                compare(&format!("{path}/{number}"), item, known, paths);
            }
        }
        (written, read) if written == read => {}
        (written, read) => paths.push(format!("{path}: {written} is read as {read}")),
    }
}

fn all() -> Vec<Manifest> {
    let rendered = rendered().into_iter().flat_map(|cluster| cluster.manifests);
    written().into_iter().chain(rendered).collect()
}

#[test]
fn every_manifest_is_of_a_known_kind_with_every_field_known() {
    let manifests = all();
    assert!(manifests.len() > 30, "{} manifests", manifests.len());
    for manifest in &manifests {
        match mistakes(&manifest.value) {
            Some(mistakes) => assert!(mistakes.is_empty(), "{}: {mistakes:?}", manifest.place()),
            None => assert!(
                custom_resources::is_ours(&manifest.value),
                "{}",
                manifest.place()
            ),
        }
    }
}

#[test]
fn a_field_that_kubernetes_does_not_know_is_found_wherever_it_stands() {
    let manifests = written();
    let worker = manifests
        .iter()
        .find(|it| it.kind() == "Deployment" && it.name() == "backhaul-worker");
    let worker = &worker.unwrap().value;
    for pointer in [
        "",
        "/spec",
        "/spec/template/spec/containers/0",
        "/spec/template/spec/volumes/1/configMap",
    ] {
        let mut wrong = worker.clone();
        wrong.pointer_mut(pointer).unwrap()["livenesProbe"] = 1.into();
        assert_eq!(
            mistakes(&wrong).unwrap(),
            [format!("{pointer}/livenesProbe")]
        );
    }
    let mut wrong = worker.clone();
    wrong["spec"]["revisionHistoryLimit"] = "five".into();
    assert_eq!(mistakes(&wrong).unwrap().len(), 1, "a text is no number");
}
