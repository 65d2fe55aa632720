//! Sample: one DBN file through transform and validate, to see what the rules say of it.

use std::path::Path;

use common::configuration::mapping::Mapping;
use common::dbn_stream::open_compressed;
use common::expression::Parameters;
use common::time::Nanos;
use dbn::decode::{DbnMetadata, DynDecoder};
use dbn::{Metadata, VersionUpgradePolicy};

use crate::decode::{Decoded, decode};
use crate::error::ChunkError;
use crate::transform::{Part, parts, without_columns};
use crate::validate::{Tally, Validator};

/// A file's header.
///
/// # Errors
/// When it is no DBN file, or a fragment of one without a header.
pub fn header(path: &Path) -> Result<Metadata, dbn::Error> {
    let decoder = DynDecoder::from_file(path, VersionUpgradePolicy::UpgradeToV3)?;
    Ok(decoder.metadata().clone())
}

/// What all rules of the mapping, the enabled ones, say of a file's records.
///
/// # Errors
/// [`ChunkError`] when the file is not whole.
pub fn judge(path: &Path, metadata: &Metadata, mapping: &Mapping) -> Result<Tally, ChunkError> {
    let file = open_compressed(path).map_err(ChunkError::Archive)?;
    let nanos = |time: u64| Nanos(i64::try_from(time).unwrap_or(i64::MAX));
    let parameters = Parameters {
        chunk_start: nanos(metadata.start),
        chunk_end: metadata.end.map_or(Nanos(i64::MAX), |end| nanos(end.get())),
    };
    let switches = std::collections::BTreeMap::new();
    let mut validator = Validator::new(mapping, &switches, parameters, u64::MAX);
    let facts = decode(file, mapping.schema, |decoded| {
        if let Decoded::Records(block) = decoded {
            for part in parts(mapping, block, parameters) {
                match part {
                    Part::Rows(records, rows) => validator.validate(&records, rows),
                    Part::Unfit(record, unfit) => {
                        let own = without_columns(mapping, &record);
                        validator.hold_back(&record, &own, &unfit)
                    }
                };
            }
        }
        true
    });
    facts.map(|_| validator.finish())
}
