//! `scheduler spend`: what was reserved, spent and saved, by job, month and dataset.

use std::process::ExitCode;

use common::configuration::document::Refusal;
use common::money::Usd;
use common::store::{Access, Moment, Spending, Store};
use common::time::{Month, Nanos};
use serde::Serialize;

use crate::arguments::{self, Global};
use crate::budget::left;
use crate::exit::print;
use crate::progress::thousands;
use crate::report::{aligned, plain_table};
use crate::session::Session;
use crate::submitted::find;

/// All that the command tells.
#[derive(Serialize)]
struct Document {
    spending: Vec<Spending>,
    total: Total,
    this_month: ThisMonth,
}

/// The sums of what is listed.
#[derive(Default, Serialize)]
struct Total {
    reserved_usd: Usd,
    settled_usd: Usd,
    saved_usd: Usd,
    bytes: u64,
}

/// Where the installation stands in the month that it is, whatever is listed.
#[derive(Serialize)]
struct ThisMonth {
    month: Month,
    /// Spent, or reserved and not settled.
    committed_usd: Usd,
    budget_usd: Option<Usd>,
    left_usd: Option<Usd>,
}

/// Runs the command.
pub async fn run(global: &Global, options: &arguments::Spend) -> anyhow::Result<ExitCode> {
    let session = Session::begin(global)?;
    let store = Store::open(&session.settings.database_url, Access::Read).await?;
    let document = document(&session, store.as_ref(), options.job.as_deref()).await?;
    print(&match options.json {
        true => format!("{}\n", serde_json::to_string_pretty(&document)?),
        false => document.describe(),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn document(
    session: &Session,
    store: Option<&Store>,
    wanted: Option<&str>,
) -> anyhow::Result<Document> {
    let (spending, (month, committed_usd)) = match (store, wanted) {
        (Some(store), wanted) => {
            let job = match wanted {
                Some(wanted) => Some(find(store, wanted).await?.id),
                None => None,
            };
            let spending = store.spending(job).await?;
            (spending, store.this_month(Moment::Now).await?)
        }
        (None, Some(wanted)) => {
            let help = "`scheduler submit` or `scheduler run` submits a job";
            return Err(Refusal::of(wanted, "there is no database yet", help).into());
        }
        (None, None) => (Vec::new(), (Month::of(Nanos::now()), Usd(0))),
    };
    let budget_usd = session.settings.budget_usd;
    Ok(Document {
        total: Total::of(&spending),
        spending,
        this_month: ThisMonth {
            month,
            committed_usd,
            budget_usd,
            left_usd: budget_usd.map(|budget| left(budget, committed_usd)),
        },
    })
}

impl Total {
    fn of(spending: &[Spending]) -> Self {
        spending.iter().fold(Self::default(), |total, of| Self {
            reserved_usd: total.reserved_usd + of.reserved_usd,
            settled_usd: total.settled_usd + of.settled_usd,
            saved_usd: total.saved_usd + of.saved_usd,
            bytes: total.bytes + of.bytes,
        })
    }
}

impl Document {
    fn describe(&self) -> String {
        let listed = match self.spending.is_empty() {
            true => "nothing was spent, reserved or saved yet\n".to_owned(),
            false => self.table(),
        };
        format!("{listed}{}\n", self.this_month.describe())
    }

    fn table(&self) -> String {
        let mut table = plain_table(&[
            "job", "name", "month", "dataset", "reserved", "settled", "saved", "bytes",
        ]);
        for of in &self.spending {
            table.add_row(aligned(
                4,
                vec![
                    of.job.to_string(),
                    of.name.clone(),
                    of.month.to_string(),
                    of.dataset.clone(),
                    of.reserved_usd.to_string(),
                    of.settled_usd.to_string(),
                    of.saved_usd.to_string(),
                    thousands(of.bytes),
                ],
            ));
        }
        let total = &self.total;
        let mut sums = vec!["total".to_owned()];
        sums.resize(4, String::new());
        sums.extend(
            [total.reserved_usd, total.settled_usd, total.saved_usd].map(|sum| sum.to_string()),
        );
        sums.push(thousands(total.bytes));
        table.add_row(aligned(4, sums));
        format!(
            "{table}\nin US dollars; saved: what requests would have cost that the archive answered\n"
        )
    }
}

impl ThisMonth {
    fn describe(&self) -> String {
        let Self {
            month,
            committed_usd,
            ..
        } = self;
        match (self.budget_usd, self.left_usd) {
            (Some(budget), Some(left)) => format!(
                "{month}: ${committed_usd} of the budget of ${budget} are spent or reserved, ${left} \
                 are left"
            ),
            _ => format!(
                "{month}: ${committed_usd} are spent or reserved; no budget is set \
                 (BACKHAUL_BUDGET_USD)"
            ),
        }
    }
}
