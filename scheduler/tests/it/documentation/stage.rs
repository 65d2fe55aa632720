//! Where a document's commands run: a checkout of their own, a simulated vendor, and private servers
//! where the document speaks of a fleet.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use simulator::{Config, Simulator};
use testkit::installed;
use testkit::postgres::Postgres;
use testkit::programs::built;
use testkit::redis::Redis;
use testkit::sandbox::{API_KEY, Sandbox};

use super::session::Session;
use super::tree::Tree;

/// What stands in documents for the address of a fleet's database.
const DATABASE: &str = "postgres://backhaul:…@db/backhaul";

/// The demo and the vendor are small here; otherwise everything is as the documents say.
const TRADES_PER_DAY: u32 = 300;

/// Where the system keeps its programs.
const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin";

pub struct Stage {
    sandbox: Sandbox,
    simulator: Simulator,
    servers: Option<(Postgres, Redis)>,
}

impl Stage {
    /// For a document; `None` where it needs programs that are not installed.
    pub async fn set(text: &str, tree: &Tree) -> Option<Self> {
        if let Err(missing) = installed::document_tools() {
            println!("skipped: {missing}");
            return None;
        }
        let servers = match text.contains(DATABASE) {
            true => Some((Postgres::start()?, Redis::start()?)),
            false => None,
        };
        let config = Config {
            trades_per_day: TRADES_PER_DAY,
            strikes: 2,
            key: Some(API_KEY.to_owned()),
            ..Config::default()
        };
        let stage = Self {
            sandbox: Sandbox::new(),
            simulator: Simulator::start(config).await.unwrap(),
            servers,
        };
        stage.furnish(tree);
        Some(stage)
    }

    /// The folder that the document's reader is in.
    pub fn project(&self) -> PathBuf {
        self.sandbox.path().join("project")
    }

    pub async fn session(&self) -> Session {
        let folder = self.sandbox.path();
        let mut variables = vec![
            ("HOME", folder.display().to_string()),
            ("LANG", "C.UTF-8".to_owned()),
            ("PATH", format!("{}:{SYSTEM}", folder.join("bin").display())),
            ("DATABENTO_URL", self.simulator.url()),
            // As on a terminal.
            ("BACKHAUL_LOG", "warn".to_owned()),
            ("BACKHAUL_LOG_FORMAT", "human".to_owned()),
            // The vendor's paces would only be waited for.
            ("BACKHAUL_METADATA_REQUESTS_PER_SECOND", "10000".to_owned()),
            ("BACKHAUL_RETRY_SECONDS", "0.05".to_owned()),
        ];
        if self.servers.is_some() {
            variables.push(("BACKHAUL_LEASE_SECONDS", "2".to_owned()));
        }
        Session::begin(&self.project(), &variables, folder.join("step")).await
    }

    /// A command with what stands for something else in documents replaced by that.
    pub fn meant(&self, command: &str) -> String {
        let shared = self.sandbox.path().join("shared/archive");
        let mut meant = command.replace("db-…", API_KEY).replace(
            "file:///shared/archive",
            &format!("file://{}", shared.display()),
        );
        if let Some((postgres, redis)) = &self.servers {
            meant = meant
                .replace(DATABASE, &postgres.url())
                .replace("redis://queue:6379", &redis.url());
        }
        meant
    }

    /// The checkout, and the programs in front of the system's.
    fn furnish(&self, tree: &Tree) {
        let (project, bin) = (self.project(), self.sandbox.path().join("bin"));
        let configuration = tree.files.iter().filter(|path| is_for_users(path));
        for path in configuration {
            write(&project.join(path), &tree.read_file(path));
        }
        std::fs::create_dir_all(&bin).unwrap();
        for name in ["worker", "simulator"] {
            symlink(built(name), bin.join(name)).unwrap();
        }
        let real = env!("CARGO_BIN_EXE_scheduler");
        let scheduler = format!(
            "case \"$1\" in demo) shift; set -- demo --trades-per-day {TRADES_PER_DAY} \"$@\";; esac\n\
             exec '{real}' \"$@\"\n"
        );
        program(&bin.join("scheduler"), &scheduler);
        program(&bin.join("cargo"), &cargo(&bin, tree));
    }
}

/// What users of a checkout copy, change or run.
fn is_for_users(path: &str) -> bool {
    path.starts_with("configs/") || path.starts_with("checks/")
}

/// What documents call cargo for: our programs, which are built already, and our own tasks, which
/// can't run within themselves; that there is such a task is looked up.
fn cargo(bin: &Path, tree: &Tree) -> String {
    let tasks = tree.read_file("xtask/src/main.rs");
    let tasks = tasks
        .lines()
        .filter_map(|line| line.strip_prefix("        [\"")?.split('"').next());
    let tasks: Vec<_> = tasks.collect();
    format!(
        "case \"$*\" in\n\
         'run --release --bin scheduler -- '*) shift 5; exec scheduler \"$@\";;\n\
         'build --release') mkdir -p target/release; ln -sf {bin}/* target/release/; exit;;\n\
         'xtask '*) case ' {tasks} ' in *\" $2 \"*) exit;; esac;;\n\
         esac\n\
         echo \"cargo $*: not a call that the documents' tests know\"; exit 1\n",
        bin = bin.display(),
        tasks = tasks.join(" "),
    )
}

fn program(path: &Path, script: &str) {
    write(path, &format!("#!/bin/sh\n{script}"));
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
