//! Hands libFuzzer's bytes to `fuzz_targets::dbn_stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::dbn_stream(bytes);
});
