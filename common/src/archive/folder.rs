//! A local folder as storage: what is being written has a temporary name and a lock, which ends with
//! its process.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use super::storage::{Storage, Stored, Writing};
use super::stream::OBJECT;
use crate::time::Nanos;

/// What was left behind is kept so long for the next attempt at its stream: after that the vendor may
/// have other records.
const LEFTOVER_SECONDS: f64 = 86_400.0;
/// Between a leftover's name and whose it was.
const BY: char = '~';

/// Which start of this machine it is: what was written and not synced outlasts a process, not a power
/// cut. Empty where the system doesn't say.
static BOOT: LazyLock<String> = LazyLock::new(|| {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.chars()
        .filter(char::is_ascii_hexdigit)
        .take(12)
        .collect()
});
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn unfinished(&self) -> PathBuf {
        self.root.join("parts")
    }

    /// A locked file under a temporary name that nobody else has.
    fn create(&self, name: &str) -> io::Result<Unfinished> {
        let folder = self.unfinished();
        fs::create_dir_all(&folder)?;
        loop {
            let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
            let by = format!("{BY}{}-{}-{number}", *BOOT, std::process::id());
            let path = folder.join(format!("{}{by}", flat(name)));
            let file = match File::create_new(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                created => created?,
            };
            file.lock()?;
            // Whoever sweeps may have met it before it was locked.
            if path.exists() {
                return Ok(Unfinished {
                    root: self.root.clone(),
                    object: self.root.join(name),
                    path,
                    file,
                });
            }
        }
    }

    /// Gives the files of a folder, which is named from the root with `/` at its end, and of those
    /// below it.
    fn walk_below(
        &self,
        folder: &str,
        each: &mut dyn FnMut(Stored) -> io::Result<()>,
    ) -> io::Result<()> {
        let entries = match fs::read_dir(self.root.join(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() && self.root.join(&name) != self.unfinished() {
                self.walk_below(&format!("{name}/"), each)?;
            } else if kind.is_file() {
                let bytes = entry.metadata()?.len();
                each(Stored { name, bytes })?;
            }
        }
        Ok(())
    }

    /// Does something with each file that nobody is writing any more and whose name begins so. They are
    /// held one at a time, and others' not at all: whoever finds one held takes it for being written.
    fn each_leftover(
        &self,
        start: &str,
        mut verb: impl FnMut(Leftover) -> io::Result<()>,
    ) -> io::Result<()> {
        let entries = match fs::read_dir(self.unfinished()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with(start) {
                continue;
            }
            let path = entry.path();
            let file = match File::open(&path) {
                // Finished, or swept by another, just now.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                file => file?,
            };
            // Locks end with their process.
            if file.try_lock().is_ok() && path.exists() {
                verb(Leftover { path, file })?;
            }
        }
        Ok(())
    }
}

impl Storage for Folder {
    fn check(&self) -> io::Result<()> {
        let unfinished = self.unfinished();
        fs::create_dir_all(&unfinished)?;
        let probe = unfinished.join(format!("probe{BY}{}", std::process::id()));
        File::create(&probe)?;
        // Another that starts at the same moment may have swept it away.
        removed(&probe)?;
        self.each_leftover("", |leftover| match leftover.is_of_use()? {
            true => Ok(()),
            false => removed(&leftover.path),
        })
    }

    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn begin(&self, name: &str) -> io::Result<Box<dyn Writing>> {
        Ok(Box::new(self.create(name)?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.root.join(name))?))
    }

    fn put(&self, name: &str, document: &[u8]) -> io::Result<()> {
        let mut unfinished = self.create(name)?;
        unfinished.file.write_all(document)?;
        unfinished.rename()
    }

    fn delete(&self, name: &str) -> io::Result<()> {
        removed(&self.root.join(name))
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<Stored>> {
        let (folder, start) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let entries = match fs::read_dir(self.root.join(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut stored = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with(start)) else {
                continue;
            };
            // What was removed meanwhile is not there.
            let found = entry.metadata().ok().filter(fs::Metadata::is_file);
            stored.extend(found.map(|found| Stored {
                name: match folder {
                    "" => name.to_owned(),
                    folder => format!("{folder}/{name}"),
                },
                bytes: found.len(),
            }));
        }
        stored.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(stored)
    }

    fn walk(&self, each: &mut dyn FnMut(Stored) -> io::Result<()>) -> io::Result<()> {
        self.walk_below("", each)
    }

    fn recover(&self, prefix: &str) -> io::Result<()> {
        let start = flat(prefix);
        self.each_leftover(&start, |leftover| {
            let Some((rest, by)) = leftover.name().and_then(|name| {
                let (name, by) = name.rsplit_once(BY)?;
                Some((name.strip_prefix(&start)?.to_owned(), by.to_owned()))
            }) else {
                return Ok(());
            };
            let same_start = !BOOT.is_empty() && by.starts_with(&**BOOT);
            let object = self.root.join(format!("{prefix}{rest}"));
            if same_start && leftover.is_of_use()? && !object.exists() {
                leftover.file.sync_all()?;
                rename_durably(&self.root, &leftover.path, &object)
            } else {
                removed(&leftover.path)
            }
        })
    }
}

/// A file that nobody is writing any more; ours while this is held.
struct Leftover {
    path: PathBuf,
    file: File,
}

impl Leftover {
    fn name(&self) -> Option<&str> {
        self.path.file_name()?.to_str()
    }

    /// Bytes of an object that are not old.
    fn is_of_use(&self) -> io::Result<bool> {
        let name = self.name().and_then(|name| name.rsplit_once(BY));
        let found = self.file.metadata()?;
        let since = found.modified()?.duration_since(UNIX_EPOCH);
        let since = Nanos(0).plus_seconds(since.unwrap_or_default().as_secs_f64());
        Ok(name.is_some_and(|(name, _)| name.ends_with(OBJECT))
            && found.len() > 0
            && Nanos::now().seconds_since(since) < LEFTOVER_SECONDS)
    }
}

/// A file that is being written. Dropped, it is removed.
#[derive(Debug)]
struct Unfinished {
    root: PathBuf,
    object: PathBuf,
    path: PathBuf,
    file: File,
}

impl Unfinished {
    fn rename(&self) -> io::Result<()> {
        self.file.sync_all()?;
        rename_durably(&self.root, &self.path, &self.object)
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writing for Unfinished {
    fn finish(self: Box<Self>) -> io::Result<()> {
        match self.object.exists() {
            true => Err(ErrorKind::AlreadyExists.into()),
            false => self.rename(),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the rename there is nothing left under this name; a leftover is swept later.
        let _removed = fs::remove_file(&self.path);
    }
}

/// A name without folders.
fn flat(name: &str) -> String {
    name.replace('/', "_")
}

fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Renames within the archive's root so that a power cut does not undo it: a folder that was made
/// on the way lasts only once the folder around it is synced too.
fn rename_durably(root: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(root);
    let made = !folder.is_dir();
    fs::create_dir_all(folder)?;
    fs::rename(from, to)?;
    for around in folder.ancestors() {
        File::open(around)?.sync_all()?;
        if !made || around == root {
            break;
        }
    }
    Ok(())
}
