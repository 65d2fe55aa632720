//! `scheduler watch` on a real pseudo-terminal.

use simulator::{Fault, FaultKind};
use tokio::process::Command;

use super::terminal::Terminal;
use crate::fleet_commands::ground::{Ground, JOB};

on_either_ground! {
    a_job_is_watched_from_nothing_to_done
    a_job_that_ends_incomplete_says_so_by_its_exit_code
    a_signal_gives_the_terminal_back
}

/// The process group's leader that `script` started would do; its name is plainer.
async fn signal_of(ground: &Ground, signal: &str) {
    let folder = ground.sandbox.path().display().to_string();
    // Of this test's own: no other process has the folder as its own.
    let line = format!(
        "for process in /proc/[0-9]*; do \
             if [ \"$(readlink $process/cwd)\" = '{folder}' ] \
                 && grep -q watch $process/cmdline && ! grep -q stty $process/cmdline; \
             then kill -{signal} ${{process#/proc/}}; fi; \
         done"
    );
    let status = Command::new("sh").args(["-c", &line]).status().await;
    assert!(status.unwrap().success());
}

async fn a_job_is_watched_from_nothing_to_done(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    let command = ground.command(&["watch", "fleet"]);
    let Some(mut terminal) = Terminal::start(&command, 100, 30) else {
        return;
    };
    terminal
        .wait_for(&[
            "fleet (1)",
            "pending",
            "0/3",
            "nothing runs",
            "nothing failed",
            "live",
        ])
        .await;
    assert!(terminal.is_apart());
    terminal.press("?").await;
    terminal.wait_for(&["Ctrl-L"]).await;
    terminal.press("?\t").await;
    let run = ["run", &job];
    let (_, code) = tokio::join!(ground.succeed(&run), terminal.ended());
    assert_eq!(code, Some(0));
    // The shell's screen again, with the last standing on it.
    assert!(!terminal.is_apart());
    let text = terminal.text();
    assert!(
        text.contains("fleet (1): done, 3 of 3 chunks (100 %)"),
        "{text}"
    );
    assert!(!text.contains("nothing runs"), "{text}");
}

async fn a_job_that_ends_incomplete_says_so_by_its_exit_code(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    ground.fault(Fault::probability(FaultKind::CutAtFrame, 1.0));
    let command = ground.command(&["watch", "fleet"]);
    let Some(mut terminal) = Terminal::start(&command, 100, 30) else {
        return;
    };
    terminal.wait_for(&["0/3"]).await;
    let run = ["run", &job];
    let (run, code) = tokio::join!(ground.run(&run), terminal.ended());
    assert_eq!((run.code, code), (Some(3), Some(3)));
    let text = terminal.text();
    assert!(text.contains("fleet (1): incomplete"), "{text}");

    // All jobs are watched on until somebody leaves; what failed stands there, with what to type.
    let mut all = Terminal::start(&ground.command(&["watch"]), 100, 30).unwrap();
    all.wait_for(&["Failures 3", "given up", "scheduler retry 1"])
        .await;
    all.press("q").await;
    assert_eq!(all.ended().await, Some(0));
    assert!(!all.is_apart());
    let text = all.text();
    assert!(text.contains("every job is finished"), "{text}");
}

async fn a_signal_gives_the_terminal_back(ground: &Ground) {
    let job = ground.job(JOB);
    ground.succeed(&["submit", &job]).await;
    for signal in ["TERM", "INT"] {
        let command = ground.command(&["watch", "fleet"]);
        let Some(mut terminal) = Terminal::start(&command, 80, 24) else {
            return;
        };
        terminal.wait_for(&["0/3"]).await;
        signal_of(ground, signal).await;
        assert_eq!(terminal.ended().await, Some(0));
        assert!(!terminal.is_apart());
        let text = terminal.text();
        assert!(text.contains("fleet (1): pending, 0 of 3 chunks"), "{text}");
    }
}

#[tokio::test]
async fn a_terminal_changes_its_size_and_a_small_one_is_told() {
    let ground = Ground::one_machine().await;
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let Some(mut terminal) = Terminal::start(&ground.command(&["watch"]), 120, 40) else {
        return;
    };
    terminal.wait_for(&["fleet (1)", "0/3"]).await;
    let name = std::fs::read_to_string(ground.sandbox.path().join("terminal")).unwrap();
    for (columns, rows, words) in [("40", "10", "Make it"), ("90", "30", "0/3")] {
        let size = ["-F", name.trim(), "rows", rows, "cols", columns];
        let status = Command::new("stty").args(size).status().await.unwrap();
        assert!(status.success());
        terminal.wait_for(&[words]).await;
    }
    terminal.press("\u{3}").await;
    assert_eq!(terminal.ended().await, Some(0));
}

#[tokio::test]
async fn a_terminal_that_can_do_little_gets_lines() {
    let ground = Ground::one_machine().await;
    ground.succeed(&["run", &ground.job(JOB)]).await;
    let mut command = ground.command(&["watch", "fleet"]);
    command.env("TERM", "dumb");
    let Some(mut terminal) = Terminal::start(&command, 80, 24) else {
        return;
    };
    assert_eq!(terminal.ended().await, Some(0));
    let written = String::from_utf8(terminal.written).unwrap();
    assert!(
        written.contains("fleet (1): done, 3 of 3 chunks"),
        "{written}"
    );
    assert!(!written.contains('\u{1b}'), "{written}");
}

#[tokio::test]
async fn a_database_that_goes_away_and_comes_back_is_watched_on() {
    let Some(mut ground) = Ground::fleet().await else {
        return;
    };
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let Some(mut terminal) = Terminal::start(&ground.command(&["watch"]), 120, 40) else {
        return;
    };
    terminal.wait_for(&["0/3", "0 workers", "live"]).await;
    ground.servers_mut().postgres.kill();
    terminal.wait_for(&["no news for", "0/3", "as of"]).await;
    ground.servers_mut().redis.kill();
    ground.servers_mut().postgres.restart();
    terminal.wait_for(&["live", "no word from Redis"]).await;
    ground.servers_mut().redis.restart();
    terminal.wait_for(&["live", "0 workers"]).await;
    terminal.press("q").await;
    assert_eq!(terminal.ended().await, Some(0));
}
