//! The clockwork of signed zones: what only time or the parent zone brings about.
//!
//! [`parent`] finds the servers of the parent zone and looks which DS records they have.

pub mod parent;
