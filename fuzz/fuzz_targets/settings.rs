//! Hands libFuzzer's bytes to `fuzz_targets::settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::settings(bytes);
});
