//! What a job asks of the servers: the database's log and time, and Redis' commands.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use testkit::postgres::Postgres;
use testkit::redis::Redis;

use crate::programs::TICKS;

/// What servers have done since they were started, or between two moments.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Bytes of the database's log.
    pub log_bytes: f64,
    /// Times that the log was synced.
    pub log_syncs: f64,
    /// Time of processors that the database took.
    pub processor: Duration,
    /// Commands that Redis answered.
    pub redis_commands: u64,
}

impl Done {
    /// Since the servers were started.
    pub fn until_now(postgres: &Postgres, redis: &Redis) -> anyhow::Result<Self> {
        let told = postgres.psql(
            // From version 18 on syncs are told elsewhere.
            "SELECT wal_bytes, coalesce(to_jsonb(w) ->> 'wal_sync', 'NaN'),
                 split_part(pg_read_file('postmaster.pid'), E'\\n', 1)
             FROM pg_stat_wal AS w;",
        );
        let mut told = told.trim().split('|');
        let mut next = || told.next().context("three numbers");
        Ok(Self {
            log_bytes: next()?.parse()?,
            log_syncs: next()?.parse()?,
            processor: family(next()?)?,
            redis_commands: redis.commands_processed(),
        })
    }

    /// What was done since then.
    pub fn since(self, before: Self) -> Self {
        Self {
            log_bytes: self.log_bytes - before.log_bytes,
            log_syncs: self.log_syncs - before.log_syncs,
            processor: self.processor.saturating_sub(before.processor),
            redis_commands: self.redis_commands - before.redis_commands,
        }
    }
}

/// What a process has taken, with its children that have ended, and those that run.
fn family(parent: &str) -> anyhow::Result<Duration> {
    let mut ticks = 0;
    for entry in fs::read_dir("/proc")? {
        let stat = fs::read_to_string(entry?.path().join("stat")).unwrap_or_default();
        let Some((head, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let is_parent = head.split(' ').next() == Some(parent);
        // Of its own time and the system's; of the parent also those of its children that have ended.
        let counted = match (is_parent, fields[1] == parent) {
            (true, _) => 11..15,
            (false, true) => 11..13,
            (false, false) => continue,
        };
        for field in &fields[counted] {
            ticks += field.parse::<u64>()?;
        }
    }
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}
