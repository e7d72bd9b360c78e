//! The signature of a call, as Standard Webhooks has it: HMAC-SHA-256 over `id.timestamp.body`, in base 64, behind
//! `v1,`.

use std::fmt;

use ring::hmac;

use crate::wire::rdata::{base64_octets, base64_text};

/// What a secret may begin with.
const PREFIX: &str = "whsec_";
/// Octets of a secret, at least and at most.
const OCTETS: std::ops::RangeInclusive<usize> = 24..=64;

/// The secret of a webhook; clones share it, and it is never shown.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// A malformed secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("is not 24 to 64 octets in base 64: `openssl rand -base64 32` makes one")]
pub struct BadSecret;

impl Secret {
    /// Reads a secret in base 64, with `whsec_` before it or without.
    pub fn read(text: &str) -> Result<Self, BadSecret> {
        let text = text.trim();
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        let octets = base64_octets(text.as_bytes()).ok_or(BadSecret)?;
        if !OCTETS.contains(&octets.len()) {
            return Err(BadSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &octets)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The value of `webhook-signature` for a call.
pub fn signature(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut signing = hmac::Context::with_key(&secret.0);
    signing.update(format!("{id}.{timestamp}.").as_bytes());
    signing.update(body);
    format!("v1,{}", base64_text(signing.sign().as_ref()))
}
