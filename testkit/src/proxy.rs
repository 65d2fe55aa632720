//! A TCP proxy in front of a server, which cuts its connections or lets nothing pass when told to.

mod connection;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

/// A proxy. Dropped, it cuts what is connected. It has a thread of its own, so that a test may
/// block on what goes through it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: Arc<Orders>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy on a free port of this computer's own address. The server need not be up: while it
    /// isn't, connections are cut as soon as they are made.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn start(upstream: SocketAddr) -> Self {
        let orders = Arc::new(Orders::default());
        let (end, ended) = oneshot::channel();
        let (tell_address, address) = mpsc::channel();
        let followed = Arc::clone(&orders);
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("an event loop can be made")
                .block_on(async {
                    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                        .await
                        .expect("a port is free");
                    let own = listener.local_addr().expect("it is bound");
                    tell_address.send(own).expect("the proxy waits for it");
                    tokio::select! {
                        () = accept(&listener, upstream, &followed) => {}
                        _ = ended => {}
                    }
                });
        });
        Self {
            address: address.recv().expect("the proxy has an address"),
            orders,
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A server's address with the proxy's port in place of its own.
    ///
    /// # Panics
    /// When the address doesn't begin like `scheme://[user@]host:port`.
    #[must_use]
    pub fn url(&self, servers: &str) -> String {
        let (scheme, rest) = servers.split_once("://").expect("it has a scheme");
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let user = authority.rfind('@').map_or("", |at| &authority[..=at]);
        format!("{scheme}://{user}{}{path}", self.address)
    }

    /// Resets all connections at once, also while it is paused.
    pub fn cut_all(&self) {
        self.orders.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Resets the next connection that sends this many more bytes to the server: in the middle of
    /// what it sends, once. An order that was given before and not come to pass yet is replaced.
    pub fn cut_after_bytes(&self, bytes: u64) {
        let mut trap = self.orders.trap();
        trap.number += 1;
        trap.bytes = Some(bytes);
    }

    /// Whether an order to cut in the middle is still to come to pass.
    #[must_use]
    pub fn cut_is_due(&self) -> bool {
        self.orders.trap().bytes.is_some()
    }

    /// Takes an order to cut in the middle back; whether there was one that had not come to pass.
    pub fn forget_cut(&self) -> bool {
        self.orders.trap().bytes.take().is_some()
    }

    /// How many connections it has reset by order.
    #[must_use]
    pub fn connections_cut(&self) -> u64 {
        *self.orders.connections_cut.borrow()
    }

    /// Waits until it has reset this many connections by order, counted from its start.
    ///
    /// # Panics
    /// When the proxy has ended.
    pub async fn wait_for_cuts(&self, count: u64) {
        let mut cut = self.orders.connections_cut.subscribe();
        cut.wait_for(|cut| *cut >= count)
            .await
            .expect("the proxy counts as long as it lives");
    }

    /// Lets nothing pass in either direction. Connections stay, and new ones are accepted.
    pub fn pause(&self) {
        self.orders.paused.send_replace(true);
    }

    /// Lets everything pass again, with what was held back.
    pub fn resume(&self) {
        self.orders.paused.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            println!("the proxy's thread has failed");
        }
    }
}

/// What the connections obey.
#[derive(Debug, Default)]
struct Orders {
    /// Counts the orders to cut all.
    cuts: watch::Sender<u64>,
    paused: watch::Sender<bool>,
    trap: Mutex<Trap>,
    connections_cut: watch::Sender<u64>,
}

impl Orders {
    fn trap(&self) -> std::sync::MutexGuard<'_, Trap> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of the next bytes may pass; `None` when all may.
    fn may_pass(&self, sent: &mut Sent, bytes: usize) -> Option<usize> {
        let mut trap = self.trap();
        if sent.number != trap.number {
            *sent = Sent {
                number: trap.number,
                bytes: 0,
            };
        }
        let left = usize::try_from(trap.bytes?.saturating_sub(sent.bytes)).ok()?;
        if bytes >= left {
            trap.bytes = None;
            return Some(left);
        }
        sent.bytes += u64::try_from(bytes).ok()?;
        None
    }
}

/// An order to cut the first connection that has sent this many bytes since the order was given.
#[derive(Debug, Default)]
struct Trap {
    /// Tells one order from another.
    number: u64,
    /// Absent when there is no order, or it has come to pass.
    bytes: Option<u64>,
}

/// What a connection has sent since an order.
#[derive(Debug, Default)]
struct Sent {
    number: u64,
    bytes: u64,
}

async fn accept(listener: &TcpListener, upstream: SocketAddr, orders: &Arc<Orders>) {
    loop {
        // A connection that was given up before it was accepted is no reason to end.
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        tokio::spawn(connection::serve(client, upstream, Arc::clone(orders)));
    }
}
