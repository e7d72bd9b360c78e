//! The state directory: created if missing, locked by one daemon at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A state directory in use; the lock ends when this is dropped or the process dies.
#[derive(Debug)]
pub struct StateDir {
    /// The directory.
    path: PathBuf,
    /// The locked file `lock`, which holds the process id for people.
    _lock: File,
}

impl StateDir {
    /// Makes `path` if needed (mode 0700) and takes its lock.
    pub fn take(path: &Path) -> Result<Self, StateDirError> {
        let failed = |source| StateDirError::Make { path: path.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        tighten(path).map_err(failed)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message; an empty one is fine.
                let _ = lock.read_to_string(&mut holder);
                let holder = holder.trim().to_owned();
                return Err(StateDirError::InUse { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        lock.set_len(0).map_err(failed)?;
        writeln!(lock, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Takes away what others may do in a state directory that was made by hand or by a package. One that
/// holds something else than our own files is only reported: it may be meant for others.
fn tighten(path: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let ours = path.join("lock").exists() || std::fs::read_dir(path)?.next().is_none();
    let private = std::fs::Permissions::from_mode(mode & 0o7700);
    if ours && std::fs::set_permissions(path, private).is_ok() {
        tracing::info!(path = %path.display(), "others may no longer look into the state directory");
    } else {
        tracing::warn!(
            path = %path.display(),
            "others may look into the state directory: give it the mode 0700"
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
        drop(first);
        StateDir::take(&path).unwrap();
    }
}
