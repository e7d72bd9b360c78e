//! Keeps secondary zones fresh: when a primary is asked, which one, and what comes of it.
//!
//! ```text
//! REFRESH over, or NOTIFY ─► SOA ─┬─ same serial ─► refreshed: EXPIRE counts anew
//!                                 ├─ newer ─► IXFR ─► AXFR where that fails or does not fit ─► published
//!                                 └─ older, silent, refused ─► the next primary; after the last, RETRY
//! EXPIRE over ─► SERVFAIL until the next refresh
//! ```
//!
//! Time is counted by a clock that nobody sets. Threads pull, so that many zones and a primary that hangs hold
//! up each other as little as can be: who was notified takes turns with whom time drives, an address has a few
//! places for questions and for transfers, one that did not answer is left alone for a while, and where all
//! threads are at work another one is started. The first is started with the first secondary zone.
//!
//! `timer` is one zone's times, `addresses` what is known of primaries, `book` all zones, none of them with socket
//! or clock; `watched` is one zone; `keeper` has the threads; `pull` goes through the primaries, `ask` speaks
//! with one, `why` is what they fail for; `serial` asks once, without a daemon.

mod addresses;
mod ask;
mod book;
mod keeper;
mod pull;
mod serial;
mod timer;
mod watched;
mod why;

pub use ask::fetch;
pub(super) use keeper::Keeper;
pub use keeper::RefreshStatus;
pub use serial::serial_at;

#[cfg(test)]
mod tests;
