//! A private Redis with a queue, and processes that work on it as a test lets them.

use std::sync::Arc;
use std::time::Duration;

use common::chunk::ChunkId;
use common::queue::{Hint, RedisQueue};
use redis::aio::ConnectionManager;
use testkit::redis::Redis;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::pool::{Fleet, Work};

/// Long enough for any machine; only a test that fails waits for it.
const FOREVER: Duration = Duration::from_secs(60);
const NAMESPACE: &str = "test:queue";

/// A private Redis, and a queue in it.
pub struct Ground {
    pub redis: Redis,
    pub queue: RedisQueue,
    connection: ConnectionManager,
}

impl Ground {
    pub async fn new() -> Option<Self> {
        let redis = Redis::start()?;
        let connection = common::redis::connect(&redis.url()).await.unwrap();
        let queue = RedisQueue::new(connection.clone(), NAMESPACE);
        Some(Self {
            redis,
            queue,
            connection,
        })
    }

    /// A process that takes hints, tells of them, and is done with each when its gate lets it through.
    pub fn pool(&self, name: &str, slots: usize) -> Pool {
        let (told, hints) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(0));
        let pass = Arc::clone(&gate);
        let work: Work = Arc::new(move |hint| {
            let (told, pass) = (told.clone(), Arc::clone(&pass));
            Box::pin(async move {
                // Nobody listens any more when the test is over.
                told.send(hint).ok();
                pass.acquire().await.unwrap().forget();
            })
        });
        let fleet = Fleet::new(self.queue.clone(), name, slots, work);
        let fleet = fleet.with_heartbeat(Duration::from_secs(1));
        let ended = CancellationToken::new();
        Pool {
            running: tokio::spawn(fleet.run(ended.clone())),
            hints,
            gate,
            ended,
        }
    }

    /// Puts hints in as the reconciler does: again, when Redis was away.
    pub async fn push(&self, chunks: std::ops::Range<i64>) -> u64 {
        let hints: Vec<Hint> = chunks.map(hint).collect();
        loop {
            if let Ok(new) = self.queue.push(&hints).await {
                return new;
            }
            tokio::task::yield_now().await;
        }
    }

    pub async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let mut connection = self.connection.clone();
        command.query_async(&mut connection).await.unwrap()
    }

    pub async fn tell(&self, command: &redis::Cmd) {
        self.ask::<redis::Value>(command).await;
    }

    pub async fn names(&self) -> Vec<String> {
        self.ask(redis::cmd("ZRANGE").arg(key("workers")).arg(0).arg(-1))
            .await
    }

    /// Commands that the server dealt with so far.
    pub async fn commands(&self) -> f64 {
        let stats: String = self.ask(redis::cmd("INFO").arg("stats")).await;
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix("total_commands_processed:"));
        line.unwrap().trim().parse().unwrap()
    }

    /// Waits until no hint is known.
    pub async fn forgets_all(&self) {
        let empty = async {
            while self.queue.len().await.unwrap().known > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within(empty).await;
    }

    /// Nothing of the queue is left but the list of all queues.
    pub async fn is_empty(&self) {
        let keys: Vec<String> = self.ask(redis::cmd("KEYS").arg(key("*"))).await;
        assert_eq!(keys, [""; 0]);
    }
}

pub struct Pool {
    pub running: JoinHandle<()>,
    pub hints: mpsc::UnboundedReceiver<Hint>,
    pub gate: Arc<Semaphore>,
    pub ended: CancellationToken,
}

impl Pool {
    /// The next hints that it takes.
    pub async fn taken(&mut self, count: usize) -> Vec<Hint> {
        let mut taken = Vec::with_capacity(count);
        let all = async {
            while taken.len() < count {
                taken.push(self.hints.recv().await.unwrap());
            }
        };
        within(all).await;
        taken
    }

    pub async fn end(self) {
        self.ended.cancel();
        within(self.running).await.unwrap();
    }
}

pub async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(FOREVER, future).await.unwrap()
}

pub fn key(name: &str) -> String {
    format!("{NAMESPACE}:{name}")
}

pub fn hint(chunk: i64) -> Hint {
    Hint {
        chunk: ChunkId(chunk),
        generation: 7,
    }
}
