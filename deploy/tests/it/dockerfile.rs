//! The images' recipe, as far as it can be held against the workspace without building anything.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::compose;
use crate::manifest::{rendered, written};
use crate::tree::{at, list, root, text};

/// The programs that there are images of.
const PROGRAMS: [&str; 3] = ["scheduler", "worker", "simulator"];

/// Folders that no program is made of, or only a part of.
const NOT_BUILT: [&str; 6] = ["data", "docs", "fuzz", "k8s", "monitoring", "target"];

/// An instruction: its word and the rest of it, in one line.
fn instructions() -> Vec<(String, String)> {
    let joined = text("Dockerfile").replace("\\\n", " ");
    let lines = joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &str| {
        let (word, rest) = line.split_once(' ').unwrap();
        (
            word.to_owned(),
            rest.split_whitespace().collect::<Vec<_>>().join(" "),
        )
    };
    lines.map(split).collect()
}

/// The instructions of each stage by its name, the image it begins with first.
pub fn stages() -> BTreeMap<String, Vec<(String, String)>> {
    let mut stages = BTreeMap::new();
    let mut current = String::new();
    for (word, rest) in instructions() {
        if word == "FROM" {
            let (_, name) = rest.split_once(" AS ").unwrap();
            name.clone_into(&mut current);
        }
        stages
            .entry(current.clone())
            .or_insert_with(Vec::new)
            .push((word, rest));
    }
    stages
}

/// What cargo tells of the workspace.
fn workspace() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]);
    let told = cargo.current_dir(root()).output().unwrap();
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    serde_json::from_slice(&told.stdout).unwrap()
}

fn package<'a>(workspace: &'a Value, name: &str) -> &'a Value {
    list(workspace, "/packages")
        .find(|it| it["name"] == name)
        .unwrap()
}

#[test]
fn the_toolchain_is_the_one_that_the_workspace_names() {
    let workspace = workspace();
    let version = at(package(&workspace, "worker"), "/rust_version")
        .unwrap()
        .to_owned();
    let (_, image) = &stages()["toolchain"][0];
    let tag = image.strip_prefix("rust:").unwrap();
    assert!(tag.starts_with(&version), "{tag} is {version}");
    let own = text("rust-toolchain.toml");
    let channel = own
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .unwrap();
    let channel = channel.trim_matches('"');
    assert!(
        channel == "stable" || tag.starts_with(channel),
        "{tag} is {channel}"
    );
    assert!(
        !is_sent("rust-toolchain.toml"),
        "it would have another toolchain loaded"
    );
}

#[test]
fn images_from_elsewhere_are_named_by_their_digest() {
    let stages = stages();
    for (word, rest) in stages.values().flatten().filter(|(word, _)| word == "FROM") {
        let image = rest.split(' ').next().unwrap();
        let digest = image.split_once("@sha256:").map(|(_, digest)| digest.len());
        assert!(
            digest == Some(64) || stages.contains_key(image),
            "{word} {rest}"
        );
    }
    let installed = text("Dockerfile");
    assert!(installed.contains("cargo-chef --version ") && installed.contains(" --locked\n"));
}

#[test]
fn an_image_is_one_program_of_the_workspace_and_needs_no_shell() {
    let workspace = workspace();
    let stages = stages();
    for program in PROGRAMS {
        let stage = &stages[program];
        assert_eq!(stage[0].1, format!("runtime AS {program}"));
        let only = |word: &str| {
            stage
                .iter()
                .find(|(it, _)| it == word)
                .map(|(_, rest)| rest.as_str())
        };
        let binary = format!("/usr/local/bin/{program}");
        assert_eq!(only("ENTRYPOINT"), Some(format!("[\"{binary}\"]").as_str()));
        assert_eq!(
            only("COPY"),
            Some(format!("--from=builder /build/target/release/{program} {binary}").as_str())
        );
        assert!(only("HEALTHCHECK").is_some_and(|it| it == "NONE" || it.contains(" CMD [\"/usr/")));
        assert!(only("RUN").is_none(), "{program}: there is no shell");
        let mut targets = list(package(&workspace, program), "/targets");
        let is_binary = targets.any(|it| it["name"] == program && it["kind"][0] == "bin");
        assert!(is_binary, "{program} is a program");
    }
    let runtime = &stages["runtime"];
    let user = runtime.iter().find(|(word, _)| word == "USER").unwrap();
    assert_eq!(user.1, "65532:65532");
    for manifest in written().iter().filter(|it| it.component().is_some()) {
        let pod = &manifest.template().unwrap()["spec"]["securityContext"];
        assert_eq!(
            (&pod["runAsUser"], &pod["runAsGroup"]),
            (&65532.into(), &65532.into())
        );
    }
}

#[test]
fn both_builds_have_the_same_features_and_these_exist() {
    let workspace = workspace();
    let builds: Vec<_> = instructions()
        .into_iter()
        .filter(|(word, rest)| word == "RUN" && rest.contains(" --release "))
        .collect();
    assert_eq!(builds.len(), 2, "dependencies, then ours");
    for (_, build) in &builds {
        let words: Vec<_> = build.split(' ').collect();
        let after = |flag: &str| {
            let pairs = words.windows(2).filter(|pair| pair[0] == flag);
            pairs.map(|pair| pair[1].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(after("--package"), PROGRAMS);
        let features = after("--features");
        let features: Vec<_> = features[0].split(',').collect();
        assert_eq!(
            features,
            [
                "scheduler/parquet",
                "scheduler/s3",
                "scheduler/otel",
                "worker/s3",
                "worker/otel"
            ]
        );
        for feature in features {
            let (name, feature) = feature.split_once('/').unwrap();
            assert!(
                package(&workspace, name)["features"][feature].is_array(),
                "{name}/{feature}"
            );
        }
        assert!(words.contains(&"--locked"), "{build}");
    }
}

/// Whether `.dockerignore` sends a path to the builder, by the rules that ours is made of.
fn is_sent(path: &str) -> bool {
    let ignored = text(".dockerignore");
    let mut sent = true;
    for rule in ignored
        .lines()
        .filter(|rule| !rule.starts_with('#') && !rule.is_empty())
    {
        let below = |folder: &str| path == folder || path.starts_with(&format!("{folder}/"));
        match (rule, rule.strip_prefix('!'), rule.strip_prefix("**/")) {
            ("*", ..) => sent = false,
            (_, Some(kept), _) => sent |= below(kept),
            (_, _, Some(name)) => sent &= !path.split('/').any(|part| part == name),
            _ => panic!("a rule of another kind: {rule}"),
        }
    }
    sent
}

#[test]
fn the_builder_is_sent_the_workspace_and_nothing_secret() {
    let workspace = workspace();
    let root = root();
    let mut needed: BTreeSet<String> = ["Cargo.toml", "Cargo.lock", "configs/backhaul.yaml"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    needed.insert("migrations/postgres/0001_control_tables.sql".to_owned());
    for member in list(&workspace, "/packages") {
        let manifest = at(member, "/manifest_path").unwrap();
        let manifest = manifest.strip_prefix(root.to_str().unwrap()).unwrap();
        needed.insert(manifest.trim_start_matches('/').to_owned());
    }
    assert!(needed.len() > 9, "{needed:?}");
    // What is compiled in lies in folders of its own.
    for entry in std::fs::read_dir(&root).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir()
            && !name.starts_with('.')
            && !NOT_BUILT.contains(&name.as_str())
        {
            needed.insert(name);
        }
    }
    for path in needed {
        assert!(root.join(&path).exists() && is_sent(&path), "{path}");
    }
    for path in [
        ".env",
        ".git/config",
        "target/debug/worker",
        "data/backhaul.db",
        "k8s/secret.yaml",
        "worker/target/x",
    ] {
        assert!(!is_sent(path), "{path}");
    }
}

#[test]
fn everybody_runs_the_images_of_this_version() {
    let version = at(package(&workspace(), "worker"), "/version")
        .unwrap()
        .to_owned();
    let stages = stages();
    let check = |place: &str, image: &str| {
        let (name, tag) = image.rsplit_once(':').unwrap();
        if let Some((_, program)) = name.rsplit_once("backhaul/") {
            assert!(
                stages.contains_key(program) && PROGRAMS.contains(&program),
                "{place}: {image}"
            );
            assert_eq!(tag, version, "{place}: {image}");
        }
    };
    let composition = compose::read();
    for (name, service) in &composition.services {
        check(name, &service.image);
        if let Some(build) = &service.build {
            assert_eq!(
                service.image,
                format!("backhaul/{}:{version}", build.target),
                "{name}"
            );
            assert_eq!(build.context, ".");
        }
    }
    let rendered = rendered().into_iter().flat_map(|cluster| cluster.manifests);
    let mut seen = BTreeSet::new();
    for manifest in written().into_iter().chain(rendered) {
        for image in manifest.containers().map(|it| at(it, "/image").unwrap()) {
            check(&manifest.place(), image);
            seen.insert(image.to_owned());
        }
    }
    // Other people's are the same in both.
    for (name, in_cluster) in [("redis", "redis:"), ("database", "timescale/timescaledb:")] {
        let image = &composition.services[name].image;
        assert!(
            image.starts_with(in_cluster) && seen.contains(image),
            "{image} of {seen:?}"
        );
    }
}

#[test]
fn ports_are_those_that_the_images_expose() {
    let stages = stages();
    for manifest in written() {
        for container in manifest.containers() {
            let image = at(container, "/image").unwrap();
            let Some(program) = image
                .strip_prefix("backhaul/")
                .and_then(|it| it.split(':').next())
            else {
                continue;
            };
            let exposed = stages[program]
                .iter()
                .find(|(word, _)| word == "EXPOSE")
                .unwrap();
            let exposed: Vec<_> = exposed.1.split(' ').collect();
            for port in list(container, "/ports").map(|it| it["containerPort"].to_string()) {
                assert!(
                    exposed.contains(&port.as_str()),
                    "{}: {port}",
                    manifest.place()
                );
            }
        }
    }
}

/// Without an address there is nobody whom the health check could ask.
#[test]
fn a_worker_tells_its_health_where_its_image_asks() {
    let worker = &stages()["worker"];
    let rest = |word: &str| {
        let mut of_it = worker.iter().filter(|(it, _)| it == word);
        of_it.next().unwrap().1.as_str()
    };
    let (name, address) = rest("ENV").split_once('=').unwrap();
    assert_eq!(name, "BACKHAUL_METRICS_LISTEN");
    let port = address.strip_prefix("0.0.0.0:").unwrap();
    assert_eq!(port, rest("EXPOSE"));
    assert!(rest("HEALTHCHECK").ends_with(r#"CMD ["/usr/local/bin/worker", "--health-check"]"#));
}
