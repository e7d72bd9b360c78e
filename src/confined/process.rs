//! Runs a program with input and a deadline: its answer, or why there is none.
//!
//! The program gets a process group of its own, so that a deadline ends whatever it started, too.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often a program that has said everything is asked whether it has ended.
const POLL: Duration = Duration::from_millis(2);

/// What a program did.
#[derive(Debug)]
pub struct Done {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
}

/// Why a program has no answer.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// It could not be started.
    #[error("cannot be started: {0}")]
    NotStarted(std::io::Error),
    /// It took longer than it may, and was ended.
    #[error("did not end within {} s", .0.as_secs())]
    Late(Duration),
    /// A signal ended it: its limits, or a fault of its own.
    #[error("ended by signal {0}")]
    Signalled(i32),
    /// It said more than it may.
    #[error("wrote more than {0} octets")]
    Talkative(usize),
}

/// Runs `command` with `input` on its standard input. Blocks until it has ended or the time is over.
pub fn run(
    mut command: Command,
    input: &Arc<[u8]>,
    output_max: usize,
    time: Duration,
) -> Result<Done, NotDone> {
    let deadline = Instant::now() + time;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let child = command.spawn().map_err(NotDone::NotStarted)?;
    let mut running = Running { child, ended: false };
    if let Some(mut pipe) = running.child.stdin.take() {
        let input = Arc::clone(input);
        // A program that does not read all of it has its reasons. The pipe breaks when the program ends.
        begin(move || drop(pipe.write_all(&input)))?;
    }
    let said = listen(&mut running.child, output_max)?;
    let left = deadline.saturating_duration_since(Instant::now());
    let output = match said.recv_timeout(left) {
        Ok(output) => output,
        Err(RecvTimeoutError::Timeout) => return Err(NotDone::Late(time)),
        Err(RecvTimeoutError::Disconnected) => Vec::new(),
    };
    if output.len() > output_max {
        return Err(NotDone::Talkative(output_max));
    }
    let status = running.wait(deadline).ok_or(NotDone::Late(time))?;
    match status.signal() {
        Some(signal) => Err(NotDone::Signalled(signal)),
        None => Ok(Done { status, output }),
    }
}

/// Reads what a program says, until it closes its standard output or has said too much.
fn listen(child: &mut Child, output_max: usize) -> Result<Receiver<Vec<u8>>, NotDone> {
    let (sender, receiver) = sync_channel(1);
    if let Some(pipe) = child.stdout.take() {
        begin(move || {
            let mut output = Vec::new();
            let limit = u64::try_from(output_max).unwrap_or(u64::MAX).saturating_add(1);
            let read = pipe.take(limit).read_to_end(&mut output);
            if read.is_ok() {
                // Nobody listens any more after the deadline.
                drop(sender.send(output));
            }
        })?;
    }
    Ok(receiver)
}

/// Does something on a thread of its own.
fn begin(work: impl FnOnce() + Send + 'static) -> Result<(), NotDone> {
    Builder::new().spawn(work).map(drop).map_err(NotDone::NotStarted)
}

/// A program that is ended, with all it started, if it is still there when this is dropped.
struct Running {
    /// The program.
    child: Child,
    /// Whether its end has been seen.
    ended: bool,
}

impl Running {
    /// Waits for its end, at most until the deadline.
    fn wait(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.ended = true;
                    return Some(status);
                }
                Err(error) if error.kind() != ErrorKind::Interrupted => return None,
                _ if Instant::now() >= deadline => return None,
                _ => std::thread::sleep(POLL),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended this very moment.
            let _ = kill_process_group(group, Signal::KILL);
        }
        // After a kill this is a matter of microseconds.
        drop(self.child.wait());
    }
}
