//! `gapura log follow`: queries as they arrive, also across rotation of the file.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::input::Lines;
use super::wanted::{Wanted, WantedArgs};
use super::{Told, print, with_put_aside};
use crate::cli::args::Common;
use crate::serve::query_log::read::Line;

/// How often to look for more.
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Prints what arrives, until nobody reads it. With `--since` also what has arrived since then.
pub(super) fn follow(common: &Common, file: &Path, args: &WantedArgs) -> anyhow::Result<u8> {
    let wanted = Wanted::new(args)?;
    let mut told = Told::default();
    let mut show = |line: &str, read: &Line<'_>| print(common, line, read);
    // A named pipe can get other writers; a shell's anonymous pipe ends with its only one.
    let is_named_pipe = fs::symlink_metadata(file).is_ok_and(|it| it.file_type().is_fifo());
    let grows = |found: fs::Metadata| found.is_file() || is_named_pipe;
    if file == Path::new("-") || fs::metadata(file).is_ok_and(|found| !grows(found)) {
        let mut lines = Lines::open(file)?;
        while let Some(line) = lines.next()? {
            if !told.see(line, &wanted, &mut show)? {
                return Ok(0);
            }
        }
        return Ok(told.exit());
    }
    if args.has_beginning() {
        for aside in with_put_aside(file, wanted.since()) {
            let mut lines = Lines::open(&aside)?;
            while let Some(line) = lines.next()? {
                if !told.see(line, &wanted, &mut show)? {
                    return Ok(0);
                }
            }
        }
    }
    // A file that never existed is a mistake of the caller; one that is being rotated is missing for a
    // moment.
    let mut open = Some(Followed::open(file, !args.has_beginning())?);
    loop {
        match &mut open {
            Some(followed) => {
                // Checked before the last line is read: nothing more is written to a rotated file.
                let is_over = followed.is_over(file);
                while let Some(line) = followed.lines.next_whole()? {
                    if !told.see(line, &wanted, &mut show)? {
                        return Ok(0);
                    }
                }
                if is_over {
                    open = None;
                    continue;
                }
            }
            None => open = Followed::open(file, false).ok(),
        }
        if is_unread_after(REST) {
            return Ok(0);
        }
    }
}

/// Waits for a time, or until nobody reads standard output any more; returns whether that is so.
fn is_unread_after(rest: Timespec) -> bool {
    let out = std::io::stdout();
    let mut waiting = [PollFd::new(&out, PollFlags::empty())];
    match poll(&mut waiting, Some(&rest)) {
        Ok(_) => waiting.iter().any(|it| !it.revents().is_empty()),
        Err(Errno::INTR) => false,
        Err(_) => true,
    }
}

/// A file, or a pipe, that is read as it grows.
struct Followed {
    /// Its lines.
    lines: Lines,
    /// A second handle on it.
    file: File,
}

impl Followed {
    /// Opens it, at its end or its start.
    fn open(path: &Path, at_end: bool) -> anyhow::Result<Self> {
        // For a pipe, neither opening nor reading blocks: writers may come later, and more than once.
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let mut file = opened.with_context(|| format!("cannot read {}", path.display()))?;
        if at_end && file.metadata()?.is_file() {
            file.seek(SeekFrom::End(0))?;
        }
        let reader = file.try_clone()?;
        Ok(Self { lines: Lines::new(Box::new(reader)), file })
    }

    /// Whether another file is in its place, or it was truncated.
    fn is_over(&mut self, path: &Path) -> bool {
        let Ok(ours) = self.file.metadata() else { return true };
        let is_same = fs::metadata(path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (ours.dev(), ours.ino()));
        // The position is that of the reader: both handles share it.
        let is_cut = self.file.stream_position().is_ok_and(|at| at > ours.len());
        !is_same || is_cut
    }
}
