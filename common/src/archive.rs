//! The archive: every stream that was received, as the vendor sent it, with its manifest.
//!
//! A stream counts only once its manifest is there, and the manifest is written last: objects are
//! made durable first. Killed at any instant, the archive holds whole streams, parts of others that
//! the next attempt goes on from, and leftovers that it takes up or removes.

mod folder;
mod joined;
mod manifest;
mod objects;
#[cfg(feature = "s3")]
pub mod s3;
pub mod storage;
mod stream;
mod tail;
mod verify;

use std::io;
use std::sync::Arc;

pub use joined::JoinError;
pub use manifest::{Manifest, Part, Partial, StreamFacts};
pub use objects::{Objects, Orphan, Receipt};
pub use stream::StreamName;
pub use stream::{key_of, revision_of};
pub use tail::Tail;
pub use verify::{Flaw, differs};

use crate::configuration::document::Refusal;
use crate::vendor::RangeRequest;
use folder::Folder;
use storage::Storage;

/// Received streams, for whoever must not block. Clones share it.
#[derive(Clone, Debug)]
pub struct Archive {
    objects: Objects,
}

impl Archive {
    /// The archive at an address such as `file://data/archive`, of streams from one origin.
    ///
    /// # Errors
    /// [`Refusal`] when this version can't use the address.
    pub fn open(url: &str, origin: &str) -> Result<Self, Refusal> {
        match url.strip_prefix("file://") {
            Some(path) if !path.is_empty() => Ok(Self::over(folder(path), origin)),
            _ if url.starts_with("s3://") => Ok(Self::over(bucket(url)?, origin)),
            _ => Err(Refusal::of(
                "ARCHIVE_URL",
                "this is no address of an archive",
                "write for example file://data/archive, or s3://bucket/prefix",
            )),
        }
    }

    /// The archive of streams from one origin in a place of one's own.
    #[must_use]
    pub fn over(storage: Arc<dyn Storage>, origin: &str) -> Self {
        Self {
            objects: Objects::new(storage, origin.to_owned()),
        }
    }

    /// The same archive for the streams of another origin; `None` is this one's.
    #[must_use]
    pub fn of_origin(&self, origin: Option<String>) -> Self {
        Self {
            objects: self.objects.of_origin(origin),
        }
    }

    /// The same archive, for a thread that may block.
    #[must_use]
    pub fn objects(&self) -> Objects {
        self.objects.clone()
    }

    /// Makes sure that the archive can be written, and removes what killed processes left in it that
    /// is of no use. What is being received is locked by whoever receives it, and stays; so do the
    /// first bytes of a stream that the next attempt at it takes up. Blocks.
    ///
    /// # Errors
    /// [`Refusal`] when the archive can't be used.
    pub fn sweep(&self) -> Result<(), Refusal> {
        let storage = self.objects.storage();
        storage.check().map_err(|error| {
            let message = format!("{} can't be written: {error}", storage.place());
            let help = "name a folder that this user can write, with room for the streams";
            Refusal::of("ARCHIVE_URL", message, help)
        })
    }

    /// The newest archived stream that has the records of a request, of this revision at least: its
    /// own answer, or else a wider one.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub async fn find_records(
        &self,
        request: &RangeRequest,
        revision: u32,
    ) -> io::Result<Option<Manifest>> {
        let found = self.find_at_least(request, revision).await?;
        match request.wider().filter(|_| found.is_none()) {
            Some(wider) => self.find_at_least(&wider, revision).await,
            None => Ok(found),
        }
    }

    /// The newest archived answer to a request, of this revision at least, when there is one and it has
    /// its full length.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub async fn find_at_least(
        &self,
        request: &RangeRequest,
        revision: u32,
    ) -> io::Result<Option<Manifest>> {
        let request = request.clone();
        self.on_thread(move |objects| objects.find(&request, revision))
            .await
    }

    /// The archived stream of this name, when it has its full length.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub async fn manifest(&self, key: &str) -> io::Result<Option<Manifest>> {
        let key = key.to_owned();
        self.on_thread(move |objects| objects.manifest(&key)).await
    }

    /// Forgets a stream that turned out damaged, so that it is fetched again.
    ///
    /// # Errors
    /// When it can't be removed.
    pub async fn forget(&self, manifest: &Manifest) -> io::Result<()> {
        let manifest = manifest.clone();
        self.on_thread(move |objects| objects.forget(&manifest))
            .await
    }

    /// Does something with the archive on a thread that may block.
    async fn on_thread<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Objects) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let objects = self.objects();
        let done = tokio::task::spawn_blocking(move || verb(&objects)).await;
        done.map_err(io::Error::other)?
    }
}

fn folder(path: &str) -> Arc<dyn Storage> {
    Arc::new(Folder::new(path.into()))
}

#[cfg(feature = "s3")]
fn bucket(url: &str) -> Result<Arc<dyn Storage>, Refusal> {
    Ok(Arc::new(s3::Bucket::open(url)?))
}

#[cfg(not(feature = "s3"))]
fn bucket(_url: &str) -> Result<Arc<dyn Storage>, Refusal> {
    Err(Refusal::of(
        "ARCHIVE_URL",
        "this program was built without S3",
        "use the image, or build with `cargo build --release --features s3`; a folder is \
         file://data/archive",
    ))
}
