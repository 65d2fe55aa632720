//! The crew: a fleet's workers, which are killed, stand still, and are replaced.

use std::time::{Duration, Instant};

use testkit::processes::signal;
use tokio::process::{Child, Command};

use crate::fleet::{FOREVER, Fleet};

/// Seconds that a claim holds: short, so that a worker soon stands still for longer.
pub const LEASE_SECONDS: u64 = 2;

/// A fleet's workers.
pub struct Crew {
    members: Vec<Member>,
    prepare: Box<dyn Fn(&mut Command)>,
    /// Workers that ended by themselves: at their start, when they found no database.
    pub ended: u64,
}

struct Member {
    child: Child,
    wakes_at: Option<Instant>,
}

/// What all workers here have in common: no limit of the vendor's, and a short patience with it.
pub fn manners(command: &mut Command) -> &mut Command {
    command
        .env("BACKHAUL_WORKERS", "3")
        .env("BACKHAUL_READ_TIMEOUT_SECONDS", "1")
        .env("BACKHAUL_METADATA_REQUESTS_PER_SECOND", "1000")
        .env("BACKHAUL_DATA_REQUESTS_PER_SECOND", "1000")
        .env("BACKHAUL_SYMBOLOGY_REQUESTS_PER_SECOND", "1000")
        .env("BACKHAUL_VENDOR_CONNECTIONS_MAX", "1000")
}

impl Crew {
    pub fn of(size: usize, fleet: &Fleet, prepare: impl Fn(&mut Command) + 'static) -> Self {
        let mut crew = Self {
            members: Vec::new(),
            prepare: Box::new(prepare),
            ended: 0,
        };
        crew.members.extend((0..size).map(|_| Member {
            child: start(fleet, &crew.prepare),
            wakes_at: None,
        }));
        crew
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Wakes who has stood still for long enough, and replaces who has ended.
    pub async fn attend(&mut self, fleet: &Fleet) {
        for member in &mut self.members {
            if member.wakes_at.is_some_and(|at| at <= Instant::now()) {
                member.wake();
            }
            if member.child.try_wait().unwrap().is_some() {
                self.ended += 1;
                member.child = start(fleet, &self.prepare);
                member.wakes_at = None;
            }
        }
    }

    /// Kills a worker, and starts another in its place.
    pub async fn kill(&mut self, number: usize, fleet: &Fleet) {
        let member = &mut self.members[number];
        member.child.kill().await.unwrap();
        member.child = start(fleet, &self.prepare);
        member.wakes_at = None;
    }

    /// Lets a worker stand still for a while; `false` when it does already.
    pub fn freeze(&mut self, number: usize, time: Duration) -> bool {
        let member = &mut self.members[number];
        if member.wakes_at.is_some() {
            return false;
        }
        signal("STOP", &[member.child.id().unwrap()]);
        member.wakes_at = Some(Instant::now() + time);
        true
    }

    pub fn wake_all(&mut self) {
        for member in &mut self.members {
            member.wake();
        }
    }

    /// Tells all workers to stop, and waits until they have.
    pub async fn stop(mut self) {
        for member in &mut self.members {
            signal("TERM", &[member.child.id().unwrap()]);
            let ended = tokio::time::timeout(FOREVER, member.child.wait()).await;
            ended.expect("it ends").unwrap();
        }
    }
}

impl Member {
    fn wake(&mut self) {
        if self.wakes_at.take().is_some()
            && let Some(id) = self.child.id()
        {
            signal("CONT", &[id]);
        }
    }
}

fn start(fleet: &Fleet, prepare: &dyn Fn(&mut Command)) -> Child {
    let mut command = fleet.worker();
    prepare(&mut command);
    command.spawn().unwrap()
}
