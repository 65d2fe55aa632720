//! Every pod by the checklist: no rights, a root file system that is only read, limits.

use serde_json::{Value, json};

use crate::manifest::{Cluster, Manifest, rendered};
use crate::tree::{at, list};

fn each_container(check: impl Fn(&Cluster, &Manifest, &Value, &Value)) {
    for cluster in rendered() {
        for workload in cluster.workloads() {
            let spec = &workload.template().unwrap()["spec"];
            for container in workload.containers() {
                check(&cluster, workload, spec, container);
            }
        }
    }
}

#[test]
fn a_pod_has_no_rights_that_it_does_not_need() {
    each_container(|_, workload, spec, container| {
        let place = workload.place();
        assert_eq!(spec["automountServiceAccountToken"], false, "{place}");
        assert_eq!(
            spec["enableServiceLinks"], false,
            "{place}: variables of services are no settings"
        );
        let pod = &spec["securityContext"];
        assert_eq!(pod["runAsNonRoot"], true, "{place}");
        assert!(
            pod["runAsUser"].as_i64().is_some_and(|user| user > 0),
            "{place}"
        );
        assert_eq!(pod["seccompProfile"]["type"], "RuntimeDefault", "{place}");
        let own = &container["securityContext"];
        assert_eq!(own["allowPrivilegeEscalation"], false, "{place}");
        assert_eq!(own["readOnlyRootFilesystem"], true, "{place}");
        assert_eq!(own["capabilities"], json!({"drop": ["ALL"]}), "{place}");
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            assert!(spec[field].is_null(), "{place}: {field}");
        }
    });
}

#[test]
fn a_pod_has_limits_for_memory_and_files_and_none_for_the_cpu() {
    each_container(|_, workload, spec, container| {
        let place = workload.place();
        let resources = &container["resources"];
        assert!(resources["requests"]["cpu"].is_string(), "{place}");
        assert!(resources["limits"]["cpu"].is_null(), "{place}");
        assert!(resources["limits"]["memory"].is_string(), "{place}");
        assert_eq!(
            resources["requests"]["memory"], resources["limits"]["memory"],
            "{place}"
        );
        for volume in list(spec, "/volumes").filter(|it| it["emptyDir"].is_object()) {
            assert!(
                at(volume, "/emptyDir/sizeLimit").is_some(),
                "{place}: {volume}"
            );
        }
    });
}

#[test]
fn images_have_a_version() {
    each_container(|_, workload, _, container| {
        let image = at(container, "/image").unwrap();
        let name = image.rsplit('/').next().unwrap();
        let version = name.split_once(':').map(|(_, version)| version);
        assert!(
            version.is_some_and(|it| it != "latest"),
            "{}: {image}",
            workload.place()
        );
    });
}

#[test]
fn a_rollout_and_an_emptied_node_leave_workers_at_work() {
    for cluster in rendered() {
        let worker = cluster.find("Deployment", "backhaul-worker").unwrap();
        let spec = &worker.value["spec"];
        assert_eq!(spec["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
        let spread: Vec<_> = list(&spec["template"], "/spec/topologySpreadConstraints").collect();
        let keys: Vec<_> = spread
            .iter()
            .map(|it| it["topologyKey"].as_str().unwrap())
            .collect();
        assert_eq!(
            keys,
            ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        );
        assert!(
            spread
                .iter()
                .all(|it| it["matchLabelKeys"] == json!(["pod-template-hash"]))
        );
        let budget = &cluster
            .find("PodDisruptionBudget", "backhaul-worker")
            .unwrap()
            .value["spec"];
        assert_eq!(budget["maxUnavailable"], 1);
        assert_eq!(budget["unhealthyPodEvictionPolicy"], "AlwaysAllow");
    }
}

#[test]
fn the_namespace_takes_restricted_pods_alone() {
    for cluster in rendered() {
        let namespace = cluster.of_kind("Namespace").next().unwrap();
        assert_eq!(
            namespace.label("pod-security.kubernetes.io/enforce"),
            Some("restricted")
        );
        for manifest in cluster
            .manifests
            .iter()
            .filter(|it| it.kind() != "Namespace")
        {
            let in_it = at(&manifest.value, "/metadata/namespace");
            assert_eq!(in_it, Some(namespace.name()), "{}", manifest.place());
        }
        for secret in &cluster.secrets {
            let in_it = at(&secret.value, "/metadata/namespace");
            assert_eq!(in_it, Some(namespace.name()), "{}", secret.place());
        }
    }
}
