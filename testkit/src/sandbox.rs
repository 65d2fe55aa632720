//! A private installation: a database and an archive in a folder of its own, removed at the end.

use std::path::{Path, PathBuf};

use common::configuration::settings::{ApiKey, Settings};
use tempfile::TempDir;

/// A key of the right form, which opens nothing.
pub const API_KEY: &str = "db-test000000000000000000000000x";

/// A private installation.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// An empty installation.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { folder }
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path().join("backhaul.db")
    }

    /// Settings for it and a vendor at this address, with short delays.
    ///
    /// # Panics
    /// Never: the key has the right form.
    #[must_use]
    pub fn settings(&self, vendor: &str) -> Settings {
        let mut settings = Settings::default();
        settings.use_data_dir(self.path());
        vendor.clone_into(&mut settings.databento_url);
        settings.api_key = Some(ApiKey::new(API_KEY).expect("the key has the right form"));
        settings.workers = 2;
        settings.retry_seconds = 0.01;
        settings.retry_seconds_max = 0.1;
        settings.read_timeout_seconds = 2.0;
        settings.metadata_requests_per_second = 10_000.0;
        settings.data_requests_per_second = 10_000.0;
        settings.symbology_requests_per_second = 10_000.0;
        settings
    }

    /// Writes a file into its folder.
    ///
    /// # Panics
    /// When the file can't be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("a file in the temporary folder can be written");
        path
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}
