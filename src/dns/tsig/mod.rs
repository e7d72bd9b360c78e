//! TSIG (RFC 8945): messages signed with a secret that both ends know.
//!
//! ```text
//! server   verify_request ─► Request (the message without its TSIG) ─► Signer::sign, one response
//!                         └► Rejected (BADKEY, BADSIG, BADTIME, …)   └► StreamSigner, every message of a transfer
//! client   sign_query ─► Expected::verify, one response
//!                                └► StreamVerifier, every message of a transfer
//! ```
//!
//! Nothing here reads a socket, a clock or a file: the time is a parameter, in seconds since 1970, and keys
//! come from whoever read the settings. Secrets are in no error and in no `Debug`.

mod key;
mod record;

mod client;
mod server;
mod stream;

pub use client::{Expected, ResponseFault, sign_query};
pub use key::{Algorithm, Key, Keyring, UnknownAlgorithm, secret_octets};
pub use server::{Rejected, Request, Signer, TsigFault, verify_request};
pub use stream::{StreamSigner, StreamVerifier};

use crate::wire::Rcode;

/// How far apart both clocks may be, in seconds (RFC 8945 §10).
pub const FUDGE_SECONDS: u16 = 300;

/// The name of an error of TSIG, if it has one. BADSIG shares its number with BADVERS of EDNS.
pub fn code_name(code: u16) -> Option<&'static str> {
    if code == TsigFault::BadSig.code() { Some("BADSIG") } else { Rcode(code).mnemonic() }
}

#[cfg(test)]
mod tests;
