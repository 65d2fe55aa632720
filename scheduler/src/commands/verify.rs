//! `scheduler verify`: four aspects checked, told, kept as a file, and compared with an earlier time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use common::configuration::document::Refusal;
use common::store::{Access, Store};
use common::time::Nanos;
use worker::process::stop_quietly;

use crate::arguments::{Global, Verify};
use crate::exit::{INTERRUPTED, NOT_VERIFIED, print};
use crate::session::{Session, nothing_loaded};
use crate::submitted::find;
use crate::verify::document::Document;
use crate::verify::{Aspect, Scope, comparison, kept, text};

/// Runs the command.
pub async fn run(global: &Global, options: &Verify) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let folder = kept::folder(options.reports.as_deref(), &session.settings.archive_url);
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let Some(store) = store else {
        return nothing(options, &session, &folder);
    };
    let scope = scope(global, options, &session, &store).await?;
    // Before anything takes its time: what can't be compared or kept is said at once.
    let previous = previous(options, &folder, &scope.begin(Nanos::now()))?;
    kept::prepare(&folder)?;
    let stop = stop_quietly()?;
    let document = tokio::select! {
        biased;
        () = stop.cancelled() => {
            eprintln!("stopped: no report is kept");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        document = scope.verify() => document?,
    };
    store.close().await;
    conclude(options, &folder, previous, document)
}

/// An installation in which nothing was ever done.
fn nothing(options: &Verify, session: &Session, folder: &Path) -> anyhow::Result<ExitCode> {
    if options.job.is_some() {
        return Err(nothing_loaded("verify").into());
    }
    let document = Document::of_nothing(session, &aspects(options));
    let previous = previous(options, folder, &document)?;
    kept::prepare(folder)?;
    conclude(options, folder, previous, document)
}

type Previous = Option<(PathBuf, Document)>;

fn previous(options: &Verify, folder: &Path, like: &Document) -> Result<Previous, Refusal> {
    let wanted = options.compare.as_ref();
    wanted
        .map(|wanted| kept::previous(wanted, folder, like, &aspects(options)))
        .transpose()
}

/// Compares, keeps and tells what was found.
fn conclude(
    options: &Verify,
    folder: &Path,
    previous: Previous,
    mut document: Document,
) -> anyhow::Result<ExitCode> {
    document.comparison = previous
        .map(|(file, before)| comparison::compare(&file.display().to_string(), &before, &document));
    let kept = kept::keep(folder, &document)?;
    tell(options, &document, &kept)?;
    Ok(match document.passed || options.report_only {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_VERIFIED),
    })
}

/// The aspects that are asked for.
fn aspects(options: &Verify) -> Vec<Aspect> {
    let asked = |aspect: &Aspect| options.check.is_empty() || options.check.contains(aspect);
    Aspect::ALL.into_iter().filter(asked).collect()
}

async fn scope<'a>(
    global: &'a Global,
    options: &Verify,
    session: &'a Session,
    store: &'a Store,
) -> anyhow::Result<Scope<'a>> {
    let job = match &options.job {
        Some(wanted) => Some(find(store, wanted).await?),
        None => None,
    };
    Ok(Scope {
        session,
        config_dir: global.config_dir.as_deref(),
        store,
        job,
        aspects: aspects(options),
        query_limit: Duration::from_secs(options.query_limit_seconds),
        check_limit: Duration::from_secs(options.check_limit_seconds),
    })
}

fn tell(options: &Verify, document: &Document, kept: &Path) -> anyhow::Result<()> {
    if options.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(document)?));
    }
    let text = text::describe(document, options.verbose);
    print(&format!("{text}kept as {}\n", kept.display()))
}
