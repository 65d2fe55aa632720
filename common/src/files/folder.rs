//! The walk through a folder: its DBN files, and the lists that lie beside them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::FilesError;

/// How deep folders lie in one another at most.
const DEPTH_MAX: usize = 8;
/// Files and folders that are looked at.
const ENTRIES_MAX: usize = 200_000;

/// One folder with the DBN files that lie in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The folder.
    pub folder: PathBuf,
    /// Its DBN files, sorted.
    pub files: Vec<PathBuf>,
}

impl Listing {
    /// A file of this name in the folder.
    pub fn beside(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.join(name);
        path.is_file().then_some(path)
    }
}

/// Every folder below this one, itself included, in the order of names; what several links lead to
/// is there once.
///
/// # Errors
/// [`FilesError`] when a folder can't be read, or there is too much in it.
pub fn walk(root: &Path) -> Result<Vec<Listing>, FilesError> {
    let mut walk = Walk::default();
    walk.folders.push((root.to_path_buf(), 0));
    // Links come last: what they lead to may be there by its own name.
    while let Some((folder, depth)) = walk.folders.pop().or_else(|| walk.linked_folders.pop()) {
        if walk.seen.insert(canonical(&folder)?) {
            walk.look_into(root, folder, depth)?;
        }
    }
    for (number, path) in std::mem::take(&mut walk.linked_files) {
        if walk.seen.insert(canonical(&path)?) {
            walk.listings[number].files.push(path);
        }
    }
    for listing in &mut walk.listings {
        listing.files.sort();
    }
    walk.listings
        .sort_by(|left, right| left.folder.cmp(&right.folder));
    Ok(walk.listings)
}

#[derive(Default)]
struct Walk {
    /// Folders to look into, with their depth.
    folders: Vec<(PathBuf, usize)>,
    linked_folders: Vec<(PathBuf, usize)>,
    /// Links to files, with the numbers of their listings.
    linked_files: Vec<(usize, PathBuf)>,
    listings: Vec<Listing>,
    /// Files and folders by the paths that have no links in them.
    seen: HashSet<PathBuf>,
    entries: usize,
}

impl Walk {
    fn look_into(&mut self, root: &Path, folder: PathBuf, depth: usize) -> Result<(), FilesError> {
        if depth > DEPTH_MAX {
            let message = format!("the folder lies more than {DEPTH_MAX} folders deep");
            let help = "name a folder nearer to the downloaded files, or move this one elsewhere";
            return Err(FilesError::refuse(&folder, message, help));
        }
        let unreadable = |error| FilesError::unreadable(&folder, error);
        let number = self.listings.len();
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            self.entries += 1;
            let linked = entry.file_type().map_err(unreadable)?.is_symlink();
            let kind = match fs::metadata(&path) {
                Ok(metadata) => metadata.file_type(),
                // A link that leads nowhere is of no matter, unless it stands for a file.
                Err(error) if is_dbn(&path) => return Err(FilesError::unreadable(&path, error)),
                Err(_) => continue,
            };
            if kind.is_dir() && linked {
                self.linked_folders.push((path, depth + 1));
            } else if kind.is_dir() {
                self.folders.push((path, depth + 1));
            } else if kind.is_file() && is_dbn(&path) && linked {
                self.linked_files.push((number, path));
            } else if kind.is_file() && is_dbn(&path) {
                self.seen.insert(canonical(&path)?);
                files.push(path);
            }
        }
        if self.entries > ENTRIES_MAX {
            let help = "name a folder that holds the downloaded files alone";
            let message = format!("the folder holds more than {ENTRIES_MAX} files and folders");
            return Err(FilesError::refuse(root, message, help));
        }
        self.listings.push(Listing { folder, files });
        Ok(())
    }
}

fn canonical(path: &Path) -> Result<PathBuf, FilesError> {
    path.canonicalize()
        .map_err(|error| FilesError::unreadable(path, error))
}

/// Whether the name is that of a DBN file.
pub fn is_dbn(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    name.ends_with(".dbn") || name.ends_with(".dbn.zst")
}
