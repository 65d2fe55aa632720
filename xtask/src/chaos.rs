//! Chaos for as long as asked: three workers under fire, and whether anything is lost or doubled.

use std::path::Path;

use crate::servers;

/// What `cargo xtask chaos` is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How long the fire lasts; the comparison after it takes about as long again. Default 60.
    pub seconds: Option<u64>,
    /// What decides which faults strike when; chosen and printed when it is not given.
    pub seed: Option<u64>,
}

impl Options {
    /// Reads `--seconds N` and `--seed S`, in any order; `None` when there is something else.
    pub fn read(arguments: &[&str]) -> Option<Self> {
        let mut options = Self::default();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return None };
            let option = match *name {
                "--seconds" => &mut options.seconds,
                "--seed" => &mut options.seed,
                _ => return None,
            };
            *option = Some(value.parse().ok()?);
        }
        Some(options)
    }
}

/// Runs the workers' tests of chaos.
pub fn run(root: &Path, options: Options) -> Result<(), String> {
    servers::ensure()?;
    let given = [
        ("CHAOS_SECONDS", options.seconds),
        ("CHAOS_SEED", options.seed),
    ];
    let given = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.to_string())));
    let status = crate::cargo()
        .args(["test", "--locked", "-p", "worker", "--test", "it"])
        .arg("chaos::as_long_as_asked")
        .args(["--", "--ignored", "--exact", "--nocapture"])
        .envs(given)
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo can't be started: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("chaos has found something; the seed is above".to_owned()),
    }
}
