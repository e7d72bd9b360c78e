//! A zone's content and a plan in, the signed zone out: keys, chain and signatures (RFC 4035 §2, 5155 §7).
//!
//! ```text
//! content ─┐
//!          ├─► whole   everything; keeps what is still good of another version        whole.rs
//! plan ────┤   change  what a delta touches, and the chain around it                  change.rs
//!          └─► renew   what will end soon, or a key that goes has signed; when next   renew.rs
//! served ────► strip   back to the content                                            strip.rs
//! ```
//!
//! Each name is made by one rule (`name.rs`, `signer.rs`), so a version that went through a thousand changes
//! is the one that would be made at once, but for the signatures. [`verify_change`] looks at the outcome with
//! the public keys before anybody is served it. Signatures are spread over time (`times.rs`), so that
//! renewing them is a trickle.
//!
//! | signed | by |
//! |---|---|
//! | DNSKEY, CDS, CDNSKEY at the apex (RFC 4035 §2.2, 7344 §4.1) | the key signers |
//! | all else that is authoritative, DS at a cut, NSEC, NSEC3, ZONEMD | the zone signers |
//! | NS and glue at a cut, all below a cut or DNAME | nobody |
//!
//! NSEC3 is as RFC 9276 wants it: SHA-1, no extra iterations, no salt, no opt-out. The chain's TTL is the
//! lesser of the SOA's TTL and MINIMUM (RFC 9077). Which keys sign when is decided by `rollover`; nothing
//! here reads a clock or a file, and threads are started in one file only (`parallel.rs`).

mod chain;
mod change;
mod edits;
mod name;
mod parallel;
mod plan;
mod renew;
mod signer;
mod strip;
mod times;
mod verify;
mod whole;

pub use change::change;
pub use plan::{Plan, SignError};
pub use renew::{Due, due, renew};
pub use strip::{is_of_signing, is_proof, strip};
pub use times::BACKDATED_S;
pub use verify::{Unsound, verify_change};
pub use whole::whole;

#[cfg(test)]
mod tests;
