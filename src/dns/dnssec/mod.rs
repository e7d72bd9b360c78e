//! DNSSEC as data and arithmetic: algorithms, DNSKEY and DS, a key pair that signs, one RRSIG made and
//! verified.
//!
//! Which RRsets are signed is said by `sign`, which keys are used by `rollover`, where private keys lie
//! by `keystore`. Nothing here reads files or clocks. RFC 4034; RFC 8624 for the algorithms, RFC 5702,
//! 6605 and 8080 for how they write keys and signatures.

mod algorithm;
mod denial;
mod der;
mod dnskey;
mod ds;
mod key_pair;
mod private_key;
mod rrsig;
mod span;
mod verify;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use denial::Denial;
pub use dnskey::{Dnskey, KSK, SEP, ZONE, ZSK, key_tag};
pub use ds::{CDNSKEY_DELETE, CDS_DELETE, DigestType, ds, ds_line, key_digest};
pub use key_pair::{KeyError, KeyPair, Pkcs8, Signature};
pub use private_key::PrivateKey;
pub use rrsig::Rrsig;
pub use span::Span;
pub use verify::{unverifiable_bits, verifies, verify};

#[cfg(test)]
mod tests;
