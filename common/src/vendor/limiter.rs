//! The vendor's limits: so many requests of a class a second, so many connections at once, and none
//! while the vendor asks to wait.
//!
//! One limiter is shared by all that count as one for the vendor: in one process, or by Redis
//! for a fleet. A request is admitted when its class has a slot and a connection is free; it holds the
//! connection until its [`Permit`] is dropped. What holds for both kinds:
//!
//! - In no second more than the limit and a tenth of it go out, and one more where the limit is small.
//! - A limiter that knows nothing (new, or its Redis was wiped) starts without a burst.
//! - Within a process requests of a class are served in order.
//!
//! In Redis, all times in microseconds of its own clock since 1970:
//!
//! | key, after the prefix `backhaul:limits:` | type | holds |
//! |---|---|---|
//! | `timeseries`, `metadata`, `symbology` | hash | `held_until`: until when a 429 holds the class; `full_at`: when its whole burst will be there again, later by an interval for each request |
//! | `connections` | sorted set | `class:process:number` of each open connection → when it is given up unless renewed |
//! | `since` | string | since when these keys have been there |
//!
//! Every process brings its own limits along; those of a fleet should be the same.

pub mod bucket;
mod in_process;
mod fleet;

use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionManager;
use tokio::time::Instant;

use self::bucket::Pace;
use self::fleet::Fleet;
pub use self::fleet::FleetOptions;
use self::in_process::InProcess;
use crate::configuration::settings::Settings;
use crate::metrics::LIMITER_WAIT;

/// The longest that one answer holds requests back, whatever it asks for.
pub const WAIT_MAX: Duration = Duration::from_secs(600);

/// Lets requests out. Clones share the limits.
#[derive(Clone, Debug)]
pub struct Limiter {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    InProcess(Arc<InProcess>),
    Fleet(Arc<Fleet>),
}

impl Limiter {
    /// For one process alone.
    #[must_use]
    pub fn in_process(limits: Limits) -> Self {
        Self {
            kind: Kind::InProcess(Arc::new(InProcess::new(limits))),
        }
    }

    /// For all processes that use the same Redis and prefix.
    ///
    /// # Panics
    /// Outside of a Tokio runtime: a task keeps this process's connections known to the others.
    #[must_use]
    pub fn fleet(redis: ConnectionManager, options: FleetOptions, limits: Limits) -> Self {
        Self {
            kind: Kind::Fleet(Arc::new(Fleet::start(redis, options, limits))),
        }
    }

    /// Waits until a request of the class may go out and a connection is free for it. While Redis
    /// can't be reached it waits on, for nobody knows then what the others send.
    ///
    /// Who waits here must hold no permit: the connection waited for might be its own. A call that is
    /// dropped leaves nothing behind but at most an unused slot.
    pub async fn admit(&self, class: Class) -> Permit {
        let asked = Instant::now();
        let permit = match &self.kind {
            Kind::InProcess(limiter) => limiter.admit(class).await,
            Kind::Fleet(limiter) => limiter.admit(class).await,
        };
        LIMITER_WAIT.observe(asked.elapsed().as_secs_f64(), [class.name()]);
        permit
    }

    /// Lets no request of the class out for this long, at most [`WAIT_MAX`]. A longer hold stays as
    /// it is. While Redis can't be reached this process alone holds, and the others are told later.
    pub async fn hold(&self, class: Class, wait: Duration) {
        let wait = wait.min(WAIT_MAX);
        match &self.kind {
            Kind::InProcess(limiter) => limiter.hold(class, wait),
            Kind::Fleet(limiter) => limiter.hold(class, wait).await,
        }
    }
}

/// Leave to send one request. Dropping it gives the connection back.
#[derive(Debug)]
#[must_use = "the connection counts as free once the permit is dropped"]
pub struct Permit {
    admitted_at: Duration,
    _connection: Connection,
}

impl Permit {
    /// When it was given, by the limiter's clock: since 1970 in Redis, since its start in process.
    #[must_use]
    pub fn admitted_at(&self) -> Duration {
        self.admitted_at
    }
}

/// A connection that counts as open until it is dropped.
#[derive(Debug)]
enum Connection {
    InProcess {
        _permit: tokio::sync::OwnedSemaphorePermit,
    },
    Fleet {
        _connection: fleet::Connection,
    },
}

/// What the vendor counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Streams of records.
    Timeseries,
    /// Counts, quotes, and what there is.
    Metadata,
    /// What symbols mean.
    Symbology,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Timeseries, Self::Metadata, Self::Symbology];

    /// Its name in Redis and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeseries => "timeseries",
            Self::Metadata => "metadata",
            Self::Symbology => "symbology",
        }
    }
}

/// How much the vendor allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests a second for streams of records.
    pub timeseries_per_second: f64,
    /// Requests a second for metadata.
    pub metadata_per_second: f64,
    /// Requests a second for symbology.
    pub symbology_per_second: f64,
    /// Connections at once, of all classes together; at least 1.
    pub connections_max: usize,
}

impl Limits {
    /// Those of the settings.
    #[must_use]
    pub fn by(settings: &Settings) -> Self {
        Self {
            timeseries_per_second: settings.data_requests_per_second,
            metadata_per_second: settings.metadata_requests_per_second,
            symbology_per_second: settings.symbology_requests_per_second,
            connections_max: settings.vendor_connections_max,
        }
    }

    fn pace(&self, class: Class) -> Pace {
        Pace::per_second(match class {
            Class::Timeseries => self.timeseries_per_second,
            Class::Metadata => self.metadata_per_second,
            Class::Symbology => self.symbology_per_second,
        })
    }
}

/// One value for each class.
#[derive(Debug, Default)]
struct PerClass<T> {
    timeseries: T,
    metadata: T,
    symbology: T,
}

impl<T> PerClass<T> {
    fn each(mut make: impl FnMut(Class) -> T) -> Self {
        Self {
            timeseries: make(Class::Timeseries),
            metadata: make(Class::Metadata),
            symbology: make(Class::Symbology),
        }
    }

    fn of(&self, class: Class) -> &T {
        match class {
            Class::Timeseries => &self.timeseries,
            Class::Metadata => &self.metadata,
            Class::Symbology => &self.symbology,
        }
    }

    fn of_mut(&mut self, class: Class) -> &mut T {
        match class {
            Class::Timeseries => &mut self.timeseries,
            Class::Metadata => &mut self.metadata,
            Class::Symbology => &mut self.symbology,
        }
    }
}
