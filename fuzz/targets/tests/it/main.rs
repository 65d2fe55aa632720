//! The corpora and thousands of their mutations, without a fuzzer.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod mutation;
mod replay;
