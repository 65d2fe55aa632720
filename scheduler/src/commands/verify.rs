//! `scheduler verify`: four aspects checked, told, kept as a file, and compared with an earlier time.

use std::process::ExitCode;
use std::time::Duration;

use common::configuration::document::Refusal;
use common::store::{Access, Store};

use crate::arguments::{Global, Verify};
use crate::exit::{NOT_VERIFIED, print};
use crate::session::{Session, stop_quietly};
use crate::submitted::find;
use crate::verify::document::Document;
use crate::verify::{Aspect, Scope, comparison, kept, text};

/// What a shell says of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Runs the command.
pub async fn run(global: &Global, options: &Verify) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let folder = kept::folder(options.reports.as_deref(), &session.settings.archive_url);
    // Before anything takes its time: what can't be compared, opened or kept is said at once.
    let previous = match &options.compare {
        Some(wanted) => Some(kept::previous(wanted, &folder)?),
        None => None,
    };
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let store = store.ok_or_else(no_database)?;
    let scope = scope(global, options, &session, &store).await?;
    kept::prepare(&folder)?;
    let stop = stop_quietly()?;
    let document = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(ExitCode::from(INTERRUPTED)),
        document = scope.verify() => document?,
    };
    store.close().await;
    let mut document = document;
    document.comparison = previous
        .map(|(file, before)| comparison::compare(&file.display().to_string(), &before, &document));
    let kept = kept::keep(&folder, &document)?;
    tell(options, &document, &kept)?;
    Ok(match document.passed || options.report_only {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_VERIFIED),
    })
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
    let asked = |aspect: &Aspect| options.check.is_empty() || options.check.contains(aspect);
    Ok(Scope {
        session,
        config_dir: global.config_dir.as_deref(),
        store,
        job,
        aspects: Aspect::ALL.into_iter().filter(asked).collect(),
        query_limit: Duration::from_secs(options.query_limit_seconds),
        check_limit: Duration::from_secs(options.check_limit_seconds),
    })
}

fn no_database() -> Refusal {
    let help = "load something first: `scheduler demo` shows how, `scheduler run JOB` does it; or \
                name another with --data-dir or --database-url";
    Refusal::of("verify", "there is no database yet", help)
}

fn tell(options: &Verify, document: &Document, kept: &std::path::Path) -> anyhow::Result<()> {
    if options.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(document)?));
    }
    let text = text::describe(document, options.verbose);
    print(&format!("{text}kept as {}\n", kept.display()))
}
