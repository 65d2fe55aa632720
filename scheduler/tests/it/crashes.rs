//! Processes that end at any moment: the tables come out the same.

use std::time::Duration;

use common::time::Nanos;
use simulator::{Config, Fault, FaultKind};
use testkit::checksum::scalar;
use tokio::process::Child;

use crate::installation::{Installation, said};

pub const JOB: &str = "
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
pub struct Moments(pub u64);

impl Moments {
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Waits until so many requests reached the vendor, or the process has ended.
pub async fn wait_for_requests(installation: &Installation, child: &mut Child, count: usize) {
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
async fn what_a_killed_process_had_received_is_not_asked_for_again() {
    const DAY: &str = "
name: one-day
dataset: GLBX.MDP3
schemas: [mbp-1]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-05
";
    let history = || Config {
        trades_per_day: 3_000,
        strikes: 1,
        ..Config::default()
    };
    let undisturbed = Installation::with(history()).await;
    let job = undisturbed.job(DAY);
    undisturbed.succeed(&["run", &job]).await;
    let expected = undisturbed.tables().await;
    let whole: u64 = undisturbed.data_requests().iter().map(|it| it.bytes).sum();

    let installation = Installation::with(history()).await;
    let job = installation.job(DAY);
    let stall = Fault::next(FaultKind::Stall, 1).lasting(600.0);
    installation.simulator.add_fault(stall);
    let mut child = installation.spawn(&["run", &job]);
    let folder = installation.sandbox.path().join("archive/parts");
    let received = || {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let lengths = entries.map(|entry| entry.metadata().map_or(0, |found| found.len()));
        lengths.sum::<u64>()
    };
    while received() == 0 && child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    child.kill().await.unwrap();
    let kept = received();
    installation.succeed(&["run", &job]).await;
    assert_eq!(installation.tables().await, expected);
    let requests = installation.data_requests();
    assert_eq!(requests.len(), 2);
    assert!(kept > 0);
    assert!(
        requests[1].bytes < whole,
        "{} of {whole}",
        requests[1].bytes
    );
    assert_eq!(received(), 0);
}

/// Chunks that don't have just the rows and the quarantined records that their ledger counts.
pub const WRONG: &str = "SELECT count(*) FROM chunks AS c WHERE c.state = 'done' AND (
    c.quarantined_records <> (SELECT count(*) FROM quarantine AS q WHERE q.chunk_id = c.id)
    OR c.loaded_records <> (SELECT count(*) FROM trades_data AS t WHERE t.chunk_id = c.id)
        + (SELECT count(*) FROM tbbo_data AS t WHERE t.chunk_id = c.id)
        + (SELECT count(*) FROM mbp_1_data AS t WHERE t.chunk_id = c.id)
        + (SELECT count(*) FROM ohlcv_data AS t WHERE t.chunk_id = c.id)
        + (SELECT count(*) FROM statistics_data AS t WHERE t.chunk_id = c.id)
        + (SELECT count(*) FROM definitions_data AS t WHERE t.chunk_id = c.id)
        + (SELECT count(*) FROM status_data AS t WHERE t.chunk_id = c.id))";

#[tokio::test]
async fn replays_that_are_killed_leave_each_chunk_as_it_was_or_as_it_will_be() {
    let stricter = |text: String| text.replace("check: size > 0", "check: size > 2");
    let job = format!("{JOB}max_quarantine_percent: 100\n");
    let fresh = Installation::synthetic().await;
    let (file, config) = (fresh.job(&job), fresh.config("mbp-1", stricter_book));
    let run = ["run", &file, "--config-dir", &config];
    fresh.succeed(&run).await;
    let expected = fresh.tables().await;

    let seed = Nanos::now().0.unsigned_abs();
    println!("seed {seed}");
    let mut moments = Moments(seed);
    let installation = Installation::synthetic().await;
    let file = installation.job(&job);
    installation.succeed(&["run", &file]).await;
    assert_ne!(installation.tables().await, expected);
    let database = installation.sandbox.database();
    let configs = [
        installation.config_in("strict", "mbp-1", stricter_book),
        installation.config_in("other", "trades", stricter),
    ];
    for kill in 0..10 {
        let swapped = "SELECT coalesce(sum(epoch), 0) FROM chunks";
        let before: i64 = scalar(&database, swapped).await;
        let config = &configs[kill % 2];
        let mut child = installation.spawn(&["replay", "crashes", "--config-dir", config]);
        // Swaps tell how far the process is; the rest of a millisecond falls between two.
        let more = i64::try_from(moments.next(12)).unwrap();
        while scalar::<i64>(&database, swapped).await < before + more
            && child.try_wait().unwrap().is_none()
        {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_micros(moments.next(20_000))).await;
        child.kill().await.unwrap();
        let wrong: i64 = scalar(&database, WRONG).await;
        assert_eq!(wrong, 0, "seed {seed}");
    }
    let finish = ["replay", "crashes", "--config-dir", &configs[0]];
    installation.succeed(&finish).await;
    assert_eq!(installation.tables().await, expected, "seed {seed}");
    assert_eq!(installation.status().await["complete"], true);
}

pub fn stricter_book(text: String) -> String {
    let rule = "  - {name: size_not_four, check: size <> 4, severity: error}\n";
    format!("{text}{rule}")
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
