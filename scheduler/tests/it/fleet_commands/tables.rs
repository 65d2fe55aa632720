//! The tables of a fleet: made by `migrate`, asked for by everything else.

use super::ground::{Ground, JOB};

#[tokio::test]
async fn a_database_without_tables_asks_for_a_migration() {
    let Some(ground) = Ground::fleet_without_tables().await else {
        return;
    };
    let job = ground.job(JOB);
    for command in [
        vec!["run", &job],
        vec!["submit", &job],
        vec!["plan", &job],
        vec!["pause", "fleet"],
        vec!["watch"],
        vec!["reconcile"],
        vec!["status"],
    ] {
        ground.refuse(&command, &["scheduler migrate"]).await;
    }
    for _ in 0..2 {
        let said = ground.succeed(&["migrate"]).await;
        assert!(
            said.stdout.contains("the tables are up to date"),
            "{said:?}"
        );
        assert!(said.stdout.contains("TimescaleDB"), "{said:?}");
    }
    ground.succeed(&["run", &job]).await;
    assert_eq!(ground.status_of("fleet").await["complete"], true);
}

#[tokio::test]
async fn a_run_takes_up_what_a_killed_one_left_behind() {
    let Some(ground) = Ground::fleet().await else {
        return;
    };
    let job = ground.job(JOB);
    ground.fault(simulator::Fault::probability(
        simulator::FaultKind::Stall,
        1.0,
    ));
    let mut killed = ground.command(&["run", &job]);
    let mut killed = killed.env("BACKHAUL_LEASE_SECONDS", "2").spawn().unwrap();
    while ground.data_requests().is_empty() {
        assert!(
            killed.try_wait().unwrap().is_none(),
            "the run ended by itself"
        );
        tokio::task::yield_now().await;
    }
    killed.kill().await.unwrap();
    ground.simulator.clear_faults();
    // Its lease has to end first.
    ground.succeed(&["run", &job]).await;
    assert_eq!(ground.status_of("fleet").await["complete"], true);
}
