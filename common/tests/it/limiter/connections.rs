//! Connections: never more than the limit, and none is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::vendor::limiter::{Class, Limiter, Permit};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::ground::{FOREVER, Team, limits};

on_every_kind! {
    never_more_are_open_than_the_limit
    a_dropped_permit_lets_the_next_in
    an_aborted_task_gives_its_connection_back
    a_panicking_task_gives_its_connection_back
    who_no_longer_waits_takes_nothing
}

async fn never_more_are_open_than_the_limit(team: &Team) {
    let members = team.members(limits(1000.0, 3)).await;
    let open = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for number in 0..60 {
        let (member, open) = (members[number % 2].clone(), Arc::clone(&open));
        let class = Class::ALL[number % 3];
        tasks.spawn(async move {
            let permit = member.admit(class).await;
            let others = open.fetch_add(1, Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            open.fetch_sub(1, Ordering::SeqCst);
            drop(permit);
            others + 1
        });
    }
    let open = tokio::time::timeout(FOREVER, tasks.join_all())
        .await
        .unwrap();
    assert!(open.iter().all(|open| *open <= 3), "{open:?}");
}

async fn a_dropped_permit_lets_the_next_in(team: &Team) {
    let [one, other] = team.members(limits(1000.0, 1)).await;
    for _ in 0..3 {
        drop(admitted(&one).await);
        drop(admitted(&other).await);
    }
}

async fn an_aborted_task_gives_its_connection_back(team: &Team) {
    let [one, other] = team.members(limits(1000.0, 1)).await;
    let (has_it, admission) = oneshot::channel();
    let task = tokio::spawn(async move {
        let _permit = one.admit(Class::Timeseries).await;
        has_it.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    admission.await.unwrap();
    task.abort();
    drop(admitted(&other).await);
}

async fn a_panicking_task_gives_its_connection_back(team: &Team) {
    let [one, other] = team.members(limits(1000.0, 1)).await;
    let task = tokio::spawn(async move {
        let _permit = one.admit(Class::Timeseries).await;
        panic!("as a test");
    });
    assert!(task.await.unwrap_err().is_panic());
    drop(admitted(&other).await);
}

async fn who_no_longer_waits_takes_nothing(team: &Team) {
    let [one, other] = team.members(limits(1000.0, 1)).await;
    let permit = admitted(&one).await;
    let waiting: Vec<_> = [&one, &other, &one, &other]
        .map(|member| {
            let member = member.clone();
            tokio::spawn(async move { member.admit(Class::Timeseries).await })
        })
        .into();
    for class in Class::ALL {
        // However far each of them has come.
        tokio::task::yield_now().await;
        let asked = tokio::time::timeout(FOREVER / 1000, one.admit(class)).await;
        assert!(asked.is_err(), "there is one connection");
    }
    for task in waiting {
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    drop(permit);
    drop(admitted(&one).await);
    drop(admitted(&other).await);
}

async fn admitted(limiter: &Limiter) -> Permit {
    let admission = limiter.admit(Class::Timeseries);
    tokio::time::timeout(FOREVER, admission).await.unwrap()
}
