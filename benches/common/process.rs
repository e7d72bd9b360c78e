//! A server as a process on CPU 0.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process; it ends with the value.
pub struct Process(Child);

impl Process {
    /// Starts a command, whose words have no spaces, and keeps what it prints in the file `log` of a directory.
    pub fn start(command: &str, directory: &Path) -> io::Result<Self> {
        // Of taskset's own errors nothing is seen, so ask for the program first.
        let program = command.split(' ').next().unwrap_or_default();
        Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        let log = fs::File::create(directory.join("log"))?;
        let child = Command::new("taskset")
            .args(["-c", "0"])
            .args(command.split(' '))
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        let _ = self.0.wait();
    }
}

/// What a process and all below it have of something, of which `own` tells one's own.
pub fn with_children(pid: u32, own: fn(u32) -> u64) -> u64 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let below = children.split_whitespace().filter_map(|child| child.parse().ok());
    own(pid) + below.map(|child| with_children(child, own)).sum::<u64>()
}
