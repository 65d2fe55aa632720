//! `metadata.*`: what there is, how good it is, how much and for how much.

pub(crate) mod fields;
pub(crate) mod prices;

use std::sync::Arc;

use dbn::{Publisher, Schema};
use serde_json::{Map, Value, json};

use self::{fields::fields, prices::unit_price};
use super::timeseries::count;
use crate::{
    barrier,
    clock::DayRange,
    fault::FaultKind,
    faults::{DayReport, Struck},
    parameters::Parameters,
    query::{Query, available},
    random::Random,
    records::record_size,
    refusal::Refusal,
    server::Service,
};

/// Prices are for 10^9 bytes.
const BYTES_PRICED: f64 = 1e9;

/// The publishers known to the encoding; ids are given without gaps from 1.
pub(crate) fn list_publishers() -> Value {
    let known = (1..=u16::MAX).map_while(|id| Publisher::try_from(id).ok());
    let publishers = known.map(|publisher| {
        json!({
            "publisher_id": u16::from(publisher),
            "dataset": publisher.dataset().as_str(),
            "venue": publisher.venue().as_str(),
            "description": publisher.as_str(),
        })
    });
    publishers.collect()
}

/// The datasets with data in a range of dates.
pub(crate) fn list_datasets(service: &Service, parameters: &Parameters) -> Result<Value, Refusal> {
    let (start, end) = (parameters.day("start_date")?, parameters.day("end_date")?);
    let mut datasets = service.history.datasets();
    datasets.retain(|dataset| {
        service.history.available(dataset).is_some_and(|available| {
            end.is_none_or(|end| available.start < end.midnight())
                && start.is_none_or(|start| start.midnight() < available.end)
        })
    });
    Ok(json!(datasets))
}

/// The schemas of a dataset.
pub(crate) fn list_schemas(service: &Service, parameters: &Parameters) -> Result<Value, Refusal> {
    let available = available(service.history.as_ref(), parameters.required("dataset")?)?;
    Ok(available
        .schemas
        .iter()
        .map(|(schema, ..)| json!(schema.as_str()))
        .collect())
}

/// The fields of a schema's records.
pub(crate) fn list_fields(parameters: &Parameters) -> Result<Value, Refusal> {
    parameters.required("schema")?;
    parameters.required("encoding")?;
    Ok(fields(parameters.schema()?, parameters.encoding()?))
}

/// Prices in US dollars for 10^9 bytes, of each mode and schema.
pub(crate) fn list_unit_prices(
    service: &Service,
    parameters: &Parameters,
) -> Result<Value, Refusal> {
    let available = available(service.history.as_ref(), parameters.required("dataset")?)?;
    let modes = ["historical", "historical-streaming", "live"]
        .iter()
        .map(|mode| {
            let prices: Map<String, Value> = available
                .schemas
                .iter()
                .map(|(schema, ..)| (schema.to_string(), json!(unit_price(*schema, mode))))
                .collect();
            json!({ "mode": mode, "unit_prices": prices })
        });
    Ok(modes.collect())
}

/// The condition of each day with a session; the end date is inclusive.
pub(crate) fn get_dataset_condition(
    service: &Service,
    parameters: &Parameters,
) -> Result<Value, Refusal> {
    let dataset = parameters.required("dataset")?;
    let available = available(service.history.as_ref(), dataset)?;
    let whole = DayRange::touched_by(available.start, available.end);
    let first = parameters.day("start_date")?.unwrap_or(whole.first);
    let end = parameters
        .day("end_date")?
        .map_or(whole.end, |last| last.next());
    let reports = service.faults.reports(dataset);
    let days = DayRange::new(first, end).intersect(&whole);
    let listed = days
        .days()
        .filter(|day| service.history.is_listed_day(dataset, *day));
    let conditions = listed.map(|day| {
        let unremarkable = DayReport {
            condition: "available",
            modified: Some(day.next()),
        };
        let report = reports.get(&day).copied().unwrap_or(unremarkable);
        json!({
            "date": day.to_string(),
            "condition": report.condition,
            "last_modified_date": report.modified.map(|day| day.to_string()),
        })
    });
    Ok(conditions.collect())
}

/// From when to when a dataset and each of its schemas is available.
pub(crate) fn get_dataset_range(
    service: &Service,
    parameters: &Parameters,
) -> Result<Value, Refusal> {
    let dataset = parameters.required("dataset")?;
    let mut available = available(service.history.as_ref(), dataset)?;
    barrier::narrow(&service.faults.all(), dataset, &mut available);
    let schemas: Map<String, Value> = available
        .schemas
        .iter()
        .map(|(schema, start, end)| {
            (
                schema.to_string(),
                json!({ "start": start.to_string(), "end": end.to_string() }),
            )
        })
        .collect();
    Ok(json!({
        "start": available.start.to_string(),
        "end": available.end.to_string(),
        "schema": schemas,
    }))
}

/// The number of records of a query; wrong by one to three where a fault says so.
pub(crate) async fn get_record_count(
    service: &Arc<Service>,
    parameters: &Parameters,
    fault: Option<&Struck>,
) -> Result<Value, Refusal> {
    let (_, records) = counted(service, parameters).await?;
    let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::CountOff) else {
        return Ok(json!(records));
    };
    let mut random = Random::new(fault.draw);
    let off = 1 + random.below(3);
    let fewer = random.chance(500) && records > off;
    Ok(json!(if fewer { records - off } else { records + off }))
}

/// The uncompressed bytes of a query's records.
pub(crate) async fn get_billable_size(
    service: &Arc<Service>,
    parameters: &Parameters,
) -> Result<Value, Refusal> {
    let (schema, records) = counted(service, parameters).await?;
    Ok(json!(billable_size(schema, records)))
}

/// The price of a query in US dollars.
pub(crate) async fn get_cost(
    service: &Arc<Service>,
    parameters: &Parameters,
) -> Result<Value, Refusal> {
    let (schema, records) = counted(service, parameters).await?;
    let mode = parameters.get("mode").unwrap_or("historical-streaming");
    Ok(json!(in_dollars(
        billable_size(schema, records),
        unit_price(schema, mode)
    )))
}

async fn counted(
    service: &Arc<Service>,
    parameters: &Parameters,
) -> Result<(Schema, u64), Refusal> {
    let query = Query::read(parameters, service.history.as_ref())?;
    let resolution = query.resolve(service.history.as_ref())?;
    let slice = query.slice(&resolution, &service.faults);
    let records = query.limited(count(service, &slice).await?);
    Ok((query.schema, records))
}

fn billable_size(schema: Schema, records: u64) -> u64 {
    records * u64::try_from(record_size(schema)).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a price in dollars needs no more than 53 bits"
)]
fn in_dollars(bytes: u64, unit_price: f64) -> f64 {
    bytes as f64 / BYTES_PRICED * unit_price
}
