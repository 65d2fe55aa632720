//! What people write: settings, job files and mappings, read strictly and refused with the place.

pub mod document;
pub mod files;
pub mod job_file;
pub mod mapping;
pub mod settings;
