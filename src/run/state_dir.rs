//! The state directory: created if missing, locked by one daemon at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::files;

/// A state directory in use; the locks end when this is dropped or the process dies.
#[derive(Debug)]
pub struct StateDir {
    /// The directory.
    path: PathBuf,
    /// The locked directory and its locked file `lock`. The directory can be locked without the right to write and
    /// cannot be removed by mistake; the file is known to older versions and shows the process id.
    _locks: Vec<File>,
    /// Why it cannot be written.
    fault: Option<io::Error>,
}

impl StateDir {
    /// Makes `path` if needed (mode 0700) and takes its lock.
    pub fn take(path: &Path) -> Result<Self, StateDirError> {
        let mut taken = Self::take_as_it_is(path)?;
        match taken.fault.take() {
            Some(source) => Err(StateDirError::Make { path: path.to_owned(), source }),
            None => Ok(taken),
        }
    }

    /// The same for a daemon that can answer without writing: only another daemon in the directory is an error.
    pub fn take_as_it_is(path: &Path) -> Result<Self, StateDirError> {
        let mut taken = Self { path: path.to_owned(), _locks: Vec::new(), fault: None };
        taken.fault = taken.lock()?.err();
        Ok(taken)
    }

    /// Makes and locks it. The inner error says that it cannot be written.
    fn lock(&mut self) -> Result<io::Result<()>, StateDirError> {
        let path = &self.path;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        let mut faults: Vec<io::Error> =
            made.and_then(|()| tighten(path)).err().into_iter().collect();
        let mut file = OpenOptions::new();
        file.read(true).write(true).create(true).truncate(false).mode(0o600);
        // The directory's owner must not redirect root to another file.
        file.custom_flags(libc::O_NOFOLLOW);
        let mut directory = OpenOptions::new();
        directory.read(true).custom_flags(libc::O_DIRECTORY);
        let (mut is_locked, mut unlocked) = (false, None);
        for opened in [directory.open(path), file.open(path.join("lock"))] {
            match opened.map(|file| (file.try_lock(), file)) {
                Ok((Err(TryLockError::WouldBlock), _)) => {
                    let path = path.to_owned();
                    // Only for the message; an empty one is fine.
                    let holder = std::fs::read_to_string(path.join("lock")).unwrap_or_default();
                    let holder = match holder.trim() {
                        "" => "unknown",
                        known => known,
                    };
                    return Err(StateDirError::InUse { path, holder: holder.to_owned() });
                }
                // Some file systems do not lock directories; the file is locked there.
                Ok((locked, file)) => {
                    is_locked |= locked.is_ok();
                    unlocked = locked.err().map(io::Error::from).or(unlocked);
                    self._locks.push(file);
                }
                Err(error) => faults.push(error),
            }
        }
        // If neither can be locked, a second daemon could start.
        faults.extend(unlocked.filter(|_| !is_locked));
        if let Some(first) = faults.into_iter().next() {
            return Ok(Err(first));
        }
        if let Some(lock) = self._locks.last_mut() {
            // Informative only: a full disk must not stop the start.
            let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        }
        Ok(files::try_to_write(&self.path))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why it cannot be written, in words, if so.
    pub fn fault(&self) -> Option<String> {
        let path = self.path.display();
        let words = |error| {
            format!(
                "the state directory {path} cannot be written ({error}): make it writable by the user \
                 gapura runs as, or mount it so"
            )
        };
        self.fault.as_ref().map(words)
    }
}

/// Removes the permissions of other users from a state directory that was made by hand or by a package. A directory
/// with files that are not ours is only reported: others may need it.
fn tighten(path: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let ours = path.join("lock").exists() || std::fs::read_dir(path)?.next().is_none();
    let private = std::fs::Permissions::from_mode(mode & 0o7700);
    if ours && std::fs::set_permissions(path, private).is_ok() {
        tracing::info!(path = %path.display(), "other users can no longer read the state directory");
    } else {
        tracing::warn!(
            path = %path.display(),
            "other users can read the state directory: set its mode to 0700"
        );
    }
    Ok(())
}

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// It cannot be made or written.
    #[error("cannot use the state directory {path}: it must be writable by the user gapura runs as", path = path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another daemon has it.
    #[error("the state directory {path} is in use by another gapura (process {holder}): stop that one, or give this one its own server.state_dir", path = path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other's process id.
        holder: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_looks_into_a_state_directory() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let open = |path: &Path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let path = dir.path().join("state");
        std::fs::create_dir(&path).unwrap();
        for _ in 0..2 {
            open(&path);
            drop(StateDir::take(&path).unwrap());
            assert_eq!(mode(&path), 0o700);
        }
        // A directory of something else is left as it is.
        let other = dir.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("file"), "x").unwrap();
        open(&other);
        drop(StateDir::take(&other).unwrap());
        assert_eq!(mode(&other), 0o755);
    }

    #[test]
    fn a_second_daemon_is_turned_away_and_told_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let first = StateDir::take(&path).unwrap();
        let error = StateDir::take(&path).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        // Nor is there a way in past a lock that was removed.
        std::fs::remove_file(path.join("lock")).unwrap();
        assert!(matches!(StateDir::take(&path), Err(StateDirError::InUse { .. })));
        drop(first);
        StateDir::take(&path).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_taken_as_it_is_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        // Neither root nor anybody else makes a directory there.
        std::fs::write(&path, "no directory").unwrap();
        let taken = StateDir::take_as_it_is(&path).unwrap();
        assert!(taken.fault().unwrap().contains("cannot be written"));
        drop(taken);
        assert!(matches!(StateDir::take(&path), Err(StateDirError::Make { .. })));
    }
}
