//! The log's file: appended to, put aside each day and when it is big.
//!
//! Only its owner may read it: it holds which client queried what. The file holds whole lines only, also after a disk that
//! was full for a time. A pipe is written as long as somebody reads it, and never waited for. No
//! directory is made: one that is missing may be a disk that is not mounted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Lines, QueryLogOptions};
use crate::serve::log::Form;
use crate::serve::log::kept::Kept;

/// Pause before a file that cannot be opened is tried again.
const OPEN_REST: Duration = Duration::from_secs(1);
/// Seconds of a day.
const DAY: u64 = 86_400;
/// What the date follows in a line, in either spelling.
const BEFORE_DATE: [&[u8]; 2] = [b"\"time\":\"", b" time="];

//------------ LogFile -------------------------------------------------------

/// The file and those put aside before.
#[derive(Debug)]
pub(super) struct LogFile {
    /// Its path.
    path: PathBuf,
    /// The file; `None` after an error, until it can be opened again.
    file: Option<Opened>,
    /// When it was last tried to open it in vain.
    tried: Option<Instant>,
    /// Those put aside.
    kept: Kept,
    /// Why lines are lost at present, if they are.
    trouble: Option<String>,
}

/// An open file.
#[derive(Debug)]
struct Opened {
    /// The file.
    file: File,
    /// Octets in it.
    octets: u64,
    /// The day of its first line, counted from 1970; none yet: it is empty.
    day: Option<u64>,
    /// Whether it is a file, and not a pipe or a device: only that is put aside.
    is_regular: bool,
    /// Whether its last line has no end.
    is_cut: bool,
}

impl LogFile {
    /// The file of these options. It is opened when it is first needed.
    pub(super) fn new(options: &QueryLogOptions) -> Self {
        let mut log = Self {
            path: PathBuf::new(),
            file: None,
            tried: None,
            kept: Kept::new(Lines::NAME),
            trouble: None,
        };
        log.configure(options);
        log
    }

    /// Takes over other options.
    pub(super) fn configure(&mut self, options: &QueryLogOptions) {
        if self.path != options.file {
            self.path.clone_from(&options.file);
            self.reopen();
        }
        self.kept.configure(&options.file, &options.keep);
    }

    /// Opens the path again: the old file was moved away.
    pub(super) fn reopen(&mut self) {
        (self.file, self.tried) = (None, None);
    }

    /// Why lines are lost at present, if they are.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Does what the time asks for, whether there is something to write or not.
    pub(super) fn tend(&mut self) {
        self.ensure_open();
        let is_of_another_day =
            |it: &Opened| it.is_regular && it.day.is_some_and(|day| day != today());
        if self.file.as_ref().is_some_and(is_of_another_day) {
            self.rotate();
        }
        if self.kept.is_due() {
            self.sweep();
        }
    }

    /// Appends whole lines, so many of them; the number of those that are in the file.
    pub(super) fn append(&mut self, lines: &[u8], count: u64) -> u64 {
        self.tend();
        let too_big = |it: &Opened| {
            it.is_regular
                && it.octets > 0
                && it.octets.saturating_add(lines.len() as u64) > self.kept.rotate_octets()
        };
        if self.file.as_ref().is_some_and(too_big) {
            self.rotate();
        }
        let Some(opened) = &mut self.file else { return 0 };
        let (octets, failed) = opened.write(lines);
        match failed {
            None => {
                self.trouble = None;
                return count;
            }
            Some(error) => {
                self.trouble = Some(format!("cannot write {}: {error}", self.path.display()));
                // A pipe that is full has its reader still.
                if error.kind() != io::ErrorKind::WouldBlock {
                    self.file = None;
                }
            }
        }
        lines[..octets].iter().filter(|octet| **octet == b'\n').count() as u64
    }

    /// Opens the file if it is not, and it was not tried just now.
    fn ensure_open(&mut self) {
        if self.file.is_some() || self.tried.is_some_and(|at| at.elapsed() < OPEN_REST) {
            return;
        }
        match Opened::open(&self.path) {
            Ok(opened) => {
                (self.file, self.tried) = (Some(opened), None);
                // Whether it can be written, only writing shows.
                self.trouble.take_if(|text| text.starts_with("cannot open"));
            }
            Err(error) => {
                self.tried = Some(Instant::now());
                let hint = hint(&error);
                self.trouble = Some(format!("cannot open {}: {error}{hint}", self.path.display()));
            }
        }
    }

    /// Puts the file aside and starts a new one. Where that fails the file goes on: no line is lost.
    fn rotate(&mut self) {
        if !self.kept.put_aside() {
            return;
        }
        self.reopen();
        self.ensure_open();
        self.sweep();
    }

    /// Removes the files put aside that are not to be kept.
    fn sweep(&mut self) {
        let newest = self.last_line();
        self.kept.sweep(newest);
    }

    /// When the last line was written, if there is one.
    fn last_line(&self) -> Option<SystemTime> {
        let data = self.file.as_ref().filter(|it| it.octets > 0)?.file.metadata().ok()?;
        data.modified().ok()
    }
}

//------------ Opened --------------------------------------------------------

impl Opened {
    /// Opens a log for appending, readable by its owner only. Never waits for the reader of a pipe.
    fn open(path: &Path) -> io::Result<Self> {
        let is_regular = fs::metadata(path).map_or(true, |found| found.is_file());
        let file = OpenOptions::new()
            .append(true)
            .read(is_regular)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        let octets = file.metadata()?.len();
        let mut opened = Self { file, octets, day: None, is_regular, is_cut: false };
        if is_regular && octets > 0 {
            let mut last = [0];
            opened.is_cut = opened.file.read_at(&mut last, octets - 1)? == 1 && last != *b"\n";
            opened.day = Some(opened.first_day().unwrap_or_else(today));
        }
        Ok(opened)
    }

    /// Writes lines; the octets of those that are whole in the file, and the error that kept the rest out.
    fn write(&mut self, lines: &[u8]) -> (usize, Option<io::Error>) {
        if self.is_cut {
            match self.file.write_all(b"\n") {
                Ok(()) => (self.octets, self.is_cut) = (self.octets + 1, false),
                Err(error) => return (0, Some(error)),
            }
        }
        let mut done = 0;
        let failed = loop {
            if done == lines.len() {
                break None;
            }
            match self.file.write(&lines[done..]) {
                Ok(0) => break Some(io::ErrorKind::WriteZero.into()),
                Ok(octets) => done += octets,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
        };
        let whole = lines[..done].iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        if whole < done {
            self.is_cut = self.take_back((done - whole) as u64).is_err();
        }
        self.octets += whole as u64;
        if whole > 0 {
            self.day.get_or_insert_with(today);
        }
        (whole, failed)
    }

    /// Takes the start of a line away that was written last and did not get an end.
    fn take_back(&self, octets: u64) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        self.file.set_len(length.saturating_sub(octets))
    }

    /// The day of the first line.
    fn first_day(&self) -> Option<u64> {
        let mut start = [0; 64];
        let read = self.file.read_at(&mut start, 0).ok()?;
        let start = &start[..read];
        let at = BEFORE_DATE.iter().find_map(|before| {
            let at = start.windows(before.len()).position(|part| part == *before)?;
            Some(at + before.len())
        })?;
        let date = std::str::from_utf8(start.get(at..)?.get(..10)?).ok()?;
        let format = time::macros::format_description!("[year]-[month]-[day]");
        let midnight = time::Date::parse(date, &format).ok()?.midnight().assume_utc();
        u64::try_from(midnight.unix_timestamp()).ok().map(|seconds| seconds / DAY)
    }
}

/// Sees whether a log could be written, without making or opening anything: the reason if not.
pub fn inspect(path: &Path) -> Result<(), String> {
    use rustix::fs::{Access, access};
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let is_writable = |path: &Path, more: Access| access(path, Access::WRITE_OK | more).is_ok();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(format!("{} is a directory", path.display())),
        Ok(_) if !is_writable(path, Access::empty()) => {
            Err(format!("{} cannot be written by this user", path.display()))
        }
        Ok(_) => Ok(()),
        Err(_) if !folder.is_dir() => {
            Err(format!("{} is no directory that exists", folder.display()))
        }
        Err(_) if !is_writable(folder, Access::EXEC_OK) => {
            Err(format!("nothing can be made in {} by this user", folder.display()))
        }
        Err(_) => Ok(()),
    }
}

/// Today, in days since 1970, UTC.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / DAY
}

/// What to do about a file that does not open.
fn hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ENXIO) => " (a pipe that nobody reads)",
        Some(libc::ENOENT) => " (make its directory, for the user gapura runs as)",
        Some(libc::EACCES) => " (it must be writable by the user gapura runs as)",
        _ => "",
    }
}
