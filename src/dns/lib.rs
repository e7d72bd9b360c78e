//! What answers: everything that gapura needs to read zones, judge them, sign them and answer queries.
//!
//! The rooms of this package use nothing of the program above it: no database, no settings, no procedure. It is a
//! package of its own so that it is compiled apart, and optimized where the program is not (docs/adr/0008-build-profiles.md). The map of
//! all rooms is in `src/lib.rs` of the program, under whose name each of these is known too: `gapura::wire` is
//! [`wire`].
#![deny(unsafe_code)]

//--- What all rooms speak
pub mod digest;
pub mod dns_client;
pub mod dnssec;
pub mod files;
pub mod lock;
pub mod memory;
pub mod text;
pub mod threads;
pub mod tsig;
pub mod wire;

//--- Road 1: a query is answered
pub mod answer;
pub mod serve;
pub mod transfer;
pub mod update;
pub mod zone;

//--- Road 2: a zone file is read, judged and signed
pub mod catalog;
pub mod check;
pub mod keystore;
pub mod master;
pub mod rollover;
pub mod sign;

#[cfg(test)]
#[path = "../../tests/it/namespaces.rs"]
#[allow(clippy::unwrap_used)] // Helpers of tests.
mod namespaces;
#[cfg(test)]
#[path = "../../tests/it/skipped.rs"]
mod skipped;
#[cfg(test)]
mod testing;
