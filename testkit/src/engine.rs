//! The engines that stories are taken through.

use std::sync::atomic::{AtomicBool, Ordering};

use common::store::Store;

use crate::database::Database;
use crate::postgres::Postgres;
use crate::sandbox::Sandbox;

/// Runs stories, which are functions that take an [`Engine`], on each that there is.
#[macro_export]
macro_rules! on_every_engine {
    ($($story:ident)*) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(&$crate::engine::Engine::Sqlite).await;
                }
            )*
        }

        mod on_postgresql {
            $(
                #[tokio::test]
                async fn $story() {
                    if let Some(engine) = $crate::engine::Engine::postgresql() {
                        super::$story(&engine).await;
                    }
                }
            )*
        }
    };
}

/// Where databases are made.
#[derive(Debug)]
pub enum Engine {
    /// In files.
    Sqlite,
    /// On a private server.
    Postgresql(Server),
}

/// A private server, and whether its first database is taken.
#[derive(Debug)]
pub struct Server {
    server: Postgres,
    first_is_taken: AtomicBool,
}

impl Engine {
    /// A private server, or `None` with a printed line where none is installed.
    ///
    /// # Panics
    /// When an installed server can't be started.
    #[must_use]
    pub fn postgresql() -> Option<Self> {
        let server = Postgres::start()?;
        Some(Self::Postgresql(Server {
            server,
            first_is_taken: AtomicBool::new(false),
        }))
    }

    /// A new database with tables. In a file it is made by whoever works on it first.
    ///
    /// # Panics
    /// When a server does not make it.
    pub async fn database(&self, sandbox: &Sandbox) -> Database {
        match self {
            Self::Sqlite => Database::File(sandbox.database()),
            Self::Postgresql(server) => Database::OnServer(server.database().await),
        }
    }
}

impl Server {
    async fn database(&self) -> String {
        // Most stories need but one, and there is one: another costs more than its tables.
        let url = match self.first_is_taken.swap(true, Ordering::Relaxed) {
            false => self.server.url(),
            true => self.server.fresh_database(),
        };
        let migrated = Store::migrate(&url).await;
        migrated.expect("the tables can be made");
        url
    }
}
