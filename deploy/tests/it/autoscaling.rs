//! How many workers there are: the question to the database, and what the database has to bear.

use std::time::Duration;

use common::store::{Access, Moment, Store};
use serde_json::Value;
use testkit::postgres::Postgres;

use crate::environment::{of_container, settings_of};
use crate::manifest::{Cluster, Manifest, rendered, written};
use crate::tree::{at, text};

/// Connections of everything that isn't a worker: the page's process, old and new, eight each; a job
/// that is submitted, eight; the migration; KEDA; and those that the server keeps for its superuser.
const OTHER_CONNECTIONS: u32 = 8 + 8 + 8 + 1 + 5 + 3;
/// The most that the question counts.
const COUNTED_MAX: i64 = 1_000;

fn trigger() -> Value {
    let written = written();
    let scaled = written
        .iter()
        .find(|it| it.kind() == "ScaledObject")
        .unwrap();
    scaled.value["spec"]["triggers"][0].clone()
}

/// What the autoscaler is told, by a role that may read what the template grants and no more.
fn answer(server: &Postgres) -> i64 {
    let query = trigger()["metadata"]["query"].as_str().unwrap().to_owned();
    let told = server.psql(&format!("SET ROLE backhaul_autoscaler;\n{query};"));
    told.trim()
        .parse()
        .unwrap_or_else(|error| panic!("{told}: {error}"))
}

/// The role's statements, as the secret's template has them.
fn grants() -> String {
    let template = text("k8s/secret.template.yaml");
    let statements = template
        .lines()
        .filter_map(|line| line.strip_prefix("#   "));
    let statements: Vec<_> = statements.filter(|it| it.ends_with(';')).collect();
    assert_eq!(statements.len(), 2, "{statements:?}");
    statements.join("\n")
}

/// Jobs that are active, paused and cancelled, with chunks in every state: a row is a job, a state,
/// seconds from now until it is due or its lease ends, and how many.
fn fixture() -> String {
    let mut script = String::from(
        "INSERT INTO symbol_sets VALUES (1, '[\"ES.c.0\"]');
         INSERT INTO jobs (id, name, fingerprint, spec, state, priority, created_at) VALUES
             (1, 'active', 'a', '{}', 'active', 0, 0), (2, 'paused', 'b', '{}', 'paused', 0, 0),
             (3, 'another', 'c', '{}', 'active', 0, 0), (4, 'cancelled', 'd', '{}', 'cancelled', 0, 0);\n",
    );
    let rows = [
        (1, "pending", -60, 3),   // due
        (1, "pending", 3_600, 4), // waits for the vendor or a retry
        (1, "running", 3_600, 2), // somebody is at it
        (1, "running", -60, 1),   // its worker died: somebody has to take it up
        (1, "done", -60, 5),
        (1, "empty", -60, 5),
        (1, "dead", -60, 5),
        (2, "pending", -60, 6),   // paused: nobody may begin it
        (2, "running", 3_600, 1), // paused, but still at it
        (2, "running", -60, 1),   // paused, and its worker died
        (3, "pending", -60, 1),
        (4, "cancelled", -60, 5),
    ];
    for (number, (job, state, seconds, count)) in rows.iter().enumerate() {
        script.push_str(&format!(
            "INSERT INTO chunks (job_id, dataset, schema, stype_in, symbols_id, start_ns, end_ns, priority,
                 state, due_at, owner, lease_until, billable_bytes, cost_nanousd, updated_at)
             SELECT {job}, 'GLBX.MDP3', 'trades', 'continuous', 1,
                 ({number} * 10000 + n) * 3600000000000, ({number} * 10000 + n + 1) * 3600000000000, 0,
                 '{state}', backhaul_now() + {seconds} * 1000000000::bigint, 'a worker',
                 backhaul_now() + {seconds} * 1000000000::bigint, 0, 0, 0
             FROM generate_series(1, {count}) AS n;\n"
        ));
    }
    script
}

#[tokio::test]
async fn the_autoscaler_is_told_what_is_due_and_what_runs() {
    let Some(server) = Postgres::start() else {
        return;
    };
    Store::migrate(&server.url()).await.unwrap();
    drop(server.psql(&grants()));
    assert_eq!(answer(&server), 0, "an empty database wants nobody");
    drop(server.psql(&fixture()));
    // Due: 3 and 1. Running: 2 at work, 1 to be taken up, 1 of a paused job at work.
    assert_eq!(answer(&server), 8);

    // The same by the store: what it gives out, and what is being worked on.
    let store = Store::open(&server.url(), Access::Read)
        .await
        .unwrap()
        .unwrap();
    let due = store.due_anywhere(100, Moment::Now).await.unwrap().len();
    let at_work = server.psql(
        "SELECT count(*) FROM chunks WHERE state = 'running' AND lease_until > backhaul_now();",
    );
    store.close().await;
    let due = i64::try_from(due).unwrap();
    assert_eq!(
        answer(&server),
        due + at_work.trim().parse::<i64>().unwrap()
    );

    // Nothing but the future and a pause: down to none.
    drop(server.psql(
        "UPDATE chunks SET state = 'done' WHERE job_id <> 2 AND state = 'running';
         UPDATE chunks SET state = 'done' WHERE job_id <> 2 AND due_at <= backhaul_now();
         UPDATE chunks SET state = 'done' WHERE job_id = 2 AND lease_until > backhaul_now();",
    ));
    assert_eq!(answer(&server), 0);
}

#[tokio::test]
async fn a_job_of_many_chunks_is_not_counted_to_its_end() {
    let Some(server) = Postgres::start() else {
        return;
    };
    Store::migrate(&server.url()).await.unwrap();
    drop(server.psql(&grants()));
    drop(server.psql(&fixture().replace("generate_series(1, 3)", "generate_series(1, 3000)")));
    let told = answer(&server);
    assert!((COUNTED_MAX..=2 * COUNTED_MAX).contains(&told), "{told}");
}

fn autoscalers(cluster: &Cluster) -> Vec<&Manifest> {
    let kinds = ["ScaledObject", "HorizontalPodAutoscaler"];
    cluster
        .manifests
        .iter()
        .filter(|it| kinds.contains(&it.kind()))
        .collect()
}

#[test]
fn one_autoscaler_decides_and_the_deployment_does_not() {
    for cluster in rendered() {
        let found = autoscalers(&cluster);
        let expected = usize::from(cluster.name != "dev");
        assert_eq!(found.len(), expected, "{}", cluster.name);
        for autoscaler in found {
            let target = at(&autoscaler.value, "/spec/scaleTargetRef/name").unwrap();
            assert!(
                cluster.find("Deployment", target).is_some(),
                "{}",
                autoscaler.place()
            );
        }
        let worker = cluster.find("Deployment", "backhaul-worker").unwrap();
        assert!(
            worker.value["spec"]["replicas"].is_null(),
            "{}",
            cluster.name
        );
    }
}

#[test]
fn the_database_bears_as_many_workers_as_there_may_be() {
    for cluster in rendered() {
        let worker = cluster.find("Deployment", "backhaul-worker").unwrap();
        let settings = settings_of(&of_container(&cluster, worker.containers().next().unwrap()));
        let surge = at(&worker.value, "/spec/strategy/rollingUpdate/maxSurge").unwrap();
        let surge: u32 = surge.strip_suffix('%').unwrap().parse().unwrap();
        for autoscaler in autoscalers(&cluster) {
            let spec = &autoscaler.value["spec"];
            let most = spec["maxReplicaCount"]
                .as_u64()
                .or(spec["maxReplicas"].as_u64())
                .unwrap();
            let most = u32::try_from(most).unwrap();
            // Those that drain are none that a rollout counts: all may, beside as many new ones.
            let workers = 2 * most + (most * surge).div_ceil(100);
            let allowed = at(
                &autoscaler.value,
                "/metadata/annotations/backhaul~1database-connections",
            );
            let allowed: u32 = allowed.unwrap().parse().unwrap();
            let wanted = workers * settings.worker_connections() + OTHER_CONNECTIONS;
            assert!(
                wanted < allowed,
                "{}: {wanted} of {allowed}",
                autoscaler.place()
            );
            let slots = u32::try_from(settings.slots()).unwrap();
            assert!(
                i64::from(most * slots) < COUNTED_MAX,
                "the question counts that far"
            );
        }
    }
}

#[test]
fn keda_reckons_with_a_workers_slots_and_lets_it_drain() {
    for cluster in rendered() {
        let Some(scaled) = cluster.of_kind("ScaledObject").next() else {
            continue;
        };
        let worker = cluster.find("Deployment", "backhaul-worker").unwrap();
        let settings = settings_of(&of_container(&cluster, worker.containers().next().unwrap()));
        let spec = &scaled.value["spec"];
        let trigger = &spec["triggers"][0];
        assert_eq!(trigger["type"], "postgresql");
        assert_eq!(
            trigger["metadata"]["targetQueryValue"],
            settings.slots().to_string()
        );
        assert_eq!(trigger["metadata"]["activationTargetQueryValue"], "0");
        let named = at(trigger, "/authenticationRef/name").unwrap();
        let way_in = &cluster.find("TriggerAuthentication", named).unwrap().value;
        let secret = &way_in["spec"]["secretTargetRef"][0];
        let template = cluster
            .find("Secret", at(secret, "/name").unwrap())
            .unwrap();
        assert!(template.value["stringData"][at(secret, "/key").unwrap()].is_string());
        assert_eq!(spec["minReplicaCount"], 0);
        let down = &spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"];
        let window = Duration::from_secs(down["stabilizationWindowSeconds"].as_u64().unwrap());
        assert!(
            window >= Duration::from_secs(300),
            "what is between two chunks is no end of the work"
        );
    }
}
