//! What people write: scripts in Python with the vendor's official client, in `bench/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::ensure;
use testkit::sandbox::API_KEY;

use super::TABLE;
use crate::fleet::{Fleet, Installation};
use crate::outcome::{Bound, Outcome};
use crate::programs::{root, run};
use crate::samples::{Samples, per_second};

/// The scripts, and how much faster a worker is to be.
const SCRIPTS: [(&str, f64); 2] = [("row_copy", 5.0), ("to_sql", 50.0)];
/// One of the days of the job.
const DAY: [&str; 2] = ["2024-01-09", "2024-01-10"];

/// So often each is run, after once for the vendor, who has the answer from then on.
const ROUNDS: usize = 3;

/// How fast each script is; `None` with a printed line where Python is not installed.
pub struct Speeds(Option<Vec<Samples>>);

impl Speeds {
    /// Measures them; `worked` has the same day's rows, as a worker loaded them.
    pub fn measure(fleet: &Fleet, worked: &Installation<'_>) -> anyhow::Result<Self> {
        let python = match prepared() {
            Ok(python) => python,
            Err(error) => {
                println!("what people write in Python is not measured: {error:#}");
                return Ok(Self(None));
            }
        };
        let [start, end] = DAY;
        let of_day = format!("WHERE ts_recv >= '{start}Z' AND ts_recv < '{end}Z'");
        let expected = rows(fleet, &worked.database, &format!("{TABLE} {of_day}"))?;
        let mut speeds = vec![Vec::new(); SCRIPTS.len()];
        for round in 0..=ROUNDS {
            for ((script, _), speeds) in SCRIPTS.iter().zip(&mut speeds) {
                let database = fleet.postgres.fresh_database();
                let path = root().join("bench/peers").join(script).with_extension("py");
                let mut command = Command::new(&python);
                let vendor = fleet.vendor.url();
                // Nothing is written beside the scripts.
                command
                    .arg("-B")
                    .arg(path)
                    .args([&vendor, API_KEY, start, end, &database]);
                fleet.settle();
                let began = Instant::now();
                run(&mut command)?;
                let took = began.elapsed();
                let found = rows(fleet, &database, "peer")?;
                ensure!(
                    found == expected,
                    "{script} has loaded {found} rows of {expected}"
                );
                if round > 0 {
                    speeds.push(per_second(found, took));
                }
            }
        }
        Ok(Self(Some(speeds.into_iter().map(Samples::new).collect())))
    }

    /// Adds them, and a worker's speed against each.
    pub fn report(self, outcome: &mut Outcome) {
        let Some(speeds) = self.0 else {
            outcome.note("what people write in Python: not measured, it is not installed");
            return;
        };
        for ((script, wanted), speeds) in SCRIPTS.into_iter().zip(speeds) {
            let median = speeds.median();
            outcome.figure(format!("python_{script}_rows_per_second"), "rows/s", speeds);
            for server in ["", "timescale_"] {
                let Some(worker) = outcome.median(&format!("{server}worker_rows_per_second"))
                else {
                    continue;
                };
                let key = format!("{server}ratio_to_python_{script}");
                outcome.once(key.clone(), "×", worker / median);
                outcome.target(key, Bound::AtLeast(wanted));
            }
        }
        outcome.note("the scripts load into a plain table; what they are compared with has the worker's medians");
    }
}

fn rows(fleet: &Fleet, database: &str, table: &str) -> anyhow::Result<u64> {
    let asked = format!("SELECT count(*) FROM {table}");
    Ok(fleet.postgres.psql_at(database, &asked).trim().parse()?)
}

/// A Python with the scripts' dependencies, in a folder of its own.
fn prepared() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/bench-peers");
    let python = folder.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let requirements: &Path = &root().join("bench/peers/requirements.txt");
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    run(install.arg(requirements))?;
    Ok(python)
}
