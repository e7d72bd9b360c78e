//! A zone as it is served: [`Zone`] is one immutable version, [`ZoneSet`] all zones now served.
//!
//! # How it is stored
//!
//! A version is a persistent trie over canonical names (`trie`). Each name has a node: a run of
//! bytes with the owner, flags that were fixed when the zone was compiled (`node`), and its RRsets as
//! they go out on the wire (`rrset`). Changing a name copies the path to it and shares the rest.
//! Names are not stored twice and an RRset is not taken apart to answer.
//!
//! # How it is answered from
//!
//! [`Zone::lookup`] finds the node or the closest encloser, and the cut or DNAME on the way, in one
//! descent. [`RrsetRef::block`] is an RRset as it goes out when the QNAME owns it; compressing names in
//! RDATA is left to `answer`. Only the SOA of negative responses is prepared in full ([`NegativeSoa`]).
//! NSEC3 owners are kept apart: they do not exist as names.
//!
//! This room knows no files, sockets, clocks or locks. It uses `wire`, and threads to build what is large.

mod ahead;
mod apex;
mod builder;
mod compile;
mod contents;
mod delta;
mod encode;
mod key;
mod load;
mod node;
mod nsec3;
mod order;
mod outline;
mod rrset;
mod set;
mod stage;
mod time_left;
mod trie;
mod zonemd;

pub use ahead::{AHEAD_MAX, Near, look_ahead};
pub use apex::{NegativeSoa, Soa};
pub use builder::{BuildFault, BuildFaultKind, ZoneBuilder};
pub use contents::{Found, Zone, name_hash};
pub use delta::{ApplyError, Delta, NodePair};
pub use node::NodeRef;
pub use nsec3::{Nsec3Params, Nsec3Ref, hash_of, hashed_name};
pub use outline::{Maker, Outline, Part, Sheet, Tree};
pub use rrset::{Block, RrsetRef};
pub use set::{Entry, ZoneSet};
pub use time_left::TimeLeft;
pub use trie::Nodes;

#[cfg(test)]
mod tests;
