//! How the keys of a signed zone come and go: the [`Policy`] a zone is signed by, its [`KeySet`], and the
//! state machine that rolls keys without a moment in which some resolver cannot validate.
//!
//! # The machine
//!
//! The keys of a zone stand in two tracks: the *entry* keys, which the parent's DS names and which sign
//! the DNSKEY RRset, and the *zone* keys, which sign the rest. A CSK stands in both, a KSK in the first, a
//! ZSK in the second. Each track rolls by itself, because what a resolver holds hangs together in two
//! places only: a DS and a DNSKEY RRset by the entry keys, a DNSKEY RRset and signatures by the zone keys.
//! A key is published as long as a track needs it. Only a change of the algorithm rolls both tracks as
//! one, since a strict resolver wants a signature by every algorithm it was told of (RFC 6840 §5.11).
//!
//! ```text
//! parent     Introducing ─T zone─▶ Wanted ─DS at all servers of the parent─▶ Secure
//!                 │                  │  ▲                                      │
//!          unsign │                  └──┼───────────────unsign─────────────────┤
//!                 ▼      T ds           │ cancel                               ▼
//!             Unsigned ◀───── Expiring ◀┴────── no DS at any server ──── Leaving (CDS: delete)
//!                 ▲                                                            │
//!                 └─────────────── no DS, and there never was one ─────────────┘
//!
//! entry      Publishing ─T keys─▶ DsExchange ─new DS everywhere, old nowhere─▶ DsExpiring ─T ds─▶ old gone
//! roll                              ▲      ◀──────── the parent went back ────────┘
//!                                   └ cancel: old and new change places
//!
//! zone       Publishing ─T keys─▶ Switching ─all signed anew─▶ Draining ─T zone─▶ old gone
//! roll, in an emergency           Doubling ─all signed by both─▶ Doubled ─T zone, T keys─▶ old gone
//!
//! algorithm  PreSigning ─all signed by both─▶ PreSigned ─T zone─▶ Publishing ─T keys─▶ DsExchange
//! roll         ─new DS everywhere, old nowhere─▶ DsExpiring ─T ds─▶ Withdrawing ─T keys─▶ old signatures gone
//!
//! T keys = TTL of the DNSKEY RRset + propagation     T zone = largest TTL in the zone + propagation
//! T ds   = TTL of the DS at the parent + propagation     ("until caches have run out of what was before")
//! ```
//!
//! A CSK rolls its entry track first; then the zone track follows to the new key, as it does whenever the
//! policy's arrangement and the keys differ. So a change from one key to two, or back, needs no new DS.
//!
//! # What it is not
//!
//! No clock (time is a parameter, in seconds since 1970), no files, no DNS: what is known of the world comes
//! as [`Facts`], and what to sign is asked of the [`KeySet`]. Rollovers by RFC 5011 are not offered: a zone
//! with a parent needs none. Nor are signalling records of RFC 9615: a first DS goes to the parent by hand or
//! by CDS.
//!
//! RFC 6781 §4, RFC 7583 (timing), RFC 7344 and 8078 (CDS), RFC 6840 §5.11.

mod again;
mod cancel;
mod command;
mod facts;
mod key;
mod next;
mod places;
mod policy;
mod set;
mod stage;
mod start;
mod state;
mod ttl;
mod waits;

pub use crate::dnssec::Denial;
pub use command::{Command, Refusal};
pub use facts::{Facts, ParentServer, Parents, SeenDs};
pub use key::{Key, KeyId, KeyState, Role};
pub use next::{Act, Cached, Next, Place, Start, Step, Why};
pub use policy::{Arrangement, Policy, PolicyFault};
pub use set::{Cds, KeyNeed, KeySet};
pub use stage::{AlgorithmStage, EntryStage, Parent, ZoneStage};
pub use state::StateError;
pub use waits::Wait;

#[cfg(test)]
mod tests;
