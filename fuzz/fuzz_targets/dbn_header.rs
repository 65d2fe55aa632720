//! Hands libFuzzer's bytes to `fuzz_targets::dbn_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::dbn_header(bytes);
});
