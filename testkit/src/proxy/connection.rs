//! One connection through the proxy: what each side says is passed on, until it ends or is cut.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::{Orders, Sent};

const BUFFER_BYTES: usize = 16 * 1024;

/// Serves a client until both sides have said all, or an order cuts them.
pub(super) async fn serve(mut client: TcpStream, upstream: SocketAddr, orders: Arc<Orders>) {
    let mut cut = orders.cuts.subscribe();
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        reset(&client);
        return;
    };
    let ended = tokio::select! {
        ended = pass_both(&mut client, &mut server, &orders) => ended,
        _ = cut.changed() => End::Cut,
    };
    if matches!(ended, End::Said) {
        return;
    }
    // A side that was lost is lost to the other one in the same way.
    reset(&client);
    reset(&server);
    drop((client, server));
    if matches!(ended, End::Cut) {
        orders.connections_cut.send_modify(|count| *count += 1);
    }
}

/// How a connection, or one direction of it, came to its end.
enum End {
    Said,
    Cut,
    Lost,
}

async fn pass_both(client: &mut TcpStream, server: &mut TcpStream, orders: &Orders) -> End {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let mut request = std::pin::pin!(pass(from_client, to_server, orders, Some(Sent::default())));
    let mut answer = std::pin::pin!(pass(from_server, to_client, orders, None));
    let first = tokio::select! {
        end = &mut request => (end, true),
        end = &mut answer => (end, false),
    };
    match first {
        (End::Said, true) => answer.await,
        (End::Said, false) => request.await,
        (end, _) => end,
    }
}

/// Passes on what one side says; `sent` counts it where an order may cut it.
async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    orders: &Orders,
    mut sent: Option<Sent>,
) -> End {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut paused = orders.paused.subscribe();
    loop {
        let Ok(length) = from.read(&mut buffer).await else {
            return End::Lost;
        };
        // The end of what is said is held back too. The orders live as long as the connection.
        let _ = paused.wait_for(|paused| !paused).await;
        if length == 0 {
            return match to.shutdown().await {
                Ok(()) => End::Said,
                Err(_) => End::Lost,
            };
        }
        let limit = sent.as_mut().and_then(|sent| orders.may_pass(sent, length));
        let passed = &buffer[..limit.unwrap_or(length)];
        if to.write_all(passed).await.is_err() {
            return End::Lost;
        }
        if limit.is_some() {
            return End::Cut;
        }
    }
}

/// Makes the end of a connection a reset, which leaves nothing to be read.
fn reset(stream: &TcpStream) {
    // A connection that is already gone needs none.
    let _ = stream.set_zero_linger();
}
