//! What crosses rooms, as one binary: the library and the daemon are linked once.
//!
//! `cargo test --test it MODULE::` runs one module. Without the feature `approval` the binary tests
//! the name server alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, unreachable_pub)] // a test stops at the first surprise

//--- The answer engine, bytes in and bytes out
mod answer;

//--- Zone files, good and bad
mod zones;

//--- The daemon from outside: real sockets, real files
#[cfg(feature = "approval")]
mod api;
#[cfg(feature = "approval")]
mod api_clients;
mod backup;
mod bad_days;
#[cfg(feature = "approval")]
mod bulk;
mod catalog;
#[cfg(feature = "approval")]
mod crawl;
#[cfg(all(feature = "approval", feature = "postgres"))]
mod database;
#[cfg(feature = "approval")]
mod demo;
mod dnstap;
mod edge;
#[cfg(feature = "approval")]
mod faults;
mod fleet;
mod import;
mod keys;
mod namespaces;
#[cfg(all(feature = "approval", feature = "postgres"))]
mod nodes;
#[cfg(all(feature = "approval", feature = "postgres"))]
mod nodes_expiry;
#[cfg(all(feature = "approval", feature = "postgres"))]
mod nodes_pages;
mod operation;
#[cfg(feature = "approval")]
mod pages;
#[cfg(feature = "approval")]
mod papers;
mod parents;
#[cfg(feature = "approval")]
mod phone;
#[cfg(all(feature = "approval", feature = "postgres"))]
mod postgres_cluster;
mod prometheus;
#[cfg(feature = "approval")]
mod regency;
mod rollover;
mod secondary;
mod serials;
mod serve;
mod service;
mod signed;
mod signing;
mod signing_keys;
mod skipped;
#[cfg(feature = "approval")]
mod story;
mod support;
mod transfers;
mod update;
#[cfg(feature = "approval")]
mod uploads;
mod watch;
#[cfg(feature = "approval")]
mod webhooks;
mod xdp;
mod zone_dir;

//--- The shape of the source tree, and its manual
mod limits;
mod manual;
#[cfg(feature = "approval")]
mod reference;
mod tidy;
