//! Random tokens, their hashes, passwords (Argon2id) and one-time codes (RFC 6238).
//!
//! A token of 256 random bits needs no slow hash: it is stored as SHA-256. A password does, and is
//! stored as a PHC string with a salt of its own.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use data_encoding::BASE32_NOPAD;
use ring::hmac;
use totp_rs::{Builder, Totp};

use super::PeopleError;
use super::password::BYTES_MAX;
use crate::audit::random;
use crate::digest::hex;

/// Bytes of a second-factor secret (RFC 4226 §4 recommends 160 bits).
pub(super) const TOTP_BYTES: usize = 20;

//------------ Tokens --------------------------------------------------------

/// A token of 256 random bits in lower-case hexadecimal.
pub fn random_token() -> Result<String, PeopleError> {
    Ok(hex(&random::<32>()?))
}

/// HMAC-SHA256 of a purpose and a value, in hexadecimal: form tokens are made of it.
pub fn keyed_tag(key: &[u8], purpose: &str, value: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let text = format!("{}:{purpose}:{value}", purpose.len());
    hex(hmac::sign(&key, text.as_bytes()).as_ref())
}

//------------ Passwords -----------------------------------------------------

/// Hashes a password with a fresh salt. Slow and 19 MiB large on purpose: not on a runtime thread.
pub(super) fn hash_password(password: &str) -> Result<String, PeopleError> {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| PeopleError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password is the one hashed. Without a hash the same work is done and the result is
/// false, so that the time taken does not reveal which names exist.
pub(super) fn password_matches(password: &str, phc: Option<&str>) -> bool {
    if password.len() > BYTES_MAX {
        return false;
    }
    let Some(phc) = phc else {
        let _ = hash_password(password);
        return false;
    };
    PasswordHash::new(phc)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

//------------ Second factor -------------------------------------------------

/// A new second-factor secret.
pub(super) fn new_totp_secret() -> Result<Vec<u8>, PeopleError> {
    Ok(random::<TOTP_BYTES>()?.to_vec())
}

/// The time step a code belongs to, if it is right now (one step early or late is allowed).
pub(super) fn totp_step(secret: &[u8], code: &str, now_ms: i64) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let now = u64::try_from(now_ms / 1000).ok()?;
    let step = totp(secret, "")?.check(&code, now)?;
    i64::try_from(step).ok()
}

/// The secret as people type it: base 32 in groups of four.
pub(super) fn totp_text(secret: &[u8]) -> String {
    let text = BASE32_NOPAD.encode(secret);
    let groups: Vec<&str> =
        text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(" ")
}

/// The `otpauth:` address an authenticator app reads.
pub(super) fn totp_url(secret: &[u8], name: &str) -> Option<String> {
    totp(secret, name)?.to_url().ok()
}

/// The generator: SHA-1, six digits, 30 seconds, which every app knows.
fn totp(secret: &[u8], name: &str) -> Option<Totp> {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_skew(1)
        .with_account_name(name)
        .with_issuer(Some("gapura"))
        .build()
        .ok()
}
