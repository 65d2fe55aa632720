//! What people write: scripts in Python with the vendor's official client, in `bench/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::ensure;
use testkit::sandbox::API_KEY;
use tokio::runtime::Runtime;

use crate::fleet::Fleet;
use crate::outcome::{Bound, Outcome};
use crate::programs::{root, run};
use crate::samples::per_second;

/// The scripts, and how much faster a worker is to be.
const SCRIPTS: [(&str, f64); 2] = [("row_copy", 5.0), ("to_sql", 50.0)];
/// One of the days of the job.
const DAY: [&str; 2] = ["2024-01-09", "2024-01-10"];

/// How fast each script is, measured once; `None` with a printed line where Python is not installed.
pub struct Speeds(Option<Vec<f64>>);

impl Speeds {
    /// Measures them.
    pub fn measure(runtime: &Runtime, fleet: &Fleet) -> anyhow::Result<Self> {
        let python = match prepared() {
            Ok(python) => python,
            Err(error) => {
                println!("what people write in Python is not measured: {error:#}");
                return Ok(Self(None));
            }
        };
        let (mut all_rows, mut speeds) = (Vec::new(), Vec::new());
        for (script, _) in SCRIPTS {
            let database = fleet.postgres.fresh_database();
            let path = root().join("bench/peers").join(script).with_extension("py");
            // The runtime answers them meanwhile, on its own threads.
            let _vendor = runtime.enter();
            let began = Instant::now();
            let mut command = Command::new(&python);
            command
                .arg(path)
                .args([&fleet.vendor.url(), API_KEY])
                .args(DAY);
            run(command.arg(&database))?;
            let took = began.elapsed();
            let count = fleet
                .postgres
                .psql_at(&database, "SELECT count(*) FROM peer");
            let rows: u64 = count.trim().parse()?;
            ensure!(rows > 0, "{script} has loaded rows");
            all_rows.push(rows);
            speeds.push(per_second(rows, took));
        }
        let first = all_rows.first();
        ensure!(
            all_rows.iter().all(|rows| Some(rows) == first),
            "they load the same rows"
        );
        Ok(Self(Some(speeds)))
    }

    /// Adds them, and a worker's speed against each.
    pub fn report(self, outcome: &mut Outcome) {
        let Some(speeds) = self.0 else {
            outcome.note("what people write in Python: not measured, it is not installed");
            return;
        };
        let worker = outcome.median("worker_rows_per_second").unwrap_or_default();
        for ((script, wanted), speed) in SCRIPTS.into_iter().zip(speeds) {
            let key = format!("ratio_to_python_{script}");
            outcome.once(key.clone(), "×", worker / speed);
            outcome.once(format!("python_{script}_rows_per_second"), "rows/s", speed);
            outcome.target(key, Bound::AtLeast(wanted));
            let Some(worker) = outcome.median("timescale_worker_rows_per_second") else {
                continue;
            };
            let key = format!("timescale_ratio_to_python_{script}");
            outcome.once(key.clone(), "×", worker / speed);
            outcome.target(key, Bound::AtLeast(wanted));
        }
    }
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
