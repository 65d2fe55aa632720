//! The composition for one machine, strictly read as far as we use it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::installed;
use crate::tree::{root, text};

/// `docker-compose.yml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    #[serde(rename = "x-hardened")]
    _hardened: Value,
    #[serde(rename = "x-environment")]
    _environment: Value,
    pub services: BTreeMap<String, Service>,
    volumes: BTreeMap<String, Option<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub image: String,
    pub build: Option<Build>,
    #[serde(default)]
    pub profiles: Vec<String>,
    #[serde(rename = "user")]
    _user: Option<String>,
    #[serde(default)]
    pub command: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default)]
    pub volumes: Vec<String>,
    #[serde(default, rename = "tmpfs")]
    _tmpfs: Vec<String>,
    #[serde(default)]
    pub ports: Vec<String>,
    pub healthcheck: Option<HealthCheck>,
    #[serde(default)]
    pub depends_on: BTreeMap<String, Dependency>,
    pub stop_grace_period: Option<String>,
    pub restart: String,
    read_only: bool,
    cap_drop: Vec<String>,
    security_opt: Vec<String>,
    mem_limit: String,
    #[serde(rename = "shm_size")]
    _shm_size: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub context: String,
    pub target: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    pub test: Vec<String>,
    #[serde(rename = "interval")]
    _interval: String,
    #[serde(rename = "timeout")]
    _timeout: String,
    #[serde(rename = "retries")]
    _retries: u32,
    #[serde(rename = "start_period")]
    _start_period: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    pub condition: String,
    #[serde(default = "yes")]
    pub required: bool,
}

fn yes() -> bool {
    true
}

impl Composition {
    /// A service's variables.
    pub fn environment(&self, service: &str) -> BTreeMap<String, String> {
        self.services[service].environment.clone()
    }
}

/// The composition with the values of `.env.example`.
pub fn read() -> Composition {
    let filled = interpolate(&text("docker-compose.yml"), &example());
    serde_saphyr::from_str(&filled).unwrap_or_else(|error| panic!("docker-compose.yml: {error}"))
}

/// The variables that `.env.example` sets.
pub fn example() -> BTreeMap<String, String> {
    let example = text(".env.example");
    let lines = example
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    lines.map(pair).collect()
}

/// Puts values for `${NAME:-default}` and `${NAME:?message}`.
fn interpolate(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (expression, after) = after.split_once('}').unwrap();
        let (name, otherwise) = expression.split_once(':').unwrap();
        let value = values.get(name).filter(|value| !value.is_empty());
        filled.push_str(before);
        filled.push_str(match (value, otherwise.strip_prefix('-')) {
            (Some(value), _) => value,
            (None, Some(default)) => default,
            (None, None) => panic!("{name} has no value"),
        });
        rest = after;
    }
    filled + rest
}

/// The names between `${` and `:`.
fn names(text: &str) -> BTreeSet<&str> {
    let parts = text.split("${").skip(1);
    parts.map(|part| part.split(':').next().unwrap()).collect()
}

#[test]
fn every_variable_has_its_example_and_every_example_its_use() {
    let composition = text("docker-compose.yml");
    let example = example();
    let mut known: BTreeSet<_> = example.keys().map(String::as_str).collect();
    // These two are compose's own.
    assert!(known.remove("COMPOSE_PROFILES") && known.remove("COMPOSE_PROJECT_NAME"));
    assert_eq!(known, names(&composition));
}

#[test]
fn services_have_no_rights_a_root_that_is_read_and_a_limit() {
    for (name, service) in read().services {
        assert!(service.read_only, "{name}");
        assert_eq!(service.cap_drop, ["ALL"], "{name}");
        assert_eq!(service.security_opt, ["no-new-privileges:true"], "{name}");
        assert!(!service.mem_limit.is_empty(), "{name}");
        assert_eq!(
            service.restart,
            if name == "migrate" {
                "no"
            } else {
                "unless-stopped"
            },
            "{name}"
        );
        let (_, version) = service.image.rsplit_once(':').unwrap();
        assert!(
            version != "latest" && version.contains('.'),
            "{name}: {version}"
        );
    }
}

#[test]
fn nothing_is_reached_from_other_machines_and_workers_can_be_many() {
    let composition = read();
    for (name, service) in &composition.services {
        for port in &service.ports {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
    assert!(composition.services["worker"].ports.is_empty());
}

#[test]
fn whoever_waits_waits_for_what_can_be_told() {
    let composition = read();
    for (name, service) in &composition.services {
        for (other, dependency) in &service.depends_on {
            let other_service = &composition.services[other];
            match dependency.condition.as_str() {
                "service_healthy" => {
                    assert!(other_service.healthcheck.is_some(), "{name}: {other}")
                }
                "service_completed_successfully" => assert_eq!(other, "migrate", "{name}"),
                condition => panic!("{name}: {other}: {condition}"),
            }
            // Without its profile it isn't there.
            assert_eq!(
                dependency.required,
                other_service.profiles.is_empty(),
                "{name}: {other}"
            );
        }
        let waits = |other: &str| service.depends_on.contains_key(other);
        let reads = |variable: &str| service.environment.contains_key(variable);
        if reads("DATABASE_URL") {
            assert!(waits("database"), "{name}");
            assert!(
                name == "migrate" || (waits("migrate") && waits("redis")),
                "{name}"
            );
        }
    }
    let database = composition.services["database"]
        .healthcheck
        .as_ref()
        .unwrap();
    // The server of the image's own beginning listens on the socket alone.
    assert!(
        database
            .test
            .windows(2)
            .any(|pair| pair == ["-h", "127.0.0.1"]),
        "{:?}",
        database.test
    );
    for (name, service) in &composition.services {
        if let Some(check) = &service.healthcheck {
            assert_eq!(check.test[0], "CMD", "{name}: no shell is needed");
        }
    }
}

#[test]
fn redis_keeps_what_it_is_told_and_drops_nothing() {
    let command = &read().services["redis"].command;
    let has = |option: &str, value: &str| command.windows(2).any(|pair| pair == [option, value]);
    assert!(
        has("--appendonly", "yes") && has("--maxmemory-policy", "noeviction"),
        "{command:?}"
    );
}

#[test]
fn volumes_and_files_that_are_mounted_are_there() {
    let composition = read();
    let mut used = BTreeSet::new();
    for (name, service) in &composition.services {
        for volume in &service.volumes {
            let source = volume.split(':').next().unwrap();
            match source.strip_prefix("./") {
                Some(path) => {
                    assert!(root().join(path).exists(), "{name}: {volume}");
                    assert!(volume.ends_with(":ro"), "{name}: {volume}");
                }
                None => drop(used.insert(source.to_owned())),
            }
        }
    }
    assert_eq!(used, composition.volumes.into_keys().collect());
    let archive = "archive:/var/lib/backhaul/archive".to_owned();
    for name in ["worker", "scheduler"] {
        assert!(
            composition.services[name].volumes.contains(&archive),
            "{name}"
        );
        let url = &composition.services[name].environment["ARCHIVE_URL"];
        assert_eq!(url, "file:///var/lib/backhaul/archive");
    }
}

/// Synthetic records and real ones have volumes of their own: volumes belong to the project's name.
#[test]
fn whoever_goes_over_to_the_vendor_takes_other_volumes() {
    let example = text(".env.example");
    for name in [
        "COMPOSE_PROJECT_NAME",
        "COMPOSE_PROFILES",
        "DATABENTO_URL",
        "DATABENTO_API_KEY",
    ] {
        let value = |prefix: &str| {
            let start = format!("{prefix}{name}=");
            example
                .lines()
                .find_map(|line| line.strip_prefix(&start))
                .unwrap()
                .to_owned()
        };
        assert_ne!(value(""), value("# "), "{name}");
    }
}

#[test]
fn the_database_takes_a_dozen_workers() {
    let composition = read();
    let settings = crate::environment::settings_of(&composition.environment("worker"));
    let command = &composition.services["database"].command;
    let connections = command
        .iter()
        .find_map(|it| it.strip_prefix("max_connections="))
        .unwrap();
    let connections: u32 = connections.parse().unwrap();
    assert!(12 * settings.worker_connections() + 20 < connections);
}

#[test]
fn what_may_be_set_is_used() {
    let composition = text("docker-compose.yml");
    for name in example()
        .keys()
        .filter(|name| !name.starts_with("COMPOSE_"))
    {
        assert!(composition.contains(&format!("${{{name}:")), "{name}");
    }
}

#[test]
fn compose_itself_takes_it_where_that_is_installed() {
    let file = ["--env-file", ".env.example", "--profile", "*"];
    let arguments = [&file[..], &["config", "--quiet"]].concat();
    // Not `docker compose`: a client without its plugin would take the flags for its own.
    let _absent = installed::output("docker-compose", &arguments, &root());
}
