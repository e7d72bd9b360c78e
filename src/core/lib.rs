//! What the program stands on: the database, the making of a change, the rules of the procedure, the chain of events.
//!
//! The rooms of this package use those of `gapura-dns` and nothing of the program above: no settings, no pages, no
//! commands. It is a package of its own so that it is optimized where the program is not
//! (docs/adr/0008-build-profiles.md). The map of all rooms is in `src/lib.rs` of the program, under whose name each of
//! these is known too: `gapura::store` is [`store`].
#![deny(unsafe_code)]

//--- The package below, whose rooms are named as if they were here
use gapura_dns::{
    answer, catalog, check, digest, dns_client, dnssec, files, keystore, lock, master, memory,
    rollover, serve, sign, text, threads, transfer, tsig, update, wire, zone,
};

//--- Road 2: a zone file goes live
pub mod fleet;
pub mod publish;
pub mod signer;
pub mod store;

//--- Road 3: its rules and its chain
#[cfg(feature = "approval")]
pub mod audit;
#[cfg(feature = "approval")]
pub mod queue;
#[cfg(feature = "approval")]
pub mod schema;
#[cfg(feature = "approval")]
pub mod spreadsheet;

#[cfg(all(any(test, feature = "testing"), feature = "postgres"))]
#[path = "../../tests/it/postgres_cluster.rs"]
#[allow(clippy::unwrap_used)] // Helpers of tests.
mod postgres_cluster;
#[cfg(any(test, feature = "testing"))]
#[path = "../../tests/it/skipped.rs"]
#[allow(dead_code)] // Without a server, tests only say it.
mod skipped;
#[cfg(test)]
mod testing;
