//! Keeps secondary zones fresh: when a primary is asked, which one, and what comes of it.
//!
//! ```text
//! REFRESH over, or NOTIFY ─► SOA ─┬─ same serial ─► refreshed: EXPIRE counts anew
//!                                 ├─ newer ─► IXFR ─► AXFR where that is refused or does not fit ─► published
//!                                 └─ older, silent, refused ─► the next primary; after the last, RETRY
//! EXPIRE over ─► SERVFAIL until the next refresh
//! ```
//!
//! Time is counted by a clock that nobody sets. A few threads pull, so that many zones and a primary that
//! hangs hold up each other as little as can be: who was notified goes first, and an address that did not
//! answer is left alone for a while. They are started with the first secondary zone.
//!
//! `timer` is one zone's times, without socket and clock; `keeper` has the threads; `pull` asks primaries.

mod keeper;
mod pull;
mod timer;

pub(super) use keeper::Keeper;
pub use keeper::RefreshStatus;
