//! gapura: an authoritative DNS server and the approval queue that feeds it, in one program.
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
//! **Road 1.** [`serve`] takes packets off its sockets and gives each to [`answer`], which looks the
//! name up in a compiled [`zone`] and writes the response. [`wire`] is the language they share.
//! Nothing on this road waits: the served zones are behind one atomic pointer.
//!
//! **Road 2.** [`master`] reads an edited zone file, and [`check`] checks it as a whole. [`publish`]
//! merges it with the promoted records, gives it a serial, commits it to [`store`], swaps the pointer,
//! and queries our own socket to confirm the change. A file with one error changes nothing.
//!
//! **Road 3.** A request comes in through [`web`] or [`cli`] and goes to the [`desk`], which performs
//! every act. The rules of the procedure are in [`queue`], which is pure; the [`ledger`] writes the result
//! of an act to [`store`] and to the event chain of [`audit`], in one transaction. An approved request
//! goes through [`promote`], which has [`publish`] make the change and keeps the read-back as proof.
//!
//! [`publish`] is the only way to change live data. A file edit, an approved request and a rollback are
//! each a change from one serial to the next, with one journal entry, one line of history and one
//! pointer swap that readers never see half of.
//!
//! # The rooms
//!
//! | room | what it holds |
//! |---|---|
//! | [`wire`] | names, types, messages, EDNS, RDATA; total readers and a writer with a limit |
//! | [`digest`] | SHA-256 and hexadecimal digits |
//! | [`files`] | reading files without blocking if something else has taken their place |
//! | [`lock`] | locks whose holder may have panicked |
//! | [`memory`] | hints about memory: what is read soon, what is large, what is free again |
//! | [`threads`] | work spread over threads, where threads can be had |
//! | [`text`] | appending to a string, an error with its causes |
//! | [`dns_client`] | queries a name server, usually our own sockets, and reads its response |
//! | [`dnssec`] | algorithms, DNSKEY and DS, a key pair that signs, one RRSIG made and verified |
//! | [`rollover`] | the keys of a signed zone: policy, state machine, what it waits for |
//! | [`tsig`] | messages signed with a shared secret, and verified |
//! | [`zone`] | the immutable compiled zone, and the set of all zones now served |
//! | [`transfer`] | zone transfers as messages: AXFR and IXFR, going out and coming in |
//! | [`update`] | UPDATE messages: parsing, permissions, and the resulting RRsets |
//! | [`answer`] | zones and a query's octets in, a response's octets out; no I/O, no failure |
//! | [`serve`] | sockets, rate limit, access list, cookies' secret, query log |
//! | [`master`] | zone file text to records or findings, and back |
//! | [`check`] | the semantic rules of a whole zone |
//! | [`keystore`] | private keys of zones as files; reading the key files of other programs |
//! | [`sign`] | a zone's content and a plan in, the signed zone out: keys, chain and signatures |
//! | [`catalog`] | catalog zones: reading and producing them |
//! | [`store`] | the database; all SQL |
//! | [`publish`] | candidates, decisions, and the one function that makes a change live |
//! | [`signer`] | the timed work of signed zones: rollovers, renewals, the DS at the parent, alarms |
//! | [`fleet`] | the other name servers: permissions, NOTIFY, monitoring of secondaries |
//! | [`queue`] | the procedure: acts, stages, persons, clocks, check sheet |
//! | [`schema`] | OpenAPI schemas of the types of the queue |
//! | [`audit`] | the event chain, checkpoints, anchors, sealed values, the verifier |
//! | [`dossier`] | what each paper of a request says |
//! | [`ledger`] | the only writer of the procedure's results |
//! | [`people`] | accounts, roles, passwords, second factor, sessions, tokens |
//! | [`register`] | live names: what was approved, what is served, and where they differ |
//! | [`promote`] | an approved request becomes a change, the read-back its proof |
//! | [`confined`] | work in a child process, with limits |
//! | [`uploads`] | letters, examined in a confined process |
//! | [`spreadsheet`] | what spreadsheets read and write: cells, records of CSV |
//! | [`bulk`] | requests in bulk: a table from a spreadsheet and an archive of letters |
//! | [`view`] | what each reader may see of a request: the JSON of API and pages |
//! | [`desk`] | every act of the queue, and its timers |
//! | [`words`] | message catalogues; dates and numbers as people read them |
//! | [`notice`] | the text of notices, and the mail that carries it |
//! | [`paper`] | papers: the content of each, as a PDF and as a page for printing |
//! | [`press`] | renders papers in a confined process |
//! | [`report`] | the monthly report |
//! | [`webhook`] | events sent to external programs in signed calls |
//! | [`statistics`] | queries over time, by kind and name, without client addresses |
//! | [`web`] | pages and JSON API |
//! | [`config`] | settings, their defaults, findings about them |
//! | [`import`] | the settings of other name servers, converted to tables of ours |
//! | [`backup`] | the backup file: an archive with a manifest that reveals any damage |
//! | [`control`] | the control socket |
//! | [`service`] | the daemon's side towards the system: systemd, passed sockets, user and privileges, hand-over |
//! | [`metrics`] | metrics and health, on a listener of their own |
//! | [`run`] | the daemon: start and stop, connects settings and rooms |
//! | [`cli`] | the commands |
//!
//! `tests/it/tidy.rs` checks which room may use which. The feature `approval` (on by default) contains
//! road 3; without it gapura is a name server alone.
//!
//! # What always holds
//!
//! - Live data changes only in [`publish`]; nothing is served or acknowledged before it is on disk.
//! - Journal, promoted records and the request's event are one transaction: after a crash the state is
//!   that before the change or that after it.
//! - A bad candidate changes nothing. The operator's zone file is never written.
//! - [`answer`] is total and [`zone`] immutable: no panic, lock, allocation or system call per query.
//! - Port 53 first: no failing database, key, log or page stops answering.
//! - A rule of the procedure, the making of a change, the writing of an event, the text of a notice:
//!   each is in one place.
//!
//! The manual is in `docs/`: architecture, procedure, DNS behaviour, decisions.
// The links to the rooms of road 3.
#![cfg_attr(not(feature = "approval"), allow(rustdoc::broken_intra_doc_links))]
#![deny(unsafe_code)]

//--- What answers, a package of its own in src/dns: what all rooms share, road 1, and the checks of road 2
pub use gapura_dns::{
    answer, catalog, check, digest, dns_client, dnssec, files, keystore, lock, master, memory,
    rollover, serve, sign, text, threads, transfer, tsig, update, wire, zone,
};

//--- What the rest stands on, a package of its own in src/core: road 2, the rules of road 3, the chain, the database
#[cfg(feature = "approval")]
pub use gapura_core::{audit, queue, schema, spreadsheet};
pub use gapura_core::{fleet, publish, signer, store};

//--- Road 3: a request goes live
#[cfg(feature = "approval")]
pub mod bulk;
#[cfg(feature = "approval")]
pub mod confined;
#[cfg(feature = "approval")]
pub mod desk;
#[cfg(feature = "approval")]
pub mod dossier;
#[cfg(feature = "approval")]
pub mod ledger;
#[cfg(feature = "approval")]
pub mod notice;
#[cfg(feature = "approval")]
pub mod paper;
#[cfg(feature = "approval")]
pub mod people;
#[cfg(feature = "approval")]
pub mod press;
#[cfg(feature = "approval")]
pub mod promote;
#[cfg(feature = "approval")]
pub mod register;
#[cfg(feature = "approval")]
pub mod report;
#[cfg(feature = "approval")]
pub mod statistics;
#[cfg(feature = "approval")]
pub mod uploads;
#[cfg(feature = "approval")]
pub mod view;
#[cfg(feature = "approval")]
pub mod web;
#[cfg(feature = "approval")]
pub mod webhook;
#[cfg(feature = "approval")]
pub mod words;

//--- The building
pub mod backup;
pub mod cli;
pub mod config;
pub mod control;
pub mod import;
pub mod metrics;
pub mod run;
pub mod service;

#[cfg(test)]
#[path = "../tests/it/skipped.rs"]
mod skipped;
#[cfg(test)]
#[path = "core/testing.rs"]
mod testing;
