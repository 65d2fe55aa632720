//! What of a plan the archive has already, and so costs nothing.

use std::collections::BTreeSet;

use common::archive::Archive;
use common::money::Usd;
use common::request::Request;
use common::source::Source;
use common::store::PlannedChunk;
use common::vendor::RangeRequest;

use super::price::Plan;

/// Requests that are looked up at a time: a plan of a million chunks is not copied as a whole.
const LOOKED_UP: usize = 1_000;

impl Plan {
    /// Looks up which chunks' streams the archive has. They keep their prices: a stream that is lost
    /// or damaged has to be paid for again.
    pub async fn look_up(
        &mut self,
        request: &Request,
        source: &dyn Source,
        archive: &Archive,
    ) -> anyhow::Result<()> {
        // What costs nothing saves nothing.
        let priced = self.to_do().enumerate();
        let priced: Vec<_> = priced.filter(|(_, chunk)| chunk.cost > Usd(0)).collect();
        let mut archived = BTreeSet::new();
        for some in priced.chunks(LOOKED_UP) {
            let mut wanted = Vec::with_capacity(some.len());
            for (_, chunk) in some {
                let asked = request.range_request(chunk.schema, &chunk.symbols, chunk.days);
                wanted.push((archive.of_origin(source.origin(&asked)?), asked));
            }
            let numbers = some.iter().map(|(number, _)| *number);
            let found = numbers.zip(find(wanted).await?);
            archived.extend(found.filter_map(|(number, found)| found.then_some(number)));
        }
        self.archived = archived;
        Ok(())
    }

    /// All that a run would work on, and whether the archive has it.
    pub fn looked_up(&self) -> impl Iterator<Item = (&PlannedChunk, bool)> {
        let numbered = self.to_do().enumerate();
        numbered.map(|(number, chunk)| (chunk, self.archived.contains(&number)))
    }

    /// What the vendor would bill for all chunks but those that the archive has.
    pub fn cost(&self) -> Usd {
        cost_of(self.looked_up())
    }

    /// What the vendor would have billed for the chunks that the archive has.
    pub fn saved(&self) -> Usd {
        saved_of(self.looked_up())
    }
}

/// What has to be paid for chunks.
pub fn cost_of<'a>(chunks: impl Iterator<Item = (&'a PlannedChunk, bool)>) -> Usd {
    let unpaid = chunks.filter(|(_, archived)| !archived);
    unpaid.map(|(chunk, _)| chunk.cost).sum()
}

/// What need not be paid for chunks, because the archive has them.
pub fn saved_of<'a>(chunks: impl Iterator<Item = (&'a PlannedChunk, bool)>) -> Usd {
    let archived = chunks.filter(|(_, archived)| *archived);
    archived.map(|(chunk, _)| chunk.cost).sum()
}

/// What is said of a saving, after an amount.
pub fn saving(saved: Usd) -> String {
    match saved {
        Usd(0) => String::new(),
        saved => format!(" (the archive saves ${saved})"),
    }
}

/// Whether the archive has each of the requests' streams.
async fn find(wanted: Vec<(Archive, RangeRequest)>) -> anyhow::Result<Vec<bool>> {
    let mut found = Vec::with_capacity(wanted.len());
    for (archive, request) in wanted {
        found.push(archive.find_records(&request, 1).await?.is_some());
    }
    Ok(found)
}
