//! Barriers: standing faults that keep a part of the history back, and how a request across one is
//! refused.

use dbn::Schema;

use crate::{
    clock::{Day, Nanos},
    fault::{Fault, FaultKind},
    history::Availability,
    parameters::date,
    refusal::Refusal,
};

/// What a request for records names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a str,
    pub(crate) dataset: &'a str,
    pub(crate) schema: &'a str,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
}

/// The refusal of a request across this fault's barrier.
pub(crate) fn refusal(
    fault: &Fault,
    asked: &Asked<'_>,
    available: &Availability,
) -> Option<Refusal> {
    let at = barrier(fault)?.midnight();
    let same =
        |only: &Option<String>, asked: &str| only.as_deref().is_none_or(|only| only == asked);
    let path = fault.path.as_deref();
    let concerned = path.is_none_or(|path| asked.path.ends_with(path))
        && same(&fault.dataset, asked.dataset)
        && same(&fault.schema, asked.schema);
    let across = match fault.kind {
        FaultKind::SchemaBegins => asked.start < at,
        _ => asked.end > at,
    };
    if !concerned || !across {
        return None;
    }
    let (dataset, schema) = (asked.dataset, asked.schema);
    Some(match fault.kind {
        FaultKind::Licence => Refusal::business(
            403,
            "license_not_found_unauthorized",
            format!("A live data license is required to access {dataset} data after {at}."),
        ),
        FaultKind::UnavailableRange => Refusal::business(
            422,
            "dataset_unavailable_range",
            format!(
                "Part or all of your request for dataset {dataset} requires a subscription and/or \
                 license. Try again with an end time before {at}."
            ),
        ),
        kind => {
            let range = match kind {
                FaultKind::SchemaBegins => (at, available.end),
                _ => (available.start, at),
            };
            let message =
                format!("The schema {schema} is not fully available for the range of {dataset}.");
            let times = (asked.start, asked.end);
            Refusal::range(
                "data_schema_not_fully_available",
                message,
                dataset,
                times,
                range,
            )
        }
    })
}

/// The ranges of a dataset's schemas, as these faults narrow them.
pub(crate) fn narrow(faults: &[Fault], dataset: &str, available: &mut Availability) {
    for fault in faults {
        let Some(at) = barrier(fault).map(Day::midnight) else {
            continue;
        };
        let of_dataset = fault.dataset.as_deref().is_none_or(|only| only == dataset);
        let concerned = |schema: &Schema| {
            let only = fault.schema.as_deref();
            of_dataset && only.is_none_or(|only| only == schema.as_str())
        };
        for (schema, start, end) in &mut available.schemas {
            match fault.kind {
                FaultKind::SchemaBegins if concerned(schema) => *start = (*start).max(at),
                FaultKind::SchemaEnds if concerned(schema) => *end = (*end).min(at),
                _ => {}
            }
        }
    }
}

fn barrier(fault: &Fault) -> Option<Day> {
    date(fault.date.as_deref().filter(|_| fault.kind.is_barrier())?)
}
