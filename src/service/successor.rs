//! Passes the sockets from a daemon to its successor, over a Unix socket in the state directory.
//!
//! ```text
//! successor                                   predecessor (answers all the while)
//! binds successor.sock, asks over control.sock ─►  stops all that could change a zone, closes the database
//!                                             ◄─  the sockets, with what each is for
//! opens database and zones, answers           ─►  "answering"
//!                                             ◄─  "yours", once it answers no more; it ends
//! ```
//! A closed connection tells either end that the other has died. `run` decides what to do then.

use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{Pid, test_kill_process};

use crate::files;
use crate::serve::{Inherited, Purpose};

/// How often a waiting side checks that the other process still runs.
const LOOK: Duration = Duration::from_millis(200);
/// Sockets in one message: the kernel takes 253.
const AT_ONCE: usize = 64;
/// Octets of text accepted from the other end in all.
const TEXT_OCTETS_MAX: usize = 64 << 10;
/// Sockets in all.
const SOCKETS_MAX: usize = 4096;
/// How long the predecessor may take to stop what could change a zone.
const GIVEN_WITHIN: Duration = Duration::from_secs(60);
/// How long the successor may take to load its zones.
pub const ANSWERING_WITHIN: Duration = Duration::from_secs(600);

/// Sent by the predecessor after the last socket.
const ALL: &str = "all";
/// Sent by the successor once it answers.
const ANSWERING: &str = "answering";
/// Sent by the predecessor once it has stopped answering.
const YOURS: &str = "yours";

/// The socket on which the successor waits.
fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("successor.sock")
}

//------------ Talk ----------------------------------------------------------

/// The connection between both.
#[derive(Debug)]
pub struct Talk {
    /// The connection.
    stream: UnixStream,
    /// What was read of the next line.
    begun: Vec<u8>,
    /// Sockets that came with it.
    sockets: Vec<OwnedFd>,
}

impl Talk {
    /// Talks over a connection, after checking that `pid` is at the other end.
    fn with(stream: UnixStream, pid: u32) -> io::Result<Self> {
        let peer = socket_peercred(&stream)?;
        if u32::try_from(peer.pid.as_raw_nonzero().get()) != Ok(pid) {
            return Err(io::Error::other("another process is at the other end"));
        }
        Ok(Self { stream, begun: Vec::new(), sockets: Vec::new() })
    }

    /// Sends a line, with sockets.
    fn say(&mut self, line: &str, sockets: &[BorrowedFd<'_>]) -> io::Result<()> {
        let line = format!("{line}\n");
        if sockets.is_empty() {
            return self.stream.write_all(line.as_bytes());
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(sockets));
        let parts = [IoSlice::new(line.as_bytes())];
        let sent = sendmsg(&self.stream, &parts, &mut control, SendFlags::NOSIGNAL)?;
        // The sockets went with the first octet.
        self.stream.write_all(line.as_bytes().get(sent..).unwrap_or_default())
    }

    /// Receives the next line.
    fn hear(&mut self, deadline: Instant) -> io::Result<String> {
        loop {
            if let Some(end) = self.begun.iter().position(|octet| *octet == b'\n') {
                let line = self.begun.drain(..=end).take(end).collect();
                return String::from_utf8(line).map_err(io::Error::other);
            }
            if self.begun.len() > TEXT_OCTETS_MAX || self.sockets.len() > SOCKETS_MAX {
                return Err(io::Error::other("the other end sent too much"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.read() {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                // Interrupted by a signal.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => drop(read?),
            }
        }
    }

    /// Reads what is there.
    fn read(&mut self) -> io::Result<usize> {
        let mut octets = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut octets)];
        let got = recvmsg(&self.stream, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC);
        let got = match got.map_err(io::Error::from) {
            // The read timed out.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            got => got?.bytes,
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(sockets) = message {
                self.sockets.extend(sockets);
            }
        }
        self.begun.extend_from_slice(octets.get(..got).unwrap_or_default());
        Ok(got)
    }

    /// Receives a line, which must be `word`.
    fn expect(&mut self, word: &str, deadline: Instant) -> io::Result<()> {
        let line = self.hear(deadline)?;
        if line == word {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "the other end sent \"{line}\" where \"{word}\" was expected"
        )))
    }
}

//------------ Predecessor ---------------------------------------------------

/// The predecessor's end: gives the sockets to process `pid`, which asked for them.
pub fn give<'a>(
    state_dir: &Path,
    pid: u32,
    sockets: impl Iterator<Item = (Purpose, BorrowedFd<'a>)>,
) -> io::Result<Talk> {
    let mut talk = Talk::with(UnixStream::connect(path(state_dir))?, pid)?;
    talk.stream.set_write_timeout(Some(GIVEN_WITHIN))?;
    let (purposes, sockets): (Vec<&str>, Vec<BorrowedFd<'_>>) =
        sockets.map(|(purpose, socket)| (purpose.word(), socket)).unzip();
    for (purposes, sockets) in purposes.chunks(AT_ONCE).zip(sockets.chunks(AT_ONCE)) {
        talk.say(&purposes.join(" "), sockets)?;
    }
    talk.say(ALL, &[])?;
    Ok(talk)
}

impl Talk {
    /// Predecessor: waits until the successor answers.
    pub fn until_answering(&mut self) -> io::Result<()> {
        self.expect(ANSWERING, Instant::now() + ANSWERING_WITHIN)
    }

    /// Predecessor: tells the successor that it answers alone from now on.
    pub fn leave(mut self) -> io::Result<()> {
        self.say(YOURS, &[])
    }

    /// Successor: reports that it answers. Returns once the predecessor has stopped answering or has died.
    pub fn answering(mut self) -> io::Result<()> {
        self.say(ANSWERING, &[])?;
        self.expect(YOURS, Instant::now() + GIVEN_WITHIN)
    }
}

//------------ Successor -----------------------------------------------------

/// The socket of the successor; removed when dropped.
#[derive(Debug)]
pub struct Place {
    /// Accepts the predecessor.
    listener: UnixListener,
    /// Its path.
    path: PathBuf,
}

impl Place {
    /// Binds the socket in a state directory.
    pub fn take(state_dir: &Path) -> io::Result<Self> {
        let path = path(state_dir);
        Ok(Self { listener: files::listen(&path)?, path })
    }

    /// Waits for the sockets of process `pid`, as long as it runs. Unusable ones are logged.
    pub fn receive(self, pid: u32) -> io::Result<(Inherited, Talk)> {
        let deadline = Instant::now() + GIVEN_WITHIN;
        let mut talk = Talk::with(self.accept(deadline, pid)?, pid)?;
        let mut inherited = Inherited::shared();
        let mut purposes = Vec::new();
        loop {
            let line = talk.hear(deadline)?;
            if line == ALL {
                break;
            }
            purposes.extend(line.split(' ').map(Purpose::of));
        }
        let sockets = std::mem::take(&mut talk.sockets);
        if sockets.len() != purposes.len() {
            return Err(io::Error::other("some sockets were not received"));
        }
        for (socket, purpose) in sockets.into_iter().zip(purposes) {
            if let Err(why) = inherited.add(socket, purpose) {
                tracing::warn!("{why}");
            }
        }
        Ok((inherited, talk))
    }

    /// Waits for the predecessor.
    fn accept(&self, deadline: Instant, pid: u32) -> io::Result<UnixStream> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let look = Timespec::try_from(LOOK).map_err(io::Error::other)?;
        loop {
            if is_gone(pid) {
                return Err(io::Error::other(format!("process {pid} has ended")));
            }
            let mut wait = [PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN)];
            match poll(&mut wait, Some(&look)).map_err(io::Error::from) {
                Ok(0) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                polled => {
                    polled?;
                    return self.listener.accept().map(|(stream, _)| stream);
                }
            }
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

/// Whether there is no such process. Not by /proc, where processes can be hidden: from one that Landlock holds all others are
/// (`ProtectProc=`, hidepid).
fn is_gone(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_none_or(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may be removed already.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn sockets_go_over_whatever_their_number_and_each_end_hears_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let sockets: Vec<UdpSocket> =
            (0..150).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let own = std::process::id();
        let place = Place::take(directory.path()).unwrap();
        let successor = std::thread::spawn(move || {
            let (inherited, talk) = place.receive(own).unwrap();
            talk.answering().unwrap();
            inherited
        });
        let passed = sockets.iter().map(|socket| (Purpose::Dns, socket.as_fd()));
        let mut talk = give(directory.path(), own, passed).unwrap();
        talk.until_answering().unwrap();
        talk.leave().unwrap();
        let mut inherited = successor.join().unwrap();
        assert!(inherited.lives_on());
        let told = inherited.unused();
        assert_eq!(told.len(), 150);
        let last = sockets[149].local_addr().unwrap().to_string();
        assert!(told[149].contains(&last), "in their order: {}", told[149]);
        assert!(!path(directory.path()).exists());
    }

    #[test]
    fn an_end_that_goes_away_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let own = std::process::id();
        assert!(give(directory.path(), own, std::iter::empty()).is_err(), "nobody waits");
        let place = Place::take(directory.path()).unwrap();
        let successor = std::thread::spawn(move || drop(place.receive(own).unwrap()));
        let mut talk = give(directory.path(), own, std::iter::empty()).unwrap();
        successor.join().unwrap();
        assert_eq!(talk.until_answering().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn another_process_is_turned_away() {
        let directory = tempfile::tempdir().unwrap();
        let _place = Place::take(directory.path()).unwrap();
        let given = give(directory.path(), std::process::id() + 1, std::iter::empty());
        assert!(given.unwrap_err().to_string().contains("another process"));
    }
}
