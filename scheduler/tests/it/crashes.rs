//! Processes that end at any moment: the tables come out the same.

use std::time::Duration;

use common::time::Nanos;
use tokio::process::Child;

use crate::installation::{Installation, said};

const JOB: &str = "
name: crashes
dataset: GLBX.MDP3
schemas: [trades, tbbo, mbp-1, ohlcv-1m, statistics, definition, status]
symbols: [ES.c.0, CL.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-10
chunking: {days: 1}
";

/// A generator for moments; its seed is printed.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Waits until so many requests reached the vendor, or the process has ended.
async fn wait_for_requests(installation: &Installation, child: &mut Child, count: usize) {
    while installation.simulator.requests().len() < count && child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn ten_kills_at_random_moments_change_nothing() {
    let undisturbed = Installation::synthetic().await;
    let job = undisturbed.job(JOB);
    undisturbed.succeed(&["run", &job]).await;
    let expected = undisturbed.tables().await;
    let all_requests = undisturbed.simulator.requests().len();

    let seed = Nanos::now().0.unsigned_abs();
    println!("seed {seed}");
    let mut moments = Moments(seed);
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let mut kills = 0;
    while kills < 10 {
        let seen = installation.simulator.requests().len();
        let mut child = installation.spawn(&["run", &job]);
        // Requests tell how far the process is; the rest of a millisecond falls between two.
        let more = moments.next(u64::try_from(all_requests).unwrap());
        let more = usize::try_from(more).unwrap() / 2;
        wait_for_requests(&installation, &mut child, seen + more).await;
        tokio::time::sleep(Duration::from_micros(moments.next(5_000))).await;
        child.kill().await.unwrap();
        kills += 1;
    }
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.tables().await, expected, "seed {seed}");
    assert_eq!(installation.status().await["complete"], true);
    let leftovers = installation.sandbox.path().join("archive/parts");
    let leftovers = std::fs::read_dir(leftovers).map_or(0, Iterator::count);
    assert_eq!(leftovers, 0, "parts of killed processes were left behind");
}

#[tokio::test]
async fn a_terminated_run_hands_back_and_the_next_one_completes() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let mut child = installation.spawn(&["run", &job]);
    while installation.data_requests().is_empty() && child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let id = child.id().unwrap().to_string();
    let kill = tokio::process::Command::new("kill")
        .args(["-TERM", &id])
        .status();
    assert!(kill.await.unwrap().success());
    let first = said(child.wait_with_output().await.unwrap());
    assert!(matches!(first.code, Some(0 | 3)), "{first:?}");
    let status = installation.status().await;
    assert_eq!(status["chunks"]["running"], 0, "{status}");
    assert_eq!(status["chunks"]["dead"], 0, "{status}");
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.status().await["complete"], true);
}

#[tokio::test]
async fn a_database_that_is_lost_is_loaded_from_the_archive_without_a_paid_request() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let expected = installation.tables().await;
    let requests = installation.data_requests().len();
    for ending in ["", "-wal", "-shm"] {
        let file = format!("{}{ending}", installation.sandbox.database().display());
        let _absent = std::fs::remove_file(file);
    }
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.tables().await, expected);
    assert_eq!(installation.data_requests().len(), requests);
    assert_eq!(installation.status().await["spent_usd"], "0.00");
}
