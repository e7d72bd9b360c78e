//! Dynamic updates (RFC 2136): an UPDATE message read, who may have it done, its prerequisites, and the
//! RRsets that come of it.
//!
//! ```text
//! octets ─► Update::read ─► Grants::judge ─► Update::apply ─► RRsets that change
//!           FORMERR,        REFUSED          NXDOMAIN, YXDOMAIN,
//!           NOTAUTH, NOTZONE                 NXRRSET, YXRRSET
//! ```
//!
//! A message with a fault anywhere is turned back before anything is looked up, and a key that may not
//! write at a name may not ask about it either. Nothing here knows TSIG, a clock or the database, and
//! nothing is changed: the caller makes the RRsets live, on the very version they were computed from.

mod apply;
mod grant;
mod message;
mod pattern;
mod view;

pub use apply::{Rrset, Unmet};
pub use grant::{Denied, Grant, GrantFault, Grants, How};
pub use message::{Instruction, Prerequisite, RECORDS_MAX, Update, UpdateFault};
pub use pattern::{Pattern, PatternFault};
pub use view::View;

#[cfg(test)]
mod tests;
