//! What is asked of Redis. Each answer is one round trip.

use std::fmt;
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{AsyncCommands, RedisResult, Script};

use super::FleetOptions;
use crate::vendor::limiter::bucket::GRACE;
use crate::vendor::limiter::{Class, Limits};

/// Renewals until a connection expires.
const RENEWALS: u32 = 30;
/// Renewals that are waited for where Redis knows nothing: one that was just missed, one that failed,
/// and one.
const RENEWALS_UNTIL_SETTLED: u32 = 3;
/// As `admit.lua` writes them.
const ADMITTED: u64 = 0;
const LATER: u64 = 1;

/// The scripts, with the connection that they run on.
pub(super) struct Scripts {
    redis: ConnectionManager,
    options: FleetOptions,
    admit: Script,
    hold: Script,
    renew: Script,
}

/// A slot that was reserved.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reserved {
    /// Since when Redis knew anything, in microseconds: if it is another time now, it was wiped.
    since: u64,
    /// When the slot is due, in microseconds.
    due: u64,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// It may go out.
    Admitted {
        /// The time by Redis' clock since 1970.
        at: Duration,
    },
    /// Its slot is not due yet.
    Later {
        /// For how long.
        wait: Duration,
        /// To be shown when it is asked again.
        slot: Reserved,
    },
    /// No connection is free.
    Full,
}

impl Scripts {
    pub(super) fn new(redis: ConnectionManager, options: FleetOptions) -> Self {
        Self {
            redis,
            options,
            admit: Script::new(include_str!("admit.lua")),
            hold: Script::new(include_str!("hold.lua")),
            renew: Script::new(include_str!("renew.lua")),
        }
    }

    /// Between two renewals.
    pub(super) fn renewal(&self) -> Duration {
        (self.options.connection_expiry / RENEWALS).max(Duration::from_millis(1))
    }

    /// Takes a slot, and the connection under this id.
    pub(super) async fn admit(
        &self,
        class: Class,
        limits: &Limits,
        id: &str,
        reserved: Reserved,
    ) -> RedisResult<Answer> {
        let pace = limits.pace(class);
        let mut call = self.admit.prepare_invoke();
        call.key(self.key(class.name()))
            .key(self.connections())
            .key(self.key("since"))
            .arg(id)
            .arg(micros(pace.interval))
            .arg(pace.capacity)
            .arg(micros(GRACE))
            .arg(limits.connections_max)
            .arg(micros(self.options.connection_expiry))
            .arg(micros(self.renewal() * RENEWALS_UNTIL_SETTLED))
            .arg(reserved.since)
            .arg(reserved.due);
        let (answer, now, due, since): (u64, u64, u64, u64) =
            call.invoke_async(&mut self.redis.clone()).await?;
        Ok(match answer {
            ADMITTED => Answer::Admitted {
                at: Duration::from_micros(now),
            },
            LATER => Answer::Later {
                wait: Duration::from_micros(due.saturating_sub(now)),
                slot: Reserved { since, due },
            },
            _ => Answer::Full,
        })
    }

    /// Holds a class for all.
    pub(super) async fn hold(
        &self,
        class: Class,
        limits: &Limits,
        wait: Duration,
    ) -> RedisResult<()> {
        let pace = limits.pace(class);
        let mut call = self.hold.prepare_invoke();
        call.key(self.key(class.name()))
            .arg(micros(wait))
            .arg(micros(pace.interval))
            .arg(pace.capacity);
        call.invoke_async(&mut self.redis.clone()).await
    }

    /// Says that these connections are still held.
    pub(super) async fn renew(&self, ids: &[String]) -> RedisResult<()> {
        let mut call = self.renew.prepare_invoke();
        call.key(self.connections())
            .arg(micros(self.options.connection_expiry))
            .arg(ids);
        call.invoke_async(&mut self.redis.clone()).await
    }

    /// Gives these connections back.
    pub(super) async fn free(&self, ids: &[String]) -> RedisResult<()> {
        self.redis.clone().zrem(self.connections(), ids).await
    }

    fn connections(&self) -> String {
        self.key("connections")
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.options.prefix)
    }
}

impl fmt::Debug for Scripts {
    /// Not the connection: its address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripts")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
