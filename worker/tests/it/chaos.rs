//! Chaos: three workers under fire leave the same tables as one that nobody disturbs.
//!
//! What is the same in both, however work was shared out and whatever went wrong: each market table's
//! rows with their number, whichever chunk they came with; who holds what, as times of instruments;
//! what symbols meant; what was quarantined, and how often each rule failed. Of two chunks that ask for
//! the same rows either may be the one that loads them.

mod random;
pub mod work;
pub mod crew;
mod fire;
mod faults;
pub mod comparison;
mod report;

use std::time::{Duration, Instant};

use crate::fleet::Fleet;

use self::comparison::{compare, misfits};
use self::fire::{Burnt, Fire};
use self::random::{Random, fresh_seed};
use self::report::{Asked, Report};
use self::work::Work;

/// Workers under fire.
const WORKERS: usize = 3;
/// How long nothing may come to its end: longer than any lease, wait, hold or timeout in here.
const STANDSTILL: Duration = Duration::from_secs(120);
/// How long the fire lasts when nobody says.
const SECONDS: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_fault_once_leaves_the_tables_of_an_undisturbed_run() {
    run(fresh_seed(), Length::EachOnce).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is told to: cargo xtask chaos"]
async fn as_long_as_asked() {
    let seconds = asked("CHAOS_SECONDS").unwrap_or(SECONDS);
    let seed = asked("CHAOS_SEED").unwrap_or_else(fresh_seed);
    run(seed, Length::For(Duration::from_secs(seconds))).await;
}

/// How long the fire lasts.
#[derive(Clone, Copy, Debug)]
enum Length {
    /// Until each kind of fault struck once.
    EachOnce,
    For(Duration),
}

async fn run(seed: u64, length: Length) {
    let (Some(fleet), Some(undisturbed)) = (Fleet::start().await, Fleet::start().await) else {
        return;
    };
    println!("seed {seed}");
    let mut fire = Fire::new(fleet, Random::new(seed), Work::new()).await;
    let began = Instant::now();
    match length {
        Length::EachOnce => fire.each_once(&undisturbed).await,
        Length::For(time) => fire.burn(&undisturbed, time).await,
    }
    let burned = began.elapsed();
    fire.end().await;
    let drained = began.elapsed() - burned;
    let Burnt {
        fleet,
        work,
        faults,
        false_starts,
    } = fire.burnt();
    let planning = undisturbed.simulator.requests().len();
    let began = Instant::now();
    work.do_all(&undisturbed).await;
    let report = Report {
        seed,
        burned,
        drained,
        undisturbed: began.elapsed(),
        faults,
        false_starts,
        chunks: work.chunks(),
        failures_max: fleet.postgres.psql("SELECT max(failures) FROM chunks"),
        asked: Asked::by(&fleet.simulator.requests()),
        asked_undisturbed: Asked::by(&undisturbed.simulator.requests()[planning..]),
        tables: compare(&undisturbed, &fleet).await,
    };
    println!("{report}");
    assert_eq!(
        misfits(&fleet).await,
        0,
        "chunks hold other rows than they say"
    );
    report.check();
}

/// A number that `cargo xtask chaos` hands on.
fn asked(variable: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "no setting of the program: a test is told how long to take"
    )]
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap())
}
