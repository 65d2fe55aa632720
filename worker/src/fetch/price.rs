//! Price: what is still to be asked for, and what it may cost.

use common::archive::Partial;
use common::source::{Source, SourceError};
use common::store::Claim;
use common::vendor::{RangeRequest, VendorError};

use crate::error::ChunkError;

/// Times that the source's count is asked for again before a stream is given up.
const RECOUNTS: u32 = 3;

/// The claim with its count and price; `None` when there is nothing to fetch. What was planned
/// without them, or as nothing, is asked for now: it may be there since, and must not go unpaid.
pub(super) async fn priced(
    source: &dyn Source,
    claim: &Claim,
    request: &RangeRequest,
) -> Result<Option<Claim>, ChunkError> {
    if claim.chunk.expected.is_some_and(|count| count > 0) {
        return Ok(Some(claim.clone()));
    }
    match count(source, request).await? {
        0 => Ok(None),
        count => Ok(Some(at_price(source, claim, request, count).await?)),
    }
}

/// The claim with the price of today for so many records.
pub(super) async fn at_price(
    source: &dyn Source,
    claim: &Claim,
    request: &RangeRequest,
    count: u64,
) -> Result<Claim, ChunkError> {
    let mut claim = claim.clone();
    claim.chunk.expected = Some(count);
    claim.chunk.billable_bytes = source.billable_bytes(request).await?;
    claim.chunk.cost = source.cost(request).await?;
    Ok(claim)
}

/// The claim with its count and price of what is not kept yet, and of the records of the last index
/// time, which come again.
pub(super) fn for_the_rest(claim: &Claim, partial: &Partial) -> Claim {
    let mut rest = claim.clone();
    let chunk = &mut rest.chunk;
    let whole = chunk.expected.unwrap_or_default();
    if partial.parts.is_empty() || whole == 0 {
        return rest;
    }
    let records = whole.saturating_sub(partial.records()) + partial.tied;
    let bytes = u128::from(chunk.billable_bytes) * u128::from(records);
    let bytes = bytes.div_ceil(u128::from(whole));
    chunk.expected = Some(records);
    chunk.cost = chunk.cost.share(records, whole);
    chunk.billable_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    rest
}

/// The source's count; a window in which no symbol exists has none.
pub(super) async fn count(source: &dyn Source, request: &RangeRequest) -> Result<u64, ChunkError> {
    match source.record_count(request).await {
        Err(SourceError::Vendor(VendorError::NoSession { .. })) => Ok(0),
        counted => Ok(counted?),
    }
}

/// A count that `agrees`, or the error that says so; where the first doesn't, it is asked for again:
/// history is rewritten, a plan grows old, and what was received is paid for.
pub(super) async fn counted(
    source: &dyn Source,
    request: &RangeRequest,
    received: u64,
    expected: u64,
    agrees: impl Fn(u64) -> bool,
) -> Result<u64, ChunkError> {
    if agrees(expected) {
        return Ok(expected);
    }
    let mut counted = expected;
    for _ in 0..RECOUNTS {
        counted = count(source, request).await?;
        if agrees(counted) {
            return Ok(counted);
        }
    }
    Err(ChunkError::Count { received, counted })
}
