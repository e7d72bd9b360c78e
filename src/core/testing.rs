//! What unit tests of several rooms share, here and in the program above: this test binary run again as a child, a named
//! pipe, and helpers of the package below.
#![allow(dead_code, unused_imports)] // Each of the two packages uses a part of it.

use std::path::Path;
use std::process::{Command, Stdio};

#[path = "../dns/dns_client/testing.rs"]
mod fake_server;
#[path = "../dns/sign/tests/validators.rs"]
mod validators;

pub(crate) use fake_server::FakeServer;
pub(crate) use validators::judge_without;

/// This test binary, to be run again for one test that is otherwise ignored. What it prints is nobody's.
pub(crate) fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Makes a named pipe, for tests of what is not waited for.
pub(crate) fn make_pipe(path: &Path) {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from(0o600)).unwrap();
}
