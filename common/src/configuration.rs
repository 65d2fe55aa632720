//! What people write: settings, job files and mappings, read strictly and refused with the place.

pub mod document;
pub mod files;
pub mod job_file;
#[cfg(feature = "json-schema")]
pub mod json_schema;
pub mod mapping;
pub mod settings;
