//! The engines that stories are taken through.

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
    Postgresql(Postgres),
}

impl Engine {
    /// A private server, or `None` with a printed line where none is installed.
    ///
    /// # Panics
    /// When an installed server can't be started.
    #[must_use]
    pub fn postgresql() -> Option<Self> {
        Postgres::start().map(Self::Postgresql)
    }

    /// A new database with tables. In a file it is made by whoever works on it first.
    ///
    /// # Panics
    /// When a server does not make it.
    pub async fn database(&self, sandbox: &Sandbox) -> Database {
        match self {
            Self::Sqlite => Database::File(sandbox.database()),
            Self::Postgresql(server) => {
                let url = server.fresh_database();
                let migrated = Store::migrate(&url).await;
                migrated.expect("the tables can be made");
                Database::OnServer(url)
            }
        }
    }
}
