//! What the stories stand on: an installation on one machine, or the same with servers of its own.

use std::ops::Deref;

use serde_json::Value;
use testkit::postgres::Postgres;
use testkit::redis::Redis;
use tokio::process::{Child, Command};

use crate::installation::{Installation, Said, said};

pub const JOB: &str = "
name: fleet
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-08
end: 2024-01-11
chunking: {days: 1}
";

/// Chunks of [`JOB`].
pub const CHUNKS: u64 = 3;

/// An installation and what it keeps its jobs in.
pub struct Ground {
    installation: Installation,
    servers: Option<Servers>,
}

/// The servers of a fleet.
pub struct Servers {
    pub postgres: Postgres,
    pub redis: Redis,
}

impl Ground {
    pub async fn one_machine() -> Self {
        Self {
            installation: Installation::synthetic().await,
            servers: None,
        }
    }

    /// With tables in place; `None` where servers are not installed.
    pub async fn fleet() -> Option<Self> {
        let ground = Self::fleet_without_tables().await?;
        ground.succeed(&["migrate"]).await;
        Some(ground)
    }

    pub async fn fleet_without_tables() -> Option<Self> {
        let servers = Servers {
            postgres: Postgres::start()?,
            redis: Redis::start()?,
        };
        Some(Self {
            installation: Installation::synthetic().await,
            servers: Some(servers),
        })
    }

    pub fn is_fleet(&self) -> bool {
        self.servers.is_some()
    }

    pub fn servers(&self) -> &Servers {
        self.servers.as_ref().expect("the story is of a fleet")
    }

    pub fn servers_mut(&mut self) -> &mut Servers {
        self.servers.as_mut().expect("the story is of a fleet")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.installation.command(arguments);
        if let Some(servers) = &self.servers {
            command
                .env("DATABASE_URL", servers.postgres.url())
                .env("REDIS_URL", servers.redis.url());
        }
        command
    }

    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub async fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).output().await.unwrap())
    }

    /// Runs a command that must succeed.
    pub async fn succeed(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments).await;
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:#?}");
        said
    }

    /// Runs a command that must refuse its input and say so with all these words.
    pub async fn refuse(&self, arguments: &[&str], words: &[&str]) {
        let said = self.run(arguments).await;
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:#?}");
        for word in words {
            assert!(
                said.stderr.contains(word),
                "{word:?} in {arguments:?}: {said:#?}"
            );
        }
    }

    /// A job's entry in `status --json`.
    pub async fn status_of(&self, job: &str) -> Value {
        let said = self.succeed(&["status", job, "--json"]).await;
        let document: Value = serde_json::from_str(&said.stdout).unwrap();
        document["jobs"][0].clone()
    }

    /// Hints that wait in the queue.
    pub fn hints(&self) -> u64 {
        let length = self.servers().redis.cli(&["LLEN", "backhaul:queue:active"]);
        length.trim().parse().unwrap()
    }
}

impl Deref for Ground {
    type Target = Installation;

    fn deref(&self) -> &Installation {
        &self.installation
    }
}
