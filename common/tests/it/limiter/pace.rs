//! The pace, and what holds it.

use std::time::Duration;

use common::vendor::limiter::{Class, WAIT_MAX};

use super::ground::{FOREVER, Team, assert_no_burst, assert_within, limits, send};

on_every_kind! {
    the_limit_is_passed_in_no_second
    those_who_know_nothing_start_without_a_burst
    requests_are_served_in_order
    a_hold_stops_all_members
    a_shorter_hold_changes_nothing
    a_hold_of_one_class_leaves_the_others_alone
}

async fn the_limit_is_passed_in_no_second(team: &Team) {
    let members = team.members(limits(100.0, 100)).await;
    let times = send(&members, Class::Timeseries, 130).await;
    assert_within(&times, 100);
}

async fn those_who_know_nothing_start_without_a_burst(team: &Team) {
    let members = team.members(limits(100.0, 100)).await;
    let times = send(&members, Class::Metadata, 10).await;
    assert_no_burst(&times, team.opening().await, Duration::from_millis(10));
}

async fn requests_are_served_in_order(team: &Team) {
    let [limiter, _] = team.members(limits(1000.0, 100)).await;
    let numbered = (0..50).map(async |number| {
        let permit = limiter.admit(Class::Symbology).await;
        (permit.admitted_at(), number)
    });
    let served = futures::future::join_all(numbered).await;
    let mut by_time = served.clone();
    by_time.sort();
    assert_eq!(by_time, served);
}

async fn a_hold_stops_all_members(team: &Team) {
    let wait = Duration::from_millis(700);
    let members = team.members(limits(100.0, 100)).await;
    let sending = tokio::spawn({
        let members = members.clone();
        async move { send(&members, Class::Metadata, 40).await }
    });
    // It is under way.
    drop(members[0].admit(Class::Metadata).await);
    let before = team.now().await;
    members[1].hold(Class::Metadata, wait).await;
    let after = team.now().await;
    let times = sending.await.unwrap();
    let within = times
        .iter()
        .filter(|time| (after..before + wait).contains(*time));
    assert_eq!(
        within.count(),
        0,
        "{times:?}, held in {before:?}..{after:?}"
    );
    let afterwards: Vec<_> = times.into_iter().filter(|time| *time >= after).collect();
    assert!(!afterwards.is_empty());
    // It goes on one by one.
    assert_no_burst(&afterwards, before + wait, Duration::from_millis(10));
}

async fn a_shorter_hold_changes_nothing(team: &Team) {
    let wait = Duration::from_millis(700);
    let members = team.members(limits(100.0, 100)).await;
    drop(members[0].admit(Class::Timeseries).await);
    let before = team.now().await;
    members[0].hold(Class::Timeseries, wait).await;
    members[1].hold(Class::Timeseries, wait / 100).await;
    members[0].hold(Class::Timeseries, wait / 100).await;
    for member in &members {
        let permit = member.admit(Class::Timeseries).await;
        assert!(permit.admitted_at() >= before + wait);
    }
}

async fn a_hold_of_one_class_leaves_the_others_alone(team: &Team) {
    let members = team.members(limits(100.0, 1)).await;
    // There is one connection: who waits for the end of a hold doesn't keep it.
    members[0].hold(Class::Metadata, WAIT_MAX).await;
    let held = tokio::spawn({
        let member = members[0].clone();
        async move { member.admit(Class::Metadata).await }
    });
    for class in [Class::Timeseries, Class::Symbology] {
        for member in &members {
            drop(
                tokio::time::timeout(FOREVER, member.admit(class))
                    .await
                    .unwrap(),
            );
        }
    }
    assert!(!held.is_finished());
    held.abort();
}
