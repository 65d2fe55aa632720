//! The names of the queue's keys, as apalis-redis 1.0 makes them.

/// The names of a queue's keys.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// What they all begin with.
    pub namespace: String,
    /// Hash: task to payload.
    pub payloads: String,
    /// List: tasks to fetch, the oldest first.
    pub waiting: String,
    /// Sorted set: tasks by the second they are due. We put none there.
    pub scheduled: String,
    /// Set: tasks that were acknowledged.
    pub done: String,
    /// Set: tasks that were given up.
    pub dead: String,
    /// Sorted set: workers by their last heartbeat's second.
    pub workers: String,
    /// What begins the name of each task's hash.
    pub task_prefix: String,
    /// What begins the name of the set of tasks that a worker holds.
    pub held_prefix: String,
    metadata_prefix: String,
}

impl Keys {
    pub fn new(namespace: &str) -> Self {
        let key = |name: &str| format!("{namespace}:{name}");
        Self {
            namespace: namespace.to_owned(),
            payloads: key("data"),
            waiting: key("active"),
            scheduled: key("scheduled"),
            done: key("done"),
            dead: key("dead"),
            workers: key("workers"),
            task_prefix: key("meta:"),
            held_prefix: key("inflight:"),
            metadata_prefix: key("workers:metadata:"),
        }
    }

    /// The set of tasks that a worker holds.
    pub fn held_by(&self, worker: &str) -> String {
        format!("{}{worker}", self.held_prefix)
    }

    /// What a worker wrote about itself.
    pub fn metadata_of(&self, worker: &str) -> String {
        format!("{}{worker}", self.metadata_prefix)
    }

    /// A pattern that all keys of single workers match, and few others.
    pub fn of_workers_pattern(&self) -> String {
        format!("{}:[iw]*:*", self.namespace)
    }

    /// The worker that a key belongs to, if it is of a single worker.
    pub fn worker_of(&self, key: &str) -> Option<String> {
        key.strip_prefix(&self.held_prefix)
            .or_else(|| key.strip_prefix(&self.metadata_prefix))
            .map(str::to_owned)
    }
}
