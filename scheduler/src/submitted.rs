//! Jobs that were submitted: found by name or number, to be decided about.

use common::configuration::document::Refusal;
use common::nearest::nearest;
use common::store::{Access, JobStatus, Store};

use crate::session::Session;

/// The database, to decide about its jobs while others work on them.
pub async fn open(session: &Session, wanted: &str) -> anyhow::Result<Store> {
    let store = Store::open(&session.settings.database_url, Access::Control).await?;
    let help = "`scheduler submit` or `scheduler run` submits a job";
    let refusal = || Refusal::of(wanted, "there is no database yet", help);
    Ok(store.ok_or_else(refusal)?)
}

/// The one job of a name or number.
pub async fn find(store: &Store, wanted: &str) -> anyhow::Result<JobStatus> {
    let mut jobs = store.jobs(Some(wanted)).await?;
    // A name may look like the number of another job.
    let numbered = jobs.iter().position(|job| job.id.to_string() == wanted);
    match (numbered, jobs.len()) {
        (Some(index), _) => Ok(jobs.swap_remove(index)),
        (None, 1) => Ok(jobs.swap_remove(0)),
        (None, 0) => Err(unknown(store, wanted).await?.into()),
        (None, _) => {
            let numbers: Vec<_> = jobs.iter().map(|job| job.id.to_string()).collect();
            let help = format!(
                "give a number instead: {}; `scheduler status {wanted}` shows them",
                numbers.join(", ")
            );
            Err(Refusal::of(wanted, "several jobs have this name", &help).into())
        }
    }
}

/// What is said of a name or number that no job has.
async fn unknown(store: &Store, wanted: &str) -> anyhow::Result<Refusal> {
    let jobs = store.jobs(None).await?;
    let help = match nearest(wanted, jobs.iter().map(|job| job.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`scheduler status` shows all jobs that were submitted".to_owned(),
    };
    let message = "no job of this name or number was submitted";
    Ok(Refusal::of(wanted, message, &help))
}

/// A job's name and number, for people.
#[must_use]
pub fn title(job: &JobStatus) -> String {
    format!("{} ({})", job.name, job.id)
}

/// Who takes a job's chunks up, for people.
#[must_use]
pub fn who_works(session: &Session) -> &'static str {
    match session.settings.is_distributed() {
        true => "workers take it up",
        false => "`scheduler run` with its job file works it off",
    }
}
