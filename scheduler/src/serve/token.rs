//! Token: who may look, and how a browser keeps that it may.
//!
//! A program shows the token itself. A browser is given a session for it: when that ends, and a proof
//! that only whoever knows the token can have made. The token can't be found from it, and no session has
//! to be remembered here: it stands when `serve` is started again, and before any other that has the
//! same token.

use common::configuration::settings::ServeToken;
use common::time::Nanos;
use ring::hmac;

/// How long a session lasts.
pub const SESSION_SECONDS: u32 = 12 * 60 * 60;
/// What a proof is made of beside the end, so that it proves nothing else.
const PURPOSE: &str = "backhaul serve session";

/// What is compared with what somebody shows.
#[derive(Debug)]
pub struct TokenCheck {
    key: hmac::Key,
    /// The token's own proof: what is shown has to have the same.
    proof: hmac::Tag,
}

impl TokenCheck {
    /// For a token.
    #[must_use]
    pub fn new(token: &ServeToken) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.expose().as_bytes());
        Self {
            proof: hmac::sign(&key, token.expose().as_bytes()),
            key,
        }
    }

    /// Whether this is the token; it takes the same time whatever it is.
    #[must_use]
    pub fn is_token(&self, shown: &str) -> bool {
        hmac::verify(&self.key, shown.as_bytes(), self.proof.as_ref()).is_ok()
    }

    /// A session from now on.
    #[must_use]
    pub fn session(&self, now: Nanos) -> String {
        let end = now.plus_seconds(f64::from(SESSION_SECONDS));
        let end = end.0.div_euclid(1_000_000_000);
        let proof = hmac::sign(&self.key, session_text(end).as_bytes());
        format!("{end}.{}", common::hex(proof.as_ref()))
    }

    /// Whether this is a session that hasn't ended.
    #[must_use]
    pub fn is_session(&self, shown: &str, now: Nanos) -> bool {
        let Some((end, proof)) = shown.split_once('.') else {
            return false;
        };
        let (Ok(end), Some(proof)) = (end.parse::<i64>(), bytes(proof)) else {
            return false;
        };
        let is_ours = hmac::verify(&self.key, session_text(end).as_bytes(), &proof).is_ok();
        is_ours && now.0.div_euclid(1_000_000_000) < end
    }
}

fn session_text(end: i64) -> String {
    format!("{PURPOSE} {end}")
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let byte = |[high, low]: &[u32; 2]| u8::try_from(high * 16 + low).ok();
    pairs
        .iter()
        .map(byte)
        .collect::<Option<Vec<_>>>()
        .filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: &str) -> TokenCheck {
        TokenCheck::new(&ServeToken::new(token).unwrap())
    }

    #[test]
    fn a_session_stands_until_its_end_for_this_token_alone() {
        let (ours, other) = (check("a-token-of-ours-1"), check("a-token-of-ours-2"));
        let now = Nanos(1_700_000_000_000_000_000);
        let later = |seconds: f64| now.plus_seconds(seconds);
        let session = ours.session(now);
        assert!(ours.is_session(&session, now));
        assert!(ours.is_session(&session, later(43_190.0)));
        assert!(!ours.is_session(&session, later(43_201.0)));
        assert!(!other.is_session(&session, now));
        let (end, proof) = session.split_once('.').unwrap();
        let longer = format!("{}.{proof}", end.parse::<i64>().unwrap() + 1);
        for forged in [
            &*longer,
            proof,
            "",
            ".",
            "1.",
            &session[..session.len() - 1],
        ] {
            assert!(!ours.is_session(forged, now), "{forged}");
        }
        assert!(!session.contains("a-token-of-ours-1"));
    }

    #[test]
    fn only_the_token_is_the_token() {
        let ours = check("a-token-of-ours-1");
        assert!(ours.is_token("a-token-of-ours-1"));
        for wrong in [
            "",
            "a-token-of-ours-",
            "a-token-of-ours-12",
            "A-token-of-ours-1",
        ] {
            assert!(!ours.is_token(wrong), "{wrong}");
        }
    }
}
