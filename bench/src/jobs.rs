//! Jobs: each day of each contract is a chunk.

use std::fmt::Display;

/// A job of a schema's days, from the first to before the last; symbols are between commas.
pub fn by_day(schema: &str, symbols: &str, start: impl Display, end: impl Display) -> String {
    format!(
        "{{name: bench, dataset: GLBX.MDP3, schemas: [{schema}], symbols: [{symbols}], \
         stype_in: continuous, start: {start}, end: {end}, chunking: {{days: 1, symbols: 1}}}}"
    )
}
