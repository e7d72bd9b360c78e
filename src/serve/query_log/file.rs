//! The log's file: appended to, put aside when it is big, the oldest removed.
//!
//! A file put aside is called NAME.YYYYMMDDTHHMMSS.N, so that names sort by age. Only its owner may
//! read it: it holds which client queried what.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::QueryLogOptions;

/// How often files too old are looked for, and a failing disk is complained of.
const NOW_AND_THEN: Duration = Duration::from_secs(60);

//------------ LogFile -------------------------------------------------------

/// The open file and those put aside before.
#[derive(Debug)]
pub(super) struct LogFile {
    /// Its path.
    path: PathBuf,
    /// The file; `None` after an error, until it can be opened again.
    file: Option<File>,
    /// Octets in it.
    octets: u64,
    /// Size at which it is put aside.
    rotate_octets: u64,
    /// Size of all.
    total_octets: u64,
    /// Age at which a file goes; zero: never.
    keep: Duration,
    /// When old files were last looked for.
    swept: Instant,
    /// When an error was last logged.
    complained: Option<Instant>,
}

impl LogFile {
    /// Opens or makes the file.
    pub(super) fn open(options: &QueryLogOptions) -> io::Result<Self> {
        let (file, octets) = open(&options.file)?;
        let mut log = Self {
            path: options.file.clone(),
            file: Some(file),
            octets,
            rotate_octets: options.rotate_octets.max(1),
            total_octets: options.total_octets.max(options.rotate_octets),
            keep: Duration::from_secs(u64::from(options.keep_days) * 86_400),
            swept: Instant::now(),
            complained: None,
        };
        log.sweep();
        Ok(log)
    }

    /// Opens the path again: the old file was moved away.
    pub(super) fn reopen(&mut self) {
        self.file = None;
        self.ensure_open();
    }

    /// Appends whole lines; false if they are lost.
    pub(super) fn append(&mut self, lines: &[u8]) -> bool {
        if self.octets > 0 && self.octets + lines.len() as u64 > self.rotate_octets {
            self.rotate();
        }
        if self.swept.elapsed() > NOW_AND_THEN {
            self.sweep();
        }
        if !self.ensure_open() {
            return false;
        }
        let Some(file) = &mut self.file else {
            return false;
        };
        match file.write_all(lines) {
            Ok(()) => {
                self.octets += lines.len() as u64;
                true
            }
            Err(error) => {
                // Half a line may have been written: end it, so that the next one is whole.
                let _ = file.write_all(b"\n");
                self.complain("write", &error);
                self.file = None;
                false
            }
        }
    }

    /// Opens the file if it is not; false if that fails.
    fn ensure_open(&mut self) -> bool {
        if self.file.is_none() {
            match open(&self.path) {
                Ok((file, octets)) => (self.file, self.octets) = (Some(file), octets),
                Err(error) => self.complain("open", &error),
            }
        }
        self.file.is_some()
    }

    /// Puts the file aside and starts a new one.
    fn rotate(&mut self) {
        let aside = (0..1000).map(|n| aside_name(&self.path, n)).find(|path| !path.exists());
        self.file = None;
        if let Some(aside) = aside
            && let Err(error) = fs::rename(&self.path, aside)
        {
            self.complain("put aside", &error);
        }
        self.ensure_open();
        self.sweep();
    }

    /// Removes the files put aside that are too old, and the oldest while all are too big.
    fn sweep(&mut self) {
        self.swept = Instant::now();
        let mut aside = put_aside(&self.path);
        let now = SystemTime::now();
        aside.sort();
        let mut total = self.rotate_octets + aside.iter().map(|file| file.octets).sum::<u64>();
        for file in aside {
            let age = now.duration_since(file.changed).unwrap_or_default();
            let too_old = !self.keep.is_zero() && age > self.keep;
            if !too_old && total <= self.total_octets {
                continue;
            }
            total = total.saturating_sub(file.octets);
            if let Err(error) = fs::remove_file(&file.path) {
                self.complain("remove", &error);
            }
        }
    }

    /// Logs an error, at most once per minute.
    fn complain(&mut self, what: &str, error: &io::Error) {
        if self.complained.is_none_or(|last| last.elapsed() > NOW_AND_THEN) {
            self.complained = Some(Instant::now());
            tracing::warn!(path = %self.path.display(), %error, "query log: cannot {what}");
        }
    }
}

/// Opens a log for appending, readable by its owner only; with its size.
fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let octets = file.metadata()?.len();
    Ok((file, octets))
}

/// A name for a file put aside now, the n-th of this second.
fn aside_name(path: &Path, n: u32) -> PathBuf {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]");
    let now = time::OffsetDateTime::now_utc().format(&format).unwrap_or_default();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{now}.{n:03}"));
    name.into()
}

/// A file put aside. The order is that of the names, hence of age.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Aside {
    /// Its path.
    path: PathBuf,
    /// Its size.
    octets: u64,
    /// When it was last written.
    changed: SystemTime,
}

/// The files put aside beside `path`.
fn put_aside(path: &Path) -> Vec<Aside> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(folder.unwrap_or_else(|| Path::new("."))) else {
        return Vec::new();
    };
    let is_ours = |found: &str| {
        let rest = found.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        rest.is_some_and(|rest| {
            rest.len() == 19 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'T' || b == b'.')
        })
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            Some(Aside { path: entry.path(), octets: data.len(), changed: data.modified().ok()? })
        })
        .collect()
}
