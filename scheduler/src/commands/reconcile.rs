//! `scheduler reconcile`: repair the fleet's queue and the keys in Redis from the database, now.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use common::progress::{JobsPublisher, PREFIX, Progress};
use common::queue::{NAMESPACE, RedisQueue};
use common::redis::connect;
use common::store::{Access, Store};
use worker::reconcile::Reconciler;

use crate::arguments::Global;
use crate::exit::print;
use crate::hints::UNREACHABLE;
use crate::progress::counted;
use crate::session::Session;

/// Runs the command.
pub async fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    if !session.settings.is_distributed() {
        print("nothing to repair: on one machine `scheduler run` keeps its queue in memory\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let url = session.settings.require_redis_url()?;
    let store = Store::open(&session.settings.database_url, Access::Control).await?;
    let store = Arc::new(store.context("the database was not opened")?);
    let queue = RedisQueue::new(connect(url).await.context(UNREACHABLE)?, NAMESPACE);
    let progress = Progress::new(connect(url).await.context(UNREACHABLE)?, PREFIX);
    let jobs = JobsPublisher::new(progress);
    let mut reconciler = Reconciler::new(Arc::clone(&store), queue, jobs);
    let repaired = reconciler.repair().await?;
    let jobs = store.jobs(None).await?.len();
    store.close().await;
    print(&format!(
        "{} put into the queue, {} swept; the keys of {} rebuilt\n",
        counted(repaired.pushed, "missing hint"),
        counted(repaired.swept, "old hint"),
        counted(u64::try_from(jobs).unwrap_or(u64::MAX), "job"),
    ))?;
    Ok(ExitCode::SUCCESS)
}
