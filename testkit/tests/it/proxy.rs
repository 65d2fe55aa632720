//! A proxy cuts connections as a bad network would: all, in the middle, or by silence.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use testkit::postgres::Postgres;
use testkit::proxy::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Nothing comes for this long: as good as never, for what would come within a millisecond. Too
/// short a time can't fail the test, and only hides a fault.
const SILENCE: Duration = Duration::from_millis(100);

/// A proxy before a listener, and one connection through it: the client's end and the server's.
async fn connected() -> (Proxy, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap());
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (proxy, client, server)
}

#[tokio::test]
async fn both_sides_hear_each_other_to_the_end() {
    let (_proxy, mut client, mut server) = connected().await;
    let words = vec![7; 1_000_000];
    let (mut from_client, mut to_server) = client.split();
    let say = async {
        to_server.write_all(&words).await.unwrap();
        to_server.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    let (_, length) = tokio::join!(say, server.read_to_end(&mut heard));
    assert_eq!((length.unwrap(), &heard), (words.len(), &words));
    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut answer = Vec::new();
    from_client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"answer");
}

#[tokio::test]
async fn a_cut_resets_all_connections_and_lets_new_ones_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap());
    let mut ends = Vec::new();
    for _ in 0..3 {
        ends.push(TcpStream::connect(proxy.address()).await.unwrap());
        ends.push(listener.accept().await.unwrap().0);
    }
    proxy.cut_all();
    for mut end in ends {
        assert_eq!(
            end.read_u8().await.unwrap_err().kind(),
            std::io::ErrorKind::ConnectionReset
        );
    }
    proxy.wait_for_cuts(3).await;
    assert_eq!(proxy.connections_cut(), 3);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"a").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'a');
}

#[tokio::test]
async fn a_connection_is_cut_in_the_middle_of_what_it_sends() {
    let (proxy, mut client, mut server) = connected().await;
    client.write_all(&[1; 60]).await.unwrap();
    server.read_exact(&mut [0; 60]).await.unwrap();
    proxy.cut_after_bytes(100);
    client.write_all(&[2; 60]).await.unwrap();
    server.read_exact(&mut [0; 60]).await.unwrap();
    client.write_all(&[3; 60]).await.unwrap();
    let mut heard = Vec::new();
    server.read_to_end(&mut heard).await.unwrap_err();
    assert!(heard.len() <= 40);
    client.read_u8().await.unwrap_err();
    proxy.wait_for_cuts(1).await;
}

#[tokio::test]
async fn nothing_passes_while_it_is_paused() {
    let (proxy, mut client, mut server) = connected().await;
    proxy.pause();
    client.write_all(b"a").await.unwrap();
    server.write_all(b"b").await.unwrap();
    assert!(timeout(SILENCE, server.read_u8()).await.is_err());
    assert!(timeout(SILENCE, client.read_u8()).await.is_err());
    proxy.resume();
    assert_eq!(server.read_u8().await.unwrap(), b'a');
    assert_eq!(client.read_u8().await.unwrap(), b'b');
    proxy.pause();
    client.write_all(b"c").await.unwrap();
    proxy.cut_all();
    server.read_u8().await.unwrap_err();
}

#[tokio::test]
async fn a_copy_that_is_cut_leaves_no_row() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let _ = postgres.psql("CREATE TABLE copied (line text);");
    let proxy = Proxy::start(postgres.address());
    let mut connection = PgConnection::connect(&proxy.url(&postgres.url()))
        .await
        .unwrap();
    proxy.cut_after_bytes(1_000_000);
    let mut copy = connection
        .copy_in_raw("COPY copied FROM STDIN")
        .await
        .unwrap();
    let lines = "a line of the table\n".repeat(1_000);
    let cut = loop {
        if let Err(error) = copy.send(lines.as_bytes()).await {
            break error;
        }
    };
    assert!(matches!(cut, sqlx::Error::Io(_)), "{cut}");
    drop(copy);
    proxy.wait_for_cuts(1).await;
    // It waits for the lock that the cut session had, and so for its end.
    let count = "LOCK TABLE copied; SELECT count(*) FROM copied;";
    let count = format!("BEGIN; {count} COMMIT;");
    assert_eq!(postgres.psql(&count).trim(), "0");
}

#[tokio::test]
async fn its_address_outlives_the_server() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let proxy = Proxy::start(postgres.address());
    let url = proxy.url(&postgres.url());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    postgres.kill();
    assert!(connection.ping().await.is_err());
    assert!(PgConnection::connect(&url).await.is_err());
    postgres.restart();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.ping().await.unwrap();
}
