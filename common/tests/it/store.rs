//! The store's contract, as stories through which every engine is taken.

#![expect(
    clippy::unwrap_used,
    reason = "a story fails its test by panicking, though it is no test by itself"
)]

/// Runs stories, which are functions that take a store, on each engine that there is.
macro_rules! on_every_engine {
    ($($story:ident)*) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    let (_sandbox, store) = crate::store::ground::sqlite().await;
                    super::$story(&store).await;
                }
            )*
        }

        mod on_postgresql {
            $(
                #[tokio::test]
                async fn $story() {
                    let Some((_server, store)) = crate::store::ground::postgresql().await else {
                        return;
                    };
                    super::$story(&store).await;
                }
            )*
        }

        mod on_timescaledb {
            $(
                #[tokio::test]
                async fn $story() {
                    let Some(store) = crate::store::ground::timescaledb().await else {
                        return;
                    };
                    super::$story(&store).await;
                }
            )*
        }
    };
}

pub mod ground;
mod submissions;
mod traces;
mod watched;
mod claims;
mod turns;
mod loads;
mod slices;
mod replays;
mod spending;
mod budgets;
mod control;
mod conditions;
mod sqlite;
mod postgresql;
