//! The vendor's limits: one suite for a process alone and for a fleet, and what each has besides.

#![expect(
    clippy::unwrap_used,
    reason = "a story fails its test by panicking, though it is no test by itself"
)]

/// Runs stories, which are functions that take a team, in process by a stopped clock and on Redis.
macro_rules! on_every_kind {
    ($($story:ident)*) => {
        mod in_process {
            $(
                #[tokio::test(start_paused = true)]
                async fn $story() {
                    let team = crate::limiter::ground::Team::in_process();
                    super::$story(&team).await;
                }
            )*
        }
        mod on_redis {
            $(
                #[tokio::test]
                async fn $story() {
                    if let Some(team) = crate::limiter::ground::Team::on_redis() {
                        super::$story(&team).await;
                    }
                }
            )*
        }
    };
}

mod ground;
mod pace;
mod connections;
mod bucket;
mod in_process;
mod fleet;
