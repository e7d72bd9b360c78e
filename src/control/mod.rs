//! The control socket: how commands reach a running daemon.
//!
//! A Unix socket `control.sock` in the state directory, mode 0600; the peer must be root or the daemon's own user. One
//! line of JSON each way: a [`Command`] of at most 64 KiB, and a [`Reply`]. A few clients are served at a time, each with
//! deadlines, so that one that hangs delays no other for long. `run` starts the server and carries out the commands;
//! this room knows neither zones nor people.

mod client;
mod protocol;
mod server;

pub use client::{CallError, call};
pub use protocol::{Command, GivenKey, KeyAct, OfficeCommand, Person, Reply, Token};
pub use server::{Server, Session};

use std::path::{Path, PathBuf};

/// Where the socket of a state directory is.
pub fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join("control.sock")
}

#[cfg(test)]
mod tests;
