//! Nothing in or out but what is named, and all that is needed.

use serde_json::Value;

use crate::environment::of_container;
use crate::manifest::{Cluster, rendered};
use crate::tree::{at, list};

/// Variables that tell a process where a server is.
const ADDRESSES: [&str; 4] = [
    "DATABASE_URL",
    "REDIS_URL",
    "DATABENTO_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Whether a selector of labels takes these.
fn takes(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut equal = equal.map(|(name, value)| labels.get(name) == Some(value));
    let mut one_of = list(selector, "/matchExpressions").map(|it| {
        assert_eq!(it["operator"], "In");
        let label = labels.get(it["key"].as_str().unwrap());
        label.is_some_and(|label| list(it, "/values").any(|value| value == label))
    });
    equal.all(|it| it) && one_of.all(|it| it)
}

/// Ways out to this port for pods with these labels.
fn ways_out<'a>(cluster: &'a Cluster, labels: &Value, port: i64) -> Vec<&'a Value> {
    let policies = cluster
        .of_kind("NetworkPolicy")
        .filter(|it| takes(&it.value["spec"]["podSelector"], labels));
    let rules = policies.flat_map(|it| list(&it.value, "/spec/egress"));
    rules
        .filter(|it| list(it, "/ports").any(|it| it["port"] == port))
        .collect()
}

#[test]
fn nothing_is_allowed_that_is_not_named() {
    for cluster in rendered() {
        let all = &cluster
            .find("NetworkPolicy", "backhaul-deny-all")
            .unwrap()
            .value["spec"];
        assert_eq!(all["podSelector"], serde_json::json!({}));
        assert_eq!(all["policyTypes"], serde_json::json!(["Ingress", "Egress"]));
        assert!(all["ingress"].is_null() && all["egress"].is_null());
        for policy in cluster.of_kind("NetworkPolicy") {
            for (direction, peers) in [("/spec/ingress", "/from"), ("/spec/egress", "/to")] {
                for rule in list(&policy.value, direction) {
                    assert!(
                        list(rule, peers).count() > 0,
                        "{}: from anywhere",
                        policy.place()
                    );
                    assert!(
                        list(rule, "/ports").count() > 0,
                        "{}: any port",
                        policy.place()
                    );
                }
            }
        }
    }
}

#[test]
fn every_process_reaches_the_servers_whose_addresses_it_is_given() {
    for cluster in rendered() {
        for workload in cluster.workloads().filter(|it| it.component().is_some()) {
            let labels = &workload.template().unwrap()["metadata"]["labels"];
            let environment = of_container(&cluster, workload.containers().next().unwrap());
            let reaches = |port| ways_out(&cluster, labels, port);
            assert!(!reaches(53).is_empty(), "{}: names", workload.place());
            for variable in ADDRESSES {
                let Some(url) = environment.get(variable) else {
                    continue;
                };
                let (host, port) = address(url);
                let ways = reaches(port);
                assert!(
                    !ways.is_empty(),
                    "{}: {variable} at port {port}",
                    workload.place()
                );
                let Some(service) = cluster.find("Service", &host) else {
                    continue;
                };
                // Within the cluster the other end has to let it in, too.
                let to = &service.value["spec"]["selector"];
                let goes = |way: &&&Value| list(way, "/to").any(|it| takes(&it["podSelector"], to));
                assert!(
                    ways.iter().any(|way| goes(&way)),
                    "{}: {variable}",
                    workload.place()
                );
                let lets_in = cluster.of_kind("NetworkPolicy").any(|policy| {
                    takes(&policy.value["spec"]["podSelector"], to)
                        && list(&policy.value, "/spec/ingress").any(|rule| {
                            list(rule, "/from").any(|from| takes(&from["podSelector"], labels))
                                && list(rule, "/ports").any(|it| it["port"] == port)
                        })
                });
                assert!(lets_in, "{}: {host} lets it in", workload.place());
                let ports =
                    list(&service.value, "/spec/ports").filter_map(|it| it["port"].as_i64());
                assert!(
                    ports.into_iter().any(|it| it == port),
                    "{host} listens at {port}"
                );
            }
            if environment.contains_key("DATABENTO_API_KEY") {
                assert!(!reaches(443).is_empty(), "{}: the vendor", workload.place());
            }
        }
    }
}

/// Host and port of an address.
fn address(url: &str) -> (String, i64) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let authority = rest.split(['/', '?']).next().unwrap();
    let host = authority.rsplit('@').next().unwrap();
    let default = if scheme == "https" { 443 } else { 80 };
    match host.split_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse().unwrap()),
        None => (host.to_owned(), default),
    }
}

/// The collector is in a namespace of its own: its address and the way out name the same one.
#[test]
fn traces_go_to_the_namespace_that_pods_are_let_out_to() {
    let clusters = rendered();
    let mut seen = 0;
    for cluster in &clusters {
        for workload in cluster.workloads().filter(|it| it.component().is_some()) {
            let environment = of_container(cluster, workload.containers().next().unwrap());
            let Some(url) = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") else {
                continue;
            };
            seen += 1;
            let (host, port) = address(url);
            let (_, namespace) = host.split_once('.').unwrap();
            let labels = &workload.template().unwrap()["metadata"]["labels"];
            let there = serde_json::json!({"kubernetes.io/metadata.name": namespace});
            let ways = ways_out(cluster, labels, port);
            let goes =
                |way: &&Value| list(way, "/to").any(|it| takes(&it["namespaceSelector"], &there));
            assert!(ways.iter().any(goes), "{}: {url}", workload.place());
        }
    }
    // Of one variant: the worker, the page, and the job that is submitted by the clock.
    assert_eq!(seen, if clusters.is_empty() { 0 } else { 3 });
}

#[test]
fn the_clouds_metadata_is_out_of_reach() {
    for cluster in rendered() {
        let blocks = cluster
            .of_kind("NetworkPolicy")
            .flat_map(|it| list(&it.value, "/spec/egress"));
        for block in blocks
            .flat_map(|it| list(it, "/to"))
            .filter_map(|it| it.get("ipBlock"))
        {
            let except: Vec<_> = list(block, "/except").filter_map(Value::as_str).collect();
            match at(block, "/cidr").unwrap() {
                "0.0.0.0/0" => assert!(except.contains(&"169.254.0.0/16"), "{block}"),
                "::/0" => assert!(except.contains(&"fe80::/10"), "{block}"),
                _ => {}
            }
        }
    }
}
