//! The connection to Redis: one for a process, which reconnects by itself; over TLS at `rediss://…`, with the
//! authorities that the system trusts.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};

/// The library's own half second is shorter than a busy server's pause: an answer that comes late
/// would look like a failure of what was done.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects to Redis. The connection comes back by itself after it was lost; commands that were under
/// way then fail.
///
/// # Errors
/// [`redis::RedisError`] when the address is wrong, or nobody answers there.
pub async fn connect(url: &str) -> Result<ConnectionManager, redis::RedisError> {
    // The same implementation as the vendor's client has; whoever comes second finds it there.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = redis::Client::open(url)?;
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECTION_TIMEOUT))
        .set_max_delay(Duration::from_secs(1));
    ConnectionManager::new_with_config(client, config).await
}
