//! What a command works with: configuration, logging, and signals.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::archive::Archive;
use common::configuration::document::{Document, Refusal};
use common::configuration::files::{ConfigFiles, read_file};
use common::configuration::job_file::JobFile;
use common::configuration::mapping::Mapping;
use common::configuration::settings::Settings;
use common::nearest::nearest;
use common::request::JobSource;
use common::source::Sources;
use common::store::Store;
use common::vendor::limiter::{FleetOptions, Limits};
use common::vendor::{Limiter, Vendor};
use dbn::Schema;
use worker::process;

use crate::arguments::{Global, JobArguments};

/// Configuration files and the settings that follow from them, the environment and the flags.
#[derive(Debug)]
pub struct Session {
    /// The configuration files.
    pub files: ConfigFiles,
    /// The settings.
    pub settings: Settings,
}

impl Session {
    /// Reads the configuration and starts logging.
    pub fn begin(global: &Global) -> Result<Self, Refusal> {
        let session = Self::read(global)?;
        process::start_logging(session.settings.log_format);
        Ok(session)
    }

    /// Reads the configuration, and logs nothing.
    pub fn read(global: &Global) -> Result<Self, Refusal> {
        let files = ConfigFiles::locate(global.config_dir.as_deref())?;
        let mut settings = Settings::load(&files)?;
        if let Some(folder) = &global.data_dir {
            settings.use_data_dir(folder);
        }
        let mut session = Self { files, settings };
        session.use_addresses(global);
        Ok(session)
    }

    /// The archive, for streams from where records come from.
    ///
    /// # Errors
    /// [`Refusal`] when this version can't use its address.
    pub fn archive(&self) -> Result<Archive, Refusal> {
        Archive::open(&self.settings.archive_url, self.settings.origin())
    }

    /// Takes the addresses that were given as flags.
    pub fn use_addresses(&mut self, global: &Global) {
        if let Some(url) = &global.database_url {
            self.settings.database_url.clone_from(url);
        }
        if let Some(url) = &global.redis_url {
            self.settings.redis_url = Some(url.clone());
        }
        if let Some(url) = &global.archive_url {
            self.settings.archive_url.clone_from(url);
        }
    }

    /// The job file at a path, or the one of this name in the configuration, with what is set beside
    /// it.
    pub fn job_file(&self, arguments: &JobArguments) -> Result<JobFile, Refusal> {
        let wanted = arguments.job.as_str();
        if let Some(document) = self.find_document(wanted)? {
            return JobFile::parse_with(document, &arguments.set);
        }
        let documents = self.files.read_all("jobs")?;
        let help = match nearest(wanted, documents.iter().map(stem)) {
            Some(near) => format!("did you mean `{near}`? `scheduler list-jobs` shows them all"),
            None => "name a file, or one of those that `scheduler list-jobs` shows".to_owned(),
        };
        Err(Refusal::of(wanted, "there is no such job file", &help))
    }

    /// The job file that is meant, when one is.
    pub fn find_job_file(&self, wanted: &str) -> Result<Option<JobFile>, Refusal> {
        let document = self.find_document(wanted)?;
        document.map(JobFile::parse).transpose()
    }

    fn find_document(&self, wanted: &str) -> Result<Option<Document>, Refusal> {
        let path = Path::new(wanted);
        if path.is_file() {
            return read_file(path).map(Some);
        }
        let documents = self.files.read_all("jobs")?;
        let mut documents = documents.into_iter();
        Ok(documents.find(|document| stem(document) == wanted))
    }

    /// The vendor, at the pace that the workers of a fleet share with whoever plans for them.
    pub async fn vendor(&self) -> Result<Vendor, Refusal> {
        let settings = &self.settings;
        let (true, Some(url)) = (settings.is_distributed(), &settings.redis_url) else {
            return Vendor::new(settings);
        };
        match common::redis::connect(url).await {
            Ok(connection) => {
                let (options, limits) = (FleetOptions::default(), Limits::by(settings));
                let limiter = Limiter::fleet(connection, options, limits);
                Vendor::with_limiter(settings, limiter)
            }
            Err(error) => {
                let why = error.category();
                tracing::warn!(
                    "Redis can't be reached ({why}): the vendor is asked at a pace of our own"
                );
                Vendor::new(settings)
            }
        }
    }

    /// The source of a job: a folder of files needs neither the vendor's key nor its address.
    pub async fn sources(&self, job: &JobFile) -> Result<Sources, Refusal> {
        let vendor = match &job.request.source {
            JobSource::Vendor => Some(self.vendor().await?),
            JobSource::Files(folder) if !folder.is_dir() => {
                let message = format!("there is no folder {}", folder.display());
                let help =
                    "name the folder that holds the DBN files, relative to the working folder";
                return Err(job.refuse_folder(message, help));
            }
            JobSource::Files(folder) if self.holds_archive(folder) => {
                let message = format!("{} holds the archive", folder.display());
                let help = "what is archived is read from there by itself: run the job that \
                            fetched it, or name a folder apart from the archive";
                return Err(job.refuse_folder(message, help));
            }
            JobSource::Files(_) => None,
        };
        Ok(Sources::new(vendor))
    }

    /// Whether one of the two folders lies in the other: what a job of files archives would then be
    /// among its files.
    fn holds_archive(&self, folder: &Path) -> bool {
        let Some(archive) = self.settings.archive_url.strip_prefix("file://") else {
            return false;
        };
        let (archive, folder) = (without_links(Path::new(archive)), without_links(folder));
        archive.starts_with(&folder) || folder.starts_with(&archive)
    }

    /// The mappings of a job's schemas, checked against the tables that they fill.
    pub async fn mappings(
        &self,
        schemas: &[Schema],
        store: &Store,
    ) -> anyhow::Result<HashMap<Schema, Mapping>> {
        let mut mappings = HashMap::new();
        for (mapping, refusals) in Mapping::read(&self.files, schemas)? {
            let table = store.table(&mapping.table).await?;
            if let Some(first) = mapping.first_mistake(refusals, &table) {
                return Err(first.into());
            }
            mappings.insert(mapping.schema, mapping);
        }
        Ok(mappings)
    }
}

/// A path without links, as far as there is something at it by now.
fn without_links(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let canonical = |folder: &Path| {
        let rest = path.strip_prefix(folder).ok()?;
        Some(folder.canonicalize().ok()?.join(rest))
    };
    path.ancestors().find_map(canonical).unwrap_or(path)
}

/// Refuses a job that turns a rule on or off which none of its schemas has.
pub fn check_switches(file: &JobFile, mappings: &HashMap<Schema, Mapping>) -> Result<(), Refusal> {
    let known = || mappings.values().flat_map(|mapping| &mapping.rules);
    for name in file.request.quality.rules.keys() {
        if known().any(|rule| *rule.name == **name) {
            continue;
        }
        let help = match nearest(name, known().map(|rule| &*rule.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`scheduler rules check` lists all rules".to_owned(),
        };
        let message = format!("no schema of the job has a rule {name:?}");
        return Err(file.refuse_rule(name, message, &help));
    }
    Ok(())
}

/// A database that isn't there, for who wants to look at what was loaded.
pub fn nothing_loaded(command: &str) -> Refusal {
    let help = "load something first: `scheduler demo` shows how, `scheduler run JOB` does it; or \
                name another with --data-dir or --database-url";
    Refusal::of(command, "there is no database yet", help)
}

/// A job file's name without folder and ending.
pub fn stem(document: &Document) -> &str {
    let name = document.origin.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
