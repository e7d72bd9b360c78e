//! The door: where a proposal becomes a durable change that is served and confirmed.

mod expect;
mod sockets;

pub use expect::{Confirmation, Expectation, Refuted, SerialExpected};
pub use sockets::{Asked, Sockets};

#[cfg(test)]
mod tests;
