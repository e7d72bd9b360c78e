//! The key files in the state directory, and random bytes for what is in them.

use std::io::ErrorKind;
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use super::AuditError;
use crate::files::{self, AUDIT_KEY, PERSONAL_KEY};

/// Random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], AuditError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AuditError::Random)?;
    Ok(bytes)
}

/// Reads a key file, or makes it, readable by its owner only and on disk before it is used.
pub(super) fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<Vec<u8>, AuditError>,
) -> Result<Vec<u8>, AuditError> {
    let failed = |source| AuditError::KeyFile { path: path.to_owned(), source };
    match files::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = make()?;
            files::write_private(path, &bytes).map_err(failed)?;
            Ok(bytes)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whether a state directory holds keys, usable or not. They are made beside a database only.
pub fn has_keys(state_dir: &Path) -> bool {
    let has = |name: &str| state_dir.join(name).symlink_metadata().is_ok();
    [PERSONAL_KEY, AUDIT_KEY].into_iter().any(has)
}
