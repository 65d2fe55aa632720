//! The sources of an installation's jobs, and when a folder is looked through again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::{Source, SourceError, one_line};
use crate::files::{Files, FilesError};
use crate::request::JobSource;
use crate::time::Nanos;
use crate::vendor::{Vendor, VendorError};

/// After so long a folder is looked through again.
const LOOK_AGAIN_SECONDS: f64 = 300.0;

/// A folder that was looked through, and when.
#[derive(Debug)]
struct Folder {
    files: Arc<Files>,
    /// `None` once something in it was seen to have changed.
    looked_at: Option<Nanos>,
}

/// The sources of an installation's jobs. Clones share them.
#[derive(Clone, Debug)]
pub struct Sources {
    vendor: Option<Vendor>,
    folders: Arc<Mutex<HashMap<PathBuf, Folder>>>,
}

impl Sources {
    /// The vendor, where there is a key for it, and any folder.
    #[must_use]
    pub fn new(vendor: Option<Vendor>) -> Self {
        Self {
            vendor,
            folders: Arc::default(),
        }
    }

    /// A job's source. A folder is looked through again from time to time, for files that were
    /// added; what was proven of the others is kept.
    ///
    /// # Errors
    /// [`SourceError`] when the source can't be used.
    pub async fn of(&self, source: &JobSource) -> Result<Arc<dyn Source>, SourceError> {
        match source {
            JobSource::Vendor => match &self.vendor {
                Some(vendor) => Ok(Arc::new(vendor.clone())),
                None => Err(SourceError::Vendor(VendorError::Unauthorized {
                    message: "DATABENTO_API_KEY is not set".to_owned(),
                })),
            },
            JobSource::Files(folder) => Ok(self.look_through(folder).await?),
        }
    }

    /// Has a source's folder looked through again at the next question: something in it has changed.
    pub async fn look_again(&self, source: &JobSource) {
        if let JobSource::Files(path) = source
            && let Some(folder) = self.folders.lock().await.get_mut(path)
        {
            folder.looked_at = None;
        }
    }

    async fn look_through(&self, path: &PathBuf) -> Result<Arc<Files>, FilesError> {
        let now = Nanos::now();
        let mut folders = self.folders.lock().await;
        let known = folders.get(path);
        if let Some(folder) = known
            && let Some(looked_at) = folder.looked_at
            && now.seconds_since(looked_at) < LOOK_AGAIN_SECONDS
        {
            return Ok(Arc::clone(&folder.files));
        }
        let files = match (Files::open(path).await, known) {
            (Ok(mut files), known) => {
                if let Some(folder) = known {
                    files.keep_proofs_of(&folder.files);
                }
                Arc::new(files)
            }
            // A file may be on its way into the folder: the others are what they were.
            (Err(error), Some(folder)) => {
                let error = one_line(&error.to_string());
                tracing::warn!(error, "a folder of files was not looked through again");
                Arc::clone(&folder.files)
            }
            (Err(error), None) => return Err(error),
        };
        let folder = Folder {
            files: Arc::clone(&files),
            looked_at: Some(now),
        };
        folders.insert(path.clone(), folder);
        Ok(files)
    }
}
