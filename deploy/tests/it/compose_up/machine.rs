//! A machine without an engine: each service of ours is a process with what its container would have,
//! Redis and the database are private servers, and only names, ports and paths are others.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use testkit::port::Port;
use testkit::postgres::Postgres;
use testkit::processes::signal;
use testkit::programs::built;
use testkit::redis::Redis;
use testkit::sandbox::Sandbox;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::compose::{self, Composition};
use crate::tree::root;

/// Nothing takes so long but a test that fails.
const FOREVER: Duration = Duration::from_secs(240);
/// The image that a program of ours is in.
const OURS: &str = "backhaul/";

/// The machine.
pub struct Machine {
    composition: Composition,
    profiles: Vec<String>,
    postgres: Postgres,
    redis: Redis,
    /// What no container has for itself: the vendor's port.
    vendor: Port,
    sandbox: Sandbox,
    /// In the order in which they were started.
    running: Vec<Container>,
    /// Services that were started, and are as those who wait for them want them.
    there: Vec<String>,
}

/// What a container is here.
struct Container {
    service: String,
    name: String,
    /// Its own ports: what it answers metrics at, and where its page is.
    metrics: Port,
    page: Port,
    process: Option<Child>,
}

impl Machine {
    /// With the composition and `.env.example` as they are, and nothing started; `None` where a server is
    /// not installed.
    pub fn new() -> Option<Self> {
        let (postgres, redis) = (Postgres::start()?, Redis::start()?);
        let profiles = &compose::example()["COMPOSE_PROFILES"];
        let machine = Self {
            composition: compose::read(),
            profiles: profiles.split(',').map(str::to_owned).collect(),
            postgres,
            redis,
            vendor: Port::claim(),
            sandbox: Sandbox::new(),
            running: Vec::new(),
            there: Vec::new(),
        };
        machine.make_database();
        Some(machine)
    }

    /// What the image makes of its variables: a database, and its owner, who may do anything.
    fn make_database(&self) {
        let of = &self.composition.services["database"].environment;
        let (user, name) = (&of["POSTGRES_USER"], &of["POSTGRES_DB"]);
        let password = &of["POSTGRES_PASSWORD"];
        let role = format!("CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}';");
        let database = format!("CREATE DATABASE {name} OWNER {user};");
        for statement in [role, database] {
            drop(self.postgres.psql(&statement));
        }
    }

    /// `docker compose up --detach --scale worker=WORKERS`.
    pub async fn up(&mut self, workers: usize) {
        while let Some(service) = self.next() {
            let count = if service == "worker" { workers } else { 1 };
            for number in 0..count {
                self.start(Container::of(&service, number)).await;
            }
            self.there.push(service);
        }
        let mut services = self.composition.services.keys();
        let left = services.find(|it| self.is_wanted(it) && !self.there.contains(it));
        assert_eq!(left, None, "it waits for itself");
    }

    /// A service that is not there, and waits for nobody who isn't.
    fn next(&self) -> Option<String> {
        let waits_for = |service: &str| self.composition.services[service].depends_on.keys();
        let mut services = self.composition.services.keys();
        let can_start = |service: &&String| {
            let mut others = waits_for(service).filter(|other| self.is_wanted(other));
            others.all(|other| self.there.contains(other))
        };
        let next =
            services.find(|it| self.is_wanted(it) && !self.there.contains(it) && can_start(it));
        next.cloned()
    }

    /// Whether a service has no profile, or one that is asked for.
    fn is_wanted(&self, service: &str) -> bool {
        let profiles = &self.composition.services[service].profiles;
        profiles.is_empty() || profiles.iter().any(|of| self.profiles.contains(of))
    }

    /// Starts a container, and waits until it is as those want it who wait for it.
    async fn start(&mut self, mut container: Container) {
        let service = &self.composition.services[&container.service];
        if service.image.starts_with(OURS) {
            let mut command = self.command(&container, &service.command);
            container.process = Some(command.spawn().unwrap());
        }
        self.wait_until_there(&mut container).await;
        self.running.push(container);
    }

    /// Waits until a container is healthy, or has ended well where it has no health to ask for.
    async fn wait_until_there(&self, container: &mut Container) {
        let service = &self.composition.services[&container.service];
        let Some(check) = &service.healthcheck else {
            assert_eq!(service.restart, "no", "{} ends by itself", container.name);
            let mut process = container.process.take().unwrap();
            let ended = timeout(FOREVER, process.wait()).await.unwrap().unwrap();
            assert_eq!(ended.code(), Some(0), "{}", self.log(container));
            return;
        };
        let deadline = Instant::now() + FOREVER;
        loop {
            let answer = self.ask_for_health(container, &check.test).await;
            if answer.status.success() {
                return;
            }
            let said = String::from_utf8_lossy(&answer.stderr);
            let log = self.log(container);
            let has_ended = container.process.as_mut().map(|of| of.try_wait().unwrap());
            let lives = has_ended.flatten().is_none() && Instant::now() < deadline;
            assert!(lives, "{}: {said}\n{log}", container.name);
            // As an engine does, which asks again and again.
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// A health check as it is written, within the container.
    async fn ask_for_health(&self, container: &Container, test: &[String]) -> Output {
        let (form, test) = test.split_first().unwrap();
        assert_eq!(form, "CMD");
        let own = |port: SocketAddr| ["-p".to_owned(), port.port().to_string()];
        let mut asked = match container.service.as_str() {
            // Neither listens at its own port here.
            "redis" => self.tool(test, own(self.redis.address())),
            "database" => self.tool(test, own(self.postgres.address())),
            _ => {
                let (program, arguments) = test.split_first().unwrap();
                let mut command = self.command(container, arguments);
                let expected = command.as_std().get_program().to_owned();
                let asks = PathBuf::from(self.placed(container, program));
                assert_eq!(asks, expected, "its own program asks");
                command.stderr(Stdio::piped());
                command
            }
        };
        timeout(FOREVER, asked.output()).await.unwrap().unwrap()
    }

    /// A server's own tool.
    fn tool(&self, test: &[String], port: [String; 2]) -> Command {
        let (program, arguments) = test.split_first().unwrap();
        let of_postgres = testkit::installed::postgres().unwrap().join(program);
        let mut command = match of_postgres.exists() {
            true => Command::new(of_postgres),
            false => Command::new(program),
        };
        command.args(port).args(arguments);
        command
    }

    /// A program of ours as a container's: its variables and no other, a folder of its own.
    fn command(&self, container: &Container, arguments: &[String]) -> Command {
        let service = &self.composition.services[&container.service];
        let image = service.image.strip_prefix(OURS).unwrap();
        let program = image.split(':').next().unwrap();
        let folder = self.sandbox.path().join("root").join(&container.name);
        std::fs::create_dir_all(&folder).unwrap();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file(container));
        let mut command = Command::new(built(program));
        command
            .env_clear()
            .current_dir(folder)
            .args(arguments.iter().map(|it| self.placed(container, it)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .kill_on_drop(true);
        for (name, value) in &service.environment {
            command.env(name, self.placed(container, value));
        }
        command
    }

    /// A text of the composition with the addresses and folders that are here for those that it names.
    fn placed(&self, container: &Container, text: &str) -> String {
        let [vendor, metrics, page] =
            [&self.vendor, &container.metrics, &container.page].map(Port::address);
        let mut places = BTreeMap::from([
            (
                "database:5432".to_owned(),
                self.postgres.address().to_string(),
            ),
            ("redis:6379".to_owned(), self.redis.address().to_string()),
            ("simulator:8090".to_owned(), vendor.to_string()),
            ("0.0.0.0:8090".to_owned(), vendor.to_string()),
            ("0.0.0.0:9464".to_owned(), metrics.to_string()),
            ("0.0.0.0:8080".to_owned(), page.to_string()),
        ]);
        let programs = built("worker");
        let programs = programs.parent().unwrap().to_str().unwrap();
        places.insert("/usr/local/bin".to_owned(), programs.to_owned());
        // A container sees no folder but those that its service mounts.
        for volume in &self.composition.services[&container.service].volumes {
            let mut parts = volume.split(':');
            let (source, target) = (parts.next().unwrap(), parts.next().unwrap());
            let here = match source.strip_prefix("./") {
                Some(path) => root().join(path),
                None => self.sandbox.path().join("volumes").join(source),
            };
            places.insert(target.to_owned(), here.to_str().unwrap().to_owned());
        }
        let place = |text: String, (there, here): (&String, &String)| text.replace(there, here);
        places.iter().fold(text.to_owned(), place)
    }

    /// `docker compose run --rm SERVICE ARGUMENTS`; what it said, once it has ended well.
    pub async fn run(&self, service: &str, arguments: &[String]) -> String {
        let container = Container::of(service, self.running.len());
        let mut command = self.command(&container, arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = timeout(FOREVER, command.output()).await.unwrap().unwrap();
        let said = [ended.stdout, ended.stderr].map(|of| String::from_utf8(of).unwrap());
        let said = said.concat();
        assert_eq!(ended.status.code(), Some(0), "{said}");
        said
    }

    /// Where the processes of a service answer metrics.
    pub fn metrics_of(&self, service: &str) -> Vec<SocketAddr> {
        let of_it = self.running.iter().filter(|of| of.service == service);
        of_it.map(|of| of.metrics.address()).collect()
    }

    /// What the database's client prints for a script.
    pub fn psql(&self, script: &str) -> String {
        let container = Container::of("worker", self.running.len());
        let url = &self.composition.services["worker"].environment["DATABASE_URL"];
        self.postgres.psql_at(&self.placed(&container, url), script)
    }

    /// `docker compose stop`, and what is left: nothing outside of the volumes.
    pub async fn stop(mut self) {
        while let Some(mut container) = self.running.pop() {
            let Some(mut process) = container.process.take() else {
                continue;
            };
            signal("TERM", &[process.id().unwrap()]);
            let ended = timeout(FOREVER, process.wait()).await.unwrap().unwrap();
            assert_eq!(ended.code(), Some(0), "{}", self.log(&container));
        }
        for folder in std::fs::read_dir(self.sandbox.path().join("root")).unwrap() {
            let folder = folder.unwrap().path();
            let written = std::fs::read_dir(&folder).unwrap().count();
            assert_eq!(written, 0, "{}: its root is read-only", folder.display());
        }
    }

    fn log_file(&self, container: &Container) -> PathBuf {
        self.sandbox.path().join(format!("{}.log", container.name))
    }

    fn log(&self, container: &Container) -> String {
        std::fs::read_to_string(self.log_file(container)).unwrap_or_default()
    }
}

impl Container {
    fn of(service: &str, number: usize) -> Self {
        Self {
            service: service.to_owned(),
            name: format!("{service}-{number}"),
            metrics: Port::claim(),
            page: Port::claim(),
            process: None,
        }
    }
}
