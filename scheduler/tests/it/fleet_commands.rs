//! The commands for a fleet: each story on one machine's file and on a fleet's servers, where both
//! know it.

/// Tests that run one story on either ground.
macro_rules! on_either_ground {
    ($($story:ident)*) => {
        mod on_one_machine {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(&crate::fleet_commands::ground::Ground::one_machine().await).await;
                }
            )*
        }

        mod in_a_fleet {
            $(
                #[tokio::test]
                async fn $story() {
                    if let Some(ground) = crate::fleet_commands::ground::Ground::fleet().await {
                        super::$story(&ground).await;
                    }
                }
            )*
        }
    };
}

pub mod ground;
mod submitting;
mod deciding;
mod overrides;
mod waiting;
mod serving;
mod tables;
