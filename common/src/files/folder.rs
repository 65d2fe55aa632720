//! The walk through a folder: its DBN files, and the lists that lie beside them.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::FilesError;

/// How deep folders lie in one another at most; also what a loop of links ends at.
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

/// Every folder below this one, itself included, in the order of names.
///
/// # Errors
/// [`FilesError`] when a folder can't be read, or there is too much in it.
pub fn walk(root: &Path) -> Result<Vec<Listing>, FilesError> {
    let mut listings = Vec::new();
    let mut entries = 0;
    let mut open = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let mut listing = Listing {
            folder,
            files: Vec::new(),
        };
        let unreadable = |error| FilesError::unreadable(&listing.folder, error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&listing.folder).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        entries += paths.len();
        if entries > ENTRIES_MAX {
            let help = "name a folder that holds the downloaded files alone";
            let message = format!("the folder holds more than {ENTRIES_MAX} files and folders");
            return Err(FilesError::refuse(root, message, help));
        }
        paths.sort();
        for path in paths.iter().rev() {
            if path.is_dir() && depth < DEPTH_MAX {
                open.push((path.clone(), depth + 1));
            }
        }
        listing.files = paths.into_iter().filter(|path| is_dbn(path)).collect();
        listings.push(listing);
    }
    Ok(listings)
}

/// Whether the name is that of a DBN file.
pub fn is_dbn(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    (name.ends_with(".dbn") || name.ends_with(".dbn.zst")) && !path.is_dir()
}
