//! The answer engine from outside: bytes in, bytes out. No sockets but those of the peers.

pub(crate) mod canon;
mod engine;
mod fuzzed;

mod corpus;
pub(crate) mod differential;
mod large;
mod limits;
mod options;
mod rfc8906;
mod scenarios;
mod silence;
mod validated;
