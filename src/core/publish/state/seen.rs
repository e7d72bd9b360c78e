//! A file's metadata when it was last read: enough to notice a change without reading it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far the times of a file system may be ahead of the clock.
const SKEW_NANOS_MAX: i128 = 2_000_000_000;

//------------ Stamp ---------------------------------------------------------

/// What tells that a file is the same as before without reading it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    /// Device and inode.
    inode: (u64, u64),
    /// Octets.
    pub(crate) size: u64,
    /// Last change of the content, in nanoseconds since 1970.
    mtime: i128,
    /// Last change of content or metadata, which no program can set back.
    ctime: i128,
}

impl Stamp {
    /// The stamp of an open or named file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanos =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self {
            inode: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            mtime: nanos(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanos(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The stamp of what a path leads to now.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|metadata| Self::of(&metadata))
    }

    /// Whether the last that happened to the file was a write, not a rename or a change of its rights.
    pub(crate) fn is_of_write(&self) -> bool {
        self.mtime >= self.ctime
    }

    /// How long ago the file last changed. A time in the future is one of a clock that was set back since:
    /// long ago, or every start would wait for the file.
    pub(crate) fn age(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let age = i128::try_from(now).unwrap_or(i128::MAX).saturating_sub(self.ctime);
        let is_of_other_clock = age < -SKEW_NANOS_MAX;
        let age = if is_of_other_clock { u64::MAX } else { u64::try_from(age).unwrap_or(0) };
        Duration::from_nanos(age)
    }
}

/// A file and how it was last seen; `None`: it was not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seen {
    /// The path as it was opened.
    pub(crate) path: PathBuf,
    /// Its stamp.
    pub(crate) stamp: Option<Stamp>,
}

impl Seen {
    /// The file as it is now.
    pub(crate) fn now(path: &Path) -> Self {
        Self { path: path.to_owned(), stamp: Stamp::at(path) }
    }

    /// Whether the file is no longer as it was seen.
    pub(crate) fn has_changed(&self) -> bool {
        Stamp::at(&self.path) != self.stamp
    }
}
