//! Turns: of chunks that share a request one sends it, and the others wait for what it archives.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, Weak};

use common::vendor::RangeRequest;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Requests that somebody in this process is at. Definitions of different continuous symbols are
/// one request: the vendor gives all of a day's or none.
static TURNS: LazyLock<std::sync::Mutex<HashMap<RangeRequest, Weak<Mutex<()>>>>> =
    LazyLock::new(Default::default);

/// Waits until nobody else is at the request; it is the caller's until the guard is dropped.
pub async fn turn(request: &RangeRequest) -> OwnedMutexGuard<()> {
    let turn = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let known = turns.get(request).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::new(Mutex::new(()));
            turns.insert(request.clone(), Arc::downgrade(&turn));
            turn
        })
    };
    turn.lock_owned().await
}
