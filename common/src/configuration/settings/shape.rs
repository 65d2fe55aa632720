//! What the values of settings look like, for their JSON Schema.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::{CONNECTIONS, POSITIVE, WORKERS_MAX};
use crate::configuration::json_schema::{percent, real, whole};
use crate::quality::QuarantineLimit;

pub(super) fn workers(_: &mut SchemaGenerator) -> Schema {
    whole(0, WORKERS_MAX)
}

pub(super) fn attempts(_: &mut SchemaGenerator) -> Schema {
    whole(1, u32::MAX)
}

pub(super) fn connections(_: &mut SchemaGenerator) -> Schema {
    whole(*CONNECTIONS.start(), *CONNECTIONS.end())
}

pub(super) fn positive(_: &mut SchemaGenerator) -> Schema {
    let mut schema = real(POSITIVE.start);
    schema.insert("exclusiveMaximum".to_owned(), POSITIVE.end.into());
    schema
}

pub(super) fn max_quarantine_percent(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = percent(generator);
    let millionths = QuarantineLimit::default().millionths();
    schema.insert(
        "default".to_owned(),
        (f64::from(millionths) / 10_000.0).into(),
    );
    schema
}

/// An IP address and a port: what of it a pattern can tell.
pub(super) fn address(_: &mut SchemaGenerator) -> Schema {
    let pattern = r"^([0-9]+(\.[0-9]+){3}|\[[0-9A-Fa-f:.]+(%[0-9]+)?\]):[0-9]+$";
    json_schema!({ "type": "string", "pattern": pattern, "examples": ["127.0.0.1:9464"] })
}
