//! Hands libFuzzer's bytes to `fuzz_targets::batch_lists`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::batch_lists(bytes);
});
