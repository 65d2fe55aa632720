//! Kubernetes manifests: as they are written, and as the overlays render them.

use serde_json::Value;

use crate::renderings;
use crate::tree::{at, documents, files_below, list, text};

/// One object of a cluster.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file or overlay that it is from.
    pub origin: String,
    /// All of it.
    pub value: Value,
}

/// All that one overlay brings into a cluster.
#[derive(Debug)]
pub struct Cluster {
    /// The overlay.
    pub name: String,
    /// The secrets that somebody makes beforehand.
    pub secrets: Vec<Manifest>,
    /// What it renders.
    pub manifests: Vec<Manifest>,
}

impl Manifest {
    pub fn kind(&self) -> &str {
        at(&self.value, "/kind").unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        at(&self.value, "/metadata/name").unwrap_or_default()
    }

    /// For messages.
    pub fn place(&self) -> String {
        format!("{}: {} {}", self.origin, self.kind(), self.name())
    }

    /// The template of its pods, when it has some.
    pub fn template(&self) -> Option<&Value> {
        match self.kind() {
            "CronJob" => self.value.pointer("/spec/jobTemplate/spec/template"),
            "Deployment" | "StatefulSet" | "Job" => self.value.pointer("/spec/template"),
            _ => None,
        }
    }

    /// A label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.value.pointer("/metadata/labels")?.get(name)?.as_str()
    }

    /// Its pods' containers.
    pub fn containers(&self) -> impl Iterator<Item = &Value> {
        let template = self.template().into_iter();
        template.flat_map(|template| list(template, "/spec/containers"))
    }

    /// The component whose program its pods run, where it is one of ours.
    pub fn component(&self) -> Option<&str> {
        let labels = self.template()?.pointer("/metadata/labels")?;
        let ours = labels["app.kubernetes.io/name"] == "backhaul";
        let component = labels["app.kubernetes.io/component"].as_str();
        component.filter(|_| ours)
    }
}

impl Cluster {
    /// The object of this kind and name.
    pub fn find(&self, kind: &str, name: &str) -> Option<&Manifest> {
        let mut all = self.manifests.iter().chain(&self.secrets);
        all.find(|manifest| manifest.kind() == kind && manifest.name() == name)
    }

    /// All of a kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Manifest> {
        self.manifests
            .iter()
            .filter(move |manifest| manifest.kind() == kind)
    }

    /// What has pods.
    pub fn workloads(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests
            .iter()
            .filter(|manifest| manifest.template().is_some())
    }
}

/// Every manifest below `k8s/` as it is written, secrets' templates too.
pub fn written() -> Vec<Manifest> {
    let files = files_below("k8s").into_iter();
    files
        .filter(|file| !file.ends_with("/kustomization.yaml"))
        .flat_map(|file| of_text(&file, &text(&file)))
        .collect()
}

/// What the overlays render, the one for managed servers also with the components that it leaves out;
/// none, with a printed line, where `kubectl` isn't installed.
pub fn rendered() -> Vec<Cluster> {
    let cluster = |(name, secrets, rendered): (&str, &str, String)| Cluster {
        name: name.to_owned(),
        secrets: of_text(secrets, &text(secrets)),
        manifests: of_text(name, &rendered),
    };
    let rendered = renderings::all().into_iter().flatten();
    rendered.map(cluster).collect()
}

fn of_text(origin: &str, text: &str) -> Vec<Manifest> {
    let documents = documents(origin, text).into_iter();
    documents
        .map(|value| Manifest {
            origin: origin.to_owned(),
            value,
        })
        .collect()
}

#[test]
fn the_overlays_bring_the_whole_fleet() {
    for cluster in rendered() {
        let workloads: Vec<_> = cluster
            .workloads()
            .map(|it| (it.kind(), it.name()))
            .collect();
        for expected in [
            ("Deployment", "backhaul-worker"),
            ("Deployment", "backhaul-scheduler"),
            ("Job", "backhaul-migrate"),
            ("CronJob", "backhaul-submit"),
        ] {
            assert!(
                workloads.contains(&expected),
                "{}: {workloads:?}",
                cluster.name
            );
        }
        let budget = cluster.find("PodDisruptionBudget", "backhaul-worker");
        assert!(budget.is_some(), "{}: {workloads:?}", cluster.name);
        let secrets = cluster.of_kind("Secret").count();
        assert_eq!(
            secrets, 0,
            "{}: a secret is no part of an overlay",
            cluster.name
        );
    }
}
