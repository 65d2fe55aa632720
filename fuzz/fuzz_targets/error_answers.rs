//! Hands libFuzzer's bytes to `fuzz_targets::error_answers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::error_answers(bytes);
});
