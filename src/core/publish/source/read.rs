//! Reads a whole file and checks that it did not change meanwhile: fstat before and after, and the same
//! inode at the path. `compile` reads recent files a second time after a pause.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use rustix::fs::{SeekFrom, seek};

use crate::lock::lock;
use crate::memory;
use crate::publish::state::Stamp;
use crate::threads::{each, processors};

/// Symbolic links followed on the way to one file.
const LINKS_MAX: usize = 40;
/// Octets of which a file is compared at a time.
const PIECE_OCTETS: usize = 256 * 1024;
/// Octets of a file from which on all processors read it …
const LARGE_OCTETS: u64 = 4 << 20;
/// … so many at a time.
const LARGE_PIECE_OCTETS: usize = 1 << 20;

//------------ Reading -------------------------------------------------------

/// Why a file could not be read.
#[derive(Debug)]
pub(crate) enum ReadFault {
    /// It is not there, or cannot be opened or read.
    Io(io::Error),
    /// It changed while it was read, or another file took its place.
    Changing,
    /// It is larger than allowed.
    TooLarge(u64),
    /// It has holes, so it was not written whole: text has none.
    Holes,
}

/// Reads a whole file with read(2); never by a mapping, which a truncated file would turn into a signal.
pub(crate) fn read(path: &Path, octets_max: u64) -> Result<(Vec<u8>, Stamp), ReadFault> {
    let mut file = open(path).map_err(ReadFault::Io)?;
    let metadata = file.metadata().map_err(ReadFault::Io)?;
    if !metadata.is_file() {
        return Err(ReadFault::Io(io::Error::other("not a regular file")));
    }
    let before = Stamp::of(&metadata);
    if before.size > octets_max {
        return Err(ReadFault::TooLarge(before.size));
    }
    if has_holes(&file, before.size) {
        return Err(ReadFault::Holes);
    }
    let bytes = match before.size {
        LARGE_OCTETS.. => pieces(&file, before.size)?,
        _ => whole(&mut file, before.size, octets_max)?,
    };
    let after = Stamp::of(&file.metadata().map_err(ReadFault::Io)?);
    let behind_path = Stamp::at(path);
    if before != after || behind_path != Some(after) || bytes.len() as u64 != after.size {
        return Err(ReadFault::Changing);
    }
    Ok((bytes, after))
}

/// The octets of a file up to its end, which is about where it is said to be.
fn whole(file: &mut File, size: u64, octets_max: u64) -> Result<Vec<u8>, ReadFault> {
    let room = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1);
    let mut bytes = memory::roomy(room);
    if bytes.capacity() < room {
        return Err(ReadFault::Io(io::ErrorKind::OutOfMemory.into()));
    }
    let mut limited = file.take(octets_max.saturating_add(1));
    limited.read_to_end(&mut bytes).map_err(ReadFault::Io)?;
    match bytes.len() as u64 {
        octets if octets > octets_max => Err(ReadFault::TooLarge(octets)),
        _ => Ok(bytes),
    }
}

/// So many octets of a file from its start, read by all processors. One that has got longer is for the caller to find out.
fn pieces(file: &File, size: u64) -> Result<Vec<u8>, ReadFault> {
    let room = usize::try_from(size).ok().and_then(memory::zeros);
    let mut bytes = room.ok_or_else(|| ReadFault::Io(io::ErrorKind::OutOfMemory.into()))?;
    let pieces: Vec<_> = bytes.chunks_mut(LARGE_PIECE_OCTETS).map(Mutex::new).collect();
    let read = |(): &mut (), at: usize| {
        file.read_exact_at(&mut lock(&pieces[at]), (at * LARGE_PIECE_OCTETS) as u64)
    };
    let read = each(processors(), pieces.len(), || (), read);
    let fault = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ReadFault::Changing,
        _ => ReadFault::Io(error),
    };
    read.into_iter().collect::<io::Result<()>>().map_err(fault)?;
    drop(pieces);
    Ok(bytes)
}

/// Whether a file holds just these octets.
pub(crate) fn holds(path: &Path, octets: &[u8]) -> bool {
    let Ok(mut file) = open(path) else { return false };
    let (mut piece, mut rest) = (vec![0; PIECE_OCTETS], octets);
    loop {
        match file.read(&mut piece) {
            Ok(0) => return rest.is_empty(),
            Ok(count) => match rest.strip_prefix(&piece[..count]) {
                Some(after) => rest = after,
                None => return false,
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

/// Whether parts of a file were never written: a copy that broke off, or a size that was only set. The
/// file is read from its start afterwards.
fn has_holes(file: &File, size: u64) -> bool {
    let hole = seek(file, SeekFrom::Hole(0));
    // A file system that knows of no holes says that there is none, or nothing.
    seek(file, SeekFrom::Start(0)).is_ok() && hole.is_ok_and(|hole| hole < size)
}

/// Opens a file without waiting: the open of a FIFO would otherwise last until somebody writes to it.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

//------------ Where to watch ------------------------------------------------

/// What must be watched to hear of a change of `path`: the names that matter (the file itself and
/// each symbolic link on the way), all absolute. Their directories are where to watch.
pub(crate) fn names_on_the_way(path: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    let Ok(start) = std::path::absolute(path) else { return names };
    let mut todo: Vec<PathBuf> = vec![start];
    while let Some(path) = todo.pop() {
        if names.len() >= LINKS_MAX {
            break;
        }
        let mut walked = PathBuf::new();
        let mut components = path.components().peekable();
        while let Some(component) = components.next() {
            match component {
                Component::ParentDir => drop(walked.pop()),
                Component::CurDir => {}
                other => walked.push(other),
            }
            let Ok(target) = fs::read_link(&walked) else { continue };
            names.push(walked.clone());
            let mut next = walked.parent().unwrap_or_else(|| Path::new("/")).join(target);
            next.extend(components.by_ref());
            todo.push(next);
            walked.clear();
        }
        if !walked.as_os_str().is_empty() {
            names.push(walked);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_on_the_way_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir(root.join("v1")).unwrap();
        fs::write(root.join("v1/a.zone"), "x\n").unwrap();
        std::os::unix::fs::symlink("v1", root.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/a.zone", root.join("a.zone")).unwrap();
        let names = names_on_the_way(&root.join("a.zone"));
        for name in ["a.zone", "..data", "v1/a.zone"] {
            assert!(names.contains(&root.join(name)), "{name} in {names:?}");
        }
    }

    #[test]
    fn what_is_read_is_what_stands_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.zone");
        fs::write(&path, "abc\n").unwrap();
        let (bytes, stamp) = read(&path, 100).unwrap();
        assert_eq!(bytes, b"abc\n");
        assert_eq!(Stamp::at(&path), Some(stamp));
        assert!(holds(&path, b"abc\n") && !holds(&path, b"abc") && !holds(&path, b"abc\n\n"));
        assert!(!holds(&path, b"abd\n") && !holds(directory.path(), b""));
        assert!(matches!(read(&path, 3), Err(ReadFault::TooLarge(4))));
        assert!(matches!(read(directory.path(), 3), Err(ReadFault::Io(_))));
    }

    #[test]
    fn a_large_file_is_read_in_pieces_and_is_whole_or_changing() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("a.zone"), directory.path().join("b.zone"));
        // No piece looks like another one, and the last is short.
        let text = |seed: u32| -> Vec<u8> {
            let lines = (0..LARGE_OCTETS as u32 / 3).map(|at| (at ^ seed).to_le_bytes());
            lines.flatten().map(|octet| octet | 1).collect()
        };
        let (long, short) = (text(0), text(7)[..LARGE_OCTETS as usize + 5].to_vec());
        fs::write(&path, &long).unwrap();
        assert_eq!(read(&path, 1 << 30).unwrap().0, long);
        let fault = read(&path, LARGE_OCTETS).unwrap_err();
        assert!(matches!(fault, ReadFault::TooLarge(size) if size == long.len() as u64));
        // What is cut, written over and written anew while it is read is never half of one and half of the other. A file
        // that is older than a step of the clock shows each write.
        let (stop, mut seen) = (std::sync::atomic::AtomicBool::new(false), [0; 3]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    for text in [&short, &long] {
                        fs::write(&other, text).unwrap();
                        fs::rename(&other, &path).unwrap();
                        std::thread::sleep(std::time::Duration::from_millis(25));
                        File::options().write(true).open(&path).unwrap().set_len(9).unwrap();
                    }
                }
            });
            while seen.iter().any(|count| *count < 3) {
                match read(&path, 1 << 30) {
                    Ok((bytes, _)) if bytes == long => seen[0] += 1,
                    Ok((bytes, _)) if bytes == short => seen[1] += 1,
                    Ok((bytes, _)) => assert_eq!(bytes.len(), 9),
                    Err(ReadFault::Changing) => seen[2] += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn a_file_with_holes_is_refused_before_it_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.zone");
        fs::write(&path, "@ SOA ns1 h 1 1 1 1 1\n").unwrap();
        assert!(read(&path, 1 << 40).is_ok());
        File::options().write(true).open(&path).unwrap().set_len(900 << 20).unwrap();
        let began = std::time::Instant::now();
        assert!(matches!(read(&path, 1 << 40), Err(ReadFault::Holes)));
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }

    #[test]
    fn a_fifo_is_refused_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.zone");
        crate::testing::make_pipe(&path);
        assert!(matches!(read(&path, 100), Err(ReadFault::Io(_))));
    }
}
