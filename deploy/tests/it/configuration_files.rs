//! The files of `configs/` in a cluster: the same, at the places where Backhaul looks for them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::manifest::{Cluster, Manifest, rendered};
use crate::tree::{at, document, files_below, list, text};

/// The folder's files but the list of them, by their paths below it.
fn files() -> BTreeMap<String, String> {
    let files = files_below("configs").into_iter();
    let files = files.map(|path| path.strip_prefix("configs/").unwrap().to_owned());
    files
        .filter(|path| path != "kustomization.yaml")
        .map(|path| (path.clone(), text(&format!("configs/{path}"))))
        .collect()
}

#[test]
fn every_file_of_configs_is_on_the_list() {
    let list_of_files = document("configs/kustomization.yaml");
    let maps = list(&list_of_files, "/configMapGenerator");
    let mut listed: Vec<_> = maps
        .flat_map(|map| list(map, "/files"))
        .filter_map(Value::as_str)
        .collect();
    listed.sort_unstable();
    let files = files();
    assert_eq!(listed, files.keys().collect::<Vec<_>>());
}

#[test]
fn a_pod_finds_every_file_of_configs_in_its_place() {
    let files = files();
    for cluster in rendered() {
        let readers = cluster
            .workloads()
            .filter(|it| matches!(it.component(), Some(name) if name != "migrate"));
        for workload in readers {
            let container = workload.containers().next().unwrap();
            let mut found = BTreeMap::new();
            for mount in list(container, "/volumeMounts") {
                collect(&cluster, workload, mount, &mut found);
            }
            assert_eq!(found, files, "{}", workload.place());
        }
    }
}

/// What one mount shows below `/etc/backhaul`.
fn collect(
    cluster: &Cluster,
    workload: &Manifest,
    mount: &Value,
    found: &mut BTreeMap<String, String>,
) {
    let Some(place) = at(mount, "/mountPath")
        .unwrap()
        .strip_prefix("/etc/backhaul/")
    else {
        return;
    };
    let mut volumes = list(workload.template().unwrap(), "/spec/volumes");
    let volume = volumes.find(|it| it["name"] == mount["name"]).unwrap();
    let map = cluster
        .find("ConfigMap", at(volume, "/configMap/name").unwrap())
        .unwrap();
    for (name, text) in map.value["data"].as_object().unwrap() {
        let text = text.as_str().unwrap().to_owned();
        match at(mount, "/subPath") {
            Some(only) if only == name => drop(found.insert(place.to_owned(), text)),
            Some(_) => {}
            None => drop(found.insert(format!("{place}/{name}"), text)),
        }
    }
}

#[test]
fn the_job_that_is_submitted_by_the_clock_is_one_of_them() {
    for cluster in rendered() {
        let submit = cluster.find("CronJob", "backhaul-submit").unwrap();
        let container = submit.containers().next().unwrap();
        assert_eq!(at(container, "/args/0"), Some("submit"));
        let job = format!("jobs/{}.yaml", at(container, "/args/1").unwrap());
        assert!(files().contains_key(&job), "{}: {job}", cluster.name);
        let suspended = submit.value["spec"]["suspend"].as_bool();
        assert_eq!(
            suspended,
            Some(cluster.name != "dev"),
            "{}: nobody pays unasked",
            cluster.name
        );
    }
}
