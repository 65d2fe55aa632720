//! Hands libFuzzer's bytes to `fuzz_targets::expression`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::expression(bytes);
});
