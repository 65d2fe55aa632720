//! The variables that processes are given: each is one that Backhaul reads, with a value that it takes.

use std::collections::BTreeMap;

use common::configuration::files::ConfigFiles;
use common::configuration::settings::Settings;
use common::configuration::settings::environment::{BUCKET, OTHERS, SETTINGS, TRACES};
use serde_json::Value;

use crate::compose;
use crate::manifest::{Cluster, rendered};
use crate::tree::{at, list, root};

/// A container's variables: its own, those of ConfigMaps, and of secrets what their templates say.
pub fn of_container(cluster: &Cluster, container: &Value) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for from in list(container, "/envFrom") {
        let name = at(from, "/configMapRef/name").unwrap();
        let map = cluster.find("ConfigMap", name).unwrap();
        for (name, value) in map.value["data"].as_object().unwrap() {
            environment.insert(name.clone(), value.as_str().unwrap().to_owned());
        }
    }
    for variable in list(container, "/env") {
        let name = at(variable, "/name").unwrap().to_owned();
        let value = match variable.pointer("/valueFrom/secretKeyRef") {
            None => at(variable, "/value"),
            Some(reference) => {
                let secret = cluster
                    .find("Secret", at(reference, "/name").unwrap())
                    .unwrap();
                secret.value["stringData"][at(reference, "/key").unwrap()].as_str()
            }
        };
        if let Some(value) = value {
            environment.insert(name, value.to_owned());
        }
    }
    environment
}

/// What Backhaul makes of a process's variables, with the files of `configs/`.
pub fn settings_of(environment: &BTreeMap<String, String>) -> Settings {
    let files = ConfigFiles::Folder(root().join("configs"));
    Settings::from_sources(&files, environment.clone())
        .unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// Whether Backhaul reads a variable of this name.
fn is_read(name: &str) -> bool {
    let mut known = SETTINGS.iter().chain(OTHERS).chain(BUCKET).chain(TRACES);
    known.any(|(known, _)| *known == name)
}

fn check(place: &str, environment: &BTreeMap<String, String>) {
    for name in environment.keys() {
        assert!(is_read(name), "{place}: nobody reads {name}");
    }
    let settings = settings_of(environment);
    assert!(settings.is_distributed(), "{place}: a fleet has a server");
}

#[test]
fn every_process_in_a_cluster_is_given_settings_that_it_takes() {
    for cluster in rendered() {
        for workload in cluster.workloads().filter(|it| it.component().is_some()) {
            for container in workload.containers() {
                let environment = of_container(&cluster, container);
                check(&workload.place(), &environment);
                let settings = settings_of(&environment);
                if workload.component() != Some("migrate") {
                    settings.require_redis_url().unwrap();
                    settings.serve_token().unwrap();
                    assert_eq!(environment["BACKHAUL_CONFIG_DIR"], "/etc/backhaul");
                }
            }
        }
    }
}

#[test]
fn every_service_of_the_composition_is_given_settings_that_it_takes() {
    let composition = compose::read();
    for (name, service) in &composition.services {
        if service.image.starts_with("backhaul/") && !service.environment.is_empty() {
            let environment = composition.environment(name);
            check(name, &environment);
            let settings = settings_of(&environment);
            settings.require_redis_url().unwrap();
            settings.require_api_key().unwrap();
            settings.serve_token().unwrap();
        }
    }
}

#[test]
fn without_a_key_of_their_own_the_trials_take_the_simulators() {
    let composition = compose::read();
    let environment = composition.environment("worker");
    assert_eq!(environment["DATABENTO_URL"], "http://simulator:8090");
    for cluster in rendered().iter().filter(|it| it.name == "dev") {
        let worker = cluster.find("Deployment", "backhaul-worker").unwrap();
        let dev = of_container(cluster, worker.containers().next().unwrap());
        assert_eq!(dev["DATABENTO_URL"], "http://simulator:8090");
        assert_eq!(dev["DATABENTO_API_KEY"], environment["DATABENTO_API_KEY"]);
        settings_of(&dev).require_api_key().unwrap();
    }
}
