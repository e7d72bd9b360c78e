//! Catalog zones (RFC 9432): a zone that lists zones, from which secondaries know what they are to serve.
//!
//! [`members`] reads one, whole or not at all; [`text`] makes one. What is done about members that come and
//! go is decided by `publish`. Pure: zones in, values out.

mod make;
mod read;

pub use make::{label, text};
pub use read::{CatalogFault, Member, members};

#[cfg(test)]
mod tests;
