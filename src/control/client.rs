//! The client, used by the command line: one call, one reply.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::protocol::CALL_OCTETS_MAX;
use super::{Command, Reply, socket_path};

/// How long a command may take; loading a very large zone is the longest.
const REPLY_SECONDS_MAX: u64 = 600;

/// Sends `command` to the daemon of `state_dir` and waits for its reply.
pub fn call(state_dir: &Path, command: &Command) -> Result<Reply, CallError> {
    let path = socket_path(state_dir);
    let stream = UnixStream::connect(&path).map_err(|source| CallError::connect(&path, source))?;
    let talk = || -> io::Result<String> {
        stream.set_read_timeout(Some(Duration::from_secs(REPLY_SECONDS_MAX)))?;
        // It may hold private keys.
        let mut line = Zeroizing::new(Vec::with_capacity(CALL_OCTETS_MAX));
        serde_json::to_writer(&mut *line, command)?;
        line.push(b'\n');
        (&stream).write_all(&line)?;
        let mut reply = String::new();
        BufReader::new(&stream).read_line(&mut reply)?;
        // A reply without its final newline is incomplete.
        if reply.ends_with('\n') { Ok(reply) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    };
    let reply = talk().map_err(|source| CallError::talk(&path, source))?;
    serde_json::from_str(&reply).map_err(|source| CallError::Reply { path, source })
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No daemon runs with this state directory.
    #[error("no daemon answers at {path}: start it with `gapura serve`, or name its settings with --config", path = .0.display())]
    NotRunning(PathBuf),
    /// The socket belongs to another user.
    #[error("not allowed to use {path}: run this as root or as the daemon's user", path = .0.display())]
    NotAllowed(PathBuf),
    /// The system refused something else.
    #[error("cannot talk with the daemon at {path}", path = path.display())]
    Talk {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection ended before the reply did.
    #[error("the daemon at {path} ended the connection before it had answered: see whether it still runs; its log says why, or the system's if it was killed (out of memory?)", path = .0.display())]
    Vanished(PathBuf),
    /// There is no reply in time.
    #[error("the daemon at {path} has not answered for ten minutes: a disk may hang; its log says what it did last", path = .0.display())]
    Late(PathBuf),
    /// The reply cannot be parsed.
    #[error("the daemon at {path} answered something else: are both the same version of gapura?", path = path.display())]
    Reply {
        /// The socket.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl CallError {
    /// The error for a connection that failed.
    fn connect(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Self::NotRunning(path.to_owned())
            }
            io::ErrorKind::PermissionDenied => Self::NotAllowed(path.to_owned()),
            _ => Self::Talk { path: path.to_owned(), source },
        }
    }

    /// The error for a call that failed.
    fn talk(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
        match source.kind() {
            UnexpectedEof | ConnectionReset | BrokenPipe => Self::Vanished(path.to_owned()),
            WouldBlock | TimedOut => Self::Late(path.to_owned()),
            _ => Self::Talk { path: path.to_owned(), source },
        }
    }
}
