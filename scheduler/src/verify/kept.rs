//! Kept reports: a file each, named by its time in UTC, written whole and over none that is there.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use common::configuration::document::Refusal;
use common::time::Nanos;

use super::aspect::Aspect;
use super::document::{Document, FORMAT, VERSION};

/// Where reports are kept that no local archive lies beside.
const FOLDER: &str = "data/verify";
const PREFIX: &str = "verify-";
const ENDING: &str = ".json";
/// The largest file that is read as a report.
const BYTES_MAX: u64 = 64 << 20;
/// Reports that are looked through for one that is alike.
const LOOKED_AT_MAX: usize = 100;
/// Names that are tried where there are reports of the same instant.
const NAMES_MAX: i64 = 1_000;

/// The folder for reports: the one that was asked for, else one beside a local archive.
#[must_use]
pub fn folder(asked: Option<&Path>, archive_url: &str) -> PathBuf {
    let beside = || {
        let archive = archive_url.strip_prefix("file://")?;
        Some(Path::new(archive).parent()?.join("verify"))
    };
    let asked = asked.map(Path::to_owned);
    asked.or_else(beside).unwrap_or_else(|| FOLDER.into())
}

/// Makes the folder, before anything is checked that could not be kept.
///
/// # Errors
/// [`Refusal`] when nothing can be written there.
pub fn prepare(folder: &Path) -> Result<(), Refusal> {
    let made = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    made.map(|_probe| ()).map_err(|error| {
        let message = format!("{} can't be written: {error}", folder.display());
        let help = "name a folder for the reports that can be";
        Refusal::of("--reports", message, help)
    })
}

/// Keeps a report; where.
///
/// # Errors
/// When it can't be written whole.
pub fn keep(folder: &Path, document: &Document) -> anyhow::Result<PathBuf> {
    write(folder, document)
        .with_context(|| format!("the report can't be kept in {}", folder.display()))
}

fn write(folder: &Path, document: &Document) -> anyhow::Result<PathBuf> {
    let mut file = tempfile::Builder::new()
        .prefix(".verify-")
        .suffix(".partial")
        .tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut file, document)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    let at: Nanos = document.at.parse()?;
    for later in 0..NAMES_MAX {
        let path = folder.join(name(Nanos(at.0.saturating_add(later))));
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => file = error.file,
            Err(error) => return Err(error.error.into()),
        }
    }
    anyhow::bail!("{} has too many reports of one instant", folder.display())
}

/// A report's name: later ones sort behind.
fn name(at: Nanos) -> String {
    let digits = at.to_string().replace(['-', ':'], "");
    format!("{PREFIX}{digits}{ENDING}")
}

/// Reads an earlier report: a file, or `last` for the newest of the folder that is of the same job and
/// engine and has all aspects, or for the newest at all where there is none such. Its file, and what it
/// says.
///
/// # Errors
/// [`Refusal`] when there is none, or what is there is none.
pub fn previous(
    wanted: &Path,
    folder: &Path,
    like: &Document,
    aspects: &[Aspect],
) -> Result<(PathBuf, Document), Refusal> {
    if wanted != Path::new("last") {
        return Ok((wanted.to_owned(), read(wanted)?));
    }
    let newest_first = reports(folder);
    let Some(newest) = newest_first.first() else {
        let message = format!("there is no earlier report in {}", folder.display());
        let help = "leave --compare out the first time, or name the folder with --reports";
        return Err(Refusal::of("--compare", message, help));
    };
    let is_alike = |document: &Document| {
        let told = |aspect: &Aspect| document.checks.iter().any(|told| told.check == *aspect);
        (&document.job, &document.engine) == (&like.job, &like.engine) && aspects.iter().all(told)
    };
    let looked_at = newest_first.iter().take(LOOKED_AT_MAX);
    let mut read_before = looked_at.filter_map(|path| Some((path.clone(), read(path).ok()?)));
    match read_before.find(|(_, document)| is_alike(document)) {
        Some(found) => Ok(found),
        None => Ok((newest.clone(), read(newest)?)),
    }
}

/// The reports of a folder, the newest first.
fn reports(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let reports = names.filter(|name| name.starts_with(PREFIX) && name.ends_with(ENDING));
    let mut reports: Vec<_> = reports.map(|name| folder.join(name)).collect();
    reports.sort();
    reports.reverse();
    reports
}

fn read(path: &Path) -> Result<Document, Refusal> {
    let refuse = |message: String| {
        let help = "name a report that `scheduler verify` kept, or `last`";
        Refusal::of(path.display().to_string(), message, help)
    };
    let unreadable = |error| refuse(format!("the report can't be read: {error}"));
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > BYTES_MAX {
        return Err(refuse(format!("{length} bytes are too many for a report")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let no_report = || refuse("this is no report of a verification".to_owned());
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|_| no_report())?;
    if value["format"] != FORMAT {
        return Err(no_report());
    }
    if value["version"] != VERSION {
        let version = &value["version"];
        return Err(refuse(format!(
            "the report is of version {version}, and this program reads version {VERSION}"
        )));
    }
    serde_json::from_value(value).map_err(|error| refuse(format!("the report is damaged: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_lie_beside_a_local_archive() {
        let of = |archive| folder(None, archive).display().to_string();
        assert_eq!(of("file://data/archive"), "data/verify");
        assert_eq!(of("file:///srv/es/archive"), "/srv/es/verify");
        assert_eq!(of("file://archive"), "verify");
        assert_eq!(of("s3://bucket/prefix"), "data/verify");
        let asked = folder(Some(Path::new("reports")), "file://data/archive");
        assert_eq!(asked, Path::new("reports"));
    }

    #[test]
    fn later_reports_sort_behind() {
        let at = |text: &str| name(text.parse().unwrap());
        let first = at("2024-01-02T14:30:00.999999999Z");
        assert_eq!(first, "verify-20240102T143000.999999999Z.json");
        assert!(first < at("2024-01-02T14:30:01Z"));
    }
}
