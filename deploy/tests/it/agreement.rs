//! What has to agree between manifests: names, labels, ports, probes, and how long a stop may take.

use serde_json::Value;

use crate::compose;
use crate::environment::{of_container, settings_of};
use crate::manifest::{Cluster, Manifest, rendered};
use crate::tree::{at, document, list};

/// Between the end of the grace and the moment at which the process is killed.
const AFTER_GRACE_SECONDS: f64 = 10.0;

fn matches(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().unwrap();
    !wanted.is_empty()
        && wanted
            .iter()
            .all(|(name, value)| labels.get(name) == Some(value))
}

/// The workloads that a selector of labels finds.
fn found_by<'a>(cluster: &'a Cluster, selector: &Value) -> Vec<&'a Manifest> {
    let labels = |it: &&Manifest| {
        let labels = it
            .template()
            .and_then(|template| template.pointer("/metadata/labels"));
        labels.is_some_and(|labels| matches(selector, labels))
    };
    cluster.workloads().filter(labels).collect()
}

/// The container's ports by name.
fn ports(container: &Value) -> Vec<(&str, i64)> {
    list(container, "/ports")
        .map(|port| {
            (
                port["name"].as_str().unwrap(),
                port["containerPort"].as_i64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn services_and_budgets_find_their_pods_and_the_pods_ports() {
    for cluster in rendered() {
        for workload in cluster
            .workloads()
            .filter(|it| it.value.pointer("/spec/selector").is_some())
        {
            let selector = workload
                .value
                .pointer("/spec/selector/matchLabels")
                .unwrap();
            assert_eq!(
                found_by(&cluster, selector).len(),
                1,
                "{}",
                workload.place()
            );
        }
        for budget in cluster.of_kind("PodDisruptionBudget") {
            let selector = budget.value.pointer("/spec/selector/matchLabels").unwrap();
            assert_eq!(found_by(&cluster, selector).len(), 1, "{}", budget.place());
        }
        for service in cluster.of_kind("Service") {
            let found = found_by(&cluster, &service.value["spec"]["selector"]);
            assert_eq!(found.len(), 1, "{}", service.place());
            let known = ports(found[0].containers().next().unwrap());
            for port in list(&service.value, "/spec/ports") {
                let wanted = (
                    port["targetPort"].as_str().unwrap(),
                    port["port"].as_i64().unwrap(),
                );
                assert!(
                    known.contains(&wanted),
                    "{}: {wanted:?} of {known:?}",
                    service.place()
                );
                assert_eq!(port["name"], port["targetPort"], "{}", service.place());
            }
        }
        for monitor in cluster.of_kind("ServiceMonitor") {
            for port in
                list(&monitor.value, "/spec/endpoints").map(|it| it["port"].as_str().unwrap())
            {
                for name in ["backhaul-worker", "backhaul-scheduler"] {
                    let service = cluster.find("Service", name).unwrap();
                    let mut ports = list(&service.value, "/spec/ports");
                    assert!(
                        ports.any(|it| it["name"] == port),
                        "{}: {port}",
                        monitor.place()
                    );
                }
            }
        }
    }
}

#[test]
fn a_process_listens_where_its_ports_say() {
    let port_of = |address: &str| address.rsplit(':').next().unwrap().parse::<i64>().unwrap();
    for cluster in rendered() {
        for workload in cluster.workloads() {
            for container in workload.containers() {
                let environment = of_container(&cluster, container);
                let ports = ports(container);
                for (name, variable) in [
                    ("metrics", "BACKHAUL_METRICS_LISTEN"),
                    ("http", "BACKHAUL_SERVE_LISTEN"),
                ] {
                    let port = ports.iter().find(|(port, _)| *port == name);
                    if let (Some((_, port)), Some("worker" | "scheduler")) =
                        (port, workload.component())
                    {
                        let listens = environment.get(variable).unwrap();
                        assert!(
                            listens.starts_with("0.0.0.0:"),
                            "{}: {listens}",
                            workload.place()
                        );
                        assert_eq!(port_of(listens), *port, "{}: {variable}", workload.place());
                    }
                }
            }
        }
        let simulator = cluster.find("Deployment", "simulator");
        for container in simulator.into_iter().flat_map(Manifest::containers) {
            assert_eq!(
                port_of(at(container, "/args/1").unwrap()),
                ports(container)[0].1
            );
        }
    }
    let composition = compose::read();
    let metrics = composition.environment("worker")["BACKHAUL_METRICS_LISTEN"].clone();
    let prometheus = document("monitoring/prometheus.yml");
    let scraped = &prometheus["scrape_configs"][0]["dns_sd_configs"][0];
    assert_eq!(scraped["port"].as_i64(), Some(port_of(&metrics)));
    for name in list(scraped, "/names").map(|name| name.as_str().unwrap()) {
        assert!(
            composition.services.contains_key(name),
            "compose has a service {name}"
        );
    }
    let serve = composition.environment("scheduler")["BACKHAUL_SERVE_LISTEN"].clone();
    let published = &composition.services["scheduler"].ports[0];
    assert!(
        published.ends_with(&format!(":{}", port_of(&serve))),
        "{published}"
    );
}

#[test]
fn probes_ask_the_process_whether_it_lives_and_its_servers_whether_it_is_ready() {
    for cluster in rendered() {
        let ours = |it: &&Manifest| matches!(it.component(), Some("worker" | "scheduler"));
        assert_eq!(
            cluster.workloads().filter(ours).count(),
            2,
            "{}",
            cluster.name
        );
        for workload in cluster.workloads().filter(ours) {
            for container in workload.containers() {
                for (probe, path) in [
                    ("startupProbe", "/healthz"),
                    ("livenessProbe", "/healthz"),
                    ("readinessProbe", "/readyz"),
                ] {
                    let get = &container[probe]["httpGet"];
                    assert_eq!(get["path"], path, "{}: {probe}", workload.place());
                    let port = get["port"].as_str().unwrap();
                    let known = ports(container).iter().any(|(name, _)| *name == port);
                    assert!(known, "{}: {probe}: {port}", workload.place());
                }
            }
        }
        for workload in cluster
            .workloads()
            .filter(|it| matches!(it.kind(), "Deployment" | "StatefulSet"))
        {
            for container in workload.containers() {
                for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                    assert!(
                        container[probe].is_object(),
                        "{}: no {probe}",
                        workload.place()
                    );
                }
            }
        }
    }
}

#[test]
fn a_worker_has_its_grace_and_more_before_it_is_killed() {
    for cluster in rendered() {
        let worker = cluster.find("Deployment", "backhaul-worker").unwrap();
        let container = worker.containers().next().unwrap();
        let grace = settings_of(&of_container(&cluster, container)).shutdown_grace_seconds;
        let killed = worker.template().unwrap()["spec"]["terminationGracePeriodSeconds"]
            .as_f64()
            .unwrap();
        assert!(
            grace + AFTER_GRACE_SECONDS < killed,
            "{}: {grace}, {killed}",
            cluster.name
        );
    }
    let composition = compose::read();
    let grace = settings_of(&composition.environment("worker")).shutdown_grace_seconds;
    let killed = composition.services["worker"]
        .stop_grace_period
        .as_deref()
        .unwrap();
    let killed: f64 = killed.strip_suffix('s').unwrap().parse().unwrap();
    assert!(
        grace + AFTER_GRACE_SECONDS < killed,
        "compose: {grace}, {killed}"
    );
}

#[test]
fn whatever_a_pod_names_is_there() {
    for cluster in rendered() {
        for workload in cluster.workloads() {
            let spec = &workload.template().unwrap()["spec"];
            if let Some(account) = at(spec, "/serviceAccountName") {
                assert!(
                    cluster.find("ServiceAccount", account).is_some(),
                    "{}: {account}",
                    workload.place()
                );
            }
            let mut volumes: Vec<_> = list(&workload.value, "/spec/volumeClaimTemplates")
                .map(|claim| claim["metadata"]["name"].as_str().unwrap())
                .collect();
            for volume in list(spec, "/volumes") {
                volumes.push(volume["name"].as_str().unwrap());
                for (pointer, kind) in [
                    ("/configMap/name", "ConfigMap"),
                    ("/persistentVolumeClaim/claimName", "PersistentVolumeClaim"),
                ] {
                    if let Some(name) = at(volume, pointer) {
                        assert!(
                            cluster.find(kind, name).is_some(),
                            "{}: {name}",
                            workload.place()
                        );
                    }
                }
            }
            for mount in workload
                .containers()
                .flat_map(|container| list(container, "/volumeMounts"))
            {
                let name = mount["name"].as_str().unwrap();
                assert!(
                    volumes.contains(&name),
                    "{}: {name} of {volumes:?}",
                    workload.place()
                );
            }
            for container in workload.containers() {
                for variable in list(container, "/env") {
                    let Some(reference) = variable.pointer("/valueFrom/secretKeyRef") else {
                        continue;
                    };
                    let (name, key) = (
                        at(reference, "/name").unwrap(),
                        at(reference, "/key").unwrap(),
                    );
                    let secret = cluster.find("Secret", name).unwrap();
                    let known = secret.value["stringData"][key].is_string()
                        || reference["optional"] == true;
                    assert!(known, "{}: {name} has no {key}", workload.place());
                }
            }
        }
    }
}

#[test]
fn a_job_that_does_not_retry_bad_input_names_its_own_container() {
    for cluster in rendered() {
        for workload in cluster
            .workloads()
            .filter(|it| matches!(it.kind(), "Job" | "CronJob"))
        {
            let spec = match workload.kind() {
                "Job" => &workload.value["spec"],
                _ => &workload.value["spec"]["jobTemplate"]["spec"],
            };
            let rule = &spec["podFailurePolicy"]["rules"][0]["onExitCodes"];
            let container = workload.containers().next().unwrap();
            assert_eq!(
                rule["containerName"],
                container["name"],
                "{}",
                workload.place()
            );
            let codes: Vec<_> = list(rule, "/values").filter_map(Value::as_i64).collect();
            assert!(
                codes.contains(&2),
                "{}: bad input is exit code 2",
                workload.place()
            );
            for limit in [
                "activeDeadlineSeconds",
                "backoffLimit",
                "ttlSecondsAfterFinished",
            ] {
                assert!(spec[limit].is_i64(), "{}: {limit}", workload.place());
            }
        }
        let submit = &cluster.find("CronJob", "backhaul-submit").unwrap().value["spec"];
        assert_eq!(submit["concurrencyPolicy"], "Forbid");
        assert!(submit["timeZone"].is_string() && submit["startingDeadlineSeconds"].is_i64());
    }
}

/// `kubectl apply -l` with these components brings all that the migration needs.
#[test]
fn what_the_migration_needs_is_applied_before_it() {
    for cluster in rendered() {
        let migrate = cluster.find("Job", "backhaul-migrate").unwrap();
        assert_eq!(
            migrate.label("app.kubernetes.io/component"),
            Some("migrate")
        );
        let before = [
            "Namespace",
            "ServiceAccount",
            "ConfigMap",
            "NetworkPolicy",
            "PersistentVolumeClaim",
        ];
        for manifest in cluster
            .manifests
            .iter()
            .filter(|it| before.contains(&it.kind()))
        {
            let component = manifest.label("app.kubernetes.io/component");
            assert_eq!(component, Some("settings"), "{}", manifest.place());
        }
    }
}

#[test]
fn an_archive_in_a_folder_is_one_volume_of_every_process_that_reads_it() {
    for cluster in rendered() {
        let mut claims = Vec::new();
        for workload in cluster.workloads() {
            let container = workload.containers().next().unwrap();
            let environment = of_container(&cluster, container);
            let Some(url) = environment.get("ARCHIVE_URL") else {
                continue;
            };
            let Some(folder) = url.strip_prefix("file://") else {
                assert!(url.starts_with("s3://"), "{}: {url}", workload.place());
                continue;
            };
            let mount = list(container, "/volumeMounts").find(|it| it["mountPath"] == folder);
            let mount = mount.unwrap_or_else(|| panic!("{}: {folder}", workload.place()));
            let mut volumes = list(workload.template().unwrap(), "/spec/volumes");
            let volume = volumes.find(|it| it["name"] == mount["name"]).unwrap();
            let claim = at(volume, "/persistentVolumeClaim/claimName").unwrap();
            claims.push(claim.to_owned());
        }
        let expected = if cluster.name == "dev" { 3 } else { 0 };
        assert_eq!(
            claims,
            vec!["backhaul-archive"; expected],
            "{}",
            cluster.name
        );
    }
}
