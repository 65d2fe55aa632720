//! HTTP Basic authentication: the key is the user, the password is empty.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::refusal::Refusal;

const KEY_LENGTH: usize = 32;

/// Lets through who knows `key`; or, without one, any well-formed key.
pub(crate) fn authenticate(headers: &HeaderMap, key: Option<&str>) -> Result<(), Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(Refusal::plain(401, "Not authenticated"));
    };
    let given = value
        .to_str()
        .ok()
        .and_then(basic_user)
        .ok_or_else(Refusal::bad_key)?;
    let accepted = match key {
        Some(key) => given == key,
        None => given.len() == KEY_LENGTH && given.is_ascii() && given.starts_with("db-"),
    };
    if accepted {
        Ok(())
    } else {
        Err(Refusal::bad_key())
    }
}

fn basic_user(value: &str) -> Option<String> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    password.is_empty().then(|| user.to_owned())
}
