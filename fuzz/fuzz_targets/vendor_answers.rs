//! Hands libFuzzer's bytes to `fuzz_targets::vendor_answers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::vendor_answers(bytes);
});
