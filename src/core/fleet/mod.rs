//! The fleet: the other name servers that gapura works with, and what each of them may do.
//!
//! [`Rules`] are what the settings say of remotes and zones. [`Fleet`] performs what the sockets hand over
//! ([`serve::Operations`](crate::serve::Operations)): it decides whether the requester may, and passes the
//! work on to the room that does it. It tells secondaries of changes, and keeps zones fresh whose primary is
//! another server. How transfers look on the wire is `transfer`'s, signatures are `tsig`'s.
//!
//! A remote may do what a zone's list names it for, and only if its address, its key and its transport are
//! what its `[[remote]]` says. Nobody may do anything that no list names them for.

mod handle;
mod operations;
mod pace;
mod proposal;
mod rules;
mod updates;

//--- Secondaries: who they are, what they are told, what is known of them
mod counts;
mod flight;
mod link;
mod links;
mod message;
mod peers;
mod teller;

//--- Primaries: when they are asked, and for what
mod refresh;

pub use handle::{Fleet, Heed, Told};
pub use proposal::{Applicant, NotProposed, Proposal, Queue};
pub use refresh::{RefreshStatus, fetch, serial_at};
pub use rules::{Remote, RemoteTls, Rules, UpdateRules, ZoneRules};

#[cfg(test)]
mod tests;
