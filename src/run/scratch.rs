//! A temporary directory beside the final place of its files; removed with its contents, however the work ends.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The directory.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Where it is.
    path: PathBuf,
    /// The directory itself, locked. One left behind by a killed process is unlocked, and is replaced.
    _lock: File,
}

impl Scratch {
    /// Makes the directory. The error is of the kind `WouldBlock` while another process works in it.
    pub(super) fn make(path: &Path) -> io::Result<Self> {
        let make = || DirBuilder::new().mode(0o700).create(path);
        match make() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // The lock ends with its process.
                drop(locked(path)?);
                std::fs::remove_dir_all(path)?;
                make()?;
            }
            made => made?,
        }
        Ok(Self { path: path.to_owned(), _lock: locked(path)? })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    /// Removes it.
    fn drop(&mut self) {
        // If this fails, the next run removes it.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// The directory, open and locked.
fn locked(path: &Path) -> io::Result<File> {
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
        .open(path)?;
    directory.try_lock()?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kill_left_is_cleared_and_what_works_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scratch");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("old"), "x").unwrap();
        let first = Scratch::make(&path).unwrap();
        assert!(!path.join("old").exists());
        let error = Scratch::make(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop(first);
        assert!(!path.exists());
    }
}
