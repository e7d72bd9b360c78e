//! Where frames go: a Unix socket that a reader listens on, or a file.
//!
//! A reader is never waited for, but when it is greeted and when gapura stops: what it does not take waits in a
//! buffer, and what finds no room there is lost and counted. Over a socket frames go both ways (READY, ACCEPT,
//! START … STOP, FINISH); a file begins with START and ends with STOP. A file that has something in it is put
//! aside at the start, since it cannot be gone on with. Only its owner may read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use socket2::{Domain, SockAddr, Socket, Type};

use super::frames::{self, Control};
use super::{DnstapOptions, Messages, Target};
use crate::serve::log::kept::Kept;
use crate::serve::log::{Form, Written};

/// Pause before what cannot be opened is tried again.
const OPEN_REST: Duration = Duration::from_secs(1);
/// How long a reader may take to greet, and to take the rest at the end.
const GREETING_MAX: Duration = Duration::from_millis(500);
/// Octets that are written at once.
const WRITE_OCTETS: usize = 256 << 10;
/// Octets that may wait for a reader.
const UNSENT_MAX: usize = 8 << 20;
/// How long a file is written before it is put aside: so that none is kept much longer than was set.
const FILE_AGE: Duration = Duration::from_secs(86_400);

//------------ Output --------------------------------------------------------

/// Where frames go, and those that did not yet.
pub(super) struct Output {
    /// Where.
    target: Target,
    /// The files put aside.
    kept: Kept,
    /// What is open; `None` after an error, until it can be opened again.
    open: Option<Open>,
    /// When it was last tried in vain to open it.
    tried: Option<Instant>,
    /// Whole frames; the first octets may have gone already.
    unsent: Vec<u8>,
    /// Octets of them that went.
    sent: usize,
    /// How many frames they are.
    frames: u64,
    /// What became of frames and is not told yet.
    owed: Written,
    /// Why frames are lost at present, if they are.
    trouble: Option<String>,
}

/// What is open.
enum Open {
    /// A reader that has greeted.
    Reader(UnixStream),
    /// A file, a pipe or a device.
    File(Opened),
}

/// An open file.
struct Opened {
    /// The file.
    file: File,
    /// Octets in it, all of whole frames.
    octets: u64,
    /// When it was opened.
    since: Instant,
    /// Whether it is a file, and not a pipe or a device: only that is put aside.
    is_regular: bool,
}

impl Output {
    /// The output of these options. It is opened when it is first needed.
    pub(super) fn new(options: &DnstapOptions) -> Self {
        let mut output = Self {
            target: options.target.clone(),
            kept: Kept::new(Messages::NAME),
            open: None,
            tried: None,
            unsent: Vec::new(),
            sent: 0,
            frames: 0,
            owed: Written::default(),
            trouble: None,
        };
        output.configure(options);
        output
    }

    /// Takes over other options.
    pub(super) fn configure(&mut self, options: &DnstapOptions) {
        if self.target != options.target {
            self.reopen();
            self.target = options.target.clone();
        }
        if let Target::File(path) = &options.target {
            self.kept.configure(path, &options.keep);
        }
    }

    /// Opens the target again at the next round: the file was moved away, or the reader is another one.
    pub(super) fn reopen(&mut self) {
        let ended = self.end();
        self.owed += ended;
        self.tried = None;
    }

    /// Why frames are lost at present, if they are.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Does what the time asks for, whether there is something to write or not.
    pub(super) fn tend(&mut self) -> Written {
        let mut written = std::mem::take(&mut self.owed);
        self.ensure_open();
        let is_done = |it: &Opened| {
            let is_old = it.since.elapsed() > FILE_AGE && it.octets > 0;
            it.is_regular && (is_old || it.octets > self.kept.rotate_octets())
        };
        if matches!(&self.open, Some(Open::File(file)) if is_done(file)) {
            written += self.end();
            self.ensure_open();
        }
        if matches!(self.target, Target::File(_)) && self.kept.is_due() {
            self.kept.sweep(self.last_written());
        }
        written
    }

    /// Takes a frame.
    pub(super) fn put(&mut self, frame: &[u8]) -> Written {
        if self.open.is_none() || self.unsent.len() + frame.len() > UNSENT_MAX {
            return Written { whole: 0, lost: 1 };
        }
        frames::put_data(&mut self.unsent, frame);
        self.frames += 1;
        if self.unsent.len() - self.sent >= WRITE_OCTETS {
            self.flush()
        } else {
            Written::default()
        }
    }

    /// Writes what goes without waiting.
    pub(super) fn flush(&mut self) -> Written {
        let unsent = self.unsent.get(self.sent..).unwrap_or_default();
        let Some(open) = self.open.as_mut().filter(|_| !unsent.is_empty()) else {
            return Written::default();
        };
        let (octets, failed) = open.write(unsent);
        self.sent += octets;
        match failed {
            None => {
                self.trouble = None;
                (self.unsent, self.sent) = (emptied(std::mem::take(&mut self.unsent)), 0);
                Written { whole: std::mem::take(&mut self.frames), lost: 0 }
            }
            // It reads still; what went need not be kept.
            Some(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.unsent.drain(..std::mem::take(&mut self.sent));
                Written::default()
            }
            Some(error) => {
                self.trouble = Some(format!("cannot write {}: {error}", self.path().display()));
                self.open = None;
                Written { whole: 0, lost: self.forget() }
            }
        }
    }

    /// Ends the stream, as its reader expects.
    pub(super) fn close(&mut self) -> Written {
        self.end()
    }

    /// Writes what waits and the end of the stream, and closes. A file is put aside when the next is opened.
    fn end(&mut self) -> Written {
        if let Some(Open::Reader(stream)) = &self.open {
            // For the rest there is time, but not for ever.
            let _ = stream.set_nonblocking(false);
        }
        let mut written = self.flush();
        if let Some(mut open) = self.open.take() {
            // Whether the end is there, changes nothing for the frames.
            let (_, failed) = open.write(&Control::Stop.frame());
            if let (Open::Reader(stream), None) = (&mut open, failed) {
                let _ = frames::expect(stream, Control::Finish);
            }
        }
        written.lost += self.forget();
        written
    }

    /// Gives up what waits; how many frames that is.
    fn forget(&mut self) -> u64 {
        self.unsent.clear();
        self.sent = 0;
        std::mem::take(&mut self.frames)
    }

    /// Opens the target if it is not, and it was not tried just now.
    fn ensure_open(&mut self) {
        if self.open.is_some() || self.tried.is_some_and(|at| at.elapsed() < OPEN_REST) {
            return;
        }
        let opened = match self.target.clone() {
            Target::Socket(path) => greet(&path).map(Open::Reader),
            Target::File(path) => self.start_file(&path).map(Open::File),
        };
        match opened {
            Ok(open) => (self.open, self.tried, self.trouble) = (Some(open), None, None),
            Err(error) => {
                self.tried = Some(Instant::now());
                let hint = match (&self.target, error.kind()) {
                    (
                        Target::Socket(_),
                        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused,
                    ) => " (no reader listens on it)",
                    (_, io::ErrorKind::PermissionDenied) => {
                        " (it must be writable by the user gapura runs as)"
                    }
                    (_, io::ErrorKind::NotFound) => {
                        " (make its directory, for the user gapura runs as)"
                    }
                    _ => "",
                };
                self.trouble =
                    Some(format!("cannot open {}: {error}{hint}", self.path().display()));
            }
        }
    }

    /// Starts a file. One with something in it is put aside: a stream has one beginning.
    fn start_file(&mut self, path: &Path) -> io::Result<Opened> {
        let found = fs::metadata(path).ok();
        if found.is_some_and(|found| found.is_file() && found.len() > 0) {
            if !self.kept.put_aside() {
                return Err(io::Error::other("what is in it cannot be put aside"));
            }
            self.kept.sweep(None);
        }
        let mut options = OpenOptions::new();
        let file = options
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        let found = file.metadata()?;
        let mut opened = Opened {
            file,
            octets: found.len(),
            since: Instant::now(),
            is_regular: found.is_file(),
        };
        match opened.write(&Control::Start.frame()) {
            (_, None) => Ok(opened),
            (_, Some(error)) => Err(error),
        }
    }

    /// When the file was last written, if there is one.
    fn last_written(&self) -> Option<SystemTime> {
        let Some(Open::File(it)) = &self.open else { return None };
        it.file.metadata().ok()?.modified().ok()
    }

    /// The path of the target.
    fn path(&self) -> &PathBuf {
        match &self.target {
            Target::Socket(path) | Target::File(path) => path,
        }
    }
}

/// An empty buffer; one that was large after a storm is given back.
fn emptied(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer.shrink_to(2 * WRITE_OCTETS);
    buffer
}

//------------ Open ----------------------------------------------------------

impl Open {
    /// Writes; the octets that went, and the error that kept the rest back.
    fn write(&mut self, octets: &[u8]) -> (usize, Option<io::Error>) {
        match self {
            Self::Reader(stream) => write_some(stream, octets),
            Self::File(opened) => opened.write(octets),
        }
    }
}

impl Opened {
    /// The same. A file that could not take all of it has nothing of it.
    fn write(&mut self, octets: &[u8]) -> (usize, Option<io::Error>) {
        let (done, failed) = write_some(&mut self.file, octets);
        if failed.is_some() && self.is_regular {
            // Whole frames are before this.
            let _ = self.file.set_len(self.octets);
            return (0, failed);
        }
        self.octets += done as u64;
        (done, failed)
    }
}

/// Writes what goes; the octets that went, and the error that kept the rest back.
fn write_some(to: &mut impl Write, octets: &[u8]) -> (usize, Option<io::Error>) {
    let mut done = 0;
    while let Some(rest) = octets.get(done..).filter(|rest| !rest.is_empty()) {
        match to.write(rest) {
            Ok(0) => return (done, Some(io::ErrorKind::WriteZero.into())),
            Ok(octets) => done += octets,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (done, Some(error)),
        }
    }
    (done, None)
}

/// Connects to a reader and agrees with it on what will be sent.
fn greet(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // The time for writing is that for connecting, too.
    socket.set_write_timeout(Some(GREETING_MAX))?;
    socket.set_read_timeout(Some(GREETING_MAX))?;
    socket.connect(&SockAddr::unix(path)?)?;
    let mut stream = UnixStream::from(socket);
    stream.write_all(&Control::Ready.frame())?;
    frames::expect(&mut stream, Control::Accept)?;
    stream.write_all(&Control::Start.frame())?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
