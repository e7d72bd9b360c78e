//! Writes our own files in the state directory atomically: complete or as before, whatever
//! interrupts the write.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::files;
use crate::publish::failpoint;
use crate::publish::state::PublishError;

/// Writes a file of our own, unless it is so already.
pub(crate) fn write_file(path: &Path, bytes: &[u8], what: &str) -> Result<(), PublishError> {
    if files::read(path).is_ok_and(|written| written == bytes) {
        return Ok(());
    }
    replace(path, what, |_| Ok(bytes.to_owned()))
}

/// Writes a file of our own anew. It is there in full or as it was: temporary file, fsync, rename, fsync of
/// the directory. `bytes` sees the new file; `what` names the failpoints.
pub(super) fn replace(
    path: &Path,
    what: &str,
    bytes: impl FnOnce(&File) -> std::io::Result<Vec<u8>>,
) -> Result<(), PublishError> {
    let write = || -> std::io::Result<()> {
        let temporary = path.with_extension("tmp");
        let mut file = File::create(&temporary)?;
        failpoint::io_point(&format!("{what}.write"))?;
        file.write_all(&bytes(&file)?)?;
        failpoint::io_point(&format!("{what}.fsync"))?;
        file.sync_all()?;
        failpoint::io_point(&format!("{what}.rename"))?;
        fs::rename(&temporary, path)?;
        failpoint::io_point(&format!("{what}.dirsync"))?;
        match path.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(|source| PublishError::Write { path: path.to_owned(), source })
}
