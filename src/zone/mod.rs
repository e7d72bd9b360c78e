//! A zone as it is served: [`Zone`] is one immutable version, [`ZoneSet`] all zones now served.
//!
//! # How it is stored
//!
//! A version is a persistent trie over canonical names (`trie`). At each name stands a node: a run of
//! bytes with the owner, flags that were fixed when the zone was compiled (`node`), and its RRsets as
//! they go out on the wire (`rrset`). Changing a name copies the path to it and shares the rest.
//! Names are not stored twice and an RRset is not taken apart to answer.
//!
//! # How it is answered from
//!
//! [`Zone::lookup`] finds the node or the closest encloser, and the cut or DNAME on the way, in one
//! descent. [`RrsetRef::write`] copies an RRset into the response: owners become a pointer
//! ([`Owner::At`]; 12 is the QNAME, for a wildcard too), and a name that ends RDATA of the types that
//! may be compressed (NS, CNAME, PTR, MX, SOA) becomes labels and a pointer to the apex at the end of
//! the QNAME ([`ApexPointer::inside`], made once a query). [`RrsetRef::write_signatures`] does the
//! same for the RRSIGs that cover it, [`RrsetRef::write_soa`] caps the TTL for negative responses.
//! NSEC3 owners are kept apart: they do not exist as names.
//!
//! This room knows no files, sockets, clocks or locks. It uses `wire` only.

mod builder;
mod compile;
mod contents;
mod delta;
mod encode;
mod key;
mod node;
mod nsec3;
mod rrset;
mod set;
mod stage;
mod trie;

pub use builder::{BuildFault, BuildFaultKind, ZoneBuilder};
pub use contents::{Found, Soa, Zone};
pub use delta::{ApplyError, Delta};
pub use node::NodeRef;
pub use nsec3::{Nsec3Params, Nsec3Ref};
pub use rrset::{ApexPointer, Owner, RrsetRef};
pub use set::{Entry, ZoneSet};
pub use trie::Nodes;

#[cfg(test)]
mod tests;
