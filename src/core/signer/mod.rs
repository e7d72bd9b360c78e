//! The clockwork of signed zones: what only time, a person's word or the parent zone brings about.
//!
//! ```text
//! time ─────┐                 ┌─► keys are made, a roll goes a step on ─┐
//! command ──┼─► agenda ─► turn┼─► signatures that end soon: a part of them ┼─► publish
//! reload ───┘      ▲          └─► first signatures, the last ones, a new policy ┘
//!                  │
//! parent's servers ┴── looks: which DS do they have     NOTIFY(CDS) ──► parent
//! ```
//!
//! One thread takes the turns of all zones, one after the other; a few others wait for servers of parents.
//! Nothing here is on the path of an answer or of a change that somebody waits for. What a step is, and
//! whether it is due, `rollover` decides; `publish` makes it live. What is wrong, or waits for a person, is
//! an [`Alarm`].
//!
//! A clock that is doubted, or before the newest signature, signs nothing: what is served stays, and an
//! alarm says so until it is well again. One that was set makes the waits of rollovers begin again.

mod agenda;
mod alarm;
mod book;
mod clock;
mod facts;
mod handle;
mod keys;
mod look;
pub mod parent;
mod settings;
mod trouble;
mod turn;

pub use alarm::{Alarm, Trouble};
pub use handle::Signer;

#[cfg(test)]
mod tests;
