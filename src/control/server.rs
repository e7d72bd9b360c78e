//! The server in the daemon: accepts a few clients at a time and passes their commands to the handler.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::protocol::CALL_OCTETS_MAX;
use super::{Command, Reply, socket_path};
use crate::files;

/// Commands carried out at once.
const COMMANDS_MAX: usize = 8;
/// Clients connected at once; more wait in the socket's backlog.
const CLIENTS_MAX: usize = 64;
/// How long a client may take to send its line: a program sends it at once.
const LINE_SECONDS_MAX: u64 = 2;
/// How long a client may take to read each part of the reply.
const CLIENT_SECONDS_MAX: u64 = 10;
/// Octets of a reply that are written under one deadline.
const REPLY_PART_OCTETS: usize = 64 * 1024;

/// Carries out a command; runs on a blocking thread.
type Handler = Arc<dyn Fn(Command, &Session) -> Reply + Send + Sync>;

//------------ Session -------------------------------------------------------

/// The caller, as the kernel identifies it.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The peer's user id.
    pub uid: u32,
    /// Its process id, if visible from our PID namespace.
    pub pid: Option<u32>,
}

//------------ Server --------------------------------------------------------

/// The listening socket; removed when dropped.
pub struct Server {
    /// The listener.
    listener: UnixListener,
    /// Where it is bound.
    path: PathBuf,
    /// The daemon's own user id.
    own_uid: u32,
}

impl Server {
    /// Binds the socket of `state_dir`. A socket left by a daemon that died is replaced; the caller
    /// holds the state directory's lock, so no living one can own it.
    pub fn bind(state_dir: &Path) -> io::Result<Self> {
        let path = socket_path(state_dir);
        let listener = files::listen(&path)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let own_uid = std::fs::metadata(&path)?.uid();
        Ok(Self { listener, path, own_uid })
    }

    /// Serves until dropped.
    pub async fn run(self, handler: Handler) {
        let places = Arc::new(Semaphore::new(CLIENTS_MAX));
        let turns = Arc::new(Semaphore::new(COMMANDS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let (handler, own_uid) = (Arc::clone(&handler), self.own_uid);
                    let turns = Arc::clone(&turns);
                    tokio::spawn(async move {
                        if let Err(error) = serve_client(stream, own_uid, &turns, handler).await {
                            tracing::debug!(%error, "control client");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "control socket: accept failed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be removed already.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Reads one command, runs it, writes the reply.
async fn serve_client(
    stream: UnixStream,
    own_uid: u32,
    turns: &Semaphore,
    handler: Handler,
) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    let session = Session {
        uid: peer.uid(),
        pid: peer.pid().and_then(|pid| pid.try_into().ok()).filter(|pid| *pid > 0),
    };
    let deadline = Duration::from_secs(CLIENT_SECONDS_MAX);
    let line_deadline = Duration::from_secs(LINE_SECONDS_MAX);
    let (reading, mut writing) = stream.into_split();
    // The line may hold private keys: allocated at full size, so that growing leaves no copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(CALL_OCTETS_MAX));
    let mut limited = BufReader::new(reading.take(CALL_OCTETS_MAX as u64));
    tokio::time::timeout(line_deadline, limited.read_until(b'\n', &mut line)).await??;
    // A turn is taken only once a command has arrived, so an idle client delays no other.
    let turn = turns.acquire().await.map_err(io::Error::other)?;
    let reply = if session.uid != 0 && session.uid != own_uid {
        Reply::failed("not allowed: run this as root or as the daemon's user")
    } else {
        match serde_json::from_slice::<Command>(&line) {
            Ok(command) => tokio::task::spawn_blocking(move || handler(command, &session))
                .await
                .unwrap_or_else(|_| Reply::failed("the command failed inside: see the log")),
            Err(error) => Reply { exit: 2, ..Reply::failed(format!("not a command: {error}")) },
        }
    };
    drop(turn);
    let mut bytes = serde_json::to_vec(&reply)?;
    bytes.push(b'\n');
    for part in bytes.chunks(REPLY_PART_OCTETS) {
        tokio::time::timeout(deadline, writing.write_all(part)).await??;
    }
    Ok(())
}
