//! Hands libFuzzer's bytes to `fuzz_targets::archive_manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::archive_manifest(bytes);
});
