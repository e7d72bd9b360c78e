//! gapura: an authoritative DNS server and the approval queue that feeds it.
//!
//! # The three roads
//!
//! ```text
//! road 1  a query is answered      packet in ─► serve ─► answer ─(reads)─► zone ─► packet out
//! road 2  a zone file goes live    file edit ─► master ─► check ─┐
//!                                                                ├─► publish ─► zone
//! road 3  a request goes live      form, API, CLI ─► desk ───────┘
//! ```
//!
//! [`publish`] is the only door to live data: a file edit and an approved request are both a change
//! from one serial to the next, with one journal entry, one line of history and one pointer swap
//! that readers never see half of.
#![deny(unsafe_code)]

//--- What all rooms speak
pub mod wire;

//--- Road 1: a query is answered
pub mod answer;
pub mod serve;
pub mod zone;

//--- Road 2: a zone file goes live
pub mod check;
pub mod master;
pub mod publish;
pub mod store;

//--- Road 3: a request goes live
#[cfg(feature = "approval")]
pub mod audit;
#[cfg(feature = "approval")]
pub mod desk;
#[cfg(feature = "approval")]
pub mod ledger;
#[cfg(feature = "approval")]
pub mod notice;
#[cfg(feature = "approval")]
pub mod people;
#[cfg(feature = "approval")]
pub mod promote;
#[cfg(feature = "approval")]
pub mod queue;
#[cfg(feature = "approval")]
pub mod report;
#[cfg(feature = "approval")]
pub mod web;
#[cfg(feature = "approval")]
pub mod words;

//--- The building
pub mod cli;
pub mod config;
pub mod control;
pub mod metrics;
pub mod run;
