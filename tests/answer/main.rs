//! The answer engine from outside: bytes in, bytes out. No sockets but those of the peers.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, unreachable_pub)] // a test or bench stops at the first surprise

mod canon;
mod engine;
mod fuzzed;

mod corpus;
mod differential;
mod large;
mod limits;
mod options;
mod rfc8906;
mod scenarios;
mod silence;
