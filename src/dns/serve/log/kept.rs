//! Files of a log that were put aside: each day and when one is big; the oldest are removed.
//!
//! A file put aside is called NAME.YYYYMMDDTHHMMSS.N, so that names sort by age. How old it is says its last
//! change, and [`Ages`] says whether the clock can be believed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::age::Ages;

/// How often files too old are looked for.
const SWEEP_REST: Duration = Duration::from_secs(60);
/// Pause before a file that cannot be put aside is tried again.
const ROTATE_REST: Duration = Duration::from_secs(60);
/// A day: no file holds entries of more than one.
const DAY: Duration = Duration::from_secs(86_400);

/// How much of a log is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keep {
    /// Size at which a file is put aside, octets.
    pub rotate_octets: u64,
    /// Size of all of them together, octets; the oldest go first.
    pub total_octets: u64,
    /// Age at which a file put aside is removed, days; 0: never.
    pub days: u32,
}

//------------ Kept ----------------------------------------------------------

/// The files put aside, and the rules for them.
#[derive(Debug)]
pub(in crate::serve) struct Kept {
    /// The log, as the daemon's log calls it.
    log: &'static str,
    /// The path of the file that is written.
    path: PathBuf,
    /// Size at which it is put aside.
    rotate_octets: u64,
    /// Size of all.
    total_octets: u64,
    /// Age at which a file put aside goes; zero: never.
    keep: Duration,
    /// When old files were last looked for.
    swept: Option<Instant>,
    /// When it was last tried in vain to put the file aside.
    stuck: Option<Instant>,
    /// Which ages can be told.
    ages: Ages,
    /// Files too old by a clock that is doubted, at the last look.
    doubted: usize,
}

impl Kept {
    /// Of no file yet.
    pub(in crate::serve) fn new(log: &'static str) -> Self {
        Self {
            log,
            path: PathBuf::new(),
            rotate_octets: 1,
            total_octets: 1,
            keep: Duration::ZERO,
            swept: None,
            stuck: None,
            ages: Ages::default(),
            doubted: 0,
        }
    }

    /// Of the log at this path, by these rules.
    pub(in crate::serve) fn configure(&mut self, path: &Path, keep: &Keep) {
        if self.path != path {
            path.clone_into(&mut self.path);
            self.stuck = None;
        }
        self.rotate_octets = keep.rotate_octets.max(1);
        self.total_octets = keep.total_octets.max(keep.rotate_octets);
        // A file put aside holds entries of a day before its last one.
        self.keep = match keep.days {
            0 => Duration::ZERO,
            days => (DAY * days).saturating_sub(DAY).max(Duration::from_secs(1)),
        };
    }

    /// Size at which the file is put aside.
    pub(in crate::serve) fn rotate_octets(&self) -> u64 {
        self.rotate_octets
    }

    /// Whether it is time to look for old files.
    pub(in crate::serve) fn is_due(&self) -> bool {
        self.swept.is_none_or(|at| at.elapsed() > SWEEP_REST)
    }

    /// Puts the file aside; whether a new one is to be opened. Where it fails the file goes on: nothing is lost.
    pub(in crate::serve) fn put_aside(&mut self) -> bool {
        if self.stuck.is_some_and(|at| at.elapsed() < ROTATE_REST) {
            return false;
        }
        let aside = (0..1000).map(|n| aside_name(&self.path, n)).find(|path| !path.exists());
        let renamed = aside.map_or(Ok(()), |aside| fs::rename(&self.path, aside));
        self.stuck = renamed.as_ref().err().map(|_| Instant::now());
        let Err(error) = renamed else { return true };
        let (log, path) = (self.log, self.path.display());
        tracing::warn!(%path, %error, "{log}: the file cannot be put aside, and grows");
        // One that was taken away is made anew.
        error.kind() == io::ErrorKind::NotFound
    }

    /// Removes the files put aside that are too old, and the oldest while all are too big. `newest` is when the
    /// file itself was last written.
    pub(in crate::serve) fn sweep(&mut self, newest: Option<SystemTime>) {
        self.swept = Some(Instant::now());
        let mut aside = put_aside(&self.path);
        let now = SystemTime::now();
        aside.sort();
        let written = aside.iter().map(|file| file.changed).chain(newest);
        let known_from = self.ages.known_from(now, written);
        let (log, mut doubted) = (self.log, 0_usize);
        let mut total = self.rotate_octets + aside.iter().map(|file| file.octets).sum::<u64>();
        for file in aside {
            let age = now.duration_since(file.changed).unwrap_or_default();
            let mut too_old = !self.keep.is_zero() && age > self.keep;
            if too_old && known_from.is_some_and(|from| file.changed < from) {
                (too_old, doubted) = (false, doubted + 1);
            }
            if !too_old && total <= self.total_octets {
                continue;
            }
            total = total.saturating_sub(file.octets);
            if let Err(error) = fs::remove_file(&file.path) {
                tracing::warn!(path = %file.path.display(), %error, "{log}: cannot remove");
            }
        }
        if doubted > self.doubted {
            tracing::warn!(
                files = doubted,
                "{log}: files too old by the clock stay for a day, as days are missing after them: if the clock \
                 is wrong, correct it"
            );
        }
        self.doubted = doubted;
    }
}

/// The files put aside beside a log, oldest first, with the time each was last written.
pub fn aside_of(path: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut aside = put_aside(path);
    aside.sort();
    aside.into_iter().map(|file| (file.path, file.changed)).collect()
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
