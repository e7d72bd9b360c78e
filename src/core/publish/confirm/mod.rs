//! Queries our own sockets, like any client, to see whether they serve a change.

mod expect;
mod sockets;

pub(crate) use expect::answered_by;
pub use expect::{Confirmation, Expectation, Refuted, SerialExpected};
pub use sockets::{Observation, Sockets};

#[cfg(test)]
mod tests;
