//! Hands libFuzzer's bytes to `fuzz_targets::job_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::job_file(bytes);
});
