//! What an apalis worker takes from the queue: a hint for each free slot, never more.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use common::queue::Hint;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::PollSemaphore;

use super::bell::{Bell, Ear};

/// A message that was taken, and the slot that it takes up.
#[derive(Debug)]
pub(super) struct Taken {
    /// `None` for a message that can't be read: it must not stop the worker.
    pub hint: Option<Hint>,
    /// Free again when dropped.
    pub slot: Slot,
}

/// A slot in use: one of a crew's, counted among those of the process.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    busy: Arc<watch::Sender<usize>>,
}

/// A backend that gives out no more than there are free slots.
///
/// A slot goes with the work and not with apalis' future of it: when the worker ends by an error, its
/// futures are dropped, but the work goes on, and the next worker must not fill its slot again.
#[derive(Debug)]
pub(super) struct Intake<B> {
    storage: B,
    slots: PollSemaphore,
    /// Taken before a fetch begins: what was fetched has to go somewhere.
    permit: Option<OwnedSemaphorePermit>,
    busy: Arc<watch::Sender<usize>>,
    bell: Bell,
    ear: Ear,
}

impl<B> Intake<B> {
    pub fn new(
        storage: B,
        slots: Arc<Semaphore>,
        busy: Arc<watch::Sender<usize>>,
        bell: Bell,
    ) -> Self {
        let ear = bell.ear();
        Self {
            storage,
            slots: PollSemaphore::new(slots),
            permit: None,
            busy,
            bell,
            ear,
        }
    }

    /// The permit for another hint; `None` when all slots are in use, and the task is woken then when
    /// one is free.
    fn permit(&mut self, context: &mut Context<'_>) -> Option<OwnedSemaphorePermit> {
        match self.permit.take() {
            Some(permit) => Some(permit),
            None => match self.slots.poll_acquire(context) {
                Poll::Ready(permit) => permit,
                Poll::Pending => None,
            },
        }
    }
}

impl Slot {
    fn taken(permit: OwnedSemaphorePermit, busy: &Arc<watch::Sender<usize>>) -> Self {
        busy.send_modify(|count| *count += 1);
        Self {
            _permit: permit,
            busy: Arc::clone(busy),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.busy.send_modify(|count| *count -= 1);
    }
}

impl<B: Backend<Task = Task<Vec<u8>>>> Backend for Intake<B> {
    type Task = Task<Taken>;
    type Error = B::Error;

    fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        self.storage.poll_ready(context, worker)
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Self::Error>>> {
        let Some(permit) = self.permit(context) else {
            self.ear.close();
            return Poll::Pending;
        };
        self.permit = Some(permit);
        self.ear.listen(context);
        let fetched = ready!(self.storage.poll_next(context, worker));
        Poll::Ready(fetched.map(|fetched| {
            let task = fetched?;
            // Where there was one there may be more: another worker looks as well.
            self.bell.ring();
            let permit = self.permit.take().expect("it was put there above");
            let slot = Slot::taken(permit, &self.busy);
            Ok(task.map_args(|payload| Taken {
                hint: serde_json::from_slice(&payload).ok(),
                slot,
            }))
        }))
    }

    fn poll_close(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        self.storage.poll_close(context, worker)
    }
}

impl<B: BackendConfig> BackendConfig for Intake<B> {
    type Args = Taken;
    type Id = B::Id;
    /// The arguments are decoded already.
    type Kind = Ephemeral;
    type Config = B::Config;
    type Layer = B::Layer;

    fn config(&self) -> &Self::Config {
        self.storage.config()
    }

    fn middleware(&mut self, worker: &mut WorkerContext) -> Self::Layer {
        self.storage.middleware(worker)
    }
}
