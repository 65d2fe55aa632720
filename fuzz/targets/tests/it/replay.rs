//! Every input of the corpora, and mutations of them: the targets' assertions hold, in little memory.

use std::fs;
use std::path::Path;

use fuzz_targets::{TARGETS, Target};
use peak_alloc::PeakAlloc;

use crate::mutation::{Random, mutated};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Bytes that one input of at most 8 KiB may make a target ask for.
const ALLOCATED_MAX: usize = 64 * 1024 * 1024;
const MUTATIONS: usize = 3_000;

/// The committed inputs of one target, by their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

/// Whether the target accepts the input, which it may do in so much memory.
fn judge(target: Target, input: &[u8], what: &str) -> bool {
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    let judged = std::panic::catch_unwind(|| target(input));
    let allocated = ALLOCATED.peak_usage().saturating_sub(before);
    let shown = input.escape_ascii();
    let accepted = judged.unwrap_or_else(|_| panic!("{what} fails: {shown}"));
    assert!(
        allocated <= ALLOCATED_MAX,
        "{what} allocates {allocated} bytes: {shown}"
    );
    accepted
}

fn replay(name: &str) {
    let (_, target) = TARGETS
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let corpus = corpus(name);
    let accepted = corpus
        .iter()
        .filter(|(file, input)| judge(target, input, file))
        .count();
    // A corpus that is only refused reaches nothing.
    assert!(
        accepted > 0 && accepted < corpus.len(),
        "{accepted} of {}",
        corpus.len()
    );
    let seed = u64::from(std::process::id());
    println!(
        "{name}: {accepted} of {} accepted, mutations by seed {seed}",
        corpus.len()
    );
    let inputs: Vec<_> = corpus.into_iter().map(|(_, input)| input).collect();
    let mut random = Random(seed);
    for number in 0..MUTATIONS {
        let input = mutated(&inputs, &mut random);
        judge(target, &input, &format!("mutation {number} of seed {seed}"));
    }
}

macro_rules! replayed {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed_and_has_its_fuzz_target() {
            let replayed = [$(stringify!($target)),*];
            assert_eq!(TARGETS.map(|(name, _)| name), replayed);
            let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            for name in replayed {
                assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name}");
            }
        }
    };
}

replayed! {
    archive_manifest
    batch_lists
    dbn_header
    dbn_stream
    error_answers
    expression
    job_file
    mapping
    settings
    vendor_answers
}
