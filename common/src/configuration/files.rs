//! The files of `configs/`: from a folder, or those compiled into the binary.

use std::path::{Path, PathBuf};

use super::document::{Document, Refusal};

macro_rules! compiled_in {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../configs/", $path)))),*]
    };
}

/// Every file of `configs/`, so that a binary runs from any folder.
const COMPILED_IN: &[(&str, &str)] = compiled_in![
    "backhaul.yaml",
    "jobs/demo.yaml",
    "jobs/es-trades-2024q1.yaml",
    "schemas/bbo.yaml",
    "schemas/cbbo.yaml",
    "schemas/cmbp-1.yaml",
    "schemas/definition.yaml",
    "schemas/imbalance.yaml",
    "schemas/mbo.yaml",
    "schemas/mbp-1.yaml",
    "schemas/mbp-10.yaml",
    "schemas/ohlcv.yaml",
    "schemas/statistics.yaml",
    "schemas/status.yaml",
    "schemas/tbbo.yaml",
    "schemas/tcbbo.yaml",
    "schemas/trades.yaml",
];

/// Where the configuration files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigFiles {
    /// Those that were compiled in.
    CompiledIn,
    /// A folder laid out as `configs/`; it replaces the compiled-in files altogether.
    Folder(PathBuf),
}

impl ConfigFiles {
    /// The folder that was asked for; else `configs/` below the working folder, when it is there
    /// and is ours; else the compiled-in files.
    ///
    /// # Errors
    /// [`Refusal`] when the folder that was asked for does not exist.
    pub fn locate(asked: Option<&Path>) -> Result<Self, Refusal> {
        match asked {
            Some(folder) if folder.is_dir() => Ok(Self::Folder(folder.to_owned())),
            Some(folder) => Err(Refusal::of(
                "--config-dir",
                format!("there is no folder {}", folder.display()),
                "name a folder laid out as the project's `configs/`, or leave the flag out",
            )),
            None if Path::new("configs/backhaul.yaml").is_file() => {
                Ok(Self::Folder("configs".into()))
            }
            None => Ok(Self::CompiledIn),
        }
    }

    /// The file at `path` below `configs/`, or `None` when there is none.
    ///
    /// # Errors
    /// [`Refusal`] when the file is there and can't be read.
    pub fn read(&self, path: &str) -> Result<Option<Document>, Refusal> {
        match self {
            Self::CompiledIn => {
                Ok(COMPILED_IN
                    .iter()
                    .find(|(name, _)| *name == path)
                    .map(|(name, text)| Document {
                        origin: format!("compiled-in configs/{name}"),
                        text: (*text).to_owned(),
                    }))
            }
            Self::Folder(folder) => {
                let file = folder.join(path);
                if file.is_file() {
                    read_file(&file).map(Some)
                } else {
                    Ok(None)
                }
            }
        }
    }

    /// A folder below `configs/` in words.
    #[must_use]
    pub fn place(&self, folder: &str) -> String {
        match self {
            Self::CompiledIn => format!("compiled-in configs/{folder}/"),
            Self::Folder(root) => root.join(folder).display().to_string(),
        }
    }

    /// All YAML files of one folder below `configs/`, by name.
    ///
    /// # Errors
    /// [`Refusal`] when the folder or a file in it can't be read.
    pub fn read_all(&self, folder: &str) -> Result<Vec<Document>, Refusal> {
        let mut names: Vec<String> = match self {
            Self::CompiledIn => COMPILED_IN
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .filter(|name| name.starts_with(&format!("{folder}/")))
                .collect(),
            Self::Folder(root) => match std::fs::read_dir(root.join(folder)) {
                Err(_) => Vec::new(),
                Ok(entries) => entries
                    .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                    .filter(|name| is_yaml(Path::new(name)))
                    .map(|name| format!("{folder}/{name}"))
                    .collect(),
            },
        };
        names.sort();
        let read = |name: &String| self.read(name).transpose();
        names.iter().filter_map(read).collect()
    }
}

/// A file as a document.
///
/// # Errors
/// [`Refusal`] when it can't be read.
pub fn read_file(path: &Path) -> Result<Document, Refusal> {
    let origin = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Document { origin, text }),
        Err(error) => Err(Refusal::of(
            origin,
            format!("the file can't be read: {error}"),
            "check the path and its permissions",
        )),
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_configs_is_compiled_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
        let mut found = vec!["backhaul.yaml".to_owned()];
        for folder in ["jobs", "schemas"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                found.push(format!("{folder}/{name}"));
            }
        }
        found.sort();
        let listed: Vec<_> = COMPILED_IN.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, listed);
    }
}
