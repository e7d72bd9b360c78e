//! A demonstration (`gapura demo`) as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::kill;

/// How long a demonstration may take to be made, or to end, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A demonstration that runs; ended when dropped.
pub struct Demo {
    /// The process.
    child: Child,
    /// What it printed when it was ready.
    pub ready: Value,
}

impl Demo {
    /// Starts one whose directories for files of a moment are in `temp`.
    pub fn start(temp: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gapura"))
            .args(["demo", "--json"])
            .args(more)
            .env("TMPDIR", temp)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(temp.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(temp.join("log")).unwrap_or_default();
        let ready = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("demo printed {line:?} ({error}):\n{}", log()));
        Self { child, ready }
    }

    /// Sends a signal and waits for the end; the exit code.
    pub fn end(mut self, signal: &str) -> Option<i32> {
        kill(self.child.id(), signal);
        wait(&mut self.child)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a process; its exit code.
pub fn wait(child: &mut Child) -> Option<i32> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it did not end within {PATIENCE:?}");
}
