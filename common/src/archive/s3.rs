//! S3, or a server that speaks as it does, as storage: what is being written is an upload that nobody
//! sees, and that is gone when it isn't completed.
//!
//! The address and the credentials come from the standard `AWS_…` variables, which the library reads
//! itself; they are in no text of ours. An upload that was cut off stays with the server until a rule of
//! the bucket's life cycle removes it (`AbortIncompleteMultipartUpload`).

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload, RetryConfig,
};
use tokio::runtime::{Builder, Runtime};

use super::storage::{Storage, Stored, Writing};
use crate::configuration::document::Refusal;

/// Bytes of one part of an upload: what a writer keeps in memory, twice while a part is sent. A server
/// takes 10,000 parts, so an object has at most 78 GiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Pieces of an object that are received ahead of whoever reads it.
const PIECES_AHEAD: usize = 8;
/// Names of a list that are in memory at once.
const NAMES_AT_ONCE: usize = 1_000;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Without a byte of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// From a request's beginning until no retry follows any more.
const RETRY_TIMEOUT: Duration = Duration::from_secs(120);
const RETRIES_MAX: usize = 8;

/// Where requests are carried out: the threads that ask for them block.
static RUNTIME: LazyLock<Result<Runtime, String>> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("archive-s3")
        .enable_all()
        .build();
    runtime.map_err(|error| error.to_string())
});

/// A bucket, below a prefix.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    bucket: String,
    /// Empty, or with `/` at its end.
    prefix: String,
}

impl fmt::Debug for Bucket {
    /// Without the library's own words, which might come to hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.place()).finish()
    }
}

impl Bucket {
    /// The bucket at an address such as `s3://bucket/prefix`, as the environment describes its server.
    ///
    /// # Errors
    /// [`Refusal`] when the address or the environment can't be used.
    pub fn open(url: &str) -> Result<Self, Refusal> {
        Self::open_with(url, AmazonS3Builder::from_env())
    }

    /// The same, at the server with this address and these keys.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(url: &str, endpoint: &str, keys: (&str, &str)) -> Result<Self, Refusal> {
        let server = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_region("us-east-1")
            .with_access_key_id(keys.0)
            .with_secret_access_key(keys.1);
        Self::open_with(url, server)
    }

    fn open_with(url: &str, server: AmazonS3Builder) -> Result<Self, Refusal> {
        let refused = |message: &str, help: &str| Refusal::of("ARCHIVE_URL", message, help);
        let written = "write for example s3://bucket/prefix";
        let address = url.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        let prefix = prefix.trim_matches('/');
        if bucket.is_empty() || bucket.contains(['@', ':', '?']) || Path::parse(prefix).is_err() {
            return Err(refused("this is no address of a bucket", written));
        }
        // Everybody on the way reads what isn't encrypted: only who writes http:// wants that.
        let endpoint = server.get_config_value(&AmazonS3ConfigKey::Endpoint);
        let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        // The same implementation as the vendor's client has; whoever comes second finds it there.
        drop(rustls::crypto::ring::default_provider().install_default());
        let store = server
            .with_bucket_name(bucket)
            .with_allow_http(plain)
            .with_disable_bulk_delete(true)
            .with_client_options(
                ClientOptions::new()
                    .with_allow_http(plain)
                    .with_connect_timeout(CONNECT_TIMEOUT)
                    .with_read_timeout(READ_TIMEOUT)
                    .with_timeout_disabled(),
            )
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RETRIES_MAX,
                retry_timeout: RETRY_TIMEOUT,
            })
            .build();
        let store = store.map_err(|_| {
            let help = "see that AWS_REGION, AWS_ENDPOINT_URL and the other AWS_ variables are those \
                        of the bucket's server";
            refused("the environment doesn't describe its server", help)
        })?;
        Ok(Self {
            store: Arc::new(store),
            bucket: bucket.to_owned(),
            prefix: match prefix {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
        })
    }

    fn path(&self, name: &str) -> io::Result<Path> {
        let path = Path::parse(format!("{}{name}", self.prefix));
        path.map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))
    }

    /// Gives names below the archive's root that begin so, as they come.
    fn names(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Stored) -> io::Result<()>,
    ) -> io::Result<()> {
        let whole = format!("{}{prefix}", self.prefix);
        let folder = whole.rsplit_once('/').map(|(folder, _)| Path::from(folder));
        let root = self.prefix.len();
        // The server begins shortly before the prefix, for it gives no name that is the offset
        // itself, and is asked no further than the last that begins so.
        let before = whole.char_indices().last().map_or(0, |(last, _)| last);
        let mut listed = match Path::parse(&whole[..before]) {
            Ok(offset) if !whole.ends_with('/') && !whole[..before].ends_with('/') => {
                self.store.list_with_offset(folder.as_ref(), &offset)
            }
            _ => self.store.list(folder.as_ref()),
        };
        loop {
            let page;
            (page, listed) = wait(async move {
                let page: Vec<_> = listed.by_ref().take(NAMES_AT_ONCE).collect().await;
                Ok((page, listed))
            })?;
            let ended = page.len() < NAMES_AT_ONCE;
            for found in page {
                let found = found.map_err(in_words)?;
                let name: &str = found.location.as_ref();
                if !name.starts_with(&whole) {
                    if name < whole.as_str() {
                        continue;
                    }
                    return Ok(());
                }
                each(Stored {
                    name: name[root..].to_owned(),
                    bytes: found.size,
                })?;
            }
            if ended {
                return Ok(());
            }
        }
    }
}

impl Storage for Bucket {
    fn check(&self) -> io::Result<()> {
        let probe = format!("probe-{}", std::process::id());
        self.put(&probe, b"")?;
        self.delete(&probe)
    }

    fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    fn begin(&self, name: &str) -> io::Result<Box<dyn Writing>> {
        Ok(Box::new(Upload {
            store: Arc::clone(&self.store),
            path: self.path(name)?,
            part: Vec::new(),
            upload: None,
        }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let (store, path) = (Arc::clone(&self.store), self.path(name)?);
        let found = wait(async move { store.get(&path).await })?;
        let (sender, pieces) = tokio::sync::mpsc::channel(PIECES_AHEAD);
        runtime()?.spawn(async move {
            let mut stream = found.into_stream();
            loop {
                let piece = match stream.try_next().await {
                    Ok(Some(piece)) => Ok(piece),
                    Ok(None) => return,
                    Err(error) => Err(error),
                };
                let last = piece.is_err();
                // Whoever read it may be gone.
                if sender.send(piece).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(Box::new(Pieces {
            pieces,
            piece: Bytes::new(),
        }))
    }

    fn put(&self, name: &str, document: &[u8]) -> io::Result<()> {
        let (store, path) = (Arc::clone(&self.store), self.path(name)?);
        let document = PutPayload::from(document.to_vec());
        wait(async move { store.put(&path, document).await })?;
        Ok(())
    }

    fn delete(&self, name: &str) -> io::Result<()> {
        let (store, path) = (Arc::clone(&self.store), self.path(name)?);
        match wait(async move { store.delete(&path).await }) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            deleted => deleted,
        }
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<Stored>> {
        let mut stored = Vec::new();
        self.names(prefix, &mut |found| {
            if !found.name[prefix.len()..].contains('/') {
                stored.push(found);
            }
            Ok(())
        })?;
        Ok(stored)
    }

    fn walk(&self, each: &mut dyn FnMut(Stored) -> io::Result<()>) -> io::Result<()> {
        self.names("", each)
    }

    fn recover(&self, _prefix: &str) -> io::Result<()> {
        // What wasn't completed is not there.
        Ok(())
    }
}

/// An object that is being uploaded: in parts once it has more bytes than one. Dropped, it is called off.
struct Upload {
    store: Arc<AmazonS3>,
    path: Path,
    part: Vec<u8>,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upload").field(&self.path).finish()
    }
}

impl Upload {
    /// Sends the bytes at hand as a part.
    fn send_part(&mut self) -> io::Result<()> {
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => {
                let (store, path) = (Arc::clone(&self.store), self.path.clone());
                wait(async move { store.put_multipart(&path).await })?
            }
        };
        let part = PutPayload::from(std::mem::take(&mut self.part));
        let sent = upload.put_part(part);
        self.upload = Some(upload);
        wait(sent)
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PART_BYTES - self.part.len();
        let taken = &bytes[..room.min(bytes.len())];
        self.part.extend_from_slice(taken);
        if self.part.len() == PART_BYTES {
            self.send_part()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writing for Upload {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        if self.upload.is_none() {
            let whole = PutPayload::from(std::mem::take(&mut self.part));
            // The server itself refuses a second one.
            let once = PutOptions::from(PutMode::Create);
            wait(async move { store.put_opts(&path, whole, once).await })?;
            return Ok(());
        }
        if !self.part.is_empty() {
            self.send_part()?;
        }
        match wait(async move { store.head(&path).await }) {
            Ok(_there) => return Err(ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if let Some(mut upload) = self.upload.take() {
            wait(async move { upload.complete().await })?;
        }
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Nobody waits for it: what is left of it is nobody's to see.
        if let (Some(mut upload), Ok(runtime)) = (self.upload.take(), runtime()) {
            runtime.spawn(async move { upload.abort().await });
        }
    }
}

/// An object's bytes, as they come.
struct Pieces {
    pieces: tokio::sync::mpsc::Receiver<Result<Bytes, Error>>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match futures::executor::block_on(self.pieces.recv()) {
                Some(piece) => self.piece = piece.map_err(in_words)?,
                None => return Ok(0),
            }
        }
        let read = buffer.len().min(self.piece.len());
        buffer[..read].copy_from_slice(&self.piece.split_to(read));
        Ok(read)
    }
}

fn runtime() -> io::Result<&'static Runtime> {
    RUNTIME
        .as_ref()
        .map_err(|error| io::Error::other(error.as_str()))
}

/// Waits for a request on a thread that may block.
fn wait<T: Send + 'static>(
    request: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> io::Result<T> {
    let (sender, answer) = mpsc::sync_channel(1);
    runtime()?.spawn(async move {
        // Whoever asked waits for it.
        let _asked = sender.send(request.await);
    });
    let answer = answer.recv().map_err(io::Error::other)?;
    answer.map_err(in_words)
}

fn in_words(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::AlreadyExists { .. } => ErrorKind::AlreadyExists,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            ErrorKind::PermissionDenied
        }
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
