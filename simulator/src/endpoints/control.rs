//! The simulator's own methods: faults and the request log. They need no key.

use axum::{
    body::Body,
    http::{Method, Response},
};
use serde_json::{Value, json};

use crate::{
    answer,
    fault::Fault,
    refusal::Refusal,
    server::{Call, Service},
};

/// Answers `/sim/faults` and `/sim/requests`.
pub(crate) fn control(service: &Service, call: &Call) -> Result<Response<Body>, Refusal> {
    let value = match (call.path.as_str(), &call.method) {
        ("/sim/faults", &Method::POST) => {
            service.faults.add(fault(&call.body)?);
            faults(service)
        }
        ("/sim/faults", &Method::DELETE) => {
            service.faults.clear();
            faults(service)
        }
        ("/sim/faults", &Method::GET) => faults(service),
        ("/sim/requests", &Method::GET) => json!(service.requests.all()),
        ("/sim/faults" | "/sim/requests", _) => {
            return Err(Refusal::plain(405, "Method Not Allowed"));
        }
        _ => return Err(Refusal::plain(404, "Not Found")),
    };
    Ok(answer::json(&value))
}

fn fault(body: &[u8]) -> Result<Fault, Refusal> {
    let text =
        std::str::from_utf8(body).map_err(|_| Refusal::plain(400, "the fault is not UTF-8"))?;
    Fault::from_json(text).map_err(|error| Refusal::plain(400, error.to_string()))
}

fn faults(service: &Service) -> Value {
    json!(service.faults.all())
}
